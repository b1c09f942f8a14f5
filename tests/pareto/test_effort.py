"""How many questions the algorithms ask, and how soon their points cover the frontier: known sets answer instead of a solver."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import moocore
import numpy as np
import pytest
from numpy.typing import NDArray

from optimizer import moo_json
from optimizer.backends.protocol import SolveLimits
from optimizer.pareto.algorithms import algorithm_class, default_for
from optimizer.pareto.engine import Run, RunLimits
from optimizer.pareto.ledger import Ledger
from optimizer.pareto.oracle import Oracle, OracleOptions
from optimizer.pareto.problem import ScaledProblem
from optimizer.pareto.query import Outcome, Query
from optimizer.pareto.reply import Counts, Reply
from optimizer.pareto.solving import WIDTHS
from optimizer.pareto.space import Space

FOLDER = Path(__file__).parents[1] / "data" / "moo"
THREE = (
    "moa122_gap3",
    "ks14_ILP_p-3_n-10_m-5_1",
    "ks14_ILP_p-3_n-30_m-15_1",
    "ks14_KP_p-3_n-10_1",
    "ks14_KP_p-3_n-20_1",
)
FOUR = ("ks14_ILP_p-4_n-10_m-5_1", "ks14_KP_p-4_n-10_1", "ks14_KP_p-4_n-20_1", "pyaug_4kp50")
FIVE = ("ks14_KP_p-5_n-10_1", "ks14_ILP_p-5_n-10_m-5_1")


class Known:
    """Answers from the whole nondominated set (n x k, scaled)."""

    def __init__(self, points: NDArray[np.float64], ideal: NDArray[np.float64], worst: NDArray[np.float64]) -> None:
        self._points, self._ideal, self._worst = points, ideal, worst
        self.given: list[tuple[float, ...]] = []
        self.asked = 0
        self.ahead = 0

    def answer(self, queries: Sequence[Query], limits: SolveLimits, soon: Sequence[Query] = ()) -> Iterator[Reply]:
        for query in queries:
            self.asked += 1
            yield self._one(query)

    def close(self) -> None:
        return

    def _one(self, query: Query) -> Reply:
        inside = np.zeros(len(self._points), dtype=bool)
        for box in query.boxes:
            inside |= (self._points <= np.asarray(box) - 1.0).all(axis=1)
        if not inside.any():
            return Reply(Outcome.INFEASIBLE, None, None, math.inf, True, Counts(1, 1))
        found = self._points[inside]
        if query.direction is not None:
            best = found[np.lexsort((found.sum(axis=1), found[:, query.direction]))[0]]
            bound = float(best[query.direction])
        else:
            ranges = np.maximum(self._worst - self._ideal, 1.0)
            weights = np.asarray(query.weights) if query.weights is not None else np.round(ranges.max() / ranges)
            best = found[int(np.argmin(found @ weights))]
            bound = float(best @ weights)
        point = tuple(best.tolist())
        if point not in self.given:
            self.given.append(point)
        return Reply(Outcome.OPTIMAL, point, np.zeros(1), bound, True, Counts(1, 1))


def enumerate_known(name: str, algorithm: str) -> tuple[float, float]:
    """Questions per point, and the share of the hypervolume after as many questions as a quarter of the points."""
    data = json.loads((FOLDER / f"{name}.json").read_text())
    model = moo_json.read(FOLDER / f"{name}.json")
    problem = ScaledProblem.of(model, [1.0] * model.n_objectives)
    oracle = Oracle(problem, OracleOptions(reduce=False))
    signs = np.array([1.0 if sense == "min" else -1.0 for sense in data["sense"]])
    points = np.round((np.array(data["nondominated_points"]) * signs - model.offsets) / problem.unit)
    space = fresh_space(oracle, algorithm)
    known = Known(points, oracle.ideal, oracle.worst)
    quarter = math.ceil(0.25 * len(points))
    run = Run(problem, space, algorithm_class(algorithm)(space), known, Ledger(None, {}, 1), RunLimits(solves=quarter))
    run.execute()
    early = hypervolume(np.array(list(space.points)), points) / hypervolume(points, points)
    space = fresh_space(oracle, algorithm)
    known = Known(points, oracle.ideal, oracle.worst)
    Run(problem, space, algorithm_class(algorithm)(space), known, Ledger(None, {}, 1), RunLimits()).execute()
    assert set(space.points) == set(map(tuple, points.tolist()))
    return known.asked / len(points), early


def fresh_space(oracle: Oracle, algorithm: str) -> Space:
    k, width = oracle.ideal.size, WIDTHS.get(algorithm, 1)
    return Space(np.ones(k), oracle.ideal, oracle.worst, oracle.problem.discrete, width, typical=oracle.typical)


def hypervolume(points: NDArray[np.float64], all_points: NDArray[np.float64]) -> float:
    low, high = all_points.min(axis=0), all_points.max(axis=0)
    spans = np.maximum(high - low, 1.0)
    return float(moocore.hypervolume((points - low) / spans, ref=np.full(len(low), 1.1)))


@pytest.mark.parametrize(
    ("name", "most"), [*((n, 1.30) for n in THREE), *((n, 1.30) for n in FOUR), *((n, 1.40) for n in FIVE)]
)
def test_batches_ask_little_more_than_once_a_point(name: str, most: float) -> None:
    asked, _ = enumerate_known(name, "batches")
    assert asked <= most


@pytest.mark.parametrize("name", THREE)
@pytest.mark.parametrize(("algorithm", "least"), [("boxes", 1), ("zones", 20)])
def test_three_objectives_ask_at_most_twice_a_point(name: str, algorithm: str, least: int) -> None:
    """Of frontiers with ``least`` points; a zone more than twice the points is left between them."""
    points = json.loads((FOLDER / f"{name}.json").read_text())["nondominated_points"]
    asked, _ = enumerate_known(name, algorithm)
    assert asked <= (2.05 if len(points) >= least else 2.0 + 1.0 / len(points))


def test_three_objectives_want_the_least_time_unless_early_points_count() -> None:
    assert [default_for(k) for k in (1, 2, 3, 4, 5)] == ["single", "epsilon", "zones", "boxes", "batches"]
    assert default_for(3, early=True) == default_for(3, limited=True) == "boxes"
    assert default_for(2, early=True) == "epsilon"


def test_the_first_quarter_of_the_questions_covers_most_of_the_hypervolume() -> None:
    early = [enumerate_known(name, "boxes")[1] for name in (*THREE, *FOUR, *FIVE)]
    assert min(early) > 0.91
    assert np.mean(early) > 0.94


def test_sums_that_take_too_much_work_leave_the_frontier_to_single_objectives() -> None:
    class Dear(Known):
        """Ends no sum that may be given up."""

        given_up = 0

        def _one(self, query: Query) -> Reply:
            if query.effort is None:
                return super()._one(query)
            self.given_up += 1
            return Reply(Outcome.LIMIT, None, None, -math.inf, False, Counts(1, 1))

    data = json.loads((FOLDER / "ks14_KP_p-3_n-20_1.json").read_text())
    model = moo_json.read(FOLDER / "ks14_KP_p-3_n-20_1.json")
    problem = ScaledProblem.of(model, [1.0] * 3)
    oracle = Oracle(problem, OracleOptions(reduce=False))
    signs = np.array([1.0 if sense == "min" else -1.0 for sense in data["sense"]])
    points = np.round((np.array(data["nondominated_points"]) * signs - model.offsets) / problem.unit)
    space = fresh_space(oracle, "zones")
    space.delta[:] = 20.0
    known = Dear(points, oracle.ideal, oracle.worst)
    Run(problem, space, algorithm_class("zones")(space), known, Ledger(None, {}, 1), RunLimits()).execute()
    assert known.given_up == 1
    assert all(settled.closed.proven for settled in space.settled)
    assert all((space.listed <= y + 20.0).all(axis=1).any() for y in points)
