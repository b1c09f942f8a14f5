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
        pod = _pod_choice(Chosen(placements, row, 0, 1))
        checks = Checks(pod.pod_id)
        facts = check_pod(checks, instance, pod, 0)
        assert checks.findings == [], [str(finding) for finding in checks.findings[:4]]
        assert facts is not None
        assert plant.facility_w(facts, PowerFigure.DESIGN) == pytest.approx(facility[row], rel=1e-12)
        seen.add((pod.fabric["tiers"], pod.cooling, pod.fabric["switch"]))
    assert {tiers for tiers, _, _ in seen} >= set(WIDE[name]["tiers"][1:])
    assert {cooling for _, cooling, _ in seen} == {"air", "rear_door", "liquid"}
