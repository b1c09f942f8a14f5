"""What each limit costs: how much the best design gains from one more useful step of it, by re-solve in both directions.

A step is useful when the best design changes. Of a ceiling  use(x) <= b  with best cost V:

    next looser value   b+ = min { use(x) : cost(x) <  V, other limits }     worth  V - V(b+)
    next tighter value  b- = min { use(x) : cost(x) <= V, other limits } - 1   costs  V(b-) - V

Duals of an integer program say neither. All figures are whole quanta, so both values are exact where the solves are proven.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from models.candidates.placement import Candidates
from models.errors import UsageError, nearest
from models.instance import Instance
from models.workload import Training
from optimizer.sensitivity.effort import without_best
from optimizer.sensitivity.latency_values import LatencyStep, LatencyValue, latency_limits, latency_value
from optimizer.sensitivity.limit_rows import STEP, LimitRow, Steered, lifted
from optimizer.sensitivity.program import Answer, Effort

if TYPE_CHECKING:
    import pandas as pd


SECONDS_PER_DAY = 86400.0


@dataclass(frozen=True, slots=True)
class Move:
    """One step of a limit: its new value [row unit], the best objective there [column unit] and by how much it is better (worse below zero).

    ``value`` None: no step in this direction changes the answer; ``objective`` None: nothing is legal there. ``proven``: both are.
    """

    value: float | None
    objective: float | None
    gain: float | None
    design_id: str
    proven: bool


@dataclass(frozen=True, slots=True)
class LimitValue:
    """One limit: where it was stated and by whom, its value and what the best design uses of it, and what moving it is worth.

    ``work``: tokens to be done where it is a deadline; None for any other.
    """

    limit: str
    source: str
    origin: str
    unit: str
    sense: str
    value: float
    used: float
    binding: bool
    looser: Move
    tighter: Move
    lifted: Move
    work: float | None = None

    def days(self, value: float | None) -> float | None:
        """A value of a deadline, which its row holds as a rate, in days; None for any other limit."""
        return self.work / value / SECONDS_PER_DAY if self.work is not None and value else None


@dataclass(frozen=True, slots=True)
class PairValue:
    """Two limits lifted together: gain of both, and what of it neither gives alone (below zero: they give the same twice)."""

    first: str
    second: str
    gain: float
    interaction: float
    proven: bool


@dataclass(frozen=True)
class LimitValues:
    """Values of all limits at the best design of one objective; money in USD, other objectives in their column's unit."""

    objective: str
    column: str
    best: float
    design_id: str
    limits: tuple[LimitValue, ...]
    pairs: tuple[PairValue, ...]
    proven: bool
    solves: int
    seconds: float

    def to_frame(self) -> pd.DataFrame:
        """One row per limit."""
        import pandas as pd

        columns = ["limit", "source", "unit", "sense", "value", "used", "binding", "looser_value", "looser_gain"]
        columns += ["tighter_value", "tighter_gain", "lifted_gain", "proven"]
        rows = [
            (
                v.limit,
                v.source,
                v.unit,
                v.sense,
                v.value,
                v.used,
                v.binding,
                v.looser.value,
                v.looser.gain,
                v.tighter.value,
                v.tighter.gain,
                v.lifted.gain,
                v.looser.proven and v.tighter.proven and v.lifted.proven,
            )
            for v in self.limits
        ]
        return pd.DataFrame(rows, columns=columns)


def value_of_limits(
    instance: Instance,
    objective: str = "tco",
    *,
    only: Sequence[str] | None = None,
    pairs: bool = True,
    time_limit: float | None = None,
    backend: str = "auto",
    candidates: Candidates | None = None,
    effort: Effort | None = None,
) -> LimitValues:
    """What every limit of an instance costs its best design.

    ``only``: row names or source fields to look at; limits on latency are among them, each by making candidates again. ``candidates`` as ``movable_candidates`` gives them, where they are known;
    ``effort`` goes before time and backend. Raises InfeasibleError where no design meets all limits, UsageError for a limit there is not.
    """
    steered = Steered.of(instance, objective, candidates)
    latencies = latency_limits(instance)
    chosen = _chosen(steered.limits, only, latencies)
    effort = effort or Effort(time_limit, backend)
    best = steered.least(effort, {})
    if best.infeasible:
        raise without_best(instance.name, True)
    asking = _Asking(steered, best)
    values = tuple(effort.each(_one, asking, chosen)) if best.found else ()
    together, settled = asking.pairs(chosen, values, effort) if pairs and best.found else ([], True)
    latent = [name for name in latencies if only is None or name in only] if best.found else []
    remade = [_as_limit(instance, told) for told in effort.each(latency_value, (instance, objective), latent)]
    settled &= all(_proven(value) for value in remade)
    goal = steered.program.formulation.goals[0]
    return LimitValues(
        objective=objective,
        column=goal.column,
        best=asking.shown(best) or 0.0,
        design_id=best.design.design_id if best.found else "",
        limits=(*values, *remade),
        pairs=tuple(together),
        proven=best.exact and settled and all(_proven(v) for v in values) and all(p.proven for p in together),
        solves=effort.solves,
        seconds=round(effort.spent, 3),
    )


def _as_limit(instance: Instance, told: LatencyValue) -> LimitValue:
    """A limit on latency as one among the others."""

    def move(step: LatencyStep) -> Move:
        return Move(step.value, step.objective, step.gain, step.design_id, step.proven)

    binding = told.used >= told.value * (1.0 - 1e-9)
    where = instance.origin(told.source)
    return LimitValue(
        told.source, told.source, where, "ms", "at most", told.value, told.used, binding,
        move(told.looser), move(told.tighter), move(told.lifted),
    )  # fmt: skip


def _chosen(limits: Sequence[LimitRow], only: Sequence[str] | None, others: Sequence[str] = ()) -> list[LimitRow]:
    """Limits by row name or source field, all of them for None; UsageError for a name that is neither, nor among ``others``."""
    known = list(dict.fromkeys([*(name for row in limits for name in (row.row.source, *row.names)), *others]))
    unknown = next((name for name in only or () if name not in known), None)
    if unknown is not None:
        raise UsageError(f"no limit {unknown!r}: {nearest(unknown, known)}")
    return [row for row in limits if only is None or {row.row.source, *row.names} & set(only)]


def _work(instance: Instance, source: str) -> float | None:
    steps = source.split(".")
    workload = instance.workloads.get(steps[1]) if steps[0] == "workloads" and steps[-1] == "deadline" else None
    return workload.tokens if isinstance(workload, Training) else None


def _proven(value: LimitValue) -> bool:
    return value.looser.proven and value.tighter.proven and value.lifted.proven


class _Asking:
    """Questions around one best design."""

    def __init__(self, steered: Steered, best: Answer) -> None:
        self._steered, self._best = steered, best
        self._cost = best.value if best.value is not None else 0.0

    def shown(self, answer: Answer) -> float | None:
        """The objective of an answer in its column's unit, in its own sense."""
        if answer.value is None:
            return None
        sign = next(iter(self._steered.cost.values()))
        return sign * answer.value * self._steered.quantum

    def _gain(self, answer: Answer) -> float | None:
        return None if answer.value is None else (self._cost - answer.value) * self._steered.quantum

    def _move(self, limit: LimitRow, use: float | None, at: Answer, before: bool) -> Move:
        value = None if use is None else limit.stated(use)
        identity = at.design.design_id if at.found else ""
        return Move(value, self.shown(at), self._gain(at), identity, before and at.exact)

    def value(self, limit: LimitRow, effort: Effort) -> LimitValue:
        """Everything about one limit."""
        instance = self._steered.program.formulation.instance
        row = limit.row
        used = limit.stated(limit.use(self._best.measures))
        return LimitValue(
            limit=limit.label,
            source=row.source,
            origin=instance.origin(row.source),
            unit=row.unit,
            sense="at most" if limit.sign > 0 else "at least",
            value=limit.stated(limit.bound),
            used=used,
            binding=abs(used - limit.stated(limit.bound)) <= 1e-9 * max(1.0, abs(used)),
            looser=self._looser(limit, effort),
            tighter=self._tighter(limit, effort),
            lifted=self._lifted(limit, effort),
            work=_work(instance, row.source),
        )

    def _looser(self, limit: LimitRow, effort: Effort) -> Move:
        if effort.over:
            return _UNKNOWN
        if not limit.steps:
            return _NO_STEP
        least = self._steered.least_use(limit, effort, self._cost - STEP)
        if least.value is None:
            return Move(None, None, None, "", least.infeasible)
        return self._move(limit, least.value, self._at(limit, least.value, effort), least.exact)

    def _tighter(self, limit: LimitRow, effort: Effort) -> Move:
        if effort.over:
            return _UNKNOWN
        if not limit.steps or limit.fixed:
            return _NO_STEP
        least = self._steered.least_use(limit, effort, self._cost)
        if least.value is None:
            return Move(None, None, None, "", False)
        use = least.value - limit.step
        return self._move(limit, use, self._at(limit, use, effort), least.exact)

    def _at(self, limit: LimitRow, use: float, effort: Effort) -> Answer:
        return self._steered.least(effort, limit.bounds(use))

    def _lifted(self, limit: LimitRow, effort: Effort) -> Move:
        if effort.over:
            return _UNKNOWN
        return self._move(limit, None, self._steered.least(effort, limit.bounds(None)), True)

    def pairs(
        self, limits: Sequence[LimitRow], values: Sequence[LimitValue], effort: Effort
    ) -> tuple[list[PairValue], bool]:
        """Every two limits lifted together, those that give more or less than apart; False where some were not asked about."""
        alone = {v.limit: v.lifted for v in values}
        all_lifted = self._steered.least(effort, lifted(limits))
        if all_lifted.exact and (self._gain(all_lifted) or 0.0) <= 0.0:
            return [], True  # no limit costs anything, alone or together
        found, settled = [], True
        two = list(combinations(limits, 2))
        for (a, b), (gain, exact) in zip(two, effort.each(_two, self, two), strict=True):
            if gain is None:
                settled &= exact
                continue
            apart = (alone[a.label].gain or 0.0) + (alone[b.label].gain or 0.0)
            proven = exact and alone[a.label].proven and alone[b.label].proven
            if gain or apart:
                found.append(PairValue(a.label, b.label, gain, gain - apart, proven))
        return found, settled

    def both(self, a: LimitRow, b: LimitRow, effort: Effort) -> tuple[float | None, bool]:
        """What lifting two limits gains (None: not known, or nothing), and whether that is proven."""
        if effort.over:
            return None, False
        answer = self._steered.least(effort, lifted((a, b)))
        return self._gain(answer), answer.exact


def _one(asking: _Asking, limit: LimitRow, effort: Effort) -> LimitValue:
    return asking.value(limit, effort)


def _two(asking: _Asking, limits: tuple[LimitRow, LimitRow], effort: Effort) -> tuple[float | None, bool]:
    return asking.both(*limits, effort)


_UNKNOWN = Move(None, None, None, "", False)
_NO_STEP = Move(None, None, None, "", True)
