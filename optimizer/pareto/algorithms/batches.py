"""Disjunctive batches: one program over many zones at once, so that closing them costs few solves, and the first points lie far apart.

A batch of m zones asks for the legal point of least weighted sum in their union: it is nondominated, because whatever dominates it would lie
in the same zone with a smaller sum; an infeasible batch closes all m zones with one proof. Zones come in the order of what they may add
to the hypervolume at most: the largest box below the corner that earlier answers leave room for (each proved that a weighted sum is at least so much
below its own corner). A single zone is asked with weights that point at that box. m starts at one and grows with every infeasible batch.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from optimizer.pareto.prospects import Prospects
from optimizer.pareto.query import Answer, Outcome, Point, Query
from optimizer.pareto.result import Closure
from optimizer.pareto.search_region import SearchRegion, Zone
from optimizer.pareto.space import Algorithm, Rounds, Space


class Batches:
    """Fewest solves and early points spread over the frontier; for five objectives and more, or where a solve is dear."""

    name: ClassVar[str] = "batches"
    growth: ClassVar[int] = 64
    largest: ClassVar[int] = 64
    shrink: ClassVar[int] = 1
    effort: ClassVar[float | None] = None

    def __init__(self, space: Space) -> None:
        self._space = space
        self._region = SearchRegion(space.k)
        self._prospects = Prospects(space)
        self._size = 1
        self._most = self.largest

    def rounds(self) -> Rounds:
        """See ``Algorithm``."""
        for point in sorted(self._space.points):
            self._region.add(point)
        self._drop_empty()
        while len(self._region):
            groups = self._choose()
            queries = [self._query(group) for group in groups]
            answers = yield queries
            for group, query, answer in zip(groups, queries, answers, strict=True):
                self._digest(group, answer)
                self._prospects.learn(query, answer, self._region)
            self._drop_empty()

    def unfinished(self) -> list[Point]:
        """See ``Algorithm``."""
        return [tuple(u) for u in self._region.uppers.tolist()]

    def _choose(self) -> list[list[Zone]]:
        """The most promising zones, dealt out in groups of the present size."""
        zones = self._prospects.best(self._region, self._size)
        return [zones[at : at + self._size] for at in range(0, len(zones), self._size)]

    def _query(self, group: list[Zone]) -> Query:
        weights = self._prospects.weights(group[0].key) if len(group) == 1 else None
        return Query(tuple(z.upper for z in group), weights=weights, effort=self.effort if len(group) > 1 else None)

    def _digest(self, group: list[Zone], answer: Answer) -> None:
        region, space = self._region, self._space
        if answer.outcome is Outcome.INFEASIBLE:
            alive = [zone for zone in group if zone.key in region]
            for zone in alive:
                space.settle(zone.upper, Closure.INFEASIBLE, answer.number)
            region.remove(zone.key for zone in alive)
            self._size = min(self.growth * self._size, self._most)
            return
        new = answer.point is not None and answer.point not in space.points
        if new and answer.point is not None and region.holds(answer.point):
            space.list_point(answer)
            region.add(answer.point)
        if answer.outcome is Outcome.OPTIMAL and (new or space.width > 1):
            self._size = max(1, self._size // self.shrink)
            return
        if len(group) > 1:
            if self.effort is not None:
                self._most = max(1, len(group) // self.growth)
            self._size = 1
            return
        keys = region.keys[region.below(np.asarray(group[0].upper))][::-1].tolist()
        for key in keys:
            space.give_up(region.zone(key).upper, answer)
        region.remove(keys)

    def _drop_empty(self) -> None:
        region = self._region
        new = region.unseen()
        keys = new[self._space.empty_by_ideal(region.uppers[len(region) - len(new) :])].tolist()
        for key in keys:
            self._space.settle(region.zone(key).upper, Closure.BOUND, None)
        region.remove(keys)


ALGORITHM: type[Algorithm] = Batches
