"""The answer as a person reads it, and as JSON: shared by ``solve`` and ``show``."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import Any

from models.instance import Instance
from optimizer.design import Design, Margin, behind_throughput
from optimizer.frontier import Frontier, ObjectiveColumn, tidy
from optimizer.pareto.result import FrontierStatus
from optimizer.shown_units import shown_unit
from optimizer.ties import bands, tie_groups

MOST_ROWS = 12

_JSON_STATUS = {
    FrontierStatus.COMPLETE: "complete",
    FrontierStatus.PARTIAL: "partial",
    FrontierStatus.EMPTY: "partial",
    FrontierStatus.INFEASIBLE: "infeasible",
}


def json_status(status: FrontierStatus) -> str:
    """The status word of a JSON document."""
    return _JSON_STATUS[status]


def frontier_data(frontier: Frontier) -> dict[str, Any]:
    """``data`` of ``solve --json``."""
    return {
        "run": frontier.run,
        "n_designs": len(frontier),
        "designs": [
            {
                "design_id": d.design_id,
                "objectives": {k: tidy(v) for k, v in d.objectives.items()},
                "bounds": {k: tidy(v) for k, v in d.bounds.items()},
                "choices": dict(d.choices),
                "preliminary_parts": list(d.preliminary),
                "tco_usd_band": [round(d.figures["tco_usd_low"], 2), round(d.figures["tco_usd_high"], 2)],
                "performance": behind_throughput(d.pods),
                "throughput_band": bands(d),
                "tie": group,
            }
            for d, group in zip(frontier.points, tie_groups(frontier.points), strict=True)
        ],
        "solves": frontier.solves,
        "seconds": round(frontier.seconds, 3),
        "proof": {
            "status": frontier.proof.status.value,
            "certified_error": dict(frontier.proof.error),
            "zones_closed": frontier.proof.zones,
            "zones_open": frontier.proof.open_zones,
            "hypervolume_share": frontier.proof.hypervolume_share,
            "algorithm": frontier.proof.algorithm,
            "backend": frontier.proof.backend,
            "sentence": frontier.proof.sentence(),
            "cross_check": frontier.proof.cross_check,
        },
        "price_basis": frontier.price_basis,
        "prices_are_estimates": frontier.estimated_prices,
    }


def answer_lines(frontier: Frontier, instance: Instance) -> Iterator[str]:
    """One sentence, at most twelve rows, what limits them, a word on prices, and the next command."""
    if not frontier.points:
        yield f"{frontier.instance}: no design found yet; {frontier.proof.sentence()}."
        return
    yield sentence(frontier)
    yield ""
    yield from frontier_table(frontier, spread(frontier.points, MOST_ROWS))
    if len(frontier) > MOST_ROWS:
        yield f"({MOST_ROWS} of {len(frontier)} designs, evenly spaced; all of them: optimizer show {frontier.run})"
    yield ""
    yield f"Limits that bind: {'; '.join(binding(frontier)) or nearest_limit(frontier)}."
    marked = sorted({part for d in frontier.points for part in d.preliminary})
    if marked:
        yield f"Preliminary parts (marked *): {', '.join(marked)}."
    if frontier.estimated_prices:
        yield f"Prices are estimates at the {frontier.price_basis} of their range; the band beside tco is the range itself."
    if told := tied(frontier):
        yield told
    stated = [name for name, value in instance.raw.get("assumptions", {}).items() if value is not None]
    yield f"{len(stated)} assumptions stated in the instance enter every figure."
    yield f"Proof: {frontier.proof.sentence()} ({frontier.solves} solves, {frontier.seconds:.1f} s)."
    if frontier.proof.cross_check:
        yield f"Cross-check: {frontier.proof.cross_check}."
    shown = spread(frontier.points, MOST_ROWS)
    yield f"Next: optimizer show {frontier.run} {shown[len(shown) // 2].design_id}"


def sentence(frontier: Frontier) -> str:
    """The answer in one sentence: how many designs, and between which ends."""
    first = frontier.objectives[0]
    values = [d.objectives[first.column] for d in frontier.points]
    best = frontier.points[values.index(max(values) if first.maximise else min(values))]
    systems = ", ".join(str(v) for k, v in best.choices.items() if k.endswith(".system"))
    kind, so_far = (
        ("Pareto-optimal ", "") if frontier.status is FrontierStatus.COMPLETE else ("", ", nondominated so far")
    )
    if len(frontier) == 1:
        return f"{frontier.instance}: 1 {kind}architecture{so_far}; {first.title} {show_value(first, values[0])} ({systems})."
    worst = min(values) if first.maximise else max(values)
    return (
        f"{frontier.instance}: {len(frontier)} {kind}architectures{so_far}; {first.title} from {show_value(first, best.objectives[first.column])} "
        f"({systems}) to {show_value(first, worst)}."
    )


def spread(designs: Sequence[Design], most: int) -> list[Design]:
    """At most ``most`` designs, first and last among them, evenly spaced in the list."""
    if len(designs) <= most:
        return list(designs)
    return [designs[round(i * (len(designs) - 1) / (most - 1))] for i in range(most)]


def show_value(objective: ObjectiveColumn, value: float) -> str:
    """A column value in the unit a person reads."""
    factor, unit, digits = shown_unit(objective.column)
    return f"{value * factor:,.{digits}f} {unit}".strip()


def tied(frontier: Frontier) -> str:
    """How well throughput is known, and how many groups of designs it tells apart; nothing where it has no band."""
    groups = tie_groups(frontier.points)
    known = [band for design in frontier.points for band in bands(design).values()]
    if not known:
        return ""
    low, high = f"{min(known):.0%}", f"{max(known):.0%}"
    count = len(set(groups))
    apart = (
        f"{len(frontier)} designs fall into {count} groups that it tells apart" if count > 1 else "it tells none apart"
    )
    return (
        f"Throughput is known to {low if low == high else f'{low} to {high}'}: {apart} (column tie); "
        "within a group choose by the other objectives."
    )


def frontier_table(frontier: Frontier, designs: Sequence[Design]) -> Iterator[str]:
    """The designs as an aligned table; with several clusters a line for each, below one another."""
    from rich.console import Console
    from rich.table import Table

    heads = [k for k in dict.fromkeys(k for d in designs for k in d.choices) if k.rpartition(".")[2] in _TABLE_CHOICES]
    clusters = [k.rpartition(".")[0] for k in heads if k.endswith(".accelerators")]
    stacked = len(clusters) > 1
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("design", no_wrap=True)
    for o in frontier.objectives:
        unit = shown_unit(o.column)[1]
        table.add_column(f"{o.name}\n[{unit}]".replace("[", "\\["), justify="right", no_wrap=True)
    table.add_column("tco band\n\\[MUSD]", justify="right", no_wrap=True)
    groups = dict(zip((d.design_id for d in frontier.points), tie_groups(frontier.points), strict=True))
    shows_ties = any(group is not None for group in groups.values())
    if shows_ties:
        table.add_column("tie", justify="right", no_wrap=True)
    names = [k for k in heads if not stacked or k.rpartition(".")[0] not in clusters]
    for name in names:
        table.add_column(name.replace(".", "\n", 1), no_wrap=True)
    own = list(dict.fromkeys(k.rpartition(".")[2] for k in heads if k not in names))
    for name in ("cluster", *own) if stacked else ():
        table.add_column(name, justify="right" if name == "accelerators" else "left", no_wrap=True)
    for d in designs:
        cells = [d.design_id]
        for o in frontier.objectives:
            factor, _, digits = shown_unit(o.column)
            cells.append(f"{d.objectives[o.column] * factor:,.{digits}f}")
        cells.append(f"{d.figures['tco_usd_low'] / 1e6:,.0f}-{d.figures['tco_usd_high'] / 1e6:,.0f}")
        if shows_ties:
            cells.append(str(groups[d.design_id]))
        cells += [_choice(d, name) for name in names]
        for number, cluster in enumerate(clusters if stacked else [""]):
            first = cells if not number else [""] * len(cells)
            table.add_row(*first, *([cluster, *(_choice(d, f"{cluster}.{name}") for name in own)] if stacked else []))
    stream = io.StringIO()
    Console(file=stream, width=10_000, highlight=False, color_system=None).print(table)
    for line in stream.getvalue().splitlines():
        yield line.rstrip()


def _choice(design: Design, name: str) -> str:
    """A choice as text, a star at a system that does not ship yet."""
    cluster, _, last = name.rpartition(".")
    star = last == "system" and any(p.cluster == cluster and p.system in design.preliminary for p in design.pods)
    return f"{design.choices.get(name, '')}{'*' if star else ''}"


_TABLE_CHOICES = ("system", "roles", "accelerators", "fabric", "oversubscription", "cooling", "storage")


def stated_limits(design: Design) -> list[Margin]:
    """Margins of limits somebody stated; units of plant are bought as needed and limit nothing."""
    return [m for m in design.margins if not m.row.startswith(("power.power_units", "thermal."))]


def nearest_limit(frontier: Frontier) -> str:
    """Where no limit binds: the one that comes closest on any design, and how much of it is left."""
    near = [
        (abs(m.limit - m.value) / abs(m.limit), m.row, m.unit, m.value, m.limit)
        for d in frontier.points
        for m in stated_limits(d)
        if m.limit
    ]
    if not near:
        return "none stated"
    left, row, unit, value, limit = min(near)
    return f"none exactly; the nearest is {row}, {value:,.0f} of {limit:,.0f} {unit}, {left:.1%} away, as sizes come in steps"


def binding(frontier: Frontier) -> list[str]:
    """Limits that bind on some design, in the words of their family, most frequent first."""
    counts: dict[str, int] = {}
    says: dict[str, str] = {}
    for d in frontier.points:
        for m in stated_limits(d):
            if m.binding:
                counts[m.row] = counts.get(m.row, 0) + 1
                says.setdefault(m.row, m.says)
    ranked = sorted(counts, key=lambda row: (-counts[row], row))
    return [f"{says[row]} ({counts[row]} of {len(frontier)} designs)" for row in ranked[:4]]
