"""Supply: what a site needs has arrived by the date it is needed, within what vendors can deliver by then.

    sum_q  contents[q,part] * shipped[q,t]  >=  units[part, sites needed by t]            for every due date t but the last
    shipped[q,t]  <=  cap[q,t],     shipped[q,t]  <=  bought[q],     shipped[q,t]  <=  shipped[q,t+1]
    bought[q]  <=  cap[q,T]                                                              T the last due date
    units[named, sites needed by t]  <=  cap[r,t]                                          for every supply cap r
    bought[q]  <=  units of q that come within limits.lead_time,    no pods of systems available later

cap [units that can have arrived by the end of the quarter]  quotes.<q>.supply, lead_time and sourcing.supply.<r>, cumulative
from the first arrival on; units [count, of pods and plant]  see counts;  shipped, bought [integer]. Where all sites are needed by
one date, ``shipped`` is ``bought`` and has no columns of its own.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from math import floor

import numpy as np

from models.candidates.offers import Arrival, Offer, order_date
from models.candidates.priced_parts import priced_parts
from models.formulation.arrivals import available_after, come_within, last_due
from models.formulation.core import Core
from models.formulation.counts import units
from models.formulation.family import BindingRow, family
from models.formulation.linear import Block, Kind, Linear
from models.formulation.selection import Asked, units_asked
from models.formulation.totals import violators
from models.instance import Instance
from models.parts.quarter import Quarter


@family(reads=("use", "units", "bought"))
def supply(m: Core, inst: Instance) -> None:
    """Adds arrival rows of offers and of supply caps."""
    _add_lead_time(m, inst)
    dates = list(due_dates(m, inst))
    shipped = {offer.name: _shipments(m, offer, [quarter for quarter, _ in dates]) for offer in m.candidates.offers}
    for number, (quarter, sites) in enumerate(dates[:-1]):
        for part in m.candidates.offers.parts:
            needed = Linear.total([units(m, part, site=site) for site in sites])
            come = [shipped[o.name][number] * o.contents[part] for o in m.candidates.offers.selling(part)]
            m.at_least("arrived", (part, repr(quarter)), Linear.total(come) - needed, 0, "", "")
    for name, cap in inst.sourcing.supply.items():
        first = order_date(inst) + dt.timedelta(days=cap.lead_time / 86400.0)
        arrival = Arrival(first, tuple(sorted(cap.per_quarter.items(), key=lambda item: item[0].index)), cap.continues)
        for quarter, sites in dates:
            asked = Asked(part=cap.part, vendor=cap.vendor, layer=cap.layer, sites=sites)
            here = _capped_units(m, asked, shipped, [q for q, _ in dates].index(quarter))
            limit = arrival.by(quarter)
            assert limit is not None
            m.at_most("cap", (name, repr(quarter)), here, limit, "units", f"sourcing.supply.{name}.per_quarter")


def due_dates(m: Core, inst: Instance) -> Iterator[tuple[Quarter, tuple[str, ...]]]:
    """Every date some site is needed by, in order, with all sites needed by then."""
    due = {site: inst.sites[site].needed_by for site in inst.sites}
    for index in sorted({quarter.index for quarter in due.values()}):
        sites = tuple(site for site, quarter in due.items() if quarter.index <= index)
        yield next(quarter for quarter in due.values() if quarter.index == index), sites


def _shipments(m: Core, offer: Offer, dates: list[Quarter]) -> list[Linear]:
    """Units of an offer that have come by each date: columns for all dates but the last, by which everything has come."""
    ordered = m.read(f"ordered[{offer.name}]")
    most = float(m.blocks[f"bought[{offer.name}]"].upper or 0.0) * len(m.blocks[f"bought[{offer.name}]"])
    come = []
    if len(dates) > 1:
        keys = tuple(repr(quarter) for quarter in dates[:-1])
        block = m.add_block(Block(f"shipped[{offer.name}]", keys, Kind.INTEGER, most))
        come = [Linear({block.name: np.eye(len(keys))[number]}) for number in range(len(keys))]
    come.append(ordered)
    for number, quarter in enumerate(dates):
        cap = offer.arrival.by(quarter)
        if cap is not None:
            index = (offer.name, repr(quarter))
            m.at_most("arrival", index, come[number], cap, "units", _field(offer))
        if number + 1 < len(dates):
            m.at_most("order", (offer.name, repr(quarter)), come[number] - come[number + 1], 0, "", "")
    return come


def _field(offer: Offer) -> str:
    return f"{offer.source_field}.{'lead_time' if offer.arrival.per_quarter is None else 'supply'}"


def _capped_units(m: Core, asked: Asked, shipped: dict[str, list[Linear]], number: int) -> Linear:
    """Units a cap counts: what sites need of a part, and of a vendor's quoted parts what has come from that vendor."""
    if asked.vendor is None or not m.candidates.offers:
        return units_asked(m, asked)
    known, offered = priced_parts(m.instance.catalogue), set(m.candidates.offers.parts)
    total = units_asked(m, asked, lambda part: part.id not in offered)
    for offer in m.candidates.offers:
        for part, count in offer.contents.items():
            if asked.part_matches(known[part]) and asked.vendor_matches(known[part], offer.vendor):
                total = total + shipped[offer.name][number] * (count * known[part].weight_in(asked.layer))
    return total


def _add_lead_time(m: Core, inst: Instance) -> None:
    """``limits.lead_time``: nothing is bought that would come later."""
    stated = inst.limits.lead_time
    if stated is None:
        return
    days, source = floor(stated.value / 86400.0 + 1e-9), "limits.lead_time"
    for offer in m.candidates.offers:
        most = come_within(offer, order_date(inst), days, last_due(inst))
        if most is not None:
            m.at_most("lead_time", (offer.name,), m.read(f"ordered[{offer.name}]"), most, "units", source)
    for cluster in inst.workloads:
        late = violators(m, cluster, lambda p: available_after(m, p) <= days)
        m.at_most("lead_time_of_each", (cluster,), late, 0, "pods that come too late", source)


@supply.says
def _(row: BindingRow) -> str:
    if row.what == "lead_time_of_each":
        return f"cluster {row.index[0]} may only use systems that are available within the lead time"
    if row.what == "lead_time":
        return f"quote {row.index[0]} delivers {row.value:,.0f} of the {row.limit:,.0f} units that come within the lead time"
    who = f"quote {row.index[0]}" if row.what == "arrival" else f"supply of {row.index[0]}"
    return f"{who} can deliver no more than {row.limit:,.0f} units by {row.index[1]}"
