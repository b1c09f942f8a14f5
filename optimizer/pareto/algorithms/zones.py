"""Zone search: open local upper bounds, one projected solve at a time, the largest box first.

For a zone u and a direction j the bound on objective j is dropped and f_j minimised (the others behind it) subject to f_i <= u_i - delta_i.
Either a new point splits the zone, or the proven least value of f_j closes it; in both cases it also closes every other zone inside the
projected box whose corner lies no more than delta above that value. (After Tamby and Vanderpooten 2021.)

With a resolution, points far apart are sought first, each where it may add most to the hypervolume (see ``prospects``): they stand for others, so
that the whole asks no more often, and a run that is stopped early has more. Without one every such point would cost a question. One
such question that takes more than a counted amount of work ends this: least sums can be far dearer than the least of one objective.
"""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np

from optimizer.compiled_model import Floats
from optimizer.pareto.prospects import ALONE, Prospects
from optimizer.pareto.query import Answer, Outcome, Point, Query
from optimizer.pareto.result import Closure
from optimizer.pareto.search_region import SearchRegion, Zone
from optimizer.pareto.space import Algorithm, Rounds, Space, largest_first

WORTH = 0.01
"""Part of objective space that a point must be able to add to be sought for its own sake."""

EFFORT = 0.5
"""Of each solve that such a question takes, in units of about a second."""


class Zones:
    """Search by zones; any number of objectives from two on, meant for three and four."""

    name: ClassVar[str] = "zones"

    def __init__(self, space: Space) -> None:
        self._space = space
        self._region = SearchRegion(space.k)

    def rounds(self) -> Rounds:
        """See ``Algorithm``."""
        for point in sorted(self._space.points):
            self._region.add(point)
        self._drop_empty()
        if not self._space.exact:
            yield from self._far_apart()
        while len(self._region):
            chosen = self._choose()
            queries = [self._query(zone, j) for zone, j in chosen[: self._space.width]]
            self._space.soon = [self._query(zone, j) for zone, j in chosen[self._space.width :]]
            answers = yield queries
            for (zone, j), query, answer in zip(chosen[: len(queries)], queries, answers, strict=True):
                self._digest(zone, j, query, answer)
            self._drop_empty()

    def _far_apart(self) -> Rounds:
        """Points that may each add much to the hypervolume."""
        region, space, prospects = self._region, self._space, Prospects(self._space)
        while len(region):
            zones = [z for z in prospects.best(region, 1, space.ahead) if prospects.share(z.key) >= WORTH]
            queries = [Query((z.upper,), weights=prospects.weights(z.key), effort=EFFORT) for z in zones]
            at_once = space.width if len(space.points) >= ALONE else 1
            if not queries:
                return
            space.soon = queries[at_once:]
            answers = yield queries[:at_once]
            for zone, query, answer in zip(zones, queries[:at_once], answers, strict=False):
                if not self._take_in(zone, answer):
                    return
                prospects.learn(query, answer, region)
            self._drop_empty()

    def _take_in(self, zone: Zone, answer: Answer) -> bool:
        """List the point or close what lies in the zone; false when there is neither a proof nor a point that splits it."""
        region, space = self._region, self._space
        if answer.outcome is Outcome.INFEASIBLE:
            keys = region.keys[region.below(np.asarray(zone.upper))].tolist()
            for key in keys:
                space.settle(region.zone(key).upper, Closure.INFEASIBLE, answer.number)
            region.remove(keys)
            return True
        if answer.point is not None and answer.point not in space.points and region.holds(answer.point):
            space.list_point(answer)
            region.add(answer.point)
        if answer.outcome is Outcome.ERROR:
            self._give_up(zone, answer)
        return answer.outcome is Outcome.OPTIMAL and zone.key not in region

    def unfinished(self) -> list[Point]:
        """See ``Algorithm``."""
        return [tuple(u) for u in self._region.uppers.tolist()]

    def _choose(self) -> list[tuple[Zone, int]]:
        """Zones and directions with the largest projected boxes, none inside the box of another one chosen; those for later last."""
        region = self._region
        edges = self._space.extents(region.uppers)
        logs = np.log(np.maximum(edges, 1e-12))
        volumes = logs.sum(axis=1, keepdims=True) - logs
        order = largest_first(volumes.ravel(), 16 * self._space.width)
        chosen: list[tuple[Zone, int]] = []
        boxes: list[Point] = []
        for flat in order:
            slot, j = divmod(int(flat), self._space.k)
            zone = region.zone(int(region.keys[slot]))
            if any(all(a <= b for a, b in zip(zone.upper, box, strict=True)) for box in boxes):
                continue
            chosen.append((zone, j))
            boxes.append(_projected(zone.upper, j))
            if len(chosen) == self._space.width + self._space.ahead:
                break
        return chosen

    def _query(self, zone: Zone, j: int) -> Query:
        box = _projected(zone.upper, j)
        return Query((box,), direction=j, known=self._best_known(np.asarray(box) - self._space.delta, j))

    def _best_known(self, tops: Floats, j: int) -> Point | None:
        """The listed point below ``tops`` with the least objective j, then the least sum."""
        listed = self._space.listed
        inside = listed[(listed <= tops).all(axis=1)]
        if not inside.size:
            return None
        order = np.lexsort((inside.sum(axis=1), inside[:, j]))
        return tuple(inside[order[0]].tolist())

    def _digest(self, zone: Zone, j: int, query: Query, answer: Answer) -> None:
        region, space = self._region, self._space
        box = np.asarray(query.boxes[0])
        if answer.outcome is Outcome.INFEASIBLE:
            self._close(box, math.inf, j, Closure.INFEASIBLE, answer)
            return
        if answer.outcome is not Outcome.OPTIMAL or answer.point is None:
            if answer.point is not None and answer.point not in space.points and self._undominated(answer.point):
                space.list_point(answer)
                region.add(answer.point)
            self._give_up(zone, answer)
            return
        closes = answer.bound > zone.upper[j] - space.delta[j]
        inside = all(a < b for a, b in zip(answer.point, zone.upper, strict=True))
        if (
            answer.point not in space.points
            and (space.exact or (inside and not closes))
            and self._undominated(answer.point)
        ):
            space.list_point(answer)
            region.add(answer.point)
        elif not closes and zone.key in region:
            self._give_up(zone, answer)
        self._close(box, answer.bound, j, Closure.OPTIMAL, answer)

    def _undominated(self, point: Point) -> bool:
        return not bool((self._space.listed <= np.asarray(point)).all(axis=1).any())

    def _close(self, box: Floats, bound: float, j: int, closed: Closure, answer: Answer) -> None:
        """Close every open zone within ``box`` whose corner minus delta lies below the certified least value of objective j."""
        region, space = self._region, self._space
        every = bound == math.inf
        slots = region.below(box)
        if not every:
            slots = slots[region.uppers[slots, j] - space.delta[j] < bound]
        keys = region.keys[slots].tolist()
        for key in keys:
            value = None if math.isinf(bound) else bound
            space.settle(region.zone(key).upper, closed, answer.number, j, value)
        region.remove(keys)

    def _give_up(self, zone: Zone, answer: Answer) -> None:
        """Leave the zone, or what a new point left of it, to the list of open ones."""
        region = self._region
        keys = region.keys[region.below(np.asarray(zone.upper))].tolist()
        for key in keys:
            self._space.give_up(region.zone(key).upper, answer)
        region.remove(keys)

    def _drop_empty(self) -> None:
        region = self._region
        new = region.unseen()
        keys = new[self._space.empty_by_ideal(region.uppers[len(region) - len(new) :])].tolist()
        for key in keys:
            self._space.settle(region.zone(key).upper, Closure.BOUND, None)
        region.remove(keys)


def _projected(upper: Point, j: int) -> Point:
    return (*upper[:j], math.inf, *upper[j + 1 :])


ALGORITHM: type[Algorithm] = Zones
