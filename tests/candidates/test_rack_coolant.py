"""CDUs and manifolds in racks: how many, what they draw, weigh and cost, and which liquid options serve them."""

from __future__ import annotations

from dataclasses import replace
from math import ceil
from typing import Any

import pytest

from models.candidates.placement import enumerate_candidates
from models.candidates.rack_coolant import coolant_kits
from models.instance import Instance
from models.loading import load
from models.parts.cooling import Cooling
from models.parts.system import System
from models.physics.thermal import Fluid, volume_flow
from models.policy import PowerFigure
from models.site import Chain
from optimizer.layout.check import check_layout
from optimizer.layout.planner import lay_out
from optimizer.solve import solve
from optimizer.verify import verify_design

FACILITY = {"dry": {"equipment": [{"part": "dry_cooler", "redundancy": "n+1"}], "coolant_to": "rack_cdus"}}


def _instance(coolant: dict[str, Any] | None, liquid: dict[str, Any] | None = None, **space: Any) -> Instance:
    space = {"systems": ["smc_4u_lc_b200"], **space, **({"coolant": coolant} if coolant else {})}
    hall = {"liquid": liquid} if liquid else {}
    return load(
        "tiny/thermal-liquid", overrides={"workloads": {"train": {"design_space": space}}, "sites": {"hall": hall}}
    )


def _kits(instance: Instance, heat: float) -> list[Any]:
    return list(coolant_kits(instance, "train", instance.catalogue.get(System, "smc_4u_lc_b200"), heat))


@pytest.mark.parametrize(("redundancy", "spare"), [("n", 0), ("n+1", 1)])
@pytest.mark.parametrize("heat", [12e3, 120e3, 122e3, 300e3])
def test_units_carry_the_rack_with_one_out_where_asked(redundancy: str, spare: int, heat: float) -> None:
    kits = _kits(_instance({"sources": ["in_rack"], "redundancy": redundancy}, FACILITY), heat)
    by_part = {kit.cdu.id: kit for kit in kits}
    assert set(by_part) == {"cdu_inrack_100", "cdu_inrack_250"}
    for kit in kits:
        left = kit.cdus - spare
        assert left * kit.carries >= heat > (left - 1) * kit.carries
        assert kit.carries == kit.cdu.capacity


def test_flow_within_the_pump_curve_ends_what_a_unit_carries() -> None:
    curve = [
        {"flow": "60 L/min", "pressure": "150 kPa"},
        {"flow": "120 L/min", "pressure": "100 kPa"},
    ]
    loop = {"rise": "10 K", "pressure": "125 kPa", "pump_curve": curve, "pump_efficiency": 0.5}
    kit = _kits(_instance({"sources": ["in_rack"], "units": ["cdu_inrack_100"], "loop": loop}, FACILITY), 60e3)[0]
    # 125 kPa are left at 90 L/min; PG25 carries 3.927 kJ per litre and kelvin
    assert kit.carries == pytest.approx(1.5 * 3927 * 10, rel=1e-3)
    assert kit.cdus == ceil(60e3 / kit.carries)
    assert kit.share == pytest.approx(float(volume_flow(1.0, 10.0, Fluid.PG25)) * 125e3 / 0.5)


def test_racks_hold_weigh_cost_and_draw_their_units() -> None:
    space = {"sources": ["in_rack"], "manifolds": ["manifold_130", "manifold_250"]}
    instance = _instance(space, FACILITY)
    cdus, pipes = (instance.catalogue.get(Cooling, name) for name in ("cdu_inrack_100", "manifold_130"))
    plain = enumerate_candidates(_instance(None)).placements[0].pods
    own = enumerate_candidates(instance).placements[0].pods
    bare = {rack.systems: rack for rack in plain.racks}
    seen = 0
    for rack in own.racks:
        kit = rack.coolant
        if kit.cdu != cdus or rack.systems not in bare:
            continue
        seen += 1
        assert rack.contents["units_coolant"] == 4 * kit.cdus
        # 4U of unstated mass at 31 kg a unit; the manifold states its own
        assert rack.weight == pytest.approx(bare[rack.systems].weight + 4 * 31 * kit.cdus + (pipes.weight or 0))
        assert kit.manifold == pipes
        assert cdus.price is not None
        assert pipes.price is not None
        more = kit.cdus * cdus.price.low + pipes.price.low
        assert rack.overhead.low == pytest.approx(bare[rack.systems].overhead.low + more)
        assert rack.moving == pytest.approx((cdus.power_share or 0) * (rack.system.liquid_fraction or 0))
    assert seen
    for figure in PowerFigure:
        it, liquid, air = (own.load(column, figure) for column in (own.it, own.liquid, own.air))
        assert it == pytest.approx(air + liquid)  # what pumps draw ends in the loop


def test_each_option_serves_the_racks_it_is_for() -> None:
    instance = _instance({"sources": ["site", "in_rack"]}, FACILITY)
    (placements,) = enumerate_candidates(instance).placements
    met = set()
    for row in range(len(placements)):
        rack = placements.pods.rack_design(int(placements.pod[row]))
        option = placements.combinations[int(placements.combination[row])].option(Chain.LIQUID)
        assert option is not None
        met.add((rack.coolant.cdu is not None, option.id))
    assert met == {(False, "small_cdus"), (False, "large_cdu"), (True, "dry")}


def test_warm_facility_water_is_no_use_to_a_unit_that_does_not_stand_it() -> None:
    warm = {"dry": {**FACILITY["dry"], "supply_temperature": "41 degC"}}
    found = enumerate_candidates(_instance({"sources": ["in_rack"]}, warm))
    assert not any(len(p) for p in found.placements)
    assert any("do not stand its supply of 41" in r.reason for r in found.rejections)


def test_without_a_manifold_that_carries_it_a_rack_is_refused() -> None:
    tiny = _instance({"manifolds": ["manifold_130"]})
    heats = {rack.systems for rack in enumerate_candidates(tiny).placements[0].pods.racks}
    assert max(heats) * 14e3 * 0.92 <= 130e3


def test_designs_with_units_in_racks_verify_and_lie_in_their_frames() -> None:
    instance = _instance(
        {"sources": ["in_rack"], "redundancy": "n+1", "manifolds": ["manifold_130", "manifold_250"]}, FACILITY
    )
    points = solve(instance, resolution="20%").points
    assert points
    design = points[0]
    assert verify_design(instance, design) == []
    (pod,) = design.pods
    listed = {line.part: line.quantity for line in design.bom if line.layer == "rack cooling"}
    assert listed[str(pod.rack["cdu"])] == pod.rack["cdus"] * pod.node_racks
    assert listed[str(pod.rack["manifold"])] == pod.node_racks
    layout = lay_out(instance, design)
    assert check_layout(instance, design, layout) == []
    kinds = {device.kind.value for site in layout.sites for rack in site.racks for device in rack.devices}
    assert {"in-rack CDU", "manifold"} <= kinds
    for field, wrong in (("cdus", pod.rack["cdus"] - 1), ("cdu_carries_w", 1e6), ("manifold", "manifold_250x")):
        told = replace(design, pods=(replace(pod, rack={**pod.rack, field: wrong}),))
        assert verify_design(instance, told), field


@pytest.mark.parametrize("redundancy", ["n", "n+1"])
def test_racks_without_coolant_stop_the_job(redundancy: str) -> None:
    space = {"sources": ["in_rack"], "redundancy": redundancy, "units": ["cdu_inrack_100"]}
    failing = {**space, "mtbf": "100000 h", "mttr": "10 h"}
    (before,), (after,) = (enumerate_candidates(_instance(s, FACILITY)).placements for s in (space, failing))
    unit = 1e5 / (1e5 + 10)
    for row in range(len(after.pods)):
        racks, number = int(after.pods.node_racks[row]), after.pods.rack_design(row).coolant.cdus
        needed = number - (redundancy == "n+1")
        lost = racks * needed / (1e5 * 3600)
        up = unit**number
        if redundancy == "n+1":  # one is being mended when another fails
            lost, up = lost * number * (1 - unit) * unit**needed, up + number * unit**needed * (1 - unit)
        else:
            lost *= unit**number
        assert after.pods.failure_rate[row] - before.pods.failure_rate[row] == pytest.approx(lost, rel=1e-6)
        assert after.pods.availability[row] / before.pods.availability[row] == pytest.approx(up**racks)
        assert after.pods.goodput[row] < before.pods.goodput[row]
    for design in solve(_instance(failing, FACILITY), objectives=["tco", "goodput"], resolution="25%").points[:2]:
        assert verify_design(_instance(failing, FACILITY), design) == []
        assert "CDUs in racks" in [cause["cause"] for cause in design.pods[0].reliability["causes"]]
