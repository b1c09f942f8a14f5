"""One question to a solver, prepared the same way for all of them: costs per column, bounds with the model's own filled in."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from optimizer.compiled_model import CompiledModel, Floats

if TYPE_CHECKING:
    from collections.abc import Callable

    from optimizer.backends.protocol import SolveLimits, SolveResult


@dataclass(frozen=True, eq=False, slots=True)
class Question:
    """``cost`` (columns) is minimised, ``offset`` added to its value; ``tops`` (k) bound the objectives without their offsets; bounds of columns
    and rows are complete, ``columns_edited`` and ``rows_edited`` tell whether they differ from the model's own.
    """

    cost: Floats
    offset: float
    tops: Floats
    lower: Floats
    upper: Floats
    row_lower: Floats
    row_upper: Floats
    columns_edited: bool
    rows_edited: bool

    @classmethod
    def of(
        cls,
        model: CompiledModel,
        weights: Sequence[float] | None = None,
        cost: Floats | None = None,
        objective_upper: Sequence[float] | None = None,
        lower: Floats | None = None,
        upper: Floats | None = None,
        row_lower: Floats | None = None,
        row_upper: Floats | None = None,
    ) -> Question:
        """The arguments of ``Backend.solve``, completed."""
        vector, offset = priced(model, weights, cost)
        tops = np.full(model.n_objectives, math.inf)
        if objective_upper is not None:
            tops = np.asarray(objective_upper, dtype=np.float64) - model.offsets
        return cls(
            vector,
            offset,
            tops,
            _own(model.lower, lower),
            _own(model.upper, upper),
            _own(model.row_lower, row_lower),
            _own(model.row_upper, row_upper),
            lower is not None or upper is not None,
            row_lower is not None or row_upper is not None,
        )


def priced(model: CompiledModel, weights: Sequence[float] | None, cost: Floats | None) -> tuple[Floats, float]:
    """Cost per column and the constant that ``weights`` or ``cost`` (neither: nothing is minimised) amount to."""
    if weights is not None:
        return np.asarray(weights, dtype=np.float64) @ model.objectives, float(np.dot(weights, model.offsets))
    return np.zeros(model.n_columns) if cost is None else np.asarray(cost, dtype=np.float64), 0.0


def _own(own: Floats, edited: Floats | None) -> Floats:
    return own if edited is None else np.asarray(edited, dtype=np.float64)


def union(model: CompiledModel, boxes: Floats) -> CompiledModel:
    """``model`` within the union of ``boxes`` (m x k, finite) as one program with m more columns, the model's own first.

    Sharp form: ``f_i <= sum_j boxes[j, i] b_j`` with exactly one ``b_j``, no big constant.
    """
    m, k, n = int(boxes.shape[0]), model.n_objectives, model.n_columns
    link = sparse.hstack(
        [sparse.csc_array(model.objectives), sparse.csc_array(-(boxes - model.offsets).T)], format="csc"
    )
    one = sparse.csc_array((np.ones(m), (np.zeros(m, dtype=int), np.arange(m) + n)), shape=(1, n + m))
    base = sparse.hstack([model.matrix, sparse.csc_array((model.n_rows, m))], format="csc")
    return dataclasses.replace(
        model,
        matrix=sparse.csc_array(sparse.vstack([base, link, one], format="csc")),
        row_lower=np.concatenate([model.row_lower, np.full(k, -math.inf), [1.0]]),
        row_upper=np.concatenate([model.row_upper, np.zeros(k), [1.0]]),
        lower=np.concatenate([model.lower, np.zeros(m)]),
        upper=np.concatenate([model.upper, np.ones(m)]),
        integer=np.concatenate([model.integer, np.ones(m, dtype=bool)]),
        objectives=np.hstack([model.objectives, np.zeros((k, m))]),
        row_keys=(),
        column_keys=(),
        choice_groups=(),
    )


def solve_union(
    solve: Callable[..., SolveResult],
    model: CompiledModel,
    boxes: Floats,
    weights: Sequence[float],
    step: float,
    limits: SolveLimits,
) -> SolveResult:
    """``Backend.solve_any_of`` for solvers without a disjunction of their own: ``solve(program, ...)`` answers for the union as one program."""
    found = solve(union(model, boxes), weights=weights, step=step, limits=limits)
    return found if found.x is None else dataclasses.replace(found, x=found.x[: model.n_columns])
