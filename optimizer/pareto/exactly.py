"""Integer programs whose answers rest on exact arithmetic, though a floating-point solver finds them.

HiGHS prunes by tolerances: a column at 1e-6 counts as zero, and beside costs in the millions that hides whole steps. So whatever it
calls optimal (value V) or infeasible on an all-integer program is pressed: is there a legal point at V - step or below? A relaxation bounds
every column (valid whatever the solver's tolerances), columns that would exceed V - step are fixed, and CP-SAT, which computes in integers, looks
through the small rest under that cutoff. Nothing found: the claim is proven. Something found: it is the true optimum, because everything
outside the rest costs more. Where the rest stays large, or columns are continuous, the claim stands on the solver's tolerances, and says so.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from scipy import sparse

from optimizer.backends import create
from optimizer.backends.features import choose, recommended, unaided
from optimizer.backends.protocol import Backend, Proof, SolveLimits, SolveResult, SolverOptions, StopReason
from optimizer.compiled_model import CompiledModel, Floats
from optimizer.pareto.pricing import Kinds, Priced
from optimizer.pareto.relaxation import Relaxation
from optimizer.pareto.restriction import Restrictor
from optimizer.pareto.scenarios import exactly_one_groups

SMALL_REST = 400
"""Columns up to which a rest of integers goes to CP-SAT whatever its rows look like: the cutoff makes it quick there."""
REST_EFFORT = 10.0
"""Deterministic work of CP-SAT on such a rest, about as many seconds; what it leaves undecided goes to HiGHS, its claim pressed."""
GAP_EFFORT, GAP_NODES = 0.5, 500
"""The same, and nodes of HiGHS for the least value, where an answer within a gap of it will do."""
EFFORT_NODES = 1_000
"""Nodes of HiGHS, which counts no work, taken for a unit of it."""
LARGEST_PRESSED = 20_000
"""Free columns up to which CP-SAT looks through what the bounds leave."""
EFFORT = 2.0
"""Deterministic work of one pressing, about as many seconds; what it leaves undecided rests on the first solver's tolerances."""


class Solver(Protocol):
    """What the engine asks of whoever solves its scalarised programs."""

    def solve(
        self, *, weights: Sequence[float], objective_upper: Sequence[float], step: float, limits: SolveLimits
    ) -> SolveResult:
        """See ``Backend.solve``."""
        ...

    def solve_any_of(self, boxes: Floats, *, weights: Sequence[float], step: float, limits: SolveLimits) -> SolveResult:
        """See ``Backend.solve_any_of``."""
        ...


def solver_for(model: CompiledModel, backend: str, options: SolverOptions | None) -> Solver:
    """The named solver, or with ``auto`` what suits ``model``, its claims pressed where they rest on floating point.

    ``options`` None: what is recommended for the model.
    """
    name = choose(model) if backend == "auto" else backend
    if options is None:
        options = recommended(model, name) if backend == "auto" else unaided(model, name)
    made = create(name, model, options)
    if backend != "auto" or name == "cpsat" or not pressable(model):
        return made
    return Pressed(model, made)


def pressable(model: CompiledModel) -> bool:
    """Whether CP-SAT could prove claims about ``model``: all columns integer, all data exact multiples within 60 bits."""
    from optimizer.backends.cpsat import CpSat

    return bool(model.integer.all()) and CpSat.unavailable() is None and CpSat.refusal(model) is None


def under(model: CompiledModel, weights: Sequence[float], most: float) -> CompiledModel:
    """``model`` with one more row: the weighted sum of its objectives, offsets left out, is at most ``most``."""
    if math.isinf(most):
        return model
    cost = np.asarray(weights, dtype=np.float64) @ model.objectives
    return dataclasses.replace(
        model,
        matrix=sparse.csc_array(sparse.vstack([model.matrix, sparse.csc_array(cost.reshape(1, -1))])),
        row_lower=np.append(model.row_lower, -math.inf),
        row_upper=np.append(model.row_upper, most),
        row_keys=(),
    )


def solve_rest(
    model: CompiledModel,
    *,
    backend: str,
    options: SolverOptions | None,
    weights: Sequence[float],
    objective_upper: Sequence[float],
    step: float,
    limits: SolveLimits,
    most: float,
) -> SolveResult:
    """Minimise over what reduced-cost fixing left, of which only answers of at most ``most`` (offsets left out) are of interest.

    With ``auto`` small integer rests go to exact arithmetic at once, under that cutoff, with a counted amount of work.
    """
    solver: Solver
    if backend == "auto" and model.n_columns <= SMALL_REST and model.n_columns > 0 and pressable(model):
        exact = create("cpsat", under(model, weights, most), recommended(model, "cpsat"))
        most_effort = GAP_EFFORT if limits.gap > 0.0 else REST_EFFORT
        effort = most_effort if limits.effort is None else min(most_effort, limits.effort)
        within = dataclasses.replace(limits, effort=effort)
        found = exact.solve(weights=weights, objective_upper=objective_upper, step=step, limits=within)
        left = None if limits.seconds is None else limits.seconds - found.seconds
        undecided = found.stop is StopReason.TIME_LIMIT and limits.effort is None and (left is None or left > 0.0)
        if not undecided:
            return found
        limits = dataclasses.replace(limits, seconds=left)
        solver = Pressed(model, create("highs", model, recommended(model, "highs")))
    else:
        solver = solver_for(model, backend, options)
    if isinstance(solver, Pressed):
        return solver.solve(weights=weights, objective_upper=objective_upper, step=step, limits=limits, most=most)
    return solver.solve(weights=weights, objective_upper=objective_upper, step=step, limits=limits)


class Pressed:
    """A floating-point solver and the check of its claims; the relaxation is hot."""

    def __init__(self, model: CompiledModel, first: Backend) -> None:
        self._model, self._first = model, first
        self._kinds = Kinds.of(model, exactly_one_groups(model))
        self._restrictor = Restrictor(model)
        self._relaxation: Relaxation | None = None

    def solve(
        self,
        *,
        weights: Sequence[float],
        objective_upper: Sequence[float],
        step: float,
        limits: SolveLimits,
        most: float = math.inf,
    ) -> SolveResult:
        """See ``Backend.solve``; ``exact`` tells whether the claim was confirmed, down to ``limits.slack`` below the answer, or below
        ``most`` (offsets left out) where only that is of interest; ``bound`` then says how far.
        """
        started = time.perf_counter()
        found = self._answered(weights, objective_upper, step, limits)
        if found.proof not in (Proof.OPTIMAL, Proof.INFEASIBLE) or step <= 0.0:
            return found
        if found.objective is None:
            ceiling = math.fsum(
                w * (t if math.isfinite(t) else m)
                for w, t, m in zip(weights, objective_upper, self._most(), strict=True)
            )
        else:
            offset = math.fsum(w * o for w, o in zip(weights, self._model.offsets.tolist(), strict=True))
            ceiling = min(found.objective - step, most + offset) - max(0.0, limits.slack - step)
            if ceiling < found.objective - step:
                found = dataclasses.replace(found, bound=ceiling + step)
        used = time.perf_counter() - started
        left = None if limits.seconds is None else max(0.0, limits.seconds - used)
        return self._press(found, weights, objective_upper, ceiling, step, left)

    def _answered(
        self, weights: Sequence[float], tops: Sequence[float], step: float, limits: SolveLimits
    ) -> SolveResult:
        """The first solver's answer: the least value or, where a counted search does not settle which that is, one within ``limits.gap`` of it."""
        if limits.effort is not None and limits.nodes is None:
            limits = dataclasses.replace(limits, nodes=math.ceil(limits.effort * EFFORT_NODES))
        if limits.gap <= step or step <= 0.0 or limits.nodes is not None:
            return self._first.solve(weights=weights, objective_upper=tops, step=step, limits=limits)
        tried = dataclasses.replace(limits, nodes=GAP_NODES)
        found = self._first.solve(weights=weights, objective_upper=tops, step=step, limits=tried)
        if found.stop is not StopReason.NODE_LIMIT:
            return found
        if found.objective is None or found.objective - found.bound > limits.gap:
            left = None if limits.seconds is None else max(0.0, limits.seconds - found.seconds)
            again = dataclasses.replace(limits, seconds=left)
            found = self._first.solve(weights=weights, objective_upper=tops, step=limits.gap, limits=again)
        if found.objective is None or found.stop not in (StopReason.FINISHED, StopReason.NODE_LIMIT):
            return found
        loose = found.objective - found.bound >= step
        return dataclasses.replace(found, stop=StopReason.FINISHED, proof=Proof.OPTIMAL, loose=loose)

    def solve_any_of(self, boxes: Floats, *, weights: Sequence[float], step: float, limits: SolveLimits) -> SolveResult:
        """See ``Backend.solve_any_of``. An answer is confirmed box by box."""
        limits = limits if limits.until is not None else limits.begun()
        found = self._first.solve_any_of(boxes, weights=weights, step=step, limits=limits)
        if found.proof not in (Proof.OPTIMAL, Proof.INFEASIBLE) or step <= 0.0:
            return found
        found = dataclasses.replace(found, exact=True)
        for box in boxes:
            most = math.fsum(w * t for w, t in zip(weights, box.tolist(), strict=True))
            ceiling = most if found.objective is None else min(most, found.objective - step)
            pressed = self._press(found, weights, box.tolist(), ceiling, step, limits.left().seconds)
            found = dataclasses.replace(pressed, exact=found.exact and pressed.exact)
        return found

    def _most(self) -> list[float]:
        """The largest value each objective can take within the bounds of the columns."""
        model, found = self._model, []
        for row, offset in zip(model.objectives, model.offsets.tolist(), strict=True):
            # a zero coefficient times an endless bound is nothing
            used = np.flatnonzero(row)
            ends = np.maximum(row[used] * model.upper[used], row[used] * model.lower[used])
            found.append(float(ends.sum()) + offset)
        return found

    def _press(
        self,
        found: SolveResult,
        weights: Sequence[float],
        tops: Sequence[float],
        ceiling: float,
        step: float,
        seconds: float | None,
    ) -> SolveResult:
        """``found`` confirmed, corrected, or left as it is: is there a legal point of at most ``ceiling`` below ``tops``?"""
        model = self._model
        if self._relaxation is None:
            self._relaxation = Relaxation(model, groups=[g.tolist() for g in self._kinds.groups])
        offset = math.fsum(w * o for w, o in zip(weights, model.offsets.tolist(), strict=True))
        room = [t - o for t, o in zip(tops, model.offsets.tolist(), strict=True)]
        relaxed = self._relaxation.minimise(weights, room)
        cutoff = ceiling - offset + 1e-6 * step
        if relaxed.bound > cutoff:
            return dataclasses.replace(found, exact=True)
        low, high = Priced.of(relaxed, model.lower, model.upper).within(cutoff, self._kinds, model.lower, model.upper)
        if bool((low > high).any()):
            return dataclasses.replace(found, exact=True)
        free = int((high > low).sum())
        if free > LARGEST_PRESSED or (seconds is not None and seconds <= 0.0):
            return found
        return self._look_through(found, low, high, weights, tops, cutoff, seconds)

    def _look_through(
        self,
        found: SolveResult,
        low: Floats,
        high: Floats,
        weights: Sequence[float],
        tops: Sequence[float],
        cutoff: float,
        seconds: float | None,
    ) -> SolveResult:
        """Solve what is left under the cutoff in exact arithmetic."""
        rest = self._restrictor.rest(low, high)
        if rest.broken:
            return dataclasses.replace(found, exact=True)
        shifted = math.fsum(w * s for w, s in zip(weights, rest.shift, strict=True))
        model = under(rest.model, weights, cutoff - shifted)
        if not pressable(model):
            return found
        better = create("cpsat", model, recommended(model, "cpsat")).solve(
            weights=weights,
            objective_upper=[t - s for t, s in zip(tops, rest.shift, strict=True)],
            limits=SolveLimits(seconds=seconds, effort=EFFORT),
        )
        if better.proof is Proof.INFEASIBLE:
            return dataclasses.replace(found, exact=True)
        if better.x is None or better.proof is not Proof.OPTIMAL:
            return found
        value = float(better.objective or 0.0) + shifted
        return SolveResult(
            StopReason.FINISHED, Proof.OPTIMAL, rest.whole(better.x), value, value, found.seconds, found.nodes,
            "corrected in exact arithmetic", exact=True,
        )  # fmt: skip


__all__ = ["Pressed", "Solver", "pressable", "solver_for"]
