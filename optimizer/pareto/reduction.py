"""Reduced-cost fixing: one relaxation bounds every option at once, the hopeless ones are discarded with proof, the rest solved exactly.

Any legal x costs at least L + sum_j d_j (moves of column j), with L a bound of the relaxation and d its reduced costs. So under a ceiling T a
column with L + d_j > T is fixed. Three sources of bounds, cheapest first: each objective alone (computed once per scenario: an option that by
itself exceeds a zone's bound is out), their weighted sum, and the relaxation of the zone. T is first guessed so that few
columns survive: if the exact optimum V of the rest satisfies V <= T no discarded option can beat it; otherwise V is the new ceiling.
"""

from __future__ import annotations

import dataclasses
import heapq
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from optimizer.backends.protocol import SolveLimits, SolveResult
from optimizer.compiled_model import CompiledModel
from optimizer.pareto.cases import Asked, Case, Piece, SolveRest, State, nothing
from optimizer.pareto.scenarios import scenarios

SMALLEST_MODEL = 150
"""Below this many integer columns a relaxation costs as much as it saves."""


@dataclass(frozen=True, eq=False, slots=True)
class Reduced:
    """Answer of the reduced solve: ``result`` over all columns, and what it took. ``result`` None: solve the full program."""

    result: SolveResult | None
    calls: int
    discarded: int


class Reducer:
    """Solves scalarised zones of one scaled model, scenario by scenario. Answers depend on the question alone."""

    def __init__(self, model: CompiledModel, answer: SolveRest) -> None:
        self._model, self._answer = model, answer
        self._size = int((model.integer & np.isfinite(model.lower) & np.isfinite(model.upper)).sum())
        self._cases: list[Case] = []
        self._in_parts = 0
        self.worthwhile = self._size >= SMALLEST_MODEL

    @property
    def relaxations(self) -> int:
        """Linear programs solved for questions; those that a program takes when it is first made belong to none."""
        return sum(case.relaxation.solves for case in self._cases) + self._in_parts

    def prepare(self) -> None:
        """Build the scenarios and their prices."""
        made = (Case(each.model, self._answer, each.rest.whole, each.rest.shift) for each in scenarios(self._model))
        self._cases = [case for case in made if case.possible]

    def minimise(
        self, weights: Sequence[float], tops: Sequence[float], *, step: float, ceiling: float, limits: SolveLimits
    ) -> Reduced:
        """Least ``sum weights[i] * objective_i`` with objectives at most ``tops``, if it is below ``ceiling`` by a step (inf: any).

        The result is INFEASIBLE when there is no legal point at all, or none below a finite ceiling. Weights must not be negative.
        """
        asked = Asked(weights, tops, step, limits)
        state = State(ceiling, many=len(self._cases) > 1)
        waiting: list[tuple[float, int, Piece]] = []
        numbers = itertools.count()
        found = [case.piece(asked, ceiling) for case in self._cases]
        while not state.over:
            for piece in found:
                if piece.bound < math.inf:
                    heapq.heappush(waiting, (piece.bound, next(numbers), piece))
            if not waiting:
                break
            _, _, piece = heapq.heappop(waiting)
            case, task = piece.case, piece.task
            if piece.bound - task.constant > task.below(state.ceiling):
                break
            if case.part and not piece.bounded:
                self._in_parts += 1
                found = [piece.by_relaxation()]
            else:
                found = case.improve(piece, state)
        if state.failed:
            return Reduced(None, state.calls, 0)
        answer = state.stopped or state.best or nothing(state.ceiling, exact=True)
        bound = min(answer.bound, state.floor)
        answer = dataclasses.replace(answer, exact=state.exact, bound=bound, loose=bool(state.loose))
        return Reduced(answer, state.calls, max(0, self._size - state.kept))
