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


def test_units_that_stand_in_rows_take_rack_positions() -> None:
    row = [{"part": "cdu_inrow_1350", "redundancy": "n+1", "positions": 2}, {"part": "dry_cooler", "redundancy": "n"}]
    space = {**SPACE, "coolant": {"sources": ["site"]}}
    sites = {"hall": {"liquid": {"large_cdu": {"equipment": row}}}}
    overrides = {"workloads": {"train": {"design_space": space}}, "sites": sites}
    inst = load("tiny/thermal-liquid", overrides=overrides)
    plain = load("tiny/thermal-liquid", overrides={**overrides, "sites": {"hall": {"liquid": {"large_cdu": {"equipment": [
        {**use, "positions": 0} for use in row]}}}}})  # fmt: skip
    designs = {}
    for one in (inst, plain):
        for design in solve(one, objectives=("tco", "floor"), resolution="5%").points:
            assert verify_design(one, design) == []
            units = {c.part: c.units for c in design.plant if c.option == "large_cdu"}
            racks = sum(p.count * (p.node_positions + p.network_racks) for p in design.pods)
            taken = 2 * units.get("cdu_inrow_1350", 0) if one is inst else 0
            assert design.figures["floor_racks"] == racks + taken
            designs.setdefault(one is inst, []).append(units)
    assert any("cdu_inrow_1350" in units for units in designs[True])
    limited = load(
        "tiny/thermal-liquid", overrides={**overrides, "sites": {"hall": {**sites["hall"], "rack_positions": 13}}}
    )
    for design in solve(limited, objectives=("tco", "throughput"), resolution="5%").points:
        assert design.figures["floor_racks"] <= 13
        assert verify_design(limited, design) == []
