"""Layouts of designs of every kind pass the independent check, and a layout that was tampered with does not."""

from __future__ import annotations

import importlib.util
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from models.candidates.rows_of_racks import unit_ground, unit_positions
from models.parts.cooling import Cooling
from models.site import RowFeed
from optimizer.layout.check import check_layout
from optimizer.layout.hall import Hall
from optimizer.layout.in_row import Unit, left_free, places_for, slots_of, stand
from optimizer.layout.plan import DeviceKind, FloorUnit, Layout, PlacedRack, SitePlan
from optimizer.layout.planner import lay_out
from optimizer.layout.write import write_layout
from optimizer.verify import verify_design

_SPEC = importlib.util.spec_from_file_location("layout_cases", Path(__file__).with_name("conftest.py"))
assert _SPEC is not None
assert _SPEC.loader is not None
cases = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(cases)


@pytest.mark.parametrize("number", [0, 1, 2])
@pytest.mark.parametrize("case", list(cases.CASES))
def test_every_rule_holds(case: str, number: int) -> None:
    instance, design, layout = cases.laid_out(case, number)
    assert check_layout(instance, design, layout) == []
    for plan in layout.sites:
        assert 0 < plan.bound <= plan.total_length * (1 + 1e-9)


def test_distribution_units_stand_among_the_racks_they_serve() -> None:
    layout = cases.laid_out("rack-scale", 2)[2]
    (plan,) = layout.sites
    assert plan.equipment
    for unit in plan.equipment:
        assert unit.slots * plan.hall.pitch >= unit.width
        beside = [rack for rack in plan.racks if rack.row == unit.row and rack.kind == "compute"]
        assert min(abs(rack.x - unit.x) for rack in beside) <= (unit.slots + 4) * plan.hall.pitch


@pytest.mark.parametrize(("pitch", "positions"), [(0.6, 2), (0.75, 2), (1.0, 1), (0.3, 4)])
def test_a_unit_of_a_row_takes_the_positions_its_width_covers(pitch: float, positions: int) -> None:
    instance, _, _ = cases.laid_out("in-row", 0)
    part = instance.catalogue.get(Cooling, "cdu_inrow_1350")
    use = instance.sites["hall"].liquid["large_cdu"].equipment[0]
    rows = instance.sites["hall"].rows.model_copy(update={"rack_pitch": pitch})
    assert unit_ground(part) == pytest.approx((1.12 / 1.2, 1.2))  # 0.93 m: two positions of 600 mm, one of 1 m
    assert unit_positions(rows, use, part) == positions
    assert unit_positions(rows, use.model_copy(update={"positions": 5}), part) == 5
    assert unit_positions(rows, use.model_copy(update={"positions": 0}), part) == 0  # at the ends of rows
    assert unit_ground(part.model_copy(update={"depth": 1.4})) == pytest.approx((0.8, 1.4))


def test_units_of_a_row_are_counted_drawn_and_checked_on_two_positions(tmp_path: Path) -> None:
    instance, design, layout = cases.laid_out("in-row", 1)
    (plan,) = layout.sites
    bought = sum(choice.units for choice in design.plant if choice.part == "cdu_inrow_1350")
    racks = sum(pod.count * (pod.node_racks + pod.network_racks + pod.storage_racks) for pod in design.pods)
    assert bought >= 2
    assert [unit.slots for unit in plan.equipment] == [2] * bought
    assert design.figures["floor_racks"] == racks + 2 * bought
    write_layout(tmp_path, design, layout)
    floor = ET.parse(tmp_path / "floor-hall.svg").getroot()
    said = " ".join(text.text for text in floor.iter() if text.text)
    assert all(unit.id in said for unit in plan.equipment)
    narrow = tuple(replace(unit, slots=1) for unit in plan.equipment)
    told = check_layout(instance, design, replace(layout, sites=(replace(plan, equipment=narrow),)))
    assert any(plan.equipment[0].id in finding.field for finding in told)
    assert not verify_design(instance, design)


def test_distribution_units_stand_at_row_ends_where_racks_need_every_position() -> None:
    hall = Hall(positions=8, per_row=4, pitch=0.6, row_pitch=3.0, tray=3.0)
    units = [Unit(f"u{n}", "cdu", 0.9, 1.2) for n in range(2)]
    assert places_for(hall, units, 7, 7, 1) == []
    places = places_for(hall, units, 4, 4, 1)
    assert len(places) == 2
    assert left_free(hall, places, 2).sum() == 4
    rack = cases.laid_out("performance", 0)[2].sites[0].racks[0]
    ends = list(stand(hall, units, [], [], [replace(rack, row=1)]))
    assert [unit.slots for unit in ends] == [0, 0]
    assert all(unit.x + unit.width / 2 <= 0 or unit.x - unit.width / 2 >= 4 * 0.6 for unit in ends)
    assert abs(ends[0].x - ends[1].x) >= ends[0].width
    assert slots_of(hall, [replace(units[0], positions=3)]) == 3
    assert [unit.id for unit in stand(hall, units, places, [rack], [rack])] == ["u0", "u1"]


def test_the_same_design_is_laid_out_alike() -> None:
    instance, design, layout = cases.laid_out("performance", 1)
    assert replace(lay_out(instance, design), seconds=0.0) == replace(layout, seconds=0.0)


def _with_plan(layout: Layout, change: Callable[[SitePlan], SitePlan]) -> Layout:
    return replace(layout, sites=(change(layout.sites[0]), *layout.sites[1:]))


def _with_rack(layout: Layout, change: Callable[[PlacedRack], PlacedRack]) -> Layout:
    return _with_plan(layout, lambda plan: replace(plan, racks=(change(plan.racks[0]), *plan.racks[1:])))


def _raised(rack: PlacedRack) -> PlacedRack:
    """The lowest device one unit higher, into the next."""
    lowest = min((d for d in rack.devices if d.unit_from), key=lambda d: d.unit_from)
    moved = replace(lowest, unit_from=lowest.unit_from + 1, unit_to=lowest.unit_to + 1)
    return replace(rack, devices=tuple(moved if d is lowest else d for d in rack.devices))


def _without(kind: DeviceKind) -> Callable[[PlacedRack], PlacedRack]:
    return lambda rack: replace(rack, devices=tuple(d for d in rack.devices if d.kind is not kind))


def _in_place_of(rack: PlacedRack) -> FloorUnit:
    return FloorUnit("u", "cdu", rack.row, rack.x, rack.y, rack.width, 1.0, rack.position, rack.slots)


TAMPERED: dict[str, Callable[[Layout], Layout]] = {
    "two racks on one position": lambda layout: _with_plan(
        layout,
        lambda plan: replace(
            plan,
            racks=(
                replace(plan.racks[0], row=plan.racks[1].row, position=plan.racks[1].position),
                *plan.racks[1:],
            ),
        ),
    ),
    "outside the hall": lambda layout: _with_rack(layout, lambda rack: replace(rack, row=1000)),
    "turned round": lambda layout: _with_rack(
        layout, lambda rack: replace(rack, facing="-y" if rack.facing == "+y" else "+y")
    ),
    "moved without its cables": lambda layout: _with_rack(layout, lambda rack: replace(rack, x=rack.x + 0.6)),
    "a device on another": lambda layout: _with_rack(layout, _raised),
    "no blank panels": lambda layout: _with_rack(layout, _without(DeviceKind.BLANK)),
    "no reserve": lambda layout: _with_rack(layout, _without(DeviceKind.RESERVED)),
    "a system missing": lambda layout: _with_rack(layout, _without(DeviceKind.SYSTEM)),
    "lighter than it is": lambda layout: _with_rack(layout, lambda rack: replace(rack, weight_kg=rack.weight_kg - 1)),
    "a line forgotten": lambda layout: _with_rack(
        layout, lambda rack: replace(rack, phases=(replace(rack.phases[0], l1=0.0), *rack.phases[1:]))
    ),
    "a cable cut short": lambda layout: _with_plan(
        layout,
        lambda plan: replace(plan, cables=(replace(plan.cables[0], length=1.0), *plan.cables[1:])),
    ),
    "a cable missing": lambda layout: _with_plan(layout, lambda plan: replace(plan, cables=plan.cables[1:])),
    "two cables in one port": lambda layout: _with_plan(
        layout,
        lambda plan: replace(plan, cables=(replace(plan.cables[0], a_end=plan.cables[1].a_end), *plan.cables[1:])),
    ),
    "a longer reach": lambda layout: _with_plan(
        layout,
        lambda plan: replace(plan, cables=(replace(plan.cables[0], reach=1e4), *plan.cables[1:])),
    ),
    "a bound above the length": lambda layout: _with_plan(
        layout, lambda plan: replace(plan, bound=plan.total_length + 1)
    ),
    "a shorter total": lambda layout: _with_plan(
        layout, lambda plan: replace(plan, total_length=plan.total_length - 1)
    ),
    "a distribution unit on a rack": lambda layout: _with_plan(
        layout,
        lambda plan: replace(plan, equipment=(*plan.equipment, _in_place_of(plan.racks[0]))),
    ),
    "a unit that nobody bought": lambda layout: _with_plan(
        layout,
        lambda plan: replace(
            plan, equipment=(*plan.equipment, FloorUnit("u", "cdu_inrow_1350", 1, -9.0, 0.0, 1.0, 1.0))
        ),
    ),
    "priced for another length": lambda layout: _with_plan(
        layout, lambda plan: replace(plan, cables=(replace(plan.cables[0], band=1e4), *plan.cables[1:]))
    ),
    "another row pitch": lambda layout: _with_plan(
        layout, lambda plan: replace(plan, hall=replace(plan.hall, row_pitch=1.0))
    ),
    "another design": lambda layout: replace(layout, design_id="000000000000"),
}


@pytest.mark.parametrize("what", list(TAMPERED))
def test_tampering_is_found(what: str) -> None:
    instance, design, layout = cases.laid_out("performance", 1)
    assert check_layout(instance, design, TAMPERED[what](layout))


def test_what_the_hall_asks_is_found() -> None:
    instance, design, layout = cases.laid_out("performance", 1)

    def found(what: str, layout: Layout = layout, **changes: object) -> bool:
        hall = instance.sites["hall"].model_copy(update=changes)
        changed = replace(instance, document=instance.document.model_copy(update={"sites": {"hall": hall}}))
        return any(what in finding.field for finding in check_layout(changed, design, layout))

    assert found("height", clear_height=1.5)
    assert not found("height", clear_height=4.0)
    heavy = _with_rack(layout, lambda rack: replace(rack, weight_kg=1e5))
    assert found("feet", heavy, floor="raised_std")
    assert not found("feet", floor="raised_heavy")
    feed = RowFeed.model_validate({"voltage": "415 V", "breaker": "40 A", "code": "nec", "owner": "facility team"})
    assert found("row 1", row_feed=feed)
    assert not found("row 1", row_feed=feed.model_copy(update={"breaker": 4000.0}))


@pytest.mark.parametrize("case", ["performance", "rear-door", "rack-scale", "two-clusters"])
def test_files_name_every_rack_and_device(case: str, tmp_path: Path) -> None:
    _, design, layout = cases.laid_out(case, 0)
    files = {file.name: file for file in write_layout(tmp_path, design, layout)}
    devices = files["devices.csv"].read_text()
    for plan in layout.sites:
        drawn = files[f"floor-{plan.site}.svg"].read_text()
        elevations = files[f"elevation-{plan.site}.svg"].read_text()
        for text in (drawn, elevations):
            assert ET.fromstring(text).tag.endswith("svg")
        for rack in plan.racks:
            assert f"{rack.id}:" in drawn
            assert all(device.id in devices for device in rack.devices)
        first_of_type = {rack.type: rack for rack in reversed(plan.racks)}
        for rack in first_of_type.values():
            assert all(device.id in elevations for device in rack.devices if device.part)
    assert len(files["cables.csv"].read_text().splitlines()) == 1 + sum(len(plan.cables) for plan in layout.sites)
    billed = {line.part for line in design.bom if line.layer in ("silicon", "network", "rack power")}
    assert all(f",{part}," in devices for part in billed)
