"""Payoff table: the lexicographic optimum of each objective, the others in their given order behind it."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

from optimizer.compiled_model import Floats
from optimizer.pareto.query import Answer, Outcome, Point, Query


@dataclass(frozen=True, eq=False, slots=True)
class Payoff:
    """``table`` (k x k): row i holds all objectives at the lexicographic optimum of objective i, in the model's units and
    minimisation sense; ``ideal`` and ``nadir`` (k) its least and largest entries. ``nadir`` is no bound on the frontier for k > 2.
    """

    table: Floats
    ideal: Floats
    nadir: Floats
    solves: int

    @property
    def ranges(self) -> Floats:
        """Range of each objective over the lexicographic optima (k)."""
        return self.nadir - self.ideal


def lexicographic(
    k: int, delta: Floats, found: Callable[[Answer], object] = lambda answer: None, *, whole: bool = False
) -> Generator[Sequence[Query], Sequence[Answer], list[Answer] | None]:
    """Ask for the k lexicographic optima (scaled), each handed to ``found`` at once; returns their answers, or None when there is none or a solve stayed open.

    Stage one takes objective i; every further stage holds what was reached and takes the next one. Where the questions end early, the
    point reached last on the way to the next optimum is handed to ``found`` too. Where all objectives are ``whole`` numbers, stages before the last
    ask for the least value alone: what lies behind it is the business of the next.
    """
    optima: list[Answer] = []
    for i in range(k):
        corner = [math.inf] * k
        order = [i, *(j for j in range(k) if j != i)]
        reached: Answer | None = None
        try:
            stages = order[: max(1, k - 1)]
            for j in stages:
                last = j == stages[-1] or not whole
                alone = None if last else tuple(float(i == j) for i in range(k))
                (answer,) = yield [Query((tuple(corner),), direction=j if last else None, weights=alone)]
                if answer.point is not None:
                    reached = answer
                if answer.outcome is not Outcome.OPTIMAL or answer.point is None:
                    return None
                corner[j] = answer.point[j] + float(delta[j])
        finally:
            if reached is not None:
                found(reached)
        if reached is not None:
            optima.append(reached)
    return optima


def spread(points: Sequence[Point]) -> list[float]:
    """Range of each component over ``points``."""
    return [max(column) - min(column) for column in zip(*points, strict=True)]
