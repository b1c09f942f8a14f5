"""Standings of choices and cheapest designs of kinds, against solving the instance with its design space narrowed instead."""

from __future__ import annotations

from typing import Any

import pytest

from models.errors import InfeasibleError
from models.instance import Instance
from models.loading import load
from optimizer.sensitivity.alternatives import Alternatives, Standing, alternatives
from optimizer.solve import solve

CASES = [("tiny/performance", "30 days", 0.05), ("tiny/performance", "18 days", 0.6), ("tiny/space", "30 days", 0.3)]


def _instance(name: str, deadline: str, **space: Any) -> Instance:
    fabric = space.pop("fabric", {})
    return load(
        name, overrides={"workloads": {"train": {"deadline": deadline, "design_space": {**space, "fabric": fabric}}}}
    )


def _least(instance: Instance) -> float | None:
    try:
        found = solve(instance, ["tco"], "exact")
    except InfeasibleError:
        return None
    return found.points[0].objectives["tco_usd"]


def _found(name: str, deadline: str, slack: float) -> Alternatives:
    found = alternatives(_instance(name, deadline), slack=slack)
    assert found.proven
    return found


@pytest.mark.parametrize(("name", "deadline", "slack"), CASES)
def test_forbidding_and_insisting_are_those_of_a_narrower_design_space(name: str, deadline: str, slack: float) -> None:
    found = _found(name, deadline, slack)
    best = _least(_instance(name, deadline))
    assert found.best == best
    systems = [c.value for c in found.choices if c.dimension == "system"]
    switches = [c.value for c in found.choices if c.dimension == "switch"]
    assert len(systems) == 2
    for choice in found.choices:
        if choice.dimension == "system":
            kept = [s for s in systems if s != choice.value] if choice.chosen else [choice.value]
            expected = _least(_instance(name, deadline, systems=kept))
        elif choice.dimension == "switch":
            kept = [s for s in switches if s != choice.value] if choice.chosen else [choice.value]
            expected = _least(_instance(name, deadline, fabric={"switches": kept})) if kept else None
        else:
            continue
        assert (choice.without if choice.chosen else choice.having) == expected
        assert (choice.having if choice.chosen else choice.without) == best
        within = expected is not None and expected <= best * (1 + slack)  # type: ignore[operator]
        assert (choice.standing is Standing.OPTIONAL) == within
        if not within:
            assert choice.standing is (Standing.MUST_HAVE if choice.chosen else Standing.AVOIDABLE)


@pytest.mark.parametrize(("name", "deadline", "slack"), CASES)
def test_near_optimal_designs_are_near_and_of_their_kind(name: str, deadline: str, slack: float) -> None:
    found = _found(name, deadline, slack)
    for a in found.near:
        assert a.value <= found.best * (1 + slack) * (1 + 1e-12)
        assert a.design.objectives[found.column] == a.value
        assert {p.vendor for p in a.design.pods if p.cluster == a.cluster} == {a.kind["vendor"]}
        assert {p.cooling for p in a.design.pods if p.cluster == a.cluster} == {a.kind["cooling"]}
        assert a.differs_in
    for a in found.beyond:
        assert a.value > found.best * (1 + slack)
    ids = [a.design.design_id for a in (*found.near, *found.beyond)]
    assert len(ids) == len(set(ids))


def test_numbers_of_tiers_are_enumerated_apart() -> None:
    instance = _instance("tiny/performance", "30 days", fabric={"tiers": [2, 3], "wasted_ports_at_most": 0.1})
    found = alternatives(instance, slack=0.2)
    told = {c.value: c for c in found.choices if c.dimension == "topology"}
    assert set(told) == {"2-tier", "3-tier"}
    for tier in (2, 3):
        alone = _instance("tiny/performance", "30 days", fabric={"tiers": [tier], "wasted_ports_at_most": 0.1})
        choice = told[f"{tier}-tier"]
        if not choice.chosen:
            assert choice.having == _least(alone)


def test_a_serving_cluster_may_mix_and_a_value_of_another_objective_may_be_held() -> None:
    instance = load("tiny/two-clusters")
    free, held = alternatives(instance, slack=0.1), alternatives(instance, slack=0.1, along={"throughput": 2.0})
    assert held.best > free.best
    assert {c.cluster for c in free.choices} == {"train", "chat"}


def test_stopped_early_says_so() -> None:
    found = None
    try:
        found = alternatives(load("tiny/performance"), time_limit=0.3)
    except InfeasibleError as error:
        assert "time" in str(error)  # noqa: PT017
    assert found is None or not found.proven or found.seconds < 0.3


@pytest.mark.parametrize("slack", [0.01, 0.3, 0.58, 0.6])
def test_what_is_near_lies_within_the_slack_and_nothing_else_does(slack: float) -> None:
    found = _found("tiny/performance", "30 days", slack)
    assert all(one.beyond_best <= slack for one in found.near)
    assert all(one.beyond_best > slack for one in found.beyond)
    assert found.near or found.beyond
    for choice in found.choices:
        if not choice.chosen and choice.having is not None:
            within = choice.having <= found.best * (1 + slack)
            assert choice.standing is (Standing.OPTIONAL if within else Standing.AVOIDABLE)
