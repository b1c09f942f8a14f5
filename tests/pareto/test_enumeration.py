"""Listing the whole frontier of small programs: by brute force over many kinds of programs, with narrow passes so that bounds must prove the rest."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import optimizer.pareto.enumeration as enumeration_module
import optimizer.pareto.labels as labels_module
import optimizer.pareto.surrogates as surrogates_module
from optimizer import moo_json
from optimizer.compiled_model import CompiledModel
from optimizer.pareto import Closure, FrontierStatus, solve
from optimizer.pareto.certificate import Claim, local_upper_bounds, verify
from optimizer.pareto.enumeration import Enumeration, enumerated
from optimizer.pareto.oracle import Oracle, OracleOptions
from optimizer.pareto.problem import ScaledProblem
from optimizer.pareto.stages import Stages
from optimizer.pareto.surrogates import Inequalities, Separation, Surrogates
from tests.pareto.programs import frontier, legal_values, program

INF = np.inf
FOLDER = Path(__file__).parents[1] / "data" / "moo"


def knapsack(rng: np.random.Generator, k: int, *, rows: int, largest: int) -> CompiledModel:
    n = int(rng.integers(4, 11))
    weights = rng.integers(0, 30, (rows, n))
    limits = [(row.tolist(), -INF, float(row.sum() * rng.uniform(0.2, 0.8))) for row in weights]
    return program((-rng.integers(0, largest + 1, (k, n))).tolist(), limits)


def assignment(rng: np.random.Generator, k: int, *, largest: int) -> CompiledModel:
    size = 3
    rows = []
    for i in range(size):
        one = np.zeros((size, size))
        one[i] = 1
        rows += [(one.ravel().tolist(), 1.0, 1.0), (one.T.ravel().tolist(), 1.0, 1.0)]
    return program(rng.integers(0, largest + 1, (k, size * size)).tolist(), rows)


def packing(rng: np.random.Generator, k: int, *, largest: int) -> CompiledModel:
    n = int(rng.integers(5, 11))
    rows = [((rng.random(n) < 0.35).astype(int).tolist(), -INF, 1.0) for _ in range(int(rng.integers(2, 9)))]
    return program((-rng.integers(0, largest + 1, (k, n))).tolist(), rows)


def general(rng: np.random.Generator, k: int, *, largest: int) -> CompiledModel:
    n = int(rng.integers(2, 6))
    low = rng.integers(-3, 2, n)
    high = low + rng.integers(0, 5, n)
    rows = []
    for _ in range(int(rng.integers(0, 4))):
        body = rng.integers(-9, 10, n)
        middle = float(body @ (low + high)) / 2
        rows.append((body.tolist(), middle - 9 if rng.random() < 0.5 else -INF, middle + float(rng.integers(0, 12))))
    costs = rng.integers(-largest, largest + 1, (k, n))
    return program(costs.tolist(), rows, lower=low.tolist(), upper=high.tolist())


def equations(rng: np.random.Generator, k: int, *, largest: int) -> CompiledModel:
    n = int(rng.integers(3, 7))
    high = rng.integers(1, 5, n)
    held = np.array([rng.integers(0, top + 1) for top in high])
    body, other = rng.integers(-3, 6, n), rng.integers(0, 6, n)
    rows = [(body.tolist(), float(body @ held), float(body @ held)), (other.tolist(), float(other @ held) - 1, INF)]
    return program(rng.integers(-largest, largest + 1, (k, n)).tolist(), rows, upper=high.tolist())


def decimals(rng: np.random.Generator, k: int) -> CompiledModel:
    n = int(rng.integers(3, 9))
    row = np.round(rng.integers(1, 30, n) * 0.1, 1)
    costs = rng.integers(-40, 40, (k, n)) * 0.25
    return program(costs.tolist(), [(row.tolist(), -INF, round(float(rng.uniform(1, 6)), 2))], offsets=[0.5] * k)


def dense(rng: np.random.Generator, k: int) -> CompiledModel:
    n = 6
    low, steps = rng.integers(-2, 2, n), rng.integers(2, 5, n)
    rows = []
    for _ in range(int(rng.integers(2, 6))):
        body = rng.integers(1, 60, n) * np.where(rng.random(n) < 0.25, -1, 1)
        rows.append((body.tolist(), -INF, float(round((np.maximum(body, 0) @ steps) * 0.35 + body @ low))))
    costs = rng.integers(1, 100, (k, n)) * np.where(rng.random((k, n)) < 0.2, 1, -1)
    return program(costs.tolist(), rows, lower=low.tolist(), upper=(low + steps).tolist())


def made(kind: str, k: int, seed: int) -> CompiledModel:
    rng = np.random.default_rng(seed)
    largest = int(rng.choice([2, 20, 1000, 10**7]))
    if kind == "knapsack":
        return knapsack(rng, k, rows=1 + seed % 3, largest=largest)
    if kind == "decimals":
        return decimals(rng, k)
    if kind == "dense":
        return dense(rng, k)
    makers = {"assignment": assignment, "packing": packing, "general": general, "equations": equations}
    return makers[kind](rng, k, largest=largest)


def listed(model: CompiledModel) -> tuple[Enumeration | None, ScaledProblem, bool]:
    problem = ScaledProblem.of(model, [1.0] * model.n_objectives)
    oracle = Oracle(problem, OracleOptions(reduce=False))
    if oracle.infeasible:
        return None, problem, True
    return enumerated(problem, oracle.relaxation, oracle.ideal, oracle.worst), problem, False


def true_frontier(model: CompiledModel) -> NDArray[np.float64]:
    values = legal_values(model)
    return np.array(frontier(values) if len(values) else []).reshape(-1, model.n_objectives)


@pytest.mark.parametrize("width", [8, 240])
@pytest.mark.parametrize("kind", ["knapsack", "assignment", "packing", "general", "equations", "dense", "decimals"])
def test_equals_brute_force(kind: str, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enumeration_module, "FIRST_WIDTH", width)
    monkeypatch.setattr(enumeration_module, "WORK", 5.0)
    found_some = 0
    for k, seed in itertools.product((2, 3, 4, 5, 6), range(2)):
        model = made(kind, k, 100 * seed + k)
        expected = true_frontier(model)
        found, problem, infeasible = listed(model)
        if infeasible:
            assert not len(expected)
        elif found is not None:
            found_some += 1
            np.testing.assert_allclose(problem.in_units(found.y), expected)
            for x, y in zip(found.x, found.y, strict=True):
                assert problem.violation(x) is None
                np.testing.assert_array_equal(problem.image(x), y)
    assert found_some >= 6


@pytest.mark.parametrize(("k", "size"), [(2, 6), (3, 6), (4, 5)])
def test_assignments_are_those_of_all_permutations(k: int, size: int) -> None:
    costs = np.random.default_rng(10 * k + size).integers(1, 21, (k, size, size))
    rows = []
    for i in range(size):
        one = np.zeros((size, size))
        one[i] = 1
        rows += [(one.ravel().tolist(), 1.0, 1.0), (one.T.ravel().tolist(), 1.0, 1.0)]
    result = solve(program(costs.reshape(k, -1).tolist(), rows))
    chosen = np.array(list(itertools.permutations(range(size))))
    values = np.unique(costs[:, np.arange(size), chosen].sum(axis=2).T.astype(float), axis=0)
    assert result.algorithm == "listing"
    assert [tuple(y) for y in result.points.tolist()] == frontier(values)


@pytest.mark.parametrize("kind", ["knapsack", "general", "equations", "dense"])
def test_inequalities_shared_by_labels_lose_nothing(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enumeration_module, "FIRST_WIDTH", 8)
    monkeypatch.setattr(surrogates_module, "MANY", 2)
    monkeypatch.setattr(surrogates_module, "MANY_PER_FIGURE", 0.0)
    monkeypatch.setattr(surrogates_module, "AT_ONCE", 16)
    monkeypatch.setattr(labels_module, "AT_ONCE", 5)
    asked = 0
    reachable = Surrogates.reachable

    def counted(self: Surrogates, *given: Any) -> NDArray[np.intp]:
        nonlocal asked
        asked += 1
        return reachable(self, *given)

    monkeypatch.setattr(Surrogates, "reachable", counted)
    for k, seed in itertools.product((2, 3, 4), range(3)):
        model = made(kind, k, 100 * seed + k + 7)
        found, problem, infeasible = listed(model)
        assert (found is None) == infeasible
        if found is not None:
            np.testing.assert_allclose(problem.in_units(found.y), true_frontier(model))
    assert asked >= 5


@pytest.mark.parametrize("kind", ["knapsack", "general", "equations", "dense"])
def test_an_inequality_holds_for_every_completion_and_a_separation_is_one(kind: str) -> None:
    shown = 0
    for seed in range(12):
        model = made(kind, 3, seed)
        n = model.n_columns
        stages = Stages.of(model, model.lower, model.upper, np.arange(n))
        if stages is None or n > 7:
            continue
        points = np.array(list(itertools.product(*(range(int(top) + 1) for top in stages.steps))), dtype=float)
        room, sums = points @ stages.room.T, points @ stages.sums.T
        points = points[(room <= stages.most).all(axis=1) & (sums == stages.totals).all(axis=1)]
        rng = np.random.default_rng(seed)
        separation = Separation(stages, np.full(3, 50.0))
        for stage in range(1, n):
            chosen = points[rng.integers(0, len(points))] if len(points) else np.zeros(n)
            rows = np.concatenate([stages.room[:, :stage], stages.sums[:, :stage], stages.costs[:, :stage]])
            label = rows @ chosen[:stage]
            label[len(rows) - 3 :] += stages.start
            ends = points[(points[:, :stage] == chosen[:stage]).all(axis=1)] @ stages.costs.T + stages.start
            corner = label[len(rows) - 3 :] + rng.integers(-60, 10, 3)
            found = separation.between(label, corner, stage)
            within = (ends <= corner).all(axis=1).any()
            if found is not None:
                assert not within
                shown += 1
                inequality = Inequalities(stages, found[0][None], found[1][None])
                bound = inequality.bounds(label[None], stage)[0, 0]
                assert bound > found[0] @ corner
                assert (ends @ found[0] >= bound - 1e-9 * (1 + abs(bound))).all()
    assert shown > 10


@pytest.mark.parametrize(
    "name", ["ks14_KP_p-5_n-20_1", "ks14_KP_p-3_n-40_1", "vopt_spa_sppnw41", "ks14_ILP_p-3_n-20_m-10_1"]
)
def test_known_sets_need_no_solver(name: str) -> None:
    model = moo_json.read(FOLDER / f"{name}.json")
    result = solve(model)
    assert result.status is FrontierStatus.COMPLETE
    assert result.calls == 0
    assert result.tolerated == 0


def test_what_is_too_large_is_left_to_a_solver(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    many = program(rng.integers(1, 99, (2, 1600)).tolist(), [(rng.integers(1, 9, 1600).tolist(), 90, INF)])
    assert listed(many)[0] is None
    monkeypatch.setattr(enumeration_module, "WORK", 0.05)
    monkeypatch.setattr(enumeration_module, "WORK_PER_POINT", 0.0)
    rows = [(rng.integers(1, 99, 40).tolist(), -INF, 900.0) for _ in range(20)]
    assert listed(program((-rng.integers(1, 99, (3, 40))).tolist(), rows))[0] is None


@pytest.mark.parametrize("cuts", [[1e9, 2e9], [1e9, 9e8, 7.0, 1.0], [20.0, 30.0, 1.0]])
def test_passes_end_where_wider_ones_leave_out_as_much(cuts: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    model = made("knapsack", 3, 4)
    shown = iter(cuts)
    run = enumeration_module.Labels.run
    monkeypatch.setattr(enumeration_module.Labels, "run", lambda self: dataclasses.replace(run(self), cut=next(shown)))
    assert (listed(model)[0] is None) == (cuts[-1] > 1.0)
    assert next(shown, None) is None


def test_a_limit_on_time_ends_it() -> None:
    model = made("knapsack", 3, 4)
    problem = ScaledProblem.of(model, [1.0] * 3)
    oracle = Oracle(problem, OracleOptions(reduce=False))
    assert enumerated(problem, oracle.relaxation, oracle.ideal, oracle.worst, seconds=0.0) is None
    assert enumerated(problem, oracle.relaxation, oracle.ideal, oracle.worst, stop=lambda: True) is None
    assert enumerated(problem, oracle.relaxation, oracle.ideal, oracle.worst) is not None


def test_a_named_solver_or_a_resolution_is_heeded() -> None:
    model = made("knapsack", 2, 2)
    assert solve(model).calls == 0
    assert solve(model, backend="cpsat").calls > 0
    assert solve(model, resolution=[2.0, 2.0]).calls > 0
    assert solve(model, listing=False).calls > 0


def test_a_listed_frontier_is_whole_at_once_and_its_ledger_proves_it(tmp_path: Path) -> None:
    model = moo_json.read(FOLDER / "ks14_KP_p-4_n-10_1.json")
    path, again = tmp_path / "ledger.jsonl", tmp_path / "again.jsonl"
    whole = solve(model, ledger_path=path)
    assert whole.status is FrontierStatus.COMPLETE
    assert (whole.solves, whole.calls, whole.backend, whole.algorithm) == (0, 0, "listing", "listing")
    claim = Claim.read(model, path)
    assert sorted(claim.zones, key=str) == sorted(whole.ledger, key=str)
    assert verify(model, claim, sample=25).faults == ()
    again.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    resumed = solve(model, ledger_path=again, resume=True)
    assert again.read_bytes() == path.read_bytes()
    assert resumed.ledger == whole.ledger
    np.testing.assert_array_equal(resumed.points, whole.points)


@pytest.mark.parametrize("k", [2, 3, 4])
def test_the_zones_of_a_list_are_what_its_points_leave(k: int) -> None:
    model = made("general", k, 11)
    result = solve(model)
    assert result.algorithm == "listing"
    assert result.open_zones == ()
    assert all(zone.closed is Closure.LISTED and zone.closed.proven for zone in result.ledger)
    assert sorted(zone.upper for zone in result.ledger) == sorted(
        tuple(corner) for corner in local_upper_bounds(result.points, k).tolist()
    )
    certificate = verify(model, result, sample=None)
    assert certificate.holds
    assert certificate.reproved == certificate.zones == len(result.ledger)
    for gone in range(result.n_points):
        keep = np.arange(result.n_points) != gone
        less = dataclasses.replace(result, points=result.points[keep], solutions=result.solutions[keep])
        assert not verify(model, less, sample=0).complete


def test_a_program_without_a_legal_point_is_listed_as_empty() -> None:
    # x + y = 1/2 of two, in whole numbers: the relaxation is legal, nothing else is
    model = program([[1, 2], [2, 1]], [((2.0, 2.0), 1.0, 1.0)])
    result = solve(model)
    assert result.status is FrontierStatus.INFEASIBLE
    assert verify(model, result, sample=None).complete
