"""Columns that decide about many others: facility location against all sets of open facilities, and what counts as such a column."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from moocore import is_nondominated
from numpy.typing import NDArray

from optimizer.compiled_model import CompiledModel
from optimizer.pareto import FrontierStatus, solve
from optimizer.pareto.oracle import Oracle, OracleOptions
from optimizer.pareto.problem import ScaledProblem
from optimizer.pareto.query import Query
from optimizer.pareto.switches import Switches
from tests.pareto.programs import facility_location, program


def true_frontier(model: CompiledModel, customers: int, facilities: int) -> NDArray[np.float64]:
    """The frontier as the union over all sets of open facilities, customer by customer within each."""
    serving = model.objectives[:, : customers * facilities].T.reshape(customers, facilities, -1)
    opening = model.objectives[:, customers * facilities :].T
    found = []
    for size in range(1, facilities + 1):
        for chosen in map(list, itertools.combinations(range(facilities), size)):
            values = opening[chosen].sum(axis=0)[None]
            for each in serving[:, chosen]:
                values = np.unique((values[:, None] + each[None]).reshape(-1, values.shape[1]), axis=0)
                values = values[is_nondominated(values)]
            found.append(values)
    values = np.unique(np.vstack(found), axis=0)
    return np.asarray(values[is_nondominated(values)])


@pytest.mark.parametrize("joint", [False, True])
@pytest.mark.parametrize(("k", "facilities", "dear", "near"), [(2, 6, 600, 60), (3, 6, 40, 3)])
def test_facility_location_equals_the_union_over_open_sets(
    k: int, facilities: int, dear: int, near: int, joint: bool
) -> None:
    customers = 26
    model = facility_location(k, customers, facilities, seed=1, dear=dear, near=near, joint=joint)
    result = solve(model, listing=False)
    assert result.status is FrontierStatus.COMPLETE
    assert result.tolerated == 0
    np.testing.assert_array_equal(result.points, true_frontier(model, customers, facilities))
    if k == 2:
        assert result.solves <= result.n_points + 1


@pytest.mark.parametrize("joint", [False, True])
def test_facilities_decide_about_their_customers(joint: bool) -> None:
    model = facility_location(2, 6, 5, seed=0, joint=joint)
    found = Switches(model)
    assert found.columns.tolist() == list(range(30, 35))
    sharper = found.sharpened()
    assert sharper.n_rows == model.n_rows + (30 if joint else 0)
    corner = np.zeros(35)
    corner[0], corner[30] = 1.0, 0.5
    over = sharper.matrix @ corner > sharper.row_upper
    assert over.any()


def test_answers_depend_on_their_question_alone() -> None:
    model = facility_location(2, 30, 6, seed=3, dear=600, near=60)
    problem = ScaledProblem.of(model, [1.0, 1.0])
    options = OracleOptions(listing=False)
    whole = (math.inf, math.inf)
    first = Oracle(problem, options).ask(Query((whole,), direction=0)).point
    last = Oracle(problem, options).ask(Query((whole,), direction=1)).point
    assert first is not None
    assert last is not None
    levels = np.linspace(last[1] + 2.0, first[1], 7).round().tolist()
    queries = [Query(((math.inf, level),), direction=0, known=last) for level in levels]
    hot = Oracle(problem, options)
    earlier = [hot.ask(query) for query in queries]
    assert any(reply.counts.relaxations for reply in earlier)
    for query, reply in list(zip(queries, earlier, strict=True))[::-3]:
        again, alone = hot.ask(query), Oracle(problem, options).ask(query)
        for other in (again, alone):
            assert (other.point, other.bound, other.counts) == (reply.point, reply.bound, reply.counts)
            np.testing.assert_array_equal(other.x, reply.x)


def test_a_closed_switch_closes_its_customers_and_the_last_one_open_serves_all() -> None:
    model = facility_location(2, 4, 2, seed=0)
    low, high = model.lower.copy(), model.upper.copy()
    high[8] = 0.0
    possible, low, high = Switches(model).narrowed(low, high)
    assert possible
    assert high[[0, 2, 4, 6]].tolist() == [0.0] * 4
    assert low[[1, 3, 5, 7, 9]].tolist() == [1.0] * 5


def test_knapsacks_assignments_and_packings_have_none() -> None:
    costs = np.random.default_rng(0).integers(1, 9, (2, 9)).tolist()
    knapsack = [([3.0, 5, 2, 7, 4, 1, 6, 3, 2], -np.inf, 16.0)]
    rows = [(np.eye(3)[i].repeat(3).tolist(), 1.0, 1.0) for i in range(3)]
    rows += [(np.tile(np.eye(3)[i], 3).tolist(), 1.0, 1.0) for i in range(3)]
    packing = [(row, -np.inf, 1.0) for row, _, _ in rows]
    for each in (knapsack, rows, packing):
        assert not Switches(program(costs, each))
