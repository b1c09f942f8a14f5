"""The change of a limit on latency that brings a target into the best design: candidates are made again at each value looked at."""

from __future__ import annotations

from collections.abc import Callable

from models.errors import InfeasibleError
from models.instance import Instance
from optimizer.explain.asking import Standing
from optimizer.explain.bracketing import inverse, narrowed
from optimizer.explain.levers import WITH, WITHOUT, Lever
from optimizer.sensitivity.instance_field import InstanceField, find_field
from optimizer.sensitivity.latency_values import MILLI, latency_limits
from optimizer.sensitivity.limit_rows import Steered
from optimizer.sensitivity.program import Effort

Steering = Callable[[Instance], Steered]
"""The program of an instance with the measure ``target``; InfeasibleError where nothing can be placed."""


def latency_levers(instance: Instance, steered: Steering, effort: Effort) -> list[Lever]:
    """Looser and tighter values [ms] of limits on latency at which the target wins, each to 2 %; those found at no value are left out.

    A target may win over a stretch that no value looked at falls into, so that none is called the smallest.
    """
    found = []
    for source in latency_limits(instance):
        field = find_field(instance, source)
        assert field.value is not None
        for looser in (True, False):
            value = _reached(instance, field, looser, steered, effort)
            if value is not None:
                word = "looser" if looser else "tighter"
                found.append(Lever(word, source, "ms", field.value / MILLI, value / MILLI, False))
    return found


def _reached(instance: Instance, field: InstanceField, looser: bool, steered: Steering, effort: Effort) -> float | None:
    now = field.value
    assert now is not None

    def limit(asked: float) -> float:
        return asked if looser else inverse(asked)

    def standing(asked: float) -> Standing:
        if effort.over:
            return Standing.UNKNOWN
        try:
            program = steered(field.within(instance, limit(asked)))
        except InfeasibleError:
            return Standing.INFEASIBLE
        mine = program.least(effort, {}, [WITH])
        if mine.infeasible:
            return Standing.INFEASIBLE
        other = program.least(effort, {}, [WITHOUT])
        if mine.value is None or not (other.found or other.infeasible):
            return Standing.UNKNOWN
        wins = other.value is None or other.infeasible or mine.value <= other.value + 1e-6
        return Standing.FEASIBLE if wins else Standing.INFEASIBLE

    found = narrowed(now if looser else 1.0 / now, standing)
    return None if found is None else float(f"{limit(found.value):.6g}")
