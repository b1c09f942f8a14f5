"""Reduced-cost fixing: one relaxation bounds every option at once, the hopeless ones are discarded with proof, the rest solved exactly.

Any legal x costs at least L + sum_j d_j (moves of column j), with L a bound of the relaxation and d its reduced costs. So under a ceiling T a
column with L + d_j > T is fixed. Three sources of bounds, cheapest first: each objective alone (computed once per scenario: an option that by
itself exceeds a zone's bound is out), their weighted sum, and the relaxation of the zone. T is first guessed so that few
columns survive: if the exact optimum V of the rest satisfies V <= T no discarded option can beat it; otherwise V is the new ceiling.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from optimizer.backends.protocol import Proof, SolveLimits, SolveResult, StopReason
from optimizer.compiled_model import CompiledModel, Floats
from optimizer.pareto.pricing import Kinds, Priced
from optimizer.pareto.relaxation import Relaxation
from optimizer.pareto.restriction import Restrictor
from optimizer.pareto.scenarios import Scenario, exactly_one_groups, scenarios

FIRST_GUESS = 24
"""Columns that survive the first guessed ceiling."""
SMALL_REST = 100
"""Up to this many free integer columns the rest is solved without further bounding."""
LARGEST_REST = 0.5
"""Above this share of surviving columns the full program is solved instead."""
SMALLEST_MODEL = 150
"""Below this many integer columns a relaxation costs as much as it saves."""


class SolveRest(Protocol):
    """Solves what is left of a program; see ``exactly.solve_rest``."""

    def __call__(
        self,
        model: CompiledModel,
        *,
        weights: Sequence[float],
        objective_upper: Sequence[float],
        step: float,
        limits: SolveLimits,
        most: float,
    ) -> SolveResult:
        """Minimise the weighted sum of its objectives below ``objective_upper``; only answers of at most ``most`` are of interest."""
        ...


@dataclass(frozen=True, eq=False, slots=True)
class Reduced:
    """Answer of the reduced solve: ``result`` over all columns, and what it took. ``result`` None: solve the full program."""

    result: SolveResult | None
    calls: int
    discarded: int


@dataclass(frozen=True, slots=True)
class _Task:
    """One scalarised box."""

    weights: list[float]
    tops: list[float]
    step: float
    limits: SolveLimits
    constant: float

    def below(self, ceiling: float) -> float:
        """The largest value, without the scenario's constant, that counts as better than ``ceiling`` (which includes it)."""
        return ceiling - self.constant - max(self.step, 0.0) * (1 - 1e-6)


@dataclass(slots=True)
class _State:
    """Best answer so far within one question, and the effort it took. ``failed``: the full program must be solved; ``many``: there are
    several scenarios, so that each is much smaller than the full program; ``floor``: what the proofs leave below the best answer.
    """

    ceiling: float
    floor: float = math.inf
    many: bool = False
    best: SolveResult | None = None
    stopped: SolveResult | None = None
    failed: bool = False
    exact: bool = True
    calls: int = 0
    kept: int = 0

    @property
    def over(self) -> bool:
        """True when no further scenario should be looked at."""
        return self.failed or self.stopped is not None


class _Case:
    """One scenario with its hot relaxation and the prices under each objective alone. Stateless between questions."""

    def __init__(self, scenario: Scenario, answer: SolveRest) -> None:
        model = scenario.model
        self._answer = answer
        self._rest = scenario.rest
        self._restrictor = Restrictor(model)
        self._kinds = Kinds.of(model, exactly_one_groups(model))
        self._low, self._high = model.lower, model.upper
        self._size = int(self._kinds.whole.sum())
        self.relaxation = Relaxation(model, groups=[g.tolist() for g in self._kinds.groups])
        self._alone = [
            self._price_alone([1.0 if i == j else 0.0 for j in range(model.n_objectives)])
            for i in range(model.n_objectives)
        ]
        self.possible = all(best.bound < math.inf for best, _ in self._alone)

    def _price_alone(self, weights: list[float]) -> tuple[Priced, Priced]:
        """Prices from the relaxed optimum of one objective, and from the middle of the exactly-one groups."""
        relaxed = self.relaxation.minimise(weights)
        best = Priced.of(relaxed, self._low, self._high)
        if relaxed.x is None:
            return best, best
        self.relaxation.keep(f"objective {weights.index(1.0)}")
        middle = np.full(self._low.size, math.nan)
        for group in self._kinds.groups:
            able = group[self._high[group] > 0]
            middle[group] = 0.0
            middle[able] = 1.0 / max(1, able.size)
        inner = self.relaxation.price_at(weights, self._low, self._high, middle)
        return best, Priced.of(inner, self._low, self._high) if math.isfinite(inner.bound) else best

    def task(self, weights: Sequence[float], tops: Sequence[float], step: float, limits: SolveLimits) -> _Task:
        """The question without what the fixed columns of the scenario contribute."""
        shift = self._rest.shift
        constant = math.fsum(w * s for w, s in zip(weights, shift, strict=True))
        return _Task(list(weights), [t - s for t, s in zip(tops, shift, strict=True)], step, limits, constant)

    def discard(self, task: _Task, ceiling: float) -> tuple[Priced, Floats, Floats]:
        """Fix what no objective's own bound allows and what the weighted bounds put above the ceiling; the weighted prices that result."""
        low, high = self._low, self._high
        for both, top in zip(self._alone, task.tops, strict=True):
            for priced in both:
                low, high = priced.within(top, self._kinds, low, high)
        total = Priced.weighted(task.weights, [middle for _, middle in self._alone])
        if bool((low > high).any()):
            return dataclasses.replace(total, bound=math.inf), low, high
        total = total.rebased(self._kinds, low, high)
        low, high = total.within(task.below(ceiling), self._kinds, low, high)
        return total, low, high

    def improve(self, total: Priced, low: Floats, high: Floats, task: _Task, state: _State) -> None:
        """Improve the best answer within this scenario, or prove that it cannot be improved here."""
        low, high = total.within(task.below(state.ceiling), self._kinds, low, high)
        if self._kinds.free(low, high) > SMALL_REST:
            guess = total.ceiling_for(FIRST_GUESS, (high > low) & self._kinds.whole)
            if total.bound < guess < task.below(state.ceiling):
                self._attempt(*total.within(guess, self._kinds, low, high), task, state)
                if state.over or (state.best is not None and state.ceiling - task.constant <= guess):
                    return
                low, high = total.within(task.below(state.ceiling), self._kinds, low, high)
        if self._kinds.free(low, high) <= SMALL_REST:
            self._attempt(low, high, task, state)
        else:
            self._relaxed(low, high, task, state)

    def _relaxed(self, low: Floats, high: Floats, task: _Task, state: _State) -> None:
        """Bound what is left by the relaxation of the zone, and solve under rising guessed ceilings."""
        main = f"objective {int(np.argmax(task.weights))}"
        self.relaxation.seconds = task.limits.seconds
        relaxed = self.relaxation.minimise(task.weights, task.tops, lower=low, upper=high, start=main)
        if relaxed.bound > task.below(state.ceiling):
            return
        priced = Priced.of(relaxed, low, high)
        free = (high > low) & self._kinds.whole
        count = FIRST_GUESS
        while relaxed.bound > -math.inf and count < LARGEST_REST * self._size:
            guess = priced.ceiling_for(count, free)
            if guess >= task.below(state.ceiling):
                break
            if guess > relaxed.bound:
                before = state.ceiling
                self._attempt(*priced.within(guess, self._kinds, low, high), task, state)
                if state.over or state.ceiling - task.constant <= guess:
                    return
                if state.ceiling < before:
                    break
            count *= 4
        low, high = priced.within(task.below(state.ceiling), self._kinds, low, high)
        if self._kinds.free(low, high) > LARGEST_REST * self._size and not state.many:
            state.failed = True
            return
        self._attempt(low, high, task, state)

    def _attempt(self, low: Floats, high: Floats, task: _Task, state: _State) -> None:
        """Solve the rest; a better value becomes the ceiling."""
        found = self._solve_rest(low, high, task, state.ceiling)
        state.calls += 1
        state.exact = state.exact and found.exact
        state.kept = max(state.kept, self._kinds.free(low, high))
        if found.stop is not StopReason.FINISHED:
            state.stopped = dataclasses.replace(found, bound=-math.inf)
            return
        state.floor = min(state.floor, found.bound)
        if found.objective is not None and found.objective - task.constant <= task.below(state.ceiling):
            state.best, state.ceiling = found, found.objective

    def _solve_rest(self, lower: Floats, upper: Floats, task: _Task, ceiling: float) -> SolveResult:
        if bool((upper < lower).any()):
            return _none(math.inf, exact=True)
        rest = self._restrictor.rest(lower, upper)
        if rest.broken:
            return _none(math.inf, exact=True)
        shift = math.fsum(w * s for w, s in zip(task.weights, rest.shift, strict=True))
        found = self._answer(
            rest.model,
            weights=task.weights,
            objective_upper=[t - s for t, s in zip(task.tops, rest.shift, strict=True)],
            step=task.step,
            limits=task.limits,
            most=task.below(ceiling) - shift + 2e-6 * task.step,
        )
        constant = shift + task.constant
        return dataclasses.replace(
            found,
            x=None if found.x is None else self._rest.whole(rest.whole(found.x)),
            objective=None if found.objective is None else found.objective + constant,
            bound=found.bound + constant,
        )


class Reducer:
    """Solves scalarised zones of one scaled model, scenario by scenario. Answers depend on the question alone."""

    def __init__(self, model: CompiledModel, answer: SolveRest) -> None:
        self._model, self._answer = model, answer
        self._size = int((model.integer & np.isfinite(model.lower) & np.isfinite(model.upper)).sum())
        self._cases: list[_Case] = []
        self.worthwhile = self._size >= SMALLEST_MODEL

    @property
    def relaxations(self) -> int:
        """Linear programs solved."""
        return sum(case.relaxation.solves for case in self._cases)

    def prepare(self) -> None:
        """Build the scenarios and their prices."""
        made = (_Case(scenario, self._answer) for scenario in scenarios(self._model))
        self._cases = [case for case in made if case.possible]

    def minimise(
        self, weights: Sequence[float], tops: Sequence[float], *, step: float, ceiling: float, limits: SolveLimits
    ) -> Reduced:
        """Least ``sum weights[i] * objective_i`` with objectives at most ``tops``, if it is below ``ceiling`` by a step (inf: any).

        The result is INFEASIBLE when there is no legal point at all, or none below a finite ceiling. Weights must not be negative.
        """
        state = _State(ceiling, many=len(self._cases) > 1)
        order = []
        for number, case in enumerate(self._cases):
            task = case.task(weights, tops, step, limits)
            total, low, high = case.discard(task, ceiling)
            if total.bound < math.inf:
                order.append((total.bound + task.constant, number, task, total, low, high))
        order.sort(key=lambda entry: entry[:2])
        for bound, number, task, total, low, high in order:
            if state.over or bound - task.constant > task.below(state.ceiling):
                break
            self._cases[number].improve(total, low, high, task, state)
        if state.failed:
            return Reduced(None, state.calls, 0)
        found = state.stopped or state.best or _none(state.ceiling, exact=True)
        found = dataclasses.replace(found, exact=state.exact, bound=min(found.bound, state.floor))
        return Reduced(found, state.calls, max(0, self._size - state.kept))


def _none(bound: float, *, exact: bool) -> SolveResult:
    return SolveResult(StopReason.FINISHED, Proof.INFEASIBLE, None, None, bound, 0.0, 0, exact=exact)
