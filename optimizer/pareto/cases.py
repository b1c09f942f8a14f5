"""One scenario of a program, hot: its prices, what they leave of a question, and how the rest is solved under guessed ceilings.

A case holds the relaxation and the prices under each objective alone; a question within it is a task; a piece is what the prices leave
of a task so far. A case whose switches (see ``switches``) are open falls into parts, each a case of its own that is kept hot.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from optimizer.backends.protocol import Proof, SolveLimits, SolveResult, StopReason
from optimizer.compiled_model import CompiledModel, Floats
from optimizer.pareto.pricing import ROUNDING, Kinds, Priced
from optimizer.pareto.relaxation import Relaxation
from optimizer.pareto.restriction import Rest, Restrictor
from optimizer.pareto.scenarios import exactly_one_groups
from optimizer.pareto.switches import Switches

FIRST_GUESS = 24
"""Columns that survive the first guessed ceiling."""
SMALL_REST = 100
"""Up to this many free integer columns the rest is solved without further bounding."""
LARGEST_REST = 0.5
"""Above this share of surviving columns the full program is solved instead."""
MOST_PARTS_HELD = 1_000
"""Programs with all switches decided that are kept hot."""


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


@dataclass(frozen=True, slots=True)
class Asked:
    """One scalarised box."""

    weights: Sequence[float]
    tops: Sequence[float]
    step: float
    limits: SolveLimits


@dataclass(frozen=True, slots=True)
class Task:
    """The box within one scenario, without the ``constant`` its fixed columns add."""

    weights: list[float]
    tops: list[float]
    step: float
    limits: SolveLimits
    constant: float

    def below(self, ceiling: float) -> float:
        """The largest value, without the scenario's constant, that counts as better than ``ceiling`` (which includes it)."""
        return ceiling - self.constant - max(self.step, 0.0) * (1 - 1e-6)


@dataclass(slots=True)
class State:
    """Best answer so far within one question, and the effort it took. ``failed``: the full program must be solved; ``many``: there are
    several scenarios, so that each is much smaller than the full program; ``floor``: what the proofs leave below the best answer; ``loose``: cases
    whose last answer need not be the least.
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
    loose: set[Case] = field(default_factory=set)

    @property
    def over(self) -> bool:
        """True when no further scenario should be looked at."""
        return self.failed or self.stopped is not None


class Case:
    """One scenario with its hot relaxation and the prices under each objective alone. Stateless between questions."""

    def __init__(
        self, model: CompiledModel, answer: SolveRest, whole: Callable[[Floats], Floats], shift: list[float], *, part: bool = False
    ) -> None:  # fmt: skip
        self._model, self._answer = model, answer
        self._whole, self._shift = whole, shift
        self._restrictor = Restrictor(model)
        self.part = part
        self._switches = None if part else Switches(model)
        sharp = self._switches.sharpened() if self._switches else model
        self._parts: dict[bytes, Case | None] = {}
        self._kinds = Kinds.of(model, exactly_one_groups(model))
        self._low, self._high = model.lower, model.upper
        self._size = int(self._kinds.whole.sum())
        self.relaxation = Relaxation(sharp, groups=[g.tolist() for g in self._kinds.groups])
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

    def task(self, asked: Asked) -> Task:
        """The question without what the fixed columns of the scenario contribute."""
        constant = math.fsum(w * s for w, s in zip(asked.weights, self._shift, strict=True))
        tops = [t - s for t, s in zip(asked.tops, self._shift, strict=True)]
        return Task(list(asked.weights), tops, asked.step, asked.limits, constant)

    def parts(self, task: Task, low: Floats, high: Floats) -> list[Case] | None:
        """This scenario within ``low``, ``high`` with all switches decided, in every way that prices allow; None where it has none or these are many."""
        if not self._switches or not self._switches.open_ones(low, high):
            return None
        alone = [priced for both in self._alone for priced in both]
        tops = [top for top in task.tops for _ in range(2)]
        ways = self._switches.ways(alone, tops, low, high)
        if ways is None:
            return None
        found = (self._part(way) for way in ways)
        return [part for part in found if part is not None]

    def _part(self, way: NDArray[np.bool_]) -> Case | None:
        """The program with the switches as in ``way``, kept hot, since it depends on nothing else; None when nothing in it is legal."""
        assert self._switches is not None
        key = np.packbits(way).tobytes()
        if key not in self._parts:
            while len(self._parts) >= MOST_PARTS_HELD:
                del self._parts[next(iter(self._parts))]
            self._parts[key] = self._made_part(self._switches, way)
        return self._parts[key]

    def _made_part(self, switches: Switches, way: NDArray[np.bool_]) -> Case | None:
        low, high = self._low.copy(), self._high.copy()
        low[switches.columns] = high[switches.columns] = way
        possible, low, high = switches.narrowed(low, high)
        rest = self._restrictor.rest(low, high) if possible else None
        if rest is None or rest.broken:
            return None
        shift = [a + b for a, b in zip(self._shift, rest.shift, strict=True)]
        part = Case(rest.model, self._answer, lambda x: self._whole(rest.whole(x)), shift, part=True)
        return part if part.possible else None

    def discard(self, task: Task, ceiling: float) -> tuple[Priced, Floats, Floats]:
        """Fix what no objective's own bound allows and what the weighted bounds put above the ceiling; the weighted prices that result."""
        low, high = self._low, self._high
        total = Priced.weighted(task.weights, [middle for _, middle in self._alone])
        if not self._reaches(task.tops):
            return dataclasses.replace(total, bound=math.inf), low, high
        for both, top in zip(self._alone, task.tops, strict=True):
            for priced in both:
                low, high = priced.within(top, self._kinds, low, high)
        if bool((low > high).any()):
            return dataclasses.replace(total, bound=math.inf), low, high
        total = total.rebased(self._kinds, low, high)
        low, high = total.within(task.below(ceiling), self._kinds, low, high)
        return total, low, high

    def _reaches(self, tops: list[float]) -> bool:
        """Whether each objective by itself can be as low as ``tops`` (k)."""
        return all(priced.reaches(top) for both, top in zip(self._alone, tops, strict=True) for priced in both)

    def improve(self, piece: Piece, state: State) -> list[Piece]:
        """Improve the best answer within this scenario, or prove that it cannot be improved here, but for the pieces that are returned."""
        task, total, low, high = piece.task, piece.total, piece.low, piece.high
        if piece.bounded:
            self._rising(total, low, high, task, state)
            return []
        low, high = total.within(task.below(state.ceiling), self._kinds, low, high)
        if self._kinds.free(low, high) > SMALL_REST:
            guess = total.ceiling_for(FIRST_GUESS, (high > low) & self._kinds.whole)
            if total.bound < guess < task.below(state.ceiling):
                self._attempt(*total.within(guess, self._kinds, low, high), task, state)
                if state.over or (state.best is not None and state.ceiling - task.constant <= guess):
                    return []
                low, high = total.within(task.below(state.ceiling), self._kinds, low, high)
        if self._kinds.free(low, high) <= SMALL_REST:
            self._attempt(low, high, task, state)
            return []
        possible = True
        if self._switches:
            possible, low, high = self._switches.narrowed(low, high)
        parts = self.parts(task, low, high) if possible else []
        if parts is None:
            self._rising(self.bounded(low, high, task), low, high, task, state)
        return [part.piece(piece.asked, state.ceiling) for part in parts or ()]

    def piece(self, asked: Asked, ceiling: float) -> Piece:
        """What prices leave of this scenario under ``ceiling``."""
        task = self.task(asked)
        return Piece(self, asked, task, *self.discard(task, ceiling))

    def bounded(self, low: Floats, high: Floats, task: Task) -> Priced:
        """Prices by the relaxation of the zone."""
        main = f"objective {int(np.argmax(task.weights))}"
        self.relaxation.seconds = task.limits.left().seconds
        relaxed = self.relaxation.minimise(task.weights, task.tops, lower=low, upper=high, start=main)
        return Priced.of(relaxed, low, high)

    def _rising(self, priced: Priced, low: Floats, high: Floats, task: Task, state: State) -> None:
        """Solve what ``priced`` leaves under rising guessed ceilings."""
        if priced.bound > task.below(state.ceiling):
            return
        free = (high > low) & self._kinds.whole
        count = FIRST_GUESS
        while priced.bound > -math.inf and count < LARGEST_REST * self._size:
            if self._kinds.free(*priced.within(task.below(state.ceiling), self._kinds, low, high)) <= SMALL_REST:
                break
            guess = priced.ceiling_for(count, free)
            if guess >= task.below(state.ceiling):
                break
            if guess > priced.bound:
                before = state.ceiling
                self._attempt(*priced.within(guess, self._kinds, low, high), task, state)
                if state.over or state.ceiling - task.constant <= guess:
                    return
                if state.ceiling < before:
                    break
            count *= 4
        low, high = priced.within(task.below(state.ceiling), self._kinds, low, high)
        if self._kinds.free(low, high) > LARGEST_REST * self._size and not state.many and not self.part:
            state.failed = True
            return
        self._attempt(low, high, task, state)

    def _attempt(self, low: Floats, high: Floats, task: Task, state: State) -> None:
        """Solve the rest; a better value becomes the ceiling."""
        found = self._solve_rest(low, high, task, state.ceiling)
        state.calls += 1
        state.exact = state.exact and found.exact
        # each attempt within a case looks at more than the last one did
        (state.loose.add if found.loose else state.loose.discard)(self)
        state.kept = max(state.kept, self._kinds.free(low, high))
        if found.stop is not StopReason.FINISHED:
            state.stopped = dataclasses.replace(found, bound=-math.inf)
            return
        state.floor = min(state.floor, found.bound)
        if found.objective is not None and found.objective - task.constant <= task.below(state.ceiling):
            state.best, state.ceiling = found, found.objective

    def _solve_rest(self, lower: Floats, upper: Floats, task: Task, ceiling: float) -> SolveResult:
        if bool((upper < lower).any()):
            return nothing(math.inf, exact=True)
        rest = self._restrictor.rest(lower, upper)
        if rest.broken:
            return nothing(math.inf, exact=True)
        shift = math.fsum(w * s for w, s in zip(task.weights, rest.shift, strict=True))
        tops = [t - s for t, s in zip(task.tops, rest.shift, strict=True)]
        if not rest.kept.size:
            return self._settled(rest, tops, shift + task.constant)
        found = self._answer(
            rest.model,
            weights=task.weights,
            objective_upper=tops,
            step=task.step,
            limits=task.limits.left(),
            most=task.below(ceiling) - shift + 2e-6 * task.step,
        )
        constant = shift + task.constant
        return dataclasses.replace(
            found,
            x=None if found.x is None else self._whole(rest.whole(found.x)),
            objective=None if found.objective is None else found.objective + constant,
            bound=found.bound + constant,
        )

    def _settled(self, rest: Rest, tops: list[float], value: float) -> SolveResult:
        """The one point that is left, of ``value``, unless it lies above ``tops`` (k)."""
        if any(top < -ROUNDING * (1.0 + abs(shift)) - 1e-6 for top, shift in zip(tops, rest.shift, strict=True)):
            return nothing(math.inf, exact=True)
        x = self._whole(rest.base)
        exact = bool(self._model.integer.all())
        return SolveResult(StopReason.FINISHED, Proof.OPTIMAL, x, value, value, 0.0, 0, exact=exact)


@dataclass(frozen=True, eq=False, slots=True)
class Piece:
    """A scenario or part of one, and what its prices leave of it; ``bounded``: these are of the relaxation of the zone."""

    case: Case
    asked: Asked
    task: Task
    total: Priced
    low: Floats
    high: Floats
    bounded: bool = False

    @property
    def bound(self) -> float:
        """Of the weighted sum."""
        return self.total.bound + self.task.constant

    def by_relaxation(self) -> Piece:
        """The same with the bound and the prices of the relaxation."""
        total = self.case.bounded(self.low, self.high, self.task)
        return dataclasses.replace(self, total=total, bounded=True)


def nothing(bound: float, *, exact: bool) -> SolveResult:
    """The answer where there is no point."""
    return SolveResult(StopReason.FINISHED, Proof.INFEASIBLE, None, None, bound, 0.0, 0, exact=exact)
