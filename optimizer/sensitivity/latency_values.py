"""What limits on latency cost the best design: no row holds them, so candidates are made again at every value looked at.

The next looser value is one at which something cheaper is bought, the next tighter one at which today's pods no longer do; each is
closed to an interval of 2 %, of which the far end is told. In between the same is bought, worked with another batch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from models.instance import Instance
from models.workload import Serving
from optimizer.explain.asking import Standing
from optimizer.explain.bracketing import FARTHEST, LATENCIES, Interval, inverse, narrowed
from optimizer.sensitivity.field_program import FieldProgram, column_scale
from optimizer.sensitivity.instance_field import find_field
from optimizer.sensitivity.program import Answer, Effort

MILLI = 1e-3


@dataclass(frozen=True, slots=True)
class LatencyStep:
    """A limit at ``value`` [ms] (None: not told, or no step): best objective and gain there in the column's unit, None where nothing is legal."""

    value: float | None
    objective: float | None = None
    gain: float | None = None
    design_id: str = ""
    proven: bool = True


@dataclass(frozen=True, slots=True)
class LatencyValue:
    """A limit on latency: its value and the longest time that a pod of the best design takes [ms]."""

    source: str
    value: float
    used: float
    looser: LatencyStep
    tighter: LatencyStep
    lifted: LatencyStep


def latency_limits(instance: Instance) -> list[str]:
    """Dotted names of the limits on latency that an instance states."""
    return [
        f"workloads.{cluster}.{name}"
        for cluster, workload in instance.workloads.items()
        if isinstance(workload, Serving)
        for name in LATENCIES
        if getattr(workload, name) is not None
    ]


def latency_value(asked: tuple[Instance, str], name: str, effort: Effort) -> LatencyValue:
    """What one limit of an instance costs the best design by an objective; ``asked``: both of these."""
    return _Moving(*asked, name, effort).value()


class _Moving:
    def __init__(self, instance: Instance, objective: str, name: str, effort: Effort) -> None:
        field = find_field(instance, name)
        assert field.value is not None
        self._name, self._now, self._effort = name, field.value, effort
        self._far = field.value * FARTHEST
        self._program = FieldProgram(instance, [field], [(field.value, self._far)], objective)
        self._known: dict[float, Answer | None] = {}
        self._scale = 1.0

    def value(self) -> LatencyValue:
        today = self._at(self._now)
        if today is None or not today.found or today.value is None:
            unknown = LatencyStep(None, proven=False)
            return LatencyValue(self._name, self._now / MILLI, float("nan"), unknown, unknown, unknown)
        self._scale = column_scale(self._program, self._now)
        lasts = self._name.rpartition(".")[2].partition("_")[0] + "_s"
        cluster = self._name.split(".")[1]
        told = [pod.performance.get(lasts) for pod in today.design.pods if pod.cluster == cluster]
        times = [float(time) for time in told if time is not None]
        return LatencyValue(
            source=self._name,
            value=self._now / MILLI,
            used=max(times) / MILLI if times else 0.0,
            looser=self._looser(today),
            tighter=self._tighter(today),
            lifted=self._step(None, self._at(self._far), today, True),
        )

    def _at(self, value: float) -> Answer | None:
        """The best design under a value of the limit; None when the time is over."""
        if value not in self._known:
            if self._effort.over:
                return None
            self._known[value] = self._program.least((value,), self._effort)
        return self._known[value]

    def _looser(self, today: Answer) -> LatencyStep:
        def cheaper(answer: Answer) -> bool:
            assert today.value is not None
            differs = answer.found and answer.design.design_id != today.design.design_id
            return differs and answer.value is not None and answer.value < today.value

        last = self._at(self._far)
        if last is None or not (last.found or last.infeasible):
            return LatencyStep(None, proven=False)
        if not cheaper(last):
            return LatencyStep(None, proven=last.exact)
        found = narrowed(self._now, self._standing(cheaper, lambda value: value))
        return self._stepped(found, lambda value: value, today)

    def _tighter(self, today: Answer) -> LatencyStep:
        def gone(answer: Answer) -> bool:
            return not answer.found or answer.design.design_id != today.design.design_id

        found = narrowed(1.0 / self._now, self._standing(gone, inverse))
        return self._stepped(found, inverse, today)

    def _standing(
        self, moved: Callable[[Answer], bool], as_limit: Callable[[float], float]
    ) -> Callable[[float], Standing]:
        def standing(asked: float) -> Standing:
            answer = self._at(as_limit(asked))
            if answer is None or not (answer.found or answer.infeasible):
                return Standing.UNKNOWN
            return Standing.FEASIBLE if moved(answer) else Standing.INFEASIBLE

        return standing

    def _stepped(self, found: Interval | None, as_limit: Callable[[float], float], today: Answer) -> LatencyStep:
        if found is None:
            return LatencyStep(None, proven=False)
        value = as_limit(found.value)
        ends = [self._at(value), self._at(as_limit(found.without))]
        exact = found.closed and all(end is not None and (end.exact or end.infeasible) for end in ends)
        return self._step(value, ends[0], today, exact)

    def _step(self, value: float | None, answer: Answer | None, today: Answer, exact: bool) -> LatencyStep:
        shown = None if value is None else float(f"{value / MILLI:.10g}")
        if answer is None or not (answer.found or answer.infeasible):
            return LatencyStep(shown, proven=False)
        exact = exact and today.exact and (answer.exact or answer.infeasible)
        if not answer.found or answer.value is None or today.value is None:
            return LatencyStep(shown, proven=exact)
        gain = abs(self._scale) * (today.value - answer.value)
        return LatencyStep(shown, self._scale * answer.value, gain, answer.design.design_id, exact)
