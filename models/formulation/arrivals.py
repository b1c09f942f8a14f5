"""When things arrive, in whole days after the order: of orders by quote, of systems by the quarter they are promised for."""

from __future__ import annotations

import datetime as dt
from math import ceil

import numpy as np

from models.candidates.offers import Arrival, Offer, order_date
from models.candidates.placement import Placements
from models.formulation.core import Core
from models.formulation.linear import Floats
from models.instance import Instance
from models.parts.calendar import last_day, quarter_of
from models.parts.quarter import Quarter


def available_after(m: Core, placements: Placements) -> Floats:
    """Days from the order until the system of each placement is available: the end of its quarter, 0 where that has passed."""
    ordered = order_date(m.instance)
    days = [
        max(0, (last_day(rack.system.available) - ordered).days) if rack.system.available is not None else 0
        for rack in placements.pods.racks
    ]
    return np.asarray(np.array(days, dtype=np.float64)[placements.pods.rack][placements.pod], dtype=np.float64)


def arrival_steps(arrival: Arrival, ordered: dt.date, last: Quarter) -> list[tuple[int, int | None]]:
    """Days after the order, and units that have come by then (None: any number): the end of each quarter where quarters have
    their own supply, else the first arrival. Up to the quarter ``last``."""
    if arrival.per_quarter is None:
        return [(0 if arrival.first is None else ceil((arrival.first - ordered).days), None)]
    steps: list[tuple[int, int | None]] = []
    quarter, come = quarter_of(max(ordered, arrival.first or ordered)), -1
    while quarter.index <= last.index:
        total = arrival.by(quarter) or 0
        if total > max(come, 0):
            steps.append(((last_day(quarter) - ordered).days, total))
        come, quarter = total, _following(quarter)
    return steps


def _following(quarter: Quarter) -> Quarter:
    return Quarter(f"{quarter.year + quarter.number // 4}Q{quarter.number % 4 + 1}")


def last_due(instance: Instance) -> Quarter:
    """The last quarter any site is needed by."""
    return max((site.needed_by for site in instance.sites.values()), key=lambda quarter: quarter.index)


def come_within(offer: Offer, ordered: dt.date, days: float, last: Quarter) -> int | None:
    """Units of an offer that arrive within ``days`` of the order; None for any number."""
    within = [units for after, units in arrival_steps(offer.arrival, ordered, last) if after <= days]
    return within[-1] if within else 0
