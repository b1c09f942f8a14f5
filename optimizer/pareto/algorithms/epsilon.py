"""Two objectives: augmented epsilon-constraint, one solve per point and one more.

The point with the least second objective is found first. Then, from the least first objective on, each solve minimises f1 (and f2 behind
it) subject to f2 <= (last f2) - delta: it gives the next point and proves at once that nothing lies between. The walk ends when it
meets the point found first, so no solve is spent on an infeasible program.
"""

from __future__ import annotations

import math
from typing import ClassVar

from optimizer.pareto.query import Answer, Outcome, Point, Query
from optimizer.pareto.result import Closure
from optimizer.pareto.space import Algorithm, Rounds, Space

INF = math.inf


class Epsilon:
    """Epsilon-constraint walk; the open zone is always ``(f1 of the end point, f2 of the last point)``."""

    name: ClassVar[str] = "epsilon"

    def __init__(self, space: Space) -> None:
        self._space = space
        self._open: list[Point] = [(INF, INF)]

    def rounds(self) -> Rounds:
        """See ``Algorithm``."""
        space = self._space
        (first,) = yield [Query(((INF, INF),), direction=1)]
        end = self._end_point(first)
        if end is None:
            return
        top = INF
        while True:
            corner = (end[0], top)
            self._open = [corner]
            if top - space.delta[1] < max(end[1], space.ideal[1]) or end[0] - space.delta[0] < space.ideal[0]:
                space.settle(corner, Closure.BOUND, None)
                break
            if space.exact and top - space.delta[1] <= end[1]:
                space.settle(corner, Closure.OPTIMAL, first.number, 1, end[1])
                break
            (answer,) = yield [Query(((INF, top),), direction=0, known=end)]
            if not self._step(answer, corner, end):
                break
            assert answer.point is not None
            top = answer.point[1]
        self._open = []

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

    def _step(self, answer: Answer, corner: Point, end: Point) -> bool:
        """List the next point and close what lies before it; false when the walk is over."""
        space = self._space
        if answer.outcome is Outcome.INFEASIBLE:
            space.settle(corner, Closure.INFEASIBLE, answer.number)
            return False
        if answer.outcome is not Outcome.OPTIMAL or answer.point is None:
            if answer.point is not None:
                space.list_point(answer)
            space.give_up(corner, answer)
            return False
        if answer.bound > end[0] - space.delta[0]:
            space.settle(corner, Closure.OPTIMAL, answer.number, 0, answer.bound)
            return False
        if answer.point[1] >= corner[1]:
            space.settle(corner, Closure.ERROR, answer.number)
            return False
        space.list_point(answer)
        space.settle((answer.point[0], corner[1]), Closure.OPTIMAL, answer.number, 0, answer.bound)
        return True

    def unfinished(self) -> list[Point]:
        """See ``Algorithm``."""
        return list(self._open)


ALGORITHM: type[Algorithm] = Epsilon
