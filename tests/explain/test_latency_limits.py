"""Limits on latency, and demands with a row for each role: how little they have to give, against solving on either side."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.candidates.placement import enumerate_candidates
from models.errors import InfeasibleError
from models.formulation.build import build
from models.instance import Instance
from models.loading import load
from optimizer.check import check_instance
from optimizer.explain.asking import Asking, Standing
from optimizer.explain.bracketing import CLOSE, narrowed
from optimizer.explain.infeasible import explain_infeasible
from optimizer.explain.measuring import measured
from optimizer.explain.why_not import Verdict, why_not
from optimizer.sensitivity.effort import Effort
from optimizer.sensitivity.limit_rows import Steered

TPOT, RATE = "workloads.chat.tpot_at_most", "workloads.chat.rate"


def _service(**chat: Any) -> Instance:
    return load("tiny/serving-roles", overrides={"workloads": {"chat": chat}})


def _feasible(instance: Instance) -> bool:
    try:
        build(instance, ("tco",), enumerate_candidates(instance))
    except InfeasibleError:
        return False
    asking = Asking(instance)
    return asking.standing(list(asking.groups)) is Standing.FEASIBLE


def test_a_latency_no_pod_keeps_is_named_and_moved_no_further_than_it_must() -> None:
    instance = _service(tpot_at_most={"value": "1 ms"}, design_space={"systems": ["dgx_h100"]})
    found = explain_infeasible(instance)
    assert found.conflict is not None
    assert found.conflict.irreducible
    assert found.conflict.names == {TPOT, RATE}
    for repair in found.repairs:
        assert repair.certified
        assert repair.tco_usd
    (only,) = [r for r in found.repairs if [c.group.name for c in r.changes] == [TPOT]]
    stated = only.changes[0].overrides[TPOT]
    milliseconds = float(stated["value"].removesuffix(" ms"))
    assert _feasible(_service(tpot_at_most={"value": stated["value"]}, design_space={"systems": ["dgx_h100"]}))
    below = f"{milliseconds / (1 + 2 * CLOSE)} ms"
    assert not _feasible(_service(tpot_at_most={"value": below}, design_space={"systems": ["dgx_h100"]}))
    # a service that would deliver nothing is no repair
    assert [RATE] not in [[c.group.name for c in r.changes] for r in found.repairs]


def test_the_demand_of_a_divided_service_gives_way_as_one_number() -> None:
    asking = Asking(_service(rate="3 Mtoken/s"))
    told = measured(asking, frozenset([RATE]))
    assert told is not None
    most = round(told.values[RATE])
    assert 0 < most < 3_000_000
    assert _feasible(_service(rate=f"{most} token/s"))
    assert not _feasible(_service(rate=f"{most + 1} token/s"))


def test_check_names_the_latency_that_leaves_nothing_and_not_the_others() -> None:
    report = check_instance(_service(tpot_at_most={"value": "1 ms"}))
    assert [case.limit for case in report.limits if case.hopeless] == [TPOT]
    (problem,) = report.problems
    assert "at most 1 ms" in str(problem)
    first = check_instance(_service(ttft_at_most={"value": "0.1 ms"}))
    assert [case.limit for case in first.limits if case.hopeless] == ["workloads.chat.ttft_at_most"]
    assert not check_instance(_service()).problems


@pytest.mark.parametrize("seconds", [1e-9])
def test_no_enumeration_begins_when_time_is_over(seconds: float) -> None:
    asking = Asking(_service(tpot_at_most={"value": "1 ms"}), Effort(seconds))
    assert asking.standing(()) is Standing.UNKNOWN
    assert not asking.prepared(list(asking.groups))
    assert measured(asking, frozenset([TPOT])) is None


@given(st.floats(1e-3, 10.0), st.floats(1.001, 1e4))
def test_an_interval_holds_the_threshold_and_is_closed(now: float, times: float) -> None:
    asked: list[float] = []

    def standing(value: float) -> Standing:
        asked.append(value)
        return Standing.FEASIBLE if value >= now * times else Standing.INFEASIBLE

    found = narrowed(now, standing)
    assert found is not None
    assert found.without < now * times <= found.value
    assert found.closed
    assert len(asked) <= 16
    assert found.without == now or found.without in asked
    assert found.value in asked


def test_what_stays_unknown_leaves_the_interval_open() -> None:
    answers = iter([Standing.FEASIBLE, Standing.UNKNOWN])
    found = narrowed(1.0, lambda _value: next(answers))
    assert found is not None
    assert (found.without, found.value, found.closed) == (1.0, 4.0, False)
    assert narrowed(1.0, lambda _value: Standing.UNKNOWN) is None
    assert narrowed(1.0, lambda _value: Standing.INFEASIBLE) is None


def test_a_latency_that_brings_a_part_into_the_best_design_is_among_its_levers() -> None:
    told = why_not(_service(tpot_at_most={"value": "60 ms"}), "dgx_h100")
    assert told.verdict is Verdict.DEARER
    (lever,) = [one for one in told.levers if one.source == TPOT]
    assert lever.lever == "tighter"
    assert lever.to is not None
    assert lever.to < 60
    wins, loses = lever.to, lever.to * (1 + 1.5 * CLOSE)
    there = [_bought(_service(tpot_at_most={"value": f"{value} ms"})) for value in (wins, loses)]
    assert ["dgx_h100" in systems for systems in there] == [True, False]


def _bought(instance: Instance) -> set[str]:
    found = Steered.of(instance).least(Effort(), {})
    return {pod.system for pod in found.design.pods}
