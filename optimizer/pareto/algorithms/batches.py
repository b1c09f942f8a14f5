"""Disjunctive batches: one program over many zones at once, so that closing them costs few solves.

The largest zones first. A batch of m zones asks for the legal point of least normalised sum in their union: it is nondominated,
because whatever dominates it would lie in the same zone with a smaller sum; an infeasible batch closes all m zones with one proof. m
starts at one and grows eightfold with every infeasible batch.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from optimizer.pareto.query import Answer, Outcome, Point, Query
from optimizer.pareto.result import Closure
from optimizer.pareto.search_region import SearchRegion, Zone
from optimizer.pareto.space import Algorithm, Rounds, Space, largest_first

GROWTH = 8
LARGEST_BATCH = 64


class Batches:
    """Fewest solves, and early points spread over the frontier; meant for five objectives and more, or costly solves."""

    name: ClassVar[str] = "batches"

    def __init__(self, space: Space) -> None:
        self._space = space
        self._region = SearchRegion(space.k)
        self._size = 1

    def rounds(self) -> Rounds:
        """See ``Algorithm``."""
        for point in sorted(self._space.points):
            self._region.add(point)
        self._drop_empty()
        while len(self._region):
            groups = self._choose()
            answers = yield [Query(tuple(z.upper for z in group)) for group in groups]
            for group, answer in zip(groups, answers, strict=True):
                self._digest(group, answer)
            self._drop_empty()

    def unfinished(self) -> list[Point]:
        """See ``Algorithm``."""
        return [tuple(u) for u in self._region.uppers.tolist()]

    def _choose(self) -> list[list[Zone]]:
        """The largest zones by normalised volume, dealt out in groups of the present size."""
        region = self._region
        edges = self._space.extents(region.uppers)
        volumes = np.log(np.maximum(edges, 1e-12)).sum(axis=1)
        order = largest_first(volumes, self._size * self._space.width)
        zones = [region.zone(region.keys[int(slot)]) for slot in order]
        return [zones[at : at + self._size] for at in range(0, len(zones), self._size)]

    def _digest(self, group: list[Zone], answer: Answer) -> None:
        region, space = self._region, self._space
        if answer.outcome is Outcome.INFEASIBLE:
            alive = set(region.keys)
            for zone in group:
                if zone.key in alive:
                    space.settle(zone.upper, Closure.INFEASIBLE, answer.number)
            region.remove(zone.key for zone in group if zone.key in alive)
            self._size = min(GROWTH * self._size, LARGEST_BATCH)
            return
        new = answer.point is not None and answer.point not in space.points
        if new and answer.point is not None and bool((np.asarray(answer.point) < region.uppers).all(axis=1).any()):
            space.list_point(answer)
            region.add(answer.point)
        if answer.outcome is Outcome.OPTIMAL and (new or self._space.width > 1):
            return
        if len(group) > 1:
            self._size = 1
            return
        for slot in region.below(np.asarray(group[0].upper))[::-1]:
            key = region.keys[int(slot)]
            space.give_up(region.zone(key).upper, answer)
            region.remove([key])

    def _drop_empty(self) -> None:
        region = self._region
        empty = np.flatnonzero(self._space.empty_by_ideal(region.uppers))
        keys = [region.keys[s] for s in empty]
        for key in keys:
            self._space.settle(region.zone(key).upper, Closure.BOUND, None)
        region.remove(keys)


ALGORITHM: type[Algorithm] = Batches
