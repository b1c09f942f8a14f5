"""Prunes placements that cannot be chosen, or that another one replaces without loss, and keeps the reason.

*Impossible*: the column alone breaks a row whatever else is chosen.
*Dominated*: placement a prunes b of the same cluster when exchanging b for a keeps every row satisfied and worsens no objective:
a is no worse in every objective, no larger in every <= row, no smaller in every >= row, equal in every equation. The
coefficients of this very program decide, so whatever a rule, tier or option can tell apart is never pruned away. Rows that no
choice can break tell nothing apart. Ties go to the first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import moocore
import numpy as np
import numpy.typing as npt

from models.formulation.core import Row
from models.formulation.family import Direction
from models.formulation.linear import Block, Linear

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FIRST_RUN = 2048
"""Columns that are compared with one another first."""
STRETCH = 4096
"""Columns whose criteria are brought side by side at a time."""


@dataclass(frozen=True)
class Pruning:
    """What became of a cluster's columns (positions over its blocks, one after the other).

    ``kept``; ``broken_row`` (columns): index into ``rows`` of the row a column breaks alone, -1 for none; ``costs``
    (columns x criteria, smaller is better) and ``classes`` (only equal classes compare).
    """

    blocks: tuple[str, ...]
    starts: tuple[int, ...]
    kept: Ints
    broken_row: Ints
    rows: tuple[str, ...]
    costs: Floats
    classes: Ints

    def column(self, block: str, position: int) -> int:
        """Column number of a position within a block."""
        return self.starts[self.blocks.index(block)] + position

    def place(self, column: int) -> tuple[str, int]:
        """Block and position of a column number."""
        number = int(np.searchsorted(np.asarray(self.starts), column, side="right")) - 1
        return self.blocks[number], column - self.starts[number]

    def dominator(self, column: int) -> int | None:
        """The kept column that replaces ``column``; None when it is kept itself or breaks a row alone."""
        if self.broken_row[column] >= 0 or np.any(self.kept == column):
            return None
        rivals = self.kept[self.classes[self.kept] == self.classes[column]]
        better = np.flatnonzero((self.costs[rivals] <= self.costs[column]).all(axis=1))
        return int(rivals[better[0]])

    def kept_in(self, block: str) -> Ints:
        """Kept positions within one block."""
        number = self.blocks.index(block)
        start = self.starts[number]
        end = self.starts[number + 1] if number + 1 < len(self.starts) else len(self.costs)
        return self.kept[(self.kept >= start) & (self.kept < end)] - start


@dataclass(frozen=True)
class Group:
    """Blocks of one cluster, of whose columns ``total`` at most are chosen together (exactly one where ``exact``)."""

    blocks: tuple[str, ...]
    total: float
    exact: bool


def prune(
    group: Group,
    others: Sequence[Group],
    blocks: Mapping[str, Block],
    rows: Sequence[Row],
    goals: Sequence[tuple[Linear, Direction]],
    relaxable: bool = False,
) -> Pruning:
    """Columns of one cluster that are possible and that no other replaces.

    ``relaxable``: limits may change later, so every row tells columns apart and none makes a column impossible.
    """
    read = _Read.of(group, others, blocks, rows, goals, relaxable)
    matrix = _distinct_columns(read.costs, read.columns)
    classes = _classes(read.equal, read.columns)
    alive = np.flatnonzero(read.broken < 0)
    parts = [_nondominated(matrix, alive[classes[alive] == c]) for c in np.unique(classes[alive])]
    kept = np.sort(np.concatenate(parts)) if parts else np.zeros(0, dtype=np.int64)
    return Pruning(group.blocks, read.starts, kept, read.broken, tuple(r.name for r in rows), matrix, classes)


def worth_joining(
    group: Group, blocks: Mapping[str, Block], rows: Sequence[Row], goals: Sequence[tuple[Linear, Direction]]
) -> Ints:
    """Of some of a cluster's columns those without which pruning all of them would end otherwise; the rest may be dropped.

    ``blocks`` and ``rows`` are of a program of these columns alone. Dropped is a column that an earlier one of them equals or
    dominates in every goal and every row, whether or not the row can be broken: pruning all would drop it as well, as what it
    replaces the earlier one replaces, and as ties go to the first. Kept beside are, of every row, the first columns with the largest
    coefficient, of all and of those possible: they decide which rows tell columns apart, and how much other clusters leave.
    """
    read = _Read.of(group, (), blocks, rows, goals, False)
    order = np.arange(read.columns, dtype=np.float64)
    matrix = _distinct_columns([*read.costs, *read.idle, order], read.columns)
    classes = _classes(read.equal, read.columns)
    every = np.arange(read.columns)
    parts = [_nondominated(matrix, every[classes == c]) for c in np.unique(classes)]
    return np.unique(np.concatenate([*parts, np.array(read.extremes, dtype=np.int64)]))


def _side(row: Row) -> tuple[float, float] | None:
    """``(sign, limit)`` of a row read as ``sign * row <= limit``; None where it is bounded on both sides."""
    if row.upper is None:
        assert row.lower is not None
        return -1.0, -row.lower
    return (1.0, row.upper) if row.lower is None else None


def broken_by_absence(row: Row, group: Group, blocks: Mapping[str, Block]) -> bool:
    """Whether a column of a cluster, the only one, breaks a row alone that it has no coefficient in."""
    side = _side(row)
    if side is None:
        return False
    sign, limit = side
    least, _ = _activity(row.expression, sign, group, (), blocks)
    return bool(least > limit + 1e-9 * max(1.0, abs(limit)))


@dataclass(frozen=True)
class _Read:
    """What pruning reads of a program: coefficients by column of the group, one array for each criterion.

    ``costs`` of goals and of rows that some choice can break; ``idle`` of rows that none can; ``equal`` of equations; ``broken`` the
    row each column breaks alone, -1 for none; ``extremes`` columns with the largest coefficient of some row.
    """

    starts: tuple[int, ...]
    columns: int
    costs: list[Floats]
    idle: list[Floats]
    equal: list[Floats]
    broken: Ints
    extremes: list[int]

    @staticmethod
    def of(
        group: Group,
        others: Sequence[Group],
        blocks: Mapping[str, Block],
        rows: Sequence[Row],
        goals: Sequence[tuple[Linear, Direction]],
        relaxable: bool,
    ) -> _Read:
        """Reads goals, then rows in order: a row that a column breaks alone counts before later rows are looked at."""
        lengths = [len(blocks[name]) for name in group.blocks]
        starts = tuple(int(s) for s in np.concatenate([[0], np.cumsum(lengths)[:-1]]))
        read = _Read(starts, int(sum(lengths)), [], [], [], np.full(int(sum(lengths)), -1, dtype=np.int64), [])

        def column_of(expression: Linear) -> Floats | None:
            if not read.columns or not any(name in expression.terms for name in group.blocks):
                return None
            parts = [expression.terms.get(name, np.zeros(n)) for name, n in zip(group.blocks, lengths, strict=True)]
            return parts[0] if len(parts) == 1 else np.concatenate(parts)

        for expression, direction in goals:
            values = column_of(expression)
            if values is not None:
                read.costs.append(values if direction is Direction.MINIMISE else -values)
        for number, row in enumerate(rows):
            values = column_of(row.expression)
            if values is not None:
                read._row(number, row, values, _Around(group, others, blocks, relaxable))
        return read

    def _row(self, number: int, row: Row, values: Floats, around: _Around) -> None:
        side = _side(row)
        if side is None:
            self.equal.append(values)
            return
        sign, limit = side
        values = values if sign > 0 else -values
        least, most = _activity(row.expression, sign, around.group, around.others, around.blocks)
        if around.group.exact and not around.relaxable:
            breaks = (values + least > limit + 1e-9 * max(1.0, abs(limit))) & (self.broken < 0)
            self.broken[breaks] = number
        if around.group.exact:
            possible = self.broken < 0
            highest = values.max(initial=-np.inf, where=possible) if possible.any() else 0.0
            self.extremes.append(int(np.argmax(np.where(possible, values, -np.inf))))
        else:
            highest = max(values.max(), 0.0) * around.group.total
        self.extremes.append(int(np.argmax(values)))
        (self.costs if around.relaxable or highest + most > limit else self.idle).append(values)


@dataclass(frozen=True)
class _Around:
    """The program a row stands in, and whether its limit may change."""

    group: Group
    others: Sequence[Group]
    blocks: Mapping[str, Block]
    relaxable: bool


def _activity(
    expression: Linear, sign: float, group: Group, others: Sequence[Group], blocks: Mapping[str, Block]
) -> tuple[float, float]:
    """Least and most that everything outside ``group`` can contribute to ``sign * expression``."""
    least = most = 0.0
    grouped: set[str] = set(group.blocks)
    for other in others:
        grouped.update(other.blocks)
        present = [sign * expression.terms[name] for name in other.blocks if name in expression.terms]
        if present:
            # absent blocks contribute zero, as does choosing nothing where the group is not exact
            low = min(float(v.min()) for v in present)
            high = max(float(v.max()) for v in present)
            covers = other.exact and len(present) == len(other.blocks)
            least += (low if covers else min(low, 0.0)) * other.total
            most += (high if covers else max(high, 0.0)) * other.total
    for name, terms in expression.terms.items():
        if name in grouped:
            continue
        block, values = blocks[name], sign * terms
        upper = np.inf if block.upper is None else block.upper
        with np.errstate(invalid="ignore"):
            ends = np.stack(
                [np.where(values == 0, 0.0, values * block.lower), np.where(values == 0, 0.0, values * upper)]
            )
        least += float(ends.min(axis=0).sum())
        most += float(ends.max(axis=0).sum())
    return least, most


def _distinct_columns(costs: list[Floats], total: int) -> Floats:
    """Criteria side by side, without constant and repeated ones, which cannot tell columns apart."""
    informative: list[Floats] = []
    for values in costs:
        if len(values) and np.ptp(values) > 0 and not any(np.array_equal(values, known) for known in informative):
            informative.append(values)
    if not informative:
        return np.zeros((total, 1))
    return _side_by_side(informative)


def _side_by_side(columns: list[Floats]) -> Floats:
    """Columns next to one another (rows x columns), a stretch of rows at a time: all at once would leave the cache at every entry."""
    found = np.empty((len(columns[0]), len(columns)))
    for start in range(0, len(found), STRETCH):
        rows = slice(start, start + STRETCH)
        for number, values in enumerate(columns):
            found[rows, number] = values[rows]
    return found


def _classes(equal: list[Floats], total: int) -> Ints:
    """Columns with the same coefficient in every equation share a number."""
    telling = [values for values in equal if len(values) and np.ptp(values) > 0]
    if not telling:
        return np.zeros(total, dtype=np.int64)
    _, inverse = np.unique(np.stack(telling, axis=1), axis=0, return_inverse=True)
    return np.asarray(inverse, dtype=np.int64).reshape(-1)


def _nondominated(matrix: Floats, members: Ints) -> Ints:
    """Members that no other dominates; of equal ones the first.

    Short runs of neighbours compare first, then longer runs of what is left, at last all with all: dominance is transitive, so
    whoever is beaten early is beaten by somebody who is kept, and most work is done on few.
    """
    left, run = members, FIRST_RUN
    while len(left):
        filtered = [_filter(matrix, left[start : start + run]) for start in range(0, len(left), run)]
        whole = run >= len(left)
        left = np.concatenate(filtered)
        if whole:
            break
        run *= 4
    return left


def _filter(matrix: Floats, members: Ints) -> Ints:
    if len(members) < 2:
        return members
    found = moocore.is_nondominated(np.ascontiguousarray(matrix[members]), keep_weakly=False)
    return np.asarray(members[np.asarray(found, dtype=np.bool_)], dtype=np.int64)
