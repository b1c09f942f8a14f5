"""Programs whose objectives reach far: lexicographic optima without weights beyond what doubles tell apart, against brute force."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.backends import available
from optimizer.compiled_model import CompiledModel
from optimizer.pareto.behind import LARGEST_COEFFICIENT, LARGEST_VALUE, behind
from optimizer.pareto.engine import RunLimits
from optimizer.pareto.ledger import read_lines
from optimizer.pareto.oracle import Oracle, OracleOptions
from optimizer.pareto.problem import ScaledProblem
from optimizer.pareto.query import Outcome, Query
from optimizer.pareto.result import FrontierStatus
from optimizer.pareto.solving import payoff_ranges, solve
from tests.pareto.programs import frontier, legal_values, program


def far_program(seed: int, k: int = 2, columns: int = 9) -> CompiledModel:
    """Objectives of up to some ten million in steps of one, with many ties in the first of them."""
    rng = np.random.default_rng(seed)
    dear = rng.integers(1, 4, columns) * 1_400_003
    others = rng.integers(-3_000_000, 3_000_001, (k - 1, columns))
    weight = rng.integers(1, 9, columns)
    enough = float(rng.integers(5, int(weight.sum()) - 3))
    step = np.zeros(columns)
    step[0] = 1.0
    costs = np.vstack([dear + step, others])
    return program(costs.tolist(), [(weight.tolist(), enough, np.inf)])


points = st.integers(2, 4).flatmap(
    lambda k: st.lists(st.tuples(*[st.integers(-(10**7), 10**7)] * k), min_size=1, max_size=30)
)


@settings(deadline=None, max_examples=200)
@given(points, st.integers(1, 10**9), st.data())
def test_the_second_question_ends_at_the_lexicographic_optimum_with_bounded_weights(
    values: list[tuple[int, ...]], reach: int, data: st.DataObject
) -> None:
    all_of_them = np.array(values, dtype=float)
    k = all_of_them.shape[1]
    j = data.draw(st.integers(0, k - 1))
    least = all_of_them[:, j].min()
    there = all_of_them[all_of_them[:, j] == least]
    known = tuple(there[data.draw(st.integers(0, len(there) - 1))].tolist())
    ideal = all_of_them.min(axis=0) - data.draw(st.integers(0, 100))
    ideal = np.full(k, -math.inf) if data.draw(st.booleans()) else ideal
    asking = behind(j, known, ideal, all_of_them.max(axis=0), reach)
    best: np.ndarray | None = None
    asked = 0
    try:
        question = next(asking)
        while True:
            asked += 1
            weights = np.array(question.weights)
            assert weights[j] == 1.0 or weights[j] * max(reach, 1) <= LARGEST_COEFFICIENT
            assert weights[j] == 1.0 or weights[j] * abs(least) <= LARGEST_VALUE
            inside = all_of_them[(all_of_them <= question.tops).all(axis=1)]
            inside = inside[inside @ weights < question.ceiling]
            question = asking.send(inside[np.argmin(inside @ weights)] if len(inside) else None)
    except StopIteration as done:
        best = done.value
    found = np.array(known) if best is None else best
    assert found[j] == least
    assert found.sum() == there.sum(axis=1).min()
    assert asked <= 2 + math.log(2e7, 8)


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("nodes", [0, 1000])
def test_optima_of_far_objectives_are_the_true_ones(
    seed: int, k: int, nodes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("optimizer.pareto.oracle.HELD_NODES", nodes)
    model = far_program(seed, k)
    values = legal_values(model)
    for backend in ("highs", "cpsat"):
        problem = ScaledProblem.of(model, [1.0] * k)
        oracle = Oracle(problem, OracleOptions(backend))
        for j in range(k):
            reply = oracle.ask(Query(((math.inf,) * k,), direction=j))
            assert reply.outcome is Outcome.OPTIMAL
            assert reply.proven
            assert reply.point is not None
            y = problem.in_units(np.array(reply.point))
            least = values[values[:, j] == values[:, j].min()]
            assert y[j] == least[0, j]
            assert (least == y).all(axis=1).any()
            assert y.sum() == least.sum(axis=1).min()
    table = payoff_ranges(model, backend="highs")
    assert table is not None
    assert table.ideal.tolist() == values.min(axis=0).tolist()


@pytest.mark.parametrize("seed", range(6))
def test_frontiers_of_far_objectives_are_whole_or_say_what_is_open(seed: int) -> None:
    model = far_program(seed)
    true = [list(point) for point in sorted(frontier(legal_values(model)))]
    assert solve(model, listing=False).points.tolist() == true
    # a rounded column of millions may pass a bound by a step in floating point: said, not listed
    rounded = solve(model, backend="highs")
    proven = rounded.points[rounded.proven].tolist()
    assert all(point in true for point in proven)
    assert rounded.status is FrontierStatus.PARTIAL or proven == true


@pytest.mark.parametrize("k", [2, 3])
def test_a_run_stopped_amid_the_payoff_table_keeps_its_points_and_goes_on_as_if_it_had_not(
    k: int, tmp_path: Path
) -> None:
    model = far_program(1, k)
    true = np.array(frontier(legal_values(model)))
    shares = [0.05] * k
    whole = solve(model, shares=shares, backend="highs", ledger_path=tmp_path / "whole")
    for solves in (1, 2, 3):
        path = tmp_path / f"stopped{solves}"
        stopped = solve(model, shares=shares, backend="highs", ledger_path=path, limits=RunLimits(solves=solves))
        assert stopped.status is FrontierStatus.PARTIAL
        assert stopped.stopped_by == "solve_limit"
        assert stopped.n_points >= 1
        # an early stage of three objectives or more tells a least value, not yet the point behind it
        assert stopped.proven.all() or k > 2
        assert all((true == point).all(axis=1).any() for point in stopped.points[stopped.proven])
        assert (true[:, None] == stopped.points[None]).any(axis=(0, 2)).all()
        assert any(not zone.closed.proven for zone in stopped.ledger)
        near = stopped.points[None] <= true[:, None] + np.array(stopped.error)
        assert near.all(axis=2).any(axis=1).all()
        assert any(line["kind"] == "point" for line in read_lines(path))
        resumed = solve(model, shares=shares, backend="highs", ledger_path=path, resume=True)
        assert resumed.points.tolist() == whole.points.tolist()
        assert resumed.error == whole.error
        assert resumed.ledger == whole.ledger


def test_an_answer_without_proof_is_asked_for_again(tmp_path: Path) -> None:
    model = far_program(2)
    path = tmp_path / "ledger"
    whole = solve(model, backend="highs", ledger_path=path)
    text = path.read_text().replace('"proven":true', '"proven":false')
    path.write_text(text)
    resumed = solve(model, backend="highs", ledger_path=path, resume=True)
    assert resumed.proven.all()
    assert resumed.points.tolist() == whole.points.tolist()


@pytest.mark.parametrize("backend", ["highs", "scip"])
@pytest.mark.parametrize(("k", "seed"), [(2, 1), (2, 3), (3, 0), (3, 2), (4, 1)])
def test_a_floating_point_solver_named_by_hand_ends_beside_large_coefficients(k: int, seed: int, backend: str) -> None:
    if not any(found.name == backend and found.usable for found in available()):
        pytest.skip(f"{backend} is not installed")
    rng = np.random.default_rng(seed)
    rows = rng.integers(1, 40, (2, 10))
    costs = -rng.integers(10**8, 10**9, (k, 10))
    costs[0] = -rng.integers(1, 20, 10)
    model = program(costs.tolist(), [(row.tolist(), -np.inf, float(int(0.4 * row.sum()))) for row in rows])
    result = solve(model, backend=backend)
    assert result.status is FrontierStatus.COMPLETE
    assert [tuple(y) for y in result.points.tolist()] == frontier(legal_values(model))
