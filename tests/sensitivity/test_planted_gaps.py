"""A bargain that is one step short of being legal in one field: the gap list finds that field and ranks it first."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from models.candidates.placement import enumerate_candidates
from models.instance import Instance
from models.loading import load
from models.parts.quarter import Quarter
from models.site import EquipmentUse, Redundancy, SiteOption
from optimizer.sensitivity.gap_list import gap_list
from optimizer.sensitivity.part_field import find_part_field, part_of
from optimizer.sensitivity.repricing import list_price, with_part
from optimizer.sensitivity.spec_section import gap_data, gap_sentence
from tests.sensitivity.brute_money import known_designs

STEP = 0.2


def _space(inst: Instance, **changes: Any) -> Instance:
    workload = inst.workloads["train"]
    workload = workload.model_copy(update={"design_space": workload.design_space.model_copy(update=changes)})
    return dataclasses.replace(inst, document=inst.document.model_copy(update={"workloads": {"train": workload}}))


def _like(inst: Instance, model: str, price: float, **changes: Any) -> Instance:
    told = {"id": "bargain", "price_low": price, "price_high": price, **changes}
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


def _chip(inst: Instance, share: float) -> Instance:
    chip = part_of(inst, "mi300x")
    inst = with_part(inst, chip.model_copy(update={"id": "slow", "peak_bf16": chip.peak_bf16 * share}))  # type: ignore[attr-defined]
    return _server(inst, 1e3, accelerator="slow", max_power=3e3, typical_power=2e3)


PLANTED: dict[str, tuple[str, Callable[[Instance], Instance]]] = {
    "weight": ("bargain", lambda i: _server(i, 1.6e5, weight=1800.0)),
    "rack_units": ("bargain", lambda i: _server(i, 1.6e5, rack_units=49.0)),
    "power": ("bargain", lambda i: _server(i, 1e3, max_power=55e3, typical_power=50e3)),
    "available": ("bargain", lambda i: _server(i, 1.6e5, available=Quarter("2027Q2"))),
    "native_ports": ("bargain", lambda i: _switch(i, native_ports=8, typical_power=10.0, max_power=20.0)),
    "efficiency": ("bargain", lambda i: _ups(i, efficiency=0.88)),
    "peak_bf16": ("slow", lambda i: _chip(i, 0.36)),
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
    assert f"lets {part} ({field}" in gap_sentence(result)
    # as it is no legal design has it; a step better the cheapest design does, and is cheaper by what the list says
    before, _ = _designs(inst, first.value, part, field)
    assert not any(d.units for d in before)
    after, price = _designs(inst, first.improved, part, field)
    best = min(after, key=lambda d: d.cost(price))
    assert best.units
    assert first.gain == pytest.approx(result.best - best.cost(price), abs=1.0)


def _designs(inst: Instance, value: float, part: str, field: str) -> Any:
    changed = with_part(inst, find_part_field(part_of(inst, part), field).variant(value))
    price = list_price(part_of(changed, "bargain"), inst.money.price_basis) or 0.0
    return known_designs(changed, enumerate_candidates(changed), "bargain", price), price
