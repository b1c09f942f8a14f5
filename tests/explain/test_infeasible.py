"""Shipped broken instances explained: the planted clash is found, its members are needed, and every repair repairs."""

from __future__ import annotations

from typing import Any

import pytest

from models.candidates.placement import enumerate_candidates
from models.loading import load
from optimizer.explain.asking import Asking
from optimizer.explain.infeasible import explain_infeasible
from optimizer.explain.measuring import measured
from optimizer.explain.repairs import Repair, _halfway
from tests.formulation.brute_force import legal_designs


def _nested(repair: Repair) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for change in repair.changes:
        for path, value in change.overrides.items():
            node = found
            *steps, last = path.split(".")
            for step in steps:
                node = node.setdefault(step, {})
            node[last] = value
    return found


@pytest.mark.parametrize(
    ("name", "planted"),
    [
        ("budget-below-cheapest", {"limits.capex", "workloads.train.deadline"}),
        ("cooling-chain-missing", {"sites.hall.liquid"}),
    ],
)
def test_the_planted_clash_is_found_and_every_repair_repairs(name: str, planted: set[str]) -> None:
    instance = load(f"broken/{name}")
    found = explain_infeasible(instance)
    assert found.feasible is False
    assert found.complete
    assert found.conflict is not None
    assert found.conflict.irreducible
    assert planted <= found.conflict.names
    assert all(".yaml:" in m.group.where or ".csv:" in m.group.where for m in found.conflict.members)
    assert 3 <= len(found.repairs) <= 5
    assert len({tuple((c.group.name, c.after) for c in repair.changes) for repair in found.repairs}) == len(
        found.repairs
    )
    for repair in found.repairs:
        assert repair.certified
        changed = load(f"broken/{name}", overrides=_nested(repair))
        legal = list(legal_designs(changed, enumerate_candidates(changed)))
        assert legal
        assert repair.tco_usd is not None


def test_a_rule_that_fixes_a_count_is_worded_so_and_moves_to_the_nearest_count() -> None:
    rules = {"order": {"of": {"part": "mi300x_8u"}, "fix": 21}}
    space = {"systems": ["mi300x_8u"], "sizes": {"smallest": 64, "largest": 512, "step": 64}}
    overrides = {"rules": rules, "workloads": {"train": {"design_space": space}}}
    instance = load("tiny/performance", overrides=overrides)
    asking = Asking(instance)
    group = asking.groups["rules.order.fix"]
    assert "exactly 21 units" in group.asks
    told = measured(asking, frozenset([group.name]))
    assert told is not None
    (change,) = told.changes
    counts = {
        pod.pods.systems[row]
        for pod in enumerate_candidates(
            load("tiny/performance", overrides={"workloads": {"train": {"design_space": space}}})
        ).placements
        for row in range(len(pod.pods))
        if pod.pods.rate[row] >= instance.workloads["train"].demand
    }
    nearest = min(counts, key=lambda count: (abs(count - 21), count))
    assert change.after == str(nearest)
    assert change.apply is not None
    assert not list(legal_designs(instance, enumerate_candidates(instance)))
    changed = change.apply(instance)
    assert list(legal_designs(changed, enumerate_candidates(changed)))


def test_limits_give_way_together_by_less_than_alone() -> None:
    asking = Asking(load("broken/goodput-floor-too-high"))
    names = ("workloads.train.deadline", "limits.goodput")
    alone = {frozenset([n]): told for n in names if (told := measured(asking, frozenset([n]))) is not None}
    assert len(alone) == 2
    both = list(_halfway(asking, alone))
    assert both
    for told in both:
        assert set(told.values) == set(names)
        asked = asking.groups[names[0]].rows[0]
        demand = next(r.limit for r in asking.rows if r.key == asked)
        assert alone[frozenset(names[:1])].values[names[0]] < told.values[names[0]] < demand
        assert (
            told.values[names[1]] < alone[frozenset(names[1:])].values[names[1]]
        )  # the negative of a quality with a floor


def test_an_instance_with_a_design_has_nothing_to_explain() -> None:
    found = explain_infeasible(load("tiny/performance"))
    assert found.feasible is True
    assert found.conflict is None


def test_no_time_gives_no_claim() -> None:
    found = explain_infeasible(load("broken/budget-below-cheapest"), time_limit=1e-6)
    assert not found.complete
    assert found.conflict is None or not found.conflict.irreducible
