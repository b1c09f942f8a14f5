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
from optimizer.pareto.relaxation import Relaxation

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


class Reducer:
    """Solves scalarised zones of one scaled model through its relaxation. Stateless between questions apart from fixed starting bases."""

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
        self._bounds_of_one: list[tuple[float, Floats]] = []
        self.worthwhile = int(self._whole.sum()) >= SMALLEST_MODEL

    def prepare(self) -> None:
        """Keep, for each objective alone, the relaxation's bound and reduced costs: they discard options zone by zone without a solve."""
        k = self._model.n_objectives
        for i in range(k):
            relaxed = self._relaxation.minimise([1.0 if i == j else 0.0 for j in range(k)])
            self._bounds_of_one.append((relaxed.bound, relaxed.reduced))

    def minimise(
        self,
        weights: Sequence[float],
        tops: Sequence[float],
        *,
        step: float,
        ceiling: float,
        limits: SolveLimits,
    ) -> Reduced:
        """Least ``sum weights[i] * objective_i`` with objectives at most ``tops``, if it is below ``ceiling`` (inf: any).

        The result is INFEASIBLE when there is no legal point at all, or none below a finite ceiling.
        """
        relaxed = self._relaxation.minimise(weights, tops)
        last = ceiling - max(step, 0.0) * (1 - 1e-6)
        if relaxed.bound > last or relaxed.bound == math.inf:
            return Reduced(_none(min(relaxed.bound, ceiling)), 0, int(self._whole.sum()))
        if relaxed.bound == -math.inf:
            return Reduced(None, 0, 0)
        low, high = self._by_single_objectives(tops)
        calls = 0
        for guess in self._guesses(relaxed.bound, relaxed.reduced, high > low, last):
            lower, upper = self._tightened(low, high, relaxed.bound, relaxed.reduced, guess)
            kept = upper > lower
            whole = int((kept & self._whole).sum())
            if whole > LARGEST_REST * self._whole.sum():
                return Reduced(None, calls, 0)
            found = self._solve_rest(lower, upper, weights, tops, step, limits)
            calls += 1
            dropped = int(self._whole.sum()) - whole
            if found.stop is not StopReason.FINISHED:
                return Reduced(dataclasses.replace(found, bound=max(relaxed.bound, -math.inf)), calls, dropped)
            if found.objective is not None and found.objective <= guess + 1e-9 * abs(guess):
                return Reduced(found, calls, dropped)
            if guess == last:
                return Reduced(_none(ceiling), calls, dropped)
            if found.objective is not None:
                return self._confirm(
                    found, low, high, relaxed.bound, relaxed.reduced, weights, tops, step, limits, calls
                )
        return Reduced(None, calls, 0)

    def _confirm(
        self,
        found: SolveResult,
        low: Floats,
        high: Floats,
        bound: float,
        reduced: Floats,
        weights: Sequence[float],
        tops: Sequence[float],
        step: float,
        limits: SolveLimits,
        calls: int,
    ) -> Reduced:
        """The rest under a guess gave an incumbent above the guess: solve again with the incumbent as ceiling."""
        assert found.objective is not None
        lower, upper = self._tightened(low, high, bound, reduced, found.objective)
        kept = int(((upper > lower) & self._whole).sum())
        if kept > LARGEST_REST * self._whole.sum():
            return Reduced(None, calls, 0)
        again = self._solve_rest(lower, upper, weights, tops, step, limits)
        return Reduced(again, calls + 1, int(self._whole.sum()) - kept)

    def _guesses(self, bound: float, reduced: Floats, free: NDArray[np.bool_], ceiling: float) -> list[float]:
        """Rising ceilings: enough for a few survivors, then for eight times as many, then the known one."""
        prices = np.sort(np.abs(reduced[free & self._whole]))
        guesses = []
        size = FIRST_GUESS
        while size < LARGEST_REST * prices.size:
            guess = bound + float(prices[size]) * (1 - 1e-9)
            if guess >= ceiling:
                break
            if guess > bound:
                guesses.append(guess)
            size *= 8
        return [*guesses, ceiling]

    def _by_single_objectives(self, tops: Sequence[float]) -> tuple[Floats, Floats]:
        low, high = self._low, self._high
        for (bound, reduced), top in zip(self._bounds_of_one, tops, strict=True):
            if math.isfinite(bound) and math.isfinite(top):
                low, high = self._tightened(low, high, bound, reduced, top)
        return low, high

    def _tightened(
        self, low: Floats, high: Floats, bound: float, reduced: Floats, ceiling: float
    ) -> tuple[Floats, Floats]:
        if not math.isfinite(ceiling):
            return low, high
        room = max(0.0, ceiling - bound) * (1 + 1e-9) + 1e-9
        priced = self._whole & (np.abs(reduced) > 1e-12)
        units = np.full(reduced.shape, math.inf)
        units[priced] = np.floor(room / np.abs(reduced[priced]) + 1e-9)
        upper = np.where(priced & (reduced > 0), np.minimum(high, self._low + units), high)
        lower = np.where(priced & (reduced < 0), np.maximum(low, self._high - units), low)
        return lower, upper

    def _solve_rest(
        self,
        lower: Floats,
        upper: Floats,
        weights: Sequence[float],
        tops: Sequence[float],
        step: float,
        limits: SolveLimits,
    ) -> SolveResult:
        if bool((upper < lower).any()):
            return _none(math.inf)
        kept = np.flatnonzero(upper > lower)
        base = np.where(upper > lower, 0.0, lower)
        small, shift, empty = self._restricted(kept, base, lower, upper)
        if empty:
            return _none(math.inf)
        found = self._make(small).solve(
            weights=weights, objective_upper=[t - s for t, s in zip(tops, shift, strict=True)], step=step, limits=limits
        )
        constant = math.fsum(w * s for w, s in zip(weights, shift, strict=True))
        x = None
        if found.x is not None:
            x = base.copy()
            x[kept] = found.x
        return dataclasses.replace(
            found,
            x=x,
            objective=None if found.objective is None else found.objective + constant,
            bound=found.bound + constant,
        )

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
