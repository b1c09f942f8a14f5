"""Every failed block on each survivor as rows of the program: frontiers against the fewest rings that hold the racks, found apart."""

from __future__ import annotations

from typing import Any

import pytest

from models.candidates.placement import enumerate_candidates
from models.candidates.plant import plant_options
from models.errors import InstanceError
from models.formulation.build import build
from models.formulation.families.power import power
from models.formulation.family import BindingRow
from models.loading import load
from models.site import Chain
from optimizer.compile import compile_formulation
from optimizer.extract import design_of
from optimizer.pareto import RunLimits, solve
from optimizer.verification.designs import check_design
from optimizer.verification.plant import Plant

from .brute_force import legal_designs, nondominated, values
from .cases import frontier, points

NAMES = ("three_to_make_two", "pairs", "catcher")


def blocks(*kept: str, explicit: bool | None = True, **changes: Any) -> dict[str, Any]:
    """The power room with some of its options, their failures explicit."""
    return {n: {"explicit_failures": explicit, **changes} if n in kept else None for n in NAMES}


FOUR: dict[str, Any] = {"needed": 3, "of": 4, "loading_range": {"least": 0.03, "most": 0.2}}
TWO: dict[str, Any] = {
    "workloads": {
        "train": {"design_space": {"sizes": {"largest": 128}}},
        "chat": {
            "kind": "serving", "model": "llama31_8b", "dtype": "bf16", "rate": "100 ktoken/s", "prompt": "1000 token",
            "answer": "500 token", "pods_at_most": 2,
            "design_space": {
                "systems": ["mi300x_8u", "dgx_h100"], "frames": ["eia48"], "cooling": ["air"], "preliminary_parts": False,
                "fabric": {"switches": ["qm9700"], "media": ["dac_400", "sr4_400", "dr4_400", "sr8_800", "dr8_800"],
                           "speeds": ["400 Gbit/s"], "tiers": [1], "oversubscription": [1]},
                "sizes": {"smallest": 32, "largest": 32, "step": 8},
            },
        },
    },
}  # fmt: skip
CASES: dict[str, dict[str, Any]] = {
    "rings of three": {"sites": {"hall": {"power": blocks("three_to_make_two")}}},
    "pairs": {"sites": {"hall": {"power": blocks("pairs")}}},
    "a common reserve": {"sites": {"hall": {"power": blocks("catcher")}}},
    "any of them": {"sites": {"hall": {"power": blocks(*NAMES)}}},
    "rings of four": {"sites": {"hall": {"utility": "1 MW", "power": blocks("three_to_make_two", **FOUR)}}},
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_frontier_buys_the_fewest_rings_that_hold_the_racks(name: str) -> None:
    inst = load("tiny/power-blocks", overrides=CASES[name])
    found = enumerate_candidates(inst)
    for objectives in (("tco", "throughput"), ("capex", "floor")):
        expected = nondominated(values(inst, legal_designs(inst, found), objectives))
        assert expected
        assert points(frontier(inst, found, objectives)) == expected
        assert points(frontier(inst, found, objectives, pruned=False)) == expected


def test_two_clusters_with_racks_of_several_kinds_share_their_rings() -> None:
    power = blocks("three_to_make_two", **FOUR)
    train = {**TWO["workloads"]["train"], "tokens": "2 Ttoken"}
    workloads = {"train": train, "chat": TWO["workloads"]["chat"]}
    inst = load("tiny/power-blocks", overrides={"workloads": workloads, "sites": {"hall": {"power": power}}})
    found = enumerate_candidates(inst)
    objectives = ("tco", "throughput:chat")
    expected = nondominated(values(inst, legal_designs(inst, found), objectives))
    assert len(expected) > 1
    assert points(frontier(inst, found, objectives)) == expected


@pytest.mark.parametrize("name", CASES)
def test_designs_hang_every_rack_and_are_recomputed_without_a_finding(name: str) -> None:
    inst = load("tiny/power-blocks", overrides=CASES[name])
    formulation = build(inst, ["tco", "throughput"])
    model = compile_formulation(formulation)
    result = solve(model, limits=RunLimits(solves=500))
    assert len(result.solutions)
    for x in result.solutions:
        design = design_of(formulation, model, x)
        assert not check_design(inst, design, Plant(inst)).findings


def test_racks_hung_one_by_one_never_buy_more_than_whole_rings() -> None:
    for tokens in ("2 Ttoken", "4 Ttoken", "6 Ttoken"):
        bought = []
        for explicit in (False, True):
            power = blocks("three_to_make_two", explicit=explicit, loading_range=FOUR["loading_range"])
            change = {"workloads": {"train": {"tokens": tokens}}, "sites": {"hall": {"power": power}}}
            inst = load("tiny/power-blocks", overrides=change)
            found = enumerate_candidates(inst)
            bought.append(min(p[0] for p in points(frontier(inst, found, ("capex",)))))
        assert bought[1] <= bought[0]


def test_each_failed_block_has_a_row_on_each_survivor() -> None:
    inst = load("tiny/power-blocks", overrides=CASES["rings of four"])
    whole = build(inst, ["tco"], pruned=False)
    (option,) = whole.candidates.options["hall"][Chain.POWER]
    assert option.ring is not None
    rows = {row.index[2:] for row in whole.rows if row.what == "survivors"}
    rings = {ring for ring, _, _ in rows}
    assert len(rows) == len(rings) * option.ring.blocks * (option.ring.blocks - 1)


def test_explicit_failures_belong_to_blocks() -> None:
    change = {"sites": {"hall": {"power": {"ups": {"explicit_failures": True}}}}}
    with pytest.raises(InstanceError, match="they belong to a `topology`"):
        load("tiny/performance", overrides=change)


@pytest.mark.parametrize("name", ["rings of three", "any of them", "rings of four"])
def test_whole_rings_never_take_fewer_than_racks_hung_one_by_one(name: str) -> None:
    case = CASES[name]["sites"]["hall"]
    least = {}
    for explicit in (True, False):
        power = {n: o and {**o, "explicit_failures": explicit} for n, o in case["power"].items()}
        inst = load("tiny/power-blocks", overrides={"sites": {"hall": {**case, "power": power}}})
        formulation = build(inst, ["tco", "throughput"])
        model = compile_formulation(formulation)
        result = solve(model, limits=RunLimits(solves=500))
        for x in result.solutions:
            design = design_of(formulation, model, x)
            assert not check_design(inst, design, Plant(inst)).findings
        least[explicit] = sorted(points(result))
    for point in least[False]:
        assert any(all(a <= b for a, b in zip(one, point, strict=True)) for one in least[True])


def test_racks_are_hung_where_a_ring_is_a_large_part_of_the_site() -> None:
    for utility, explicit in (("1 MW", True), ("8 MW", False), ("unlimited", False)):
        change = {"sites": {"hall": {"utility": utility, "power": blocks("three_to_make_two", explicit=None)}}}
        inst = load("tiny/power-blocks", overrides=change)
        (option,) = plant_options(inst, "hall")[0][Chain.POWER]
        assert option.ring is not None
        assert option.ring.explicit is explicit


def test_what_binds_is_told_by_block() -> None:
    row = BindingRow("power", "survivors", ("hall", "pairs", "r0", "lost1", "on2"), 10.0, 10.0, "", "")
    assert power.describe(row) == "block 2 of ring 0 of power option pairs at hall carries all it may with block 1 lost"
    shared = BindingRow("power", "shared_large", ("hall", "pairs", "43kW"), 0.0, 0.0, "", "")
    assert "any block lost" in power.describe(shared)
    full = BindingRow("power", "rings_for", ("hall", "pairs", "43kW"), 0.0, 0.0, "", "")
    assert "no place left" in power.describe(full)
