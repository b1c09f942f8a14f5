"""What a run says when it is stopped, after any number of questions: the true frontier must agree with it."""

from __future__ import annotations

import dataclasses
import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from optimizer.backends.highs_here import HighsHere
from optimizer.backends.protocol import SolveLimits, SolveResult
from optimizer.pareto.algorithms import algorithm_class
from optimizer.pareto.engine import Run, RunLimits
from optimizer.pareto.indicators import covered_volume
from optimizer.pareto.ledger import Ledger
from optimizer.pareto.oracle import Oracle, OracleOptions
from optimizer.pareto.problem import ScaledProblem
from optimizer.pareto.progress import measure
from optimizer.pareto.query import Query
from optimizer.pareto.reply import Reply
from optimizer.pareto.solving import WIDTHS, solve
from optimizer.pareto.space import Space
from tests.pareto.programs import frontier, legal_values, program, random_program
from tests.pareto.test_effort import Known, enumerate_known

CASES = [
    (2, "epsilon"), (2, "halving"), (2, "boxes"), (3, "boxes"), (3, "zones"), (3, "batches"), (4, "boxes"), (4, "zones"), (4, "batches"),
]  # fmt: skip


class KnownToAResolution(Known):
    """Answers for zones with ``delta`` (k) taken off their corners, from the nondominated set."""

    def __init__(self, oracle: Oracle, points: np.ndarray, delta: np.ndarray) -> None:
        super().__init__(points, oracle.ideal, oracle.worst)
        self.delta, self.columns = delta, oracle.problem.scaled.n_columns

    def _one(self, query: Query) -> Reply:
        boxes = tuple(tuple((np.asarray(box) - self.delta + 1.0).tolist()) for box in query.boxes)
        reply = super()._one(dataclasses.replace(query, boxes=boxes))
        return reply if reply.point is None else dataclasses.replace(reply, x=np.zeros(self.columns))


@pytest.mark.parametrize("share", [0.0, 0.1])
@pytest.mark.parametrize(("k", "algorithm"), CASES)
def test_hypervolume_lies_within_its_bounds_and_the_error_holds_whenever_a_run_stops(
    k: int, algorithm: str, share: float
) -> None:
    for seed in range(4):
        model = random_program(k, seed, columns=7, rows=3, spread=40)
        true = np.array(frontier(legal_values(model)))
        problem = ScaledProblem.of(model, [1.0] * k)
        oracle = Oracle(problem, OracleOptions(reduce=False))
        points = np.round((true - model.offsets) / problem.unit)
        delta = 1.0 + np.floor(share * np.ptp(points, axis=0))
        for asked in range(1, 12 * len(points), max(1, len(points) // 3)):
            space = Space(
                delta, oracle.ideal, oracle.worst, problem.discrete, WIDTHS.get(algorithm, 1), typical=oracle.typical
            )
            known = KnownToAResolution(oracle, points, delta)
            chosen = algorithm_class(algorithm)(space)
            run = Run(problem, space, chosen, known, Ledger(None, {}, model.n_columns), RunLimits(solves=asked))
            run.execute()
            result = run.result(backend="known", resolution=[None] * k, error=delta - 1.0, relaxations=0)
            if not result.n_points:
                continue
            near = result.points[None] <= true[:, None] + np.array(result.error) + 1e-9
            assert near.all(axis=2).any(axis=1).all()
            assert result.hypervolume is not None
            reference = np.array(result.hypervolume.reference)
            volume = covered_volume(true, np.array(result.ideal), reference)
            assert result.hypervolume.listed - 1e-9 <= volume <= result.hypervolume.at_most + 1e-9
            worst = np.array(list(space.points)).max(axis=0)
            volume = covered_volume(points, space.ideal, worst + np.maximum(0.1 * (worst - space.ideal), delta))
            low, high = measure(space, chosen.unfinished(), asked, 1.0).hypervolume
            assert low - 1e-9 <= volume <= high + 1e-9
            if known.asked < asked:
                assert result.status.value == "complete"
                break
        else:
            pytest.fail("never complete")
        assert math.isfinite(sum(result.error))


@pytest.mark.parametrize("algorithm", ["zones", "boxes", "batches"])
def test_a_constant_objective_certifies_nothing_of_the_others(algorithm: str) -> None:
    model = program([[3, 5, 9, 0], [-4, -6, -8, -1], [0, 0, 0, 0]], offsets=[0, 0, 6])
    best = frontier(legal_values(model))
    for solves in range(1, 6):
        part = solve(model, algorithm=algorithm, listing=False, limits=RunLimits(solves=solves))
        assert all((part.points <= np.array(y) + np.array(part.error)).all(axis=1).any() for y in best)


def test_a_run_limited_to_some_solves_is_continued_with_the_algorithm_it_began_with(tmp_path: Path) -> None:
    model = random_program(2, 5, columns=8, rows=2, spread=60)
    whole = solve(model, listing=False)
    ledger = tmp_path / "ledger.jsonl"
    part = solve(model, listing=False, ledger_path=ledger, limits=RunLimits(solves=3))
    assert (whole.algorithm, part.algorithm, part.solves) == ("epsilon", "boxes", 3)
    rest = solve(model, listing=False, ledger_path=ledger, resume=True)
    assert rest.algorithm == "boxes"
    assert rest.status.value == "complete"
    assert np.array_equal(rest.points, whole.points)


def test_the_first_points_of_two_objectives_cover_most_of_the_hypervolume_when_few_are_asked_for() -> None:
    early = [enumerate_known(name, "boxes")[1] for name in ("pyaug_2kp50", "vopt_spa_sppnw12", "vopt_ukp_K5050W01")]
    assert min(early) > 0.92


class Dawdling:
    """A solver that waits before it answers, and writes down how long it may take."""

    def __init__(self, model: Any) -> None:
        self._inner, self.given = HighsHere(model), list[float]()

    def solve(self, *, limits: SolveLimits, **question: Any) -> SolveResult:
        assert limits.seconds is not None
        self.given.append(limits.seconds)
        time.sleep(0.02)
        return self._inner.solve(limits=limits, **question)


def test_the_solves_of_one_question_share_its_time() -> None:
    costs = np.random.default_rng(1).integers(10**8, 10**9, (3, 8))
    model = program(costs.tolist(), [([1.0] * 8, 3.0, 5.0)])
    problem = ScaledProblem.of(model, [1.0] * 3)
    oracle = Oracle(problem, OracleOptions(backend="highs", reduce=False, limits=SolveLimits(seconds=50.0)))
    solver = oracle._full = Dawdling(problem.scaled)  # type: ignore[assignment]
    assert oracle.ask(Query(((math.inf,) * 3,), direction=0)).proven
    assert len(solver.given) >= 2
    assert solver.given[0] <= 50.0
    assert max(np.diff(solver.given)) <= -0.02
    assert SolveLimits().begun().left() == SolveLimits()
    assert SolveLimits(seconds=-1.0).begun().left().seconds == 0.0
