"""CDUs of the site against CDUs in the racks: the engine lists what trying everything gives, plain power and blocks alike."""

from __future__ import annotations

from typing import Any

import pytest

from models.candidates.placement import enumerate_candidates
from models.loading import load
from optimizer.solve import solve
from optimizer.verify import verify_design

from .brute_force import legal_designs, nondominated, values
from .cases import frontier, points

SPACE = {
    "systems": ["smc_4u_lc_b200"], "sizes": {"smallest": 128, "largest": 256, "step": 64},
    "coolant": {"sources": ["site", "in_rack"], "redundancy": "n+1", "manifolds": ["manifold_130", "manifold_250"]},
}  # fmt: skip
LIQUID = {
    "dry": {"equipment": [{"part": "dry_cooler", "redundancy": "n+1", "loading": 0.1}], "coolant_to": "rack_cdus"}
}
BLOCK = [{"part": "ups_1500k", "loading": 0.3}]
POWER = {"rings": {"topology": "distributed", "needed": 2, "of": 3, "block": BLOCK, "small_racks": "12 kW"}}
OBJECTIVES = [("tco", "throughput"), ("capex", "power"), ("carbon", "floor")]


@pytest.mark.parametrize("power", [{}, POWER], ids=["units", "rings"])
def test_the_frontier_is_what_trying_everything_gives(power: dict[str, Any]) -> None:
    hall: dict[str, Any] = {"liquid": LIQUID, "power": power}
    inst = load(
        "tiny/thermal-liquid", overrides={"workloads": {"train": {"design_space": SPACE}}, "sites": {"hall": hall}}
    )
    found = enumerate_candidates(inst)
    everything = list(legal_designs(inst, found))
    for objectives in OBJECTIVES:
        expected = nondominated(values(inst, everything, objectives))
        assert expected
        assert points(frontier(inst, found, objectives)) == expected
        assert points(frontier(inst, found, objectives, pruned=False)) == expected
    for design in solve(inst, objectives=("tco", "power"), resolution="5%").points:
        assert verify_design(inst, design) == []
