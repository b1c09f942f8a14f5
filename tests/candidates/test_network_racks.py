"""Racks of switches: frame and rack PDUs are those a person would pick from the catalogue, and what they cost and weigh is counted."""

from __future__ import annotations

import dataclasses
from math import ceil
from typing import Any

import numpy as np
import pytest

from models.candidates.network_rack import (
    RackLimits,
    network_cards,
    network_frame,
    network_racks,
    rack_limits,
    racks_of_large,
)
from models.candidates.part_counts import units_per_pod
from models.candidates.placement import enumerate_candidates
from models.instance import Instance
from models.loading import load
from models.parts.power_component import PowerComponent, PowerKind
from models.parts.rack import Rack
from models.policy import Stated
from optimizer.extract import pod_of
from optimizer.layout.contents import pod_content


def _with_space(instance: Instance, **fields: Any) -> Instance:
    """The instance with other fields in every design space."""
    workloads = {
        name: one.model_copy(update={"design_space": one.design_space.model_copy(update=fields)})
        for name, one in instance.workloads.items()
    }
    return dataclasses.replace(instance, document=instance.document.model_copy(update={"workloads": workloads}))


def _without(instance: Instance, kind: type, *ids: str) -> Instance:
    parts = {**instance.catalogue.parts, kind: {k: v for k, v in instance.catalogue.of(kind).items() if k not in ids}}
    return dataclasses.replace(instance, catalogue=dataclasses.replace(instance.catalogue, parts=parts))


def test_the_tallest_allowed_frame_is_taken_and_else_the_cheapest() -> None:
    instance = load("tiny/performance")
    for allowed, wanted in (
        (None, "eia52"),
        (("eia42", "eia48", "eia48_wide"), "eia48_wide"),
        (("orv3", "eia48"), "eia48"),
        (("orv3",), "eia42"),
    ):
        frame = network_frame(_with_space(instance, frames=allowed), "train")
        assert frame is not None
        assert frame.id == wanted


@pytest.mark.parametrize("kilowatts", [0.5, 17.3, 17.4, 23.0, 34.5, 50.0, 69.0, 80.0, 115.0])
@pytest.mark.parametrize("allowed", [None, ("rpdu_17k",), ("rpdu_23k", "rpdu_57k")])
def test_the_rack_pdus_are_the_cheapest_that_carry_the_rack_on_one_feed(
    kilowatts: float, allowed: tuple[str, ...] | None
) -> None:
    instance = _with_space(load("tiny/performance"), rack_pdus=allowed)
    site = next(iter(instance.sites))
    place = instance.sites[site].model_copy(update={"air_per_rack": Stated[float](value=1e9)})
    instance = dataclasses.replace(instance, document=instance.document.model_copy(update={"sites": {site: place}}))
    watts = kilowatts * 1e3
    cards = network_cards(instance, "train")
    limits = rack_limits(instance, site, cards)
    found = network_racks(limits, cards, np.array([30.0]), np.array([watts]), np.array([watts]), np.zeros(1))
    parts = [
        p
        for p in instance.catalogue.of(PowerComponent).values()
        if p.kind is PowerKind.RACK_PDU and p.price is not None and p.rated and (allowed is None or p.id in allowed)
    ]
    most = 2 * max(p.rated or 0.0 for p in parts)
    racks = max(1, ceil(watts / most - 1e-9))
    assert found.count.tolist() == [racks]
    each = min(watts, most)
    options = [
        (2 * n * (p.price.low + p.price.high), p.id, 2 * n)
        for p in parts
        for n in (1, 2)
        if p.price is not None and n * (p.rated or 0.0) >= each * (1 - 1e-9)
    ]
    _, part, units = min(options)
    card = cards[int(found.card[0])]
    assert (card.distribution.id, card.units) == (part, units)
    assert found.price("low").tolist() == [racks * card.price.low]
    assert found.weight.tolist() == [racks * card.weight]


def test_a_rack_by_hand() -> None:
    """QM9700: one unit, 1,720 W with optics. Every rack is a 48-unit frame whose PDUs carry a full one, or all switches there are."""
    instance = load("tiny/budget")
    (placements,) = enumerate_candidates(instance).placements
    pods = placements.pods
    limit = instance.sites[placements.site].air_per_rack.value
    assert isinstance(limit, float)
    room = 48 - instance.assumptions.reserved_rack_units.value
    for row in range(len(pods)):
        fabric, card, rack = pods.fabric_row(row), pods.network_rack(row), pods.rack_design(row)
        assert card is not None
        assert card.frame.id == "eia48"
        switches = fabric["leaf"] + fabric["spine"] + fabric["core"]
        racks = ceil(max(switches / room, fabric["power_max"] / limit) - 1e-9)
        assert pods.network_racks[row] == racks
        assert card.capacity >= min(room * 1720.0, fabric["power_max"], limit) * (1 - 1e-9)
        bought = racks * (1500.0 + card.units * (card.distribution.price_low or 0.0))
        assert pods.cost_low[1, row] == pytest.approx(pods.node_racks[row] * rack.overhead.low + bought)
        frames = (rack.frame.id == "eia48") * pods.node_racks[row] + racks
        assert units_per_pod(pods, "eia48")[row] == frames


@pytest.mark.parametrize("lacking", ["frames", "rack PDUs"])
def test_switches_without_a_rack_to_buy_are_no_pod(lacking: str) -> None:
    """A rack-scale system brings its own frame and power; its switches still need both."""
    instance = _with_space(load("tiny/thermal-liquid"), systems=("gb200_nvl72",), frames=None)
    assert any(len(p) for p in enumerate_candidates(instance).placements)
    if lacking == "frames":
        bare = _without(instance, Rack, *(f.id for f in instance.catalogue.of(Rack).values() if f.kind == "eia"))
    else:
        supplies = instance.catalogue.of(PowerComponent).values()
        bare = _without(instance, PowerComponent, *(p.id for p in supplies if p.kind is PowerKind.RACK_PDU))
    found = enumerate_candidates(bare)
    assert not any(len(p) for p in found.placements)
    assert any("racks of switches" in rejection.reason for rejection in found.rejections)


def test_large_switches_stand_apart_and_small_ones_beside_them() -> None:
    """Chassis of 32 units and 40 kW: one to a rack of 44 units, so as many racks as chassis, however much is left in each."""
    space: dict[str, Any] = {
        "systems": ["gb200_nvl72"],
        "preliminary_parts": True,
        "fabric": {"switches": ["a7816r4"], "media": None, "tiers": [2], "speeds": ["400 Gbit/s"]},
        "sizes": {"smallest": 8208, "largest": 8208, "step": 72},
    }
    instance = load("training-30mw", overrides={"workloads": {"train": {"design_space": space}}})
    seen = 0
    for placements in enumerate_candidates(instance).placements:
        pods = placements.pods
        for row in range(0, len(pods), max(len(pods) // 3, 1)):
            fabric = pods.fabric_row(row)
            assert fabric["switch"] == fabric["spine_switch"] == "a7816r4"
            chassis = fabric["leaf"] + fabric["spine"]
            assert pods.network_racks[row] >= chassis
            pod_content(instance, pod_of(instance, placements, int(np.flatnonzero(placements.pod == row)[0])), "p")
            seen += 1
    assert seen


def test_a_switch_that_fits_no_rack_is_no_pod() -> None:
    table = next(table for p in enumerate_candidates(load("tiny/budget")).placements for table in p.pods.fabrics)
    assert np.isinf(racks_of_large(table, RackLimits(0.5, 1e9))).all()
    assert np.isinf(racks_of_large(table, RackLimits(44.0, 1000.0))).all()
    assert (racks_of_large(table, RackLimits(44.0, 1e9)) == 0).all()
    # two of one unit to a rack of two
    assert (racks_of_large(table, RackLimits(2.0, 1e9)) == -(-(table.leaf + table.spine + table.core) // 2)).all()
