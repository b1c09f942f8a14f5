"""Repeated questions to one program: every answer equals enumeration or the plain solver, whatever was asked before."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

from models.errors import UsageError
from optimizer.backends import create
from optimizer.backends.protocol import Proof, StopReason
from optimizer.compiled_model import CompiledModel
from optimizer.pareto.requery import Requery
from tests.pareto.programs import program, random_program
from tests.pareto.structured import compiled, random_site


def legal_points(model: CompiledModel, row_lower: np.ndarray, row_upper: np.ndarray) -> np.ndarray:
    ranges = [range(int(a), int(b) + 1) for a, b in zip(model.lower, model.upper, strict=True)]
    points = np.array(list(itertools.product(*ranges)), dtype=float)
    activity = points @ model.matrix.toarray().T
    return points[((activity <= row_upper + 1e-9) & (activity >= row_lower - 1e-9)).all(axis=1)]


@pytest.mark.parametrize("seed", range(6))
def test_small_programs_equal_enumeration(seed: int) -> None:
    model = random_program(2, seed)
    hot = Requery(model)
    rng = np.random.default_rng(seed)
    for _ in range(12):
        cost = rng.normal(size=model.n_columns)
        lower, upper = model.row_lower.copy(), model.row_upper.copy()
        row = int(rng.integers(model.n_rows))
        upper[row] += float(rng.integers(-6, 7))
        held = {int(rng.integers(model.n_columns)): 1.0} if rng.random() < 0.5 else {}
        out = [int(rng.integers(model.n_columns))] if rng.random() < 0.5 else []
        points = legal_points(model, lower, upper)
        for column, value in [*held.items(), *((c, 0.0) for c in out)]:
            points = points[points[:, column] == value]
        found = hot.optimum(cost, row_upper={row: float(upper[row])}, fixed=held, forbidden=out)
        if not len(points):
            assert (found.proof, found.x, found.bound) == (Proof.INFEASIBLE, None, np.inf)
            continue
        best = float((points @ cost).min())
        assert (found.stop, found.proof) == (StopReason.FINISHED, Proof.OPTIMAL)
        assert found.objective == pytest.approx(best, abs=1e-6)
        assert found.bound <= best + 1e-9
        assert found.x is not None
        assert float(cost @ found.x) == pytest.approx(best, abs=1e-6)


@pytest.fixture(scope="module")
def site() -> CompiledModel:
    return compiled(random_site(400, 7))


def test_structured_programs_equal_the_plain_solver(site: CompiledModel) -> None:
    hot, plain = Requery(site), create("highs", site)
    rng = np.random.default_rng(1)
    found = hot.optimum(site.objectives[0])
    for number in range(8):
        cost = np.array([1.0 + rng.random(), rng.random(), 0.1 * rng.random()]) @ site.objectives
        tops = [np.inf, -float(rng.integers(1_000, 200_000)), np.inf] if number % 2 else [np.inf] * 3
        upper = site.upper.copy()
        taken = np.flatnonzero((found.x if found.x is not None else upper)[:400] > 0.5)[:1].tolist()
        upper[taken] = 0.0
        found = hot.optimum(cost, objective_upper=tops, forbidden=taken)
        whole = plain.solve(cost=cost, objective_upper=tops, upper=upper)
        assert found.proof is whole.proof is Proof.OPTIMAL
        assert found.objective == pytest.approx(whole.objective, rel=1e-9)
        assert found.bound <= found.objective


def test_loosened_rows_are_seen(site: CompiledModel) -> None:
    """The power limit of an option doubled: what the row implied before must not be used."""
    rows = np.flatnonzero(site.row_upper == 0.0)
    tight = dataclasses.replace(site, row_upper=np.where(np.isin(np.arange(site.n_rows), rows), -1.0, site.row_upper))
    hot = Requery(tight)
    assert hot.optimum(tight.objectives[0]).proof is Proof.INFEASIBLE
    back = {int(r): 0.0 for r in rows}
    expected = create("highs", site).solve(cost=site.objectives[0]).objective
    assert hot.optimum(tight.objectives[0], row_upper=back).objective == pytest.approx(expected)
    assert hot.optimum(tight.objectives[0]).proof is Proof.INFEASIBLE


def test_answers_do_not_depend_on_earlier_questions(site: CompiledModel) -> None:
    costs = [site.objectives[0], site.objectives[2], site.objectives[0] + 7.5 * site.objectives[2]]
    forward, backward = Requery(site), Requery(site)
    one = [forward.optimum(cost).objective for cost in costs]
    other = [backward.optimum(cost).objective for cost in reversed(costs)]
    assert one == other[::-1]


def test_a_gap_and_a_limit_are_stated(site: CompiledModel) -> None:
    hot = Requery(site)
    best = hot.optimum(site.objectives[0]).objective
    assert best is not None
    loose = hot.optimum(site.objectives[0], gap=0.01 * best)
    assert loose.objective is not None
    assert loose.bound <= best <= loose.objective <= best + 0.01 * best
    late = hot.optimum(site.objectives[0] + site.objectives[2], time_limit=0.0)
    assert late.stop is StopReason.TIME_LIMIT
    assert late.proof is Proof.BOUND
    assert late.bound <= hot.optimum(site.objectives[0] + site.objectives[2]).objective  # type: ignore[operator]


def test_continuous_columns() -> None:
    model = program(
        [[1.0, 1.0, -1.0]], [([0.0, -3.5, 1.0], -np.inf, 0.0)], upper=[1, 5, 10], integer=[True, True, False]
    )
    found = Requery(model).optimum(np.array([0.0, 1.0, -1.0]))
    assert found.objective == pytest.approx(3.0 - 10.0)
    assert Requery(model).optimum(np.array([0.0, 1.0, -1.0]), fixed={1: 1.0}).objective == pytest.approx(-2.5)


def test_questions_that_make_no_sense(site: CompiledModel) -> None:
    hot = Requery(site)
    for wrong in (
        {"cost": np.ones(3)},
        {"row_upper": {site.n_rows: 1.0}},
        {"fixed": {0: 7.0}},
        {"gap": -1.0},
        {"objective_upper": [1.0]},
    ):
        with pytest.raises(UsageError):
            hot.optimum(**{"cost": site.objectives[0], **wrong})
