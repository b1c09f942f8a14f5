"""A bargain that is one step short of being legal in one field: the gap list finds that field and ranks it first."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from models.candidates.placement import enumerate_candidates
from models.errors import UsageError
from models.instance import Instance
from models.loading import load
from models.parts.failure_rate import FailureRate
from models.parts.quarter import Quarter
from models.site import EquipmentUse, Redundancy, SiteOption
from models.workload import ThroughputMethod
from optimizer.sensitivity import gap_search, part_variants
from optimizer.sensitivity.failure_field import failure_field, field_of
from optimizer.sensitivity.gap_list import gap_list
from optimizer.sensitivity.part_field import part_of
from optimizer.sensitivity.repricing import list_price, with_part
from optimizer.sensitivity.spec_section import gap_data, gap_sentence
from tests.sensitivity.brute_money import known_designs

STEP = 0.2


def _space(inst: Instance, **changes: Any) -> Instance:
    workload = inst.workloads["train"]
    workload = workload.model_copy(update={"design_space": workload.design_space.model_copy(update=changes)})
    return dataclasses.replace(inst, document=inst.document.model_copy(update={"workloads": {"train": workload}}))


def _like(inst: Instance, model: str, price: float, **changes: Any) -> Instance:
    told = {"id": "bargain", **({"price_low": price, "price_high": price} if price else {}), **changes}
    return with_part(inst, part_of(inst, model).model_copy(update=told))


def _server(inst: Instance, price: float, **changes: Any) -> Instance:
    return _space(_like(inst, "mi300x_8u", price, **changes), systems=("dgx_h100", "mi300x_8u", "bargain"))


def _switch(inst: Instance, **changes: Any) -> Instance:
    fabric = inst.workloads["train"].design_space.fabric
    wide = fabric.model_copy(update={"switches": ("qm9700", "sn5600", "bargain")})
    return _space(_like(inst, "sn5600", 1e3, **changes), fabric=wide)


def _ups(inst: Instance, **changes: Any) -> Instance:
    inst = _like(inst, "ups_1500k", 1e3, **changes)
    hall = inst.sites["hall"]
    cheap = SiteOption(equipment=(EquipmentUse(part="bargain", redundancy=Redundancy.N),))
    hall = hall.model_copy(
        update={"utility": hall.utility.model_copy(update={"value": 356e3}), "power": {**hall.power, "cheap": cheap}}
    )
    return dataclasses.replace(inst, document=inst.document.model_copy(update={"sites": {"hall": hall}}))


def _chip(inst: Instance, **changes: Any) -> Instance:
    chip = part_of(inst, "mi300x")
    inst = with_part(inst, chip.model_copy(update={"id": "slow", **changes}))
    return _server(inst, 1e3, accelerator="slow", max_power=3e3, typical_power=2e3)


def _searched(inst: Instance) -> Instance:
    workload = inst.workloads["train"].model_copy(
        update={"throughput": ThroughputMethod.MAPPING, "model_parallel": None}
    )
    return dataclasses.replace(inst, document=inst.document.model_copy(update={"workloads": {"train": workload}}))


def _failing(times: float) -> Instance:
    """A chip that fails so many times as often as the usual one, where most of the time must be useful and hardly any speed is asked."""
    inst = load(
        "tiny/reliability",
        overrides={"workloads": {"train": {"tokens": "300 Gtoken"}}, "assumptions": {"accelerator_failure_rate": None}},
    )
    row = inst.catalogue.of(FailureRate)["gpu_h100_all"]
    rates = {end: rate * times for end in ("rate", "rate_low", "rate_high") if (rate := getattr(row, end)) is not None}
    return with_part(_chip(inst), row.model_copy(update={"id": "slow", **rates}))


def _link(inst: Instance, **changes: Any) -> Instance:
    """A module for a dollar where every other costs a fortune."""
    inst = _like(inst, "dr4_400", 0.0, **{"price_low_per_end": 1.0, "price_high_per_end": 1.0, **changes})
    for other in ("dr4_400", "dr8_800"):
        dear = part_of(inst, other).model_copy(update={"price_low_per_end": 9e3, "price_high_per_end": 9e3})
        inst = with_part(inst, dear)
    fabric = inst.workloads["train"].design_space.fabric
    return _space(inst, fabric=fabric.model_copy(update={"media": ("dr4_400", "dr8_800", "bargain")}))


PLANTED: dict[str, tuple[str, Callable[[Instance], Instance]]] = {
    "weight": ("bargain", lambda i: _server(i, 1.6e5, weight=1800.0)),
    "rack_units": ("bargain", lambda i: _server(i, 1.6e5, rack_units=49.0)),
    "power": ("bargain", lambda i: _server(i, 1e3, max_power=55e3, typical_power=50e3)),
    "available": ("bargain", lambda i: _server(i, 1.6e5, available=Quarter("2027Q2"))),
    "native_ports": ("bargain", lambda i: _switch(i, native_ports=8, typical_power=10.0, max_power=20.0)),
    "efficiency": ("bargain", lambda i: _ups(i, efficiency=0.88)),
    "peak_bf16": ("slow", lambda i: _chip(i, peak_bf16=1307e12 * 0.36)),
    "memory": ("slow", lambda i: _chip(i, memory=0.25e9)),
    "memory_bandwidth": ("slow", lambda i: _searched(_chip(i, memory_bandwidth=5.3e12 * 0.09))),
    "failure_rate": ("slow", lambda _: _failing(14.0)),
    "native_speed": (
        "bargain",
        lambda i: _switch(
            i, native_speed=25e9, most_ports=None, most_ports_speed=None, typical_power=10.0, max_power=20.0
        ),
    ),
    "reach": ("bargain", lambda i: _link(i, reach=8.0)),
    "price": ("bargain", lambda i: _link(i, price_low_per_end=10e3, price_high_per_end=10e3)),
}


@pytest.mark.parametrize("field", PLANTED)
def test_a_planted_gap_is_found_and_ranked_first(field: str) -> None:
    part, plant = PLANTED[field]
    inst = plant(load("tiny/performance"))
    result = gap_list(inst, step=STEP)
    first = result.gaps[0]
    assert (first.part, first.field) == (part, field)
    assert first.enters
    assert not first.wins_today
    assert first.proven
    assert gap_data(result)["gaps"][0]["rank"] == 1
    assert f"lets {part} ({field.replace('_', ' ')}" in gap_sentence(result)
    # as it is no legal design has it; a step better the cheapest design does, and is cheaper by what the list says
    before, _ = _designs(inst, first.value, part, field)
    assert not any(d.units for d in before)
    after, price = _designs(inst, first.improved, part, field)
    best = min(after, key=lambda d: d.cost(price))
    assert best.units
    assert first.gain == pytest.approx(result.best - best.cost(price), abs=1.0)


def _designs(inst: Instance, value: float, part: str, field: str) -> Any:
    changed = field_of(inst, part_of(inst, part), field).within(inst, value)
    price = list_price(part_of(changed, "bargain"), inst.money.price_basis) or 0.0
    return known_designs(changed, enumerate_candidates(changed), "bargain", price), price


def test_what_is_left_out_of_an_enumeration_changes_no_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    inst = _link(load("tiny/performance"), reach=8.0)
    short = gap_list(inst, step=STEP)
    monkeypatch.setattr(gap_search, "lone", lambda _: False)
    monkeypatch.setattr(part_variants, "lone", lambda _: False)
    monkeypatch.setattr(gap_search, "under_any_plant", lambda _instance, found, _goals: found)
    whole = gap_list(inst, step=STEP)
    near = {(g.part, g.field): g for g in short.gaps if g.left is not None and not g.beyond}
    far = {(g.part, g.field): g for g in whole.gaps}
    assert short.best == pytest.approx(whole.best)
    for key, gap in near.items():
        assert (gap.gain, gap.left, gap.distance) == pytest.approx((far[key].gain, far[key].left, far[key].distance)), (
            key
        )
    for gap in short.gaps:
        if gap.beyond:
            found = far[gap.part, gap.field].left
            assert found is None or found >= gap.left - 0.01
        elif gap.left is None:
            assert far[gap.part, gap.field].left is None


def test_a_failure_rate_is_a_field_where_the_instance_uses_it() -> None:
    inst = _failing(14.0)
    field = field_of(inst, part_of(inst, "slow"), "mtbf")
    assert field.value == pytest.approx(14 * inst.catalogue.of(FailureRate)["gpu_h100_all"].rate)
    assert field_of(field.within(inst, field.value / 2), part_of(inst, "slow"), "failure rate").value == field.value / 2
    stated = load("tiny/performance")
    with pytest.raises(UsageError, match="accelerator_failure_rate moves it"):
        failure_field(stated, part_of(stated, "mi300x"))
    with pytest.raises(UsageError, match="no failure rate of its own"):
        field_of(inst, part_of(inst, "ups_1500k"), "failure rate")
    uses = {"failures": "psu"}
    power = {"ups": {"equipment": [{"part": "ups_1500k", "redundancy": "n", **uses}]}}
    plant = load("tiny/performance", overrides={"sites": {"hall": {"power": power}}})
    field = field_of(plant, part_of(plant, "ups_1500k"), "failure rate")
    changed = field.within(plant, field.value * 2)
    assert failure_field(changed, part_of(changed, "ups_1500k")).value == pytest.approx(field.value * 2)
    assert changed.catalogue.of(FailureRate)["psu"].rate == field.value
