"""Which medium may light which link, and where cables run."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.candidates.fabric_design import enumerate_fabrics
from models.candidates.fabric_media import CageEnd, cheapest_for, legal_media
from models.candidates.fabric_parts import SwitchCard
from models.candidates.fabric_request import FabricRequest, Level
from models.physics.network.lengths import RackPlan
from models.physics.network.ports import PortPlan
from tests.candidates.fabric_cards import ETH_64, GBIT, MEDIA, NDR_64, XDR_144, link

FIGURES = (500.0, 1000.0, 1.0, 10.0, 10_000.0, 20_000.0)
TWIN = CageEnd(2, 800 * GBIT, 100 * GBIT)
SINGLE = CageEnd(1, 400 * GBIT, 100 * GBIT)


def names(*args, **kwargs):
    return {m.name for m in legal_media(MEDIA, *args, **kwargs)}


def test_twin_port_cage_to_single_port_cage():
    """One module serves two links on the switch, each far end has its own; or a cable that splits."""
    assert names(400 * GBIT, TWIN, SINGLE) == {"dac_800", "sr8_800 - sr4_400", "dr8_800 - dr4_400"}
    assert {m.shares_cage for m in legal_media(MEDIA, 400 * GBIT, TWIN, SINGLE)} == {1}


def test_twin_port_cages_at_both_ends():
    found = {m.name: m for m in legal_media(MEDIA, 400 * GBIT, TWIN, TWIN)}
    assert set(found) == {"dac_800", "sr8_800", "dr8_800", "2fr4_800"}
    assert found["dac_800"].shares_cage == 2
    assert found["sr8_800"].price_low == pytest.approx(700)


def test_lane_rates_must_agree():
    """A module of eight 100 Gbit/s lanes cannot talk to one of four 200 Gbit/s lanes."""
    near, far = CageEnd(2, 1600 * GBIT), CageEnd(1, 800 * GBIT)
    assert names(800 * GBIT, near, far) == {"dr8_1600 - dr4_800"}
    without = [m for m in MEDIA if m.id != "dr4_800"]
    assert not legal_media(without, 800 * GBIT, near, far)


def test_a_host_of_slow_lanes_takes_no_fast_ones():
    fast = CageEnd(1, 800 * GBIT, 200 * GBIT)
    slow = CageEnd(1, 800 * GBIT, 100 * GBIT)
    assert "dr4_800" in names(800 * GBIT, fast, fast)
    assert "dr4_800" not in names(800 * GBIT, slow, slow)
    assert "sr8_800" in names(800 * GBIT, slow, slow)
    assert "sr4_400" in names(400 * GBIT, *[CageEnd(1, 400 * GBIT, 50 * GBIT)] * 2)


def test_no_module_hotter_than_its_cage():
    small = CageEnd(1, 400 * GBIT)
    assert all(m.near.rate <= 400 * GBIT for m in legal_media(MEDIA, 400 * GBIT, small, small))


def test_links_that_part_cannot_share_a_cable():
    assert all(not m.near.is_cable for m in legal_media(MEDIA, 400 * GBIT, TWIN, TWIN, splits=True))


def test_a_rule_may_fix_the_medium():
    assert names(400 * GBIT, TWIN, TWIN, allowed=["dr8_800"]) == {"dr8_800"}
    assert names(400 * GBIT, TWIN, SINGLE, allowed=["DAC"]) == {"dac_800"}


def test_linear_and_co_packaged_optics_need_a_host_for_them():
    lpo = link("lpo", "transceiver", 800, 8, 500, "2x MPO-12 SMF", 500)
    object.__setattr__(lpo, "linear", True)
    engine = link("cpo", "CPO", 800, 4, 500, "MPO SMF", 500)
    cards = (*MEDIA, lpo, engine)
    plain, linear, packaged = (
        CageEnd(1, 800 * GBIT, **kw) for kw in ({}, {"linear_optics": True}, {"co_packaged": True})
    )
    assert "lpo" not in {m.name for m in legal_media(cards, 800 * GBIT, plain, plain)}
    assert "lpo" in {m.name for m in legal_media(cards, 800 * GBIT, linear, linear)}
    assert {m.name for m in legal_media(cards, 800 * GBIT, packaged, packaged)} == {"cpo"}
    assert {m.name for m in legal_media(cards, 800 * GBIT, packaged, plain)} == {"cpo - dr4_800"}


@given(st.lists(st.floats(0.5, 3000), min_size=1, max_size=20), st.lists(st.integers(1, 4), min_size=20, max_size=20))
def test_cheapest_legal_medium_by_trying(lengths, together):
    media = legal_media(MEDIA, 400 * GBIT, TWIN, TWIN)
    together = np.array(together[: len(lengths)])
    chosen = cheapest_for(media, np.array(lengths), together)
    for index, length, links in zip(chosen, lengths, together, strict=True):
        legal = [m for m in media if m.reach >= length and links % m.shares_cage == 0]
        assert (index < 0) == (not legal)
        if legal:
            assert media[index].price == min(m.price for m in legal)


def test_fixing_the_medium_of_a_level_changes_cost_and_nothing_else():
    plan = RackPlan(4)
    free = enumerate_fabrics(
        FabricRequest(np.array([128]), plan, 400 * GBIT, tiers=(2,), max_waste=0.0), [NDR_64], MEDIA
    )
    fixed = enumerate_fabrics(
        FabricRequest(
            np.array([128]), plan, 400 * GBIT, tiers=(2,), max_waste=0.0, media={Level.LEAF_SPINE: ("2fr4_800",)}
        ),
        [NDR_64],
        MEDIA,
    )
    assert fixed.row(0)["medium_leaf_spine"] == "2fr4_800"
    assert fixed.capex_links_low[0] > free.capex_links_low[0]
    assert fixed.leaf[0] == free.leaf[0]


def test_where_no_medium_reaches_the_refusal_says_so():
    request = FabricRequest(np.array([72]), RackPlan(4), 800 * GBIT, tiers=(2,), max_waste=0.0)
    table = enumerate_fabrics(request, [XDR_144], [m for m in MEDIA if m.id != "dr4_800"])
    assert not len(table)
    assert any("no medium of 800 Gbit/s reaches" in r.rule for r in table.refusals)


def test_fibres_are_two_per_lane_of_parallel_optics():
    request = FabricRequest(np.array([64]), RackPlan(4), 800 * GBIT, tiers=(2,), max_waste=0.0)
    table = enumerate_fabrics(request, [ETH_64], [m for m in MEDIA if m.kind != "DAC" and m.kind != "AEC"])
    assert table.fibres[0] == 16 * (table.links_node_leaf[0] + table.links_leaf_spine[0])


def test_mixed_link_speeds_close_in_cages_and_capacity():
    request = FabricRequest(
        np.array([64]), RackPlan(4), 400 * GBIT, tiers=(2,), uplink_speeds=(800 * GBIT,), max_waste=0.0
    )
    table = enumerate_fabrics(request, [ETH_64], MEDIA)
    row = table.row(0)
    assert (row["down"], row["up"], row["leaf"], row["spine"]) == (64, 32, 8, 4)
    assert row["leaf_ports"] == row["leaf_down_used"] + row["leaf_up_used"] + row["leaf_spare"]


def test_a_leaf_and_a_spine_of_two_models():
    request = FabricRequest(
        np.array([128]), RackPlan(4), 400 * GBIT, tiers=(2,), max_waste=0.0, pairs=(("ndr64", "eth64"),)
    )
    table = enumerate_fabrics(request, [NDR_64, ETH_64], MEDIA)
    mixed = table.take(table.switch != table.spine_switch)
    (row,) = (mixed.row(i) for i in range(len(mixed)))
    assert (row["switch"], row["spine_switch"], row["leaf"], row["spine"]) == ("ndr64", "eth64", 32, 8)
    assert row["capex_switches_low"] == 32 * NDR_64.price_low + 8 * ETH_64.price_low
    assert row["spine_ports"] == 8 * 128


def test_a_management_leaf_with_dedicated_uplinks():
    """48 ports of 1 Gbit/s below, up to 4 of 100 Gbit/s above, under a spine of 100 Gbit/s ports."""
    leaf = SwitchCard("oob", "Eth", PortPlan(48, GBIT, cages=52, uplink_ports=4, uplink_speed=100 * GBIT), *FIGURES)
    spine = SwitchCard("hundred", "Eth", PortPlan(64, 100 * GBIT, cages=64), *FIGURES)
    cables = (link("cat6", "DAC", 1, 4, 100, "none", 5), link("aoc_100", "AOC", 100, 4, 30, "OM4 fixed", 100))
    request = FabricRequest(
        np.array([300]), RackPlan(4), GBIT, ports_per_node=2, tiers=(2,), rail_optimised=(False,), pairs=(("oob", "hundred"),),
        uplink_speeds=(100 * GBIT,),
    )  # fmt: skip
    table = enumerate_fabrics(request, [leaf, spine], cables)
    assert set(zip(table.down.tolist(), table.up.tolist(), table.spine.tolist(), strict=True)) == {
        (48, 1, 1),
        (48, 4, 1),
    }
    assert np.all(table.leaf == 13)
    assert np.array_equal(table.leaf_ports, table.leaf_down_used + table.leaf_up_used + table.leaf_spare)


def test_a_cell_based_leaf_needs_its_fabric_element():
    leaf = SwitchCard(
        "ncp", "Eth-DES", PortPlan(18, 800 * GBIT, cages=38, uplink_ports=20, uplink_speed=800 * GBIT), *FIGURES
    )
    element = SwitchCard("ncf", "Eth-DES", PortPlan(128, 800 * GBIT, cages=128), *FIGURES)
    request = FabricRequest(
        np.array([72]),
        RackPlan(4),
        800 * GBIT,
        tiers=(2,),
        oversubscriptions=(1.0,),
        max_waste=0.0,
        pairs=(("ncp", "ncf"),),
    )
    table = enumerate_fabrics(request, [leaf, element], MEDIA)
    full = table.take(table.up == 20)
    assert (full.leaf.tolist(), full.spine.tolist()) == ([32], [5])
    assert {r.switch for r in table.refusals if "pair" in r.rule} == {"ncp", "ncf"}


def test_dual_plane_is_two_fabrics():
    one = FabricRequest(np.array([128]), RackPlan(4), 400 * GBIT, tiers=(2,), max_waste=0.0)
    two = FabricRequest(np.array([128]), RackPlan(4), 400 * GBIT, tiers=(2,), max_waste=0.0, planes=2)
    a, b = (enumerate_fabrics(r, [NDR_64], MEDIA).row(0) for r in (one, two))
    for name in ("leaf", "spine", "links_node_leaf", "links_leaf_spine", "injection"):
        assert b[name] == 2 * a[name]


@given(
    nodes=st.integers(1, 500),
    per_rack=st.integers(1, 16),
    row=st.integers(1, 30),
    switches=st.integers(0, 20),
)
def test_runs_cover_the_farthest_rack_of_a_block(nodes, per_rack, row, switches):
    """Racks side by side in rows, switch racks in the middle of the middle row: no rack is farther than the bound."""
    plan = RackPlan(per_rack, racks_per_row=row, rack_pitch=0.6, row_pitch=3.0, rise=2.0)
    racks = int(plan.node_racks(nodes))
    bound = float(plan.run(racks, switches))
    block = racks + switches
    width, rows = min(block, row), -(-block // row)
    farthest = 2 * plan.rise + plan.rack_pitch * (width // 2) + plan.row_pitch * (rows // 2)
    assert bound >= farthest
