"""Values of limits as plain data, as Markdown for a report, and as a table for a terminal."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from optimizer.sensitivity.value_of_limits import LimitValue, LimitValues, Move
from optimizer.tables import markdown_table

MOST_PAIRS = 10


def limits_data(result: LimitValues) -> dict[str, Any]:
    """``data`` of ``value-of-limits --json``: gains in the objective's column unit, above zero where the answer gets better."""
    return {
        "objective": result.objective,
        "column": result.column,
        "best": result.best,
        "design_id": result.design_id,
        "limits": [asdict(v) for v in result.limits],
        "pairs": [asdict(p) for p in result.pairs],
        "proven": result.proven,
        "solves": result.solves,
        "seconds": result.seconds,
    }


def ranked(result: LimitValues) -> list[LimitValue]:
    """Limits by what the next looser step gives, then by what a tighter one costs."""
    return sorted(
        result.limits, key=lambda v: (-(v.looser.gain or v.lifted.gain or 0.0), (v.tighter.gain or 0.0), v.limit)
    )


def limit_rows(result: LimitValues) -> list[tuple[str, ...]]:
    """Cells of a table: limit, value, used, next looser value and its gain, next tighter value and its cost, gain without it."""
    rows: list[tuple[str, ...]] = []
    for v in ranked(result):
        value = f"{v.sense} {v.value:,.10g} {v.unit}{_in_days(v, v.value)}"
        looser = "nothing" if v.looser.value is None else f"{v.looser.value:,.10g}{_in_days(v, v.looser.value)}"
        tighter = "-" if v.tighter.value is None else f"{v.tighter.value:,.10g}{_in_days(v, v.tighter.value)}"
        cost = (
            "no design left"
            if v.tighter.value is not None and v.tighter.objective is None
            else _gain(result, v.tighter)
        )
        rows.append(
            (
                v.source,
                value,
                f"{v.used:,.7g}" if v.unit == "ms" else f"{v.used:,.10g}",
                looser,
                _gain(result, v.looser),
                tighter,
                cost,
                _gain(result, v.lifted),
            )
        )
    return rows


def _in_days(limit: LimitValue, *values: float) -> str:
    """Values of a deadline as people state it, in brackets; nothing for any other limit."""
    days = [f"{told:,.2f}" for value in values if (told := limit.days(value)) is not None]
    return f" ({' to '.join(days)} days)" if days else ""


HEADINGS = ("limit", "value", "used", "next looser", "gains", "next tighter", "gains or costs", "without it")


def sentence(result: LimitValues) -> str:
    """The answer in one sentence."""
    best = ranked(result)
    first = best[0] if best else None
    shown = amount(result.column, result.best)
    if first is None or not (first.looser.gain or first.lifted.gain):
        return f"best {result.objective} {shown}: no limit costs anything; loosening any of them changes nothing."
    if first.looser.value is None:
        return f"best {result.objective} {shown}: lifting {first.source} is worth {_gain(result, first.lifted)}."
    return (
        f"best {result.objective} {shown}: the next useful step is {first.source} from {first.value:,.10g} to "
        f"{first.looser.value:,.10g} {first.unit}{_in_days(first, first.value, first.looser.value)}, worth {_gain(result, first.looser)}."
    )


def limits_markdown(result: LimitValues) -> str:
    """A section of a sensitivity report."""
    said = sentence(result)
    lines = [
        "## Value of limits",
        "",
        (
            "What the best design gains when a limit gives way to the next value at which anything changes, and what the next tighter "
            "value costs. Both are found by solving there; in between nothing changes."
        ),
        "",
        said[0].upper() + said[1:],
        "",
    ]
    lines += markdown_table(HEADINGS, limit_rows(result), HEADINGS[2:])
    lines += pair_lines(result)
    return "\n".join(lines) + "\n"


def pair_lines(result: LimitValues) -> list[str]:
    """Pairs of limits that give together what they do not give apart."""
    telling = sorted((p for p in result.pairs if p.interaction), key=lambda p: -abs(p.interaction))
    if not telling:
        return []
    lines = ["", "Limits that only give way together, or give the same twice:", ""]
    for p in telling[:MOST_PAIRS]:
        more = "more than" if p.interaction > 0 else "less than"
        lines.append(
            f"- {p.first} and {p.second}: {amount(result.column, p.gain)} together, "
            f"{amount(result.column, abs(p.interaction))} {more} apart"
        )
    return lines


def _gain(result: LimitValues, move: Move) -> str:
    if move.gain is None:
        return "-" if move.proven else "not known"
    return amount(result.column, move.gain) + ("" if move.proven else " (not proven)")


def amount(column: str, value: float) -> str:
    """A column value in the unit a person reads."""
    if column.endswith("_usd"):
        return f"{value / 1e6:,.3f} MUSD"
    return f"{value:,.10g} {column.rpartition('_')[2]}"
