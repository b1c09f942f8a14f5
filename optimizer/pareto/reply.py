"""What one question gave and what it took."""

from __future__ import annotations

from dataclasses import dataclass

from optimizer.compiled_model import Floats
from optimizer.pareto.query import Outcome, Point


@dataclass(frozen=True, slots=True)
class Counts:
    """What an answer took: ``solves`` scalarised programs that needed integer programming or a look at the list of all points, ``calls`` runs of a solver for them (on
    the full program or on what reduced-cost fixing left of it), ``discarded`` columns fixed with proof, ``relaxations`` linear programs;
    ``tolerated`` solves whose proof rests on a floating-point solver's tolerances (all with continuous columns).
    """

    solves: int = 0
    calls: int = 0
    discarded: int = 0
    relaxations: int = 0
    tolerated: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.solves + other.solves,
            self.calls + other.calls,
            self.discarded + other.discarded,
            self.relaxations + other.relaxations,
            self.tolerated + other.tolerated,
        )


@dataclass(frozen=True, eq=False, slots=True)
class Reply:
    """What one question gave. ``point`` scaled values of ``x`` (None when ``point`` was known before); ``bound`` certified lower
    bound of the asked direction (or of the normalised sum).
    """

    outcome: Outcome
    point: Point | None
    x: Floats | None
    bound: float
    proven: bool
    counts: Counts
    message: str = ""
