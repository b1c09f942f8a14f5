"""Small mixed programs whose optimum a presolve has cut off: continuous columns beside integer ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from optimizer.backends.highs_here import HighsHere
from optimizer.backends.protocol import Proof
from tests.pareto.programs import program

INF = np.inf
Case = tuple[list[list[float]], list[tuple[Sequence[float], float, float]], list[bool], list[float], float]
CASES: dict[str, Case] = {
    "a bundle and a filler": (
        [[-4.0, -5.0, -6.5, -1.0]],
        [([1, 1, 1, 0], 0, 2), ([1, 1, 1, 4], -INF, 5), ([1, 2, 3, 0], -INF, 4)],
        [True, True, True, False],
        [1, 1, 1, 1],
        -11.25,
    ),
    "a cover": ([[2.0, 3.0]], [([1, 1], 4.5, INF)], [False, True], [10, 10], 9.0),
    "one of two": (
        [[0, 0, 0, 0, 10.0, 8.0]],
        [
            ([-1000, 0, 1, 0, 0, 0], -INF, 0),
            ([0, -1000, 0, 1, 0, 0], -INF, 0),
            ([0, 0, 1, 0, 1, 0], 1000, 1000),
            ([0, 0, 0, 1, 0, 1], 1000, 1000),
            ([1, 1, 0, 0, 0, 0], -INF, 1),
        ],
        [True, True, False, False, False, False],
        [1, 1, 1000, 1000, 1000, 1000],
        8000.0,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_optimum_is_found(name: str) -> None:
    costs, rows, integer, upper, least = CASES[name]
    found = HighsHere(program(costs, rows, integer=integer, upper=upper)).solve(weights=[1.0])
    assert found.proof is Proof.OPTIMAL
    assert found.objective == pytest.approx(least)
