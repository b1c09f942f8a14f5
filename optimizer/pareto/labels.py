"""Every legal point of an integer program, column by column, without those that cannot end on the frontier.

A label is a choice for the first columns: what it puts into the rows, its objective values, and a lower bound of several weighted sums over all
its completions. One label makes another superfluous when it is no worse in every objective and leaves at least as much room in every
row (equal room in equations): dynamic programming as for knapsacks (Nemhauser and Ullmann 1969; for several objectives Bazgan, Hugot
and Vanderpooten 2009). A row that the remaining columns can no longer break counts as empty. All of it is integer arithmetic on
64-bit floats that hold these integers exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from optimizer.backends.integers import LARGEST
from optimizer.compiled_model import Floats
from optimizer.pareto.corners import Corners
from optimizer.pareto.stages import Stages
from optimizer.pareto.surrogates import Surrogates

CHEAP = 4
"""Figures compared up to which finding superfluous labels takes time in proportion to their number; from there on its square."""
IDLE, FEW = 0.95, 500
"""Above this share of labels kept, of this many at least, the search for superfluous ones pauses for some stages."""
AT_ONCE = 32_768
"""Labels that are judged at once, so that memory goes into those that are kept."""


_Part = tuple[Floats, NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]
"""Labels, where each comes from, the value of the stage's column, and a corner that it may reach below."""


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
            labels, parents, values, witness = self._children(labels, witness, stage)
            kept = self._useful(labels, witness, stage)
            labels, witness = labels[kept], witness[kept]
            trail.parents.append(parents[kept].astype(np.int32))
            trail.values.append(values[kept].astype(np.int32))
        y = labels[:, self._m + self._e : self._m + self._e + self._k]
        return Found(trail.columns(stages), y, self._cut)

    def _children(
        self, labels: Floats, witness: NDArray[np.intp], stage: int
    ) -> tuple[Floats, NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
        """Every label with every value of the stage's column that leaves a legal completion possible by each row alone, and room below a corner; its
        parent, that value, and such a corner.
        """
        m, e = self._m, self._e
        slope = self._slopes[:, stage]
        shift = np.zeros(slope.size)
        shift[slope.size - self._t :] = -self._prices.counted[:, stage]
        room = self._stages.most - self._room[0][:, stage + 1]
        low = self._stages.totals - self._sums[1][:, stage + 1]
        high = self._stages.totals - self._sums[0][:, stage + 1]
        slack = self._stages.most - self._room[1][:, stage + 1]
        judged, waiting, size = [], [], 0
        for value in range(int(self._stages.steps[stage]) + 1):
            rows = labels[:, : m + e] + value * slope[: m + e]
            fits = (rows[:, :m] <= room).all(axis=1) & ((rows[:, m:] >= low) & (rows[:, m:] <= high)).all(axis=1)
            every = np.flatnonzero(fits)
            self._work.spend(1e-9 * len(labels) * (m + e + 10) + 4e-9 * every.size * slope.size)
            for at in range(0, every.size, AT_ONCE):
                able = every[at : at + AT_ONCE]
                grown = labels[able] + (value * slope + shift)
                grown[:, :m] = np.maximum(grown[:, :m], slack)
                waiting.append((grown, able, np.full(able.size, value), witness[able]))
                size += able.size
                if size >= AT_ONCE:
                    judged.append(self._reachable(_joined(waiting)))
                    waiting, size = [], 0
        if waiting:
            judged.append(self._reachable(_joined(waiting)))
        if not judged:
            none = np.empty(0, dtype=np.intp)
            return labels[:0], none, none, none
        return _joined(judged)

    def _reachable(self, part: _Part) -> _Part:
        """Those of some labels that may reach below a corner."""
        labels, parents, values, witness = part
        if self._corners is None:
            return part
        kept = self._corners.reachable(labels[:, labels.shape[1] - self._t :], witness, self._work)
        return labels[kept], parents[kept], values[kept], witness[kept]

    def _useful(self, labels: Floats, witness: NDArray[np.intp], stage: int) -> NDArray[np.intp]:
        """Positions of the labels that may end on the frontier and are not superfluous beside others; updates ``witness``."""
        bounds = labels[:, labels.shape[1] - self._t :]
        kept = np.arange(len(labels))
        if self._corners is not None:
            kept = self._surrogates.reachable(self._corners, labels, bounds, witness, stage + 1, self._work)
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
        compared = np.hstack([labels[:, :m], labels[:, m + e : m + e + self._k]])
        compared = _apart(compared[:, np.ptp(compared, axis=0) > 0], labels[:, m : m + e])
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


def _apart(compared: Floats, states: Floats) -> Floats:
    """``compared`` (n x figures), changed so that no label dominates one of another state (n x equations); within a state nothing changes.

    One figure rises and another falls from state to state by more than labels differ in them.
    """
    if compared.shape[1] < 2:
        compared = np.hstack([compared, np.zeros((len(compared), 2 - compared.shape[1]))])
    states = states[:, np.ptp(states, axis=0) > 0]
    if not states.shape[1]:
        return compared
    numbers = _numbers(states)
    first, second = (compared[:, at] - compared[:, at].min() for at in (0, 1))
    apart = max(float(first.max()), float(second.max())) + 1.0
    if apart * (float(numbers.max()) + 1.0) >= LARGEST:
        return np.hstack([compared, numbers[:, None], -numbers[:, None]])
    return np.column_stack([first + apart * numbers, second - apart * numbers, compared[:, 2:]])


def _numbers(rows: Floats) -> Floats:
    """A whole number (n) for each distinct row, from zero on."""
    low = rows.min(axis=0)
    sizes = rows.max(axis=0) - low + 1.0
    if float(np.log2(sizes).sum()) < 52:
        places = np.concatenate([[1.0], np.cumprod(sizes)[:-1]])
        _, numbers = np.unique((rows - low) @ places, return_inverse=True)
    else:
        _, numbers = np.unique(rows, axis=0, return_inverse=True)
    return np.asarray(numbers.reshape(-1), dtype=np.float64)


def _joined(parts: Sequence[_Part]) -> _Part:
    labels, parents, values, witness = zip(*parts, strict=True)
    return np.concatenate(labels), np.concatenate(parents), np.concatenate(values), np.concatenate(witness)
