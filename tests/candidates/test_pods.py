"""Figures of pods: they add up, they scale as counts must, and what is turned down says why."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from models.candidates.placement import Candidates, Placements, enumerate_candidates
from models.candidates.pod_table import FIGURES, PodTable
from models.instance import Instance
from models.loading import load
from models.physics.cost import PriceBasis
from models.site import Chain

CASES = (
    "tiny/performance",
    "tiny/thermal-liquid",
    "tiny/thermal-rear-door",
    "tiny/two-sites",
    "tiny/serving",
    "tiny/price-basis",
)


@cache
def _found(name: str) -> tuple[Instance, Candidates]:
    instance = load(name)
    return instance, enumerate_candidates(instance)


def _tables(name: str) -> Iterator[tuple[Placements, PodTable]]:
    for table in _found(name)[1].placements:
        yield table, table.pods


@pytest.mark.parametrize("name", CASES)
def test_every_watt_ends_as_heat_in_one_chain(name: str) -> None:
    for _, pods in _tables(name):
        assert np.allclose(pods.air + pods.rear_door + pods.liquid, pods.it, rtol=1e-12)
        for heat in (pods.air, pods.rear_door, pods.liquid):
            assert (heat >= 0).all()
        # nameplate, design, typical
        assert (pods.it[0] >= pods.it[1]).all()
        assert (pods.it[1] >= pods.it[2]).all()


@pytest.mark.parametrize("name", CASES)
def test_counts_belong_together(name: str) -> None:
    instance, _ = _found(name)
    for table, pods in _tables(name):
        sizes = instance.workloads[table.cluster].design_space.sizes
        for row in range(len(pods)):
            rack, fabric = pods.rack_design(row), pods.fabric_row(row)
            assert pods.systems[row] * rack.system.accelerators == pods.accelerators[row]
            assert pods.node_racks[row] == -(-int(pods.systems[row]) // rack.systems)
            assert fabric["accelerators"] == pods.accelerators[row]
            assert sizes.smallest <= pods.accelerators[row] < sizes.largest + rack.system.accelerators


@pytest.mark.parametrize("name", CASES)
def test_network_racks_hold_the_switches_and_their_heat(name: str) -> None:
    instance, _ = _found(name)
    reserved = instance.assumptions.reserved_rack_units.value
    for table, pods in _tables(name):
        limit = instance.sites[table.site].air_per_rack.value
        for row in range(len(pods)):
            fabric = pods.fabrics[int(pods.table[row])]
            units, heat = fabric.rack_units[pods.fabric[row]], fabric.power_max[pods.fabric[row]]
            racks = pods.network_racks[row]
            assert racks * (48 - reserved) >= units
            assert racks * limit >= heat
            fewer = racks - 1
            assert fewer * (48 - reserved) < units or fewer * limit < heat


@pytest.mark.parametrize("name", CASES)
def test_more_systems_never_cost_or_draw_less(name: str) -> None:
    for _, pods in _tables(name):
        groups: dict[tuple[int, str, int, str], list[int]] = {}
        for row in range(len(pods)):
            fabric = pods.fabric_row(row)
            split = f"{fabric['down']}:{fabric['up']}"
            groups.setdefault((int(pods.rack[row]), fabric["switch"], int(fabric["tiers"]), split), []).append(row)
        compared = 0
        for rows in groups.values():
            ordered = np.array(sorted(rows, key=lambda r: pods.accelerators[r]))
            for a, b in pairwise(ordered):
                if pods.systems[b] > pods.systems[a]:
                    compared += 1
                    assert (pods.cost_low[:2, b] >= pods.cost_low[:2, a]).all()
                    assert (pods.cost_high[:2, b] >= pods.cost_high[:2, a]).all()
                    assert pods.it[2, b] > pods.it[2, a]
                    assert pods.failure_rate[b] > pods.failure_rate[a]
                    assert pods.goodput[b] < pods.goodput[a]
                    assert pods.throughput[b] >= pods.throughput[a] * 0.999
        assert compared


@pytest.mark.parametrize("name", CASES)
def test_system_lines_are_proportional_to_systems(name: str) -> None:
    for _, pods in _tables(name):
        for row in range(len(pods)):
            price = pods.rack_design(row).system.price
            assert pods.cost_low[0, row] == pytest.approx(pods.systems[row] * price.low)
            assert pods.cost_high[0, row] == pytest.approx(pods.systems[row] * price.high)
        assert (pods.cost_low <= pods.cost_high).all()
        assert ((pods.goodput > 0) & (pods.goodput < 1)).all()


@pytest.mark.parametrize("name", CASES)
def test_every_rejection_carries_its_reason(name: str) -> None:
    instance, found = _found(name)
    assert found.rejections
    for rejection in found.rejections:
        assert rejection.item
        assert len(rejection.reason) > 10
        assert rejection.cluster in ("", *instance.workloads)
        assert rejection.site in ("", *instance.sites)
    assert len(set(found.rejections)) == len(found.rejections)


@pytest.mark.parametrize("name", CASES)
def test_a_placement_is_a_pod_with_one_option_of_each_chain_it_needs(name: str) -> None:
    instance, found = _found(name)
    for table in found.placements:
        assert len({table.key(row) for row in range(len(table))}) == len(table)
        for row in range(len(table)):
            chosen = table.combinations[int(table.combination[row])]
            chains = [o.chain for o in chosen.options]
            assert len(set(chains)) == len(chains)
            assert {Chain.AIR, Chain.POWER} <= set(chains)
            pod = int(table.pod[row])
            assert (Chain.LIQUID in chains) == (table.pods.liquid[0, pod] > 0)
            assert (Chain.REAR_DOOR in chains) == (table.pods.rear_door[0, pod] > 0)
        for figure in FIGURES:
            it = table.of_pods(table.pods.load(table.pods.it, figure))
            assert (table.facility_power(figure) > it).all()
        assert all(option.site in instance.sites for c in table.combinations for option in c.options)


def test_the_price_basis_stays_within_the_range() -> None:
    for table, pods in _tables("tiny/price-basis"):
        low, mid, high = (table.equipment_price(basis) for basis in PriceBasis)
        assert (low < mid).all()
        assert (mid < high).all()
        assert np.allclose(mid, (low + high) / 2)
        assert np.allclose(low, table.of_pods(pods.cost_low.sum(axis=0)))


def test_what_does_not_fit_a_site_alone_is_counted_in_words() -> None:
    instance = load("tiny/performance", overrides={"sites": {"hall": {"utility": "300 kW", "rack_positions": 9}}})
    found = enumerate_candidates(instance)
    said = " ".join(r.reason for r in found.rejections)
    assert "draw more than the utility of 0.3 MW" in said
    assert "need more than 9 rack positions" in said
    for table in found.placements:
        pods = table.pods
        assert (pods.load(pods.it, instance.sites["hall"].utility_figure) <= 300e3).all()
        assert (pods.floor <= 9).all()
