"""The orders of a design held against the quotes of its instance: terms, prices, arrivals, and that what is needed is ordered."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property

from models.instance import Instance
from models.parts.calendar import Day, last_day, quarter_of
from models.parts.part import Part, PriceRange
from models.parts.quarter import Quarter
from models.physics.cost import PriceBasis
from models.quotes import Quote, TierKind
from optimizer.design import BomLine, Design, Order
from optimizer.verification.findings import Checks
from optimizer.verification.parts import part_of, price_of

ESTIMATE = "estimate."
BUNDLE, SURPLUS = "bundle", "surplus"


def ordered_on(instance: Instance) -> dt.date:
    """The day orders are placed."""
    return (instance.money.order_date or Day(instance.money.price_date)).first


@dataclass(frozen=True)
class Terms:
    """What a quote, or the catalogue where a part comes in bundles only, asks for: read from the instance alone."""

    name: str
    quote: Quote | None
    part: Part | None
    ordered: dt.date

    @property
    def contents(self) -> Mapping[str, int]:
        """Units of each part in one unit."""
        return self.quote.contents if self.quote is not None else {self.name.removeprefix(ESTIMATE): 1}

    @property
    def is_bundle(self) -> bool:
        """Whether one unit is a set of several."""
        return sum(self.contents.values()) > 1

    @property
    def vendor(self) -> str:
        """Who sells it."""
        return self.quote.vendor if self.quote is not None else (self.part.vendor if self.part is not None else "")

    def steps(self, basis: PriceBasis) -> list[tuple[int, float]]:
        """Where each tier begins and its price."""
        if self.quote is not None:
            return list(self.quote.steps)
        price = price_of(self.part)
        assert price is not None
        return [(1, price.at(basis))]

    def split(self, units: int) -> list[int]:
        """Units priced by each tier: all by the one reached, or each tier's own where tiers are incremental."""
        starts = [start for start, _ in self.steps(PriceBasis.MID)]
        if self.quote is not None and self.quote.tier_kind is TierKind.INCREMENTAL:
            ends = [*(start - 1 for start in starts[1:]), None]
            filled = zip(starts, ends, strict=True)
            return [max(0, (units if end is None else min(units, end)) - start + 1) for start, end in filled]
        reached = max((n for n, start in enumerate(starts) if start <= units), default=0)
        return [units if n == reached else 0 for n in range(len(starts))]

    def goods(self, units: int, basis: PriceBasis) -> float:
        """Price of ``units`` before charges [USD]."""
        prices = [price for _, price in self.steps(basis)]
        return float(sum(Fraction(p) * n for p, n in zip(prices, self.split(units), strict=True)))

    def paid(self, units: int, basis: PriceBasis) -> tuple[tuple[int, float], ...]:
        """Units by the price [USD] of the tier they are bought at."""
        prices = [price for _, price in self.steps(basis)]
        return tuple((n, float(p)) for n, p in zip(self.split(units), prices, strict=True) if n)

    @property
    def fewest(self) -> int:
        """Fewest units of an order."""
        return max(1, self.quote.minimum_order, self.quote.steps[0][0]) if self.quote is not None else 1

    @property
    def one_off(self) -> float:
        """Cost paid once [USD]."""
        return self.quote.one_off if self.quote is not None else 0.0

    @cached_property
    def first(self) -> dt.date | None:
        """Day of the first arrival; None where nothing is said."""
        if self.quote is None or (self.quote.lead_time is None and self.quote.supply is None):
            return None
        stated = self.quote.lead_time
        if isinstance(stated, dict):
            asked = quarter_of(self.ordered).index
            by_quarter = sorted(stated.items(), key=lambda item: item[0].index)
            stated = next((v for q, v in reversed(by_quarter) if q.index <= asked), by_quarter[0][1])
        return self.ordered + dt.timedelta(days=math.floor((stated or 0.0) / 86400.0))

    def by(self, quarter: Quarter) -> int | None:
        """Units that can have arrived by the end of a quarter; None for any number."""
        if self.first is not None and last_day(quarter) < self.first:
            return 0
        if self.quote is None or self.quote.supply is None:
            return None
        assert self.first is not None
        return arrived(self.quote.supply, self.quote.supply_continues, quarter_of(self.first), quarter)

    def day_of(self, units: int, last: Quarter) -> int:
        """Days from the order until ``units`` have arrived, at the end of a quarter where supply is by quarter."""
        if self.quote is None or self.quote.supply is None:
            return 0 if self.first is None else (self.first - self.ordered).days
        for index in range(quarter_of(max(self.ordered, self.first or self.ordered)).index, last.index + 1):
            quarter = quarter_at(index)
            if (self.by(quarter) or 0) >= units:
                return (last_day(quarter) - self.ordered).days
        return (last_day(last) - self.ordered).days + 1


def quarter_at(index: int) -> Quarter:
    """The quarter with an index."""
    year, number = divmod(index - 1, 4)
    return Quarter(f"{year}Q{number + 1}")


def arrived(per_quarter: Mapping[Quarter, int], continues: bool, first: Quarter, until: Quarter) -> int:
    """Units that come from quarter ``first`` to quarter ``until``, the last figure going on where it ``continues``."""
    figures = {quarter.index: count for quarter, count in per_quarter.items()}
    latest = max(figures)
    total = 0
    for index in range(first.index, until.index + 1):
        total += figures[latest] if continues and index > latest else figures.get(index, 0)
    return total


def all_terms(instance: Instance) -> dict[str, Terms]:
    """Terms by name: of every quote that holds on the order date, and of parts that come in bundles only."""
    if not instance.quotes:
        return {}
    day = ordered_on(instance)
    valid = {n: q for n, q in instance.quotes.items() if q.valid_until is None or q.valid_until.last >= day}
    known = {n: q for n, q in valid.items() if all(price_of(part_of(instance, p)) is not None for p in q.contents)}
    found = {name: Terms(name, quote, None, day) for name, quote in known.items()}
    alone = {part for terms in found.values() if not terms.is_bundle for part in terms.contents}
    for part in [p for terms in list(found.values()) for p in terms.contents if p not in alone]:
        found.setdefault(f"{ESTIMATE}{part}", Terms(f"{ESTIMATE}{part}", None, part_of(instance, part), day))
    return found


@dataclass(frozen=True)
class Purchases:
    """The orders of a design with their terms, and every part that is bought through orders alone."""

    instance: Instance
    orders: tuple[tuple[Terms, int], ...]
    terms: Mapping[str, Terms]

    @cached_property
    def parts(self) -> frozenset[str]:
        """Parts that orders alone provide."""
        return frozenset(part for terms in self.terms.values() for part in terms.contents)

    @property
    def one_off(self) -> float:
        """One-off costs of all orders [USD]."""
        return sum(terms.one_off for terms, _ in self.orders)


def check_orders(checks: Checks, instance: Instance, design: Design, needed: Sequence[BomLine]) -> Purchases:
    """The orders of a design, each by its terms; every part that is quoted is ordered at least as often as it is needed."""
    terms = all_terms(instance)
    found = []
    names = [one.quote for one in design.orders]
    checks.same("orders", len(set(names)), len(names), "one order per quote")
    for one in design.orders:
        where = f"orders.{one.quote}"
        if not checks.rule(where, one.quote in terms, one.quote, sorted(terms), "a quote that holds on the order date"):
            continue
        asked = terms[one.quote]
        _check_order(checks, instance, one, asked, where)
        found.append((asked, one.units))
    arrivals = [(one.arrives or ordered_on(instance).isoformat(), one.quote) for one in design.orders]
    checks.rule("orders", arrivals == sorted(arrivals), names, "by first arrival and name")
    bought = Purchases(instance, tuple(found), terms)
    for part in sorted(bought.parts):
        need = sum(line.quantity for line in needed if line.part == part)
        have = sum(asked.contents.get(part, 0) * units for asked, units in found)
        checks.rule(f"orders.{part}", have >= need, have, need, "units ordered cover the units needed")
    for asked, _ in found if _idle_parts_count(instance) else ():
        built_in = sum(line.quantity for line in needed if line.part in asked.contents)
        checks.rule(f"orders.{asked.name}", built_in > 0, built_in, 1, "units the design is made of")
    return bought


def _idle_parts_count(instance: Instance) -> bool:
    """Whether parts that stand idle would count towards shares, second sources of a layer, or rules, and so may not be bought."""
    by_layer = [one for one in instance.sourcing.second_sources.values() if one.layer is not None]
    return len(instance.sourcing.shares) + len(instance.rules) + len(by_layer) > 0


def _check_order(checks: Checks, instance: Instance, one: Order, terms: Terms, where: str) -> None:
    checks.rule(f"{where}.units", one.units >= terms.fewest, one.units, terms.fewest, "minimum order")
    until = terms.quote.valid_until.last.isoformat() if terms.quote is not None and terms.quote.valid_until else ""
    expected = {
        "vendor": terms.vendor,
        "contents": sorted(terms.contents.items()),
        "goods_usd": terms.goods(one.units, instance.money.price_basis),
        "goods_usd_low": terms.goods(one.units, PriceBasis.LOW),
        "goods_usd_high": terms.goods(one.units, PriceBasis.HIGH),
        "one_off_usd": terms.one_off,
        "arrives": terms.first.isoformat() if terms.first is not None else "",
        "valid_until": until,
        "price_is_estimate": terms.quote is None,
        "tiers": terms.paid(one.units, instance.money.price_basis),
    }
    for name, value in expected.items():
        told = sorted(one.contents.items()) if name == "contents" else getattr(one, name)
        checks.same(f"{where}.{name}", told, value)


def as_bought(instance: Instance, needed: Sequence[BomLine], bought: Purchases) -> Iterator[BomLine]:
    """The bill with ordered parts at the price of their orders: first come to the site that needs it first; then surplus and bundles."""
    stock = [[(t, t.contents[p] * n, p) for p in t.contents] for t, n in bought.orders]
    left = {(t.name, p): count for entries in stock for t, count, p in entries}
    order = sorted(range(len(needed)), key=lambda n: (instance.sites[needed[n].site].needed_by.index, n))
    taken: dict[int, list[BomLine]] = {n: [] for n in range(len(needed))}
    for place in order:
        line, open_units = needed[place], needed[place].quantity
        if line.part not in bought.parts:
            taken[place].append(line)
            continue
        for terms, units in bought.orders:
            count = min(open_units, left.get((terms.name, line.part), 0))
            if count:
                left[terms.name, line.part] -= count
                open_units -= count
                taken[place].append(_priced(instance, replace(line, quantity=count), terms, units))
    for place in range(len(needed)):
        yield from taken[place]
    for terms, units in bought.orders:
        for part in terms.contents:
            if left[terms.name, part]:
                yield _priced(instance, _surplus(instance, part, left[terms.name, part]), terms, units)
        if terms.is_bundle:
            yield _set_line(instance, terms, units)


def _priced(instance: Instance, line: BomLine, terms: Terms, units: int) -> BomLine:
    def each(basis: PriceBasis) -> float:
        return 0.0 if terms.is_bundle else terms.goods(units, basis) / units

    unit = each(instance.money.price_basis)
    line = replace(
        line, vendor=terms.vendor, unit_price_low=each(PriceBasis.LOW), unit_price_high=each(PriceBasis.HIGH),
        unit_price=unit, cost_usd=unit * line.quantity, price_is_estimate=terms.quote is None,
    )  # fmt: skip
    if terms.quote is None:
        return line
    beside = [name for name in line.unverified.split(";") if name.split("_")[0] != "price"]
    words = f"{_words(terms)}; figures: {line.source} ({line.confidence})"
    return replace(line, confidence=terms.quote.confidence.value, source=words, unverified=";".join(beside))


def _words(terms: Terms) -> str:
    quote = terms.quote
    assert quote is not None
    until = f", valid until {quote.valid_until.last.isoformat()}" if quote.valid_until is not None else ""
    return f"quote {terms.name} of {quote.vendor}{until}" + (f" ({quote.source})" if quote.source else "")


def _surplus(instance: Instance, part: str, quantity: int) -> BomLine:
    row = part_of(instance, part)
    assert row is not None
    return BomLine(
        "", "", SURPLUS, row.id, row.vendor, row.name, quantity, 0.0, 0.0, 0.0, 0.0, False, row.preliminary,
        row.confidence.value, ";".join(row.unverified), row.source,
    )  # fmt: skip


def _set_line(instance: Instance, terms: Terms, units: int) -> BomLine:
    quote, cost = terms.quote, terms.goods(units, instance.money.price_basis)
    assert quote is not None
    words = " + ".join(f"{count} {part}" for part, count in terms.contents.items())
    return BomLine(
        "", "", BUNDLE, terms.name, terms.vendor, words, units, cost / units, cost / units, cost / units, cost, False,
        False, quote.confidence.value, "", _words(terms),
    )  # fmt: skip


def unit_price(part: Part, basis: PriceBasis) -> float:
    """Catalogue price of a part."""
    price: PriceRange | None = price_of(part)
    return price.at(basis) if price is not None else 0.0
