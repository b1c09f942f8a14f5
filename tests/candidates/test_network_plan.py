"""Storage, front-end and management networks: the cheapest legal fabric at every size."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from models.candidates.fabric_parts import SwitchCard
from models.candidates.network_plan import Network, NetworkNeed, cheapest_of_each_size, plan_network
from models.physics.network.lengths import RackPlan
from models.physics.network.ports import PortPlan
from tests.candidates.fabric_cards import ETH_64, GBIT, MEDIA, NDR_64, link


@given(ports=st.lists(st.integers(0, 600), min_size=1, max_size=8), ratio=st.sampled_from([1.0, 2.0, 4.0]))
@settings(max_examples=30, deadline=None)
def test_every_size_gets_the_cheapest_row(ports, ratio):
    need = NetworkNeed(Network.STORAGE, np.array(ports), 400 * GBIT, 8, (ratio,))
    choice = plan_network(need, RackPlan(4), [NDR_64, ETH_64], MEDIA)
    t = choice.table
    price = t.capex_switches_low + t.capex_switches_high + t.capex_links_low + t.capex_links_high
    for count, row, legal in zip(ports, choice.row, choice.legal, strict=True):
        assert legal
        if count == 0:
            assert row == -1
        else:
            assert t.nodes[row] == count
            assert price[row] == price[t.nodes == count].min()
    assert np.all(choice.figure("leaf")[np.array(ports) == 0] == 0)
    assert np.all(choice.bandwidth <= 400 * GBIT)


def test_two_copies_are_two_fabrics():
    one, two = (
        plan_network(
            NetworkNeed(Network.FRONT_END, np.array([100]), 400 * GBIT, 8, copies=c), RackPlan(4), [NDR_64], MEDIA
        )
        for c in (1, 2)
    )
    assert two.figure("leaf")[0] == 2 * one.figure("leaf")[0]
    assert two.figure("capex_switches_low")[0] == 2 * one.figure("capex_switches_low")[0]


def test_a_management_network_of_slow_ports_under_fast_uplinks():
    figures = (100.0, 135.0, 1.0, 7.4, 3_000.0, 6_000.0)
    leaf = SwitchCard("oob", "Eth", PortPlan(48, GBIT, cages=52, uplink_ports=4, uplink_speed=100 * GBIT), *figures)
    spine = SwitchCard(
        "hundred", "Eth", PortPlan(64, 100 * GBIT, cages=64), 466.0, 820.0, 2.0, 14.6, 15_000.0, 25_000.0
    )
    cables = (link("cat6", "DAC", 1, 4, 100, "none", 5), link("aoc_100", "AOC", 100, 4, 30, "OM4 fixed", 100))
    need = NetworkNeed(
        Network.MANAGEMENT, np.array([0, 40, 500]), GBIT, 20, uplink_speeds=(100 * GBIT,), pairs=(("oob", "hundred"),)
    )
    choice = plan_network(need, RackPlan(4), [leaf, spine], cables)
    assert choice.figure("leaf").tolist() == [0, 1, 11]
    assert choice.figure("spine").tolist() == [0, 0, 1]


def test_no_legal_fabric_is_said():
    need = NetworkNeed(Network.STORAGE, np.array([10, 10_000]), 400 * GBIT, 8, tiers=(1,))
    choice = plan_network(need, RackPlan(4), [NDR_64], MEDIA)
    assert choice.legal.tolist() == [True, False]
    assert choice.refusals
    assert cheapest_of_each_size(choice.table, 2).tolist() == [0, -1]
