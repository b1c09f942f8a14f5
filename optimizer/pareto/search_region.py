"""The search region as a set of local upper bounds, each with the points that define it.

A value vector v is still uncovered (no listed point is <= v) exactly when v < u for some local upper bound u. A new point z splits
every u with z < u into at most k children (u with component j lowered to z_j); a child is redundant, and never created, unless z_j exceeds component j of
some defining point of every other component (Klamroth, Lacour, Vanderpooten 2015, update by redundancy avoidance, points in arbitrary position).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimizer.compiled_model import Floats
from optimizer.pareto.query import Point


@dataclass(slots=True)
class Zone:
    """A local upper bound ``upper`` (k, inf for none) with its defining points: ``defining[i]`` have component i equal to ``upper[i]``."""

    upper: Point
    defining: list[list[Point]]
    key: int


class SearchRegion:
    """Open zones. Removal of a zone is final: the caller records why."""

    def __init__(self, k: int) -> None:
        self._k = k
        self._zones: dict[int, Zone] = {}
        self._slots: list[int] = []
        self._uppers: Floats = np.empty((64, k))
        self._next = 0
        self._insert((math.inf,) * k, [[] for _ in range(k)])

    def __len__(self) -> int:
        return len(self._slots)

    def __contains__(self, key: int) -> bool:
        return key in self._zones

    @property
    def uppers(self) -> Floats:
        """Corners of the open zones (m x k), in the order of ``keys``."""
        return self._uppers[: len(self._slots)]

    @property
    def keys(self) -> list[int]:
        """Identity of each open zone, in the order of ``uppers``."""
        return self._slots

    def zone(self, key: int) -> Zone:
        """The open zone ``key``."""
        return self._zones[key]

    def add(self, z: Point) -> list[Zone]:
        """Split by the new point ``z``; the created zones."""
        point = np.array(z)
        uppers = self.uppers
        inside = np.flatnonzero((point < uppers).all(axis=1))
        self._note_touching(z, point, uppers)
        parents = [self._zones[self._slots[slot]] for slot in inside]
        children: list[tuple[Point, list[list[Point]]]] = []
        for parent in parents:
            children += [self._child(parent, j, z) for j in range(self._k) if z[j] > self._floor(parent, j)]
        self.remove(parent.key for parent in parents)
        return [self._insert(upper, defining) for upper, defining in children]

    def remove(self, keys: Iterable[int]) -> None:
        """Forget these zones."""
        gone = set(keys)
        if not gone:
            return
        kept = [slot for slot, key in enumerate(self._slots) if key not in gone]
        self._uppers[: len(kept)] = self._uppers[kept]
        self._slots = [self._slots[slot] for slot in kept]
        for key in gone:
            del self._zones[key]

    def below(self, upper: Floats) -> NDArray[np.intp]:
        """Positions of open zones contained in the region below ``upper`` (k)."""
        return np.flatnonzero((self.uppers <= upper).all(axis=1))

    def _note_touching(self, z: Point, point: Floats, uppers: Floats) -> None:
        equal = point == uppers
        less = point < uppers
        for slot in np.flatnonzero((equal.sum(axis=1) == 1) & (less.sum(axis=1) == self._k - 1)):
            j = int(np.flatnonzero(equal[slot])[0])
            self._zones[self._slots[slot]].defining[j].append(z)

    def _floor(self, zone: Zone, j: int) -> float:
        """Largest over i != j of the smallest component j among the defining points of i; no points count as always smaller."""
        return max(min((p[j] for p in zone.defining[i]), default=-math.inf) for i in range(self._k) if i != j)

    def _child(self, parent: Zone, j: int, z: Point) -> tuple[Point, list[list[Point]]]:
        upper = (*parent.upper[:j], z[j], *parent.upper[j + 1 :])
        defining = [[p for p in points if p[j] < z[j]] for points in parent.defining]
        defining[j] = [z]
        return upper, defining

    def _insert(self, upper: Point, defining: list[list[Point]]) -> Zone:
        zone = Zone(upper, defining, self._next)
        self._next += 1
        if len(self._slots) == self._uppers.shape[0]:
            self._uppers = np.vstack([self._uppers, np.empty_like(self._uppers)])
        self._uppers[len(self._slots)] = upper
        self._slots.append(zone.key)
        self._zones[zone.key] = zone
        return zone
