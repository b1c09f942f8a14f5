"""Orders of a small instance by trying every number of units from every quote, in plain Python.

Reads quotes and the unit counts of placements; none of the program. Each way to order is valued as an instance states it: tiers,
minimum orders, one-off costs, arrivals by quarter; and kept only if no other way is as good in money, time and spend.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import floor

from models.instance import Instance
from models.parts.network_part import Link, Switch
from models.parts.power_component import PowerComponent
from models.parts.quarter import Quarter
from models.parts.system import System
from models.quotes import Quote


@dataclass(frozen=True)
class Ordering:
    """Units by quote; money [kUSD], days to the latest arrival, and spend before charges [kUSD] by vendor."""

    units: Mapping[str, int]
    capex: int = 0
    opex: int = 0
    tco: int = 0
    days: int = 0
    spend: tuple[tuple[str, int], ...] = ()

    @property
    def vector(self) -> tuple[int, ...]:
        return (self.capex, self.opex, self.tco, self.days, *(v for _, v in self.spend))


def price_range(inst: Instance, part: str) -> tuple[float, float]:
    """Catalogue price of a part of the kinds these cases quote."""
    for kind in (System, Switch, PowerComponent):
        found = inst.catalogue.of(kind).get(part)
        if found is not None and found.price is not None:
            return found.price.low, found.price.high
    price = inst.catalogue.get(Link, part).price_per_end
    assert price is not None
    return price.low, price.high


def sellers(inst: Instance) -> dict[str, tuple[str, Mapping[str, int], Quote | None]]:
    """Vendor, contents and quote by name; the catalogue sells what is in bundles only."""
    found: dict[str, tuple[str, Mapping[str, int], Quote | None]] = {
        name: (quote.vendor, quote.contents, quote) for name, quote in inst.quotes.items()
    }
    single = {part for _, contents, _ in found.values() if len(contents) == 1 for part in contents}
    for _, contents, _ in list(found.values()):
        for part in contents:
            if part not in single:
                vendor = next(
                    k.vendor
                    for kind in (System, Switch, PowerComponent)
                    for k in inst.catalogue.of(kind).values()
                    if k.id == part
                )
                found[f"estimate.{part}"] = (vendor, {part: 1}, None)
    return found


def cost(inst: Instance, name: str, quote: Quote | None, units: int, per_dollar: float, per_once: float) -> int:
    """Cost of an order in whole kUSD: tier prices rounded to six digits of the dearest, then the sum to the nearest kUSD."""
    if quote is None:
        low, high = price_range(inst, name.removeprefix("estimate."))
        steps, once = (
            [(1, low + {"low": 0.0, "mid": 0.5, "high": 1.0}[inst.money.price_basis.value] * (high - low))],
            0.0,
        )
    else:
        steps, once = list(quote.steps), quote.one_off
    dearest = max([p * per_dollar for _, p in steps] + [once * per_once])
    step = 10.0 ** max(-2, min(3, len(str(int(dearest))) - 6))
    rounded = [round(p * per_dollar / step) for _, p in steps]
    if quote is not None and quote.tier_kind.value == "incremental":
        starts = [start for start, _ in steps] + [10**9]
        total = sum(max(0, min(units, starts[i + 1] - 1) - starts[i] + 1) * rounded[i] for i in range(len(steps)))
    else:
        reached = max(i for i, (start, _) in enumerate(steps) if start <= units)
        total = units * rounded[reached]
    exact = (total + round(once * per_once / step)) * step / 1e3
    return floor(exact + 0.5)


def ends(quarter: Quarter) -> dt.date:
    month = quarter.number * 3
    return dt.date(quarter.year, month, calendar.monthrange(quarter.year, month)[1])


def days_to(inst: Instance, quarter: Quarter | None) -> int:
    """Days from the order to the end of a quarter, none where it has passed; of an instance that says when it orders."""
    if quarter is None:
        return 0
    return max(0, (ends(quarter) - inst.order_date.first).days)


def first_day(inst: Instance, quote: Quote | None) -> dt.date | None:
    if quote is None or (quote.lead_time is None and quote.supply is None):
        return None
    lead = quote.lead_time
    seconds = lead[min(lead, key=lambda q: q.index)] if isinstance(lead, dict) else lead or 0.0
    return inst.order_date.first + dt.timedelta(days=int(seconds // 86400))


def come_by(inst: Instance, quote: Quote | None, when: dt.date) -> float:
    """Units that can have come by a day."""
    first = first_day(inst, quote)
    if first is not None and first > when:
        return 0
    if quote is None or quote.supply is None:
        return float("inf")
    assert first is not None
    total, year, number = 0, first.year, (first.month - 1) // 3 + 1
    last = max(quote.supply, key=lambda q: q.index)
    while ends(Quarter(f"{year}Q{number}")) <= when:
        here = Quarter(f"{year}Q{number}")
        total += quote.supply.get(here, quote.supply[last] if quote.supply_continues and here > last else 0)
        year, number = (year + 1, 1) if number == 4 else (year, number + 1)
    return total


def days_until(inst: Instance, quote: Quote | None, units: int, last: dt.date) -> int:
    first = first_day(inst, quote)
    if first is None:
        return 0
    assert quote is not None
    if quote.supply is None:
        return (first - inst.order_date.first).days
    when = first
    while come_by(inst, quote, when) < units and when <= last:
        when += dt.timedelta(days=1)
    quarter = Quarter(f"{when.year}Q{(when.month - 1) // 3 + 1}")
    return (ends(quarter) - inst.order_date.first).days


def orderings(inst: Instance, need: Mapping[str, int], due: Mapping[str, int], odm_more: int) -> list[Ordering]:
    """Every way to order ``need`` units of each part that is not worse than another; ``due``: of them, units needed at the
    first date. ``odm_more``: systems that are bought without a quote."""
    offered = sellers(inst)
    if not offered:
        return [Ordering({})]
    money = _money(inst)
    groups = _groups({name: set(contents) for name, (_, contents, _) in offered.items()})
    best = [Ordering({})]
    for names in groups:
        ways = list(_ways(inst, names, offered, need, due, odm_more, money))
        best = _undominated([_join(a, b) for a in best for b in _undominated(ways)])
    return best


def _money(inst: Instance) -> tuple[tuple[float, float], ...]:
    """What a dollar of goods and of one-off cost counts for in capex, opex, total cost and spend."""
    years = inst.money.horizon / (365.25 * 86400.0)
    rate = inst.assumptions.discount_rate.value
    upkeep = inst.assumptions.maintenance_per_year.value * (1 - (1 + rate) ** -years) / rate
    charges = (1 + inst.money.freight.value) * (1 + inst.money.duty.value) * (1 + inst.money.tax.value)
    return (charges, 1.0), (charges * upkeep, 0.0), (charges * (1 + upkeep), 1.0), (1.0, 1.0)


def _groups(parts: Mapping[str, set[str]]) -> list[list[str]]:
    """Quotes that share a part, together."""
    groups: list[tuple[set[str], list[str]]] = []
    for name, mine in parts.items():
        touching = [g for g in groups if g[0] & mine]
        merged = (set(mine).union(*(g[0] for g in touching)), [n for g in touching for n in g[1]] + [name])
        groups = [g for g in groups if g not in touching] + [merged]
    return [names for _, names in groups]


def _ways(
    inst: Instance, names: Sequence[str], offered: Mapping, need: Mapping[str, int], due: Mapping[str, int], odm_more: int,
    money: tuple[tuple[float, float], ...],
) -> Iterator[Ordering]:  # fmt: skip
    dates = sorted({site.needed_by.index for site in inst.sites.values()})
    first, last = (
        ends(next(s.needed_by for s in inst.sites.values() if s.needed_by.index == d)) for d in (dates[0], dates[-1])
    )
    ranges = []
    for name in names:
        _, contents, quote = offered[name]
        most = needed = max(-(-need.get(part, 0) // count) for part, count in contents.items())
        lowest = max(1, quote.minimum_order) if quote is not None else 1
        most = max([most, lowest, *(start for start, _ in quote.steps)]) if quote is not None else most
        if not needed and (inst.sourcing.shares or inst.rules):
            # idle parts are not bought to meet what counts orders
            ranges.append([0])
            continue
        several = len(names) > 1
        candidates = (
            range(lowest, most + 1) if several else {lowest, needed, *(s for s, _ in quote.steps)} if quote else [most]
        )
        ranges.append([0, *(u for u in sorted(candidates) if u >= lowest and u <= come_by(inst, quote, last))])
    parts = {part for name in names for part in offered[name][1]}
    known: dict[tuple[str, int], tuple[int, ...]] = {}
    soon = {name: come_by(inst, offered[name][2], first) for name in names}
    for counts in product(*ranges):
        if any(
            sum(offered[n][1].get(p, 0) * u for n, u in zip(names, counts, strict=True)) < need.get(p, 0) for p in parts
        ):
            continue
        early = [min(u, soon[n]) for n, u in zip(names, counts, strict=True)]
        if any(
            sum(offered[n][1].get(p, 0) * u for n, u in zip(names, early, strict=True)) < due.get(p, 0) for p in parts
        ):
            continue
        units = {n: u for n, u in zip(names, counts, strict=True) if u}
        if not _allowed(inst, offered, units, parts, odm_more):
            continue
        priced = {n: _valued(known, inst, n, offered[n][2], u, money, last) for n, u in units.items()}
        totals = [sum(values[k] for values in priced.values()) for k in range(3)]
        spend: dict[str, int] = {}
        for n in units:
            spend[offered[n][0]] = spend.get(offered[n][0], 0) + priced[n][3]
        days = max((values[4] for values in priced.values()), default=0)
        everyone = sorted({vendor for vendor, _, _ in offered.values()})
        yield Ordering(units, *totals, days, tuple((v, spend.get(v, 0)) for v in everyone))


def _valued(
    known: dict[tuple[str, int], tuple[int, ...]], inst: Instance, name: str, quote: Quote | None, units: int,
    money: tuple[tuple[float, float], ...], last: dt.date,
) -> tuple[int, ...]:  # fmt: skip
    """Costs of an order and the days until it has come, worked out once."""
    if (name, units) not in known:
        costs = [cost(inst, name, quote, units, *factor) for factor in money]
        known[name, units] = (*costs, days_until(inst, quote, units, last))
    return known[name, units]


def _allowed(inst: Instance, offered: Mapping, units: Mapping[str, int], parts: set[str], odm_more: int) -> bool:
    """Second sources of a part and shares of systems sold, by units."""
    for asked in inst.sourcing.second_sources.values():
        if asked.part in parts:
            mine: dict[str, int] = {}
            for name, count in units.items():
                vendor, contents, _ = offered[name]
                mine[vendor] = mine.get(vendor, 0) + contents.get(asked.part, 0) * count
            total = sum(mine.values())
            vendors = {offered[n][0] for n in offered if asked.part in offered[n][1]}
            if sum(mine.get(v, 0) >= asked.each_at_least * total - 1e-9 for v in vendors) < asked.vendors:
                return False
    for share in inst.sourcing.shares.values():
        systems = [p for p in parts if p in inst.catalogue.of(System)]
        if systems:
            sold = {n: sum(offered[n][1].get(p, 0) for p in systems) * u for n, u in units.items()}
            mine_units = sum(count for n, count in sold.items() if offered[n][0] == share.vendor)
            everything = sum(sold.values()) + odm_more
            if share.at_most is not None and mine_units > share.at_most * everything + 1e-9:
                return False
            if share.at_least is not None and mine_units < share.at_least * everything - 1e-9:
                return False
    return True


def _join(a: Ordering, b: Ordering) -> Ordering:
    spend: dict[str, int] = dict(a.spend)
    for vendor, paid in b.spend:
        spend[vendor] = spend.get(vendor, 0) + paid
    return Ordering(
        {**a.units, **b.units},
        a.capex + b.capex,
        a.opex + b.opex,
        a.tco + b.tco,
        max(a.days, b.days),
        tuple(sorted(spend.items())),
    )


def _undominated(ways: list[Ordering]) -> list[Ordering]:
    kept: list[Ordering] = []
    for way in sorted(ways, key=lambda w: w.vector):
        if not any(all(x <= y for x, y in zip(other.vector, way.vector, strict=True)) for other in kept):
            kept.append(way)
    return kept
