"""What may be ordered at which price: the quotes that hold, and the catalogue's estimate where a part is only in bundles.

A part that any quote names leaves the cost of pods and plant: it is bought through offers alone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from models.candidates.priced_parts import PricedPart, priced_parts
from models.candidates.rejection import Rejection, Stage
from models.instance import Instance
from models.parts.calendar import last_day, quarter_of
from models.parts.part import PriceRange
from models.parts.quarter import Quarter
from models.physics.cost import PriceBasis
from models.quotes import Quote, TierKind

ESTIMATE = "estimate."
"""Before the part's id: the name of an offer at the catalogue's price."""


@dataclass(frozen=True)
class Arrival:
    """When units can arrive: from ``first`` on, ``per_quarter`` units in each quarter (None: any number)."""

    first: dt.date | None = None
    per_quarter: tuple[tuple[Quarter, int], ...] | None = None
    continues: bool = False

    def by(self, quarter: Quarter) -> int | None:
        """Units that can have arrived by the end of ``quarter``; None where nothing limits them."""
        if self.first is not None and self.first > last_day(quarter):
            return 0
        if self.per_quarter is None:
            return None
        first = quarter_of(self.first).index if self.first is not None else 0
        total = sum(n for when, n in self.per_quarter if first <= when.index <= quarter.index)
        if self.continues:
            last, rate = max(self.per_quarter, key=lambda entry: entry[0].index)
            total += rate * max(0, quarter.index - max(last.index, first - 1))
        return total


@dataclass(frozen=True)
class Offer:
    """One way to buy: ``contents`` (units of each part in one unit), and prices [USD] from each of ``starts`` units on.

    ``low`` and ``high`` [USD per tier] are the ends of the range, equal for a quote.
    """

    name: str
    vendor: str
    contents: Mapping[str, int]
    starts: tuple[int, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    incremental: bool
    minimum: int
    one_off: float
    arrival: Arrival
    source_field: str
    quote: Quote | None

    @property
    def is_bundle(self) -> bool:
        """Whether one unit is more than one unit of one part."""
        return len(self.contents) > 1 or next(iter(self.contents.values())) != 1

    def prices(self, basis: PriceBasis) -> tuple[float, ...]:
        """Unit price of each tier [USD] on a basis."""
        return tuple(PriceRange(a, b).at(basis) for a, b in zip(self.low, self.high, strict=True))

    def last_of(self, tier: int) -> int | None:
        """Largest number of units in a tier; None for the last one."""
        return self.starts[tier + 1] - 1 if tier + 1 < len(self.starts) else None


@dataclass(frozen=True)
class Offers:
    """Offers by name, the parts they sell, and quotes that do not hold with their reason."""

    by_name: Mapping[str, Offer] = field(default_factory=dict)
    rejections: tuple[Rejection, ...] = ()

    def __iter__(self) -> Iterator[Offer]:
        return iter(self.by_name.values())

    def __bool__(self) -> bool:
        return bool(self.by_name)

    @cached_property
    def parts(self) -> tuple[str, ...]:
        """Ids of the parts that are bought through offers, each once."""
        return tuple(dict.fromkeys(part for offer in self.by_name.values() for part in offer.contents))

    def selling(self, part: str) -> tuple[Offer, ...]:
        """Offers that contain a part."""
        return tuple(offer for offer in self.by_name.values() if part in offer.contents)


def order_date(instance: Instance) -> dt.date:
    """The day orders are placed: the instance's own, or the first day of its price date."""
    return instance.order_date.first


def lead_days(quote: Quote, ordered: dt.date) -> float | None:
    """Lead time [days] of an order placed on a day: of the quarter, or of the last one stated before it; None where unknown."""
    stated = quote.lead_time
    if stated is None:
        return None
    if isinstance(stated, dict):
        asked = quarter_of(ordered)
        past = [quarter for quarter in stated if quarter.index <= asked.index]
        chosen = max(past, key=lambda q: q.index) if past else min(stated, key=lambda q: q.index)
        return stated[chosen] / 86400.0
    return stated / 86400.0


def offers_of(instance: Instance) -> Offers:
    """Every offer of an instance: its valid quotes, and estimates for parts that come in bundles only."""
    quotes, expired = instance.valid_quotes
    if not quotes:
        return Offers({}, tuple(_expired(instance, expired)))
    ordered, known = order_date(instance), priced_parts(instance.catalogue)
    found: dict[str, Offer] = {}
    for name, quote in quotes.items():
        if all(part in known for part in quote.contents):
            found[name] = _offer(name, quote, ordered)
    single = {part for offer in found.values() if not offer.is_bundle for part in offer.contents}
    bundled = {part: None for offer in found.values() for part in offer.contents if part not in single}
    for part in bundled:
        found[f"{ESTIMATE}{part}"] = _estimate(known[part])
    return Offers(found, tuple(_expired(instance, expired)))


def _expired(instance: Instance, names: Mapping[str, Quote]) -> list[Rejection]:
    said = []
    for name, quote in names.items():
        reason = f"quote of {quote.vendor} valid until {quote.valid_until}, orders are placed on {order_date(instance)}"
        said.append(Rejection(name, Stage.CATALOGUE, reason))
    return said


def _offer(name: str, quote: Quote, ordered: dt.date) -> Offer:
    days = lead_days(quote, ordered)
    nothing_said = days is None and quote.supply is None
    first = None if nothing_said else ordered + dt.timedelta(days=days or 0.0)
    supply = None if quote.supply is None else tuple(sorted(quote.supply.items(), key=lambda item: item[0].index))
    starts, prices = zip(*quote.steps, strict=True)
    return Offer(
        name=name,
        vendor=quote.vendor,
        contents=quote.contents,
        starts=starts,
        low=prices,
        high=prices,
        incremental=quote.tier_kind is TierKind.INCREMENTAL,
        minimum=max(quote.minimum_order, starts[0] if starts[0] > 1 else 0),
        one_off=quote.one_off,
        arrival=Arrival(first, supply, quote.supply_continues),
        source_field=f"quotes.{name}",
        quote=quote,
    )


def _estimate(part: PricedPart) -> Offer:
    return Offer(
        name=f"{ESTIMATE}{part.id}", vendor=part.part.vendor, contents={part.id: 1}, starts=(1,), low=(part.price.low,),
        high=(part.price.high,), incremental=False, minimum=0, one_off=0.0, arrival=Arrival(), source_field="quotes",
        quote=None,
    )  # fmt: skip
