"""A frontier: the designs, what is proven about them, and tables. Immutable."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from optimizer.design import Design, behind_throughput
from optimizer.pareto.result import FrontierStatus, ParetoResult
from optimizer.shown_units import shown_error
from optimizer.ties import bands, tie_groups

if TYPE_CHECKING:
    import pandas as pd

STANDARD_FIGURES = (
    "tco_usd",
    "capex_usd",
    "opex_usd",
    "throughput_tokens_per_s",
    "power_kw",
    "goodput_fraction",
    "carbon_t",
    "floor_racks",
)


@dataclass(frozen=True, slots=True)
class ObjectiveColumn:
    """An objective as tables show it: name, column, whether larger is better, and what one quantum is worth in the column."""

    name: str
    column: str
    maximise: bool
    quantum: float
    title: str


@dataclass(frozen=True)
class Proof:
    """What is certified: every legal design is matched in all objectives by a listed one within ``error`` (column -> amount).

    ``zones`` of objective space were closed by proof, ``open_zones`` were not. ``hypervolume_share`` is a certified lower
    bound of the listed designs' share of the true hypervolume, None where nothing is certified yet. ``cross_check`` says what
    a second solver confirmed, where it was asked to.
    """

    status: FrontierStatus
    error: Mapping[str, float | None]
    zones: int
    open_zones: int
    hypervolume_share: float | None
    algorithm: str
    backend: str
    cross_check: str | None = None

    def sentence(self) -> str:
        """The proof in one sentence."""
        if self.status is FrontierStatus.COMPLETE:
            exact = all(value in (0, 0.0) for value in self.error.values())
            return (
                "complete and exact" if exact else f"complete: no design beats this list by more than {self.amounts()}"
            )
        if self.status is FrontierStatus.INFEASIBLE:
            return "proven infeasible"
        share = (
            ""
            if self.hypervolume_share is None
            else f"; at least {self.hypervolume_share:.1%} of the hypervolume is listed"
        )
        zones = "1 zone is" if self.open_zones == 1 else f"{self.open_zones:,} zones are"
        known = bool(self.error) and None not in self.error.values()
        error = f"; no design beats this list by more than {self.amounts()}" if known else ""
        return f"partial: {zones} open{share}{error}"

    def amounts(self) -> str:
        """The certified error of each objective in words."""
        return ", ".join(
            f"{column} not certified" if value is None else shown_error(column, value)
            for column, value in self.error.items()
        )


@dataclass(frozen=True)
class Frontier:
    """Designs in order of the first objective, and their proof."""

    instance: str
    fingerprint: str
    objectives: tuple[ObjectiveColumn, ...]
    points: tuple[Design, ...]
    proof: Proof
    solves: int
    seconds: float
    run: str | None = None
    price_basis: str = ""
    estimated_prices: bool = True

    @property
    def status(self) -> FrontierStatus:
        """Derived from the ledger of zones."""
        return self.proof.status

    def __len__(self) -> int:
        return len(self.points)

    def __getitem__(self, design_id: str) -> Design:
        """The design with this id, or whose id begins so; KeyError when there is none or several."""
        found = [d for d in self.points if d.design_id.startswith(design_id)]
        if len(found) != 1:
            raise KeyError(f"{len(found)} designs have an id that begins with {design_id!r}")
        return found[0]

    @cached_property
    def designs(self) -> pd.DataFrame:
        """One row per design: id, objectives with bounds where not proven, price band, other figures, readable choices, ties."""
        import pandas as pd

        return pd.DataFrame(self.rows())

    def rows(self) -> list[dict[str, Any]]:
        """The table as plain rows."""
        shown = [o.column for o in self.objectives]
        bounded = [c for c in shown if any(c in d.bounds for d in self.points)]
        keys = list(dict.fromkeys(key for d in self.points for key in d.choices))
        table = []
        words = [behind_throughput(d.pods) for d in self.points]
        told = list(dict.fromkeys(key for behind in words for key in behind))
        for d, group, behind in zip(self.points, tie_groups(self.points), words, strict=True):
            row: dict[str, Any] = {"design_id": d.design_id}
            for column in shown:
                row[column] = tidy(d.objectives[column])
                if column in bounded:
                    row[f"{column}_bound"] = tidy(d.bounds.get(column, d.objectives[column]))
            row["tco_usd_low"], row["tco_usd_high"] = (
                round(d.figures["tco_usd_low"], 2),
                round(d.figures["tco_usd_high"], 2),
            )
            for name in STANDARD_FIGURES:
                if name not in row:
                    row[name] = float(f"{d.figures[name]:.12g}")
            row.update({key: d.choices.get(key) for key in keys})
            row.update({key: behind.get(key) for key in told})
            if group is not None:
                row.update({f"{c}.throughput_band": float(f"{b:.12g}") for c, b in bands(d).items()})
                row["tie"] = group
            row["preliminary_parts"] = " ".join(d.preliminary)
            row["prices"] = "estimates" if any(line.price_is_estimate for line in d.bom) else "quotes"
            table.append(row)
        return table

    def to_xlsx(self, path: str | Path) -> Path:
        """The Pareto table as a workbook; where the designs come from a run folder, its manifest is the last sheet."""
        from optimizer.export.pareto_table import table_of
        from optimizer.export.writing import write
        from optimizer.store import read_manifest

        return write(table_of(self, read_manifest(Path(self.run)) if self.run else None), "xlsx", path)

    def plot(self, x: str | None = None, y: str | None = None) -> Any:
        """A scatter of the designs (plotly); ``x`` and ``y`` name objectives, the third is the size of the marks."""
        from optimizer.plots.frontier import frontier_points, plot_frontier

        return plot_frontier(frontier_points(self), x, y, f"{self.instance}: {self.proof.sentence()}")

    def _repr_html_(self) -> str:
        caption = html.escape(f"{self.instance}: {len(self)} designs, {self.proof.sentence()}")
        return f"<p>{caption}</p>{self.designs.head(12).to_html(index=False)}" if self.points else f"<p>{caption}</p>"


def tidy(value: float) -> float | int:
    """Whole numbers as integers, others without binary noise."""
    rounded = float(f"{value:.12g}")
    return int(rounded) if rounded.is_integer() else rounded


def proof_of(result: ParetoResult, objectives: tuple[ObjectiveColumn, ...]) -> Proof:
    """The proof behind an engine result, in table units."""
    error: dict[str, float | None] = {}
    for objective, amount in zip(objectives, result.error, strict=True):
        error[objective.column] = None if amount == float("inf") else tidy(amount * objective.quantum)
    volume = result.hypervolume
    closed = sum(1 for zone in result.ledger if zone.closed.proven)
    return Proof(
        status=result.status,
        error=error,
        zones=closed,
        open_zones=len(result.ledger) - closed,
        hypervolume_share=None if volume is None else float(volume.share),
        algorithm=result.algorithm,
        backend=result.backend,
    )
