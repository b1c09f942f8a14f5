"""How far a statement of purchasing has to give: the values it may take, nearest first, what an instance says then, and in which words.

| statement | moves |
|---|---|
| `sourcing.shares.S.at_most`, `at_least` | by hundredths of a percent |
| `sourcing.second_sources.S` | what each has at least, by hundredths of a percent; then fewer vendors; then none is asked for |
| `sourcing.supply.S`, `quotes.Q.supply` | by units that come by the first date a site has; where the first arrival is later, by days of the lead time |
| `quotes.Q.lead_time`, `limits.lead_time` | by days |
| `sites.S.needed_by`, where deliveries have dates | by quarters |

Each value leaves what those before it leave, so that the first one that leaves a design is found by halving. Candidates stay as they are,
dates of sites aside.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor
from typing import Any

from models.candidates.offers import lead_days, order_date
from models.instance import Instance
from models.parts.calendar import last_day, quarter_of
from models.parts.quarter import Quarter
from models.sourcing import SecondSource, ShareRule
from optimizer.explain.widening import far_quarter, replaced

PARTS = 10_000
"""Steps of a whole share."""
MOST_UNITS = 1 << 20
"""Units that a supply is looked at with beyond its own."""
DAY = 86400.0
SHARES = ("share_at_most", "share_at_least")
"""Rows of shares."""


@dataclass(frozen=True)
class Told:
    """A value as a file would have it: dotted ``field``, its ``text`` (None: the entry is taken out), and in words before and after."""

    field: str
    text: Any
    before: str
    after: str


@dataclass(frozen=True)
class Purchase:
    """A statement of purchasing by what it may become: ``steps``, the nearest first; ``apply`` makes one, ``told`` says it.

    ``remakes``: candidates must be made again.
    """

    now: float
    steps: Sequence[float]
    apply: Callable[[Instance, float], Instance]
    told: Callable[[float], Told]
    remakes: bool = False


def purchase_of(instance: Instance, name: str) -> Purchase | None:
    """The statement called ``name``, None where it is none of purchasing or moves in a row of the program."""
    head, *rest = name.split(".")
    if head == "sourcing" and rest[0] == "shares":
        return _share(instance.sourcing.shares[rest[1]], name)
    if head == "sourcing" and rest[0] == "second_sources":
        return _second_source(instance.sourcing.second_sources[rest[1]], name.rpartition(".")[0])
    if head == "sourcing" and rest[0] == "supply":
        cap = instance.sourcing.supply[rest[1]]
        return _supply(instance, f"sourcing.supply.{rest[1]}", "per_quarter", cap.per_quarter, cap.lead_time / DAY)
    if head == "quotes" and rest[0] in instance.document.quotes and rest[-1] in ("supply", "lead_time"):
        quote = instance.document.quotes[rest[0]]
        days = lead_days(quote, order_date(instance))
        if quote.supply is not None:
            return _supply(instance, f"quotes.{rest[0]}", "supply", quote.supply, days or 0.0)
        return _sooner(f"quotes.{rest[0]}.lead_time", days or 0.0)
    if name == "limits.lead_time" and instance.limits.lead_time is not None:
        return _later(instance, instance.limits.lead_time.value)
    if head == "sites" and rest[-1] == "needed_by" and _dated(instance):
        return _needed_by(instance, name)
    return None


def _dated(instance: Instance) -> bool:
    """Whether anything else than the systems themselves arrives by a date."""
    quotes = instance.valid_quotes[0].values()
    return bool(instance.sourcing.supply) or any(q.lead_time is not None or q.supply is not None for q in quotes)


def _percent(value: float) -> str:
    return f"{value * 100:.10g} %"


def _share(rule: ShareRule, name: str) -> Purchase | None:
    side = name.rpartition(".")[2]
    stated = getattr(rule, side)
    if stated is None:
        return None
    if side == "at_most":
        steps = tuple(n / PARTS for n in range(floor(stated * PARTS + 1e-9) + 1, PARTS + 1))
    else:
        steps = tuple(n / PARTS for n in range(ceil(stated * PARTS - 1e-9) - 1, -1, -1))
    what = f"of {rule.layer.value if rule.layer is not None else 'all'} {rule.measure.value}"
    words = "at most" if side == "at_most" else "at least"
    who = rule.vendor if rule.vendor is not None else "any vendor"

    def told(value: float) -> Told:
        said = [f"{who} {words} {_percent(share)} {what}" for share in (stated, value)]
        return Told(name, _percent(value), said[0], said[1])

    return Purchase(stated, steps, lambda i, value: replaced(i, name, value), told)


def _second_source(source: SecondSource, field: str) -> Purchase:
    """Steps below zero are numbers of vendors, zero is no second source."""
    shares = tuple(n / PARTS for n in range(ceil(source.each_at_least * PARTS - 1e-9) - 1, 0, -1))
    fewer = tuple(-float(n) for n in range(source.vendors - 1, 1, -1))
    what = source.part if source.part is not None else source.layer.value if source.layer is not None else ""

    def apply(instance: Instance, value: float) -> Instance:
        if value > 0:
            return replaced(instance, f"{field}.each_at_least", value)
        if value < 0:
            return replaced(
                replaced(instance, f"{field}.each_at_least", 1.0 / PARTS), f"{field}.vendors", round(-value)
            )
        kept = {n: s for n, s in instance.sourcing.second_sources.items() if n != field.rpartition(".")[2]}
        return replaced(instance, "sourcing.second_sources", kept)

    def told(value: float) -> Told:
        before = f"{source.vendors} vendors of {what}, each at least {_percent(source.each_at_least)} of {source.measure.value}"
        if value > 0:
            after = f"{source.vendors} vendors of {what}, each at least {_percent(value)} of {source.measure.value}"
            return Told(f"{field}.each_at_least", _percent(value), before, after)
        if value < 0:
            each = _percent(1.0 / PARTS)
            text = {"vendors": round(-value), "each_at_least": each}
            return Told(field, text, before, f"{round(-value)} vendors of {what}, each at least {each}")
        return Told(field, None, before, f"one vendor of {what} may do")

    return Purchase(source.each_at_least, (*shares, *fewer, 0.0), apply, told)


def _supply(instance: Instance, owner: str, last: str, stated: Mapping[Quarter, int], days: float) -> Purchase:
    """More units by the first date that counts; a first arrival after it has to come sooner."""
    ordered = order_date(instance)
    due = min((site.needed_by for site in instance.sites.values()), key=lambda quarter: quarter.index)
    first = quarter_of(ordered + dt.timedelta(days=days))
    if first.index > due.index:
        return _sooner(f"{owner}.lead_time", days)
    field = f"{owner}.{last}"

    def more(units: float) -> dict[Quarter, int]:
        found, last = dict(stated), max(stated, key=lambda quarter: quarter.index)
        if _continues(instance, owner):
            # what goes on from the last figure is written out past this quarter, so that the units come once
            found |= {quarter_at(n): found[last] for n in range(last.index + 1, due.index + 2)}
        found[due] = found.get(due, 0) + round(units)
        return dict(sorted(found.items(), key=lambda item: item[0].index))

    def told(value: float) -> Told:
        texts = [{quarter.text: n for quarter, n in table.items()} for table in (dict(stated), more(value))]
        said = [", ".join(f"{quarter} {n} units" for quarter, n in text.items()) for text in texts]
        return Told(field, texts[1], said[0], f"{said[1]} ({round(value):,} more by {due.text})")

    return Purchase(0.0, range(1, MOST_UNITS + 1), lambda i, value: replaced(i, field, more(value)), told)


def _continues(instance: Instance, owner: str) -> bool:
    kind, _, name = owner.rpartition(".")
    return (
        instance.document.quotes[name].supply_continues
        if kind == "quotes"
        else instance.sourcing.supply[name].continues
    )


def quarter_at(index: int) -> Quarter:
    """The quarter of an index."""
    year, number = divmod(index - 1, 4)
    return Quarter(f"{year}Q{number + 1}")


def _sooner(field: str, days: float) -> Purchase:
    steps = tuple(n * DAY for n in range(ceil(days) - 1, -1, -1))
    return _of_days(field, days * DAY, steps, "first units after")


def _later(instance: Instance, stated: float) -> Purchase:
    last = (last_day(far_quarter(instance)) - order_date(instance)).days
    steps = tuple(n * DAY for n in range(floor(stated / DAY + 1e-9) + 1, max(last, 1) + 1))
    return _of_days("limits.lead_time", stated, steps, "everything within")


def _of_days(field: str, now: float, steps: tuple[float, ...], words: str) -> Purchase:
    def told(value: float) -> Told:
        text = f"{round(value / DAY)} days"
        return Told(field, text, f"{words} {now / DAY:.10g} days", f"{words} {text}")

    return Purchase(now, steps, lambda i, value: replaced(i, field, value), told)


def _needed_by(instance: Instance, name: str) -> Purchase:
    stated = instance.sites[name.split(".")[1]].needed_by
    steps = tuple(float(n) for n in range(stated.index + 1, far_quarter(instance).index + 1))

    def told(value: float) -> Told:
        text = quarter_at(round(value)).text
        return Told(name, text, f"needed by {stated.text}", f"needed by {text}")

    return Purchase(
        float(stated.index), steps, lambda i, value: replaced(i, name, quarter_at(round(value))), told, remakes=True
    )
