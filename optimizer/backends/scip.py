"""SCIP through PySCIPOpt (extra ``scip``): mixed-integer programs, edited in place between solves."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import math
import time
from collections.abc import Sequence
from typing import Any, ClassVar

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


class Scip:
    """SCIP behind the protocol; every solve transforms the program anew, so answers do not depend on history."""

    name: ClassVar[str] = "scip"

    @classmethod
    def unavailable(cls) -> str | None:
        """Why SCIP cannot run here, or None."""
        if importlib.util.find_spec("pyscipopt"):
            return None
        return "the package pyscipopt is not installed; install it with: pip install 'refarch[scip]'"

    @classmethod
    def version(cls) -> str:
        """Version of PySCIPOpt."""
        return importlib.metadata.version("pyscipopt")

    @classmethod
    def refusal(cls, model: CompiledModel) -> str | None:
        """SCIP takes every model of this form."""
        return None

    def __init__(self, model: CompiledModel, options: SolverOptions = DEFAULT_OPTIONS) -> None:
        self._model = model
        self._options = options

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
        scip, columns = self._columns(asked.lower, asked.upper)
        possible = self._rows(scip, columns, model.matrix, asked.row_lower, asked.row_upper)
        free = np.full(model.n_objectives, -math.inf)
        possible &= self._rows(scip, columns, sparse.csc_array(model.objectives), free, asked.tops)
        if not possible:
            return SolveResult(StopReason.FINISHED, Proof.INFEASIBLE, None, None, math.inf, 0.0, 0)
        return self._minimise(scip, columns, asked.cost, asked.offset, step, limits)

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
            return Scip(program, self._options).solve(**asked)

        return solve_union(fresh, self._model, boxes, weights, step, limits)

    def _columns(self, low: Floats, high: Floats) -> tuple[Any, list[Any]]:
        import pyscipopt

        scip = pyscipopt.Model()
        scip.hideOutput()
        scip.setParam("misc/catchctrlc", False)
        columns = [
            scip.addVar(
                vtype="I" if whole else "C",
                lb=None if math.isinf(a) else float(a),
                ub=None if math.isinf(b) else float(b),
            )
            for whole, a, b in zip(self._model.integer, low, high, strict=True)
        ]
        return scip, columns

    def _rows(self, scip: Any, columns: list[Any], matrix: Any, low: Floats, high: Floats) -> bool:
        """Add the rows that bind; False when a row without columns cannot hold."""
        from pyscipopt import quicksum

        rows = sparse.csr_array(matrix)
        possible = True
        for row, (a, b) in enumerate(zip(low.tolist(), high.tolist(), strict=True)):
            part = slice(rows.indptr[row], rows.indptr[row + 1])
            if math.isinf(a) and math.isinf(b):
                continue
            if part.start == part.stop:
                possible = possible and a <= 0.0 <= b
                continue
            body = quicksum(float(v) * columns[j] for j, v in zip(rows.indices[part], rows.data[part], strict=True))
            if a == b:
                scip.addCons(body == a)
                continue
            if math.isfinite(a):
                scip.addCons(body >= a)
            if math.isfinite(b):
                scip.addCons(body <= b)
        return possible

    def _minimise(
        self, scip: Any, columns: list[Any], vector: Floats, offset: float, step: float, limits: SolveLimits
    ) -> SolveResult:
        from pyscipopt import quicksum

        options = self._options
        scip.setObjective(quicksum(float(vector[j]) * columns[j] for j in np.flatnonzero(vector)), "minimize")
        scip.setParam("limits/gap", options.relative_gap)
        scip.setParam("limits/absgap", options.gap_share * step if step > 0 else 0.0)
        scip.setParam("numerics/feastol", options.feasibility_tolerance)
        scip.setParam("randomization/randomseedshift", options.seed)
        if limits.seconds is not None:
            scip.setParam("limits/time", limits.seconds)
        if limits.nodes is not None:
            scip.setParam("limits/totalnodes", limits.nodes)
        start = time.perf_counter()
        with watched(limits, scip.interruptSolve):
            scip.optimize()
        return self._read(scip, columns, vector, offset, time.perf_counter() - start)

    def _read(self, scip: Any, columns: list[Any], vector: Floats, offset: float, seconds: float) -> SolveResult:
        status = scip.getStatus()
        stop, proof = _MEANING.get(status, (StopReason.ERROR, Proof.NONE))
        x = objective = None
        bound = math.inf if proof is Proof.INFEASIBLE else -math.inf
        if scip.getNSols() > 0 and proof is not Proof.UNBOUNDED:
            best = scip.getBestSol()
            raw = np.array([scip.getSolVal(best, column) for column in columns], dtype=np.float64)
            x = np.where(self._model.integer, np.round(raw), raw)
            objective = float(vector @ x) + offset
        if proof is not Proof.INFEASIBLE and abs(scip.getDualbound()) < scip.infinity():
            bound = float(scip.getDualbound()) + offset
            proof = Proof.BOUND if proof is Proof.NONE else proof
        if proof is Proof.OPTIMAL and x is None:
            stop, proof = StopReason.ERROR, Proof.NONE
        return SolveResult(stop, proof, x, objective, bound, seconds, int(scip.getNTotalNodes()), status)


_MEANING = {
    "optimal": (StopReason.FINISHED, Proof.OPTIMAL),
    "gaplimit": (StopReason.FINISHED, Proof.OPTIMAL),
    "infeasible": (StopReason.FINISHED, Proof.INFEASIBLE),
    "unbounded": (StopReason.FINISHED, Proof.UNBOUNDED),
    "timelimit": (StopReason.TIME_LIMIT, Proof.NONE),
    "nodelimit": (StopReason.NODE_LIMIT, Proof.NONE),
    "totalnodelimit": (StopReason.NODE_LIMIT, Proof.NONE),
    "userinterrupt": (StopReason.INTERRUPTED, Proof.NONE),
}


BACKEND = Scip
