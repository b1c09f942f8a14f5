"""Pods from all over wide design spaces, not only those on a frontier: enumeration and recomputation agree on every figure."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from models.candidates.placement import enumerate_candidates
from models.loading import load
from models.policy import PowerFigure
from optimizer.extract import Chosen, _pod_choice
from optimizer.verification.findings import Checks
from optimizer.verification.plant import Plant
from optimizer.verification.pods import check_pod

WIDE: dict[str, dict[str, Any]] = {
    "rail, one to three tiers": {"tiers": [1, 2, 3]},
    "plain, one to three tiers": {"tiers": [1, 2, 3], "rail_optimised": False},
    "idle ports": {"tiers": [2, 3], "wasted_ports_at_most": 0.3},
}
ANY = {
    "switches": None, "media": None, "speeds": ["200 Gbit/s", "400 Gbit/s", "800 Gbit/s", "1600 Gbit/s"],
    "oversubscription": [1, 2, 3.5, 7],
}  # fmt: skip
SPACE = {
    "systems": None, "frames": None, "cooling": ["air", "rear_door", "liquid"], "preliminary_parts": True,
    "sizes": {"smallest": 96, "largest": 8640, "step": 2848},
}  # fmt: skip
CHAINS = {
    "rear_door": {"chiller": {"equipment": [{"part": "chiller_air", "redundancy": "n+1"}]}},
    "liquid": {"dry": {"equipment": [{"part": "dry_cooler", "redundancy": "2n"}]}},
}
SITE = {"utility": "unlimited", "rack_positions": "unlimited", "air_per_rack": "90 kW", "needed_by": "2030Q4", **CHAINS}
SAMPLE = 200
BY_PARTS = {"accelerator_failure_rate": None, "node_failure_rate": None, "detection": "2 min"}
SPARES = {"confidence": "99 %", "replacement": "20 h", "swap": "6 min", "leaving": 0.6}
STORAGE = {
    "write": ["40 GB/s", "400 GB/s", "1600 GB/s"], "dataset": "3 PB", "bytes_per_token": 4000.0, "usable": 0.8
}  # fmt: skip
NETWORKS = {
    "storage": {"speed": "400 Gbit/s", "ports_per_system": 2, "oversubscription": [2]},
    "front_end": {"speed": "400 Gbit/s", "ports_per_system": 1, "oversubscription": [1, 4], "switches": ["sn5600"]},
    "management": {"speed": "1 Gbit/s", "ports_per_system": 3, "uplinks": "100 Gbit/s", "oversubscription": [1]},
}
SERVICES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "stated rates": ({}, {}),
    "rates by parts": (BY_PARTS, {}),
    "spares for stated rates": ({"detection": "3 min"}, {"spares": SPARES}),
    "spares for rates by parts": (BY_PARTS, {"spares": SPARES}),
    "stated accelerators": ({"node_failure_rate": None}, {"spares": SPARES}),
    "storage": (BY_PARTS, {"storage": STORAGE}),
    "storage and networks": (BY_PARTS, {"storage": STORAGE, "networks": NETWORKS, "spares": SPARES}),
    "storage that loses nothing": ({}, {"storage": {**STORAGE, "lost": 0, "snapshot": "4 s"}}),
    "stated nodes": ({"accelerator_failure_rate": None}, {}),
}


@pytest.mark.parametrize("services", SERVICES)
def test_a_sample_with_failures_and_services(services: str) -> None:
    assumptions, beside = SERVICES[services]
    space = {**SPACE, "fabric": {**ANY, "tiers": [2, 3]}, "sizes": {"smallest": 512, "largest": 8640, "step": 4064}}
    overrides = {
        "workloads": {"train": {"design_space": space, **beside}}, "sites": {"hall": SITE}, "assumptions": assumptions
    }  # fmt: skip
    instance = load("tiny/performance", overrides=overrides)
    (placements,) = enumerate_candidates(instance).placements
    plant, spared = Plant(instance), 0
    for row in np.random.default_rng(3).choice(len(placements), 60, replace=False).tolist():
        pod = _pod_choice(instance, Chosen(placements, row, 0, 1))
        checks = Checks(pod.pod_id)
        facts = check_pod(checks, instance, pod, 0)
        assert checks.findings == [], [str(finding) for finding in checks.findings[:4]]
        assert facts is not None
        assert plant.facility_w(facts, PowerFigure.TYPICAL) == pytest.approx(
            placements.facility_power(PowerFigure.TYPICAL)[row], rel=1e-12
        )
        spared += pod.spares > 0
        told = pod.reliability
        losses = sum(cause["loss"] for cause in told["causes"])
        assert pod.goodput + losses + told["checkpoint_loss"] == pytest.approx(1.0, abs=1e-9)
        assert told["goodput_low"] <= pod.goodput <= told["goodput_high"]
    assert spared == (60 if "spares" in beside else 0)


@pytest.mark.parametrize("name", WIDE)
def test_a_sample_of_all_candidates(name: str) -> None:
    fabric = {**ANY, **WIDE[name]}
    overrides = {"workloads": {"train": {"design_space": {**SPACE, "fabric": fabric}}}, "sites": {"hall": SITE}}
    instance = load("tiny/performance", overrides=overrides)
    (placements,) = enumerate_candidates(instance).placements
    assert len(placements) > 10 * SAMPLE
    rows = np.random.default_rng(7).choice(len(placements), SAMPLE, replace=False)
    facility = placements.facility_power(PowerFigure.DESIGN)
    plant = Plant(instance)
    seen = set()
    for row in rows.tolist():
        pod = _pod_choice(instance, Chosen(placements, row, 0, 1))
        checks = Checks(pod.pod_id)
        facts = check_pod(checks, instance, pod, 0)
        assert checks.findings == [], [str(finding) for finding in checks.findings[:4]]
        assert facts is not None
        assert plant.facility_w(facts, PowerFigure.DESIGN) == pytest.approx(facility[row], rel=1e-12)
        seen.add((pod.fabric["tiers"], pod.cooling, pod.fabric["switch"]))
    assert {tiers for tiers, _, _ in seen} >= set(WIDE[name]["tiers"][1:])
    assert {cooling for _, cooling, _ in seen} == {"air", "rear_door", "liquid"}
