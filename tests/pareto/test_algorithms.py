"""The contract of every algorithm: exactly the frontier, by brute force, whatever the shape of the problem."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import optimizer.pareto.exactly as exactly_module
from models.errors import UsageError
from optimizer.backends.protocol import Proof, SolveResult, StopReason
from optimizer.compiled_model import CompiledModel
from optimizer.pareto import Closure, FrontierStatus, ParetoResult, RunLimits, payoff_ranges, solve
from optimizer.pareto.algorithms import names
from optimizer.pareto.indicators import open_volume
from tests.pareto.programs import frontier, legal_values, program, random_program

MANY = [name for name in names() if name in ("zones", "batches", "boxes")]
PAIRS = [
    ("epsilon", 2),
    ("halving", 2),
    *((name, k) for name in MANY for k in (2, 3, 4)),
    ("batches", 5),
    ("single", 1),
]


def listed(result: ParetoResult) -> list[tuple[float, ...]]:
    return [tuple(y) for y in result.points.tolist()]


@pytest.mark.parametrize(("algorithm", "k"), PAIRS)
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("listing", [True, False])
def test_equals_brute_force(algorithm: str, k: int, seed: int, listing: bool) -> None:
    model = random_program(k, seed)
    expected = frontier(legal_values(model))
    result = solve(model, algorithm=algorithm, listing=listing)
    assert listed(result) == expected
    assert result.status is (FrontierStatus.COMPLETE if expected else FrontierStatus.INFEASIBLE)
    assert all(zone.closed.proven for zone in result.ledger)


@settings(max_examples=5, deadline=None)
@given(k=st.integers(2, 4), seed=st.integers(0, 10**6), spread=st.integers(1, 4))
def test_ties_and_few_distinct_values(k: int, seed: int, spread: int) -> None:
    model = random_program(k, seed, columns=5, spread=spread)
    expected = frontier(legal_values(model))
    assert listed(solve(model)) == expected
    assert listed(solve(model, algorithm="batches", backend="highs")) == expected


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_order_of_objectives_and_columns_does_not_matter(seed: int) -> None:
    model = random_program(3, seed)
    rng = np.random.default_rng(seed)
    rows, columns = rng.permutation(3), rng.permutation(model.n_columns)
    shuffled = dataclasses.replace(
        model,
        objectives=model.objectives[rows][:, columns],
        matrix=model.matrix[:, columns],
        lower=model.lower[columns],
        upper=model.upper[columns],
        steps=tuple(model.steps[i] for i in rows),
    )
    again = sorted(tuple(y[np.argsort(rows)].tolist()) for y in solve(shuffled).points)
    assert again == listed(solve(model))


@pytest.mark.parametrize(("algorithm", "k"), PAIRS)
def test_infeasible_program(algorithm: str, k: int) -> None:
    model = program([[1, 2]] * k, [([2, 2], 1, 1)])
    result = solve(model, algorithm=algorithm)
    assert result.status is FrontierStatus.INFEASIBLE
    assert result.n_points == 0
    assert payoff_ranges(model) is None


@pytest.mark.parametrize(("algorithm", "k"), [p for p in PAIRS if p[1] > 1])
def test_one_point_equal_objectives_and_constant_objectives(algorithm: str, k: int) -> None:
    single = program([[1, 2, 3]] * k, [([1, 1, 1], 1, 1)])
    assert listed(solve(single, algorithm=algorithm)) == [(1.0,) * k]
    fixed = program([[2, 3]] * k, lower=[1, 1])
    assert listed(solve(fixed, algorithm=algorithm)) == [(5.0,) * k]
    constant = program([[0, 0], [1, -2], *[[0, 0]] * (k - 2)], offsets=[7, 0] + [3] * (k - 2))
    assert listed(solve(constant, algorithm=algorithm)) == [(7.0, -2.0, *[3.0] * (k - 2))]
    opposed = program([[1, 2], [-1, -2], *[[1, 2]] * (k - 2)])
    assert listed(solve(opposed, algorithm=algorithm)) == frontier(legal_values(opposed))


def test_fractions_on_fixed_columns_keep_their_value() -> None:
    model = program([[0, -1.5, 0.5], [1, -2.5, 2]], lower=[0, 1, 1])
    assert listed(solve(model, listing=False)) == [(-1.0, -0.5)]


def test_shares_of_a_zero_range_are_exact() -> None:
    model = program([[1, 2, 3], [5, 5, 5]], [([1, 1, 1], 1, 1)])
    result = solve(model, shares=[0.01, 0.01])
    assert listed(result) == [(1.0, 5.0)]
    assert result.resolution == (0.0, 0.0)


def test_fractional_steps_and_offsets() -> None:
    model = program([[0.1, 0.25, 0.4], [-3, -5, -6]], [([1, 1, 1], 0, 2)], offsets=[100.0, -0.5])
    assert model.steps == (0.05, 1.0)
    assert np.allclose(solve(model).points, frontier(legal_values(model)))


def test_both_senses_come_back() -> None:
    from optimizer.compiled_model import Sense

    model = program([[-1, -3, -4], [2, 3, 5]], [([1, 1, 1], 1, 1)], senses=[Sense.MAXIMISE, Sense.MINIMISE])
    assert model.in_original_sense(solve(model).points).tolist() == [[4, 5], [3, 3], [1, 2]]


@pytest.mark.parametrize("k", [2, 3, 4])
@pytest.mark.parametrize("algorithm", ["auto", "batches"])
@pytest.mark.parametrize("amount", [1.0, 3.0, 7.5])
def test_a_resolution_covers_every_legal_value(k: int, algorithm: str, amount: float) -> None:
    for seed in range(3):
        model = random_program(k, seed, columns=6)
        values = legal_values(model)
        result = solve(model, resolution=[amount] * k, algorithm=algorithm)
        if not len(values):
            continue
        assert result.status is FrontierStatus.COMPLETE
        assert all(e <= amount for e in result.error)
        assert covered(result, values)
        assert set(listed(result)) <= set(frontier(values))


def covered(result: ParetoResult, values: Any) -> bool:
    return all((result.points <= y + np.array(result.error) + 1e-9).all(axis=1).any() for y in values)


class Failing:
    """A solver that answers ``after`` questions and then fails, or claims to have run out of time."""

    def __init__(self, inner: Any, calls: list[int], after: int, stop: StopReason) -> None:
        self._inner, self._calls, self._after, self._stop = inner, calls, after, stop

    def solve(self, **question: Any) -> SolveResult:
        return self._answer(lambda: self._inner.solve(**question))

    def solve_any_of(self, boxes: Any, **question: Any) -> SolveResult:
        return self._answer(lambda: self._inner.solve_any_of(boxes, **question))

    def _answer(self, ask: Any) -> SolveResult:
        self._calls[0] += 1
        if self._calls[0] > self._after:
            return SolveResult(self._stop, Proof.NONE, None, None, -np.inf, 0.0)
        found: SolveResult = ask()
        return found


@pytest.mark.parametrize("stop", [StopReason.ERROR, StopReason.TIME_LIMIT])
@pytest.mark.parametrize(("algorithm", "k"), [p for p in PAIRS if p[1] > 1])
@pytest.mark.parametrize("after", [0, 1, 4])
def test_a_failing_solver_never_passes_for_a_proof(
    algorithm: str, k: int, after: int, stop: StopReason, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = random_program(k, 1, columns=6)
    values = legal_values(model)
    real, calls = exactly_module.create, [0]
    monkeypatch.setattr(
        exactly_module, "create", lambda name, part, options: Failing(real(name, part, options), calls, after, stop)
    )
    result = solve(model, algorithm=algorithm, listing=False)
    true = frontier(values)
    assert len(true) > 4
    assert result.status is (FrontierStatus.PARTIAL if result.n_points else FrontierStatus.EMPTY)
    assert set(listed(result)) <= set(true)
    assert not all(zone.closed.proven for zone in result.ledger)
    missing = [y for y in true if y not in listed(result)]
    assert all(any(all(a < b for a, b in zip(y, z.upper, strict=True)) for z in result.open_zones) for y in missing)
    if result.n_points:
        assert covered(result, values)


@pytest.mark.parametrize("algorithm", ["epsilon", "halving", "zones", "batches", "boxes"])
def test_stopped_runs_are_valid_and_resume_to_the_same_frontier(algorithm: str, tmp_path: Path) -> None:
    model = random_program(2 if algorithm in ("epsilon", "halving") else 3, 5, columns=9)
    values = legal_values(model)
    whole_path, path = tmp_path / "whole.jsonl", tmp_path / "ledger.jsonl"
    whole = solve(model, algorithm=algorithm, listing=False, ledger_path=whole_path)
    assert whole.n_points > 5
    stopped = solve(model, algorithm=algorithm, listing=False, ledger_path=path, limits=RunLimits(solves=4))
    assert stopped.status is FrontierStatus.PARTIAL
    assert stopped.stopped_by == "solve_limit"
    assert covered(stopped, values)
    assert stopped.hypervolume is not None
    assert stopped.hypervolume.listed <= stopped.hypervolume.at_most
    with path.open("a") as stream:
        stream.write('{"kind":"answer","solve":5,"que')
    resumed = solve(model, algorithm=algorithm, listing=False, ledger_path=path, resume=True)
    assert resumed.status is FrontierStatus.COMPLETE
    np.testing.assert_array_equal(resumed.points, whole.points)
    np.testing.assert_array_equal(resumed.solutions, whole.solutions)
    assert resumed.ledger == whole.ledger
    assert path.read_bytes() == whole_path.read_bytes()
    replayed = solve(model, algorithm=algorithm, listing=False, ledger_path=path, resume=True)
    assert replayed.ledger == whole.ledger


def staircase(steps: int) -> CompiledModel:
    """One of many options, each on the frontier: costs rise by falling amounts."""
    first = np.cumsum(np.linspace(900, 100, steps).round())
    second = 7.0 * np.arange(steps)[::-1]
    return program([first.tolist(), second.tolist()], [([1.0] * steps, 1, 1)])


@pytest.mark.parametrize("algorithm", ["epsilon", "halving"])
def test_the_error_certified_at_any_stop_holds_and_falls(algorithm: str) -> None:
    model = staircase(120)
    values, spans = legal_choices(model), np.ptp(legal_choices(model), axis=0)
    before = np.inf
    for solves in (2, 3, 7, 14, 26, 34):
        result = solve(model, shares=[0.02, 0.02], algorithm=algorithm, limits=RunLimits(solves=solves))
        assert covered(result, values)
        share = float((np.array(result.error) / spans).max())
        assert share <= before + 1e-12
        before = share
        if algorithm == "halving" and solves >= 26:
            assert share <= 0.06


def test_the_volume_of_open_zones_counts_from_their_floors() -> None:
    uppers, ideal, far = np.array([[2.0, 4.0], [4.0, 2.0]]), np.zeros(2), np.full(2, 4.0)
    assert open_volume(uppers, np.zeros((2, 2)), ideal, far) == pytest.approx(12 / 16)
    assert open_volume(uppers, np.array([[1.0, 3.0], [3.0, 0.0]]), ideal, far) == pytest.approx(3 / 16)
    assert open_volume(np.full((1, 2), np.inf), np.array([[0.0, 5.0]]), ideal, far) == 0.0


def test_halving_takes_no_more_solves_than_walking() -> None:
    for seed in range(2):
        rng = np.random.default_rng(seed)
        points = np.unique(rng.integers(0, 3_000, (400, 2)), axis=0).astype(float)
        model = program(points.T.tolist(), [([1.0] * len(points), 1, 1)])
        for share in (0.02, 0.2):
            walked = solve(model, shares=[share, share], algorithm="epsilon")
            halved = solve(model, shares=[share, share], algorithm="halving")
            assert halved.status is FrontierStatus.COMPLETE
            assert covered(halved, points)
            assert halved.solves <= walked.solves + 3


def legal_choices(model: CompiledModel) -> np.ndarray:
    """Values of every option of a program that takes exactly one."""
    return model.objectives.T


def test_the_ledger_of_another_run_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    solve(random_program(2, 3), ledger_path=path)
    with pytest.raises(UsageError, match="another run"):
        solve(random_program(2, 4), ledger_path=path, resume=True)


@pytest.mark.parametrize("algorithm", ["halving", "zones", "boxes"])
@pytest.mark.parametrize("solves", [1, 2, 3])
def test_a_limit_within_a_round_says_what_stopped_the_run(algorithm: str, solves: int) -> None:
    model = random_program(2 if algorithm == "halving" else 3, 5, columns=9)
    result = solve(model, algorithm=algorithm, listing=False, limits=RunLimits(solves=solves), width=2)
    assert result.status is FrontierStatus.PARTIAL
    assert result.stopped_by == "solve_limit"
    assert result.solves == solves
    assert not any(zone.closed is Closure.TIME_LIMIT for zone in result.ledger)
    assert covered(result, legal_values(model))


def test_stop_is_heeded_between_rounds() -> None:
    asked = []

    def stop() -> bool:
        asked.append(1)
        return len(asked) > 3

    result = solve(random_program(3, 3, columns=7), stop=stop, listing=False)
    assert result.stopped_by == "interrupted"
    assert result.status is FrontierStatus.PARTIAL
    assert any(zone.closed is Closure.UNTOUCHED for zone in result.ledger)


def test_the_payoff_table_is_lexicographic() -> None:
    model = random_program(3, 11)
    values = legal_values(model)
    payoff = payoff_ranges(model)
    assert payoff is not None
    for i in range(3):
        order = [i, *(j for j in range(3) if j != i)]
        best = min(tuple(y[order]) for y in values)
        assert tuple(payoff.table[i][order]) == best
    np.testing.assert_array_equal(payoff.ranges, payoff.table.max(axis=0) - payoff.table.min(axis=0))


def test_a_continuum_needs_a_resolution() -> None:
    model = program([[1, 1], [-1, -2]], integer=[True, False])
    with pytest.raises(UsageError, match="resolution"):
        solve(model)


@pytest.mark.parametrize("seed", range(4))
def test_dichotomy_lists_the_supported_points(seed: int) -> None:
    model = random_program(2, seed, columns=8)
    values = legal_values(model)
    result = solve(model, algorithm="dichotomy")
    if not len(values):
        assert result.status is FrontierStatus.INFEASIBLE
        return
    true = frontier(values)
    vertices = [
        y
        for y in true
        if any(
            all(w * y[0] + (1 - w) * y[1] < w * z[0] + (1 - w) * z[1] - 1e-12 for z in true if z != y)
            for w in np.linspace(0.001, 0.999, 1999)
        )
    ]
    assert set(vertices) <= set(listed(result)) <= set(true)
    assert covered(result, values)
    with pytest.raises(UsageError, match="two objectives"):
        solve(random_program(3, seed), algorithm="dichotomy")


def test_unknown_names_are_refused() -> None:
    with pytest.raises(UsageError, match="zones"):
        solve(random_program(2, 0), algorithm="zone")
    with pytest.raises(UsageError, match="highs"):
        solve(random_program(2, 0), backend="high")
