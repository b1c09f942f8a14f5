"""Over which range of a field the best design stays the same, where it changes, and what keeping today's design costs beyond.

Three ways, by what the field does to the program:

- *money in a straight line* (a price, a tax): the least cost is concave piecewise linear, every breakpoint by recursive intersection;
- *one limit* (a utility, a deadline): the least cost is a staircase; the next value at which it changes is the least use of that
  limit by any better design, in whole quanta, found by minimising it;
- *anything else* (a failure rate, an assumption, two rows at once): candidates are made again at each value, and two values
  with different best designs are brought together until the gap is reached: the change lies in the interval between them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from models.candidates.placement import Candidates
from models.errors import UsageError
from models.instance import Instance
from optimizer.design import Design
from optimizer.sensitivity.field_program import FieldProgram, architecture, column_scale
from optimizer.sensitivity.field_sweeps import Piece, Swept, bracketed, kind_of, limit_sweep, money_sweep
from optimizer.sensitivity.instance_field import InstanceField, find_field
from optimizer.sensitivity.program import Effort
from optimizer.sensitivity.regret import regret_at

if TYPE_CHECKING:
    import pandas as pd

DEFAULT_GAP = 0.005
STEP_INSET = 1e-6
"""Share of a step's width from its ends at which keeping today's design is judged: at the very end the next step begins."""
POINTS = 9
"""Values at which a field of the third kind is looked at first."""


class FieldKind(StrEnum):
    """What a field does to the program."""

    MONEY = "money"
    LIMIT = "limit"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Range:
    """Between ``low`` and ``high`` the best design is ``design_id`` (empty: none is legal). ``objective_*`` its value at the ends, in
    column units; ``regret_*`` how much more today's design costs there (None: it is not legal, or not known).
    """

    low: float
    high: float
    design_id: str
    architecture: str
    objective_low: float | None
    objective_high: float | None
    regret_low: float | None
    regret_high: float | None
    proven: bool


@dataclass(frozen=True, slots=True)
class SwitchPoint:
    """The best design changes somewhere in [``low``, ``high``]."""

    low: float
    high: float
    before: str
    after: str
    changes_architecture: bool


@dataclass(frozen=True)
class SwitchPoints:
    """Ranges and switch points of one field, in its canonical unit."""

    field: InstanceField
    kind: FieldKind
    objective: str
    column: str
    low: float
    high: float
    ranges: tuple[Range, ...]
    points: tuple[SwitchPoint, ...]
    today: str
    proven: bool
    solves: int
    seconds: float

    def to_frame(self) -> pd.DataFrame:
        """One row per range."""
        import pandas as pd

        columns = ["low", "high", "design_id", "architecture", "objective_low", "objective_high"]
        columns += ["regret_low", "regret_high", "proven"]
        return pd.DataFrame([[getattr(r, c) for c in columns] for r in self.ranges], columns=columns)


def switch_points(
    instance: Instance,
    field: str,
    *,
    low: float | None = None,
    high: float | None = None,
    objective: str = "tco",
    gap: float = DEFAULT_GAP,
    points: int = POINTS,
    time_limit: float | None = None,
    backend: str = "auto",
    candidates: Candidates | None = None,
    effort: Effort | None = None,
) -> SwitchPoints:
    """Where the best design changes as one field moves from ``low`` to ``high`` (default: half to double of its value).

    ``gap``: share of the range to which a change is narrowed where it is not found exactly. ``candidates`` as
    ``movable_candidates`` gives them, where they are known; ``effort`` goes before time and backend. UsageError for a field that is no number.
    """
    known = find_field(instance, field)
    start, end = span(known, low, high)
    effort = effort or Effort(time_limit, backend)
    program = FieldProgram(instance, [known], [(start, end)], objective, candidates)
    kind = FieldKind(kind_of(program, start, end))
    if kind is FieldKind.MONEY:
        swept = money_sweep(program, start, end, effort)
    elif kind is FieldKind.LIMIT:
        swept = limit_sweep(program, start, end, effort)
    else:
        swept = bracketed(program, start, end, effort, gap, max(3, points))
    today = program.least((known.value,), effort) if known.value is not None else None
    keeping = today.design if today is not None and today.found else None
    scale = column_scale(program, start)
    inset = STEP_INSET if kind is FieldKind.LIMIT else 0.0
    ranges = tuple(_range(program, piece, keeping, effort, scale, inset) for piece in swept.pieces)
    return SwitchPoints(
        field=known,
        kind=kind,
        objective=objective,
        column=_column(program, (start + end) / 2),
        low=start,
        high=end,
        ranges=ranges,
        points=_points(swept),
        today=keeping.design_id if keeping is not None else "",
        proven=swept.proven and all(r.proven for r in ranges),
        solves=effort.solves,
        seconds=round(effort.spent, 3),
    )


def span(field: InstanceField, low: float | None, high: float | None) -> tuple[float, float]:
    """The range to look at; UsageError where it is empty or there is nothing to start from."""
    if (low is None or high is None) and not field.value:
        raise UsageError(f"{field.name} has no value to start from: give --range LOW..HIGH")
    start = low if low is not None else (field.value or 0.0) / 2
    end = high if high is not None else (field.value or 0.0) * 2
    if field.whole:
        start, end = math.ceil(start), math.floor(end)
    if not (math.isfinite(start) and math.isfinite(end) and start < end):
        raise UsageError(f"{field.name}: {field.shown(start)} to {field.shown(end)} is no range")
    return float(start), float(end)


def _column(program: FieldProgram, value: float) -> str:
    state = program.at((value,))
    return state.goal.column if state is not None else program.objective


def _range(
    program: FieldProgram, piece: Piece, keeping: Design | None, effort: Effort, scale: float, inset: float
) -> Range:
    def value(cost: float | None) -> float | None:
        return None if cost is None else scale * cost

    def regret(at: float, cost: float | None) -> float | None:
        if keeping is None or cost is None or effort.over:
            return None
        if piece.design is not None and piece.design.design_id == keeping.design_id:
            return 0.0
        own = regret_at(program, keeping, at, effort)
        return None if own is None else abs(scale) * max(0.0, own - cost)

    return Range(
        low=piece.low,
        high=piece.high,
        design_id=piece.design.design_id if piece.design is not None else "",
        architecture=architecture(piece.design) if piece.design is not None else "",
        objective_low=value(piece.cost_low),
        objective_high=value(piece.cost_high),
        regret_low=regret(piece.low + inset * (piece.high - piece.low), piece.cost_low),
        regret_high=regret(piece.high - inset * (piece.high - piece.low), piece.cost_high),
        proven=piece.proven,
    )


def _points(swept: Swept) -> tuple[SwitchPoint, ...]:
    found = []
    for before, after in zip(swept.pieces[:-1], swept.pieces[1:], strict=True):
        kinds = [architecture(p.design) if p.design is not None else "" for p in (before, after)]
        names = [p.design.design_id if p.design is not None else "" for p in (before, after)]
        found.append(SwitchPoint(before.high, after.low, names[0], names[1], kinds[0] != kinds[1]))
    return tuple(found)
