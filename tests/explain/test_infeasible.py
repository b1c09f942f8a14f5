"""Shipped broken instances explained: the planted clash is found, its members are needed, and every repair repairs."""

from __future__ import annotations

from typing import Any

import pytest

from models.candidates.placement import enumerate_candidates
from models.loading import load
from optimizer.explain.infeasible import explain_infeasible
from optimizer.explain.repairs import Repair
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
    assert len(found.repairs) >= 2
    for repair in found.repairs:
        assert repair.certified
        changed = load(f"broken/{name}", overrides=_nested(repair))
        legal = list(legal_designs(changed, enumerate_candidates(changed)))
        assert legal
        assert repair.tco_usd is not None


def test_an_instance_with_a_design_has_nothing_to_explain() -> None:
    found = explain_infeasible(load("tiny/performance"))
    assert found.feasible is True
    assert found.conflict is None


def test_no_time_gives_no_claim() -> None:
    found = explain_infeasible(load("broken/budget-below-cheapest"), time_limit=1e-6)
    assert not found.complete
    assert found.conflict is None or not found.conflict.irreducible
