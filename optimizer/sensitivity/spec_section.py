"""Specs to win and gap lists as plain data, sentences and Markdown."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from optimizer.sensitivity.gap_list import Gap, GapList
from optimizer.sensitivity.price_section import dollars, interval_text
from optimizer.sensitivity.spec_to_win import SpecToWin
from optimizer.tables import markdown_table

MOST_GAPS = 20


def spec_data(result: SpecToWin) -> dict[str, Any]:
    """``data`` of ``spec-to-win --json``: values of the field in its canonical unit, money in USD."""
    return {
        "part": result.part,
        "field": result.field.name,
        "unit": result.field.unit.symbol,
        "value": result.field.value,
        "objective": result.objective,
        "requirement": dict(result.requirement),
        "range": [result.low, result.high],
        "interval": list(result.interval),
        "better": {1: "more", -1: "less", 0: "no difference"}[result.better],
        "wins_at": result.wins_at,
        "price_per_unit": result.per_unit,
        "saving": result.saving,
        "one_change": result.one_change,
        "worths": [asdict(w) for w in result.worths],
        "reason": result.reason,
        "proven": result.proven,
        "solves": result.solves,
        "seconds": result.seconds,
    }


def spec_sentence(result: SpecToWin) -> str:
    """The answer in one sentence."""
    field, (low, high) = result.field, result.interval
    now = "not in the catalogue" if field.value is None else f"now {field.shown(field.value)}"
    who = f"{result.part} {field.name}"
    if low is not None and high is not None:
        more = "from" if result.better >= 0 else "at or below"
        a, b = field.shown(low), field.shown(high)
        text = f"{who}: enters the cheapest design {more} {a if a == b else f'{a} to {b}'} ({now})"
    elif result.wins_at:
        text = f"{who}: the part is in the cheapest design {result.wins_at} from {field.shown(result.low)} to {field.shown(result.high)} ({now})"
    else:
        text = f"{who}: not decided ({now})"
    if result.per_unit is not None and result.low < result.high:
        change = result.per_unit * (result.high - result.low)
        text += f"; over that range its price to win moves by {dollars(change)} a unit"
    return text + "."


def spec_rows(result: SpecToWin) -> list[tuple[str, ...]]:
    """Cells of a table: value, in or out, price to win, least cost, units."""
    said = {True: "in", False: "out", None: "not decided"}
    return [
        (
            result.field.shown(w.value),
            said[w.wins],
            interval_text(w.price_low, w.price_high),
            "-" if w.objective is None else f"{w.objective / 1e6:,.3f} MUSD",
            f"{w.units:,}",
        )
        for w in result.worths
    ]


SPEC_HEADINGS = ("value", "cheapest design", "price to win", "least cost", "units")


def spec_markdown(result: SpecToWin) -> str:
    """A section of a sensitivity report."""
    lines = [f"## Spec to win: {result.part} {result.field.name}", "", spec_sentence(result), ""]
    lines += markdown_table(SPEC_HEADINGS, spec_rows(result), SPEC_HEADINGS[2:])
    return "\n".join(lines) + "\n"


def gap_data(result: GapList) -> dict[str, Any]:
    """``data`` of ``spec-to-win --json`` without a field: gaps by rank."""
    return {
        "objective": result.objective,
        "best": result.best,
        "step": result.step,
        "gaps": [{"rank": n, **asdict(gap), "closes": gap.closes} for n, gap in enumerate(result.gaps, 1)],
        "proven": result.proven,
        "solves": result.solves,
        "seconds": result.seconds,
    }


GAP_HEADINGS = ("part", "vendor", "ask for", "now", "then", "gain", "still dearer by")


def gap_rows(result: GapList, most: int = MOST_GAPS) -> list[tuple[str, ...]]:
    """Cells of a table: what to ask whom, and what it is worth; without steps that change nothing."""
    telling = [g for g in result.gaps if g.gain > 0 or (g.left and g.closes != 0.0 and not g.beyond)]
    return [(g.part, g.vendor, words(g.field), *gap_values(g), _money(g.gain), _left(g)) for g in telling[:most]]


def words(field: str) -> str:
    """A field's name as it is said: ``peak bf16``."""
    return field.replace("_", " ")


def gap_values(gap: Gap) -> tuple[str, str]:
    """The field today and a step better, as text."""
    from optimizer.sensitivity.part_field import FIT, quarter_text

    if gap.unit == "quarters":
        return quarter_text(gap.value), quarter_text(gap.improved)
    if gap.field == "failure_rate":
        return f"{gap.value / FIT:,.6g} FIT", f"{gap.improved / FIT:,.6g} FIT"
    return _figure(gap.value, gap.unit), _figure(gap.improved, gap.unit)


def _figure(value: float, unit: str) -> str:
    """A value with the prefix people use: 1.92e11 B is 192 GB."""
    large = ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"))
    size, prefix = next(((s, p) for s, p in large if unit and unit != "USD" and abs(value) >= s), (1.0, ""))
    return f"{value / size:,.6g} {prefix}{unit}".strip()


def _money(amount: float) -> str:
    return f"{amount / 1e6:,.3f} MUSD" if amount > 0 else "-"


def _left(gap: Gap) -> str:
    if gap.left is None:
        return "not legal"
    return "in" if gap.enters else ("over " if gap.beyond else "") + _money(gap.left)


def gap_sentence(result: GapList) -> str:
    """The answer in one sentence."""
    entering = [g for g in result.gaps if g.enters and not g.wins_today and g.gain > 0]
    bought = [g for g in result.gaps if g.wins_today and g.gain > 0]
    said = []
    if entering:
        said.append(f"one step lets {_asked_of(entering[0])} in")
    else:
        said.append(f"no part{'' if result.proven else ' asked about'} comes in by one step of one field")
    if bought:
        said.append(f"of what is bought already {_asked_of(bought[0])} is worth most")
    early = "" if result.proven else " (stopped early: parts that were not asked about are missing)"
    return f"{'; '.join(said)}{early}."


def _asked_of(gap: Gap) -> str:
    now, then = gap_values(gap)
    return f"{gap.part} ({words(gap.field)} from {now} to {then}, {_money(gap.gain)})"


def gap_markdown(result: GapList) -> str:
    """A section of a sensitivity report."""
    said = gap_sentence(result)
    lines = [
        "## What to ask for",
        "",
        (
            f"Every field a vendor could improve, one step of {result.step:.0%} better (ports twice as fast), alone: what the cheapest design gains from it, or how much "
            f"dearer a design with the part still is. Least cost today {result.best / 1e6:,.3f} MUSD."
        ),
        "",
        said[0].upper() + said[1:],
        "",
    ]
    lines += markdown_table(GAP_HEADINGS, gap_rows(result), GAP_HEADINGS[3:])
    idle = sum(g.gain <= 0 and (g.closes == 0.0 or g.left is None or g.beyond) for g in result.gaps)
    lines += [
        "",
        f"{len(result.gaps)} steps were tried; {idle} of them change nothing or lead to no design that comes near.",
    ]
    return "\n".join(lines) + "\n"
