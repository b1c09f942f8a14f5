"""Answers within a gap of the least value: the frontier still covers the true one, and says which of its points need not be on it."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from moocore import is_nondominated

from optimizer.backends import create
from optimizer.backends.protocol import Backend, Proof, SolveLimits, SolveResult, StopReason
from optimizer.compiled_model import CompiledModel
from optimizer.pareto import FrontierStatus, ParetoResult, RunLimits, exactly, oracle, solve
from optimizer.pareto.indicators import least_of_better
from optimizer.pareto.problem import ScaledProblem
from tests.pareto.programs import program
from tests.pareto.structured import compiled, enumerated, random_site


def cost_and_throughput(seed: int) -> tuple[CompiledModel, np.ndarray]:
    """A site's program with its first two objectives, and their frontier by enumeration."""
    site = random_site(300, seed)
    model = compiled(site)
    model = dataclasses.replace(
        model,
        objectives=model.objectives[:2],
        offsets=model.offsets[:2],
        senses=model.senses[:2],
        objective_names=model.objective_names[:2],
        steps=model.steps[:2],
    )
    values = np.unique(enumerated(site)[:, :2], axis=0)
    return model, values[is_nondominated(values)]


class Sloppy:
    """Within a limit on nodes: the worst point that lies within the gap of the least value. Without a gap: the least."""

    def __init__(self, model: CompiledModel) -> None:
        self._model, self._inner = model, create("highs", model)

    def solve(self, **asked: Any) -> SolveResult:
        limits = dataclasses.replace(asked.pop("limits"), nodes=None)
        best = self._inner.solve(**asked, limits=dataclasses.replace(limits, gap=0.0))
        if best.proof is not Proof.OPTIMAL or best.objective is None or limits.gap <= 0.0:
            return best
        weights = np.array(asked["weights"])
        within = exactly.under(self._model, weights, best.objective + limits.gap - float(weights @ self._model.offsets))
        worst = create("highs", within).solve(
            cost=-(weights @ within.objectives), objective_upper=asked["objective_upper"], step=1.0
        )
        assert worst.x is not None
        value = float(weights @ (within.objectives @ worst.x + within.offsets))
        return dataclasses.replace(best, stop=StopReason.NODE_LIMIT, proof=Proof.BOUND, x=worst.x, objective=value)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rests are answered as badly as the gap allows."""

    def rest(model: CompiledModel, *, backend: str, options: None, **asked: Any) -> SolveResult:
        return exactly.Pressed(model, cast(Backend, Sloppy(model))).solve(**asked)

    monkeypatch.setattr(oracle, "solve_rest", rest)
    monkeypatch.setattr(oracle, "GAP_SHARE", 1.0)


def covers(result: ParetoResult, true: np.ndarray) -> bool:
    return all((result.points <= y + np.array(result.error) + 1e-6).all(axis=1).any() for y in true)


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("share", [0.2])
def test_the_cover_holds_and_unproven_points_have_bounds(share: float) -> None:
    loose = 0
    for seed in range(2):
        model, true = cost_and_throughput(seed)
        result = solve(model, shares=[share] * 2)
        assert result.status is FrontierStatus.COMPLETE
        assert covers(result, true)
        on_it = [bool((true == point).all(axis=1).any()) for point in result.points]
        assert all(there for there, proven in zip(on_it, result.proven, strict=True) if proven)
        for point, bound in zip(result.points, result.bounds, strict=True):
            better = true[(true <= point).all(axis=1)]
            assert (bound <= point).all()
            assert (bound <= better).all()
        loose += int((~result.proven).sum())
    assert loose > 0


@pytest.mark.usefixtures("hasty")
def test_a_resumed_run_takes_such_answers_as_they_are(tmp_path: Path) -> None:
    model, _ = cost_and_throughput(3)
    whole, parts = tmp_path / "whole.jsonl", tmp_path / "parts.jsonl"
    once = solve(model, shares=[0.2] * 2, ledger_path=whole)
    solve(model, shares=[0.2] * 2, ledger_path=parts, limits=RunLimits(solves=once.solves - 2))
    again = solve(model, shares=[0.2] * 2, ledger_path=parts, resume=True)
    np.testing.assert_array_equal(once.points, again.points)
    np.testing.assert_array_equal(once.proven, again.proven)
    np.testing.assert_array_equal(once.bounds, again.bounds)
    assert parts.read_bytes() == whole.read_bytes()


@pytest.mark.parametrize("gap", [50.0, 5_000.0])
@pytest.mark.parametrize("sloppy", [True, False])
def test_an_answer_lies_within_the_gap_of_the_least_value(gap: float, sloppy: bool) -> None:
    model, true = cost_and_throughput(1)
    pressed = exactly.Pressed(model, cast(Backend, Sloppy(model)) if sloppy else create("highs", model))
    for top in np.quantile(true[:, 1], [0.2, 0.5, 0.8]):
        least = float(true[true[:, 1] <= top][:, 0].min())
        limits = SolveLimits(gap=gap, slack=gap)
        found = pressed.solve(weights=[1.0, 0.0], objective_upper=[np.inf, top], step=1.0, limits=limits)
        assert (found.stop, found.proof) == (StopReason.FINISHED, Proof.OPTIMAL)
        assert found.objective is not None
        assert least <= found.objective <= least + gap
        assert found.bound <= least
        assert found.loose or found.objective == least


def test_endless_columns_of_no_cost_do_not_disturb_what_an_objective_reaches(recwarn: pytest.WarningsRecorder) -> None:
    model, _ = cost_and_throughput(0)
    endless = dataclasses.replace(model, upper=np.where(model.objectives[0] == 0.0, np.inf, model.upper))
    pressed = exactly.Pressed(endless, create("highs", endless))
    found = pressed.solve(weights=[1.0, 0.0], objective_upper=[-1.0, np.inf], step=1.0, limits=SolveLimits())
    assert found.proof is Proof.INFEASIBLE
    assert not [w for w in recwarn if issubclass(w.category, RuntimeWarning)]


def test_columns_that_improve_an_objective_alone_do_not_stay_behind() -> None:
    # t is at most 2 a + b and at most 5, u at least a; a, b and u cost
    rows = [([2, 1, -1, 0], 0.0, math.inf), ([-1, 0, 0, 1], 0.0, math.inf)]
    model = program([[3, 2, 0, 7], [0, 0, -1, 0]], rows, upper=[9, 9, 5, 9])
    problem = ScaledProblem.of(model, [1.0, 1.0])
    tight = problem.tightened(np.array([2.0, 0.0, 1.0, 5.0]))
    np.testing.assert_array_equal(tight, [2.0, 0.0, 4.0, 2.0])
    assert problem.violation(tight) is None


def test_bounds_of_what_is_better_follow_from_closed_corners() -> None:
    corners = np.array([[np.inf, 3.0], [4.0, 6.0]])
    found = least_of_better(np.array([[5.0, 7.0], [4.0, 6.5]]), corners, corners + 1.0, np.array([1.0, 1.0]))
    np.testing.assert_array_equal(found, [[1.0, 4.0], [1.0, 6.5]])


def test_what_a_solver_wrongly_calls_least_is_not_listed_as_proven(monkeypatch: pytest.MonkeyPatch) -> None:
    class Overlooking(Sloppy):
        """Calls the worst point within the gap the least."""

        def solve(self, **asked: Any) -> SolveResult:
            found = super().solve(**asked)
            return dataclasses.replace(
                found, stop=StopReason.FINISHED, proof=Proof.OPTIMAL, bound=found.objective or 0.0
            )

    def rest(model: CompiledModel, *, backend: str, options: None, **asked: Any) -> SolveResult:
        return exactly.Pressed(model, cast(Backend, Overlooking(model))).solve(**asked)

    monkeypatch.setattr(oracle, "solve_rest", rest)
    model, true = cost_and_throughput(1)
    result = solve(model, shares=[0.1] * 2)
    assert result.status is FrontierStatus.COMPLETE
    assert covers(result, true)
    problem = ScaledProblem.of(model, [1.0, 1.0])
    for x, y in zip(result.solutions, result.points, strict=True):
        np.testing.assert_array_equal(problem.in_units(problem.image(problem.tightened(x))), y)
