"""The Pareto table of a run as plain rows: units, direction, bound or proof, sources; what every export format writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from optimizer.frontier import Frontier
from optimizer.store import read_frontier, read_manifest

if TYPE_CHECKING:
    import pandas as pd

UNITS = {
    "usd": "USD",
    "kw": "kW",
    "tokens_per_s": "token/s",
    "fraction": "share of one",
    "t": "t",
    "racks": "racks",
    "x_demand": "x demand",
}
PROVEN = "proven nondominated"


@dataclass(frozen=True)
class Column:
    """A column: unit (empty for text), ``direction`` (min, max, or empty where it is no objective), what it means."""

    name: str
    unit: str
    direction: str
    meaning: str


@dataclass(frozen=True)
class ParetoTable:
    """Rows with a value per column (None: absent), bills of material, sources of every part, and what it was computed from."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[Mapping[str, Any], ...]
    bill: tuple[Mapping[str, Any], ...]
    sources: tuple[Mapping[str, Any], ...]
    manifest: tuple[tuple[str, str], ...]
    proof: str

    def to_frame(self) -> pd.DataFrame:
        """The Pareto rows."""
        import pandas as pd

        return pd.DataFrame(list(self.rows), columns=[c.name for c in self.columns])


def table_of_run(folder: Path) -> ParetoTable:
    """The Pareto table of a run folder. UsageError where it holds no frontier."""
    return table_of(read_frontier(folder), read_manifest(folder))


def table_of(frontier: Frontier, manifest: Mapping[str, Any] | None = None) -> ParetoTable:
    """The Pareto table of a frontier; ``manifest`` says what it was computed from, where there is a run."""
    rows = []
    for row, design in zip(frontier.rows(), frontier.points, strict=True):
        proof = "bound on " + ", ".join(design.bounds) if design.bounds else PROVEN
        parts = dict.fromkeys(f"{line.part}: {line.source}" for line in design.bom)
        rows.append({**_spread(row, proof), "sources": " | ".join(parts)})
    names = list(dict.fromkeys(name for row in rows for name in row))
    return ParetoTable(
        title=f"{frontier.instance}: {len(frontier)} designs, {frontier.proof.sentence()}",
        columns=tuple(_column(frontier, name) for name in names),
        rows=tuple(rows),
        bill=tuple(_bill(frontier)),
        sources=tuple(_sources(frontier)),
        manifest=tuple(_flat(manifest or {"instance": frontier.instance, "fingerprint": frontier.fingerprint})),
        proof=frontier.proof.sentence(),
    )


def _spread(row: Mapping[str, Any], proof: str) -> dict[str, Any]:
    """The row with its proof right after the id."""
    return {"design_id": row["design_id"], "proof": proof, **{k: v for k, v in row.items() if k != "design_id"}}


def _column(frontier: Frontier, name: str) -> Column:
    objectives = {o.column: o for o in frontier.objectives}
    base = name
    for suffix in ("_bound", "_low", "_high"):
        base = base.removesuffix(suffix)
    unit = next((text for suffix, text in UNITS.items() if base.endswith(f"_{suffix}")), "")
    if name in objectives:
        found = objectives[name]
        return Column(
            name, unit, "max" if found.maximise else "min", f"{found.title}, in whole {_steps(found.quantum)}"
        )
    if name.endswith("_bound") and base in objectives:
        return Column(name, unit, "", f"certified bound of {base} where its value is not proven, else the value")
    said = {
        "design_id": "hash of the decisions: the same choices have the same id in every run",
        "proof": "whether the row is proven nondominated, or which of its values is bounded only",
        "sources": "where the data of every part of the bill of materials come from",
        "preliminary_parts": "parts that did not ship yet when their source was written",
        "prices": "whether all prices are quotes",
    }
    if name in said:
        return Column(name, "", "", said[name])
    if name != base and unit:
        return Column(name, unit, "", f"{base} at the {name.rpartition('_')[2]} end of the price ranges")
    return Column(name, unit, "", _figure(name) if unit else _choice(name))


_CHOICES = {
    "system": "system the accelerators come in",
    "vendor": "vendor of the system",
    "roles": "role of each pod: prefill, decode, mixed",
    "pods": "number of pods",
    "accelerators": "accelerators, spares not counted",
    "racks": "rack positions taken, switches included",
    "rack": "systems per rack, and the frame",
    "cooling": "how its racks are cooled",
    "fabric": "leaf switch and tiers of the scale-out fabric",
    "oversubscription": "bandwidth down over bandwidth up at the leaf",
    "site": "where it stands",
    "storage": "storage option",
    "air": "option that carries the heat of the room's air",
    "rear_door": "option that carries the heat of rear doors",
    "liquid": "option that carries the heat of the liquid loop",
    "power": "option that powers the hall",
}


def _choice(name: str) -> str:
    about, _, last = name.rpartition(".")
    said = _CHOICES.get(last, "choice")
    return f"{said} ({about})" if about else said


def _figure(name: str) -> str:
    from models.formulation.family import objectives

    title = next((o.title for o in objectives().values() if o.column == name), "figure")
    return f"{title}, recomputed without rounding"


def _steps(quantum: float) -> str:
    return "units" if quantum == 1 else f"steps of {quantum:,.10g}"


def _bill(frontier: Frontier) -> list[dict[str, Any]]:
    return [
        {
            "design_id": design.design_id,
            "cluster": line.cluster,
            "site": line.site,
            "layer": line.layer,
            "part": line.part,
            "vendor": line.vendor,
            "name": line.name,
            "quantity": line.quantity,
            "unit_price_usd_low": line.unit_price_low,
            "unit_price_usd_high": line.unit_price_high,
            "unit_price_usd": line.unit_price,
            "cost_usd": line.cost_usd,
            "price": "estimate" if line.price_is_estimate else "quote",
            "preliminary": "yes" if line.preliminary else "",
            "confidence": line.confidence,
            "unverified_columns": line.unverified.replace(";", " "),
            "source": line.source,
        }
        for design in frontier.points
        for line in design.bom
    ]


def _sources(frontier: Frontier) -> list[dict[str, Any]]:
    used: dict[tuple[str, str, str], dict[str, Any]] = {}
    for design in frontier.points:
        # a part that several quotes sell has a source for each of them
        for key, line in {(line.part, line.vendor, line.source): line for line in design.bom}.items():
            row = used.setdefault(
                key,
                {
                    "part": line.part,
                    "vendor": line.vendor,
                    "layer": line.layer,
                    "designs": 0,
                    "confidence": line.confidence,
                    "price": "estimate" if line.price_is_estimate else "quote",
                    "unverified_columns": line.unverified.replace(";", " "),
                    "source": line.source,
                },
            )
            row["designs"] += 1
    return sorted(used.values(), key=lambda row: (row["layer"], row["part"], row["vendor"], row["source"]))


def _flat(node: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for key, value in node.items():
        if isinstance(value, Mapping):
            found.extend(_flat(value, f"{prefix}{key}."))
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            for number, item in enumerate(value):
                found.extend(_flat(item, f"{prefix}{key}.{number}."))
        else:
            found.append((f"{prefix}{key}", "" if value is None else str(value)))
    return found
