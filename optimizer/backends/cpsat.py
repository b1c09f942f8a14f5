"""CP-SAT: integer programs on exactly scaled integer data; refuses what cannot be scaled."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import importlib.util
import math
import time
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from optimizer.backends.implied import finite_bounds
from optimizer.backends.integers import LARGEST, scaled_to_integers
from optimizer.backends.protocol import (
    DEFAULT_LIMITS,
    DEFAULT_OPTIONS,
    Proof,
    SolveLimits,
    SolveResult,
    SolverOptions,
    StopReason,
)
from optimizer.backends.question import Question, priced
from optimizer.backends.watchdog import watched
from optimizer.compiled_model import CompiledModel, Floats

_WIDEST = 2**60
_COST_DIGITS = 1e9


class CpSat:
    """CP-SAT behind the protocol. Objectives are variables of the program, so that a zone is an edit of their domains."""

    name: ClassVar[str] = "cpsat"

    @classmethod
    def unavailable(cls) -> str | None:
        """Why CP-SAT cannot run here, or None."""
        return None if importlib.util.find_spec("ortools") else "the package ortools is not installed"

    @classmethod
    def version(cls) -> str:
        """Version of ortools."""
        return importlib.metadata.version("ortools")

    @classmethod
    def refusal(cls, model: CompiledModel) -> str | None:
        """Names the first thing that is not integer or does not fit into 64 bits."""
        if not model.integer.all():
            return f"column {_key(model.column_keys, int(np.flatnonzero(~model.integer)[0]))} is continuous"
        low, high = finite_bounds(model)
        endless = ~(np.isfinite(low) & np.isfinite(high))
        if endless.any():
            return f"column {_key(model.column_keys, int(np.flatnonzero(endless)[0]))} has no finite bounds, nor do the rows imply any"
        reach = np.maximum(np.abs(low), np.abs(high))
        for row in _doubtful_rows(model, reach):
            if _scaled(*row[1:]) is None:
                return f"row {_key(model.row_keys, row[0])} has no exact multiple in integers of 60 bits"
        for i, row in enumerate(model.objectives):
            if _scaled(row, reach) is None:
                return f"objective {model.objective_names[i]} has no exact multiple in integers of 60 bits"
        return None

    def __init__(self, model: CompiledModel, options: SolverOptions = DEFAULT_OPTIONS) -> None:
        from ortools.sat.python import cp_model

        self._cp = cp_model
        self._model = model
        self._options = options
        low, high = finite_bounds(model)
        self._low = np.ceil(low - 1e-9).astype(np.int64)
        self._high = np.floor(high + 1e-9).astype(np.int64)
        self._program = cp_model.CpModel()
        self._columns = [
            self._program.new_int_var(int(a), int(b), "") for a, b in zip(self._low, self._high, strict=True)
        ]
        self._rows: list[tuple[NDArray[np.int64], NDArray[np.int32], int, int]] = []
        self._add_rows()
        self._add_objectives()
        self._edited_columns = self._edited_rows = False

    def _add_rows(self) -> None:
        matrix = sparse.csr_array(self._model.matrix)
        for row in range(self._model.n_rows):
            part = slice(matrix.indptr[row], matrix.indptr[row + 1])
            scaled = scaled_to_integers(matrix.data[part])
            assert scaled is not None
            values, factor = scaled
            index = -1
            if values.size:
                terms = [self._columns[j] for j in matrix.indices[part]]
                expression = self._cp.LinearExpr.weighted_sum(terms, values.tolist())
                domain = _domain(self._cp, self._model.row_lower[row] * factor, self._model.row_upper[row] * factor)
                index = self._program.add_linear_expression_in_domain(expression, domain).index
            self._rows.append((values, matrix.indices[part], factor, index))

    def _add_objectives(self) -> None:
        """One variable per objective, tied to the columns; ``_factor`` (k) scales an objective without its offset to whole numbers."""
        model = self._model
        self._factor: list[int] = []
        self._values: list[Any] = []
        self._reach: list[tuple[int, int]] = []
        for row in model.objectives:
            scaled = scaled_to_integers(row)
            assert scaled is not None
            values, factor = scaled
            least = int(np.where(values > 0, values * self._low, values * self._high).sum())
            most = int(np.where(values > 0, values * self._high, values * self._low).sum())
            used = np.flatnonzero(values)
            variable = self._program.new_int_var(least, most, "")
            if used.size:
                terms = [self._columns[j] for j in used]
                self._program.add(variable == self._cp.LinearExpr.weighted_sum(terms, values[used].tolist()))
            self._factor.append(factor)
            self._values.append(variable)
            self._reach.append((least, most))

    def solve(
        self,
        *,
        weights: Sequence[float] | None = None,
        cost: Floats | None = None,
        objective_upper: Sequence[float] | None = None,
        lower: Floats | None = None,
        upper: Floats | None = None,
        row_lower: Floats | None = None,
        row_upper: Floats | None = None,
        step: float = 0.0,
        limits: SolveLimits = DEFAULT_LIMITS,
    ) -> SolveResult:
        """See the protocol. Fractional weights and costs are scaled; a cost that cannot be is rounded to nine digits, and its bound weakened."""
        asked = Question.of(self._model, weights, cost, objective_upper, lower, upper, row_lower, row_upper)
        if self._widened(asked):
            return self._edited_copy(asked).solve(
                weights=weights, cost=cost, objective_upper=objective_upper, step=step, limits=limits
            )
        if self._empty_row_broken(asked):
            return _infeasible("a row without columns")
        for variable, (least, most), factor, top in zip(
            self._values, self._reach, self._factor, asked.tops.tolist(), strict=True
        ):
            high = most if math.isinf(top) else min(most, math.floor(top * factor + 1e-6))
            if high < least:
                return _infeasible("an objective bound below the reach of the columns")
            self._set_domain(variable.index, least, high)
        self._bound_columns(asked)
        self._bound_rows(asked)
        return self._minimise(self._program, weights, cost, limits)

    def _widened(self, asked: Question) -> bool:
        """Whether edits may allow more than the domains held here, which were taken from the model's bounds and what its rows imply."""
        low, high = np.ceil(asked.lower - 1e-9), np.floor(asked.upper + 1e-9)
        columns = asked.columns_edited and bool(((low < self._low) | (high > self._high)).any())
        implied = not (np.isfinite(self._model.lower).all() and np.isfinite(self._model.upper).all())
        return columns or (implied and asked.rows_edited)

    def _edited_copy(self, asked: Question) -> CpSat:
        edited = dataclasses.replace(
            self._model,
            lower=asked.lower,
            upper=asked.upper,
            row_lower=asked.row_lower,
            row_upper=asked.row_upper,
        )
        return CpSat(edited, self._options)

    def solve_any_of(
        self,
        boxes: Floats,
        *,
        weights: Sequence[float],
        step: float = 0.0,
        limits: SolveLimits = DEFAULT_LIMITS,
    ) -> SolveResult:
        """See the protocol. One literal per box enforces its bounds; at least one literal holds."""
        for variable, (least, most) in zip(self._values, self._reach, strict=True):
            self._set_domain(variable.index, least, most)
        self._bound_columns(Question.of(self._model))
        self._bound_rows(Question.of(self._model))
        program = self._program.clone()
        literals = []
        for box in boxes:
            literal = program.new_bool_var("")
            for variable, factor, top, offset in zip(
                self._values, self._factor, box.tolist(), self._model.offsets, strict=True
            ):
                own = program.get_int_var_from_proto_index(variable.index)
                bounded = program.add(own <= math.floor((top - float(offset)) * factor + 1e-6))
                bounded.only_enforce_if(literal)
            literals.append(literal)
        program.add_bool_or(literals)
        return self._minimise(program, weights, None, limits)

    def _minimise(
        self, program: Any, weights: Sequence[float] | None, cost: Floats | None, limits: SolveLimits
    ) -> SolveResult:
        factor, error, vector = self._set_objective(program, weights, cost)
        solver = self._cp.CpSolver()
        self._configure(solver, limits)
        start = time.perf_counter()
        with watched(limits, solver.stop_search):
            status = solver.solve(program)
        seconds = time.perf_counter() - start
        stop, proof = self._meaning(status, limits, seconds)
        offset = 0.0 if weights is None else float(np.dot(weights, self._model.offsets))
        x = objective = None
        if status in (self._cp.OPTIMAL, self._cp.FEASIBLE):
            x = np.array([solver.value(v) for v in self._columns], dtype=np.float64)
            objective = float(vector @ x) + offset
        bound = -math.inf
        if proof is Proof.INFEASIBLE:
            bound = math.inf
        elif proof is Proof.OPTIMAL and error == 0.0 and objective is not None:
            bound = objective
        elif math.isfinite(solver.best_objective_bound) and proof is not Proof.NONE:
            bound = solver.best_objective_bound / factor - error + offset
        return SolveResult(
            stop,
            proof,
            x,
            objective,
            bound,
            seconds,
            int(solver.num_branches),
            solver.status_name(status),
            exact=proof is Proof.INFEASIBLE or (proof is Proof.OPTIMAL and error == 0.0),
        )

    def _set_objective(
        self, program: Any, weights: Sequence[float] | None, cost: Floats | None
    ) -> tuple[float, float, Floats]:
        """Set the minimised sum; the factor it was scaled by, what rounding may have cost, and the cost per column."""
        vector, _ = priced(self._model, weights, cost)
        if weights is not None:
            values, handles = (
                np.asarray(weights, dtype=np.float64) / np.array(self._factor, dtype=np.float64),
                self._values,
            )
            reach = [max(abs(a), abs(b)) for a, b in self._reach]
        else:
            values, handles = vector, self._columns
            reach = np.maximum(np.abs(self._low), np.abs(self._high)).tolist()
        if not values.any():
            program.clear_objective()
            return 1.0, 0.0, vector
        scaled = _scaled(values, np.array(reach, dtype=np.float64))
        if scaled is not None:
            whole, factor, error = scaled[0], float(scaled[1]), 0.0
        else:
            factor = _COST_DIGITS / float(np.abs(values).max())
            whole = np.round(values * factor).astype(np.int64)
            error = float(np.abs(whole / factor - values) @ np.array(reach, dtype=np.float64))
        own = [program.get_int_var_from_proto_index(v.index) for v in handles]
        program.minimize(self._cp.LinearExpr.weighted_sum(own, whole.tolist()))
        return factor, error, vector

    def _configure(self, solver: Any, limits: SolveLimits) -> None:
        parameters, options = solver.parameters, self._options
        parameters.num_workers = options.threads
        # an interrupt is the caller's to handle: the solver would swallow it and return without an answer
        parameters.catch_sigint_signal = False
        parameters.random_seed = options.seed
        parameters.cp_model_presolve = options.presolve
        parameters.cp_model_probing_level = options.probing_level
        parameters.symmetry_level = options.symmetry_level
        parameters.linearization_level = options.linearization_level
        parameters.relative_gap_limit = 0.0
        parameters.absolute_gap_limit = 0.0
        if limits.seconds is not None:
            parameters.max_time_in_seconds = limits.seconds
        if limits.effort is not None:
            parameters.max_deterministic_time = limits.effort
        if limits.nodes is not None:
            parameters.max_number_of_conflicts = limits.nodes

    def _meaning(self, status: Any, limits: SolveLimits, seconds: float) -> tuple[StopReason, Proof]:
        cp = self._cp
        if status == cp.OPTIMAL:
            return StopReason.FINISHED, Proof.OPTIMAL
        if status == cp.INFEASIBLE:
            return StopReason.FINISHED, Proof.INFEASIBLE
        if status in (cp.FEASIBLE, cp.UNKNOWN):
            timed = limits.seconds is not None and seconds >= 0.9 * limits.seconds
            stop = StopReason.TIME_LIMIT if timed or limits.nodes is None else StopReason.NODE_LIMIT
            return stop, Proof.BOUND if status == cp.FEASIBLE else Proof.NONE
        return StopReason.ERROR, Proof.NONE

    def _set_domain(self, index: int, low: int, high: int) -> None:
        domain = self._program.proto.variables[index].domain
        domain[0], domain[1] = low, high

    def _bound_columns(self, asked: Question) -> None:
        if not (asked.columns_edited or self._edited_columns):
            return
        low = np.ceil(np.maximum(asked.lower, self._low) - 1e-9).astype(np.int64)
        high = np.floor(np.minimum(asked.upper, self._high) + 1e-9).astype(np.int64)
        for variable, a, b in zip(self._columns, low.tolist(), high.tolist(), strict=True):
            self._set_domain(variable.index, a, b)
        self._edited_columns = asked.columns_edited

    def _bound_rows(self, asked: Question) -> None:
        if not (asked.rows_edited or self._edited_rows):
            return
        for (_, _, factor, index), a, b in zip(self._rows, asked.row_lower, asked.row_upper, strict=True):
            if index >= 0:
                domain = _domain(self._cp, a * factor, b * factor).flattened_intervals()
                held = self._program.proto.constraints[index].linear.domain
                held[0], held[1] = domain[0], domain[1]
        self._edited_rows = asked.rows_edited

    def _empty_row_broken(self, asked: Question) -> bool:
        return any(
            index < 0 and not a <= 0 <= b
            for (_, _, _, index), a, b in zip(self._rows, asked.row_lower, asked.row_upper, strict=True)
        )


def _scaled(values: Floats, reach: Floats) -> tuple[NDArray[np.int64], int] | None:
    scaled = scaled_to_integers(np.asarray(values, dtype=np.float64))
    if scaled is None or float(np.abs(scaled[0]).astype(np.float64) @ np.asarray(reach, dtype=np.float64)) > _WIDEST:
        return None
    return scaled


def _doubtful_rows(model: CompiledModel, reach: Floats) -> Iterator[tuple[int, Floats, Floats]]:
    """Rows that are not whole numbers of a size that fits anyway: their number, values, and how far their columns reach."""
    matrix = sparse.csr_array(model.matrix)
    owner = np.repeat(np.arange(model.n_rows), np.diff(matrix.indptr))
    fractions = np.bincount(owner, matrix.data != np.round(matrix.data), minlength=model.n_rows)
    size = abs(matrix) @ reach
    for row in np.flatnonzero((fractions > 0) | (size > LARGEST)).tolist():
        part = slice(matrix.indptr[row], matrix.indptr[row + 1])
        yield row, matrix.data[part], reach[matrix.indices[part]]


def _domain(cp: Any, low: float, high: float) -> Any:
    """Whole numbers from ``low`` to ``high``; a fractional bound rounds inwards, unless by less than a millionth.

    No row reaches ``_WIDEST``, so that a bound beyond twice of it is as good there as where it was.
    """
    farthest = 2.0 * _WIDEST
    least = math.ceil(min(max(low, -farthest), farthest) - 1e-6)
    most = math.floor(max(min(high, farthest), -farthest) + 1e-6)
    return cp.Domain(least, most)


def _infeasible(why: str) -> SolveResult:
    return SolveResult(StopReason.FINISHED, Proof.INFEASIBLE, None, None, math.inf, 0.0, 0, why, exact=True)


def _key(keys: tuple[str, ...], index: int) -> str:
    return keys[index] if keys else str(index)


BACKEND = CpSat
