"""Supported points of two objectives by dichotomy: every vertex of the convex hull's lower left edge, and nothing in between.

From the two lexicographic optima on, the weighted sum whose level line passes through two neighbours is minimised: a smaller value is a
new vertex between them, an equal one closes the edge. Zones between neighbours stay open, so the frontier is reported as partial.
"""

from __future__ import annotations

import itertools
import math
from typing import ClassVar

from models.errors import UsageError
from optimizer.pareto.query import Answer, Outcome, Point, Query
from optimizer.pareto.result import Closure
from optimizer.pareto.space import Algorithm, Rounds, Space

INF = math.inf


class Dichotomy:
    """Supported points only, about two solves each."""

    name: ClassVar[str] = "dichotomy"

    def __init__(self, space: Space) -> None:
        if space.k != 2:
            raise UsageError(f"dichotomy is for two objectives, not {space.k}")
        self._space = space
        self._chain: list[Point] = []
        self._started = False

    def rounds(self) -> Rounds:
        """See ``Algorithm``."""
        ends: list[Point] = []
        for direction in (0, 1):
            (answer,) = yield [Query(((INF, INF),), direction=direction)]
            if answer.outcome is Outcome.INFEASIBLE:
                self._space.settle((INF, INF), Closure.INFEASIBLE, answer.number)
                self._started = True
                return
            if not self._lists(answer) or answer.point is None:
                return
            ends.append(answer.point)
            corner = (answer.point[0], INF) if direction == 0 else (INF, answer.point[1])
            self._space.settle(corner, Closure.OPTIMAL, answer.number, direction, answer.bound)
        self._chain, self._started = sorted(set(ends)), True
        at = 0
        while at + 1 < len(self._chain):
            left, right = self._chain[at], self._chain[at + 1]
            weights = _weights(left, right, whole=bool(self._space.discrete.all()))
            (answer,) = yield [Query(((INF, INF),), weights=weights)]
            level = weights[0] * left[0] + weights[1] * left[1]
            if not self._lists(answer) or answer.point is None or answer.point in self._chain:
                at += 1
                continue
            value = weights[0] * answer.point[0] + weights[1] * answer.point[1]
            if value < level - 1e-9 * abs(level):
                self._chain.insert(at + 1, answer.point)
            else:
                at += 1

    def _lists(self, answer: Answer) -> bool:
        if answer.point is not None:
            self._space.list_point(answer)
        return answer.outcome is Outcome.OPTIMAL

    def unfinished(self) -> list[Point]:
        """See ``Algorithm``: the zones between neighbours, which this algorithm never closes."""
        if not self._started:
            return [(INF, INF)]
        known = sorted(self._space.points)
        return [(b[0], a[1]) for a, b in itertools.pairwise(known)]


def _weights(left: Point, right: Point, *, whole: bool) -> tuple[float, float]:
    """Positive weights under which both points are worth the same."""
    rise, run = left[1] - right[1], right[0] - left[0]
    if whole:
        shared = math.gcd(int(rise), int(run))
        return (rise / shared, run / shared)
    return (rise / (rise + run), run / (rise + run))


ALGORITHM: type[Algorithm] = Dichotomy
