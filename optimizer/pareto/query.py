"""Questions an algorithm asks and the answers it gets. Algorithms see nothing else: no solver, no clock, no file."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

Point = tuple[float, ...]

NOT_ASKED = "not asked"
"""Message of an answer to a question that a run which had to stop did not ask."""

LOOSE = "the least to within what the resolution allows"
"""Message of an answer whose point need not be nondominated, though its bound closes what the resolution asks for."""

SPENT = "not settled within the work it may take"
"""Message of an answer to a question that was given up after its ``effort``."""


class Outcome(Enum):
    """What a question led to."""

    OPTIMAL = "optimal"
    INFEASIBLE = "infeasible"
    LIMIT = "limit"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Query:
    """Find a nondominated legal point within one of ``boxes`` (each k scaled upper bounds, inf for none).

    With ``direction`` j the point has the least value of objective j in the box (up to the engine's stated loss), and the others are small;
    with ``weights`` it minimises that sum (where one is zero, the point need not be nondominated); without either, the normalised sum. ``known`` is a listed point inside the box that the answer need not improve on.
    A sum may be given up once a solve it takes needs more than ``effort``, counted alike on every machine, in units of about a second.
    """

    boxes: tuple[Point, ...]
    direction: int | None = None
    known: Point | None = None
    weights: Point | None = None
    effort: float | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """``point`` (scaled) and ``bound``: a certified lower bound of objective ``direction`` over the box (-inf when none).

    ``number`` counts solves; ``proven`` says that the point is nondominated.
    """

    outcome: Outcome
    number: int
    point: Point | None = None
    bound: float = -math.inf
    proven: bool = False
    message: str = ""
