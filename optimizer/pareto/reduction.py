"""Reduced-cost fixing: one relaxation bounds every option at once, the hopeless ones are discarded with proof, the rest solved exactly.

Let L be a valid bound of the relaxation and d_j what one unit of column j away from its cheaper bound adds to it at least. Under a
ceiling T, column j can move at most floor((T - L) / |d_j|) units; binaries with L + |d_j| > T are fixed. T is first guessed so that few columns survive: if
the exact optimum V of the rest satisfies V <= T, no discarded option can beat it; otherwise T is raised to V (or to the next guess) and the rest solved again.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from optimizer.backends.protocol import Backend, Proof, SolveLimits, SolveResult, StopReason
from optimizer.compiled_model import CompiledModel, Floats
from optimizer.pareto.relaxation import Relaxation, Relaxed

FIRST_GUESS = 60
"""Columns that survive the first guessed ceiling, at least."""
LARGEST_REST = 0.5
"""Above this share of surviving columns the full program is solved instead."""
SMALLEST_MODEL = 150
"""Below this many integer columns a relaxation costs as much as it saves."""


@dataclass(frozen=True, eq=False, slots=True)
class Reduced:
    """Answer of the reduced solve: ``result`` over all columns, and what it took. ``result`` None: solve the full program."""

    result: SolveResult | None
    calls: int
    discarded: int


@dataclass(frozen=True, eq=False, slots=True)
class Priced:
    """A valid bound and what each step of a column away from its lower (``up``) or upper (``down``) limit adds to it at least."""

    bound: float
    up: Floats
    down: Floats
    low: Floats
    high: Floats

    @classmethod
    def of(cls, relaxed: Relaxed, low: Floats, high: Floats) -> Priced:
        """Prices from a relaxation solved within ``low``, ``high``."""
        return cls(relaxed.bound, np.maximum(relaxed.reduced, 0.0), np.maximum(-relaxed.reduced, 0.0), low, high)

    @classmethod
    def weighted(cls, weights: Sequence[float], parts: Sequence[Priced]) -> Priced:
        """Bounds of single objectives added up: valid for any weights that are not negative."""
        up = np.einsum("i,ij->j", np.asarray(weights), np.array([p.up for p in parts]))
        down = np.einsum("i,ij->j", np.asarray(weights), np.array([p.down for p in parts]))
        bound = math.fsum(w * p.bound for w, p in zip(weights, parts, strict=True) if w != 0)
        return cls(bound, up, down, parts[0].low, parts[0].high)

    @property
    def either(self) -> Floats:
        """Price of leaving the cheaper limit by one."""
        return np.maximum(self.up, self.down)

    def within(self, ceiling: float, low: Floats, high: Floats, whole: NDArray[np.bool_]) -> tuple[Floats, Floats]:
        """``low`` and ``high`` tightened to what stays at or below ``ceiling``, for the ``whole`` columns."""
        if not math.isfinite(ceiling) or not math.isfinite(self.bound):
            return low, high
        room = ceiling - self.bound
        room = max(0.0, room + 1e-9 * abs(room) + 1e-9)
        with np.errstate(divide="ignore", over="ignore"):
            rise = np.floor(np.where(self.up > 1e-12, room / self.up, math.inf) + 1e-9)
            fall = np.floor(np.where(self.down > 1e-12, room / self.down, math.inf) + 1e-9)
        upper = np.where(whole, np.minimum(high, self.low + rise), high)
        lower = np.where(whole, np.maximum(low, self.high - fall), low)
        return lower, upper


@dataclass(frozen=True, slots=True)
class _Task:
    """One scalarised box."""

    weights: list[float]
    tops: list[float]
    step: float
    limits: SolveLimits


class Reducer:
    """Solves scalarised zones of one scaled model through its relaxation. Stateless between questions apart from what ``prepare`` keeps."""

    def __init__(self, model: CompiledModel, relaxation: Relaxation, make: Callable[[CompiledModel], Backend]) -> None:
        self._model = model
        self._relaxation = relaxation
        self._make = make
        self._stacked = sparse.csc_array(
            sparse.vstack([model.matrix, sparse.csc_array(model.objectives)], format="csc")
        )
        self._whole = model.integer & np.isfinite(model.lower) & np.isfinite(model.upper)
        self._low = np.where(model.integer, np.ceil(model.lower - 1e-9), model.lower)
        self._high = np.where(model.integer, np.floor(model.upper + 1e-9), model.upper)
        self._alone: list[Priced] = []
        self.worthwhile = int(self._whole.sum()) >= SMALLEST_MODEL

    def prepare(self) -> None:
        """Keep, for each objective alone, the relaxation's bound and reduced costs: they discard options zone by zone without a solve."""
        k = self._model.n_objectives
        for i in range(k):
            relaxed = self._relaxation.minimise([1.0 if i == j else 0.0 for j in range(k)])
            if relaxed.x is not None:
                self._relaxation.keep(f"objective {i}")
            self._alone.append(Priced.of(relaxed, self._low, self._high))

    def minimise(
        self,
        weights: Sequence[float],
        tops: Sequence[float],
        *,
        step: float,
        ceiling: float,
        limits: SolveLimits,
    ) -> Reduced:
        """Least ``sum weights[i] * objective_i`` with objectives at most ``tops``, if it is below ``ceiling`` by a step (inf: any).

        The result is INFEASIBLE when there is no legal point at all, or none below a finite ceiling.
        """
        last = ceiling - max(step, 0.0) * (1 - 1e-6)
        low, high = self._discard_alone(weights, tops, last)
        if bool((low > high).any()):
            return Reduced(_none(min(ceiling, math.inf)), 0, int(self._whole.sum()))
        main = f"objective {int(np.argmax(weights))}"
        relaxed = self._relaxation.minimise(weights, tops, lower=low, upper=high, start=main)
        if relaxed.bound > last or relaxed.bound == math.inf:
            return Reduced(_none(min(relaxed.bound, ceiling)), 0, int(self._whole.sum()))
        task = _Task(list(weights), list(tops), step, limits)
        if relaxed.bound == -math.inf:
            return self._last_resort(task, low, high, ceiling, 0)
        return self._search(task, Priced.of(relaxed, low, high), low, high, last, ceiling)

    def _search(self, task: _Task, priced: Priced, low: Floats, high: Floats, last: float, ceiling: float) -> Reduced:
        """Solve under rising ceilings until one is confirmed by an optimum at or below it."""
        calls = 0
        for guess in self._guesses(priced, high > low, last):
            lower, upper = priced.within(guess, low, high, self._whole)
            kept = int(((upper > lower) & self._whole).sum())
            dropped = int(self._whole.sum()) - kept
            found = self._solve_rest(lower, upper, task)
            calls += 1
            if found.stop is not StopReason.FINISHED:
                return Reduced(dataclasses.replace(found, bound=priced.bound), calls, dropped)
            if found.objective is not None and found.objective <= guess + 1e-9 * abs(guess):
                return Reduced(found, calls, dropped)
            if guess == last:
                return Reduced(_none(ceiling), calls, dropped)
            if found.objective is not None:
                lower, upper = priced.within(found.objective, low, high, self._whole)
                kept = int(((upper > lower) & self._whole).sum())
                again = self._solve_rest(lower, upper, task)
                return Reduced(again, calls + 1, int(self._whole.sum()) - kept)
        return self._last_resort(task, low, high, ceiling, calls)

    def _last_resort(self, task: _Task, low: Floats, high: Floats, ceiling: float, calls: int) -> Reduced:
        """Solve all that was not discarded objective by objective, or the full program when that is nearly all of it."""
        kept = int(((high > low) & self._whole).sum())
        if kept > LARGEST_REST * self._whole.sum():
            return Reduced(None, calls, 0)
        found = self._solve_rest(low, high, task)
        if found.proof is Proof.INFEASIBLE:
            found = _none(ceiling)
        return Reduced(found, calls + 1, int(self._whole.sum()) - kept)

    def _guesses(self, priced: Priced, free: NDArray[np.bool_], last: float) -> list[float]:
        """Rising ceilings: enough for a few survivors, then for eight times as many, and so on up to the known one."""
        prices = np.sort(priced.either[free & self._whole])
        total = int(self._whole.sum())
        guesses = []
        size = FIRST_GUESS
        while size < min(prices.size, LARGEST_REST * total):
            guess = priced.bound + float(prices[size]) * (1 - 1e-9)
            if guess >= last:
                break
            if guess > priced.bound:
                guesses.append(guess)
            size *= 8
        if math.isfinite(last) or prices.size <= LARGEST_REST * total:
            guesses.append(last)
        return guesses

    def _discard_alone(self, weights: Sequence[float], tops: Sequence[float], last: float) -> tuple[Floats, Floats]:
        """Fix what no single objective's bound allows, and what their weighted bounds put above the ceiling."""
        low, high = self._low, self._high
        for priced, top in zip(self._alone, tops, strict=True):
            low, high = priced.within(top, low, high, self._whole)
        if math.isfinite(last) and all(w >= 0 for w in weights):
            total = Priced.weighted(weights, self._alone)
            low, high = total.within(last, low, high, self._whole)
        return low, high

    def _solve_rest(self, lower: Floats, upper: Floats, task: _Task) -> SolveResult:
        if bool((upper < lower).any()):
            return _none(math.inf)
        kept = np.flatnonzero(upper > lower)
        base = np.where(upper > lower, 0.0, lower)
        small, shift, empty = self._restricted(kept, base, lower, upper)
        if empty:
            return _none(math.inf)
        found = self._make(small).solve(
            weights=task.weights,
            objective_upper=[t - s for t, s in zip(task.tops, shift, strict=True)],
            step=task.step,
            limits=task.limits,
        )
        constant = math.fsum(w * s for w, s in zip(task.weights, shift, strict=True))
        x = None
        if found.x is not None:
            x = base.copy()
            x[kept] = found.x
        value = None if found.objective is None else found.objective + constant
        return dataclasses.replace(found, x=x, objective=value, bound=found.bound + constant)

    def _restricted(
        self, kept: NDArray[np.intp], base: Floats, lower: Floats, upper: Floats
    ) -> tuple[CompiledModel, list[float], bool]:
        """The program on ``kept`` columns, others at ``base``; objective shifts; whether a row without columns is violated."""
        model = self._model
        part = self._stacked[:, kept]
        used = np.flatnonzero(base)
        moved = self._stacked[:, used] @ base[used] if used.size else np.zeros(self._stacked.shape[0])
        rows = model.n_rows
        row_lower, row_upper = model.row_lower - moved[:rows], model.row_upper - moved[:rows]
        touched = np.zeros(self._stacked.shape[0], dtype=bool)
        touched[part.indices] = True
        alive = np.flatnonzero(touched[:rows])
        dead = ~touched[:rows]
        slack = 1e-6 * (1.0 + np.abs(moved[:rows]))
        empty = bool(((row_lower > slack) | (row_upper < -slack))[dead].any())
        body = sparse.csr_array(part)
        small = CompiledModel(
            name=model.name,
            matrix=sparse.csc_array(body[alive]),
            row_lower=row_lower[alive],
            row_upper=row_upper[alive],
            lower=lower[kept],
            upper=upper[kept],
            integer=model.integer[kept],
            objectives=model.objectives[:, kept],
            offsets=model.offsets,
            senses=model.senses,
            objective_names=model.objective_names,
            steps=model.steps,
        )
        return small, moved[rows:].tolist(), empty


def _none(bound: float) -> SolveResult:
    return SolveResult(StopReason.FINISHED, Proof.INFEASIBLE, None, None, bound, 0.0, 0)
