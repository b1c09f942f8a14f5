"""Three ways to follow the best design along one field: lines of money, steps of one limit, and values brought together."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace

import numpy as np

from models.candidates.placement import Candidates
from optimizer.design import Design
from optimizer.sensitivity.field_program import FieldProgram, same, same_rows
from optimizer.sensitivity.limit_rows import LimitRow
from optimizer.sensitivity.parametric import Break, Line, Probe, lower_envelope
from optimizer.sensitivity.pool import kept_candidates
from optimizer.sensitivity.program import Answer, Effort, Limit, Program, assemble

FINEST = 60
"""Halvings with which a bound of a row is turned back into a value of the field."""
MOST_PIECES = 400


@dataclass(frozen=True, eq=False)
class Piece:
    """One design over [``low``, ``high``] with its cost at both ends; ``design`` None: nothing is legal there."""

    low: float
    high: float
    design: Design | None
    cost_low: float | None
    cost_high: float | None
    proven: bool


@dataclass(frozen=True, eq=False)
class Swept:
    """Pieces in rising order; between two of them lies a change."""

    pieces: tuple[Piece, ...]
    proven: bool


def kind_of(program: FieldProgram, low: float, high: float) -> str:
    """``money``, ``limit`` or ``other``: what a field does between two values, seen from the program there and half way."""
    if not program.fixed:
        return "other"
    states = [program.at((v,)) for v in (low, (low + high) / 2, high)]
    if any(state is None for state in states):
        return "other"
    first, middle, last = (state for state in states if state is not None)
    forms = [s.program.formulation for s in (first, middle, last)]
    if not (same_rows(forms[0], forms[1]) and same_rows(forms[1], forms[2])):
        return "other"
    costs = [s.program.measures["cost"] for s in (first, middle, last)]
    moved = [
        a.name
        for a, b, c in zip(*(f.rows for f in forms), strict=True)
        if len({(r.lower, r.upper) for r in (a, b, c)}) > 1
    ]
    if not moved and same((costs[0] + costs[2]) * 0.5, costs[1]):
        return "money"
    return "limit" if len(moved) == 1 and same(costs[0], costs[2]) and same(costs[0], costs[1]) else "other"


def money_sweep(program: FieldProgram, low: float, high: float, effort: Effort) -> Swept:
    """Every breakpoint of the least cost, the field entering it in a straight line."""
    start, end = program.at((low,)), program.at((high,))
    assert start is not None and end is not None
    first = start.program.measures["cost"]
    slope = end.program.measures["cost"] - first
    goals = start.program.formulation.goals
    both = Program(start.program.formulation, {"first": first, "slope": slope, **{g.name: g.expression for g in goals}})

    def ask(t: float) -> Probe | None:
        if effort.over:
            return None
        answer = both.least({"first": 1.0, "slope": t}, effort)
        if not answer.found:
            return None
        return Probe(t, Line(answer.measures["first"], answer.measures["slope"], 0.0, answer), answer.bound)

    left = ask(0.0)
    if left is None:
        return _nothing(low, high, effort)
    right = ask(1.0)
    if right is None:
        return Swept((), False)
    found = lower_envelope(ask, left, right)

    def value(t: float) -> float:
        return low + t * (high - low)

    pieces = []
    edge = 0.0
    for number, line in enumerate(found.lines):
        change: Break | None = found.breaks[number] if number < len(found.breaks) else None
        stop = 1.0 if change is None else change.low
        pieces.append(Piece(value(edge), value(stop), line.tag.design, line.at(edge), line.at(stop), found.complete))
        edge = stop if change is None else change.high
    return Swept(_same_designs_joined(pieces), found.complete)


def _nothing(low: float, high: float, effort: Effort) -> Swept:
    proven = not effort.over
    return Swept((Piece(low, high, None, None, None, proven),), proven)


def limit_sweep(program: FieldProgram, low: float, high: float, effort: Effort) -> Swept:
    """Every step of the least cost as one limit moves, from its tightest value to its loosest."""
    row, tight, loose = _moving_row(program, low, high)
    state = program.at((low,))
    assert state is not None
    form = state.program.formulation
    measures = {**state.program.measures, row.name: row.row.expression}
    asked = Program(form, measures)
    rising = tight == low
    stop = _bound(program, row, loose)

    def at(use: float) -> Answer:
        return asked.bounded(row.bounds(use)).least({"cost": 1.0}, effort)

    def next_use(answer: Answer) -> Answer:
        better = (
            []
            if answer.value is None
            else [Limit("cost", {"cost": 1.0}, None, answer.value - _tell_apart(program, answer))]
        )
        return asked.bounded(row.bounds(None)).least(row.uses[0], effort, better)

    use, edge = _bound(program, row, tight), tight
    pieces: list[Piece] = []
    complete = True
    while len(pieces) < MOST_PIECES:
        answer = at(use)
        after = next_use(answer) if not effort.over else Answer(-math.inf)
        complete &= answer.exact and after.exact
        last = after.value is None or after.value > stop + 1e-9
        value = loose if last else _value_of(program, row, float(after.value or 0.0), edge, loose)
        ends = (edge, value) if rising else (value, edge)
        design = answer.design if answer.found else None
        pieces.append(Piece(*ends, design, answer.value, answer.value, answer.exact and after.exact))
        if last:
            break
        use, edge = float(after.value or 0.0), value
    ordered = pieces if rising else pieces[::-1]
    return Swept(_same_designs_joined(ordered), complete and len(pieces) < MOST_PIECES)


def _tell_apart(program: FieldProgram, answer: Answer) -> float:
    """The least by which a better design is better: a dollar of money, one quantum of anything else."""
    return 1.0 if program.objective not in ("tco", "capex") else max(1.0, 1e-8 * abs(answer.value or 0.0))


def _moving_row(program: FieldProgram, low: float, high: float) -> tuple[LimitRow, float, float]:
    """The row a field moves, and which end of the range is tight and which loose."""
    first, last = program.at((low,)), program.at((high,))
    assert first is not None and last is not None
    for a, b in zip(first.program.formulation.rows, last.program.formulation.rows, strict=True):
        if (a.lower, a.upper) != (b.lower, b.upper):
            sign = 1.0 if a.upper is not None else -1.0
            bounds = [sign * float((r.upper if sign > 0 else r.lower) or 0.0) for r in (a, b)]
            ends = (low, high) if bounds[0] <= bounds[1] else (high, low)
            return LimitRow(a, sign, bounds[0]), *ends
    raise RuntimeError("no row moves")


def _bound(program: FieldProgram, row: LimitRow, value: float) -> float:
    """The bound of a row's use at a value of the field, seen from a program of one placement a cluster."""
    changed = program.inside((value,))
    core, _ = assemble(changed, _sample(program), [])
    found = next(r for r in core.rows if r.name == row.name)
    return float(found.upper if row.sign > 0 else -(found.lower or 0.0))  # type: ignore[arg-type]


def _sample(program: FieldProgram) -> Candidates:
    """One placement of each cluster at each site."""
    state = program.at((program.ranges[0][0],))
    assert state is not None
    form = state.program.formulation
    return kept_candidates((replace(form, positions={name: rows[:1] for name, rows in form.positions.items()}),))


def _value_of(program: FieldProgram, row: LimitRow, use: float, tight: float, loose: float) -> float:
    """The tightest value of the field at which its row allows ``use``."""
    inside, outside = loose, tight
    for _ in range(FINEST):
        if abs(inside - outside) <= 1e-12 * max(abs(inside), abs(outside)):
            break
        middle = (inside + outside) / 2
        if program.fields[0].whole:
            middle = math.floor(middle) if inside > outside else math.ceil(middle)
            if middle in (inside, outside):
                break
        if _bound(program, row, middle) >= use - 1e-9:
            inside = middle
        else:
            outside = middle
    return inside


@dataclass(frozen=True, eq=False)
class _Point:
    """The best design at one value, None where nothing is legal or known."""

    design: Design | None
    cost: float | None
    proven: bool

    @property
    def name(self) -> str:
        return "" if self.design is None else self.design.design_id


def bracketed(program: FieldProgram, low: float, high: float, effort: Effort, gap: float, points: int) -> Swept:
    """Best designs at chosen values; neighbours that differ are brought together until they are ``gap`` of the range apart."""
    known: dict[float, _Point] = {}
    whole = program.fields[0].whole

    def ask(values: list[float]) -> bool:
        found = zip(values, effort.each(_point, program, values), strict=True)
        known.update((value, point) for value, point in found if point is not None)
        return all(value in known for value in values)

    grid = np.unique(np.rint(np.linspace(low, high, points)) if whole else np.linspace(low, high, points)).tolist()
    complete = ask(grid)
    while True:
        halves = [
            float(math.floor((a + b) / 2)) if whole else (a + b) / 2
            for a, b in itertools.pairwise(sorted(known))
            if known[a].name != known[b].name and b - a > gap * (high - low) and not (whole and b - a <= 1)
        ]
        if not halves:
            break
        if not ask(halves):
            complete = False
            break
    pieces = [Piece(v, v, p.design, p.cost, p.cost, p.proven) for v, p in sorted(known.items())]
    return Swept(_same_designs_joined(pieces), complete)


def _point(program: FieldProgram, value: float, effort: Effort) -> _Point | None:
    if effort.over:
        return None
    answer = program.least((value,), effort)
    return _Point(answer.design if answer.found else None, answer.value, answer.exact)


def _same_designs_joined(pieces: list[Piece]) -> tuple[Piece, ...]:
    """Neighbours with one design as one piece."""
    joined: list[Piece] = []
    for piece in pieces:
        last = joined[-1] if joined else None
        ids = [p.design.design_id if p.design is not None else "" for p in (last, piece) if p is not None]
        if last is not None and ids[0] == ids[1]:
            joined[-1] = Piece(
                last.low, piece.high, last.design, last.cost_low, piece.cost_high, last.proven and piece.proven
            )
        else:
            joined.append(piece)
    return tuple(joined)
