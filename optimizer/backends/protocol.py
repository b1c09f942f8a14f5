"""What every solver behind the engine promises: one hot instance per model, explicit options, three separate answers.

A solve answers three questions that are never folded into one: why did it stop (``StopReason``), is there a point
(``SolveResult.x is not None``), and what is proven (``Proof``).
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar, Protocol

from optimizer.compiled_model import CompiledModel, Floats


class StopReason(Enum):
    """Why a solve ended."""

    FINISHED = "finished"
    TIME_LIMIT = "time_limit"
    NODE_LIMIT = "node_limit"
    INTERRUPTED = "interrupted"
    ERROR = "error"


class Proof(Enum):
    """What a solve proved; a limit that was reached never counts as infeasible."""

    OPTIMAL = "optimal"
    INFEASIBLE = "infeasible"
    UNBOUNDED = "unbounded"
    BOUND = "bound"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class SolverOptions:
    """Every option that can change an answer or its cost, with its default. All tolerances are absolute unless named relative.

    ``relative_gap`` stays 0 in exact work: the usual 1e-4 silently loses points. ``gap_share`` is the absolute gap as a share
    of the step between two legal objective values, so that a proof within the gap is a proof of optimality.
    """

    relative_gap: float = 0.0
    gap_share: float = 0.9
    default_absolute_gap: float = 1e-6
    feasibility_tolerance: float = 1e-6
    integrality_tolerance: float = 1e-6
    threads: int = 1
    seed: int = 0
    presolve: bool = True
    heuristic_effort: float = 0.05
    restarts: bool = True
    probing_level: int = 0
    symmetry_level: int = 0
    linearization_level: int = 1


@dataclass(frozen=True, slots=True)
class SolveLimits:
    """Limits of one solve. ``seconds`` of wall clock, ``nodes`` and ``effort`` are None when unlimited; ``effort`` is work that is counted the
    same way on every machine, in units of about a second (CP-SAT only).

    ``watchdog_factor``: a solver that ignores its own time limit is interrupted from outside after ``seconds`` times this, plus one second.
    ``slack``: how far below an answer, in units of the cost, the proof in exact arithmetic that nothing better exists may end. ``gap``: how far
    above the least value, in the same units, an answer may lie that a counted search does not settle.
    ``until``: reading of ``time.perf_counter`` by which all solves of one question are to end; see ``begun`` and ``left``.
    """

    seconds: float | None = None
    nodes: int | None = None
    watchdog_factor: float = 1.5
    effort: float | None = None
    slack: float = 0.0
    gap: float = 0.0
    until: float | None = None

    def begun(self) -> SolveLimits:
        """The same for several solves that share ``seconds``, counted from now."""
        return self if self.seconds is None else dataclasses.replace(self, until=time.perf_counter() + self.seconds)

    def left(self) -> SolveLimits:
        """The same with the ``seconds`` that are left of them now; 0 when none are."""
        if self.until is None:
            return self
        return dataclasses.replace(self, seconds=max(0.0, self.until - time.perf_counter()))


@dataclass(frozen=True, eq=False, slots=True)
class SolveResult:
    """Answer of one solve.

    ``x`` (columns) is an incumbent with integer columns rounded, or None; ``objective`` its value of the cost that was minimised;
    ``bound`` a proven lower bound of that cost (-inf when none). ``seconds`` wall clock, ``nodes`` of the tree (None when the solver does not tell).
    ``exact``: the proof rests on integer arithmetic alone; without it, on the solver's tolerances. ``loose``: the search ended within
    the gap allowed, so that what is called optimal need not be the least.
    """

    stop: StopReason
    proof: Proof
    x: Floats | None
    objective: float | None
    bound: float
    seconds: float
    nodes: int | None = None
    message: str = ""
    exact: bool = False
    loose: bool = False


DEFAULT_OPTIONS = SolverOptions()
DEFAULT_LIMITS = SolveLimits()


class Backend(Protocol):
    """One hot solver instance for one model. The rows of all objectives are in the program from the start, unbounded.

    A class implements it in one file of this folder, exports itself as ``BACKEND`` and is found by looking.
    """

    name: ClassVar[str]

    @classmethod
    def unavailable(cls) -> str | None:
        """Why this solver cannot run here (package missing, ...), or None."""
        ...

    @classmethod
    def version(cls) -> str:
        """Version of the solver."""
        ...

    @classmethod
    def refusal(cls, model: CompiledModel) -> str | None:
        """Why this solver cannot treat ``model`` (a continuous column, a coefficient that is not an exact integer multiple, ...), or None."""
        ...

    def __init__(self, model: CompiledModel, options: SolverOptions = DEFAULT_OPTIONS) -> None: ...

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
        """Minimise ``sum_i weights[i] * objective_i`` or ``cost @ x`` (neither: find any feasible point).

        ``objective_upper`` (k, inf for none) bounds the objectives themselves, offsets included, in minimisation sense. The other
        arrays replace the model's own bounds for this solve only. ``step``: any two legal values of the minimised sum differ by
        at least this much or not at all (0: unknown); with it ``Proof.OPTIMAL`` means proven to the step.
        """
        ...

    def solve_any_of(
        self,
        boxes: Floats,
        *,
        weights: Sequence[float],
        step: float = 0.0,
        limits: SolveLimits = DEFAULT_LIMITS,
    ) -> SolveResult:
        """As ``solve``, over the union of the boxes ``objective <= boxes[j]`` (m x k, finite): one disjunctive program."""
        ...
