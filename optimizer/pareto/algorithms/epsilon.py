"""Two objectives: augmented epsilon-constraint, from both ends where the width is two, one solve per point and one more.

The point with the least second objective is found first. Then two walks take turns. One minimises f1 (and f2 behind it) subject to
f2 <= (its last f2) - delta, the other minimises f2 (and f1 behind it) subject to f1 <= (its last f1) - delta: each solve gives the next point of
its walk and proves at once that nothing lies between. The walks end when one meets the other, so no solve is spent on an infeasible
program; and what one asks next does not wait for what the other has asked, so two processes can work on both. With a width of one only the first
walks, towards the point found first.
"""

from __future__ import annotations

import math
from typing import ClassVar

from optimizer.pareto.query import Answer, Outcome, Point, Query
from optimizer.pareto.result import Closure
from optimizer.pareto.space import Algorithm, Rounds, Space

INF = math.inf


class Epsilon:
    """Two epsilon-constraint walks. ``_last[j]`` is where walk j stands, the one that minimises objective j, and ``_least[j]`` what it has proven of it.

    The open zone has the corner (f1 where the second walk stands, f2 where the first one does).
    """

    name: ClassVar[str] = "epsilon"

    def __init__(self, space: Space) -> None:
        self._space = space
        self._open: list[Point] = [(INF, INF)]
        self._last: list[Point] = []
        self._least: list[float] = []
        self._numbers: list[int] = []

    def rounds(self) -> Rounds:
        """See ``Algorithm``."""
        (first,) = yield [Query(((INF, INF),), direction=1)]
        end = self._end_point(first)
        if end is None:
            return
        self._last, self._least, self._numbers = [(-INF, INF), end], [-INF, first.bound], [first.number] * 2
        j, query = 0, self._query(0)
        while not self._finished():
            after = None
            if self._space.width > 1:
                after = self._query(1 - j)  # before the answer: what one walk asks does not wait for the other
                self._space.soon = [after]
            (answer,) = yield [query]
            if not self._step(j, answer):
                break
            j, query = (0, self._query(0)) if after is None else (1 - j, after)
        self._open = []

    def _query(self, j: int) -> Query:
        """What walk j asks next. The place of the other walk is a point to beat."""
        limit, known = self._last[j][1 - j], self._last[1 - j]
        inside = known[1 - j] <= limit - self._space.delta[1 - j] and math.isfinite(known[j])
        box = (INF, limit) if j == 0 else (limit, INF)
        return Query((box,), direction=j, known=known if inside else None)

    def _corner(self) -> Point:
        return (self._last[1][0], self._last[0][1])

    def _finished(self) -> bool:
        """True when the open zone can hold no point by what is known already."""
        space, corner = self._space, self._corner()
        self._open = [corner]
        space.floors[corner] = (max(self._least[0], float(space.ideal[0])), max(self._least[1], float(space.ideal[1])))
        for j in (1, 0):
            room = corner[j] - space.delta[j]
            if room < max(self._least[j], space.ideal[j]):
                space.settle(corner, Closure.BOUND, None)
                return True
            if space.exact and room <= self._last[j][j]:
                space.settle(corner, Closure.OPTIMAL, self._numbers[j], j, self._last[j][j])
                return True
        return False

    def _end_point(self, first: Answer) -> Point | None:
        """The point with the least second objective, or None when there is none to walk towards."""
        space = self._space
        self._open = []
        if first.outcome is Outcome.INFEASIBLE:
            space.settle((INF, INF), Closure.INFEASIBLE, first.number)
            return None
        if first.outcome is not Outcome.OPTIMAL or first.point is None:
            if first.point is not None:
                space.list_point(first)
            space.give_up((INF, INF), first)
            return None
        space.list_point(first)
        space.settle((INF, first.point[1]), Closure.OPTIMAL, first.number, 1, first.bound)
        return first.point

    def _step(self, j: int, answer: Answer) -> bool:
        """List the next point of walk j and close what lies before it; false when the walks are over."""
        space, corner = self._space, self._corner()
        if answer.outcome is Outcome.INFEASIBLE:
            space.settle(corner, Closure.INFEASIBLE, answer.number)
            return False
        if answer.outcome is not Outcome.OPTIMAL or answer.point is None:
            if answer.point is not None:
                space.list_point(answer)
            space.give_up(corner, answer)
            return False
        if answer.bound > corner[j] - space.delta[j]:
            space.settle(corner, Closure.OPTIMAL, answer.number, j, answer.bound)
            return False
        if answer.point[1 - j] >= corner[1 - j]:
            space.settle(corner, Closure.ERROR, answer.number)
            return False
        space.list_point(answer)
        closed = (answer.point[0], corner[1]) if j == 0 else (corner[0], answer.point[1])
        space.settle(closed, Closure.OPTIMAL, answer.number, j, answer.bound)
        self._last[j], self._least[j], self._numbers[j] = answer.point, answer.bound, answer.number
        return True

    def unfinished(self) -> list[Point]:
        """See ``Algorithm``."""
        return list(self._open)


ALGORITHM: type[Algorithm] = Epsilon
