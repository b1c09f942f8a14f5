"""Dropping placements while they are enumerated changes nothing: the program is that of all placements, to the last name."""

from __future__ import annotations

import dataclasses
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from models.candidates import placing
from models.candidates.placement import Candidates, enumerate_candidates
from models.errors import UsageError
from models.formulation.build import build
from models.formulation.core import Row
from models.formulation.dominance import Group, prune, worth_joining
from models.formulation.family import Direction
from models.formulation.linear import Block, Kind, Linear
from models.formulation.sifting import sift_for
from models.instance import Instance
from models.loading import load
from optimizer.compile import compile_formulation

CASES: list[tuple[str, str | None, tuple[str, ...]]] = [
    ("tiny/performance", None, ("tco", "throughput", "power")),
    ("tiny/bandwidth", None, ("capex", "goodput", "floor")),
    ("tiny/reliability", None, ("tco", "blast_radius", "availability")),
    ("tiny/rules", None, ("tco", "power")),
    ("tiny/sourcing", None, ("tco", "concentration")),
    ("tiny/supply", None, ("tco", "lead_time")),
    ("tiny/power-blocks", None, ("tco", "throughput")),
    ("tiny/serving", None, ("tco", "throughput", "carbon")),
    ("tiny/serving-roles", None, ("tco", "throughput")),
    ("tiny/two-clusters", None, ("tco", "power", "availability")),
    ("tiny/twin-sites", None, ("tco", "throughput")),
    ("serving-8mw", None, ("tco", "throughput", "power")),
    ("mixed-100mw", None, ("tco", "throughput", "lead_time")),
]


def _programs(instance: Instance, names: tuple[str, ...]) -> tuple[Candidates, Candidates]:
    whole = enumerate_candidates(instance, objectives=names)
    return whole, enumerate_candidates(instance, objectives=names, sift=sift_for(instance, names))


@pytest.mark.parametrize(("name", "scenario", "names"), CASES, ids=[f"{n}-{','.join(o)}" for n, _, o in CASES])
def test_the_program_is_that_of_all_placements(
    name: str, scenario: str | None, names: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(placing, "TOGETHER", 1 if name.startswith("tiny") else 20)
    instance = load(name, scenario)
    whole, sifted = _programs(instance, names)
    assert [p.considered for p in sifted.placements] == [len(p) for p in whole.placements]
    assert sifted.rejections == whole.rejections
    assert sifted.fabric_refusals == whole.fabric_refusals
    one, other = (build(instance, names, candidates) for candidates in (whole, sifted))
    assert one.size == other.size
    assert compile_formulation(one).fingerprint == compile_formulation(other).fingerprint
    for a, b in zip(whole.placements, sifted.placements, strict=True):
        chosen, again = one.positions[f"use[{a.cluster},{a.site}]"], other.positions[f"use[{b.cluster},{b.site}]"]
        assert [a.key(row) for row in chosen.tolist()] == [b.key(row) for row in again.tolist()]


def test_few_placements_are_not_sifted() -> None:
    whole, sifted = _programs(load("tiny/performance"), ("tco", "power"))
    for a, b in zip(whole.placements, sifted.placements, strict=True):
        assert b.number is None
        assert np.array_equal(a.pod, b.pod)


def test_jobs_over_several_sites_are_not_sifted() -> None:
    assert sift_for(load("tiny/split-training"), ("tco", "throughput")) is None


def test_an_unknown_objective_is_refused_before_anything_is_enumerated() -> None:
    with pytest.raises(UsageError, match="no objective"):
        sift_for(load("tiny/performance"), ("tcoo",))


def _program(
    costs: np.ndarray[Any, Any], equal: np.ndarray[Any, Any], limits: np.ndarray[Any, Any]
) -> tuple[dict[str, Block], list[Row], list[tuple[Linear, Direction]]]:
    block = Block("use[c,s]", tuple(map(str, range(len(costs)))), Kind.BINARY)
    rows = [
        Row("test", f"r{j}", (), Linear({"use[c,s]": costs[:, j]}), None, float(limit), "", "")
        for j, limit in enumerate(limits, start=1)
    ]
    rows.append(Row("test", "kind", (), Linear({"use[c,s]": equal}), 1.0, 1.0, "", ""))
    return {block.name: block}, rows, [(Linear({"use[c,s]": costs[:, 0]}), Direction.MINIMISE)]


@settings(max_examples=100, deadline=None)
@given(data=st.data(), exact=st.booleans())
def test_any_parts_sifted_and_pruned_are_what_pruning_all_keeps(data: st.DataObject, exact: bool) -> None:
    n, k = data.draw(st.integers(1, 30)), data.draw(st.integers(2, 5))
    costs = data.draw(arrays.arrays(np.float64, (n, k), elements=st.integers(-1, 5).map(float)))
    equal = data.draw(arrays.arrays(np.float64, n, elements=st.sampled_from([1.0, 1.0, 1.0, 0.0])))
    limits = data.draw(arrays.arrays(np.float64, k - 1, elements=st.integers(1, 6).map(float)))
    group = Group(("use[c,s]",), 1.0 if exact else 3.0, exact)
    ends = sorted({0, n, *data.draw(st.lists(st.integers(0, n), max_size=4))})
    parts = [np.arange(start, end) for start, end in pairwise(ends)]
    joined = np.concatenate(
        [rows[worth_joining(group, *_program(costs[rows], equal[rows], limits))] for rows in parts]
    ).astype(int)
    whole = prune(group, [], *_program(costs, equal, limits))
    again = prune(group, [], *_program(costs[joined], equal[joined], limits))
    assert joined[again.kept].tolist() == whole.kept.tolist()


def test_numbers_are_places_among_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placing, "TOGETHER", 1)
    instance = load("tiny/two-clusters")
    whole = enumerate_candidates(instance)
    half = enumerate_candidates(instance, sift=lambda some: np.arange(0, len(some.placements[0]), 2))
    for a, b in zip(whole.placements, half.placements, strict=True):
        assert b.number is not None
        assert [a.key(row) for row in b.number.tolist()] == [b.key(row) for row in range(len(b))]
        assert dataclasses.astuple(a.pods)[0] == b.cluster
