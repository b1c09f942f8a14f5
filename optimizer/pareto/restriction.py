"""The program that is left when columns are fixed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from optimizer.compiled_model import CompiledModel, Floats


@dataclass(frozen=True, eq=False, slots=True)
class Rest:
    """``model`` holds the ``kept`` columns; the others stand at ``base``; ``shift`` (k) is what these add to the objectives.

    ``broken``: a row without remaining columns is violated, so there is no legal point.
    """

    model: CompiledModel
    kept: NDArray[np.intp]
    base: Floats
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

    def rest(self, lower: Floats, upper: Floats) -> Rest:
        """The program within ``lower``, ``upper`` (columns), without the columns these fix and the rows that no free column enters."""
        model = self._model
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
        row_lower, row_upper = model.row_lower - moved[: model.n_rows], model.row_upper - moved[: model.n_rows]
        dead = np.ones(model.n_rows, dtype=bool)
        dead[alive] = False
        slack = 1e-6 * (1.0 + np.abs(moved[: model.n_rows]))
        small = CompiledModel(
            name=model.name,
            matrix=sparse.csc_array((data[body], (place[rows[body]], columns[body])), shape=(alive.size, kept.size)),
            row_lower=row_lower[alive],
            row_upper=row_upper[alive],
            lower=lower[kept],
            upper=upper[kept],
            integer=model.integer[kept],
            objectives=model.objectives[:, kept],
            offsets=model.offsets,
            senses=model.senses,
            objective_names=model.objective_names,
            steps=model.steps,
        )
        broken = bool((((row_lower > slack) | (row_upper < -slack)) & dead).any())
        return Rest(small, kept, base, moved[model.n_rows :].tolist(), broken)


def _ramp(lengths: NDArray[np.integer]) -> NDArray[np.integer]:
    """0, 1, ... for each length, end to end."""
    ends = np.cumsum(lengths)
    steps: NDArray[np.integer] = np.arange(int(ends[-1]) if ends.size else 0) - np.repeat(ends - lengths, lengths)
    return steps
