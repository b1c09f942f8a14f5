"""Reduced-cost fixing and scenarios: the same frontier as by enumeration, and discards that hold on the full program."""

from __future__ import annotations

import dataclasses
from functools import partial

import numpy as np
import pytest
from moocore import is_nondominated

from optimizer.backends import create
from optimizer.backends.protocol import DEFAULT_LIMITS, Proof
from optimizer.compiled_model import CompiledModel
from optimizer.pareto import FrontierStatus, solve
from optimizer.pareto.exactly import solve_rest
from optimizer.pareto.reduction import Reducer
from optimizer.pareto.scenarios import exactly_one_groups, scenarios
from tests.pareto.structured import Site, compiled, enumerated, random_site


def true_frontier(site: Site) -> np.ndarray:
    values = np.unique(enumerated(site), axis=0)
    return values[is_nondominated(values)]


@pytest.mark.parametrize("seed", [0])
def test_exact_frontier_equals_enumeration(seed: int) -> None:
    site = random_site(150, seed)
    model = compiled(site)
    result = solve(model)
    assert result.status is FrontierStatus.COMPLETE
    assert result.discarded > 0
    np.testing.assert_array_equal(result.points, sorted(map(tuple, true_frontier(site).tolist())))


@pytest.mark.parametrize("whole_loads", [True, False])
@pytest.mark.parametrize("share", [0.1, 0.02])
def test_one_resolution_of_the_range_covers_the_enumerated_frontier(whole_loads: bool, share: float) -> None:
    site = random_site(400, 2)
    model = compiled(site, whole_loads=whole_loads)
    result = solve(model, shares=[share] * 3)
    true = true_frontier(site)
    assert result.status is FrontierStatus.COMPLETE
    assert result.n_points < len(true)
    reach = np.array(result.error) * (1 + 1e-6)
    assert all((result.points <= y + reach).all(axis=1).any() for y in true)
    assert all(e <= r * (1 + 1e-9) for e, r in zip(result.error, result.resolution, strict=True) if r is not None)
    assert all(np.isclose(true, z, rtol=1e-7, atol=1e-3).all(axis=1).any() for z in result.points)


def test_discards_hold_on_the_full_program() -> None:
    site = random_site(200, 3)
    model = compiled(site)
    reducer = Reducer(model, partial(solve_rest, backend="auto", options=None))
    reducer.prepare()
    full = create("highs", model)
    rng = np.random.default_rng(0)
    for y in true_frontier(site)[::9][:8]:
        tops = [float(v) for v in y + rng.integers(0, 50, 3)]
        weights = [float(w) for w in rng.integers(1, 9, 3)]
        reduced = reducer.minimise(weights, tops, step=1.0, ceiling=np.inf, limits=DEFAULT_LIMITS)
        whole = full.solve(weights=weights, objective_upper=tops, step=1.0)
        assert reduced.result is not None
        assert reduced.discarded > 0
        assert reduced.result.objective == pytest.approx(whole.objective, abs=0.5)
        below = reducer.minimise(weights, tops, step=1.0, ceiling=whole.objective, limits=DEFAULT_LIMITS)
        assert below.result is not None
        assert below.result.proof is Proof.INFEASIBLE


def two_clusters(site: Site, other: Site) -> CompiledModel:
    """Two independent sites side by side; objectives add up, and one row couples their power."""
    from scipy import sparse

    a, b = compiled(site), compiled(other)
    link = np.concatenate([a.objectives[2], b.objectives[2]]).reshape(1, -1)
    matrix = sparse.vstack([sparse.block_diag([a.matrix, b.matrix]), sparse.csc_array(link)], format="csc")
    return dataclasses.replace(
        a,
        matrix=sparse.csc_array(matrix),
        row_lower=np.concatenate([a.row_lower, b.row_lower, [-np.inf]]),
        row_upper=np.concatenate([a.row_upper, b.row_upper, [0.8 * (site.limit + other.limit) * 120]]),
        lower=np.concatenate([a.lower, b.lower]),
        upper=np.concatenate([a.upper, b.upper]),
        integer=np.concatenate([a.integer, b.integer]),
        objectives=np.hstack([a.objectives, b.objectives]),
        choice_groups=(),
    )


def test_two_clusters_equal_the_engine_without_fixing() -> None:
    model = two_clusters(random_site(90, 5, n_options=2, n_equipment=2), random_site(90, 6, n_options=2, n_equipment=2))
    assert sorted(len(g) for g in exactly_one_groups(model)) == [2, 2, 90, 90]
    assert len(scenarios(model)) == 4
    fixing = solve(model, shares=[0.15] * 3)
    plain = solve(model, shares=[0.15] * 3, reduce=False)
    for one, other in ((fixing, plain), (plain, fixing)):
        assert one.status is FrontierStatus.COMPLETE
        reach = np.array(one.error) + 1e-6
        assert all((one.points <= y + reach).all(axis=1).any() for y in other.points)


def test_groups_are_found_without_names() -> None:
    model = dataclasses.replace(compiled(random_site(50, 0)), choice_groups=())
    assert sorted(len(g) for g in exactly_one_groups(model)) == [3, 50]
