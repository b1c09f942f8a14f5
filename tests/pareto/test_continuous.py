"""Objectives with a continuum of values: the cover holds against closed-form frontiers at several resolutions."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from optimizer.compiled_model import CompiledModel
from optimizer.pareto import FrontierStatus, solve
from optimizer.pareto.certificate import verify
from tests.pareto.programs import program


def plane(k: int, seed: int) -> tuple[CompiledModel, NDArray[np.float64]]:
    """``minimise x_1 .. x_k`` over ``sum a_i x_i >= c`` in the unit box, and points of its frontier: the part of the plane inside the box."""
    rng = np.random.default_rng(seed)
    weights = rng.uniform(0.5, 2.0, k)
    level = 0.5 * weights.sum()
    model = program(np.eye(k).tolist(), [(weights.tolist(), level, np.inf)], integer=[False] * k)
    first = np.array(list(itertools.product(np.linspace(0, 1, 12), repeat=k - 1)))
    last = (level - first @ weights[:-1]) / weights[-1]
    inside = (last >= 0) & (last <= 1)
    return model, np.hstack([first[inside], last[inside, None]])


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("resolution", [0.4, 0.2, 0.1])
def test_a_plane_is_covered(k: int, resolution: float) -> None:
    model, front = plane(k, 1)
    result = solve(model, resolution=[resolution] * k)
    assert result.status is FrontierStatus.COMPLETE
    assert all(e <= resolution * (1 + 1e-9) for e in result.error)
    assert all((result.points <= y + resolution + 1e-6).all(axis=1).any() for y in front)
    weights = model.matrix.toarray()[0]
    np.testing.assert_allclose(result.points @ weights, model.row_lower[0], rtol=1e-6)
    np.testing.assert_allclose(result.solutions @ model.objectives.T, result.points, atol=1e-9)


def switched(seed: int, choices: int = 4) -> tuple[CompiledModel, NDArray[np.float64]]:
    """One of several machines, each with a linear trade-off between cost t and loss, ``loss >= a_i - b_i t`` for t in [0, 1], and a fixed cost."""
    rng = np.random.default_rng(seed)
    fixed, height, slope = rng.uniform(0, 2, choices), rng.uniform(1, 4, choices), rng.uniform(0.2, 1.0, choices)
    n = 2 * choices
    rows: list[tuple[list[float], float, float]] = [([1.0] * choices + [0.0] * choices, 1.0, 1.0)]
    for i in range(choices):
        row = [0.0] * n
        row[i], row[choices + i] = -1.0, 1.0
        rows.append((row, -np.inf, 0.0))
    cost = np.concatenate([fixed, np.ones(choices)])
    loss = np.concatenate([height, -slope * height])
    model = program([cost.tolist(), loss.tolist()], rows, integer=[True] * choices + [False] * choices)
    t = np.linspace(0, 1, 60)
    values = np.vstack([np.column_stack([fixed[i] + t, height[i] * (1 - slope[i] * t)]) for i in range(choices)])
    return model, values


@pytest.mark.parametrize("share", [0.2, 0.1, 0.05])
def test_a_union_of_segments_is_covered(share: float) -> None:
    model, values = switched(3)
    result = solve(model, shares=[share, share])
    assert result.status is FrontierStatus.COMPLETE
    reach = np.array(result.error) + 1e-6
    assert all((result.points <= y + reach).all(axis=1).any() for y in values)
    beaten = [(values < z - 2e-3 * reach).all(axis=1).any() for z in result.points]
    assert not any(beaten)


def test_the_certificate_of_a_cover_holds() -> None:
    model, _ = plane(3, 2)
    certificate = verify(model, solve(model, resolution=[0.3] * 3), sample=None)
    assert certificate.holds
    assert certificate.complete


def test_a_mixture_of_discrete_and_continuous_objectives() -> None:
    model = program(
        [[1, 2, 3, 0.0], [-4.0, -5.0, -6.5, -1.0]],
        [([1, 1, 1, 0], 0, 2), ([1, 1, 1, 4], -np.inf, 5)],
        integer=[True, True, True, False],
        upper=[1, 1, 1, 1],
    )
    result = solve(model, resolution=[None, 0.01])
    expected = {0.0: -1.0, 1.0: -5.0, 2.0: -6.0, 3.0: -9.75}
    found = dict(result.points.tolist())
    assert result.status is FrontierStatus.COMPLETE
    assert found.keys() >= {0.0, 1.0, 2.0}
    for cost, loss in expected.items():
        assert any(c <= cost and v <= loss + 0.011 for c, v in found.items())
