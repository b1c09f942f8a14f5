"""HiGHS in this process: one hot instance whose bounds and costs are edited between solves."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import sparse

from optimizer.backends.protocol import (
    DEFAULT_LIMITS,
    DEFAULT_OPTIONS,
    Proof,
    SolveLimits,
    SolveResult,
    SolverOptions,
    StopReason,
)
from optimizer.backends.question import Question, solve_union
from optimizer.backends.watchdog import watched
from optimizer.compiled_model import CompiledModel, Floats

SMALL = 200
"""Columns up to which HiGHS is trusted to keep its time limit."""


def program_lp(model: CompiledModel, *, relaxed: bool = False) -> Any:
    """``model`` as a HighsLp: its rows, then one free row per objective (offsets left out); no cost."""
    import highspy

    matrix = sparse.csc_array(sparse.vstack([model.matrix, sparse.csc_array(model.objectives)], format="csc"))
    matrix.sum_duplicates()
    lp = highspy.HighsLp()
    lp.num_col_ = model.n_columns
    lp.num_row_ = model.n_rows + model.n_objectives
    free = np.full(model.n_objectives, math.inf)
    lp.col_cost_ = np.zeros(model.n_columns)
    lp.col_lower_ = np.asarray(model.lower, dtype=np.float64)
    lp.col_upper_ = np.asarray(model.upper, dtype=np.float64)
    lp.row_lower_ = np.concatenate([model.row_lower, -free])
    lp.row_upper_ = np.concatenate([model.row_upper, free])
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.num_col_ = lp.num_col_
    lp.a_matrix_.num_row_ = lp.num_row_
    lp.a_matrix_.start_ = matrix.indptr.astype(np.int32)
    lp.a_matrix_.index_ = matrix.indices.astype(np.int32)
    lp.a_matrix_.value_ = matrix.data.astype(np.float64)
    if not relaxed:
        kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        lp.integrality_ = [kinds[int(flag)] for flag in model.integer]
    return lp


class HighsHere:
    """HiGHS in this process. Every solve of an integer program starts from scratch, so answers do not depend on history."""

    def __init__(self, model: CompiledModel, options: SolverOptions = DEFAULT_OPTIONS) -> None:
        import highspy

        self._model = model
        self._options = options
        self._mixed = bool(model.integer.any()) and not bool(model.integer.all())
        self._columns = np.arange(model.n_columns, dtype=np.int32)
        solver = highspy.Highs()
        for key, value in _settings(options).items():
            solver.setOptionValue(key, value)
        if self._mixed:
            solver.setOptionValue(
                "presolve", "off"
            )  # that of release 1.14 cuts off optima where columns are continuous
        solver.passModel(program_lp(model))
        self._solver = solver
        self._hs = highspy
        self._edited_columns = False
        self._edited_rows = False

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
        """See the protocol."""
        model = self._model
        asked = Question.of(model, weights, cost, objective_upper, lower, upper, row_lower, row_upper)
        self._solver.changeColsCost(model.n_columns, self._columns, asked.cost)
        self._bound_columns(asked)
        self._bound_rows(asked)
        for i, top in enumerate(asked.tops.tolist()):
            self._solver.changeRowBounds(model.n_rows + i, -math.inf, top)
        return self._run(asked.cost, asked.offset, step, limits)

    def solve_any_of(
        self,
        boxes: Floats,
        *,
        weights: Sequence[float],
        step: float = 0.0,
        limits: SolveLimits = DEFAULT_LIMITS,
    ) -> SolveResult:
        """See the protocol."""

        def fresh(program: CompiledModel, **asked: Any) -> SolveResult:
            return HighsHere(program, self._options).solve(**asked)

        return solve_union(fresh, self._model, boxes, weights, step, limits)

    def _bound_columns(self, asked: Question) -> None:
        if asked.columns_edited or self._edited_columns:
            self._solver.changeColsBounds(self._model.n_columns, self._columns, asked.lower, asked.upper)
        self._edited_columns = asked.columns_edited

    def _bound_rows(self, asked: Question) -> None:
        if asked.rows_edited or self._edited_rows:
            for row, (low, high) in enumerate(zip(asked.row_lower.tolist(), asked.row_upper.tolist(), strict=True)):
                self._solver.changeRowBounds(row, low, high)
        self._edited_rows = asked.rows_edited

    def _run(self, cost: Floats, offset: float, step: float, limits: SolveLimits) -> SolveResult:
        solver, options = self._solver, self._options
        gap = options.gap_share * step if step > 0 else options.default_absolute_gap
        solver.setOptionValue("mip_abs_gap", gap)
        solver.setOptionValue("mip_max_nodes", 2**31 - 1 if limits.nodes is None else int(limits.nodes))
        solver.clearSolver()
        begun = float(solver.getRunTime())
        solver.setOptionValue("time_limit", math.inf if limits.seconds is None else begun + limits.seconds)
        # interrupting from outside costs a thread per solve, and small programs heed their own limit
        guarded = limits.seconds is not None and self._model.n_columns > SMALL
        solver.HandleUserInterrupt = guarded
        start = time.perf_counter()
        with watched(limits if guarded else DEFAULT_LIMITS, solver.cancelSolve) as fired:
            solver.run()
        seconds = time.perf_counter() - start
        return self._read(cost, offset, seconds, limits, interrupted=fired.is_set())

    def _read(
        self, cost: Floats, offset: float, seconds: float, limits: SolveLimits, *, interrupted: bool
    ) -> SolveResult:
        solver, hs = self._solver, self._hs
        status = solver.getModelStatus()
        info = solver.getInfo()
        stop, proof = _meaning(hs, status)
        if interrupted and stop is StopReason.INTERRUPTED:
            stop = StopReason.TIME_LIMIT
        if status == hs.HighsModelStatus.kUnboundedOrInfeasible:
            proof = self._settle_infeasible_or_unbounded(limits)
            stop = StopReason.FINISHED if proof is not Proof.NONE else StopReason.ERROR
        x = objective = None
        feasible = info.primal_solution_status == 2
        if feasible and proof not in (Proof.INFEASIBLE, Proof.UNBOUNDED):
            x = self._rounded(np.array(solver.getSolution().col_value, dtype=np.float64))
            objective = float(cost @ x) + offset
        bound = -math.inf
        if self._model.integer.any() and math.isfinite(info.mip_dual_bound):
            bound = float(info.mip_dual_bound) + offset
        elif proof is Proof.OPTIMAL and objective is not None:
            bound = objective
        if proof is Proof.OPTIMAL and x is None:
            stop, proof = StopReason.ERROR, Proof.NONE
        if proof is Proof.INFEASIBLE:
            bound = math.inf
        elif proof is Proof.NONE and math.isfinite(bound):
            proof = Proof.BOUND
        nodes = int(info.mip_node_count) if info.mip_node_count >= 0 else None
        return SolveResult(stop, proof, x, objective, bound, seconds, nodes, solver.modelStatusToString(status))

    def _settle_infeasible_or_unbounded(self, limits: SolveLimits) -> Proof:
        """Without a cost the program cannot be unbounded, so a second run tells the two apart."""
        solver, hs = self._solver, self._hs
        zeros = np.zeros(self._model.n_columns)
        solver.changeColsCost(self._model.n_columns, self._columns, zeros)
        solver.clearSolver()
        if limits.seconds is not None:
            solver.setOptionValue("time_limit", float(solver.getRunTime()) + limits.seconds)
        solver.run()
        status = solver.getModelStatus()
        if status in (hs.HighsModelStatus.kInfeasible, hs.HighsModelStatus.kUnboundedOrInfeasible):
            return Proof.INFEASIBLE
        return Proof.UNBOUNDED if status == hs.HighsModelStatus.kOptimal else Proof.NONE

    def _rounded(self, x: Floats) -> Floats:
        """``x`` with integer columns rounded and, in mixed programs, the continuous ones solved again around them."""
        integer = self._model.integer
        whole = np.where(integer, np.round(x), np.clip(x, self._model.lower, self._model.upper))
        if not self._mixed or float(np.abs(whole - x)[integer].max(initial=0.0)) <= 1e-9:
            return np.asarray(whole, dtype=np.float64)
        again = self._continuous_part(whole)
        return np.asarray(whole if again is None else again, dtype=np.float64)

    def _continuous_part(self, whole: Floats) -> Floats | None:
        lp = self._solver.getLp()
        low = np.where(self._model.integer, whole, np.array(lp.col_lower_))
        high = np.where(self._model.integer, whole, np.array(lp.col_upper_))
        solver = self._hs.Highs()
        for key, value in _settings(self._options).items():
            solver.setOptionValue(key, value)
        lp.integrality_ = []
        lp.col_lower_, lp.col_upper_ = low, high
        solver.passModel(lp)
        solver.run()
        if solver.getModelStatus() != self._hs.HighsModelStatus.kOptimal:
            return None
        x = np.array(solver.getSolution().col_value, dtype=np.float64)
        return np.where(self._model.integer, whole, x)


def _settings(options: SolverOptions) -> dict[str, Any]:
    return {
        "output_flag": False,
        "threads": options.threads,
        "random_seed": options.seed,
        "mip_rel_gap": options.relative_gap,
        "mip_feasibility_tolerance": options.integrality_tolerance,
        "primal_feasibility_tolerance": options.feasibility_tolerance,
        "mip_heuristic_effort": options.heuristic_effort,
        "mip_allow_restart": options.restarts,
        "presolve": "choose" if options.presolve else "off",
    }


def _meaning(hs: Any, status: Any) -> tuple[StopReason, Proof]:
    kinds = hs.HighsModelStatus
    return {
        kinds.kOptimal: (StopReason.FINISHED, Proof.OPTIMAL),
        kinds.kInfeasible: (StopReason.FINISHED, Proof.INFEASIBLE),
        kinds.kUnbounded: (StopReason.FINISHED, Proof.UNBOUNDED),
        kinds.kTimeLimit: (StopReason.TIME_LIMIT, Proof.NONE),
        kinds.kIterationLimit: (StopReason.NODE_LIMIT, Proof.NONE),
        kinds.kSolutionLimit: (StopReason.NODE_LIMIT, Proof.NONE),
        kinds.kInterrupt: (StopReason.INTERRUPTED, Proof.NONE),
        kinds.kModelEmpty: (StopReason.FINISHED, Proof.OPTIMAL),
    }.get(status, (StopReason.ERROR, Proof.NONE))
