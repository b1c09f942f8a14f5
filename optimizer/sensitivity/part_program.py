"""The program of an instance with one part's price set free: money without the part, and money per dollar of its unit price."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from models.candidates.offers import Offer, offers_of
from models.candidates.placement import Candidates
from models.errors import UsageError, nearest
from models.formulation import purchases, totals
from models.formulation.build import Formulation
from models.formulation.core import Core
from models.formulation.counts import units
from models.formulation.family import Direction, Objective, objectives
from models.formulation.linear import Linear
from models.instance import Instance
from models.parts.part import Part, PriceRange
from models.units import UnitError, parse
from optimizer.performance_cache import PerformanceCache
from optimizer.sensitivity.parametric import Line, Probe
from optimizer.sensitivity.pool import Judge, enumerated, worthwhile
from optimizer.sensitivity.program import Answer, Effort, Limit, Program, assemble
from optimizer.sensitivity.repricing import (
    Making,
    Restated,
    candidates_at,
    candidates_at_any_price,
    find_part,
    has_price,
    list_price,
    picked_by_price,
    together,
)

CENT = 1e-2
UNIT_PRICE, FACTOR = "USD a unit", "times list price"
PRICED = ("tco", "capex")
"""Objectives a price enters."""
_MONEY = {"capex": totals.capex, "opex": totals.opex, "tco": totals.tco}


@dataclass(frozen=True)
class Requirement:
    """Values other objectives must reach, by name, in column units (``throughput``: token/s; ``power``: kW)."""

    values: Mapping[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        return ", ".join(f"{name}={value:,.10g}" for name, value in self.values.items()) or "the instance's own demand"

    def limits(self, program: Program) -> list[Limit]:
        """Rows that hold each objective at its value or better."""
        found = []
        for goal in program.formulation.goals:
            value = self.values.get(goal.name)
            if value is not None:
                quanta = value / goal.objective.column_value(1.0)
                upward = goal.objective.direction is Direction.MAXIMISE
                low, high = (math.ceil(quanta - 1e-6), None) if upward else (None, math.floor(quanta + 1e-6))
                found.append(Limit(f"along.{goal.name}", {goal.name: 1.0}, low, high))
        return found


def read_requirement(text: str) -> tuple[str, float]:
    """``NAME=VALUE``: an objective and the value to hold, in the unit of its column or with a unit of its own."""
    name, equals, value = (part.strip() for part in text.partition("="))
    known = objectives()
    base = name.partition(":")[0]
    if not equals or not value:
        raise UsageError(f"{text!r} is not NAME=VALUE, such as throughput=1.5 Mtoken/s")
    if base not in known:
        raise UsageError(f"no objective {name!r}: {nearest(base, list(known))}")
    return name, column_number(known[base], value)


def column_number(objective: Objective, text: str) -> float:
    """A number in an objective's column unit from text with or without a unit."""
    try:
        number = float(text.replace(",", "").replace("_", ""))
    except ValueError:
        try:
            number = parse(text, objective.unit, {}) * objective.scale
        except UnitError as error:
            raise UsageError(f"{objective.name}: {error}") from None
    if not math.isfinite(number):
        raise UsageError(f"{objective.name}: {text!r} is not a finite number")
    return number


@dataclass(frozen=True)
class PartProgram:
    """What is asked about a part. Its programs have measures ``rest``, ``paid`` (per dollar of unit price), ``units`` and, for each
    money ceiling c the price enters, ``c.rest`` and ``c.paid``. ``budgets``: ceiling [USD] by name.

    Several parts are a bundle, and a part that is quoted has tiers and one-off costs: the price is then one factor on all list
    prices and on every quote that contains one of the parts, and ``list_price`` is 1. ``price_unit`` says which it is.
    ``picked``: it is picked by price while candidates are made, and these were made here, so that each price may bring others.
    ``found``: candidates that some price can choose; ``smallest``: fewest units any candidate buys, chosen or not, inf for none.
    """

    instance: Instance
    name: str
    list_price: float | None
    found: Candidates
    budgets: Mapping[str, float]
    objective: str
    along: tuple[str, ...]
    smallest: float
    per_unit: float
    price_unit: str
    picked: bool
    asked: _Asked = field(repr=False)

    @staticmethod
    def of(
        instance: Instance,
        name: str,
        objective: str = "tco",
        along: Sequence[str] = (),
        found: tuple[Instance, Candidates] | None = None,
        volume: float = 1.0,
        bundled: Instance | None = None,
    ) -> PartProgram:
        """The program around the part or quote called ``name``, or the bundle of several joined by commas.

        ``found`` are its candidates where they are known already; ``volume`` is the number of units ``held`` will be asked for;
        ``bundled`` the instance whose candidates a bundle is looked for in, where that is another.
        """
        if objective not in PRICED:
            raise UsageError(f"a price does not enter {objective!r}: {nearest(objective, list(PRICED))}")
        named = [one.strip() for one in name.split(",")]
        quotes = [one for one in named if one in instance.quotes and not has_price(instance, one)]
        parts = [find_part(instance, one) for one in named if one not in quotes]
        stated = instance if found is None else found[0]
        asked = _Asked.of(stated, parts, quotes, objective, tuple(along), volume)
        counts: list[float] = []

        if found is not None:
            stated, candidates = found[0], worthwhile(found[0], found[1], asked.judge(counts.append))
        elif len(parts) == 1:
            stated, candidates = candidates_at_any_price(instance, parts[0], asked.making(counts.append))
        else:
            making = asked.making(counts.append)
            stated, candidates = instance, making(instance, bundled or instance, lambda made: made)
        asked = dataclasses.replace(asked, instance=stated)
        return PartProgram(
            instance=stated,
            name=",".join(named),
            list_price=asked.list_price,
            found=candidates,
            budgets=asked.budgets,
            objective=objective,
            along=tuple(along),
            smallest=min(counts),
            per_unit=asked.per_unit(candidates),
            price_unit=UNIT_PRICE if asked.single else FACTOR,
            picked=found is None and asked.single and picked_by_price(parts[0]),
            asked=asked,
        )

    def also_at(self, prices: Sequence[float]) -> PartProgram:
        """The program with what is picked at these unit prices, too."""
        counts = [self.smallest]
        making = self.asked.making(counts.append)
        more = [candidates_at(self.instance, self.name, PriceRange(p, p), making) for p in prices]
        return dataclasses.replace(self, found=together([self.found, *more]), smallest=min(counts))

    @property
    def possible(self) -> bool:
        """False when no candidate has the part at all."""
        return math.isfinite(self.smallest)

    @cached_property
    def dear(self) -> Program:
        """What any price from zero up can choose."""
        return self.asked.program(self.found, Direction.MINIMISE)

    @cached_property
    def gift(self) -> Program:
        """What any price below zero can choose."""
        return self.asked.program(self.found, Direction.MAXIMISE)

    @cached_property
    def held(self) -> Program:
        """What any price can choose where the units bought are limited: at least the volume; fewer, where that is more than one."""
        return self.asked.program(self.found, Direction.MINIMISE, held=True)

    def ceilings(self, price: float) -> list[Limit]:
        """Money ceilings as they stand at a unit price."""
        return [
            Limit(f"budget.{name}", {f"{name}.rest": 1.0, f"{name}.paid": price}, None, ceiling, quantum=1.0)
            for name, ceiling in self.budgets.items()
        ]

    def line(self, answer: Answer) -> Line:
        """A solution as a line over the unit price."""
        m = answer.measures
        return Line(m["rest"], m["paid"], float(round(m["units"])), answer)

    def ends(self, line: Line) -> float:
        """The highest unit price at which a solution still meets every money ceiling."""
        m = line.tag.measures
        paid = {name: m[f"{name}.paid"] for name in self.budgets}
        ends = [(ceiling - m[f"{n}.rest"]) / paid[n] for n, ceiling in self.budgets.items() if paid[n] > 0]
        return min(ends, default=math.inf)

    def probe(
        self, price: float, effort: Effort, limits: Sequence[Limit], ceilings_at: float | None = None
    ) -> Probe | Answer:
        """The cheapest design at a unit price; the bare answer where there is none.

        ``limits`` may hold the units bought; ``ceilings_at``: the price ceilings are held at.
        """
        counted = any("units" in limit.weights for limit in limits)
        program = self.gift if price < 0 else self.dear
        if counted and (price >= 0 or self.asked.volume > 1):
            program = self.held
        money = self.ceilings(price if ceilings_at is None else ceilings_at)
        answer = program.least({"rest": 1.0, "paid": price}, effort, [*limits, *money])
        return Probe(price, self.line(answer), answer.bound) if answer.found else answer


def without(limits: Sequence[Limit], below: float = 1.0) -> list[Limit]:
    """The limits, and fewer than ``below`` units of the part."""
    return [*limits, Limit("fewer_units", {"units": 1.0}, None, below - 1.0)]


def with_at_least(limits: Sequence[Limit], count: float) -> list[Limit]:
    """The limits, and at least ``count`` units of the part."""
    return [*limits, Limit("more_units", {"units": 1.0}, count, None)]


@dataclass(frozen=True)
class _Asked:
    """How the part's money is told apart from the rest over any set of candidates. ``worth``: what a unit of each part is worth in
    units of the price; ``single`` where the price is that of one part that is not quoted; ``volume`` how many units may be asked for."""

    instance: Instance
    worth: Mapping[str, float]
    list_price: float | None
    single: bool
    quoted: frozenset[str]
    quotes: frozenset[str]
    budgets: Mapping[str, float]
    objective: str
    along: tuple[str, ...]
    volume: float

    @staticmethod
    def of(
        instance: Instance,
        parts: Sequence[Part],
        quotes: Sequence[str],
        objective: str,
        along: tuple[str, ...],
        volume: float,
    ) -> _Asked:
        _require_valid(instance, quotes)
        prices = {part.id: list_price(part, instance.money.price_basis) for part in parts}
        quoted = frozenset(offers_of(instance).parts) & frozenset(prices)
        single = len(parts) == 1 and not quoted and not quotes
        limits = {name: getattr(instance.limits, name) for name in _MONEY}
        return _Asked(
            instance=instance,
            worth={part: 1.0 if single else (price or 0.0) for part, price in prices.items()},
            list_price=prices[parts[0].id] if single else 1.0,
            single=single,
            quoted=quoted,
            quotes=frozenset(quotes),
            budgets={name: float(limit.value) for name, limit in limits.items() if limit is not None},
            objective=objective,
            along=along,
            volume=volume,
        )

    def making(self, note: Callable[[float], None]) -> Making:
        """Makes candidates without those no price can choose; ``note`` as in ``judge``."""

        def made(stated: Instance, wide: Instance, restated: Restated) -> Candidates:
            judge = dataclasses.replace(self, instance=stated).judge(note)
            return enumerated(stated, judge, PerformanceCache(), wide, restated)

        return made

    def judge(self, note: Callable[[float], None]) -> Judge:
        """Keeps what some price can choose, paid or asked for the part; ``note`` is told the fewest units any candidate buys."""

        def judge(part: Candidates, relaxable: bool) -> list[Formulation]:
            whole = self._whole(part)
            bought = np.concatenate(list(whole.measures["units"].terms.values()) or [np.zeros(0)])
            note(float(bought[bought > 0].min(initial=math.inf)))
            # what holds a volume is all that a price from zero up can choose, and more
            ways = [self._criteria(whole, Direction.MINIMISE, held=True), self._criteria(whole, Direction.MAXIMISE)]
            return [whole.narrowed(way, relaxable).formulation for way in ways]

        return judge

    def program(self, found: Candidates, more_units: Direction, held: bool = False) -> Program:
        """The program of what some price can choose, more units of the part being worse where it is paid, better where it pays."""
        whole = self._whole(found)
        return whole.narrowed(self._criteria(whole, more_units, held))

    def _whole(self, found: Candidates) -> Program:
        """Every one of the candidates with the part's money told apart, no ceiling on money in force."""
        core, goals = assemble(self.instance, found, [self.objective, *(n for n in self.along if n != self.objective)])
        ordered = [core.read(f"ordered[{quote}]") for quote in sorted(self.quotes)]
        measures = {"units": Linear.total([*(units(core, part) for part in self.worth), *ordered])}
        for name, ending in ((self.objective, ""), *((ceiling, f"{ceiling}.") for ceiling in self.budgets)):
            measures[f"{ending}rest"], measures[f"{ending}paid"] = self._split(core, name)
        ceilings = tuple(f"budget.{name}[]" for name in self.budgets)
        return Program.of(core, measures, goals).limited((), without=ceilings)

    def _criteria(self, whole: Program, more_units: Direction, held: bool = False) -> list[tuple[Linear, Direction]]:
        """``held``: a candidate that has the part is not replaced by one without; nor by more or fewer units where a volume counts."""
        m = whole.measures
        criteria = [(m["rest"], Direction.MINIMISE), (m["paid"], more_units)]
        if held:
            has = Linear({name: (units > 0).astype(np.float64) for name, units in m["units"].terms.items()})
            criteria.append((m["units"] if self.volume > 1 else has, Direction.MAXIMISE))
        if held and self.volume > 1:
            criteria += [(m["units"], Direction.MINIMISE), (m["paid"], Direction.MAXIMISE)]
        factors = {float(f) for f in np.round(_ratio(m["paid"], m["units"]), 9)}
        if len(factors) > 1:
            criteria.append((m["units"], more_units))
        for ceiling in self.budgets:
            criteria += [(m[f"{ceiling}.rest"], Direction.MINIMISE), (m[f"{ceiling}.paid"], Direction.MINIMISE)]
        goals = {g.name: g for g in whole.formulation.goals}
        return criteria + [(m[n], goals[n].objective.direction) for n in self.along]

    def _split(self, core: Core, objective: str) -> tuple[Linear, Linear]:
        """Money [USD] without the parts, and per unit of their price: a dollar, or the factor on what each is worth and on its orders."""
        plain = {part: w for part, w in self.worth.items() if w and part not in self.quoted}
        bought = Linear.total(
            [
                units(core, part, site=s) * (_factor(core.candidates, s, objective) * w)
                for s in core.instance.sites
                for part, w in plain.items()
            ]
        )
        if self.quoted or self.quotes:
            orders = purchases.paid(core, purchases.Cost(objective), self._priced, CENT)
            bought = bought + orders * CENT
        whole = _MONEY[objective](core, CENT) * CENT
        rest = whole - bought * (self.list_price or 0.0)
        # what costs nothing but the part must not seem to save the cents its list price was rounded by
        terms = {name: np.where(np.abs(left) <= 2 * CENT, 0.0, left) for name, left in rest.terms.items()}
        return Linear(terms, rest.constant), bought

    def _priced(self, offer: Offer) -> bool:
        """Whether the factor is on the price of an offer."""
        return offer.name in self.quotes or bool(self.quoted & set(offer.contents))

    def per_unit(self, found: Candidates) -> float:
        """The least money [USD] that one unit more adds per unit of the price."""
        basis = self.instance.money.price_basis
        offered = [
            price / sum(offer.contents.values())
            for offer in found.offers
            if self._priced(offer)
            for price in offer.prices(basis)
            if price > 0
        ]
        plain = [w for part, w in self.worth.items() if w > 0 and part not in self.quoted]
        least = min([*offered, *plain], default=1.0)
        return least * min(_factor(found, site, self.objective) for site in self.instance.sites)


def _require_valid(instance: Instance, quotes: Sequence[str]) -> None:
    _, expired = instance.valid_quotes
    late = next((name for name in quotes if name in expired), None)
    if late is not None:
        raise UsageError(f"quote {late} of {expired[late].vendor} was valid until {expired[late].valid_until}")


def _factor(found: Candidates, site: str, objective: str) -> float:
    money = found.economics[site]
    return money.charges * {"capex": 1.0, "opex": money.upkeep, "tco": money.ownership}[objective]


def _ratio(paid: Linear, count: Linear) -> np.ndarray:
    found = [np.unique(paid.terms[n][v > 0] / v[v > 0]) for n, v in count.terms.items() if n in paid.terms]
    return np.concatenate(found) if found else np.ones(1)
