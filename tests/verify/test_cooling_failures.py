"""Cooling with a unit of each group lost: what a design installs carries its heat, one step less does not."""

from __future__ import annotations

from typing import Any

import pytest

from models.instance import Instance
from models.loading import load
from models.parts.cooling import Cooling
from models.site import Chain
from optimizer.design import Design
from optimizer.solve import solve
from optimizer.verification.cooling_failures import Installed, limits, replay_cooling
from optimizer.verification.findings import Checks
from optimizer.verification.plant import Plant, check_plant
from optimizer.verification.pods import PodFacts, check_pod

CURVE = {
    "pressure": "2 bar",
    "flow_limit": None,
    "pump_curve": [{"flow": "100 L/min", "pressure": "3 bar"}, {"flow": "400 L/min", "pressure": "1 bar"}],
}
ADIABATIC = {"kind": "adiabatic-cooler", "approach": "9 K"}


def _loop(**fields: Any) -> dict[str, Any]:
    group = {"part": "cdu_inrack_250", "redundancy": "n+1", "group": 3}
    loop = {"rise": "10 K", "approach": "4 K", "rated_approach": "5 K", "pressure": "2 bar", **fields}
    cooler = {"part": "dry_cooler", "redundancy": "n+1", "loading": 0.1, "rejection": ADIABATIC}
    option = {"supply_class": "S40", "equipment": [{**group, "loop": loop}, cooler]}
    return {"sites": {"hall": {"liquid": {"dry_s40": option, "tower_s40": None, "trimmed_w32": None}}}}


CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "air handlers": ("performance", {}),
    "rear doors": ("thermal-rear-door", {"workloads": {"train": {"design_space": {"cooling": ["rear_door"]}}}}),
    "liquid groups": ("thermal-liquid", {}),
    "weather": ("thermal-weather", {}),
    "pump curve": ("thermal-weather", _loop(**CURVE)),
    "flow": ("thermal-weather", _loop(flow_limit="150 L/min")),
    "exchanger": ("thermal-weather", _loop(approach="2 K")),
    "two systems": (
        "performance",
        {"sites": {"hall": {"air": {"pairs": {"equipment": [{"part": "crah_fanwall", "redundancy": "2n"}]}}}}},
    ),
    "two sites": ("two-sites", {}),
}


def replayed(instance: Instance, facts: list[PodFacts], units: dict[Any, tuple[int, ...]], plant: Plant) -> list[str]:
    """Fields of the findings of a replay."""
    checks = Checks("design")
    replay_cooling(checks, instance, facts, units, plant)
    assert checks.compared
    return [finding.field for finding in checks.findings]


def _facts(instance: Instance, design: Design, plant: Plant) -> tuple[list[PodFacts], dict[Any, tuple[int, ...]]]:
    checks = Checks(design.design_id)
    facts = [check_pod(checks, instance, pod, number) for number, pod in enumerate(design.pods)]
    units = check_plant(checks, instance, design, [one for one in facts if one is not None], plant)
    assert not checks.findings
    return [one for one in facts if one is not None], units


@pytest.mark.parametrize("case", CASES)
def test_what_is_installed_carries_the_heat_and_a_step_less_does_not(case: str) -> None:
    name, overrides = CASES[case]
    instance = load(f"tiny/{name}", overrides=overrides)
    plant, tried = Plant(instance), 0
    for design in solve(instance, ("tco", "throughput")).points:
        facts, units = _facts(instance, design, plant)
        assert not replayed(instance, facts, units, plant)
        for key, counts in units.items():
            if key[1] is Chain.POWER:
                continue
            for place, unit in enumerate(plant.options[key].units):
                fewer = tuple(n - unit.sets if p == place else n for p, n in enumerate(counts))
                found = replayed(instance, facts, {**units, key: fewer}, plant)
                site, chain, option = key[0], key[1].value, key[2]
                assert f"cooling.{site}.{chain}.{option}.{unit.part.id}" in found, (key, counts, fewer)
                tried += 1
    assert tried


def test_a_group_that_is_not_whole_is_told() -> None:
    instance = load("tiny/thermal-weather")
    design = solve(instance, ("tco", "throughput")).points[0]
    plant = Plant(instance)
    facts, units = _facts(instance, design, plant)
    key = next(key for key in units if key[1] is Chain.LIQUID)
    broken = {**units, key: (units[key][0] + 1, *units[key][1:])}
    assert replayed(instance, facts, broken, plant) == [f"cooling.hall.liquid.{key[2]}.cdu_inrack_250"]


@pytest.mark.parametrize(
    ("loop", "limit"),
    [
        # PG25 at 10 K: 1 L/min carries 1020 * 3850 * 10 / 60,000 = 654.5 W
        ({"flow_limit": "200 L/min"}, 200 * 654.5),
        # the curve falls from 3 to 1 bar over 300 L/min and crosses 2 bar half way, at 250 L/min
        (CURVE, 250 * 654.5),
        # 250 kW at 5 K of approach are 100 kW at 2 K
        ({"approach": "2 K"}, 100e3),
    ],
)
def test_what_a_unit_carries_by_hand(loop: dict[str, Any], limit: float) -> None:
    instance = load("tiny/thermal-weather", overrides=_loop(**loop))
    use = instance.sites["hall"].liquid["dry_s40"].equipment[0]
    one = Installed(use, instance.catalogue.get(Cooling, use.part), 3)
    assert (one.groups, one.lost, one.left) == (1, 1, 2)
    for heat, fits in ((limit * 0.9999, True), (limit * 1.0001, False)):
        assert all(needed <= able * (1 + 1e-6) for _, needed, able in limits(one, heat)) is fits
