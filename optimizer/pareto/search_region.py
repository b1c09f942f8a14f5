"""The search region as a set of local upper bounds, each with the points that define it.

A value vector v is still uncovered (no listed point is <= v) exactly when v < u for some local upper bound u. A new point z splits
every u with z < u into at most k children (u with component j lowered to z_j); a child is redundant, and never created, unless z_j exceeds component j of
some defining point of every other component (Klamroth, Lacour, Vanderpooten 2015, update by redundancy avoidance, points in arbitrary position).

Corners lie in columns, so that a point is compared with all of them at once. A component mostly has one defining point; where several
share it, the list of them is kept beside the least of each of their components, which is all that the test for redundancy asks for.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.compiled_model import Floats
from optimizer.pareto.query import Point

Defining = list[list[Point]]
"""Of each component the points that have it equal to the corner's."""
FIRST_SIZE = 64


@dataclass(frozen=True, slots=True)
class Zone:
    """A local upper bound ``upper`` (k, inf for none) and its number."""

    upper: Point
    key: int


class SearchRegion:
    """Open zones in the order in which they were created. Removal of a zone is final: the caller records why."""

    def __init__(self, k: int) -> None:
        self._k = k
        self._uppers: Floats = np.empty((k, FIRST_SIZE))
        self._keys = np.empty(FIRST_SIZE, dtype=np.int64)
        self._rows = np.empty(FIRST_SIZE, dtype=np.intp)
        self._used = self._gone = self._next = self._seen = 0
        # a row for each zone, used again when the zone is gone: far larger than a corner, so these never move
        self._least: Floats = np.empty((FIRST_SIZE, k, k))
        self._free = list(range(FIRST_SIZE))
        self._ties: dict[int, Defining] = {}
        self._append(np.full((1, k), math.inf), np.full((1, k, k), -math.inf), {})

    def __len__(self) -> int:
        return self._used - self._gone

    def __contains__(self, key: int) -> bool:
        slot = int(np.searchsorted(self._keys[: self._used], key))
        return slot < self._used and bool(self._keys[slot] == key and self._uppers[0, slot] > -math.inf)

    @property
    def uppers(self) -> Floats:
        """Corners of the open zones (m x k), in the order of ``keys``; a view, until the region changes."""
        self._tidy()
        return self._uppers[:, : self._used].T

    @property
    def keys(self) -> NDArray[np.int64]:
        """Number of each open zone, in the order of ``uppers``; a view, until the region changes."""
        self._tidy()
        return self._keys[: self._used]

    def zone(self, key: int) -> Zone:
        """The open zone ``key``. KeyError when there is none."""
        if key not in self:
            raise KeyError(key)
        slot = np.searchsorted(self._keys[: self._used], key)
        return Zone(tuple(self._uppers[:, slot].tolist()), int(key))

    def holds(self, point: Point) -> bool:
        """Whether ``point`` lies strictly below an open corner."""
        below = np.ones(self._used, dtype=bool)
        for value, tops in zip(point, self._uppers, strict=True):
            below &= value < tops[: self._used]
        return bool(below.any())

    def unseen(self) -> NDArray[np.int64]:
        """Numbers of the open zones created since this was last asked."""
        keys = self.keys
        first = int(np.searchsorted(keys, self._seen))
        self._seen = self._next
        return keys[first:].copy()

    def add(self, z: Point) -> None:
        """Split by the new point ``z``."""
        point = np.array(z, dtype=np.float64)
        held = np.ones(self._used, dtype=bool)
        for value, tops in zip(z, self._uppers, strict=True):
            held &= value <= tops[: self._used]
        slots = np.flatnonzero(held)
        equal = self._uppers[:, slots] == point[:, None]
        touched = equal.sum(axis=0)
        for at in np.flatnonzero(touched == 1).tolist():
            self._touch(int(slots[at]), int(np.argmax(equal[:, at])), z)
        inside = slots[touched == 0]
        if inside.size:
            self._split(inside, z, point)

    def remove(self, keys: Iterable[int]) -> None:
        """Forget these zones."""
        self._drop(np.searchsorted(self._keys[: self._used], np.unique(np.array(list(keys), dtype=np.int64))))

    def below(self, upper: Floats) -> NDArray[np.intp]:
        """Positions of open zones contained in the region below ``upper`` (k)."""
        self._tidy()
        inside = np.ones(self._used, dtype=bool)
        for value, tops in zip(upper.tolist(), self._uppers, strict=True):
            if value < math.inf:
                inside &= tops[: self._used] <= value
        return np.flatnonzero(inside)

    def _touch(self, slot: int, j: int, z: Point) -> None:
        """Count ``z`` among the points that define component ``j`` of a zone."""
        key, row = int(self._keys[slot]), self._rows[slot]
        if key not in self._ties:
            self._ties[key] = [[tuple(p)] if p[0] > -math.inf else [] for p in self._least[row].tolist()]
        self._ties[key][j].append(z)
        self._least[row, j] = np.minimum(self._least[row, j], z)

    def _split(self, parents: NDArray[np.intp], z: Point, point: Floats) -> None:
        """Replace the zones at these positions, all of which hold ``z``."""
        least = self._least[self._rows[parents]]
        others = least.copy()
        others[:, range(self._k), range(self._k)] = -math.inf
        which, component = np.nonzero(point > others.max(axis=1))
        children = np.arange(which.size)
        uppers = self._uppers[:, parents[which]].T.copy()
        uppers[children, component] = point[component]
        made = least[which]
        made[children, component] = point
        ties: dict[int, Defining] = {}
        if self._ties:
            keys = self._keys[parents[which]].tolist()
            for child, (key, j) in enumerate(zip(keys, component.tolist(), strict=True)):
                if key in self._ties:
                    defining = [[p for p in points if p[j] < z[j]] for points in self._ties[key]]
                    defining[j] = [z]
                    made[child] = [np.min(p, axis=0) if p else (-math.inf,) * self._k for p in defining]
                    if any(len(points) > 1 for points in defining):
                        ties[child] = defining
        self._drop(parents)
        self._append(uppers, made, ties)

    def _drop(self, slots: NDArray[np.intp]) -> None:
        """Forget the zones at these positions; the others keep theirs until they are asked for."""
        self._free += self._rows[slots].tolist()
        if self._ties:
            for key in self._keys[slots].tolist():
                self._ties.pop(key, None)
        # nothing lies below such a corner
        self._uppers[:, slots] = -math.inf
        self._gone += slots.size

    def _append(self, uppers: Floats, least: Floats, ties: Mapping[int, Defining]) -> None:
        """Add zones: corners (n x k), the least components of the points that define each (n x k x k), and lists of those that share one."""
        n = len(uppers)
        if self._used + n > self._keys.size:
            self._tidy()
            if 2 * (self._used + n) > self._keys.size:
                self._grow(max(n, self._keys.size))
        if n > len(self._free):
            more = max(n, len(self._least))
            self._free += range(len(self._least), len(self._least) + more)
            self._least = np.vstack([self._least, np.empty((more, self._k, self._k))])
        new = slice(self._used, self._used + n)
        rows = self._free[len(self._free) - n :]
        del self._free[len(self._free) - n :]
        self._uppers[:, new] = uppers.T
        self._keys[new] = range(self._next, self._next + n)
        self._rows[new] = rows
        self._least[rows] = least
        for child, defining in ties.items():
            self._ties[self._next + child] = defining
        self._used += n
        self._next += n

    def _grow(self, more: int) -> None:
        self._uppers = np.hstack([self._uppers, np.empty((self._k, more))])
        self._keys = np.append(self._keys, np.empty(more, dtype=np.int64))
        self._rows = np.append(self._rows, np.empty(more, dtype=np.intp))

    def _tidy(self) -> None:
        """Close the gaps that removed zones left."""
        if not self._gone:
            return
        kept = self._uppers[0, : self._used] > -math.inf
        first = int(np.argmin(kept))
        slots = first + np.flatnonzero(kept[first:])
        end = first + slots.size
        for values in (*self._uppers, self._keys, self._rows):
            values[first:end] = values[slots]
        self._used, self._gone = end, 0
