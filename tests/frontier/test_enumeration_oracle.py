"""The shipped 30 MW case against an oracle that enumerates every placement and completes the plant for each, without a program."""

from __future__ import annotations

import math

import moocore
import numpy as np
import pytest
from numpy.typing import NDArray

from models.candidates.placement import Candidates, Placements, enumerate_candidates
from models.instance import Instance
from models.loading import load
from models.policy import PowerFigure
from models.units import Unlimited
from optimizer.frontier import Frontier
from optimizer.performance_cache import PerformanceCache
from optimizer.solve import solve

Floats = NDArray[np.float64]


def _units_cost(placements: Placements, candidates: Candidates) -> Floats:
    """Cost of the plant [kUSD] of each placement alone, units counted with their redundancy."""
    money = candidates.economics[placements.site]
    total = np.zeros(len(placements))
    for number, combination in enumerate(placements.combinations):
        rows = np.flatnonzero(placements.combination == number)
        for option in combination.options:
            load = np.ceil(placements.chain_load(option.chain, PowerFigure.DESIGN)[rows] / 1e3 - 1e-9)
            for unit in option.units:
                capacity = math.floor(unit.capacity / 1e3 + 1e-9)
                needed = np.ceil(load / capacity)
                count = needed * unit.step + unit.spare
                total[rows] += count * np.rint(money.paid(unit.price) * money.ownership / 1e3)
    return total


def _oracle(instance: Instance) -> Floats:
    """Every nondominated (tco kUSD, -tokens/s, kW) of an instance with one training cluster at one site."""
    candidates = enumerate_candidates(instance, PerformanceCache())
    (placements,) = candidates.placements
    money = candidates.economics[placements.site]
    tco = np.rint((placements.capex(money) + placements.opex(money)) / 1e3) + _units_cost(placements, candidates)
    rate = np.floor(placements.of_pods(placements.pods.rate) + 1e-9)
    power = np.ceil(placements.facility_power(PowerFigure.DESIGN) / 1e3 - 1e-9)
    site = instance.sites[placements.site]
    (workload,) = instance.workloads.values()
    legal = rate >= math.ceil(workload.demand)
    if not isinstance(site.utility.value, Unlimited):
        drawn = np.ceil(placements.facility_power(site.utility_figure) / 1e3 - 1e-9)
        legal &= drawn <= math.floor(site.utility.value / 1e3)
    if not isinstance(site.rack_positions.value, Unlimited):
        legal &= placements.of_pods(placements.pods.floor) <= site.rack_positions.value
    points = np.unique(np.stack([tco, -rate, power], axis=1)[legal], axis=0)
    return points[np.asarray(moocore.is_nondominated(points, keep_weakly=False))]


def _values(frontier: Frontier) -> Floats:
    rows = [
        (d.objectives["tco_usd"] / 1e3, -d.objectives["throughput_tokens_per_s"], d.objectives["power_kw"])
        for d in frontier.points
    ]
    return np.array(rows)


@pytest.fixture(scope="module")
def narrowed() -> Instance:
    """The shipped case with two vendors' systems and coarser sizes, so that its exact frontier is quick."""
    space = {
        "systems": ["gaudi3_8", "mi355x_dlc", "gb200_nvl72", "dgx_h200"],
        "sizes": {"smallest": 4096, "largest": 12288, "step": 512},
        "fabric": {"switches": ["qm9700", "th5_64x800"]},
    }
    return load("training-30mw", overrides={"workloads": {"train": {"design_space": space}}})


def test_exact_frontier_is_the_enumerated_one(narrowed: Instance) -> None:
    expected = _oracle(narrowed)
    found = _values(solve(narrowed, resolution="exact"))
    assert len(expected) >= 20
    assert sorted(map(tuple, found.tolist())) == sorted(map(tuple, expected.tolist()))


@pytest.fixture(scope="module")
def whole() -> Frontier:
    return solve(load("training-30mw"), resolution="1%")


def test_one_percent_frontier_covers_every_enumerated_point(whole: Frontier) -> None:
    frontier = whole
    listed, legal = _values(frontier), _oracle(load("training-30mw"))
    assert len(frontier) >= 20
    error = np.array([frontier.proof.error[c] for c in ("tco_usd", "throughput_tokens_per_s", "power_kw")], dtype=float)
    error[0] /= 1e3
    covered = (listed[:, None, :] <= legal[None, :, :] + error + 1e-6).all(axis=2).any(axis=0)
    assert covered.all(), f"{(~covered).sum()} of {len(legal)} nondominated points are further than the stated error"
    truly = {tuple(p) for p in legal.tolist()}
    assert all(tuple(p) in truly for p in listed.tolist()), "a listed design is dominated by an enumerated one"


def test_listed_values_agree_with_the_exact_figures(whole: Frontier) -> None:
    for design in whole.points:
        assert design.figures["tco_usd"] == pytest.approx(design.objectives["tco_usd"], abs=2e4)
        assert design.figures["power_kw"] <= design.objectives["power_kw"] + 1e-6
        assert design.figures["throughput_tokens_per_s"] >= design.objectives["throughput_tokens_per_s"] - 1e-6
