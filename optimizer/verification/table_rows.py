"""The rows of a run's tables, written again from its designs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from optimizer.design import Design
from optimizer.frontier import STANDARD_FIGURES, Frontier


def frontier_rows(frontier: Frontier) -> list[dict[str, Any]]:
    """The rows of ``frontier.csv``."""
    columns = [objective.column for objective in frontier.objectives]
    bounded = [c for c in columns if any(c in design.bounds for design in frontier.points)]
    keys = list(dict.fromkeys(key for design in frontier.points for key in design.choices))
    banded = any(name.endswith(".throughput_band") for design in frontier.points for name in design.figures)
    ties = _ties(frontier.points)
    told = list(dict.fromkeys(key for design in frontier.points for key in _words(design)))
    rows = []
    for design in frontier.points:
        row: dict[str, Any] = {"design_id": design.design_id}
        for column in columns:
            row[column] = design.objectives[column]
            if column in bounded:
                row[f"{column}_bound"] = design.bounds.get(column, design.objectives[column])
        row["tco_usd_low"] = round(design.figures["tco_usd_low"], 2)
        row["tco_usd_high"] = round(design.figures["tco_usd_high"], 2)
        for name in STANDARD_FIGURES:
            row.setdefault(name, float(f"{design.figures[name]:.12g}"))
        row.update({key: design.choices.get(key) for key in keys})
        row.update({key: _told(design, key) for key in told})
        if banded:
            row.update({k: float(f"{v:.12g}") for k, v in design.figures.items() if k.endswith(".throughput_band")})
            row["tie"] = ties[design.design_id]
        row["preliminary_parts"] = " ".join(design.preliminary)
        row["prices"] = "estimates" if any(line.price_is_estimate for line in design.bom) else "quotes"
        rows.append(row)
    return rows


def _words(design: Design) -> dict[str, list[str]]:
    """Mapping, runner-up and binding term of every cluster, each written once per kind of pod."""
    words: dict[str, list[str]] = {}
    for pod in design.pods:
        p = pod.performance
        if "replica" in p:
            p = {
                **p,
                "mapping": f"{p['role']} {p['replicas']} x {p['replica']}, tensor {p['tensor']}, batch {p['batch']}",
            }
        elif "source" in p:
            p = {**p, "mapping": f"from {p['source']}"}
        if p.get("runner_up") is not None:
            p = {**p, "runner_up": f"{p['runner_up']} ({p['runner_up_share']:.1%})"}
        for name in ("mapping", "runner_up", "binding"):
            if p.get(name) is not None and p[name] not in words.setdefault(f"{pod.cluster}.{name}", []):
                words[f"{pod.cluster}.{name}"].append(p[name])
    return {key: found for key, found in words.items() if found}


def _told(design: Design, key: str) -> str | None:
    found = _words(design).get(key)
    return None if found is None else " + ".join(found)


def _ties(designs: Sequence[Design]) -> dict[str, int]:
    """Group by design: the best of those left takes with it all whose throughput its band, or theirs, covers in every cluster."""
    groups: dict[str, int] = {}
    left = sorted(designs, key=lambda design: design.figures["throughput_x_demand"], reverse=True)
    number = 0
    while left:
        number += 1
        lead, rest = left[0].figures, []
        for design in left:
            mine = design.figures
            clusters = [name[: -len(".tokens_per_s")] for name in mine if name.endswith(".tokens_per_s")]
            gaps = [abs(lead[f"{c}.tokens_per_s"] - mine[f"{c}.tokens_per_s"]) for c in clusters]
            rooms = [
                max(f.get(f"{c}.throughput_band", 0.0) for f in (lead, mine))
                * max(f[f"{c}.tokens_per_s"] for f in (lead, mine))
                for c in clusters
            ]
            if all(gap <= room for gap, room in zip(gaps, rooms, strict=True)):
                groups[design.design_id] = number
            else:
                rest.append(design)
        left = rest
    return groups


def bom_rows(designs: Iterable[Design]) -> list[dict[str, Any]]:
    """The rows of ``bom.csv``."""
    return [{"design_id": design.design_id, **asdict(line)} for design in designs for line in design.bom]


def spend_rows(designs: Iterable[Design]) -> list[dict[str, Any]]:
    """The rows of ``spend.csv``."""
    told = ("category", "item", "site", "cluster", "layer", "part", "vendor", "quantity")
    return [
        {
            "design_id": design.design_id,
            **{name: getattr(line, name) for name in told},
            "amount_usd": line.cents / 100,
            "carbon_kg": line.carbon_kg,
        }
        for design in designs
        for line in design.spend
    ]
