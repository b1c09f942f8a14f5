"""Power supplies: entries as sheets write them, and what a lost module, shelf or feed leaves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.physics import power_supplies as psu
from models.physics.power_supplies import FeedLossRemedy, SupplyKind, parse_supply, supply_capacity


@pytest.mark.parametrize(
    ("text", "installed", "promised", "module_lost", "feed_lost"),
    [
        ("6x3.3kW 4+2", 19_800, 13_200, 16_500, 9_900),
        ("6x3.3kW 5+1", 19_800, 16_500, 16_500, 9_900),
        ("6x3.0kW 3+3", 18_000, 9_000, 15_000, 9_000),
        ("4x5.25kW 2+2", 21_000, 10_500, 15_750, 10_500),
        ("12x3.2kW N+N", 38_400, 19_200, 35_200, 19_200),
        ("12 x 3200 W 2N", 38_400, 19_200, 35_200, 19_200),
        ("6 × 3.3 kW N+1", 19_800, 16_500, 16_500, 9_900),
        ("5x2kW 4+1", 10_000, 8_000, 8_000, 4_000),
        ("8x33kW shelves (6x5.5kW)", 264_000, None, 258_500, 132_000),
        ("8x33kW shelves (6x5.5kW) N+1", 264_000, 220_000, 258_500, 132_000),
        ("8x33kW shelves N+N class", 264_000, 132_000, None, 132_000),
        ("4x110kW shelves (18.3kW PSUs)", 440_000, None, 421_700, 220_000),
    ],
)
def test_entries_and_their_capacities(text, installed, promised, module_lost, feed_lost):
    got = supply_capacity(parse_supply(text))
    expected = (installed, promised, module_lost, feed_lost)
    for value, wanted in zip(
        (got.installed_w, got.promised_w, got.module_lost_w, got.feed_lost_w), expected, strict=True
    ):
        assert value == (None if wanted is None else pytest.approx(wanted))


def test_five_plus_one_does_not_survive_a_feed_at_full_load():
    # A 14.3 kW node with 5+1 supplies of 3.3 kW, and a 10.2 kW node with 4+2: both promise enough, neither lives on half its modules.
    for text, node in (("6x3.3kW 5+1", 14_300), ("6x3.3kW 4+2", 10_200)):
        got = supply_capacity(parse_supply(text))
        assert got.feed_lost_w < node <= got.promised_w


@pytest.mark.parametrize(
    ("text", "kind", "modules"),
    [
        ("", SupplyKind.UNKNOWN, None),
        ("see manual", SupplyKind.UNKNOWN, None),
        ("rack power shelves", SupplyKind.RACK, None),
        ("ORW double-wide busbar", SupplyKind.RACK, None),
        ("800 VDC sidecar", SupplyKind.RACK, None),
        ("6 PSU", SupplyKind.MODULES, 6),
        ("4+4 / busbar", SupplyKind.MODULES, 8),
    ],
)
def test_entries_without_watts_have_no_capacity(text, kind, modules):
    config = parse_supply(text)
    assert (config.kind, config.modules) == (kind, modules)
    assert supply_capacity(config) == psu.SupplyCapacity(None, None, None, None, None)


@pytest.mark.parametrize("text", ["6x3.3kW 4+1", "5x3kW N+N", "4x3kW N+4", "4x3kW 2+N", "8x33kW shelves (6x4kW)"])
def test_entries_that_contradict_themselves_are_refused(text):
    with pytest.raises(ValueError, match=r"modules|means nothing"):
        parse_supply(text)


@given(st.integers(1, 24), st.integers(1, 4), st.integers(1, 20))
def test_written_entries_are_read_back(needed, spare, hundreds):
    config = parse_supply(f"{needed + spare}x{hundreds / 10}kW {needed}+{spare}")
    assert (config.modules, config.needed, config.spare) == (needed + spare, needed, spare)
    assert supply_capacity(config).promised_w == pytest.approx(needed * hundreds * 100)


def test_shelves_of_an_nvl72_rack():
    got = psu.shelf_capacity(8, 6, 5500.0)
    assert [
        float(v) for v in (got.installed, got.module_reserve, got.shelf_lost, got.feed_lost, got.feed_and_module_lost)
    ] == [
        264e3,
        220e3,
        231e3,
        132e3,
        110e3,
    ]
    assert psu.surviving_units([8, 7, 6, 1], 2).tolist() == [4, 3, 3, 0]
    assert psu.surviving_units(8, [1, 2, 3, 4]).tolist() == [0, 4, 5, 6]
    with pytest.raises(ValueError, match="more modules"):
        psu.shelf_capacity(1, 1, 3e3)


def test_nvl72_rack_needs_capping_or_a_battery_when_a_feed_is_lost():
    # 142 kW peak on the 132 kW that four of eight shelves give.
    def remedy(**more):
        base = {"load": 142e3, "capped_load": 142e3, "feed_lost_capacity": 132e3}
        return FeedLossRemedy(int(psu.feed_loss_remedy(**{**base, **more})))

    assert remedy() is FeedLossRemedy.UNSUPPORTED
    assert remedy(load=132e3) is FeedLossRemedy.NONE
    assert remedy(capped_load=120e3) is FeedLossRemedy.CAPPING
    assert remedy(battery_power=15e3, battery_energy=15e3 * 240, ride_through=240.0) is FeedLossRemedy.BATTERY
    assert remedy(battery_power=15e3, battery_energy=9e3 * 240, ride_through=240.0) is FeedLossRemedy.UNSUPPORTED
    assert remedy(battery_power=9e3, battery_energy=1e9, ride_through=240.0) is FeedLossRemedy.UNSUPPORTED
    # Caps act after two seconds: supplies must stand the difference until then, or a battery bridges it.
    assert remedy(capped_load=120e3, capping_delay=2.0) is FeedLossRemedy.UNSUPPORTED
    assert remedy(capped_load=120e3, capping_delay=2.0, overload_capacity=20e3) is FeedLossRemedy.CAPPING
    bridged = remedy(capped_load=120e3, capping_delay=2.0, battery_power=10e3, battery_energy=20e3, ride_through=1e4)
    assert bridged is FeedLossRemedy.CAPPING_AND_BATTERY


def test_remedies_broadcast():
    got = psu.feed_loss_remedy([100e3, 142e3, 142e3], [90e3, 90e3, 142e3], 132e3)
    assert got.tolist() == [FeedLossRemedy.NONE, FeedLossRemedy.CAPPING, FeedLossRemedy.UNSUPPORTED]
