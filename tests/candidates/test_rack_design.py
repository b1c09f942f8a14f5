"""Rack designs are legal by every rule, complete, and whatever is turned down says why."""

from __future__ import annotations

from functools import cache

import pytest

from models.candidates.rack_design import RackDesign, enumerate_rack_designs, power_of, usable_systems
from models.candidates.rejection import Rejection, Stage
from models.candidates.site_fit import racks_for_site
from models.instance import Instance
from models.loading import load
from models.parts.system import System, SystemKind
from models.policy import PowerFigure
from models.workload import RackCooling

CASES = (
    ("training-30mw", "train"),
    ("tiny/thermal-liquid", "train"),
    ("tiny/thermal-rear-door", "train"),
    ("tiny/serving", "chat"),
)


@cache
def _racks(name: str, cluster: str) -> tuple[Instance, list[RackDesign], list[Rejection]]:
    instance = load(name)
    return instance, *enumerate_rack_designs(instance, cluster)


@pytest.mark.parametrize(("name", "cluster"), CASES)
def test_every_rack_is_legal(name: str, cluster: str) -> None:
    instance, racks, _ = _racks(name, cluster)
    assert racks
    space = instance.workloads[cluster].design_space
    reserved = instance.assumptions.reserved_rack_units.value
    for rack in racks:
        system, frame = rack.system, rack.frame
        assert system.frame == frame.kind
        assert rack.systems * system.weight <= frame.static_load
        assert rack.cooling in space.cooling
        assert (rack.cooling is RackCooling.LIQUID) == bool(system.liquid_fraction)
        if system.kind is SystemKind.SERVER:
            assert rack.systems * system.rack_units + reserved <= frame.rack_units
            assert rack.distribution is not None
            rating = rack.distribution.rated if frame.kind == "eia" else rack.distribution.usable_n_plus_1
            # one feed is half of the units and carries the whole rack
            assert rack.distribution_units % 2 == 0
            assert rack.distribution_units / 2 * rating >= rack.nameplate
            assert rack.distribution_units / 2 <= instance.assumptions.rack_pdus_per_feed.value
        else:
            assert rack.systems == 1
        if rack.cooling is RackCooling.REAR_DOOR:
            assert rack.door is not None
            assert rack.door.capacity >= rack.nameplate
            assert rack.air_heat == 0
        assert rack.overhead.low <= rack.overhead.high


@pytest.mark.parametrize(("name", "cluster"), CASES)
def test_names_are_unique_and_every_rejection_has_a_reason(name: str, cluster: str) -> None:
    _, racks, rejected = _racks(name, cluster)
    assert len({rack.id for rack in racks}) == len(racks)
    assert rejected
    assert all(r.item and len(r.reason) > 10 for r in rejected)
    assert not {rack.id for rack in racks} & {r.item for r in rejected}


@pytest.mark.parametrize(("name", "cluster"), CASES)
def test_every_system_of_the_catalogue_is_used_or_turned_down(name: str, cluster: str) -> None:
    instance, _, rejected = _racks(name, cluster)
    usable, refused = usable_systems(instance, cluster)
    ids = {s.id for s in usable} | {r.item for r in refused}
    assert ids == set(instance.catalogue.of(System))
    assert {r.stage for r in refused} <= {Stage.DESIGN_SPACE, Stage.CATALOGUE}
    assert set(refused) <= set(rejected)


def test_one_more_server_breaks_a_rule_that_is_named() -> None:
    instance, racks, rejected = _racks("training-30mw", "train")
    reserved = instance.assumptions.reserved_rack_units.value
    for system in {r.system.id: r.system for r in racks if r.system.kind is SystemKind.SERVER}.values():
        for cooling in RackCooling:
            mine = [r for r in racks if r.system.id == system.id and r.cooling is cooling]
            for frame in {r.frame.id: r.frame for r in mine}.values():
                most = max(r.systems for r in mine if r.frame.id == frame.id)
                name = f"{most + 1}x{system.id}@{frame.id}.{cooling.value}"
                if (most + 1) * system.rack_units + reserved <= frame.rack_units:
                    assert any(r.item == name for r in rejected), name


def test_a_site_takes_or_turns_down_every_rack_with_a_reason() -> None:
    for name, cluster in CASES:
        instance, racks, _ = _racks(name, cluster)
        for site, place in instance.sites.items():
            kept, rejected = racks_for_site(instance, cluster, site, racks)
            assert {r.id for r in kept} | {r.item for r in rejected} == {r.id for r in racks}
            assert len(kept) + len(rejected) == len(racks)
            assert all(len(r.reason) > 10 and r.site == site and r.cluster == cluster for r in rejected)
            assert all(r.system.available <= place.needed_by for r in kept)


def test_a_rack_is_only_dropped_for_a_fuller_one_whose_door_draws_no_more() -> None:
    instance, racks, _ = _racks("tiny/thermal-rear-door", "train")
    _, rejected = racks_for_site(instance, "train", "hall", racks)
    by_id = {rack.id: rack for rack in racks}
    beaten = [r for r in rejected if r.stage is Stage.DOMINANCE]
    assert beaten
    for one in beaten:
        worse, better = by_id[one.item], by_id[one.reason.split()[0]]
        assert better.systems > worse.systems
        if worse.door is not None:
            assert better.door.power_share <= worse.door.power_share


def test_design_power_lies_between_typical_and_nameplate() -> None:
    for system in {r.system.id: r.system for r in _racks("training-30mw", "train")[1]}.values():
        typical, nameplate = system.typical_power, system.max_power
        assert power_of(system, PowerFigure.TYPICAL, 0.3) == typical
        assert power_of(system, PowerFigure.NAMEPLATE, 0.3) == nameplate
        assert power_of(system, PowerFigure.DESIGN, 0.3) == pytest.approx(0.7 * typical + 0.3 * nameplate)
