"""The program that is left when columns are fixed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from optimizer.compiled_model import CompiledModel, Floats, exact_rows

FRACTION = 1e-6
"""Violation allowed, per unit of activity, in a row with continuous columns or fractional data."""
EXACT = 1e-6
"""In rows of integer data on integer columns floating point sums are exact; this much is left for a bound such as 2.9999999."""


@dataclass(frozen=True, eq=False, slots=True)
class Rest:
    """``model`` holds the ``kept`` columns and the ``rows`` these enter; the others stand at ``base``; ``shift`` (k) and ``moved`` (rows of
    the whole program) are what these add to the objectives and rows.

    ``broken``: a row without remaining columns is violated, so there is no legal point.
    """

    model: CompiledModel
    kept: NDArray[np.intp]
    rows: NDArray[np.intp]
    base: Floats
    moved: Floats
    shift: list[float]
    broken: bool

    def whole(self, x: Floats) -> Floats:
        """A point of the rest as a point of the full program."""
        full = self.base.copy()
        full[self.kept] = x
        return full


class Restrictor:
    """Cuts one model down, again and again."""

    def __init__(self, model: CompiledModel) -> None:
        self._model = model
        stacked = sparse.csc_array(sparse.vstack([model.matrix, sparse.csc_array(model.objectives)], format="csc"))
        self._start, self._index, self._data = stacked.indptr, stacked.indices, stacked.data
        self._stacked = stacked
        exact = exact_rows(sparse.csr_array(model.matrix), model)
        self._relative = np.where(exact, 0.0, FRACTION)

    def rest(
        self, lower: Floats, upper: Floats, row_lower: Floats | None = None, row_upper: Floats | None = None
    ) -> Rest:
        """The program within ``lower``, ``upper`` (columns) and the row bounds (rows, the model's own when None), without the columns
        these fix and the rows that no free column enters.
        """
        model = self._model
        rows_low = model.row_lower if row_lower is None else row_lower
        rows_high = model.row_upper if row_upper is None else row_upper
        free = upper > lower
        kept = np.flatnonzero(free)
        base = np.where(free, 0.0, lower)
        used = np.flatnonzero(base)
        height = model.n_rows + model.n_objectives
        moved = self._stacked[:, used] @ base[used] if used.size else np.zeros(height)
        lengths = self._start[kept + 1] - self._start[kept]
        entries = np.repeat(self._start[kept], lengths) + _ramp(lengths)
        rows, data = self._index[entries], self._data[entries]
        body = rows < model.n_rows
        alive = np.unique(rows[body])
        place = np.full(height, -1)
        place[alive] = np.arange(alive.size)
        columns = np.repeat(np.arange(kept.size), lengths)
        held = moved[: model.n_rows]
        low, high = rows_low - held, rows_high - held
        dead = np.ones(model.n_rows, dtype=bool)
        dead[alive] = False
        slack = np.maximum(EXACT, self._relative * (1.0 + np.abs(held)))
        small = CompiledModel(
            name=model.name,
            matrix=sparse.csc_array((data[body], (place[rows[body]], columns[body])), shape=(alive.size, kept.size)),
            row_lower=low[alive],
            row_upper=high[alive],
            lower=lower[kept],
            upper=upper[kept],
            integer=model.integer[kept],
            objectives=model.objectives[:, kept],
            offsets=model.offsets,
            senses=model.senses,
            objective_names=model.objective_names,
            steps=model.steps,
        )
        broken = bool((((low > slack) | (high < -slack)) & dead).any())
        return Rest(small, kept, alive.astype(np.intp), base, held, moved[model.n_rows :].tolist(), broken)


def _ramp(lengths: NDArray[np.integer]) -> NDArray[np.integer]:
    """0, 1, ... for each length, end to end."""
    ends = np.cumsum(lengths)
    steps: NDArray[np.integer] = np.arange(int(ends[-1]) if ends.size else 0) - np.repeat(ends - lengths, lengths)
    return steps
