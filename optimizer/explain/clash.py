"""Which limits clash when no design meets all of them, and the best each could reach with the others kept.

A deletion filter over named limits: drop a limit, ask the solver whether the rest is still infeasible; what cannot be dropped
clashes. The set is irreducible, since every member's removal was proven to restore feasibility or was not decided (said so).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.errors import Problem
from models.formulation.build import Formulation, build
from models.formulation.core import Row
from models.formulation.family import families
from optimizer.backends import backend_class
from optimizer.backends.features import choose
from optimizer.backends.protocol import Proof, SolverOptions
from optimizer.compile import compile_formulation
from optimizer.compiled_model import CompiledModel, Floats


@dataclass(frozen=True)
class Reach:
    """A limit of a conflict: what it asks and the best value possible while the other limits are kept (None: none)."""

    row: Row
    limit: float
    best: float | None
    certified: bool


def limit_rows(formulation: Formulation) -> list[Row]:
    """Rows that hold a limit somebody stated: those of families, without the program's own logic."""
    names = {family.name for family in families()}
    return [row for row in formulation.rows if row.family in names and not row.what.endswith(("_units", "_open"))]


def conflict(formulation: Formulation) -> list[Reach]:
    """An irreducible set of clashing limits with the best reachable value of each."""
    goals = [goal.name for goal in formulation.goals]
    relaxed = build(formulation.instance, goals, formulation.candidates, relaxable=True)
    model = compile_formulation(relaxed)
    rows = [row for row in relaxed.rows if row.name in {r.name for r in limit_rows(relaxed)}]
    asking = _Asking(model, rows)
    kept = list(range(len(rows)))
    for number in list(kept):
        trial = [n for n in kept if n != number]
        if asking.feasible(trial) is False:
            kept = trial
    return [asking.reach(number, [n for n in kept if n != number]) for number in kept]


class _Asking:
    """One hot solver; limits are switched by their row bounds."""

    def __init__(self, model: CompiledModel, rows: Sequence[Row]) -> None:
        self._model = model
        self._rows = rows
        self._places = [_row_of(model, row) for row in rows]
        self._backend = backend_class(choose(model))(model, SolverOptions())

    def _bounds(self, kept: Sequence[int]) -> tuple[Floats, Floats]:
        lower, upper = self._model.row_lower.copy(), self._model.row_upper.copy()
        for number, place in enumerate(self._places):
            if place is not None and number not in kept:
                lower[place], upper[place] = -np.inf, np.inf
        return lower, upper

    def feasible(self, kept: Sequence[int]) -> bool | None:
        """Whether the program with only these limits has a point; None when undecided."""
        lower, upper = self._bounds(kept)
        found = self._backend.solve(cost=np.zeros(self._model.n_columns), row_lower=lower, row_upper=upper)
        if found.proof is Proof.INFEASIBLE:
            return False
        return True if found.has_point else None

    def reach(self, number: int, others: Sequence[int]) -> Reach:
        """The best value of a limit's left-hand side while the others are kept."""
        row, place = self._rows[number], self._places[number]
        upper_limit = row.upper is not None
        limit = row.upper if row.upper is not None else (row.lower or 0.0)
        if place is None:
            return Reach(row, limit, 0.0, True)
        lower, upper = self._bounds(others)
        cost = np.asarray(self._model.matrix[[place], :].toarray()).reshape(-1)
        found = self._backend.solve(cost=cost if upper_limit else -cost, row_lower=lower, row_upper=upper)
        if found.x is None:
            return Reach(row, limit, None, found.proof is Proof.INFEASIBLE)
        return Reach(row, limit, float(cost @ found.x), found.proof is Proof.OPTIMAL)


def _row_of(model: CompiledModel, row: Row) -> int | None:
    name = row.name if row.index else f"{row.family}.{row.what}[all]"
    return model.row_keys.index(name) if name in model.row_keys else None


def clashing_limits(formulation: Formulation) -> list[Problem]:
    """The conflict as problems: address of each limit, what it asks, and the best reachable value."""
    instance = formulation.instance
    found = []
    for reach in conflict(formulation):
        asked = "at most" if reach.row.upper is not None else "at least"
        best = "nothing" if reach.best is None else f"{reach.best:,.6g} {reach.row.unit}"
        certified = "" if reach.certified else " (not proven)"
        found.append(
            Problem(
                "limit-clash",
                instance.origin(reach.row.source),
                f"{reach.row.source} asks {asked} {reach.limit:,.6g} {reach.row.unit} ({reach.row.name})",
                hint=f"best reachable with the other limits kept: {best}{certified}",
            )
        )
    return found
