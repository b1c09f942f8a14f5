"""At which unit price a part enters the cheapest design, and how many are bought at which price.

The price p* is the highest at which a design with the part costs no more than every design without it:

    min { rest(x) + p* paid(x) : units(x) >= N }  =  min { rest(x) + p* paid(x) : units(x) < N }

N is one unit, or a stated volume. Money is exact to the cent, the price multiplies counts that are data. What is not proven, by a
solve cut short or by rounding a cost to whole numbers for a solver, widens the interval; p* always lies within it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from models.candidates.placement import Candidates
from models.instance import Instance
from optimizer.design import BomLine, Design
from optimizer.sensitivity.ceilings import BEYOND, falling_away
from optimizer.sensitivity.parametric import Break, Envelope, Line, Probe, lower_envelope, meet
from optimizer.sensitivity.part_program import PartProgram, Requirement, with_at_least, without
from optimizer.sensitivity.program import Answer, Effort, Limit
from optimizer.sensitivity.turned_down import reasons_against

if TYPE_CHECKING:
    import pandas as pd

NO_DESIGN = "no design meets the requirement at any price of the part"
SAME_PRICE = 1e-7
"""Relative difference of two prices below which nothing else is picked."""
MOST_ROUNDS = 40
"""Newton steps after which a threshold is reported as far as it is known; each at least halves what is left in practice."""


@dataclass(frozen=True, slots=True)
class Step:
    """``units`` are bought from ``price_low`` up to ``price_high`` (None: at any higher price) by the design ``design_id``."""

    price_low: float
    price_high: float | None
    units: int
    design_id: str


@dataclass(frozen=True, slots=True)
class Displaced:
    """A part of which the design just below the price buys fewer than the design just above it."""

    part: str
    layer: str
    vendor: str
    units_without: int
    units_with: int


@dataclass(frozen=True)
class PriceToWin:
    """Price to win of a part at one requirement; prices in ``unit``: dollars a unit, or a factor on list prices and quotes.

    ``interval`` [USD a unit; for a bundle the factor on its list prices] holds the highest price at which ``volume`` units or more are in the cheapest design; an end is None where
    there is none: (None, None) for a part no design can use, high None for one no design can do without. Below zero: it does not win
    as a gift. ``reason`` says why there is no interval. ``proven`` is False where a limit stopped the search.
    """

    part: str
    objective: str
    requirement: Mapping[str, float]
    volume: int
    interval: tuple[float | None, float | None]
    list_price: float | None
    staircase: tuple[Step, ...]
    displaces: tuple[Displaced, ...]
    reason: str
    proven: bool
    unit: str
    solves: int
    seconds: float
    designs: Mapping[str, Design] = field(default_factory=dict, repr=False, compare=False)

    @property
    def wins_at_list(self) -> bool | None:
        """Whether the list price is low enough, for certain; None where it lies within the interval or there is no list price."""
        low, high = self.interval
        if self.list_price is None or (low is None and not self.reason):
            return None
        if low is not None and self.list_price <= low:
            return True
        return False if (low is None and self.reason) or (high is not None and self.list_price > high) else None

    def to_frame(self) -> pd.DataFrame:
        """The staircase as a table."""
        import pandas as pd

        columns = ["price_low", "price_high", "units", "design_id"]
        return pd.DataFrame(
            [(s.price_low, s.price_high, s.units, s.design_id) for s in self.staircase], columns=columns
        )


def price_to_win(
    instance: Instance,
    part: str,
    *,
    requirement: Requirement | None = None,
    volume: int | None = None,
    objective: str = "tco",
    gap: float = 0.0,
    time_limit: float | None = None,
    backend: str = "auto",
    candidates: tuple[Instance, Candidates] | None = None,
    effort: Effort | None = None,
) -> PriceToWin:
    """The price to win of one part.

    ``requirement``: values other objectives must reach (none: the instance's demand). ``volume``: units to sell (None: any).
    ``gap``: relative width of a price range that need not be narrowed further. ``time_limit`` [s]. ``candidates`` as
    ``candidates_at_any_price`` gives them, where they are known. ``effort`` goes before time and backend. UsageError for an unknown part or objective.
    """
    wanted = requirement or Requirement()
    program = PartProgram.of(instance, part, objective, tuple(wanted.values), candidates, float(volume or 1))
    return price_in(program, wanted, volume, objective, gap, effort or Effort(time_limit, backend))


def _changes(result: PriceToWin) -> list[float]:
    """Prices at which the cheapest design of a result changes, its price to win among them."""
    ends = [*(end for s in result.staircase for end in (s.price_low, s.price_high)), *result.interval]
    return list(dict.fromkeys(end for end in ends if end))


def price_in(
    program: PartProgram, wanted: Requirement, volume: int | None, objective: str, gap: float, effort: Effort
) -> PriceToWin:
    """The same around a program that is there already; ``effort`` is spent on it.

    What is picked by price before the program is made again at every price at which the cheapest design changes, until nothing new
    comes of it: what is then known is right at each of these prices and at both ends, and so, being concave, in between.
    """
    result = _price_in(program, wanted, volume, objective, gap, effort)
    if not program.picked:
        return result
    tried: list[float] = []
    for _ in range(MOST_ROUNDS):
        fresh = [p for p in _changes(result) if not any(math.isclose(p, q, rel_tol=SAME_PRICE) for q in tried)]
        if not fresh:
            return result
        if effort.over:
            break
        tried += fresh
        program = program.also_at(fresh)
        before = result.solves
        result = _price_in(program, wanted, volume, objective, gap, effort)
        result = replace(result, solves=result.solves + before)
    # what was not tried can only let designs with the part be cheaper: below the low end they win whatever it is
    low = result.interval[0] if result.volume == 1 else None
    return replace(result, interval=(low, None), proven=False, reason="stopped before every price was tried")


def _price_in(
    program: PartProgram, wanted: Requirement, volume: int | None, objective: str, gap: float, effort: Effort
) -> PriceToWin:
    search = _Search(program, wanted.limits(program.dear), float(volume or 1), gap, effort)
    before = effort.solves
    result = search.run()
    return PriceToWin(
        part=program.name,
        objective=objective,
        requirement=dict(wanted.values),
        volume=volume or 1,
        interval=(result.low, result.high),
        list_price=program.list_price,
        staircase=tuple(_steps(result.envelope, result.top)) if result.envelope else (),
        displaces=_displaced(result),
        reason=result.reason,
        proven=result.proven,
        unit=program.price_unit,
        solves=effort.solves - before,
        seconds=round(effort.spent, 3),
        designs=_designs(result.envelope),
    )


def prices_in(
    program: PartProgram, levels: Sequence[Requirement], volume: int | None, objective: str, gap: float, effort: Effort
) -> list[PriceToWin]:
    """Prices at several requirements, each a question of its own."""
    return list(effort.each(_level, (program, volume, objective, gap), levels))


def _level(hot: tuple[PartProgram, int | None, str, float], wanted: Requirement, effort: Effort) -> PriceToWin:
    program, volume, objective, gap = hot
    return price_in(program, wanted, volume, objective, gap, effort)


@dataclass(frozen=True)
class _Found:
    """What a search found: ends of the interval, the staircase up to ``top`` (inf: beyond any price), designs on both sides."""

    low: float | None = None
    high: float | None = None
    envelope: Envelope | None = None
    top: float = math.inf
    with_part: Line | None = None
    without_part: Line | None = None
    reason: str = ""
    proven: bool = True


class _Search:
    """The questions of one price to win, in order."""

    def __init__(
        self, program: PartProgram, limits: Sequence[Limit], volume: float, gap: float, effort: Effort
    ) -> None:
        self._program, self._limits, self._volume = program, list(limits), volume
        self._gap, self._effort = gap, effort

    def run(self) -> _Found:
        """See ``price_to_win``."""
        if not self._program.possible:
            return _Found(reason=reasons_against(self._program.instance, self._program.name, self._program.found))
        start = self._probe(0.0)
        if not isinstance(start, Probe):
            return self._nothing(start)
        end, top = self._far_end(start)
        if end is None:
            return _Found(proven=False, reason="stopped before designs without the part were compared")
        envelope = lower_envelope(self._ask, start, end, self._gap)
        if self._program.budgets:
            envelope = falling_away(self._program, self._limits, self._effort, envelope, end, self._gap)
        return self._threshold(envelope, start, top)

    def _probe(self, price: float, limits: Sequence[Limit] = ()) -> Probe | Answer:
        at = max(price, 0.0)
        return self._program.probe(price, self._effort, [*self._limits, *limits], ceilings_at=at if limits else 0.0)

    def _ask(self, price: float) -> Probe | None:
        if self._effort.over:
            return None
        found = self._probe(price)
        return found if isinstance(found, Probe) else None

    def _nothing(self, answer: Answer) -> _Found:
        if answer.infeasible:
            return _Found(reason=NO_DESIGN)
        return _Found(proven=False, reason="stopped before any design was found")

    def _far_end(self, start: Probe) -> tuple[Probe | None, float]:
        """The cheapest design without the part; where there is none, the cheapest at a price beyond all others, and that price."""
        if start.line.count == 0:
            return Probe(math.inf, start.line, start.bound), math.inf
        bare = self._program.dear.least(
            {"rest": 1.0}, self._effort, [*without(self._limits), *self._program.ceilings(0.0)]
        )
        if bare.found:
            return Probe(math.inf, self._program.line(bare), bare.bound), math.inf
        if not bare.infeasible:
            return None, math.inf
        top = 100.0 * max(self._program.list_price or 0.0, start.line.rest / max(start.line.rate, 1.0))
        dearest = self._probe(top)
        return (dearest if isinstance(dearest, Probe) else None), top

    def _threshold(self, envelope: Envelope, start: Probe, top: float) -> _Found:
        lines = envelope.lines
        enough = [line.count >= self._volume for line in lines]
        top = min(top, envelope.top)
        if enough[-1] and math.isfinite(envelope.top):
            beyond = envelope.top + BEYOND / self._program.per_unit
            reason = "no design does without it, and none meets the ceilings on money above this price"
            return _Found(envelope.top, beyond, envelope, top, lines[-1], None, reason, envelope.complete)
        if enough[-1]:
            proven = envelope.complete
            return _Found(top, None, envelope, top, lines[-1], None, "no design does without it", proven)
        if not enough[0]:
            return self._below_zero(envelope, start, top)
        last = max(i for i, holds in enumerate(enough) if holds)
        change = envelope.breaks[last]
        low, high = self._interval(envelope, change)
        return _Found(low, high, envelope, top, change.before, change.after, proven=envelope.complete)

    def _interval(self, envelope: Envelope, change: Break) -> tuple[float, float | None]:
        """Ends that hold whatever is not proven: what is bought on either side of a breakpoint can only be a little cheaper."""
        unit = self._program.per_unit
        if not math.isfinite(change.open):
            return change.low, (
                change.high if math.isfinite(change.high) else self._certain_loss(envelope, change.after)
            )
        least_more = self._volume if self._volume > 1 else self._program.smallest
        above = max(unit, unit * (least_more - change.after.count))
        below = max(unit, unit * (change.before.count - (self._volume - 1.0)))
        after_open = max((p.open for p in envelope.probes if p.line is change.after), default=0.0)
        before_open = max((p.open for p in envelope.probes if p.line is change.before), default=0.0)
        slack = change.open + after_open + before_open
        return change.low - slack / below, change.high + slack / above

    def _certain_loss(self, envelope: Envelope, bare: Line) -> float | None:
        """A price at which the part is proven not to be in the cheapest design: what the bounds at the probes leave."""
        if bare.count:
            return None
        each = self._program.per_unit * self._program.smallest
        ends = [
            p.p + max(0.0, bare.rest - p.bound) / each
            for p in envelope.probes
            if math.isfinite(p.p) and p.bound > -math.inf
        ]
        return min(ends, default=None)

    def _below_zero(self, envelope: Envelope, start: Probe, top: float) -> _Found:
        """The part loses as a gift: the payment with each unit at which the volume would enter, by Newton steps from both sides."""
        price, proven = 0.0, True
        low: float | None = None
        few: Probe | Answer = start
        many: Probe | Answer = self._probe(0.0, with_at_least((), self._volume))
        for _ in range(MOST_ROUNDS):
            if not isinstance(many, Probe) or not isinstance(few, Probe):
                return self._no_volume(envelope, many, top)
            saved = many.line.rate - few.line.rate
            reached = meet(many.line, few.line) if saved > 0 else price
            slack = (many.open + few.open) / max(saved, self._program.per_unit)
            low = reached - slack
            if reached >= price - 1e-9 * max(1.0, abs(price)) and price < 0:
                high = min(0.0, max(price, reached + slack))
                return _Found(min(low, high), high, envelope, top, many.line, few.line, proven=envelope.complete)
            if self._effort.over:
                proven = False
                break
            price = reached
            only_few = self._volume == 1
            few = start if only_few else self._probe(price, without((), self._volume))
            many = self._probe(price, with_at_least((), self._volume))
        return _Found(None, 0.0, envelope, top, proven=proven, reason="")

    def _no_volume(self, envelope: Envelope, answer: Probe | Answer, top: float) -> _Found:
        if isinstance(answer, Answer) and answer.infeasible:
            many = "" if self._volume == 1 else f" {self._volume:,.0f} units of"
            reason = (
                f"no design with{many} it meets the requirement and every limit; optimizer explain why-not says which"
            )
            return _Found(envelope=envelope, top=top, reason=reason)
        return _Found(None, 0.0, envelope, top, proven=False)


def _steps(envelope: Envelope, top: float) -> list[Step]:
    steps: list[Step] = []
    low = 0.0
    for number, line in enumerate(envelope.lines):
        change = envelope.breaks[number] if number < len(envelope.breaks) else None
        high = change.low if change else (None if math.isinf(top) else top)
        steps.append(Step(low, high, int(line.count), line.tag.design.design_id))
        low = change.high if change else low
    return steps


def _designs(envelope: Envelope | None) -> dict[str, Design]:
    return {} if envelope is None else {line.tag.design.design_id: line.tag.design for line in envelope.lines}


def _displaced(found: _Found) -> tuple[Displaced, ...]:
    if found.with_part is None or found.without_part is None:
        return ()
    return displaced(found.with_part.tag.design, found.without_part.tag.design)


def displaced(bought: Design, instead: Design) -> tuple[Displaced, ...]:
    """Parts of which ``bought`` has fewer units than ``instead``, spares included, most money first."""
    have = _quantities(bought)
    found = []
    for part, held in _quantities(instead).items():
        left = have[part].units if part in have else 0
        if left < held.units:
            lost = held.cost * (held.units - left) / held.units
            found.append((-lost, Displaced(part, held.layer, held.vendor, held.units, left)))
    return tuple(one for _, one in sorted(found, key=lambda pair: (pair[0], pair[1].part)))


@dataclass(frozen=True, slots=True)
class _Held:
    """All lines of one part: units, cost [USD], and the layer and vendor most of it is booked under."""

    units: int
    cost: float
    layer: str
    vendor: str


def _quantities(design: Design) -> dict[str, _Held]:
    lines: dict[str, list[BomLine]] = {}
    for line in design.bom:
        lines.setdefault(line.part, []).append(line)
    found = {}
    for part, mine in lines.items():
        most = max(mine, key=lambda one: one.quantity)
        units, cost = sum(one.quantity for one in mine), sum(one.cost_usd for one in mine)
        found[part] = _Held(units, cost, most.layer, most.vendor)
    return found
