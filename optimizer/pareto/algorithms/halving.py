"""Two objectives to a resolution: the largest gap between neighbours is halved, so that the certified error falls evenly.

Each solve minimises f1 (and f2 behind it) subject to f2 <= t. The least value found holds for everything below t, and closes all
there that lies no more than delta1 above it. Between neighbours a, c (a before c in f1) the corner (c1, a2) is open while something
may still lie above the last level asked about and below a2 - delta2; the next level is the middle of that stretch in steps of
delta2, so that no more solves are needed than by walking step by step from one end.
"""

from __future__ import annotations

import bisect
import itertools
import math
from typing import ClassVar

from optimizer.pareto.query import Answer, Outcome, Point, Query
from optimizer.pareto.result import Closure
from optimizer.pareto.space import Algorithm, Rounds, Space

INF = math.inf


class Halving:
    """Open corners between neighbouring points, the one that needs the largest error first."""

    name: ClassVar[str] = "halving"

    def __init__(self, space: Space) -> None:
        self._space = space
        self._started, self._over = False, False
        self._levels: list[float] = []
        self._least: list[float] = []
        """Ascending levels t of f2 that were asked about, and the proven least f1 below each; it falls as t rises."""
        self._lowest = float(space.ideal[1])
        self._dropped: list[tuple[Point, Answer]] = []

    def rounds(self) -> Rounds:
        """See ``Algorithm``."""
        ends = [Query(((INF, INF),), direction=j, known=self._nearest_end(j)) for j in (0, 1)]
        first, second = yield ends
        self._started = True
        if not self._between(first, second):
            self._over = True
            return
        while chosen := self._largest():
            answers = yield [query for query, _ in chosen]
            for (query, corner), answer in zip(chosen, answers, strict=True):
                self._digest(query.boxes[0][1], corner, answer)
        for corner in self.unfinished():
            self._space.give_up(corner, next(answer for dropped, answer in self._dropped if _within(corner, dropped)))
        self._over = True

    def _between(self, first: Answer, second: Answer) -> bool:
        """Settle what lies outside the two ends; whether there is anything between them to ask about."""
        space = self._space
        for answer in (first, second):
            if answer.outcome is Outcome.INFEASIBLE:
                space.settle((INF, INF), Closure.INFEASIBLE, answer.number)
                return False
            if answer.point is not None:
                space.list_point(answer)
        if not (_proves(first) and _proves(second)):
            space.give_up((INF, INF), second if _proves(first) else first)
            return False
        self._lowest = max(self._lowest, second.bound)
        space.settle((INF, self._beyond(1, second.bound)), Closure.OPTIMAL, second.number, 1, second.bound)
        self._close_below(INF, first)
        return True

    def unfinished(self) -> list[Point]:
        """See ``Algorithm``."""
        if not self._started:
            return [(INF, INF)]
        if self._over:
            return []
        found = [corner for corner, _ in self._open()]
        for corner in found:
            self._space.floors[corner] = self._floor(corner)
        return found

    def _nearest_end(self, j: int) -> Point | None:
        """The listed point with the least objective ``j``, then the least other."""
        return min(self._space.points, key=lambda p: (p[j], p[1 - j]), default=None)

    def _digest(self, u2: float, corner: Point, answer: Answer) -> None:
        space = self._space
        if answer.point is not None:
            space.list_point(answer)
        if not _proves(answer) and answer.outcome is not Outcome.INFEASIBLE:
            # a point found on the way splits what stays open; no part of it is asked about again
            self._dropped.append((corner, answer))
            return
        self._close_below(u2, answer)

    def _close_below(self, u2: float, answer: Answer) -> None:
        """Nothing below ``u2 - delta2`` has less of f1 than the answer's bound."""
        level, least = u2 - float(self._space.delta[1]), answer.bound
        if answer.outcome is Outcome.INFEASIBLE:
            least = INF
            self._space.settle((INF, u2), Closure.INFEASIBLE, answer.number)
        else:
            self._space.settle((self._beyond(0, least), u2), Closure.OPTIMAL, answer.number, 0, least)
        place = bisect.bisect_left(self._levels, level)
        # what holds below a level holds below every lower one
        least = max([least, *self._least[place : place + 1]])
        self._levels.insert(place, level)
        self._least.insert(place, least)
        while place and self._least[place - 1] < least:
            place -= 1
            self._least[place] = least

    def _beyond(self, j: int, bound: float) -> float:
        """The largest corner in objective ``j`` below which, delta taken off, nothing of at least ``bound`` lies."""
        delta = float(self._space.delta[j])
        return bound + (delta - 1.0 if self._space.discrete[j] else 0.999 * delta)

    def _least_below(self, u2: float) -> float:
        """Proven least f1 of whatever lies below ``u2`` by delta2 or more."""
        place = bisect.bisect_left(self._levels, u2 - float(self._space.delta[1]))
        return self._least[place] if place < len(self._least) else float(self._space.ideal[0])

    def _cleared(self, u1: float) -> float:
        """The highest level below which nothing lies below ``u1`` by delta1 or more; below the least f2 nothing lies at all."""
        below = bisect.bisect_right(self._least, -u1, key=lambda least: -self._beyond(0, least))
        lowest = float(self._lowest) - float(self._space.discrete[1])
        return max(self._levels[below - 1], lowest) if below else lowest

    def _floor(self, corner: Point) -> Point:
        """What a point below ``corner`` has at least, once it lies below it by more than the error that the deltas leave anyway."""
        return (self._least_below(corner[1]), max(self._cleared(corner[0]), self._lowest))

    def _open(self) -> list[tuple[Point, Point]]:
        """Open corners between neighbours, each with the neighbour behind it."""
        found: list[tuple[Point, Point]] = []
        for ahead, behind in itertools.pairwise(_staircase(self._space.points)):
            corner: Point = (behind[0], ahead[1])
            if (
                self._cleared(corner[0]) < corner[1] - float(self._space.delta[1])
                and self._beyond(0, self._least_below(corner[1])) < corner[0]
                and self._beyond(1, self._lowest) < corner[1]
            ):
                found.append((corner, behind))
        return found

    def _largest(self) -> list[tuple[Query, Point]]:
        """What to ask in the open corners that need the largest error, and the corners."""
        spans, step = self._space.spans(), float(self._space.delta[1])
        ranked = []
        for number, (corner, behind) in enumerate(self._open()):
            if any(_within(corner, dropped) for dropped, _ in self._dropped):
                continue
            cleared = self._cleared(corner[0])
            width = (corner[0] - self._least_below(corner[1])) / float(spans[0])
            height = (corner[1] - cleared) / float(spans[1])
            pieces = math.ceil((corner[1] - step - cleared) / step - 1e-9)
            u2 = corner[1] - max(0, (pieces - 1) // 2) * step
            known = behind if behind[1] <= u2 - step else None
            ranked.append((-min(width, height), number, Query(((INF, u2),), direction=0, known=known), corner))
        ranked.sort(key=lambda entry: entry[:2])
        return [(query, corner) for _, _, query, corner in ranked[: self._space.width]]


def _within(corner: Point, other: Point) -> bool:
    return corner[0] <= other[0] and corner[1] <= other[1]


def _proves(answer: Answer) -> bool:
    return answer.outcome is Outcome.OPTIMAL and answer.point is not None


def _staircase(points: dict[Point, bool]) -> list[Point]:
    """The nondominated points in ascending order of the first objective."""
    chain: list[Point] = []
    for point in sorted(points):
        if not chain or point[1] < chain[-1][1]:
            chain.append(point)
    return chain


ALGORITHM: type[Algorithm] = Halving
