"""The certificate accepts what is right and finds what is wrong."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from models.errors import UsageError
from optimizer.compiled_model import Floats
from optimizer.pareto import Closure, ParetoResult, RunLimits, solve
from optimizer.pareto.certificate import Claim, local_upper_bounds, verify
from optimizer.pareto.search_region import SearchRegion
from tests.pareto.programs import random_program
from tests.pareto.structured import compiled, random_site


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_a_complete_frontier_holds(k: int) -> None:
    model = random_program(k, 5)
    certificate = verify(model, solve(model), sample=None)
    assert certificate.holds
    assert certificate.complete
    assert certificate.reproved == certificate.zones
    assert certificate.undecided == 0


def test_a_resolution_holds_on_the_full_program_with_continuous_columns() -> None:
    model = compiled(random_site(200, 1), whole_loads=False)
    certificate = verify(model, solve(model, shares=[0.1] * 3), sample=15)
    assert certificate.holds
    assert certificate.complete
    assert certificate.reproved == 15


@pytest.mark.parametrize("seed", range(3))
def test_halving_leaves_nothing_uncovered(seed: int) -> None:
    model = random_program(2, seed, columns=9)
    certificate = verify(model, solve(model, resolution=[4.0, 3.0], algorithm="halving"), sample=None)
    assert certificate.holds
    assert certificate.complete
    assert certificate.reproved == certificate.zones


def test_a_ledger_file_is_enough(tmp_path: Path) -> None:
    model, path = random_program(3, 5), tmp_path / "ledger.jsonl"
    result = solve(model, ledger_path=path)
    claim = Claim.read(model, path)
    np.testing.assert_array_equal(claim.points, result.points)
    np.testing.assert_array_equal(claim.solutions, result.solutions)
    assert verify(model, claim, sample=None) == verify(model, result, sample=None)
    with pytest.raises(UsageError):
        Claim.read(random_program(3, 6), path)


def test_a_stopped_run_holds_and_is_not_complete() -> None:
    model = random_program(3, 5, columns=8)
    certificate = verify(model, solve(model, limits=RunLimits(solves=5), listing=False), sample=None)
    assert certificate.holds
    assert not certificate.complete


def altered(result: ParetoResult, **changes: object) -> ParetoResult:
    return dataclasses.replace(result, **changes)  # type: ignore[arg-type]


def test_a_missing_point_is_noticed() -> None:
    model = random_program(3, 5, columns=8)
    result = solve(model)
    for gone in range(0, result.n_points, 3):
        keep = np.arange(result.n_points) != gone
        certificate = verify(
            model, altered(result, points=result.points[keep], solutions=result.solutions[keep]), sample=0
        )
        assert not certificate.complete
        assert not certificate.holds


def test_a_zone_closed_without_reason_is_noticed() -> None:
    model = random_program(3, 5, columns=8)
    stopped = solve(model, limits=RunLimits(solves=5), listing=False)
    lied = tuple(dataclasses.replace(z, closed=Closure.INFEASIBLE) for z in stopped.ledger)
    certificate = verify(model, altered(stopped, ledger=lied), sample=None)
    assert certificate.complete
    assert any("holds a legal point" in fault for fault in certificate.faults)


def test_a_wrong_value_and_an_illegal_solution_are_noticed() -> None:
    model = random_program(2, 5)
    result = solve(model)
    points = result.points.copy()
    points[0, 0] -= 1.0
    assert any("gives" in fault for fault in verify(model, altered(result, points=points), sample=0).faults)
    solutions = result.solutions.copy()
    solutions[0] = model.upper + 1.0
    assert any("violates" in fault for fault in verify(model, altered(result, solutions=solutions), sample=0).faults)


@pytest.mark.parametrize("k", [2, 3, 4])
def test_both_ways_to_local_upper_bounds_agree(k: int) -> None:
    rng = np.random.default_rng(k)
    for _ in range(20):
        points: list[tuple[float, ...]] = []
        for point in map(tuple, rng.integers(0, 6, (9, k)).astype(float).tolist()):
            if not any(
                all(a <= b for a, b in zip(p, point, strict=True)) or all(a >= b for a, b in zip(p, point, strict=True))
                for p in points
            ):
                points.append(point)
        region = SearchRegion(k)
        for point in points:
            region.add(point)
        expected = sorted(map(tuple, local_upper_bounds(np.array(points), k).tolist()))
        assert sorted(map(tuple, region.uppers.tolist())) == expected


@pytest.mark.parametrize("spoil", ["illegal", "worse"])
def test_what_betters_nothing_is_not_listed(spoil: str, tmp_path: Path) -> None:
    model = random_program(2, 5, columns=9)
    plain = solve(model, resolution=[4.0, 3.0])
    worst = plain.solutions[np.argmax(plain.points[:, 0])]

    def better(x: Floats) -> Floats:
        return np.full_like(x, 1e3) if spoil == "illegal" else worst

    result = solve(model, resolution=[4.0, 3.0], better=better, ledger_path=tmp_path / "ledger.jsonl")
    np.testing.assert_array_equal(result.points, plain.points)
    assert verify(model, Claim.read(model, tmp_path / "ledger.jsonl"), sample=None).complete
