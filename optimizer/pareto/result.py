"""What a run of the engine returns: points, the zones that were closed and how, and a status derived from these alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from optimizer.compiled_model import Floats

LISTING = "listing"
"""What a result names instead of a solver and an algorithm where all points were listed without a question to either."""


class FrontierStatus(Enum):
    """State of a frontier, derived from its ledger."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    EMPTY = "empty"
    INFEASIBLE = "infeasible"


_CLOSED = (FrontierStatus.COMPLETE, FrontierStatus.INFEASIBLE)


class Closure(Enum):
    """What ended the work on a zone of objective space. The first four are proofs, the others leave it open.

    ``LISTED``: every nondominated point is listed, so none lies in it.
    """

    OPTIMAL = "optimal"
    INFEASIBLE = "infeasible"
    BOUND = "bound"
    LISTED = "listed"
    TIME_LIMIT = "time_limit"
    ERROR = "error"
    UNTOUCHED = "untouched"

    @property
    def proven(self) -> bool:
        """True when the zone is known to hold no further point."""
        return self in (Closure.OPTIMAL, Closure.INFEASIBLE, Closure.BOUND, Closure.LISTED)


@dataclass(frozen=True, slots=True)
class ZoneRecord:
    """One zone: no legal value vector lies at or below ``upper - delta`` in every objective, as ``closed`` says.

    ``upper`` (k) in the model's units and minimisation sense, inf where unbounded; ``solve`` the number of the solve that
    settled it (None when untouched); ``bound`` the certified lower bound of the objective ``direction`` inside, where one was used.
    """

    upper: tuple[float, ...]
    closed: Closure
    solve: int | None = None
    direction: int | None = None
    bound: float | None = None


@dataclass(frozen=True, slots=True)
class HypervolumeBounds:
    """Hypervolume between the listed points and ``reference``, and an upper bound for that of the true frontier (normalised to the box)."""

    listed: float
    at_most: float
    reference: tuple[float, ...]

    @property
    def share(self) -> float:
        """Certified share of the true hypervolume that the listed points cover."""
        return 1.0 if self.at_most <= 0.0 else self.listed / self.at_most


@dataclass(frozen=True, eq=False)
class ParetoResult:
    """A frontier with its ledger. All values in the model's units and minimisation sense; rows sorted by value.

    points (n x k), solutions (n x columns, integer columns rounded), proven (n: true when nondominated for certain),
    bounds (n x k: the value where proven, else a certified lower bound of that objective), delta (k: what was subtracted
    from a zone's corner: one step in exact work), error (k: every legal y has a listed z with z <= y + error; inf where
    nothing is certified yet), resolution (k: what was asked for, in units; None where exact). ``solves`` counts scalarised
    integer programs, ``calls`` solver runs for them (reduced programs included), ``relaxations`` linear ones, ``discarded`` columns fixed with proof,
    ``tolerated`` solves whose proof rests on a floating-point solver's tolerances: none where every column and coefficient is integer and all was confirmed.
    ``backend`` and ``algorithm`` are ``LISTING`` where no question was asked.
    """

    status: FrontierStatus
    points: Floats
    solutions: Floats
    proven: NDArray[np.bool_]
    bounds: Floats
    ledger: Sequence[ZoneRecord]
    delta: tuple[float, ...]
    resolution: tuple[float | None, ...]
    error: tuple[float, ...]
    hypervolume: HypervolumeBounds | None
    ideal: tuple[float, ...]
    solves: int
    calls: int
    relaxations: int
    discarded: int
    tolerated: int
    seconds: float
    backend: str
    algorithm: str
    fingerprint: str
    stopped_by: str | None = None
    problem: str | None = None

    @property
    def n_points(self) -> int:
        """Number of listed points."""
        return int(self.points.shape[0])

    @property
    def open_zones(self) -> tuple[ZoneRecord, ...]:
        """Zones that may still hold points."""
        return () if self.status in _CLOSED else tuple(z for z in self.ledger if not z.closed.proven)
