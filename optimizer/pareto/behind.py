"""The second question of a lexicographic optimum, for solvers that compute in floating point, where the plain one takes too long.

Held at its least value by a row, an objective of large range may leave such a solver a handful of points in a wide relaxation: mostly that is soon
searched, but sometimes never. One weighted sum that puts the objective first by a step needs weights beyond what doubles tell apart. So
what a counted search leaves open is asked again with the objective priced as dearly as doubles bear, and only as dearly as is still
open: an answer at the least value is the optimum there; another one bounds what lies there, and the range is cut.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from optimizer.compiled_model import Floats
from optimizer.pareto.query import Point

LARGEST_COEFFICIENT = 1e9
"""A weighted sum whose coefficients would exceed this is split into two solves: solvers' tolerances bite above it."""
LARGEST_WHOLE = 1e14
"""The same for a solver that computes in integers of 64 bits, ranges included."""
LARGEST_VALUE = 1e11
"""What the priced objective, whose price is one of doubles, may amount to: a step beside it is still ten thousand times what sums of doubles round off."""
HELD_NODES = 1_000
"""Nodes of HiGHS (conflicts of CP-SAT) for the plain question: about what one priced question takes."""
CUT = 8
"""What an answer lies above the least value is divided by this; what is left is asked about again."""


@dataclass(frozen=True, eq=False, slots=True)
class Priced:
    """Minimise ``weights`` (k) times the objectives, at most ``tops`` (k), where that is below ``ceiling`` by a step."""

    weights: list[float]
    tops: Floats
    ceiling: float


def behind(
    j: int, known: Point, ideal: Floats, tops: Floats, reach: float
) -> Generator[Priced, Floats | None, Floats | None]:
    """Ask for the least sum of the other objectives where objective ``j`` has its least value below ``tops`` (k), which ``known`` (k) attains.

    All values whole; ``ideal`` (k) are lower bounds, ``reach`` is the largest coefficient of objective j. Takes the values of each
    answer, None where nothing lies below the ceiling; returns those of the last answer at the least value or below it, None
    where no such answer came: then ``known`` itself is the optimum.
    """
    least = known[j]
    held = math.fsum(known) - least
    floor = float(np.delete(ideal, j).sum())
    dearest = max(1.0, math.floor(min(LARGEST_COEFFICIENT / max(reach, 1.0), LARGEST_VALUE / max(abs(least), 1.0))))
    tops = tops.copy()
    while held > floor:
        weights = [1.0] * len(known)
        weights[j] = min(dearest, held - floor + 1.0) if tops[j] > least else 0.0
        y = yield Priced(weights, tops.copy(), weights[j] * least + held)
        if y is None:
            return None
        if y[j] <= least:
            return y
        value = math.fsum(w * v for w, v in zip(weights, y.tolist(), strict=True))
        floor = max(floor, value - weights[j] * least)
        tops[j] = least + (y[j] - least) // CUT
    return None


def least_of(one: int | None, other: int | None) -> int | None:
    """The lesser of two limits, None where there is none."""
    return min((limit for limit in (one, other) if limit is not None), default=None)
