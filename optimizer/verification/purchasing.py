"""Limits of sourcing, supply and a user's own rules, each recomputed from the lines and orders of a design."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from math import ceil, floor

from models.parts.calendar import last_day, quarter_of
from models.parts.quarter import Quarter
from models.parts.system import System
from models.rules import Condition, Measure, Rule, Selection
from models.sourcing import SecondSource, ShareMeasure
from optimizer.verification.counting import Book, Named, least_kusd, most_kusd, paid_for
from optimizer.verification.findings import Checks
from optimizer.verification.limit import Limit
from optimizer.verification.orders import Terms, arrived, ordered_on, quarter_at
from optimizer.verification.parts import vendors_in
from optimizer.verification.quanta import ZERO, Total

UNITS = {Measure.SPEND: "kUSD", Measure.POWER: "kW"}


def row_key(vendor: str) -> str:
    """A vendor as row names have it."""
    return "".join(c if c.isalnum() or c in "._-" else "_" for c in vendor) or "unnamed"


def purchasing_limits(book: Book) -> Iterator[Limit]:
    """Every limit on what is bought, from whom, and when it comes."""
    yield from _shares(book)
    yield from _second_sources(book)
    yield from _concentration(book)
    yield from _arrivals(book)
    yield from _supply_caps(book)
    yield from _lead_time(book)
    for name, rule in book.instance.rules.items():
        yield from _rule(book, name, rule)


def _measured(book: Book, measure: ShareMeasure, named: Named) -> Total:
    if measure is ShareMeasure.SPEND:
        return book.spend(named)
    units = book.units(named)
    return Total(units, units)


def _over(part: Total, total: Total, share: float) -> Total:
    """A vendor's part less a share of the whole."""
    return Total(part.least - share * total.most, part.most - share * total.least)


def _shares(book: Book) -> Iterator[Limit]:
    for name, rule in book.instance.sourcing.shares.items():
        total = _measured(book, rule.measure, Named(layer=rule.layer))
        unit = "kUSD" if rule.measure is ShareMeasure.SPEND else "units"
        everyone = vendors_in(book.instance, book.sellers, rule.layer, None)
        for vendor in [rule.vendor] if rule.vendor is not None else everyone:
            part = _measured(book, rule.measure, Named(layer=rule.layer, vendor=vendor))
            idle = rule.vendor is None and part.most == 0
            for side, share in (("at_most", rule.at_most), ("at_least", rule.at_least)):
                if share is not None:
                    row, source = f"sourcing.share_{side}[{name},{row_key(vendor)}]", f"sourcing.shares.{name}.{side}"
                    yield Limit(row, _over(part, total, share), 0, side == "at_most", unit, source, idle)


def _second_sources(book: Book) -> Iterator[Limit]:
    for name, asked in book.instance.sourcing.second_sources.items():
        vendors = vendors_in(book.instance, book.sellers, asked.layer, asked.part)
        total = _measured(book, asked.measure, Named(part=asked.part, layer=asked.layer))
        source = f"sourcing.second_sources.{name}.vendors"
        if len(vendors) < asked.vendors:
            if vendors:
                unit = "kUSD" if asked.measure is ShareMeasure.SPEND else "units"
                yield Limit(f"sourcing.second_source[{name}]", total, 0, True, unit, source)
            continue
        enough = sum(_has_enough(book, asked, vendor, total) for vendor in vendors)
        # the program may count any of those that have enough
        yield Limit(f"sourcing.second_source[{name}]", Total(0, enough), asked.vendors, False, "vendors", source)


def _has_enough(book: Book, asked: SecondSource, vendor: str, total: Total) -> bool:
    part = _measured(book, asked.measure, Named(part=asked.part, layer=asked.layer, vendor=vendor))
    return part.most >= asked.each_at_least * total.least - 1e-6


def spend_by_vendor(book: Book) -> dict[str, Total]:
    """Spend with every vendor there is."""
    return {v: book.spend(Named(vendor=v)) for v in vendors_in(book.instance, book.sellers, None, None)}


def _concentration(book: Book) -> Iterator[Limit]:
    stated = book.instance.limits.concentration
    if stated is not None:
        for vendor, spend in spend_by_vendor(book).items():
            row = f"sourcing.concentration[{row_key(vendor)}]"
            yield Limit(row, spend, most_kusd(stated.value), True, "kUSD", "limits.concentration", spend.most == 0)


def due_dates(book: Book) -> list[tuple[Quarter, tuple[str, ...]]]:
    """Dates that sites are needed by, with every site needed by then."""
    places = book.instance.sites
    dates = sorted({place.needed_by.index for place in places.values()})
    return [(quarter_at(d), tuple(s for s, place in places.items() if place.needed_by.index <= d)) for d in dates]


def _quarter_text(book: Book, quarter: Quarter) -> str:
    """A quarter as the first site that is needed by then writes it."""
    return next(repr(p.needed_by) for p in book.instance.sites.values() if p.needed_by.index == quarter.index)


def _arrivals(book: Book) -> Iterator[Limit]:
    dates = due_dates(book)
    ordered = {terms.name: units for terms, units in book.bought.orders}
    for terms in book.bought.terms.values():
        units = ordered.get(terms.name, 0)
        for number, (quarter, _) in enumerate(dates):
            cap = terms.by(quarter)
            if cap is None:
                continue
            last = number + 1 == len(dates)
            come = Total(units, units) if last else Total(0, min(units, cap))
            field = "lead_time" if terms.quote is None or terms.quote.supply is None else "supply"
            row = f"supply.arrival[{terms.name},{_quarter_text(book, quarter)}]"
            yield Limit(row, come, cap, True, "units", f"quotes.{terms.name}.{field}")


def check_arrivals(checks: Checks, book: Book) -> None:
    """By every date but the last, enough of each quoted part has come for the sites that are needed by then."""
    for quarter, sites in due_dates(book)[:-1]:
        for part in sorted(book.bought.parts):
            need = sum(line.quantity for line in book.needed if line.part == part and line.site in sites)
            have = 0
            for terms, units in book.bought.orders:
                cap = terms.by(quarter)
                have += terms.contents.get(part, 0) * (units if cap is None else min(units, cap))
            checks.rule(f"orders.{part}", have >= need, have, need, f"come by {quarter}")


def _supply_caps(book: Book) -> Iterator[Limit]:
    dates = due_dates(book)
    for name, cap in book.instance.sourcing.supply.items():
        first = ordered_on(book.instance) + dt.timedelta(days=floor(cap.lead_time / 86400.0))
        for number, (quarter, sites) in enumerate(dates):
            most = 0
            if first <= last_day(quarter):
                most = arrived(cap.per_quarter, cap.continues, quarter_of(first), quarter)
            named = Named(cap.part, cap.vendor, cap.layer, None, sites)
            row = f"supply.cap[{name},{_quarter_text(book, quarter)}]"
            used = _capped(book, named, quarter, number + 1 == len(dates))
            yield Limit(row, used, most, True, "units", f"sourcing.supply.{name}.per_quarter")


def _capped(book: Book, named: Named, quarter: Quarter, last: bool) -> Total:
    """Units a cap counts: what sites need of a part; of a vendor's quoted parts what has come from it by then."""
    if named.vendor is None or not book.bought.terms:
        units = book.units(named)
        return Total(units, units)
    rest = replace(book, needed=[line for line in book.needed if line.part not in book.bought.parts])
    plain = rest.units(named)
    come = 0
    for terms, units in book.bought.orders:
        cap = terms.by(quarter)
        come += book.units_from(named, terms, units if cap is None else min(units, cap))
    return Total(plain + (come if last else 0), plain + come)


def _lead_time(book: Book) -> Iterator[Limit]:
    stated = book.instance.limits.lead_time
    if stated is None:
        return
    days, last = floor(stated.value / 86400.0 + 1e-9), due_dates(book)[-1][0]
    ordered = {terms.name: units for terms, units in book.bought.orders}
    for terms in book.bought.terms.values():
        most = _within(terms, days, last)
        if most is not None:
            units = ordered.get(terms.name, 0)
            row = f"supply.lead_time[{terms.name}]"
            yield Limit(row, Total(units, units), most, True, "units", "limits.lead_time")
    for cluster in book.instance.workloads:
        late = sum(f.count for f in book.facts if f.pod.cluster == cluster and _system_day(book, f.parts.system) > days)
        row = f"supply.lead_time_of_each[{cluster}]"
        yield Limit(row, Total(late, late), 0, True, "pods that come too late", "limits.lead_time")


def _within(terms: Terms, days: int, last: Quarter) -> int | None:
    """Units that come within some days; None for any number."""
    if terms.quote is None or terms.quote.supply is None:
        return None if terms.first is None or (terms.first - terms.ordered).days <= days else 0
    ends = [quarter_at(i) for i in range(quarter_of(terms.ordered).index, last.index + 1)]
    come = [terms.by(q) or 0 for q in ends if (last_day(q) - terms.ordered).days <= days]
    return max(come, default=0)


def _system_day(book: Book, system: System) -> int:
    """Days from the order until a system is available."""
    if system.available is None:
        return 0
    return max(0, (last_day(system.available) - ordered_on(book.instance)).days)


def latest_arrival(book: Book) -> Total:
    """Days from the order to the latest arrival of all orders and systems."""
    last = due_dates(book)[-1][0]
    days = [_system_day(book, one.parts.system) for one in book.facts]
    days += [terms.day_of(units, last) for terms, units in book.bought.orders]
    most = max(days, default=0)
    return Total(most, most)


def largest_spend(book: Book) -> Total:
    """Spend with the vendor that gets most [kUSD]."""
    spends = list(spend_by_vendor(book).values()) or [ZERO]
    return Total(max(s.least for s in spends), max(s.most for s in spends))


def order_cost(book: Book, per_dollar: float, per_one_off: float) -> Total:
    """What all orders cost in whole kUSD."""
    total = ZERO
    for terms, units in book.bought.orders:
        total = total + paid_for(terms, units, book.instance.money.price_basis, per_dollar, per_one_off)
    return total


def _unit(selection: Selection) -> str:
    return UNITS.get(selection.counted, selection.counted.value)


def _most(selection: Selection, bound: float) -> int:
    return most_kusd(bound) if selection.counted in UNITS else floor(bound + 1e-9)


def _least(selection: Selection, bound: float) -> int:
    return least_kusd(bound) if selection.counted in UNITS else ceil(bound - 1e-9)


def _presence(selection: Selection) -> Selection:
    """Units instead of spend: a part that costs less than the last digit of money is there all the same."""
    named = (selection.part, selection.vendor, selection.layer) != (None, None, None)
    if selection.counted is not Measure.SPEND or not named:
        return selection
    return selection.model_copy(update={"measure": Measure.UNITS})


def _rule(book: Book, name: str, rule: Rule) -> Iterator[Limit]:
    """Rules that are one bound; the others are held in ``check_rules``."""
    row, source = f"rules.{name}[]", f"rules.{name}"
    if rule.forbid is not None:
        of = _presence(rule.forbid)
        yield Limit(row, book.counted(of), 0, True, _unit(of), f"{source}.forbid")
    if rule.require is not None:
        of = _presence(rule.require)
        yield Limit(row, book.counted(of), 1, False, _unit(of), f"{source}.require")
    if rule.of is None:
        return
    value, unit = book.counted(rule.of, rule.at_least is not None), _unit(rule.of)
    if rule.at_most is not None:
        yield Limit(row, value, _most(rule.of, rule.at_most), True, unit, f"{source}.at_most")
    if rule.at_least is not None:
        yield Limit(row, value, _least(rule.of, rule.at_least), False, unit, f"{source}.at_least")
    if rule.fix is not None:
        wanted = round(rule.fix / (1e3 if rule.of.counted in UNITS else 1.0))
        yield Limit(row, value, wanted, True, unit, f"{source}.fix")


def check_rules(checks: Checks, book: Book) -> None:
    """Rules that are more than one bound: fixed values, implications, one vendor."""
    for name, rule in book.instance.rules.items():
        where = f"limit rules.{name}"
        if rule.of is not None and rule.fix is not None:
            value, wanted = book.counted(rule.of), round(rule.fix / (1e3 if rule.of.counted in UNITS else 1.0))
            checks.rule(where, value.least <= wanted <= value.most, value.least, wanted, "fixed")
        if rule.condition is not None and rule.then is not None:
            kept = not _surely(book, rule.condition) or _perhaps(book, rule.then)
            checks.rule(
                where,
                kept,
                book.counted(rule.then.of, rule.then.at_least is not None).least,
                "what follows from the condition",
            )
        if rule.same_vendor is not None:
            vendors = {
                vendor
                for layer in rule.same_vendor.layers
                for vendor in vendors_in(book.instance, book.sellers, layer, None)
                for cluster in rule.same_vendor.clusters or (None,)
                if book.units(Named(layer=layer, vendor=vendor, cluster=cluster))
            }
            checks.rule(where, len(vendors) <= 1, sorted(vendors), "one vendor")


def _surely(book: Book, condition: Condition) -> bool:
    """Whether a condition is met however its figures are rounded: power that may reach a floor, or may stay below a ceiling, does."""
    value = book.counted(condition.of, condition.at_most is not None)
    if condition.at_most is not None:
        return value.most <= _most(condition.of, condition.at_most)
    return value.least >= _least(condition.of, condition.at_least)


def _perhaps(book: Book, condition: Condition) -> bool:
    value = book.counted(condition.of, condition.at_least is not None)
    if condition.at_most is not None:
        return value.least <= _most(condition.of, condition.at_most)
    return value.most >= _least(condition.of, condition.at_least)
