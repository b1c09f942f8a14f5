"""Columns that decide about many others, and the programs that are left once they are decided.

Where rows close other columns as soon as a binary column s stands at its lower end (x <= s for whatever is served from s), the linear relaxation
is weak as long as s is open, and nearly tight once it is decided. Prices under each objective alone leave few of these columns open
within a zone; every way to decide the open ones that these prices allow is then a small program of its own, with bounds of its own.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from optimizer.compiled_model import CompiledModel, Floats
from optimizer.pareto.pricing import ROUNDING, Indices, Priced
from optimizer.pareto.scenarios import exactly_one_groups, fixed_by_rows

FEWEST_CLOSED = 2
"""Columns that one must close by itself to count."""
MOST_SHARE = 0.25
"""Of all columns, the share that may decide; where more do, none decides about many."""
LEAST_SHARE = 0.5
"""Of the other columns, the share that they must close together."""
MOST_WAYS = 256
"""Ways to decide the open ones up to which each is a program of its own."""
MOST_ROWS = 20_000
"""Rows of two columns that are written down at most."""


class Switches:
    """The deciding ``columns`` of ``model``; none where it has no such structure."""

    def __init__(self, model: CompiledModel) -> None:
        self._model = model
        closed = _closed_by(model)
        deciding = np.diff(closed.indptr) >= FEWEST_CLOSED
        reached = np.zeros(model.n_columns, dtype=bool)
        reached[closed[np.flatnonzero(deciding)].indices] = True
        others = model.n_columns - int(deciding.sum())
        fits = 0 < deciding.sum() <= MOST_SHARE * model.n_columns
        fits = fits and int((reached & ~deciding).sum()) >= LEAST_SHARE * others
        self.columns: Indices = np.flatnonzero(deciding) if fits else np.empty(0, dtype=np.intp)
        self._closed = closed

    def sharpened(self) -> CompiledModel:
        """The model with a row  x <= its upper bound * s  for each column x that a switch s closes, the columns of an exactly-one group together in one,
        unless it has that row: its relaxation then knows what a sum of many x against one s hides.
        """
        model = self._model
        pairs = sparse.csr_array(self._closed[self.columns]).tocoo()
        switch, column = self.columns[pairs.row], pairs.col.astype(np.intp)
        new = ~np.isin(switch * model.n_columns + column, _written(model))
        switch, column = switch[new], column[new]
        part_of = np.arange(model.n_columns)
        for group in exactly_one_groups(model):
            part_of[list(group)] = group[0]
        each, row = np.unique(switch * model.n_columns + part_of[column], return_inverse=True)
        if not 0 < each.size <= MOST_ROWS:
            return model
        shape = (each.size, model.n_columns)
        closed = sparse.csr_array((np.ones(column.size), (row, column)), shape=shape)
        first = np.flatnonzero(np.diff(row[np.argsort(row, kind="stable")], prepend=-1))
        most = model.upper[column[np.argsort(row, kind="stable")[first]]]
        own = sparse.csr_array((most, (np.arange(each.size), each // model.n_columns)), shape=shape)
        return dataclasses.replace(
            model,
            matrix=sparse.csc_array(sparse.vstack([model.matrix, closed - own], format="csc")),
            row_lower=np.concatenate([model.row_lower, np.full(each.size, -np.inf)]),
            row_upper=np.concatenate([model.row_upper, np.zeros(each.size)]),
            row_keys=(),
        )

    def __bool__(self) -> bool:
        """True where there are some."""
        return bool(self.columns.size)

    def open_ones(self, low: Floats, high: Floats) -> int:
        """How many are not decided."""
        return int((high > low)[self.columns].sum())

    def narrowed(self, low: Floats, high: Floats) -> tuple[bool, Floats, Floats]:
        """``low`` and ``high`` (columns) with everything fixed that some row leaves no room to move; false where nothing legal is left."""
        changed = True
        while changed:
            possible, low, high, changed = fixed_by_rows(self._model, low, high)
            if not possible:
                return False, low, high
        return True, low, high

    def ways(self, parts: list[Priced], tops: list[float], low: Floats, high: Floats) -> NDArray[np.bool_] | None:
        """Every way (ways x columns) to decide all switches that ``parts``, prices of one objective each, allow below ``tops``; None where
        these are more than ``MOST_WAYS``.
        """
        bounds = np.array([[part.bound for part in parts]])
        room = np.array(tops) + ROUNDING * (np.abs(tops) + np.abs(bounds[0])) + 1e-9
        made = np.empty((1, 0), dtype=bool)
        for column in self.columns:
            grown = []
            for value in (False, True):
                if not low[column] <= float(value) <= high[column]:
                    continue
                prices = [part.up[column] if value else part.down[column] for part in parts]
                grown.append((np.full(len(made), value), bounds + np.array(prices)))
            chosen = np.concatenate([way for way, _ in grown])
            made = np.column_stack([np.tile(made, (len(grown), 1)), chosen])
            bounds = np.vstack([bound for _, bound in grown])
            able = (bounds <= room).all(axis=1)
            made, bounds = made[able], bounds[able]
            if len(made) > MOST_WAYS:
                return None
        return made


def _closed_by(model: CompiledModel) -> sparse.csr_array:
    """Which columns (columns x columns) leave no room for which others when they stand at zero: those that alone give room in some row."""
    rows = sparse.csr_array(model.matrix)
    owner = np.repeat(np.arange(model.n_rows), np.diff(rows.indptr))
    columns, n = rows.indices, model.n_columns
    binary = model.integer & (model.lower == 0.0) & (model.upper == 1.0)
    bounded = model.integer & (model.lower == 0.0) & (model.upper > 0.0) & np.isfinite(model.upper)
    found = sparse.csr_array((n, n), dtype=bool)
    for values, most in ((rows.data, model.row_upper), (-rows.data, -model.row_lower)):
        least = np.where(values > 0, values * model.lower[columns], values * model.upper[columns])
        room = most - np.bincount(owner, least, minlength=model.n_rows)
        gives = least < 0
        alone = np.bincount(owner, gives, minlength=model.n_rows) == 1
        giver = gives & binary[columns] & alone[owner] & np.isfinite(room)[owner]
        left = np.full(model.n_rows, np.inf)
        left[owner[giver]] = room[owner[giver]] + values[giver]
        stuck = (values > left[owner] + 1e-9 * (1.0 + np.abs(room[owner]))) & bounded[columns]
        helping = sparse.csr_array((giver[giver], (columns[giver], owner[giver])), shape=(n, model.n_rows))
        closed = sparse.csr_array((stuck[stuck], (owner[stuck], columns[stuck])), shape=(model.n_rows, n))
        found = found + (helping @ closed)
    return sparse.csr_array(found)


def _written(model: CompiledModel) -> Indices:
    """Pairs (switch * columns + column) that stand in a row of their own, with coefficients that let its relaxation say as much."""
    rows = sparse.csr_array(model.matrix)
    two = np.flatnonzero(np.diff(rows.indptr) == 2)
    first, second = rows.indptr[two], rows.indptr[two] + 1
    found = [np.empty(0, dtype=np.intp)]
    for a, b in ((first, second), (second, first)):
        x, s = rows.indices[a].astype(np.intp), rows.indices[b]
        side = np.where(rows.data[a] > 0, model.row_upper[two], model.row_lower[two])
        sharp = (rows.data[a] * model.upper[x] == -rows.data[b]) & (side == 0.0)
        found.append((s * model.n_columns + x)[sharp])
    return np.concatenate(found)
