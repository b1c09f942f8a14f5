"""A cell that nobody filled in never makes a design look better: its part is turned down with the reason, or nothing improves."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from models.candidates.placement import Placements, enumerate_candidates
from models.errors import InstanceError
from models.instance import Instance
from models.loading import load
from models.parts.failure_rate import FailureRate, Interruption
from models.parts.network_part import Link
from models.parts.part import Part
from models.parts.power_component import PowerComponent
from models.parts.system import System
from models.policy import PowerFigure

HALL = """
extends: performance.yaml
workloads:
  train:
    spares: {confidence: 99 %, replacement: 7 days, swap: 10 min}
    storage: {write: [100 GB/s], dataset: 100 TB, nodes: [weka_node]}
    design_space:
      systems: [dgx_h100]
      fabric: {switches: [qm9700], oversubscription: [1]}
      sizes: {smallest: 128, largest: 128, step: 128}
sites:
  hall:
    racks_arrive_loaded: true
    airflow_per_rack: 1.2 m**3/s
    power:
      ups:
        equipment:
          - {part: ups_1500k, redundancy: n+1, failures: psu}
assumptions: {accelerator_failure_rate: null, node_failure_rate: null, checkpoint_write: null}
"""
WORSE_UP = (
    "it",
    "air",
    "cost_low",
    "cost_high",
    "failure_rate",
    "blast_radius",
    "node_racks",
    "network_racks",
    "write",
)
WORSE_DOWN = ("goodput", "availability", "throughput", "injection", "bisection", "storage_bandwidth")
STATED_STAND_INS = {
    "weight": "what the instance assumes, listed with the rack",
    "depth": "taken to fit",
    "price_high": "a range of one end is a point",
    "most_ports": "not split",
    "most_ports_speed": "not split",
    "rate_low": "the typical rate",
    "rate_high": "the typical rate",
}


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Instance:
    folder = tmp_path_factory.mktemp("hall")
    here = Path(__file__).parents[2] / "instances" / "tiny" / "performance.yaml"
    path = folder / "hall.yaml"
    path.write_text(HALL.replace("performance.yaml", str(here)) + "name: hall\n")
    return load(path)


def _figures(found: Placements) -> dict[str, dict[str, float]]:
    pods, told = found.pods, {}
    for row, pod in enumerate(found.pod.tolist()):
        values = {name: float(np.sum(getattr(pods, name)[..., pod])) for name in WORSE_UP}
        values |= {name: -float(getattr(pods, name)[pod]) for name in WORSE_DOWN}
        values |= {figure.value: float(found.facility_power(figure)[row]) for figure in PowerFigure}
        told[found.key(row)] = values | {"stands": -float(found.availability[row])}
    return told


def _parts(found: Placements) -> set[str]:
    pods, ids = found.pods, set()
    for table in (*pods.fabrics, *pods.networks):
        ids |= {card.id for medium in table.media for card in (medium.near, medium.far)}
        ids |= {card.id for card in table.switches}
    for rack in pods.racks:
        ids |= {rack.system.id, rack.frame.id, rack.system.accelerator or "", *(part.id for part, _ in rack.parts)}
    ids |= {name for card in pods.storages for name in (card.part.id, card.frame.id, card.distribution.id)}
    ids |= {name for card in pods.network_cards for name in (card.frame.id, card.distribution.id)}
    return ids | {unit.part for way in found.combinations for option in way.options for unit in option.units}


def _blank(instance: Instance, part: Part, name: str) -> Instance:
    parts = dict(instance.catalogue.parts)
    rows = dict(parts[type(part)])
    rows[part.id] = part.model_copy(update={name: None})
    parts[type(part)] = MappingProxyType(rows)
    catalogue = dataclasses.replace(instance.catalogue, parts=MappingProxyType(parts))
    return dataclasses.replace(instance, catalogue=catalogue)


def _cells(instance: Instance, used: set[str]) -> Iterator[tuple[Part, str]]:
    software = set(instance.components.software)
    rows = {value for _, value in instance.components if isinstance(value, str)} | {"psu"}
    for part in instance.catalogue:
        if part.id in (rows if isinstance(part, FailureRate) else software if isinstance(part, Interruption) else used):
            for name in type(part).columns().values():
                optional = type(part).model_fields[name].default is None
                if optional and name not in STATED_STAND_INS and getattr(part, name) is not None:
                    yield part, name


def test_no_figure_gets_better_by_what_nobody_knows(hall: Instance) -> None:
    (before,) = enumerate_candidates(hall).placements
    figures, used = _figures(before), _parts(before)
    looked_at = turned_down = 0
    for part, name in _cells(hall, used):
        looked_at += 1
        try:
            found = enumerate_candidates(_blank(hall, part, name))
        except InstanceError:
            turned_down += 1
            continue
        if not found.placements or (part.id in used and part.id not in _parts(found.placements[0])):
            turned_down += 1
            continue
        for key, values in _figures(found.placements[0]).items():
            assert key in figures, f"without {name} of {part.id} there is {key}"
            better = {name: v for name, v in values.items() if v < figures[key][name] - 1e-9 * abs(figures[key][name])}
            assert not better, f"without {name} of {part.id}: {better}"
    assert looked_at > 60 and turned_down > 40


@pytest.mark.parametrize(
    ("kind", "part", "name", "words"),
    [
        (Link, "sr4_400", "failure_rate", "fit not in the catalogue"),
        (System, "dgx_h100", "cpus", "cpus not in the catalogue"),
        (System, "dgx_h100", "rails", "rails not in the catalogue"),
        (System, "dgx_h100", "airflow", "airflow_cfm not in the catalogue, the room gives 1.20 m3/s"),
        (PowerComponent, "ups_1500k", "efficiency", "peak_efficiency not in the catalogue; state it"),
    ],
)
def test_the_refusal_names_part_and_column(hall: Instance, kind: type[Part], part: str, name: str, words: str) -> None:
    found = enumerate_candidates(_blank(hall, hall.catalogue.get(kind, part), name))
    said = [f"{r.item}: {r.reason}" for r in found.rejections]
    assert any(part in line and words in line for line in said), said


@pytest.mark.parametrize(
    ("kind", "row", "name", "words"),
    [
        (FailureRate, "tor_switch", "repair", "no mttr_h of 'tor_switch'"),
        (FailureRate, "fan", "repair", "no mttr_h of 'fan'"),
        (FailureRate, "psu", "repair", "psu: mttr_h not in the catalogue"),
        (Interruption, "software_bug", "per_million_hours", "no events_per_million_gpu_hours of 'software_bug'"),
    ],
)
def test_what_an_instance_fails_by_must_be_whole(hall: Instance, kind: Any, row: str, name: str, words: str) -> None:
    with pytest.raises(InstanceError, match="missing-cell") as refused:
        enumerate_candidates(_blank(hall, hall.catalogue.get(kind, row), name))
    assert words in str(refused.value)
