"""One objective: its best value, with one solve."""

from __future__ import annotations

import math
from typing import ClassVar

from optimizer.pareto.query import Outcome, Point, Query
from optimizer.pareto.result import Closure
from optimizer.pareto.space import Algorithm, Rounds, Space


class Single:
    """The frontier of one objective is its optimum."""

    name: ClassVar[str] = "single"

    def __init__(self, space: Space) -> None:
        self._space = space
        self._open: list[Point] = [(math.inf,)]

    def rounds(self) -> Rounds:
        """See ``Algorithm``."""
        (answer,) = yield [Query(((math.inf,),), direction=0)]
        self._open.clear()
        if answer.outcome is Outcome.INFEASIBLE:
            self._space.settle((math.inf,), Closure.INFEASIBLE, answer.number)
        elif answer.outcome is Outcome.OPTIMAL and answer.point is not None:
            self._space.list_point(answer)
            self._space.settle(answer.point, Closure.OPTIMAL, answer.number, 0, answer.bound)
        else:
            if answer.point is not None:
                self._space.list_point(answer)
            self._space.give_up(answer.point or (math.inf,), answer)

    def unfinished(self) -> list[Point]:
        """See ``Algorithm``."""
        return list(self._open)


ALGORITHM: type[Algorithm] = Single
