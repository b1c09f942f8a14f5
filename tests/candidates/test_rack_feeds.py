"""Racks on the whips of a site: the worked example, remedies for a lost feed, and every limit a rack may break."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.candidates.rack_design import RackDesign, enumerate_rack_designs
from models.candidates.rejection import Rejection
from models.candidates.site_fit import racks_for_site
from models.instance import Instance
from models.loading import load
from models.parts.system import System, SystemKind
from models.physics.power_supplies import FeedLossRemedy
from models.physics.rack_feeds import Whips, heaviest_current, whip_power
from optimizer.sensitivity.repricing import with_part
from optimizer.solve import solve
from optimizer.verify import verify_design

WHIP = {"voltage": "415 V", "breaker": "60 A", "code": "nec", "derating": 0.95, "whips_per_feed": 1}
CAPPING = {"remedies": ["capping"], "capped_to": 0.9, "capping_delay": "0 s"}
BATTERY = {"remedies": ["battery"], "ride_through": "60 s"}


def _instance(feed: dict[str, Any] | None, base: str = "performance", **site: Any) -> Instance:
    site = {**site, **({"rack_feed": feed} if feed else {})}
    space = {"systems": ["dgx_h100"]} if base == "performance" else {}
    overrides: dict[str, Any] = {"sites": {"hall": {"air_per_rack": "unlimited", **site}}}
    if space:
        overrides["workloads"] = {"train": {"design_space": space}}
    return load(f"tiny/{base}", overrides=overrides)


def _racks(instance: Instance) -> tuple[dict[int, RackDesign], list[Rejection]]:
    racks, illegal = enumerate_rack_designs(instance, "train")
    every = {rack.id: rack for rack in racks}
    # no rack stands in for another, so that each is judged
    kept, refused = racks_for_site(instance, "train", "hall", racks, frozenset(every))
    return {rack.systems: rack for rack in kept}, [*illegal, *refused]


def _reason(rejections: list[Rejection], systems: int) -> str:
    return next(r.reason for r in rejections if r.item.startswith(f"{systems}x"))


def test_three_nodes_on_one_whip_a_feed_as_worked_by_hand() -> None:
    racks, rejected = _racks(_instance({**WHIP, "loss": CAPPING}))
    feed = racks[3].feed
    assert feed is not None
    assert feed.line_limit == pytest.approx(45.6)
    assert feed.whips == pytest.approx(32777, abs=1)
    assert feed.supplies == pytest.approx(3 * 9900)
    assert feed.one_feed == pytest.approx(29700)
    assert feed.line_one == pytest.approx(41.32, abs=0.01)
    assert feed.line_both == pytest.approx(3 * 10200 / 2 / 3 / 239.60, abs=0.01)
    assert feed.remedy is FeedLossRemedy.CAPPING
    assert racks[3].feed_loss() == "one feed carries 29.7 of 30.6 kW: capping"
    # four nodes would be capped to 32.8 of 40.8 kW, below what capping reaches
    assert 4 not in racks
    assert "one feed lost leaves 32.8 of 40.8 kW" in _reason(rejected, 4)


def test_without_a_remedy_the_supplies_forbid_it() -> None:
    racks, rejected = _racks(_instance({**WHIP, "loss": {"remedies": []}}))
    assert not racks
    assert "9.9 by supplies" in _reason(rejected, 1)


def test_without_a_rule_for_the_loss_the_record_only_tells() -> None:
    racks, _ = _racks(_instance(WHIP))
    feed = racks[3].feed
    assert feed is not None
    assert feed.remedy is FeedLossRemedy.UNSUPPORTED
    assert racks[3].feed_loss() == "one feed carries 30 of 31 kW: needs capping"


def test_whips_of_another_voltage_take_other_distribution() -> None:
    racks, _ = _racks(_instance({**WHIP, "voltage": "208 V", "loss": CAPPING}))
    assert {rack.distribution.id for rack in racks.values() if rack.distribution} == {"rpdu_17k"}
    assert max(racks) == 1


def test_the_slow_cap_needs_overload() -> None:
    slow = {**CAPPING, "capping_delay": "2 s"}
    assert not _racks(_instance({**WHIP, "loss": slow}))[0]
    assert _racks(_instance({**WHIP, "loss": {**slow, "overload": 0.1}}))[0]


@given(st.integers(1, 4), st.sampled_from([1, 3]), st.integers(1, 60), st.floats(100, 1e5))
def test_no_deal_of_supplies_is_more_even(whips: int, phases: int, supplies: int, power: float) -> None:
    feed = Whips(whips, 415.0, phases, 48.0)
    lines = [supplies // feed.lines + (n < supplies % feed.lines) for n in range(feed.lines)]
    worst = max(lines) * power / supplies / feed.line_voltage
    assert heaviest_current(feed, supplies, power) == pytest.approx(worst)
    assert whip_power(feed, supplies) <= feed.capacity * (1 + 1e-9)
    assert heaviest_current(feed, supplies, whip_power(feed, supplies)) == pytest.approx(feed.limit)
    assert whip_power(feed, None) == pytest.approx(feed.capacity)


BUSBAR = {
    "workloads": {
        "train": {
            "design_space": {
                "systems": ["dgx_b300_busbar", "gb300_nvl72"],
                "frames": ["mgx", "eia48"],
                "cooling": ["air", "liquid"],
                "fabric": {"switches": None, "media": None, "speeds": ["800 Gbit/s"]},
            }
        }
    }
}


def _busbar(
    feed: dict[str, Any] | None, mass: float = 1400.0, **more: Any
) -> tuple[dict[str, RackDesign], list[Rejection]]:
    site = {"air_per_rack": "unlimited", "floor": "slab", "needed_by": "2030Q4", **more}
    site |= {"rack_feed": feed} if feed else {}
    instance = load("tiny/thermal-liquid", overrides={**BUSBAR, "sites": {"hall": site}})
    # the catalogue does not know its mass
    node = instance.catalogue.get(System, "dgx_b300_busbar").model_copy(update={"weight": 150.0})
    instance = with_part(instance, node)
    rack = instance.catalogue.get(System, "gb300_nvl72").model_copy(update={"weight": mass})
    instance = with_part(instance, rack)
    racks, illegal = enumerate_rack_designs(instance, "train")
    kept, refused = racks_for_site(instance, "train", "hall", racks, frozenset(rack.id for rack in racks))
    return {f"{rack.systems}x{rack.system.id}": rack for rack in kept}, [*illegal, *refused]


def test_rack_scale_shelves_do_not_carry_peak_on_one_feed() -> None:
    feed = {**WHIP, "derating": 1, "whips_per_feed": 4}
    racks, _ = _busbar({**feed, "loss": CAPPING})
    verdict = racks["1xgb300_nvl72"].feed
    assert verdict is not None
    # eight shelves of 33 kW: half of them are 132 kW of a peak of 142 kW
    assert (verdict.supplies, verdict.remedy) == (132000, FeedLossRemedy.CAPPING)
    assert verdict.whips_per_feed == 4
    racks, rejected = _busbar({**feed, "loss": BATTERY})
    assert "1xgb300_nvl72" not in racks
    assert any("132.0 by supplies" in r.reason for r in rejected)


def test_batteries_bridge_a_feed_where_the_frame_has_room() -> None:
    feed = {**WHIP, "derating": 1, "whips_per_feed": 1, "loss": BATTERY}
    racks, _ = _busbar(feed)
    rack = racks["3xdgx_b300_busbar"]
    assert rack.feed is not None
    # two shelves keep their reserve with 55 kW; with a feed lost one carries its 33 of 43.5 kW: 10.5 kW are missing, which one
    # battery shelf of 15 kW for 90 s bridges for 60 s
    assert rack.distribution is not None
    assert rack.distribution.id == "orv3_shelf_33k"
    assert (rack.feed.one_feed, rack.contents["supplies_feed_lost_w"]) == (33e3, 33e3)
    assert (rack.feed.remedy, rack.feed.batteries) == (FeedLossRemedy.BATTERY, 1)
    assert rack.contents["units_batteries"] == 1
    assert rack.contents["units_free"] == 48 - 30 - 2 - 1 - rack.contents["units_reserved"]
    long = _busbar({**feed, "loss": {**BATTERY, "ride_through": "200 s"}})[0]["3xdgx_b300_busbar"].feed
    # 10.5 kW x 200 s are more than one shelf holds
    assert long is not None
    assert long.batteries * 15e3 * 90 >= 200 * (43.5e3 - long.one_feed)


def test_a_rack_too_heavy_to_roll() -> None:
    assert "1xgb300_nvl72" in _busbar(None, 1800.0)[0]
    assert "1xgb300_nvl72" in _busbar(None, 1700.0, racks_arrive_loaded=True)[0]
    racks, rejected = _busbar(None, 1800.0, racks_arrive_loaded=True)
    assert "1xgb300_nvl72" not in racks
    assert any("1600 kg rolled in, frame mgx carries 1500" in r.reason for r in rejected)


def test_a_busbar_carries_no_more_than_its_rating() -> None:
    strong = _busbar(None)[0]
    assert all(rack.nameplate <= 70e3 for rack in strong.values() if rack.system.kind is SystemKind.SERVER)


@pytest.mark.parametrize(
    ("site", "words"),
    [
        ({"airflow_per_rack": "1 m**3/s"}, "m3/s of air"),
        ({"rows": {"racks_per_row": 10, "rack_pitch": "0.6 m", "row_pitch": "1 m", "tray_height": "3 m"}}, "m deep"),
    ],
)
def test_limits_of_the_room_name_themselves(site: dict[str, Any], words: str) -> None:
    import re

    instance = _instance(None, **site)
    racks, rejected = _racks(instance)
    assert any(re.search(words, r.reason) for r in rejected)
    for rack in racks.values():
        flow = rack.systems * (rack.system.airflow or 0.0)
        assert instance.sites["hall"].airflow_per_rack is None or flow <= instance.sites["hall"].airflow_per_rack


def test_designs_carry_their_rack_and_verify() -> None:
    instance = _instance({**WHIP, "loss": CAPPING})
    for design in solve(instance, resolution="10%").points[:4]:
        assert verify_design(instance, design) == []
        pod = design.pods[0]
        assert pod.rack["feed_loss_remedy"] == "capping"
        assert pod.rack["units_free"] >= 0
        assert pod.rack["line_one_feed_a"] <= pod.rack["line_limit_a"]


def test_supplies_that_do_not_divide_over_the_lines_strand_power_by_phase() -> None:
    whip = {"voltage": "415 V", "breaker": "50 A", "code": "nec", "derating": 0.95, "whips_per_feed": 1}
    instance = _instance(whip, rack_positions=40)
    # four supplies on each feed of a node: of the eight of two nodes three hang on the fullest line
    node = instance.catalogue.get(System, "dgx_h100").model_copy(update={"psu_config": "4+4"})
    instance = with_part(instance, node)
    seen = 0
    for design in solve(instance, resolution="10%").points:
        assert verify_design(instance, design) == []
        (pod,) = design.pods
        f = {name.removeprefix("hall."): value for name, value in design.figures.items()}
        causes = [value for name, value in f.items() if name.startswith("stranded_")]
        assert f["installed_kw"] == pytest.approx(f["used_kw"] + sum(causes) + f["free_kw"])
        racks = pod.node_racks + pod.network_racks
        line = pod.rack["line_limit_a"] * 415 / 3**0.5
        full, dealt = (40 / racks * pod.node_racks * through / 1e3 for through in (3 * line, line / (3 / 8)))
        before = f["installed_kw"] - sum(
            f[f"stranded_{c}_kw"] for c in ("derating", "failover", "transient", "block_size")
        )
        if pod.systems_per_rack == 2 and dealt > f["used_kw"]:
            seen += f["stranded_phase_kw"] > 0
            assert f["stranded_feed_kw"] == pytest.approx(max(before - full, 0.0))
            assert f["stranded_phase_kw"] == pytest.approx(min(before, full) - min(before, dealt))
    assert seen


def test_what_hangs_in_a_rack_weighs_something() -> None:
    racks, _ = _racks(_instance({**WHIP, "loss": CAPPING}))
    rack = racks[3]
    assert rack.distribution is not None
    # two upright rack PDUs of unstated mass, 10 kg each, beside three nodes and the frame
    assert rack.weight == pytest.approx(3 * 130.5 + (rack.frame.empty_weight or 0) + 2 * 10)
    assert rack.contents["weight_beside_systems_kg"] == pytest.approx(20)
    assert rack.contents["weight_assumed"] == [rack.distribution.id]
    stated = rack.distribution.model_copy(update={"weight": 35.0})
    heavier = _racks(with_part(_instance({**WHIP, "loss": CAPPING}), stated))[0][3]
    assert heavier.weight == pytest.approx(rack.weight + 50)
    assert heavier.contents["weight_assumed"] == []


def test_a_frame_carries_its_power_shelves_too() -> None:
    room = _busbar(None)[0]["3xdgx_b300_busbar"]
    assert room.distribution is not None
    assert room.weight == pytest.approx(3 * 150 + 200 + 31 * room.distribution_units)
    frame = room.frame.model_copy(update={"static_load": 3 * 150 + 20.0 * room.distribution_units - 1})
    instance = load("tiny/thermal-liquid", overrides={**BUSBAR, "sites": {"hall": {"air_per_rack": "unlimited"}}})
    instance = with_part(instance, frame)
    instance = with_part(instance, room.system)
    _, rejected = enumerate_rack_designs(instance, "train")
    assert "exceed the frame's" in next(r.reason for r in rejected if r.item.startswith("3xdgx_b300_busbar@mgx"))


def test_a_device_too_deep_for_its_frame_is_refused() -> None:
    instance = _instance(None)
    node = instance.catalogue.get(System, "dgx_h100")
    assert node.depth == pytest.approx(0.8971)
    assert _racks(with_part(instance, node.model_copy(update={"depth": 1.05})))[0]
    racks, rejected = _racks(with_part(instance, node.model_copy(update={"depth": 1.06})))
    assert not racks
    assert "1.06 m deep" in _reason(rejected, 1)


def test_conductors_that_lie_together_in_warm_air_carry_less_than_the_breaker() -> None:
    wires = {"ampacity": "65 A", "ambient": "40 degC", "grouped": 6}
    feed = {**WHIP, "loss": CAPPING, "conductors": wires}
    racks, _ = _racks(_instance(feed))
    # 65 A x sqrt(50/60) x 0.8 = 47.5 A is above the 45.6 A of the breaker
    assert racks[3].contents["line_limit_a"] == pytest.approx(45.6)
    instance = _instance({**feed, "conductors": {**wires, "ampacity": "60 A"}})
    racks, _ = _racks(instance)
    assert racks[3].contents["line_limit_a"] == pytest.approx(60 * 0.8 * (50 / 60) ** 0.5)
    for design in solve(instance, resolution="25%").points[:2]:
        assert verify_design(instance, design) == []


def test_a_frame_must_pass_under_what_hangs_in_the_hall() -> None:
    # 48 units of 44.45 mm and 0.175 m of frame are 2.31 m
    assert _racks(_instance(None, clear_height="2.31 m"))[0]
    racks, rejected = _racks(_instance(None, clear_height="2.2 m"))
    assert all(rack.contents["height_m"] <= 2.2 for rack in racks.values())
    assert any("2.31 m high, the hall is clear up to 2.2 m" in r.reason for r in rejected)


def test_the_record_says_what_shelves_carry_in_each_state() -> None:
    told = _busbar(None)[0]["1xgb300_nvl72"].contents
    # eight shelves of 33 kW; half of them with a feed lost
    assert (told["supplies_w"], told["supplies_feed_lost_w"]) == (264e3, 132e3)
    busbar = _busbar(None)[0]["3xdgx_b300_busbar"]
    assert busbar.distribution is not None
    assert (busbar.distribution.id, busbar.contents["supplies_w"]) == (
        "orv3_shelf_72k",
        busbar.distribution_units * 72e3,
    )
    assert busbar.contents["supplies_reserve_w"] == busbar.distribution_units * 60e3
    assert busbar.contents["supplies_feed_lost_w"] == busbar.contents["supplies_w"] / 2
