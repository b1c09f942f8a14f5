"""Every broken instance loads, has no legal design, and has one again once the clash its comment names is mended."""

from __future__ import annotations

from typing import Any

import pytest

from models.candidates.placement import enumerate_candidates
from models.errors import InfeasibleError
from models.formulation.build import build
from models.instance import Instance
from models.loading import load
from models.shipped import shipped_instances
from optimizer.compile import compile_formulation
from optimizer.pareto import FrontierStatus, solve

from .brute_force import legal_designs
from .cases import PATIENCE

MENDED: dict[str, list[dict[str, Any]]] = {
    "demand-beyond-utility": [
        {"sites": {"hall": {"utility": "360 kW"}}},
        {"workloads": {"train": {"deadline": "48 days"}}},
    ],
    "budget-below-cheapest": [{"limits": {"capex": "12 MUSD"}}],
    "goodput-floor-too-high": [
        {"limits": {"goodput": 0.991}},
        {"workloads": {"train": {"deadline": "95 days"}}},
    ],
    "too-few-racks": [{"sites": {"hall": {"rack_positions": 9}}}],
    "bandwidth-no-fabric-has": [{"workloads": {"train": {"injection_at_least": "400 Gbit/s"}}}],
    "cooling-chain-missing": [
        {"sites": {"hall": {"liquid": {"cdu": {"equipment": [{"part": "cdu_inrow_1350", "redundancy": "n+1"}]}}}}}
    ],
    "clusters-too-many": [{"sites": {"hall": {"utility": "240 kW"}}}],
}
BROKEN = sorted(name for name in shipped_instances() if name.startswith("broken/"))


def _has_a_design(inst: Instance) -> bool:
    """By trying everything; the program must agree."""
    found = enumerate_candidates(inst)
    tried = bool(legal_designs(inst, found))
    try:
        formulation = build(inst, ["power", "floor"], candidates=found)
    except InfeasibleError:
        assert not tried
        return False
    if formulation.hopeless:
        assert not tried
        return False
    status = solve(compile_formulation(formulation), limits=PATIENCE).status
    assert status is (FrontierStatus.COMPLETE if tried else FrontierStatus.INFEASIBLE)
    return tried


def test_each_has_its_cure_here() -> None:
    assert {name.removeprefix("broken/") for name in BROKEN} == set(MENDED)


@pytest.mark.parametrize("name", BROKEN)
def test_it_loads_and_has_no_legal_design(name: str) -> None:
    assert shipped_instances()[name].read_text(encoding="utf-8").startswith("# The clash: ")
    assert not _has_a_design(load(name))


@pytest.mark.parametrize(("name", "cure"), [(name, cure) for name, cures in MENDED.items() for cure in cures])
def test_mending_the_clash_brings_a_design_back(name: str, cure: dict[str, Any]) -> None:
    assert _has_a_design(load(f"broken/{name}", overrides=cure))


def test_a_cluster_without_any_pod_says_first_what_came_closest() -> None:
    instance = load("broken/cooling-chain-missing")
    with pytest.raises(InfeasibleError) as error:
        build(instance)
    hint = error.value.problems[0].hint
    assert hint.startswith("1xsmc_4u_lc_b200@eia48.liquid and 7 more: the site has no liquid cooling chain; ")
    assert hint.index("not among design_space.systems") > hint.index("with one feed lost")
