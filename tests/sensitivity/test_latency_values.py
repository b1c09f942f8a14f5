"""Limits on latency among the limits valued: each step against the best designs on its two sides, solved from their candidates on."""

from __future__ import annotations

import pytest

from models.errors import UsageError
from models.loading import load
from optimizer.explain.bracketing import CLOSE
from optimizer.sensitivity.effort import Effort
from optimizer.sensitivity.limit_rows import Steered
from optimizer.sensitivity.value_of_limits import LimitValues, value_of_limits

NAMES = ("workloads.chat.ttft_at_most", "workloads.chat.tpot_at_most")


def _best(name: str, milliseconds: float) -> tuple[str, float] | None:
    """Design and least total cost [USD] with one limit at another value."""
    changed = load("tiny/serving-roles", overrides={"workloads": {"chat": {name: {"value": f"{milliseconds} ms"}}}})
    steered = Steered.of(changed)
    found = steered.least(Effort(), {})
    return (found.design.design_id, (found.value or 0.0) * steered.quantum) if found.found else None


@pytest.fixture(scope="module")
def valued() -> LimitValues:
    return value_of_limits(load("tiny/serving-roles"), only=NAMES)


def test_limits_on_latency_are_among_those_valued(valued: LimitValues) -> None:
    assert [value.source for value in valued.limits] == list(NAMES)
    assert valued.proven
    for value in valued.limits:
        assert 0 < value.used <= value.value
        assert value.origin.rpartition(":")[0].endswith("serving-roles.yaml")


def test_beyond_each_step_something_else_is_bought_and_before_it_the_same(valued: LimitValues) -> None:
    steps = 0
    for value in valued.limits:
        name = value.source.rpartition(".")[2]
        for move, back in ((value.looser, 1.0 / (1.0 + 1.5 * CLOSE)), (value.tighter, 1.0 + 1.5 * CLOSE)):
            if move.value is None:
                continue
            steps += 1
            there, before = _best(name, move.value), _best(name, move.value * back)
            assert before is not None
            assert before[0] == valued.design_id
            assert (there is None) == (move.objective is None)
            if there is not None:
                assert there[0] == move.design_id != valued.design_id
                assert move.objective == pytest.approx(there[1], abs=5e3)
                assert move.gain == pytest.approx(valued.best - there[1], abs=1e4)
    assert steps == 3


def test_time_that_is_over_leaves_them_unknown() -> None:
    late = Effort(1e-9)
    result = value_of_limits(load("tiny/serving-roles"), only=NAMES[:1], effort=late)
    assert not result.proven
    with pytest.raises(UsageError, match="tpot_at_most"):
        value_of_limits(load("tiny/serving-roles"), only=["workloads.chat.tpot_at_mos"])
