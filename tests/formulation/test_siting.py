"""Several sites: clusters that may not be split, and identical sites without symmetry, against everything tried out."""

from itertools import permutations

import numpy as np
import pytest

from models.candidates.placement import enumerate_candidates
from models.formulation.build import build
from models.formulation.core import block_name
from models.formulation.families.siting import identical_sites
from models.loading import load

from .brute_force import legal_designs, nondominated, values
from .cases import frontier, points

NAME = "tiny/twin-sites"
TRAIN = {
    "kind": "training", "model": "llama31_8b", "dtype": "bf16", "tokens": "1 Ttoken", "deadline": "60 days",
    "global_batch": "4 Mtoken", "model_parallel": 8,
    "design_space": {
        "systems": ["dgx_h100"], "frames": ["eia48"], "cooling": ["air"], "preliminary_parts": False,
        "fabric": {"switches": ["qm9700"], "media": ["dac_400", "sr4_400", "dr4_400", "sr8_800", "dr8_800"],
                   "speeds": ["400 Gbit/s"], "tiers": [2], "oversubscription": [1]},
        "sizes": {"smallest": 32, "largest": 64, "step": 32},
    },
}  # fmt: skip


def case(**overrides):
    inst = load(NAME, overrides=overrides)
    return inst, enumerate_candidates(inst)


def three_sites():
    """A third site written out like the twin."""
    twin = load(NAME).raw["sites"]["twin"]
    return {"sites": {"third": twin}}


CASES = {
    "two": {},
    "whole": {"workloads": {"chat": {"split": False, "rate": "200 ktoken/s"}}},
    "three": three_sites(),
    "training": {
        "workloads": {"train": TRAIN, "chat": {"pods_at_most": 2, "rate": "100 ktoken/s"}},
        "sites": {name: {"utility": "150 kW"} for name in ("hall", "twin")},
    },
}


@pytest.mark.parametrize("name", CASES)
def test_the_frontier_is_the_one_of_all_choices(name):
    inst, found = case(**CASES[name])
    objectives = ("tco", "throughput_x_demand" if len(inst.workloads) > 1 else "throughput", "power")
    expected = nondominated(values(inst, legal_designs(inst, found), objectives))
    assert len(expected) > 1
    assert points(frontier(inst, found, objectives)) == expected
    assert points(frontier(inst, found, objectives, pruned=False)) == expected


@pytest.mark.parametrize("name", ["two", "three", "training"])
def test_of_all_ways_to_name_identical_sites_one_is_legal(name):
    """Any counts of pods by site: every exchange of sites is tried, and those that keep the order are equal ones."""
    inst, found = case(**CASES[name])
    (sites,) = identical_sites(inst)
    rows = [row for row in build(inst, ["tco"], candidates=found, pruned=False).rows if row.what == "identical"]
    assert len(rows) == len(sites) - 1
    rng = np.random.default_rng(5)
    most = {c: getattr(w, "pods_at_most", 1) for c, w in inst.workloads.items()}
    for _ in range(40):
        counts = {(p.cluster, s): rng.integers(0, most[p.cluster] + 1) for p in found.placements for s in sites}
        kept = set()
        for order in permutations(sites):
            renamed = dict(zip(sites, order, strict=True))
            x = {block_name(p): np.eye(1, len(p))[0] * counts[p.cluster, renamed[p.site]] for p in found.placements}
            if all(sum(float(t @ x[n]) for n, t in row.expression.terms.items()) <= row.upper for row in rows):
                kept.add(tuple(counts[c, renamed[s]] for c, s in sorted(counts)))
        assert len(kept) == 1


def test_sites_that_differ_or_are_named_are_not_identical():
    assert identical_sites(load(NAME)) == [("hall", "twin")]
    assert identical_sites(load(NAME, overrides={"sites": {"hall": {"reason": "another"}}})) == [("hall", "twin")]
    assert identical_sites(load(NAME, overrides={"sites": {"hall": {"rack_positions": 5}}})) == []
    assert identical_sites(load(NAME, overrides={"workloads": {"chat": {"sites": ["hall"]}}})) == []
