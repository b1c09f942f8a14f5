"""Racks hung one by one on the blocks of rings, as ``models.candidates.block_rings`` proves that they find a place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.candidates.block_rings import Floats, RackKind, Ring, Shared, full_ring
from models.physics.power_redundancy import failover_coefficients
from models.site import Topology

Key = tuple[str, ...]
Hung = dict[tuple[int, Key], int]
"""Racks of a ring by group and kind."""


@dataclass(frozen=True)
class Division:
    """Rings full of racks of one load [kW], node racks of each load beside them, and rings shared one way or another."""

    full: Mapping[int, int]
    rest: Mapping[int, int]
    shared: Mapping[Shared, int]


class _Sharing:
    """A shared ring while racks are hung on it."""

    def __init__(self, ring: Ring, way: Shared) -> None:
        self._ring, self.way = ring, way
        self._weights = failover_coefficients(ring.groups)
        self._loads: Floats = np.zeros(len(ring.groups.first))
        self._refused: int | None = None
        self.hung: Hung = {}

    def take(self, kind: RackKind, small: bool) -> bool:
        """Hangs a rack on the least loaded group that has room, or says that it has none."""
        if self._refused is not None and kind.load >= self._refused:
            return False
        total = int(self._loads.sum()) + kind.load
        full = self.way.level and not small and total > self.way.large + self.way.largest
        group = None if full or kind.load > self.way.largest else self._room(kind.load)
        if group is None:
            if small:  # a large one may be refused for what is kept for small ones
                self._refused = kind.load
            return False
        self._loads[group] += kind.load
        self.hung[group, kind.key] = self.hung.get((group, kind.key), 0) + 1
        return True

    def _room(self, load: int) -> int | None:
        """The first group of a block redundant ring, the least loaded of any other."""
        in_order = self._ring.topology is Topology.BLOCK_REDUNDANT
        turn = np.arange(len(self._loads)) if in_order else np.argsort(self._loads, kind="stable")
        for group in turn:
            more = self._loads.copy()
            more[group] += load
            if (self._weights @ more).max() <= self._ring.capacity + 1e-9:
                return int(group)
        return None


def hang(ring: Ring, kinds: Sequence[RackKind], division: Division) -> list[Hung]:
    """Every rack on a group of some ring of ``division``; ValueError where one finds no place."""
    order = sorted((kind for kind in kinds if kind.racks), key=lambda kind: (-kind.load, kind.key))
    rings: list[Hung] = []
    beside: list[RackKind] = []
    places = _full_places(ring, division, rings)
    for kind in (one for one in order if not one.small for _ in range(one.racks)):
        place = next(places, None)
        if place is None:
            beside.append(kind)
        else:
            number, group = place
            rings[number][group, kind.key] = rings[number].get((group, kind.key), 0) + 1
    beside += [one for one in order if one.small for _ in range(one.racks)]
    sharing = [_Sharing(ring, way) for way, count in sorted_ways(division) for _ in range(count)]
    for kind in sorted(beside, key=lambda kind: (-kind.load, kind.key)):
        small = kind.load <= ring.largest_small
        if not any(one.take(kind, small) for one in sharing):
            raise ValueError(f"no place for a rack of {kind.load} kW: the rings are too few")
    return rings + [one.hung for one in sharing]


def sorted_ways(division: Division) -> list[tuple[Shared, int]]:
    """Ways of sharing, those that take the largest racks first."""
    return sorted(division.shared.items(), key=lambda one: (-one[0].largest, one[0].level))


def _full_places(ring: Ring, division: Division, rings: list[Hung]) -> Iterator[tuple[int, int] | None]:
    """Places for node racks in falling order: ring and group in full rings, which are added to ``rings``; None beside them."""
    for load in sorted(division.full, reverse=True):
        for _ in range(division.full[load]):
            rings.append({})
            number = len(rings) - 1
            for group, racks in full_ring(ring, load).items():
                for _ in range(racks):
                    yield number, group
        for _ in range(division.rest[load]):
            yield None
