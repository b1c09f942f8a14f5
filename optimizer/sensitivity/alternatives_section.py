"""Alternatives as plain data, as Markdown for a report, and in one sentence."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from optimizer.sensitivity.alternatives import Alternative, Alternatives, Standing
from optimizer.sensitivity.limits_section import amount
from optimizer.tables import markdown_table


def alternatives_data(result: Alternatives) -> dict[str, Any]:
    """``data`` of ``alternatives --json``."""
    return {
        "objective": result.objective,
        "column": result.column,
        "slack": result.slack,
        "best": result.best,
        "design_id": result.design.design_id,
        "near_optimal": [_plain(a) for a in result.near],
        "beyond_slack": [_plain(a) for a in result.beyond],
        "choices": [asdict(c) for c in result.choices],
        "proven": result.proven,
        "solves": result.solves,
        "seconds": result.seconds,
    }


def _plain(a: Alternative) -> dict[str, Any]:
    return {
        "cluster": a.cluster,
        "kind": dict(a.kind),
        "value": a.value,
        "beyond_best": a.beyond_best,
        "differs_in": list(a.differs_in),
        "design_id": a.design.design_id,
        "choices": dict(a.design.choices),
        "proven": a.proven,
    }


def alternatives_sentence(result: Alternatives) -> str:
    """The answer in one sentence."""
    several = len({c.cluster for c in result.choices}) > 1
    must = [
        f"{c.cluster + ' ' if several else ''}{c.dimension} {c.value}"
        for c in result.choices
        if c.standing is Standing.MUST_HAVE and c.without is not None
    ]
    number = len(result.near)
    kinds = "no other kind" if not number else f"{number} other kind{'s' if number > 1 else ''}"
    near = f"{kinds} of architecture within {result.slack:.1%} of it"
    needed = (
        f"must-haves among what could be left out: {', '.join(must)}"
        if must
        else "nothing that could be left out is a must-have"
    )
    early = "" if result.proven else " (stopped early: kinds and choices that were not asked about are missing)"
    return f"best {result.objective} {amount(result.column, result.best)}; {near}; {needed}{early}."


KIND_HEADINGS = ("vendor", "topology", "cooling", "system", "fabric", "value", "beyond best", "differs in", "design")


def kind_rows(result: Alternatives) -> list[tuple[str, ...]]:
    """Cells of a table of kinds: near-optimal ones by difference, then the next beyond the slack."""
    rows: list[tuple[str, ...]] = []
    for a in (*result.near, *result.beyond):
        c = a.design.choices
        rows.append(
            (
                a.kind["vendor"], a.kind["topology"], a.kind["cooling"], str(c.get(f"{a.cluster}.system", "")),
                str(c.get(f"{a.cluster}.fabric", "")), amount(result.column, a.value), f"{a.beyond_best:+.1%}",
                str(len(a.differs_in)), a.design.design_id,
            )
        )  # fmt: skip
    return rows


CHOICE_HEADINGS = ("choice", "standing", "in the best", "best without it", "best with it")


def choice_rows(result: Alternatives, most_avoidable: int = 12) -> list[tuple[str, ...]]:
    """Cells of a table of choices; of avoidable ones those nearest to the best."""
    rows: list[tuple[str, ...]] = []
    avoidable = 0
    for c in result.choices:
        if c.standing is Standing.AVOIDABLE:
            avoidable += 1
            if avoidable > most_avoidable:
                continue
        unknown = "not known" if c.standing is Standing.UNDECIDED else "nothing legal"
        cells = [unknown if v is None else amount(result.column, v) for v in (c.without, c.having)]
        rows.append((f"{c.cluster} {c.dimension} {c.value}", c.standing.value, "yes" if c.chosen else "", *cells))
    return rows


def alternatives_markdown(result: Alternatives) -> str:
    """A section of a sensitivity report."""
    said = alternatives_sentence(result)
    lines = [
        "## Alternatives",
        "",
        (
            f"The best design of every other vendor, topology and cooling: those within {result.slack:.0%} of the best first, the most "
            "different first among them."
        ),
        "",
        said[0].upper() + said[1:],
        "",
    ]
    if result.near or result.beyond:
        lines += markdown_table(KIND_HEADINGS, kind_rows(result), KIND_HEADINGS[5:8])
    lines += [
        "",
        "What a near-optimal design must, may or cannot have, each shown by forbidding it or insisting on it:",
        "",
    ]
    lines += markdown_table(CHOICE_HEADINGS, choice_rows(result), CHOICE_HEADINGS[3:])
    return "\n".join(lines) + "\n"
