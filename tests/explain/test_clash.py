"""Limits that clash, alone and several conflicts at once: each set is needed, each is named, and repairs mend all of them."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest

from models.loading import load
from optimizer.explain.asking import Asking, Standing
from optimizer.explain.clash import clashing_limits, conflicts_of_limits
from optimizer.explain.infeasible import explain_infeasible

CLASHES: list[tuple[dict[str, Any], list[set[str]]]] = [
    ({"limits": {"power": "200 kW"}}, [{"limits.power", "workloads.train.deadline"}]),
    (
        {"workloads": {"train": {"deadline": "1 day"}}, "limits": {"capex": "1 MUSD"}},
        [{"workloads.train.deadline"}, {"limits.capex"}],
    ),
    (
        {"limits": {"power": "10 kW", "floor": 1, "goodput": 0.9999}},
        [{"limits.power"}, {"limits.floor"}, {"limits.goodput"}],
    ),
]


@pytest.mark.parametrize(("overrides", "sets"), CLASHES)
def test_limits_that_clash_are_irreducible_and_named(overrides: dict[str, Any], sets: list[set[str]]) -> None:
    inst = load("tiny/performance", overrides=overrides)
    asking = Asking(inst)
    filters = {name for name, group in asking.groups.items() if not group.rows}
    found = conflicts_of_limits(asking)
    assert sorted(map(sorted, (one.names for one in found))) == sorted(map(sorted, sets))
    for one in found:
        assert one.irreducible
        assert asking.ask(filters | one.names).standing is Standing.INFEASIBLE
        for few in combinations(sorted(one.names), len(one.names) - 1):
            assert asking.ask(filters | set(few)).standing is Standing.FEASIBLE
    told = clashing_limits(inst)
    assert {str(problem.found).partition(" asks")[0] for problem in told} == set().union(*sets)


def test_a_limit_beside_other_conflicts_is_told_its_best_without_them() -> None:
    inst = load("tiny/performance", overrides={"limits": {"power": "10 kW", "floor": 1}})
    alone = load("tiny/performance", overrides={"limits": {"power": "10 kW"}})
    found = {m.group.name: m for one in conflicts_of_limits(Asking(inst)) for m in one.members}
    (single,) = conflicts_of_limits(Asking(alone))[0].members
    assert found["limits.power"].apart
    assert not single.apart
    assert found["limits.power"].best == single.best
    assert single.best is not None
    assert single.best > 10


def test_two_conflicts_at_once_are_both_told_and_mended_together() -> None:
    inst = load(
        "tiny/performance", overrides={"sites": {"hall": {"needed_by": "2021Q1"}}, "limits": {"capex": "1 MUSD"}}
    )
    found = explain_infeasible(inst)
    assert found.conflict is not None
    sets = [found.conflict.names, *(c.names for c in found.further)]
    assert {"limits.capex"} in sets
    assert any("sites.hall.needed_by" in names for names in sets)
    assert all(c.irreducible for c in (found.conflict, *found.further))
    assert not any(a & b for a, b in combinations(sets, 2))
    assert found.repairs
    for repair in found.repairs:
        changed = {change.group.name for change in repair.changes}
        assert all(changed & names for names in sets), changed
    assert len(found.as_dict()["further"]) == len(found.further)


def test_a_conflict_beside_one_with_filters_is_told_its_best_among_the_candidates_it_was_asked_of() -> None:
    """Lifting the other conflict's filters brings columns that the limit's own program has not."""
    gone = dict.fromkeys(("few_racks", "nvidia", "feeders", "spare_ups", "chat_after_train"))
    amd = {"vendor": "AMD", "layer": "silicon"}
    ports = {"at_most": 12, "of": {"part": "qm9700"}, "owner": "network", "reason": "only so many ports"}
    legal = {"forbid": amd, "owner": "legal", "reason": "export licence"}
    wish = {"if": {"of": {"measure": "pods"}, "at_least": 1}, "then": {"of": amd, "at_least": 8}, "owner": "research"}
    found = explain_infeasible(
        load("tiny/rules", overrides={"rules": {**gone, "ports": ports, "no": legal, "wish": wish}})
    )
    assert found.conflict is not None and found.further
    told = {m.group.name: m for one in (found.conflict, *found.further) for m in one.members}
    best = told["rules.ports.at_most"].best
    assert best is not None and best > 12
    assert (told["rules.no.forbid"].group.owner, told["rules.no.forbid"].group.reason) == ("legal", "export licence")
