"""HiGHS: linear and mixed-integer programs; large ones under a time limit in a process that can be ended."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from collections.abc import Sequence
from typing import ClassVar

from optimizer.backends.guarded import Guarded
from optimizer.backends.highs_here import HighsHere
from optimizer.backends.protocol import DEFAULT_LIMITS, DEFAULT_OPTIONS, SolveLimits, SolveResult, SolverOptions
from optimizer.compiled_model import CompiledModel, Floats

LARGE = 2_000
"""Columns from which HiGHS is not trusted to keep a limit: presolve and clique search can take ten times as long without a look at the clock."""


class Highs:
    """HiGHS behind the protocol: large integer programs with a time limit are solved in a process that can be ended, all others here."""

    name: ClassVar[str] = "highs"

    @classmethod
    def unavailable(cls) -> str | None:
        """Why HiGHS cannot run here, or None."""
        return None if importlib.util.find_spec("highspy") else "the package highspy is not installed"

    @classmethod
    def version(cls) -> str:
        """Version of highspy."""
        return importlib.metadata.version("highspy")

    @classmethod
    def refusal(cls, model: CompiledModel) -> str | None:
        """HiGHS takes every model of this form."""
        return None

    def __init__(self, model: CompiledModel, options: SolverOptions = DEFAULT_OPTIONS) -> None:
        self._model, self._options = model, options
        self._here: HighsHere | None = None
        self._guarded: Guarded | None = None
        self._large = model.n_columns >= LARGE and bool(model.integer.any())

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
        edits = {"lower": lower, "upper": upper, "row_lower": row_lower, "row_upper": row_upper}
        if self._large and limits.seconds is not None:
            return self._outside().ask(
                "solve", limits, weights=weights, cost=cost, objective_upper=objective_upper, step=step, **edits
            )
        return self._inside().solve(
            weights=weights, cost=cost, objective_upper=objective_upper, step=step, limits=limits, **edits
        )

    def solve_any_of(
        self,
        boxes: Floats,
        *,
        weights: Sequence[float],
        step: float = 0.0,
        limits: SolveLimits = DEFAULT_LIMITS,
    ) -> SolveResult:
        """See the protocol."""
        if self._large and limits.seconds is not None:
            return self._outside().ask("solve_any_of", limits, boxes, weights=weights, step=step)
        return self._inside().solve_any_of(boxes, weights=weights, step=step, limits=limits)

    def _inside(self) -> HighsHere:
        if self._here is None:
            self._here = HighsHere(self._model, self._options)
        return self._here

    def _outside(self) -> Guarded:
        if self._guarded is None:
            self._guarded = Guarded(HighsHere, self._model, self._options)
        return self._guarded


BACKEND = Highs
