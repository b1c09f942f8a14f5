"""Energy is counted from what a job really draws; limits are not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from models.candidates.placement import Placements, enumerate_candidates
from models.errors import InstanceError
from models.loading import load
from models.parts.accelerator import Accelerator
from models.parts.system import System
from models.physics.node_power import PowerShares
from models.physics.power_supplies import parse_supply
from models.policy import PowerFigure
from optimizer.performance_cache import PerformanceCache
from optimizer.solve import solve
from optimizer.verify import verify_design

SHARES = PowerShares()


def _placements(**workload: Any) -> tuple[Any, Placements]:
    overrides = {"workloads": {"train": {"global_batch": "4.194304 Mtoken", **workload}}}
    instance = load("tiny/performance", overrides=overrides)
    (placements,) = enumerate_candidates(instance, PerformanceCache()).placements
    return instance, placements


def test_a_pod_draws_by_what_its_accelerators_do() -> None:
    instance, placements = _placements(throughput="mapping")
    pods = placements.pods
    in_use, typical = (pods.load(pods.it, figure) for figure in (PowerFigure.IN_USE, PowerFigure.TYPICAL))
    for row in range(len(pods)):
        system, told = pods.rack_design(row).system, pods.performance(row)
        rating = instance.catalogue.get(Accelerator, system.accelerator).tdp * system.accelerators
        c, busy = told["computing_share"], told["accelerators_used"] / int(pods.accelerators[row])
        assert 0 < c <= 1
        assert 0 < busy <= 1
        host = SHARES.host * (system.max_power - rating)
        working = host + rating * (c * SHARES.busy + (1 - c) * SHARES.waiting)
        idle = host + rating * SHARES.idle
        fabric = typical[row] - int(pods.systems[row]) * system.typical_power
        expected = int(pods.systems[row]) * (busy * working + (1 - busy) * idle) + fabric
        assert in_use[row] == pytest.approx(expected, rel=1e-12)
    assert (in_use != typical).all()


def test_energy_and_carbon_follow_use_and_limits_do_not() -> None:
    instance, searched = _placements(throughput="mapping")
    _, stated = _placements()
    money = enumerate_candidates(instance, PerformanceCache()).economics[searched.site]
    for figure in (PowerFigure.NAMEPLATE, PowerFigure.DESIGN, PowerFigure.TYPICAL):
        assert np.array_equal(searched.facility_power(figure), stated.facility_power(figure))
    saved = searched.facility_power(PowerFigure.TYPICAL) - searched.facility_power(PowerFigure.IN_USE)
    assert stated.opex(money) - searched.opex(money) == pytest.approx(saved * money.energy_cost)
    assert stated.carbon(money, 0.0) - searched.carbon(money, 0.0) == pytest.approx(saved * money.carbon_per_watt)
    assert np.array_equal(searched.capex(money), stated.capex(money))


def test_where_no_search_knows_typical_power_stands_in() -> None:
    _, stated = _placements()
    assert np.array_equal(stated.facility_power(PowerFigure.IN_USE), stated.facility_power(PowerFigure.TYPICAL))


def test_limits_are_not_held_against_what_a_job_draws() -> None:
    with pytest.raises(InstanceError, match="'nameplate', 'design' or 'typical'"):
        load("tiny/performance", overrides={"sites": {"hall": {"utility_figure": "in_use"}}})


def test_supplies_lose_by_the_share_they_carry() -> None:
    workload = {"train": {"global_batch": "4.194304 Mtoken", "throughput": "mapping"}}
    plain = load("tiny/performance", overrides={"workloads": workload})
    curved = load("tiny/performance", overrides={"workloads": workload, "assumptions": {"supply_curve": "titanium230"}})
    memo = PerformanceCache()
    (before,), (after,) = (enumerate_candidates(i, memo).placements for i in (plain, curved))
    for figure in (PowerFigure.NAMEPLATE, PowerFigure.DESIGN, PowerFigure.TYPICAL):
        assert np.array_equal(before.pods.load(before.pods.it, figure), after.pods.load(after.pods.it, figure))
    changed = after.pods.load(after.pods.it, PowerFigure.IN_USE) / before.pods.load(before.pods.it, PowerFigure.IN_USE)
    known = np.array([r.supply.installed_w is not None for r in after.pods.racks])[after.pods.rack]
    assert known.any()
    assert (changed[known] != 1).all()
    assert (changed[~known] == 1).all()
    assert np.all((changed > 0.9) & (changed < 1.1))
    points = solve(curved, resolution="25%").points
    assert points
    for design in points[:2]:
        assert verify_design(curved, design) == []
        assert (
            "supply_efficiency_typical" in design.pods[0].rack
            or not parse_supply(curved.catalogue.get(System, design.pods[0].system).psu_config or "").group_w
        )
