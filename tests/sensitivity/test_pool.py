"""Candidates judged a few at a time are those judged all at once, and no answer changes."""

from __future__ import annotations

import numpy as np
import pytest

from models.candidates.placement import Candidates, enumerate_candidates
from models.formulation.build import Formulation
from models.formulation.family import Direction
from models.instance import Instance
from models.loading import load
from optimizer.performance_cache import PerformanceCache
from optimizer.sensitivity import uncertain
from optimizer.sensitivity.effort import Effort
from optimizer.sensitivity.pool import Judge, compacted, worthwhile
from optimizer.sensitivity.program import Program, assemble

NAMES = ("tiny/performance", "tiny/power", "tiny/sourcing", "tiny/serving", "tiny/two-clusters", "tiny/two-sites")
ALL = 10**9


def program(instance: Instance, found: Candidates) -> Program:
    core, goals = assemble(instance, found, ["tco"])
    return Program.of(core, {}, goals)


def judging(instance: Instance, always: bool) -> Judge:
    def judge(part: Candidates, relaxable: bool) -> tuple[Formulation]:
        whole = program(instance, part)
        best = [(whole.measures["tco"], Direction.MINIMISE)]
        return (whole.narrowed(best, relaxable or always).formulation,)

    return judge


def keys(found: Candidates) -> dict[tuple[str, str], list[str]]:
    return {(p.cluster, p.site): [p.key(row) for row in range(len(p))] for p in found.placements}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("stretch", [3, 17])
def test_stretches_keep_what_one_judgement_keeps(name: str, stretch: int) -> None:
    instance = load(name)
    found = enumerate_candidates(instance, PerformanceCache())
    judge = judging(instance, always=True)
    whole = worthwhile(instance, found, judge, ALL)
    assert keys(worthwhile(instance, found, judge, stretch)) == keys(whole)
    assert 0 < sum(len(p) for p in whole.placements) <= sum(len(p) for p in found.placements)


@pytest.mark.parametrize("name", NAMES)
def test_the_cheapest_design_stays(name: str) -> None:
    instance = load(name)
    found = enumerate_candidates(instance, PerformanceCache())
    expected = program(instance, found).least({"tco": 1.0}, Effort())
    for stretch in (5, ALL):
        cut = worthwhile(instance, found, judging(instance, always=False), stretch)
        answer = program(instance, cut).least({"tco": 1.0}, Effort())
        assert answer.value == expected.value
        assert answer.infeasible == expected.infeasible


def test_tables_are_no_larger_than_their_rows_need() -> None:
    found = enumerate_candidates(load("tiny/performance"), PerformanceCache())
    (table,) = found.placements
    rows = np.array([1, 4, 5])
    small = compacted(table, rows)
    assert len(small.pods) == len(np.unique(table.pod[rows]))
    assert [small.key(row) for row in range(3)] == [table.key(int(row)) for row in rows]


def test_uncertain_inputs_lose_nothing_by_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = load("tiny/performance")
    whole = uncertain.Uncertain(instance)
    monkeypatch.setattr(uncertain, "STRETCH", 40)
    cut = uncertain.Uncertain(instance)
    random = np.random.default_rng(3)
    for _ in range(6):
        values = {r.name: r.at(float(random.random())) for r in whole.ranges.values()}
        assert cut.at(values).tco == whole.at(values).tco
