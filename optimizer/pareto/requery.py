"""Solving one program again and again with other costs, limits and fixed columns: one hot relaxation and a small exact rest each time.

A relaxation bounds every column at once; under a guessed ceiling few columns survive, and the program they leave is solved exactly. An optimum
at or below the guess is the optimum of the whole program, because what was left out costs more; else it is the new ceiling. Discards rest on
bounds that hold whatever the solver's tolerances (see ``relaxation``).
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from models.errors import UsageError
from optimizer.backends import create
from optimizer.backends.protocol import Backend, Proof, SolveLimits, SolveResult, StopReason
from optimizer.compiled_model import CompiledModel, Floats, exact_rows
from optimizer.pareto.pricing import Kinds, Priced
from optimizer.pareto.relaxation import Relaxation, Relaxed
from optimizer.pareto.restriction import Restrictor
from optimizer.pareto.scenarios import Scenario, exactly_one_groups, scenarios

FIRST_GUESS = 24
"""Columns that survive the first guessed ceiling; four times as many at each further one."""
SMALL_REST = 60
"""Up to this many free integer columns the rest is solved without guessing."""
MOST_HELD = 8
"""Programs with loosened rows kept hot beside the program itself."""
_FIRST = "first"


@dataclass(frozen=True, eq=False, slots=True)
class _Question:
    """One question in terms of the whole program; ``gap`` is what an answer may lie above the optimum."""

    cost: Floats
    lower: Floats
    upper: Floats
    row_lower: Floats
    row_upper: Floats
    tops: Floats
    gap: float
    deadline: float | None

    def limits(self) -> SolveLimits:
        """What is left of the time."""
        return SolveLimits(None if self.deadline is None else max(0.01, self.deadline - time.perf_counter()))

    @property
    def late(self) -> bool:
        """True when the time is used up."""
        return self.deadline is not None and time.perf_counter() >= self.deadline


class _Case:
    """One scenario of the program, hot."""

    def __init__(self, scenario: Scenario, make: Callable[[CompiledModel], Backend]) -> None:
        self._rest, self._model, self._make = scenario.rest, scenario.model, make
        self._kinds = Kinds.of(self._model, exactly_one_groups(self._model))
        self._restrictor = Restrictor(self._model)
        self._relaxation = Relaxation(self._model, groups=[g.tolist() for g in self._kinds.groups])

    def view(self, asked: _Question) -> _View | None:
        """The question within this scenario and its relaxation; None when nothing in it can be legal."""
        rest = self._rest
        settled = np.ones(asked.lower.size, dtype=bool)
        settled[rest.kept] = False
        if bool((settled & ((rest.base < asked.lower) | (rest.base > asked.upper))).any()):
            return None
        low = np.maximum(asked.lower[rest.kept], self._model.lower)
        high = np.minimum(asked.upper[rest.kept], self._model.upper)
        if bool((low > high).any()):
            return None
        row_low, row_high = asked.row_lower - rest.moved, asked.row_upper - rest.moved
        dead = np.ones(row_low.size, dtype=bool)
        dead[rest.rows] = False
        if bool((dead & ((row_low > 1e-6) | (row_high < -1e-6))).any()):
            return None
        row_low = np.concatenate([row_low[rest.rows], self._model.row_lower[rest.rows.size :]])
        row_high = np.concatenate([row_high[rest.rows], self._model.row_upper[rest.rows.size :]])
        cost = asked.cost[rest.kept]
        tops = asked.tops - np.array(rest.shift)
        constant = math.fsum((asked.cost * rest.base).tolist())
        relaxed = self._relax(cost, tops, low, high, row_low, row_high)
        if relaxed.bound == math.inf:
            return None
        return _View(self, cost, constant, tops, low, high, row_low, row_high, relaxed)

    def _relax(
        self, cost: Floats, tops: Floats, low: Floats, high: Floats, row_low: Floats, row_high: Floats
    ) -> Relaxed:
        relaxed = self._relaxation.minimise_cost(
            cost, tops.tolist(), lower=low, upper=high, row_lower=row_low, row_upper=row_high, start=_FIRST
        )
        if not self._relaxation.kept(_FIRST) and relaxed.x is not None:
            self._relaxation.keep(_FIRST)
        return relaxed

    def improve(self, seen: _View, asked: _Question, state: _State) -> None:
        """Improve the best answer within this scenario, or prove that it cannot be improved here."""
        priced = Priced.of(seen.relaxed, seen.low, seen.high)
        free = (seen.high > seen.low) & self._kinds.whole
        count = FIRST_GUESS
        while math.isfinite(priced.bound) and 2 * count < int(free.sum()) > SMALL_REST:
            guess = priced.ceiling_for(count, free)
            if guess >= state.ceiling - seen.constant:
                break
            if guess > priced.bound:
                self._attempt(*priced.within(guess, self._kinds, seen.low, seen.high), seen, asked, state)
                if state.stopped is not None or state.ceiling - seen.constant <= guess:
                    return
            count *= 4
        ceiling = state.ceiling - seen.constant - asked.gap
        if priced.bound <= ceiling:
            self._attempt(*priced.within(ceiling, self._kinds, seen.low, seen.high), seen, asked, state)

    def _attempt(self, low: Floats, high: Floats, seen: _View, asked: _Question, state: _State) -> None:
        if bool((high < low).any()):
            return
        rest = self._restrictor.rest(low, high, seen.row_low, seen.row_high)
        if rest.broken:
            return
        found = self._make(rest.model).solve(
            cost=seen.cost[rest.kept],
            objective_upper=(seen.tops - np.array(rest.shift)).tolist(),
            step=asked.gap,
            limits=asked.limits(),
        )
        state.calls += 1
        x = None if found.x is None else self._rest.whole(rest.whole(found.x))
        value = math.inf if x is None else math.fsum((asked.cost * x).tolist())
        if value < state.ceiling:
            state.ceiling, state.x = value, x
        if found.stop is not StopReason.FINISHED or found.proof is Proof.UNBOUNDED:
            state.stopped = found


@dataclass(frozen=True, eq=False, slots=True)
class _View:
    """A question within one scenario: without what its fixed columns add, which is ``constant`` for the cost."""

    case: _Case
    cost: Floats
    constant: float
    tops: Floats
    low: Floats
    high: Floats
    row_low: Floats
    row_high: Floats
    relaxed: Relaxed


@dataclass(slots=True)
class _State:
    """Best answer so far, and the solve that could not be finished."""

    ceiling: float = math.inf
    x: Floats | None = None
    stopped: SolveResult | None = None
    calls: int = 0


class Requery:
    """One program held hot for many questions; what it costs is a linear program and one or two solves of some dozens of columns each.

    ``model``: any mixed-integer program; programs whose integer columns lie in exactly-one groups gain most. ``backend`` solves the
    rests: ``auto`` takes exact integer arithmetic where the data allow it. An answer depends on its question alone, not on earlier ones.

        hot = Requery(model)
        base = hot.optimum(model.objectives[0])
        dearer = hot.optimum(model.objectives[0] + tariff, row_upper={row: 42_000.0}, forbidden=[17])
    """

    def __init__(self, model: CompiledModel, *, backend: str = "auto") -> None:
        self._model = model
        self._backend = backend
        self._rows = sparse.csr_array(model.matrix)
        self._sizes = abs(self._rows)
        self._exact = exact_rows(self._rows, model)
        self._held: dict[frozenset[tuple[int, bool]], list[_Case]] = {}

    def optimum(
        self,
        cost: Floats,
        *,
        row_lower: Mapping[int, float] | None = None,
        row_upper: Mapping[int, float] | None = None,
        objective_upper: Sequence[float] | None = None,
        fixed: Mapping[int, float] | None = None,
        forbidden: Sequence[int] = (),
        time_limit: float | None = None,
        gap: float = 0.0,
    ) -> SolveResult:
        """Minimise ``cost @ x`` (columns, any real numbers; no offset is added).

        ``row_lower``, ``row_upper``: other bounds of single rows by index, tighter or looser; infinities drop a side. ``objective_upper`` (k, inf for
        none): bounds on the model's own objectives, offsets included, in minimisation sense. ``fixed``: columns held at a value,
        ``forbidden``: columns held at zero. ``time_limit`` [s]; ``gap``: in units of the cost, how far above the optimum an
        answer may lie and still count as optimal.

        The result has ``proof`` OPTIMAL with ``x`` (columns) and ``objective``, INFEASIBLE (proven), UNBOUNDED, or BOUND and NONE after a
        limit; ``bound`` is a proven lower bound of the cost in every case (``objective - gap`` at the optimum). ``nodes`` counts the programs
        solved. What stays on tolerance: values of continuous columns, and solves of rests that the exact solver refuses.

        Relaxing a bound for the first time costs one preparation of the program without it; after that it is as cheap as tightening.
        UsageError for an array of the wrong length, a row or column that does not exist, or a value outside a column's bounds.
        """
        started = time.perf_counter()
        asked = self._question(cost, row_lower, row_upper, objective_upper, fixed or {}, forbidden, gap, time_limit)
        state = _State()
        seen = [view for case in self._cases(asked) if (view := case.view(asked)) is not None]
        seen.sort(key=lambda view: view.relaxed.bound + view.constant)
        proven = math.inf
        for view in seen:
            bound = view.relaxed.bound + view.constant
            if state.stopped is not None or asked.late:
                proven = min(proven, bound)
            elif bound <= state.ceiling - asked.gap:
                view.case.improve(view, asked, state)
                unfinished = state.stopped
                proven = proven if unfinished is None else min(proven, bound)
        found = _answer(state, proven, asked, time.perf_counter() - started)
        broken = None if found.x is None else self._broken(found.x, asked)
        if broken is None:
            return found
        bound = min(found.bound, *(view.relaxed.bound + view.constant for view in seen))
        proof = Proof.BOUND if math.isfinite(bound) else Proof.NONE
        return SolveResult(StopReason.ERROR, proof, None, None, bound, found.seconds, found.nodes, broken)

    def _broken(self, x: Floats, asked: _Question) -> str | None:
        """What ``x`` violates by more than rounding, or None."""
        activity, size = self._rows @ x, self._sizes @ np.abs(x)
        room = np.where(self._exact, 1e-6, 1e-6 * (1.0 + size))
        rows = np.flatnonzero((activity < asked.row_lower - room) | (activity > asked.row_upper + room))
        return f"the solver's point violates row {int(rows[0])}" if rows.size else None

    def _question(
        self,
        cost: Floats,
        row_lower: Mapping[int, float] | None,
        row_upper: Mapping[int, float] | None,
        objective_upper: Sequence[float] | None,
        fixed: Mapping[int, float],
        forbidden: Sequence[int],
        gap: float,
        time_limit: float | None,
    ) -> _Question:
        model = self._model
        vector = np.asarray(cost, dtype=np.float64)
        if vector.shape != (model.n_columns,) or not bool(np.isfinite(vector).all()):
            raise UsageError(f"cost: expected {model.n_columns} finite numbers, one per column")
        tops = np.full(model.n_objectives, math.inf)
        if objective_upper is not None:
            if len(objective_upper) != model.n_objectives:
                raise UsageError(f"objective_upper: expected {model.n_objectives} values, not {len(objective_upper)}")
            tops = np.asarray(objective_upper, dtype=np.float64) - model.offsets
        if not (math.isfinite(gap) and gap >= 0.0):
            raise UsageError(f"gap: {gap} is not a finite number >= 0")
        low, high = model.lower.copy(), model.upper.copy()
        for column, value in [*fixed.items(), *((column, 0.0) for column in forbidden)]:
            if not 0 <= column < model.n_columns:
                raise UsageError(f"column {column}: the program has columns 0 to {model.n_columns - 1}")
            if not model.lower[column] <= value <= model.upper[column]:
                raise UsageError(f"column {column}: {value} is outside its bounds")
            low[column], high[column] = max(low[column], value), min(high[column], value)
        deadline = None if time_limit is None else time.perf_counter() + time_limit
        return _Question(
            vector, low, high, self._sides(model.row_lower, row_lower), self._sides(model.row_upper, row_upper), tops, gap, deadline
        )  # fmt: skip

    def _sides(self, own: Floats, changes: Mapping[int, float] | None) -> Floats:
        sides = own.copy()
        for row, value in (changes or {}).items():
            if not 0 <= row < own.size:
                raise UsageError(f"row {row}: the program has rows 0 to {own.size - 1}")
            if math.isnan(value):
                raise UsageError(f"row {row}: the bound is not a number")
            sides[row] = value
        return sides

    def _cases(self, asked: _Question) -> list[_Case]:
        """The scenarios of the program without the row bounds that this question loosens: what they imply would be wrong here."""
        model = self._model
        loose = [(int(r), False) for r in np.flatnonzero(asked.row_lower < model.row_lower)]
        loose += [(int(r), True) for r in np.flatnonzero(asked.row_upper > model.row_upper)]
        key = frozenset(loose)
        if key not in self._held:
            if len(self._held) > MOST_HELD:
                del self._held[next(k for k in self._held if k)]
            low, high = model.row_lower.copy(), model.row_upper.copy()
            for row, above in loose:
                (high if above else low)[row] = math.inf if above else -math.inf
            bare = dataclasses.replace(model, row_lower=low, row_upper=high, offsets=np.zeros(model.n_objectives))
            self._held[key] = [_Case(scenario, self._make) for scenario in scenarios(bare)]
        return self._held[key]

    def _make(self, model: CompiledModel) -> Backend:
        return create(self._backend, model)


def _answer(state: _State, proven: float, asked: _Question, seconds: float) -> SolveResult:
    """What the scenarios gave together; ``proven`` bounds those that were not finished (inf: all were)."""
    found = None if state.x is None else state.ceiling
    if state.stopped is not None and state.stopped.proof is Proof.UNBOUNDED:
        return SolveResult(
            StopReason.FINISHED, Proof.UNBOUNDED, None, None, -math.inf, seconds, state.calls, state.stopped.message
        )
    if proven == math.inf:
        if found is None:
            return SolveResult(StopReason.FINISHED, Proof.INFEASIBLE, None, None, math.inf, seconds, state.calls)
        return SolveResult(StopReason.FINISHED, Proof.OPTIMAL, state.x, found, found - asked.gap, seconds, state.calls)
    bound = proven if found is None else min(proven, found - asked.gap)
    stop = StopReason.TIME_LIMIT if state.stopped is None else state.stopped.stop
    message = "" if state.stopped is None else state.stopped.message
    proof = Proof.BOUND if math.isfinite(bound) else Proof.NONE
    return SolveResult(stop, proof, state.x, found, bound, seconds, state.calls, message)
