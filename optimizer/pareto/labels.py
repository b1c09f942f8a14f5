"""Every legal point of an integer program, column by column, without those that cannot end on the frontier.

A label is a choice for the first columns: what it puts into the rows, its objective values, and a lower bound of several weighted sums over all
its completions. One label makes another superfluous when it is no worse in every objective and leaves at least as much room in every
row (equal room in equations): dynamic programming as for knapsacks (Nemhauser and Ullmann 1969; for several objectives Bazgan, Hugot
and Vanderpooten 2009). A row that the remaining columns can no longer break counts as empty. All of it is integer arithmetic on
64-bit floats that hold these integers exactly.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from optimizer.backends.integers import LARGEST, scaled_to_integers
from optimizer.compiled_model import CompiledModel, Floats
from optimizer.pareto.corners import Corners
from optimizer.pareto.surrogates import MANY, Surrogates

Whole = NDArray[np.int64]

CHEAP = 4
"""Figures compared up to which finding superfluous labels takes time in proportion to their number; from there on its square."""
IDLE, FEW = 0.95, 500
"""Above this share of labels kept, of this many at least, the search for superfluous ones pauses for some stages."""


class OutOfWorkError(Exception):
    """The agreed amount of work is used up, or time is."""


@dataclass(slots=True)
class Work:
    """Work done, in units of about a second, counted alike on every machine; ``most`` of it is allowed and ``late`` asks the clock."""

    most: float
    late: Callable[[], bool] = lambda: False
    done: float = 0.0

    def spend(self, amount: float) -> None:
        """Count ``amount``; OutOfWorkError when that is more than allowed or it is late."""
        self.done += amount
        if self.done > self.most or self.late():
            raise OutOfWorkError


@dataclass(frozen=True, eq=False, slots=True)
class Stages:
    """A program in the order in which columns are decided: ``order`` (columns), ``base`` their lower bounds (not in that order), ``steps`` how far each
    may rise within its bounds and each row by itself; rows ``room`` (m x columns, at most ``most``), ``sums`` (e x columns, equal to ``totals``), ``costs`` (k x columns), ``start`` (k) the objectives at ``base``.
    """

    order: NDArray[np.intp]
    base: Floats
    steps: Whole
    room: Floats
    most: Floats
    sums: Floats
    totals: Floats
    costs: Floats
    start: Floats

    @classmethod
    def of(cls, model: CompiledModel, lower: Floats, upper: Floats, order: NDArray[np.intp]) -> Stages | None:
        """``model`` (integer columns from ``lower`` to ``upper``, whole objectives) with its columns in ``order``; None where data are no
        integers that add up exactly, or nothing is legal.
        """
        base = np.ceil(lower - 1e-9)
        steps = np.floor(upper + 1e-9) - base
        rows = sparse.csr_array(model.matrix)
        room: list[tuple[Floats, float]] = []
        sums: list[tuple[Floats, float]] = []
        for number in range(model.n_rows):
            values = np.zeros(model.n_columns)
            part = slice(rows.indptr[number], rows.indptr[number + 1])
            scaled = scaled_to_integers(rows.data[part])
            if scaled is None:
                return None
            np.add.at(values, rows.indices[part], scaled[0].astype(np.float64))
            shift = float(values @ base)
            low = np.ceil(model.row_lower[number] * scaled[1] - 1e-6) - shift
            high = np.floor(model.row_upper[number] * scaled[1] + 1e-6) - shift
            if low > high:
                return None
            if low == high:
                sums.append((values, high))
                continue
            room += [(values, high)] if np.isfinite(high) else []
            room += [(-values, -low)] if np.isfinite(low) else []
        taller = np.vstack([*(v for v, _ in (*room, *sums)), model.objectives])
        reach = np.abs(taller) @ np.maximum(np.abs(base), np.abs(base + steps)) + np.abs(taller) @ steps
        if bool((steps < 0).any()) or bool((reach > LARGEST).any()):
            return None
        m, e = len(room), len(sums)
        tops = np.array([b for _, b in (*room, *sums)] + [-b for _, b in sums])
        steps = _within_rows(np.vstack([taller[: m + e], -taller[m : m + e]]), tops, steps)
        if bool((steps < 0).any()):
            return None
        return cls(
            order,
            base,
            steps[order].astype(np.int64),
            taller[:m][:, order],
            np.array([b for _, b in room]),
            taller[m : m + e][:, order],
            np.array([b for _, b in sums]),
            model.objectives[:, order],
            model.objectives @ base,
        )

    def least(self, rows: Floats) -> Floats:
        """The least that columns from each stage on may add to ``rows`` (rows x columns + 1)."""
        each = np.minimum(rows * self.steps, 0.0)
        return np.hstack([np.cumsum(each[:, ::-1], axis=1)[:, ::-1], np.zeros((len(rows), 1))])


def _within_rows(rows: Floats, tops: Floats, steps: Floats) -> Floats:
    """How far columns may rise if rows stay at or below ``tops``, each row by itself, in a few passes."""
    with np.errstate(divide="ignore"):
        inverse = np.where(rows > 0, 1.0 / np.where(rows > 0, rows, 1.0), 0.0)
    for _ in range(3):
        left = tops - np.minimum(rows * steps, 0.0).sum(axis=1)
        limit = np.where(rows > 0, np.floor(left[:, None] * inverse + 1e-9), np.inf)
        tighter = np.minimum(steps, limit.min(axis=0, initial=np.inf))
        if bool((tighter == steps).all()):
            break
        steps = tighter
    return steps


@dataclass(frozen=True, eq=False, slots=True)
class Prices:
    """Lower bounds of weighted sums of the objectives: ``bounds`` (t) over all legal points; ``reduced`` (t x columns, in stage order) what each unit
    of a column adds at least, all together; ``counted`` (t x columns) how much of that, from the stage's base on, the bounds hold already.
    """

    bounds: Floats
    reduced: Floats
    counted: Floats


@dataclass(eq=False, slots=True)
class _Trail:
    """Where labels come from, stage by stage: the parent and how far the stage's column rises."""

    parents: list[NDArray[np.int32]] = field(default_factory=list)
    values: list[NDArray[np.int32]] = field(default_factory=list)

    def columns(self, stages: Stages) -> Floats:
        """The columns (labels x columns) of the labels of the last stage."""
        at: NDArray[np.signedinteger] = np.arange(self.parents[-1].size if self.parents else 1)
        found = np.tile(stages.base, (at.size, 1))
        for stage in range(len(self.parents) - 1, -1, -1):
            found[:, stages.order[stage]] += self.values[stage][at]
            at = self.parents[stage][at]
        return found


@dataclass(frozen=True, eq=False, slots=True)
class Found:
    """Legal points ``x`` (n x columns) with values ``y`` (n x k). ``cut`` estimates how many times as many labels there would have been without
    a limit on their number: one when none was left out, so that nothing is missing.
    """

    x: Floats
    y: Floats
    cut: float


class Labels:
    """One pass over all columns, ``width`` labels at most after each (those with the least bounds of each sum)."""

    def __init__(
        self, stages: Stages, prices: Prices, surrogates: Surrogates, corners: Corners | None, width: int, work: Work
    ) -> None:
        self._stages, self._prices, self._corners, self._work = stages, prices, corners, work
        self._surrogates = surrogates
        surrogates.begin()
        self._m, self._e, self._k = len(stages.most), len(stages.totals), len(stages.costs)
        self._t = len(prices.bounds)
        self._width = width
        self._cut = 1.0
        self._pause = self._rest = 0
        self._room = (stages.least(stages.room), -stages.least(-stages.room))
        self._sums = (stages.least(stages.sums), -stages.least(-stages.sums))
        self._slopes = np.vstack([stages.room, stages.sums, stages.costs, prices.reduced])

    def run(self) -> Found:
        """The points at the end of the pass. OutOfWorkError when that takes too much."""
        stages, trail = self._stages, _Trail()
        labels = np.concatenate([np.zeros(self._m + self._e), stages.start, self._prices.bounds])[None]
        witness = np.zeros(1, dtype=np.intp)
        for stage in range(len(stages.order)):
            labels, parents, values = self._children(labels, stage)
            witness = witness[parents]
            kept = self._useful(labels, witness, stage)
            labels, witness = labels[kept], witness[kept]
            trail.parents.append(parents[kept].astype(np.int32))
            trail.values.append(values[kept].astype(np.int32))
        y = labels[:, self._m + self._e : self._m + self._e + self._k]
        return Found(trail.columns(stages), y, self._cut)

    def _children(self, labels: Floats, stage: int) -> tuple[Floats, NDArray[np.intp], NDArray[np.intp]]:
        """Every label with every value of the stage's column that leaves a legal completion possible by each row alone."""
        m, e = self._m, self._e
        parts, origins, rises = [], [], []
        slope = self._slopes[:, stage]
        shift = np.zeros(slope.size)
        shift[slope.size - self._t :] = -self._prices.counted[:, stage]
        room = self._stages.most - self._room[0][:, stage + 1]
        low = self._stages.totals - self._sums[1][:, stage + 1]
        high = self._stages.totals - self._sums[0][:, stage + 1]
        for value in range(int(self._stages.steps[stage]) + 1):
            rows = labels[:, : m + e] + value * slope[: m + e]
            fits = (rows[:, :m] <= room).all(axis=1) & ((rows[:, m:] >= low) & (rows[:, m:] <= high)).all(axis=1)
            able = np.flatnonzero(fits)
            self._work.spend(1e-9 * len(labels) * (m + e + 10) + 4e-9 * able.size * slope.size)
            parts.append(labels[able] + (value * slope + shift))
            origins.append(able)
            rises.append(np.full(able.size, value))
        grown = np.concatenate(parts)
        slack = self._stages.most - self._room[1][:, stage + 1]
        grown[:, :m] = np.maximum(grown[:, :m], slack)
        return grown, np.concatenate(origins), np.concatenate(rises)

    def _useful(self, labels: Floats, witness: NDArray[np.intp], stage: int) -> NDArray[np.intp]:
        """Positions of the labels that may end on the frontier and are not superfluous beside others; updates ``witness``."""
        kept = np.arange(len(labels))
        bounds = labels[:, labels.shape[1] - self._t :]
        if self._corners is not None and len(labels) > 1:
            kept = kept[self._corners.reachable(bounds, witness, self._work)]
            if kept.size > MANY:
                some = witness[kept]
                left = self._surrogates.reachable(
                    self._corners, labels[kept], bounds[kept], some, stage + 1, self._work
                )
                witness[kept] = some
                kept = kept[left]
        kept = kept[self._undominated(labels[kept])]
        if kept.size > self._width:
            self._cut *= kept.size / self._width
            chosen = np.zeros(kept.size, dtype=bool)
            each = max(1, self._width // self._t)
            for column in range(self._t):
                values = bounds[kept, column]
                chosen[np.argpartition(values, each)[:each]] = True
            kept = kept[chosen]
        return kept

    def _undominated(self, labels: Floats) -> NDArray[np.bool_]:
        """Which labels no other one makes superfluous; where hardly any was lately, all of them for a few stages."""
        import moocore

        if len(labels) < 2 or self._rest > 0:
            self._rest -= 1
            return np.ones(len(labels), dtype=bool)
        m, e = self._m, self._e
        parts = [labels[:, :m], labels[:, m + e : m + e + self._k]]
        parts += [same for state in [_states(labels[:, m : m + e])] if state is not None for same in (state, -state)]
        compared = np.hstack(parts)
        compared = compared[:, np.ptp(compared, axis=0) > 0]
        if not compared.shape[1]:
            return np.asarray(np.arange(len(labels)) == 0, dtype=bool)
        self._work.spend(_filtering(len(labels), compared.shape[1]))
        good: NDArray[np.bool_] = np.asarray(moocore.is_nondominated(np.ascontiguousarray(compared)), dtype=bool)
        idle = compared.shape[1] > CHEAP and len(labels) > FEW and float(good.mean()) > IDLE
        self._pause = min(2 * self._pause + 1, 7) if idle else 0
        self._rest = self._pause
        return good


def _filtering(n: int, dimensions: int) -> float:
    """Work of finding the nondominated ones of ``n`` labels: see ``CHEAP``."""
    if dimensions <= CHEAP:
        return n * (5e-7 if dimensions <= 3 else 2e-6)
    each = 3e-11 if dimensions == 5 else 1e-10 if dimensions <= 16 else 7e-10
    return 1e-6 * n + each * dimensions * n * n


def _states(rows: Floats) -> Floats | None:
    """A number (n x 1) for each distinct row, or None where all are alike."""
    rows = rows[:, np.ptp(rows, axis=0) > 0]
    if not rows.shape[1]:
        return None
    low = rows.min(axis=0)
    sizes = rows.max(axis=0) - low + 1.0
    if float(np.log2(sizes).sum()) < 52:
        places = np.concatenate([[1.0], np.cumprod(sizes)[:-1]])
        return np.asarray(((rows - low) @ places)[:, None], dtype=np.float64)
    _, numbers = np.unique(rows, axis=0, return_inverse=True)
    return np.asarray(numbers, dtype=np.float64).reshape(-1, 1)
