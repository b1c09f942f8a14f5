"""The contract of every solver: three separate answers, edits that last one solve, offsets, limits."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import time

import numpy as np
import pytest

from models.errors import SolverError, UsageError
from optimizer.backends import available, backend_class, create, names
from optimizer.backends.features import choose, recommended
from optimizer.backends.guarded import Guarded
from optimizer.backends.integers import scaled_to_integers
from optimizer.backends.protocol import Proof, SolveLimits, SolveResult, SolverOptions, StopReason
from optimizer.compiled_model import CompiledModel
from tests.pareto.programs import legal_values, program, random_program

USABLE = [row.name for row in available() if row.usable]
SEEDS = [s for s in range(12) if len(legal_values(random_program(2, s)))][:4]


def test_the_folder_is_the_list() -> None:
    assert {"highs", "cpsat"} <= set(names())
    assert {"highs", "cpsat"} <= set(USABLE)
    for row in available():
        assert (row.version is not None) == row.usable
        assert (row.reason is None) == row.usable


@pytest.mark.parametrize("order", ["highspy, ortools.sat.python.cp_model", "ortools.sat.python.cp_model, highspy"])
def test_both_solvers_share_a_process(order: str) -> None:
    code = f"import {order}; h = highspy.Highs(); m = ortools.sat.python.cp_model.CpModel()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", USABLE)
@pytest.mark.parametrize("seed", SEEDS)
def test_optimum_and_bound(name: str, seed: int) -> None:
    model = random_program(2, seed)
    values = legal_values(model)
    solver = create(name, model)
    for weights in ([1.0, 0.0], [3.0, 1.0], [0.5, 0.25]):
        found = solver.solve(weights=weights)
        best = float((values @ weights).min())
        assert (found.stop, found.proof) == (StopReason.FINISHED, Proof.OPTIMAL)
        assert found.objective == pytest.approx(best, abs=1e-6)
        assert found.bound == pytest.approx(best, abs=1e-5)
        assert found.x is not None
        assert model.values(found.x) @ weights == pytest.approx(best)


@pytest.mark.parametrize("name", USABLE)
def test_edits_last_one_solve(name: str) -> None:
    model = program([[-1, -2, -3], [1, 1, 1]], [([1, 1, 1], 0, 2)], offsets=[10.0, 0.5])
    solver = create(name, model)

    def best(**edits: object) -> float | None:
        return solver.solve(weights=[1.0, 0.0], **edits).objective  # type: ignore[arg-type]

    assert best() == 5.0
    assert best(objective_upper=[np.inf, 1.5]) == 7.0
    assert best(objective_upper=[np.inf, 1.4]) == 10.0
    assert best(upper=np.array([1.0, 1.0, 0.0])) == 7.0
    assert best(lower=np.array([1.0, 0.0, 0.0])) == 6.0
    assert best(row_upper=np.array([1.0])) == 7.0
    assert best(row_lower=np.array([3.0]), row_upper=np.array([3.0])) == 4.0
    assert best(upper=np.array([1.0, 2.0, 1.0]), row_upper=np.array([3.0])) == 3.0
    assert best() == 5.0
    assert solver.solve(cost=np.array([1.0, -0.5, 0.25])).objective == pytest.approx(-0.5)
    assert solver.solve().x is not None


@pytest.mark.parametrize("name", USABLE)
def test_bounds_that_only_rows_imply(name: str) -> None:
    model = program([[-1, -1]], [([2, 3], -np.inf, 12)], upper=[np.inf, np.inf])
    solver = create(name, model)
    assert solver.solve(weights=[1.0]).objective == -6.0
    assert solver.solve(weights=[1.0], row_upper=np.array([20.0])).objective == -10.0
    assert solver.solve(weights=[1.0]).objective == -6.0


@pytest.mark.parametrize("name", USABLE)
@pytest.mark.parametrize("far", [1e19, 1e26])
def test_bounds_farther_than_any_row_reaches(name: str, far: float) -> None:
    solver = create(name, program([[-1, -2, -3]], [([1, 1, 1], 0, far), ([1, 1, 0], -far, 1)]))
    assert solver.solve(weights=[1.0]).objective == -5.0
    assert solver.solve(weights=[1.0], row_upper=np.array([far, far])).objective == -6.0
    for low, high in ((far, np.inf), (-np.inf, -far)):
        found = create(name, program([[1, 2]], [([2, 3], low, high)])).solve(weights=[1.0])
        assert found.proof is Proof.INFEASIBLE


@pytest.mark.parametrize("name", USABLE)
def test_infeasible_is_said_so(name: str) -> None:
    model = program([[1, 2]], [([2, 2], 1, 1)])
    found = create(name, model).solve(weights=[1.0])
    assert (found.stop, found.proof, found.x) == (StopReason.FINISHED, Proof.INFEASIBLE, None)
    assert create(name, program([[1, 2]])).solve(weights=[1.0], objective_upper=[-1]).proof is Proof.INFEASIBLE


@pytest.mark.parametrize("name", USABLE)
def test_a_limit_is_not_a_proof(name: str) -> None:
    rng = np.random.default_rng(0)
    rows = [(row.tolist(), 4_000.0, 4_001.0) for row in rng.integers(1, 400, (6, 50))]
    model = program(rng.integers(-400, 400, (2, 50)).tolist(), rows)
    found = create(name, model).solve(weights=[1.0, 1.0], limits=SolveLimits(seconds=0.3))
    assert found.stop is StopReason.TIME_LIMIT
    assert found.proof in (Proof.BOUND, Proof.NONE)
    if found.objective is not None:
        assert found.bound <= found.objective + 1e-6


@pytest.mark.parametrize("name", USABLE)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_union_of_boxes(name: str, seed: int) -> None:
    model = random_program(2, seed)
    values = legal_values(model)
    solver = create(name, model)
    middle = np.median(values, axis=0)
    boxes = np.array([[middle[0] - 3, values[:, 1].max()], [values[:, 0].max(), middle[1] - 2]])
    inside = values[((values[:, None, :] <= boxes[None]).all(axis=2)).any(axis=1)]
    found = solver.solve_any_of(boxes, weights=[1.0, 2.0])
    if len(inside):
        assert found.objective == pytest.approx((inside @ [1.0, 2.0]).min())
    else:
        assert found.proof is Proof.INFEASIBLE
    nowhere = solver.solve_any_of(np.tile(values.min(axis=0) - 1, (2, 1)), weights=[1.0, 1.0])
    assert nowhere.proof is Proof.INFEASIBLE
    assert solver.solve(weights=[1.0, 0.0]).objective == pytest.approx(values[:, 0].min())


def test_mixed_programs_keep_rounded_integers_feasible() -> None:
    model = program(
        [[1.0, 0.0, 0.3], [0.0, 1.0, -1.0]],
        [([-7.0, 0.0, 1.0], -np.inf, 0.0), ([0.0, -3.5, 1.0], -np.inf, 0.0)],
        upper=[1, 5, 10],
        integer=[True, True, False],
    )
    found = create("highs", model).solve(weights=[1.0, 1.0])
    assert found.x is not None
    assert set(found.x[:2]) <= {0.0, 1.0, 2.0}
    assert found.x[2] <= 7 * found.x[0] + 1e-6


def test_unbounded_is_said_so() -> None:
    model = program([[-1.0, 0.0]], upper=[np.inf, 1.0])
    assert create("highs", model).solve(weights=[1.0]).proof is Proof.UNBOUNDED


def test_cpsat_refuses_with_the_reason() -> None:
    refusal = backend_class("cpsat").refusal
    assert "continuous" in str(refusal(program([[1, 1]], integer=[True, False])))
    assert "finite bounds" in str(refusal(program([[1, 1]], upper=[np.inf, 1])))
    assert "row 0" in str(refusal(program([[1, 1]], [([1e-9, 1 / 3], 0, 1)])))
    assert "objective f1" in str(refusal(program([[1 / 3, 1e7]])))
    assert refusal(program([[0.25, 1.5]], [([0.1, 0.7], 0, 0.75)])) is None
    with pytest.raises(SolverError, match="continuous"):
        create("cpsat", program([[1, 1]], integer=[True, False]))


@pytest.mark.parametrize("name", names())
def test_a_missing_package_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.import_module(f"optimizer.backends.{name}").BACKEND
    monkeypatch.setattr("importlib.util.find_spec", lambda *_: None)
    assert "not installed" in str(found.unavailable())
    with pytest.raises(SolverError, match="not installed"):
        backend_class(name)


@pytest.mark.parametrize("name", USABLE)
def test_a_row_without_columns_counts(name: str) -> None:
    model = program([[1, 1]], [([0, 0], 1, 2)])
    assert create(name, model).solve(weights=[1.0]).proof is Proof.INFEASIBLE


def test_names_and_features() -> None:
    with pytest.raises(UsageError, match="cpsat"):
        backend_class("cpsatt")
    dense = random_program(2, 0)
    assert choose(dense) == "cpsat"
    packing = program([[1] * 60, [-1] * 60], [([1, 1, 0, 0, 1, 0] * 10, 0, 1), ([0, 1, 1, 1, 0, 0] * 10, 0, 1)])
    assert choose(packing) == "cpsat"
    assert recommended(packing, "cpsat").linearization_level == 2
    assert choose(program([[1, 1]], integer=[True, False])) == "highs"
    amounts = program([[1] * 60, [-1] * 60], [([3] * 60, 0, 90)], upper=[1.0] * 59 + [5_000.0])
    choices = program([[1] * 60, [-1] * 60], [([3] * 60, 0, 90)], upper=[1.0] * 59 + [8.0])
    assert recommended(amounts, "cpsat").linearization_level == 2
    assert recommended(choices, "cpsat").linearization_level == 1


def test_decimals_scale_exactly() -> None:
    whole, factor = scaled_to_integers(np.array([0.1, 0.25, -3.0])) or (None, 0)
    assert whole is not None
    assert (whole.tolist(), factor) == ([2, 5, -60], 20)
    assert scaled_to_integers(np.array([1 / 3, 1e12])) is None


class Deaf:
    """A solver that does not look at the clock: it takes as long as the first weight says."""

    def __init__(self, model: CompiledModel, options: SolverOptions) -> None:
        self.asked = 0

    def solve(self, *, weights: list[float], limits: SolveLimits) -> SolveResult:
        self.asked += 1
        if weights[0] < 0:
            raise ValueError("no such weight")
        os.write(1, b"a line on the standard output\n")
        time.sleep(weights[0])
        return SolveResult(StopReason.FINISHED, Proof.OPTIMAL, None, float(self.asked), 0.0, 0.0)


def test_a_solver_that_overruns_its_limit_is_ended() -> None:
    guarded = Guarded(Deaf, program([[1, 1]]), SolverOptions())
    short = SolveLimits(seconds=0.1, watchdog_factor=0.0)
    assert [guarded.ask("solve", SolveLimits(), weights=[0.0]).objective for _ in range(2)] == [1.0, 2.0]
    started = time.perf_counter()
    late = guarded.ask("solve", short, weights=[60.0])
    assert (late.stop, late.proof, late.x, late.bound) == (StopReason.TIME_LIMIT, Proof.NONE, None, -np.inf)
    assert time.perf_counter() - started < 50
    assert guarded.ask("solve", SolveLimits(), weights=[0.0]).objective == 1.0
    with pytest.raises(SolverError, match="no such weight"):
        guarded.ask("solve", SolveLimits(), weights=[-1.0])
    guarded.close()


def test_a_large_program_is_answered_alike_inside_and_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("optimizer.backends.highs.LARGE", 1)
    model = random_program(2, SEEDS[0])
    boxes = np.array([np.median(legal_values(model), axis=0) + 1])
    solver = create("highs", model)
    for limits in (SolveLimits(), SolveLimits(seconds=60)):
        found = solver.solve(weights=[1.0, 2.0], objective_upper=[np.inf, 9.0], limits=limits)
        union = solver.solve_any_of(boxes, weights=[1.0, 2.0], limits=limits)
        inside = legal_values(model)
        assert found.objective == (inside[inside[:, 1] <= 9.0] @ [1.0, 2.0]).min()
        assert union.objective == (inside[(inside <= boxes[0]).all(axis=1)] @ [1.0, 2.0]).min()
