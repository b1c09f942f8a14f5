"""Shipped broken instances explained: the planted clash is found, its members are needed, and every repair repairs."""

from __future__ import annotations

from math import ceil
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.candidates.placement import enumerate_candidates
from models.loading import load
from models.parts.rack import Rack
from optimizer.explain.asking import Asking, Standing
from optimizer.explain.bracketing import stepped
from optimizer.explain.infeasible import explain_infeasible
from optimizer.explain.measuring import measured
from optimizer.explain.repairs import Repair, _halfway
from optimizer.sensitivity.effort import Effort
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


WITHOUT_ROOM: list[tuple[dict[str, Any], str, float, float]] = [
    ({"sites": {"hall": {"clear_height": "1 m"}}}, "sites.hall.clear_height", 0.001, 1.0),
    ({"sites": {"hall": {"rows": {"row_pitch": "0.5 m"}}}}, "sites.hall.rows.row_pitch", 0.001, 1.0),
    ({"sites": {"hall": {"airflow_per_rack": "0.01 m**3/s"}}}, "sites.hall.airflow_per_rack", 0.0001, 1.0),
    ({"sites": {"hall": {"air_per_rack": {"value": "1 kW"}}}}, "sites.hall.air_per_rack", 0.001, 1.0),
    ({"assumptions": {"reserved_rack_units": {"value": 45}}}, "assumptions.reserved_rack_units", 1.0, -1.0),
]


@pytest.mark.parametrize(("overrides", "name", "step", "sign"), WITHOUT_ROOM)
def test_a_filter_gives_way_by_no_more_than_it_must(
    overrides: dict[str, Any], name: str, step: float, sign: float
) -> None:
    asking = Asking(load("tiny/performance", overrides=overrides))
    assert asking.standing(list(asking.groups)) is Standing.INFEASIBLE
    told = measured(asking, frozenset([name]))
    assert told is not None
    (change,) = told.changes
    stated = change.overrides[name]
    value = stated["value"] if isinstance(stated, dict) else stated
    number, _, unit = str(value).partition(" ")
    for moved, legal in ((float(number), True), (float(number) - sign * step, False)):
        text: Any = f"{moved:.10g} {unit}" if unit else moved
        nested: Any = {"value": text} if isinstance(stated, dict) else text
        for part in reversed(name.split(".")):
            nested = {part: nested}
        changed = load("tiny/performance", overrides=nested)
        assert bool(list(legal_designs(changed, enumerate_candidates(changed)))) is legal


def test_a_frame_that_carries_too_little_is_told_by_how_much(tmp_path: Any) -> None:
    (tmp_path / "racks.csv").write_text("id,static_load_kg,source,confidence\neia48,100,a sheet,quote\n")
    instance = tmp_path / "weak.yaml"
    instance.write_text(f"extends: tiny/performance\nname: weak\ncatalogues: [{tmp_path}]\n")
    asking = Asking(load(instance))
    told = measured(asking, frozenset(["catalogue.racks.static_load_kg"]))
    assert told is not None
    (change,), (pod,) = told.changes, told.design.pods
    assert change.before == "eia48 carries 100 kg"
    carried = float(pod.rack["weight_kg"]) - (asking.instance.catalogue.get(Rack, "eia48").empty_weight or 0.0)
    assert change.after == f"eia48 carries {ceil(carried):,} kg"
    for less, legal in ((0, True), (1, False)):
        (tmp_path / "racks.csv").write_text(
            f"id,static_load_kg,source,confidence\neia48,{ceil(carried) - less},a sheet,quote\n"
        )
        changed = load(instance)
        assert bool(list(legal_designs(changed, enumerate_candidates(changed)))) is legal


@given(st.lists(st.integers(1, 40), min_size=1, max_size=20, unique=True), st.integers(0, 45))
def test_the_first_step_that_leaves_something_is_found(steps: list[int], threshold: int) -> None:
    steps.sort()
    told = stepped(0, steps, lambda value: Standing.FEASIBLE if value >= threshold else Standing.INFEASIBLE)
    enough = [n for n in steps if n >= threshold]
    assert (told.value if told else None) == (enough[0] if enough else None)
    assert told is None or told.closed


def test_repairs_are_the_same_in_several_processes() -> None:
    instance = load("broken/too-few-racks")
    one, two = (explain_infeasible(instance, repairs=2, effort=Effort(workers=n)) for n in (1, 2))
    assert {**one.as_dict(), "seconds": 0} == {**two.as_dict(), "seconds": 0}
    assert len(one.repairs) >= 2
