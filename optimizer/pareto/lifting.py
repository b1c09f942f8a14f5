"""Rows made sharper by an exactly-one group, option by option.

Where equality rows make a column v a function of the group (v = sum_p value[p] use[p]), a row  a u + sum_v c_v v + sum_p c_p use[p] >= r
with one further integer column u says for each option p alone that u >= ceil((r - value) / a) =: q[p]. So  u >= sum_p q[p] use[p]
holds for every legal point, and the relaxation sees the rounding. An option whose q[p] exceeds the bound of u, or that breaks a row by
itself, is impossible. (A Chvatal-Gomory rounding lifted over the group.)
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from optimizer.compiled_model import CompiledModel, Floats
from optimizer.pareto.pricing import Indices

MOST_ROWS = 100
"""Rows added per group at most; each has an entry per option."""
MOST_OTHERS = 40
"""Columns outside the group up to which a row is looked at."""
_MARGIN = 1e-7


class Lifting:
    """Sharpens ``model`` by one exactly-one ``group`` of its columns. ``impossible`` marks options (group) no legal point can take."""

    def __init__(self, model: CompiledModel, group: Indices) -> None:
        self._model = model
        self._group = group
        self._place = np.full(model.n_columns, -1)
        self._place[group] = np.arange(group.size)
        self._rows = sparse.csr_array(model.matrix)
        self._values: dict[int, Floats] = {}
        self.impossible = np.zeros(group.size, dtype=bool)
        self._new: list[tuple[int, Floats, float]] = []
        self._define()
        self._lift()

    def result(self) -> CompiledModel:
        """The model with the sharper rows added and impossible options fixed at zero."""
        model = self._model
        upper = model.upper.copy()
        upper[self._group[self.impossible]] = 0.0
        extra = []
        for column, least, side in self._new:
            row = np.zeros(model.n_columns)
            row[self._group] = -side * least
            row[column] = side
            extra.append(sparse.csr_array(row.reshape(1, -1)))
        if not extra:
            return dataclasses.replace(model, upper=upper)
        count = len(extra)
        return dataclasses.replace(
            model,
            matrix=sparse.csc_array(sparse.vstack([model.matrix, *extra], format="csc")),
            row_lower=np.concatenate([model.row_lower, np.zeros(count)]),
            row_upper=np.concatenate([model.row_upper, np.full(count, math.inf)]),
            upper=upper,
            row_keys=(),
        )

    def _entries(self, row: int) -> tuple[Indices, Floats]:
        part = slice(self._rows.indptr[row], self._rows.indptr[row + 1])
        return np.asarray(self._rows.indices[part], dtype=np.intp), np.asarray(self._rows.data[part], dtype=np.float64)

    def _known(self, columns: Indices, values: Floats) -> tuple[list[tuple[int, float]], Floats]:
        """Columns of a row that the group does not determine, and the activity of the rest for each option (group)."""
        places = self._place[columns]
        activity = np.zeros(self._group.size)
        inside = places >= 0
        activity[places[inside]] = values[inside]
        unknown = []
        for column, value in zip(columns[~inside].tolist(), values[~inside].tolist(), strict=True):
            if column in self._values:
                activity += value * self._values[column]
            elif self._model.lower[column] == self._model.upper[column]:
                activity += value * float(self._model.lower[column])
            else:
                unknown.append((column, value))
        return unknown, activity

    def _count(self, which: NDArray[np.bool_]) -> Indices:
        """How many of the columns that are ``which`` (columns) each row has."""
        owner = np.repeat(np.arange(self._model.n_rows), np.diff(self._rows.indptr))
        return np.bincount(owner[which[self._rows.indices]], minlength=self._model.n_rows)

    def _define(self, passes: int = 4) -> None:
        """Columns that equality rows make functions of the group."""
        model = self._model
        others = self._count(self._place < 0)
        equal = np.flatnonzero((model.row_lower == model.row_upper) & (others > 0) & (others <= MOST_OTHERS)).tolist()
        for _ in range(passes):
            before = len(self._values)
            for row in equal:
                unknown, activity = self._known(*self._entries(row))
                if len(unknown) == 1:
                    column, value = unknown[0]
                    self._values[column] = (float(model.row_lower[row]) - activity) / value
            if len(self._values) == before:
                return

    def _lift(self) -> None:
        model = self._model
        for column, values in self._values.items():
            slack = _MARGIN * (1.0 + np.abs(values))
            self.impossible |= (values < model.lower[column] - slack) | (values > model.upper[column] + slack)
        determined = self._place >= 0
        determined[list(self._values)] = True
        few = self._count(self._place < 0) <= MOST_OTHERS
        for row in np.flatnonzero(few & (self._count(determined) > 0)).tolist():
            unknown, activity = self._known(*self._entries(row))
            slack = _MARGIN * (1.0 + np.abs(activity))
            if not unknown:
                self.impossible |= (activity > model.row_upper[row] + slack) | (activity < model.row_lower[row] - slack)
            elif len(unknown) == 1 and model.integer[unknown[0][0]]:
                self._round(*unknown[0], model.row_lower[row] - activity, model.row_upper[row] - activity)

    def _round(self, column: int, value: float, low: Floats, high: Floats) -> None:
        """From ``low <= value * u <= high`` for each option (group): whole limits of the integer column u."""
        least, most = (low / value, high / value) if value > 0 else (high / value, low / value)
        bottom, top = float(self._model.lower[column]), float(self._model.upper[column])
        for limits, side in ((least, 1.0), (most, -1.0)):
            if not bool(np.isfinite(limits).all()):
                continue
            margin = _MARGIN * (1.0 + np.abs(limits))
            beyond = limits < bottom - margin if side > 0 else limits > top + margin
            sharper = bool((beyond | (np.abs(limits - np.round(limits)) > margin)).any())
            if side > 0:
                whole = np.maximum(np.ceil(limits - margin), bottom if math.isfinite(bottom) else -math.inf)
                self.impossible |= whole > top + _MARGIN
                useful = bool((whole > bottom + _MARGIN).any())
            else:
                whole = np.minimum(np.floor(limits + margin), top if math.isfinite(top) else math.inf)
                self.impossible |= whole < bottom - _MARGIN
                useful = bool((whole < top - _MARGIN).any())
            if useful and sharper and len(self._new) < MOST_ROWS and bool(np.isfinite(whole).all()):
                self._new.append((column, whole, side))
