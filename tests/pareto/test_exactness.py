"""Answers on integer programs rest on integers: the kind of program on which tolerances hide whole steps, against enumeration, at every size."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from moocore import is_nondominated
from numpy.typing import NDArray

from optimizer.backends import create
from optimizer.backends.features import LARGEST_FOR_CPSAT, TINY, choose
from optimizer.backends.protocol import DEFAULT_LIMITS, Proof, SolveLimits, SolveResult, StopReason
from optimizer.compiled_model import CompiledModel
from optimizer.pareto import FrontierStatus, solve
from optimizer.pareto.exactly import Pressed, solve_rest, solver_for
from optimizer.pareto.relaxation import Relaxation
from tests.pareto.programs import program, random_program

SIZES = (20, 100, 420, 1_000)
"""Options of the first group: a program below TINY columns, below LARGEST_FOR_CPSAT, above it, far above it."""
KINDS, MOST = 9, 3
"""The second group: so many kinds of units, so many units in all."""


@dataclass(frozen=True)
class Site:
    """One option of a group, and up to three units of several kinds; a column for the smaller of both shares, worth a step beside costs in
    the millions: HiGHS has left that column some steps below what it could be and called the value optimal.
    """

    cost: NDArray[np.float64]
    share: NDArray[np.float64]
    power: NDArray[np.float64]
    unit_cost: NDArray[np.float64]
    unit_share: NDArray[np.float64]
    unit_power: NDArray[np.float64]
    limit: float

    @property
    def model(self) -> CompiledModel:
        n = self.cost.size
        none, every = [0.0] * n, [1.0] * n
        rows = [
            ([*every, *[0.0] * (KINDS + 1)], 1.0, 1.0),
            ([*none, *[1.0] * KINDS, 0.0], -np.inf, float(MOST)),
            ([*-self.share, *[0.0] * KINDS, 1.0], -np.inf, 0.0),
            ([*none, *-self.unit_share, 1.0], -np.inf, 0.0),
            ([*self.power, *self.unit_power, 0.0], -np.inf, self.limit),
        ]
        objectives = [
            [*self.cost, *self.unit_cost, 0.0],
            [*none, *[0.0] * KINDS, -1.0],
            [*self.power, *self.unit_power, 0.0],
        ]
        return program(objectives, rows, upper=[*every, *[float(MOST)] * KINDS, 8_000.0 * MOST])

    @property
    def values(self) -> NDArray[np.float64]:
        """Value vectors of all choices within the limit, the share column as large as it may be."""
        picks = itertools.combinations_with_replacement(range(KINDS + 1), MOST)
        counts = np.array([np.bincount(pick, minlength=KINDS + 1)[:KINDS] for pick in picks], dtype=float)
        cost = (self.cost[:, None] + counts @ self.unit_cost).ravel()
        power = (self.power[:, None] + counts @ self.unit_power).ravel()
        share = np.minimum(self.share[:, None], counts @ self.unit_share).ravel()
        return np.column_stack([cost, -share, power])[power <= self.limit]


def random_site(n: int, seed: int) -> Site:
    rng = np.random.default_rng(seed)
    share = rng.integers(9_000, 28_000, n).astype(float)
    cost = np.round(60 * share + rng.integers(0, 500_000, n))
    power = np.round(share * rng.uniform(1.5, 2.4, n))
    unit_share = rng.integers(1_500, 8_000, KINDS).astype(float)
    unit_cost = np.round(5 * unit_share + rng.integers(0, 20_000, KINDS))
    unit_power = np.round(unit_share * rng.uniform(0.8, 1.4, KINDS))
    limit = float(np.quantile(power, 0.8) + MOST * np.median(unit_power))
    return Site(cost, share, power, unit_cost, unit_share, unit_power, limit)


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("seed", [3, 4])
def test_weighted_sums_within_boxes_equal_enumeration(n: int, seed: int) -> None:
    site = random_site(n, seed)
    model, values = site.model, site.values
    assert (model.n_columns <= TINY, model.n_columns <= LARGEST_FOR_CPSAT) == (n < 100, n < 400)
    solver = solver_for(model, "auto", None)
    rng = np.random.default_rng(seed)
    for weights in ([1.0, 1.0, 0.0], [1.0, 1.0, 1.0]):
        for _ in range(4 if n < 1_000 else 2):
            tops = values[rng.integers(len(values))] + [0.0, float(rng.integers(1, 60)), 0.0]
            tops[0] = np.inf
            inside = values[(values <= tops).all(axis=1)]
            found = solver.solve(weights=weights, objective_upper=tops.tolist(), step=1.0, limits=DEFAULT_LIMITS)
            assert (found.proof, found.exact) == (Proof.OPTIMAL, True)
            assert found.objective == float((inside @ weights).min())
            tops[0] = inside[:, 0].min() - 1
            again = solver.solve(weights=weights, objective_upper=tops.tolist(), step=1.0, limits=DEFAULT_LIMITS)
            assert (again.proof, again.exact) == (Proof.INFEASIBLE, True)


@pytest.mark.parametrize("n", SIZES[:3])
def test_a_frontier_to_a_resolution_rests_on_integers(n: int) -> None:
    site = random_site(n, 5)
    values = np.unique(site.values, axis=0)
    true = values[is_nondominated(values)]
    result = solve(site.model, shares=[0.1] * 3)
    assert result.status is FrontierStatus.COMPLETE
    assert result.tolerated == 0
    reach = np.array(result.error)
    assert all((result.points <= y + reach).all(axis=1).any() for y in true)
    listed = {tuple(y) for y in values.tolist()}
    assert all(tuple(z) in listed for z in result.points.tolist())


class Liar:
    """A solver that calls a legal point optimal which is not, or a feasible program infeasible."""

    def __init__(self, model: CompiledModel, *, denies: bool) -> None:
        self._true = create("highs", model)
        self._model, self._denies = model, denies

    def solve(
        self, *, weights: Sequence[float], objective_upper: Sequence[float], step: float, limits: SolveLimits
    ) -> SolveResult:
        worst = self._true.solve(weights=[-w for w in weights], objective_upper=objective_upper)
        if worst.x is None or self._denies:
            return SolveResult(StopReason.FINISHED, Proof.INFEASIBLE, None, None, np.inf, 0.0)
        value = float(self._model.values(worst.x) @ weights)
        return dataclasses.replace(worst, objective=value, bound=value)

    def solve_any_of(
        self, boxes: NDArray[np.float64], *, weights: Sequence[float], step: float, limits: SolveLimits
    ) -> SolveResult:
        every = [self.solve(weights=weights, objective_upper=b.tolist(), step=step, limits=limits) for b in boxes]
        found = [one for one in every if one.objective is not None]
        return min(found, key=lambda one: float(one.objective or 0.0)) if found else every[0]


@pytest.mark.parametrize("denies", [False, True])
@pytest.mark.parametrize("seed", range(8))
def test_pressing_turns_false_claims_into_the_truth(seed: int, denies: bool) -> None:
    model = random_program(3, seed, columns=7, rows=2)
    pressed = Pressed(model, Liar(model, denies=denies))
    ranges = [range(int(a), int(b) + 1) for a, b in zip(model.lower, model.upper, strict=True)]
    points = np.array(list(itertools.product(*ranges)), dtype=float)
    activity = points @ model.matrix.toarray().T
    values = points[((activity <= model.row_upper) & (activity >= model.row_lower)).all(axis=1)] @ model.objectives.T
    rng = np.random.default_rng(seed)
    for _ in range(4):
        tops = rng.integers(-15, 25, 3).astype(float)
        inside = values[(values <= tops).all(axis=1)]
        found = pressed.solve(weights=[3.0, 1.0, 2.0], objective_upper=tops.tolist(), step=1.0, limits=DEFAULT_LIMITS)
        boxes = np.array([tops, tops[::-1]])
        both = values[((values[:, None, :] <= boxes).all(axis=2)).any(axis=1)]
        union = pressed.solve_any_of(boxes, weights=[3.0, 1.0, 2.0], step=1.0, limits=DEFAULT_LIMITS)
        for answer, legal in ((found, inside), (union, both)):
            assert answer.exact
            assert (answer.proof is Proof.INFEASIBLE) == (not len(legal))
            if len(legal):
                assert answer.objective == (legal @ [3.0, 1.0, 2.0]).min()


@pytest.mark.parametrize("slack", [1.0, 4.0, 30.0])
@pytest.mark.parametrize("seed", range(6))
def test_pressing_down_to_a_slack_bounds_what_it_leaves_open(seed: int, slack: float) -> None:
    model, weights = random_program(2, seed, columns=7), [3.0, 1.0]
    pressed = Pressed(model, Liar(model, denies=False))
    ranges = [range(int(a), int(b) + 1) for a, b in zip(model.lower, model.upper, strict=True)]
    points = np.array(list(itertools.product(*ranges)), dtype=float)
    activity = points @ model.matrix.toarray().T
    values = points[((activity <= model.row_upper) & (activity >= model.row_lower)).all(axis=1)] @ model.objectives.T
    if not len(values):
        return
    least, limits = float((values @ weights).min()), SolveLimits(slack=slack)
    for most in (np.inf, least + 5.0, least, least - 2.0):
        asked = {"weights": weights, "objective_upper": [np.inf, np.inf], "step": 1.0, "limits": limits}
        found = pressed.solve(**asked, most=most)  # type: ignore[arg-type]
        assert found.exact
        assert found.bound <= least
        # of interest is only what lies at most there: either it is found, up to the slack, or there is none
        assert found.objective <= max(least + slack - 1.0, found.bound + slack - 1.0) or least > most - slack


def test_two_objectives_to_a_resolution_rest_on_integers_though_the_solver_errs() -> None:
    site = random_site(420, 7)
    model = dataclasses.replace(
        site.model, objectives=site.model.objectives[:2], senses=site.model.senses[:2], steps=site.model.steps[:2],
        offsets=site.model.offsets[:2], objective_names=site.model.objective_names[:2],
    )  # fmt: skip
    values = site.values[:, :2]
    result = solve(model, shares=[0.02, 0.02])
    assert result.status is FrontierStatus.COMPLETE
    assert (result.algorithm, result.tolerated) == ("halving", 0)
    assert all(e <= r for e, r in zip(result.error, result.resolution, strict=True))
    reach = np.array(result.error)
    assert all((result.points <= y + reach).all(axis=1).any() for y in values)


def test_continuous_columns_rest_on_tolerances() -> None:
    model = program([[1.0, 2.0], [2.0, -1.0]], [([1.0, 1.0], 1.0, 2.0)], integer=[True, False], upper=[3.0, 3.0])
    assert choose(model) == "highs"
    result = solve(model, shares=[0.1, 0.1])
    assert result.status is FrontierStatus.COMPLETE
    assert result.tolerated > 0


def test_a_relaxation_cut_short_still_bounds() -> None:
    rng = np.random.default_rng(3)
    rows = [(row.tolist(), -np.inf, 9_000.0) for row in rng.integers(1, 99, (60, 400))]
    model = program((-rng.integers(1, 99, (2, 400))).tolist(), rows)
    whole = Relaxation(model).minimise([1.0, 1.0])
    short = Relaxation(model)
    short.seconds = 0.0
    cut = short.minimise([1.0, 1.0])
    assert cut.x is None
    assert cut.bound <= whole.bound + 1e-6
    short.seconds = None
    assert short.minimise([1.0, 1.0]).bound == whole.bound


@pytest.mark.parametrize("seed", [3, 4])
def test_a_rest_beyond_its_work_is_answered_by_a_pressed_solver(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    site = random_site(100, seed)
    weights = [1.0, 1.0, 1.0]
    tops = site.values[7].tolist()
    true = float((site.values[(site.values <= tops).all(axis=1)] @ weights).min())

    def answered() -> SolveResult:
        return solve_rest(
            site.model, backend="auto", options=None, weights=weights, objective_upper=tops, step=1.0, limits=DEFAULT_LIMITS, most=np.inf
        )  # fmt: skip

    at_once = answered()
    monkeypatch.setattr("optimizer.pareto.exactly.REST_EFFORT", 1e-9)
    handed_on = answered()
    for found in (at_once, handed_on):
        assert (found.proof, found.objective, found.exact) == (Proof.OPTIMAL, true, True)
    assert handed_on.message != at_once.message
