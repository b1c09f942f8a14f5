"""Which limits clash when no design meets all of them, and the best each could reach with the others kept.

A deletion filter over named limits: drop a limit, ask whether the rest is still infeasible, and keep it dropped if so. What
remains clashes, and each of its members is needed for that: the set is irreducible wherever every answer was proven.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.candidates.placement import enumerate_candidates
from models.errors import Problem
from models.formulation.build import Formulation, build
from models.formulation.core import Row
from models.formulation.family import families
from models.instance import Instance
from optimizer.compile import compile_formulation, with_cost
from optimizer.compiled_model import CompiledModel, Floats
from optimizer.performance_cache import PerformanceCache
from optimizer.sensitivity.effort import Effort
from optimizer.sensitivity.journal import Solved


@dataclass(frozen=True)
class Reach:
    """A limit of a conflict: what it asks and the best value possible while the other limits are kept (None: none)."""

    row: Row
    limit: float
    best: float | None
    certified: bool

    @property
    def impossible(self) -> bool:
        """True when the other limits are proven to clash without this one."""
        return self.best is None and self.certified


def limit_rows(formulation: Formulation) -> list[Row]:
    """Rows that hold a limit somebody stated: those of families with an address, without the program's own logic."""
    names = {family.name for family in families()}
    return [
        row
        for row in formulation.rows
        if row.family in names and row.source and (row.family == "rules" or not row.what.endswith(("_units", "_open")))
    ]


def conflict(instance: Instance) -> list[Reach]:
    """An irreducible set of clashing limits with the best reachable value of each."""
    relaxed = build(
        instance, (), enumerate_candidates(without_site_limits(instance), PerformanceCache()), relaxable=True
    )
    model = compile_formulation(relaxed)
    rows = limit_rows(relaxed)
    asking = _Asking(model, rows)
    kept = list(range(len(rows)))
    for number in list(kept):
        trial = [n for n in kept if n != number]
        if asking.reach(number, trial).impossible:
            kept = trial
    return [asking.reach(number, [n for n in kept if n != number]) for number in kept]


def without_site_limits(instance: Instance) -> Instance:
    """The instance with unlimited utilities and rack positions, so that no candidate is left out for these."""
    sites = {name: site.without_size() for name, site in instance.sites.items()}
    return dataclasses.replace(instance, document=instance.document.model_copy(update={"sites": sites}))


class _Asking:
    """Single-objective questions to the engine; limits are switched by their row bounds."""

    def __init__(self, model: CompiledModel, rows: Sequence[Row]) -> None:
        self._model = model
        self._rows = rows
        self._places = [_row_of(model, row) for row in rows]
        self._effort = Effort()

    def _solve(self, cost: Floats, kept: Sequence[int]) -> Solved | None:
        lower, upper = self._model.row_lower.copy(), self._model.row_upper.copy()
        for number, place in enumerate(self._places):
            if place is not None and number not in kept:
                lower[place], upper[place] = -np.inf, np.inf
        return self._effort.least(with_cost(self._model, cost, lower, upper))

    def reach(self, number: int, others: Sequence[int]) -> Reach:
        """The best value of a limit's left-hand side while the others are kept; asking for it also tells whether they clash."""
        row, place = self._rows[number], self._places[number]
        limit = row.upper if row.upper is not None else (row.lower or 0.0)
        if any(self._places[n] is None and not _empty_holds(self._rows[n]) for n in others):
            return Reach(row, limit, None, True)
        coefficients = np.zeros(self._model.n_columns)
        if place is not None:
            coefficients = np.asarray(self._model.matrix[[place], :].toarray(), dtype=np.float64).reshape(-1)
        found = self._solve(coefficients if row.upper is not None else -coefficients, others)
        if found is None or found.x is None:
            return Reach(row, limit, None, found is not None)
        return Reach(row, limit, float(coefficients @ found.point(self._model.n_columns)), found.proven)


def _row_of(model: CompiledModel, row: Row) -> int | None:
    name = row.name if row.index else f"{row.family}.{row.what}[all]"
    return model.row_keys.index(name) if name in model.row_keys else None


def _empty_holds(row: Row) -> bool:
    return (row.lower is None or row.lower <= 0) and (row.upper is None or row.upper >= 0)


def clashing_limits(instance: Instance) -> list[Problem]:
    """The conflict as problems: address of each limit, what it asks, and the best reachable value."""
    found = []
    for reach in conflict(instance):
        asked = "at most" if reach.row.upper is not None else "at least"
        asked = "exactly" if reach.row.lower == reach.row.upper else asked
        best = "nothing" if reach.best is None else f"{reach.best:,.7g} {reach.row.unit}"
        certified = "" if reach.certified else " (not proven)"
        found.append(
            Problem(
                "limit-clash",
                instance.origin(reach.row.source),
                f"{reach.row.source} asks {asked} {reach.limit:,.7g} {reach.row.unit} ({reach.row.name})",
                hint=f"best reachable with the other limits kept: {best}{certified}",
            )
        )
    return found
