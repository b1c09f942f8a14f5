"""Sourcing: what is needed is ordered, within vendors' shares, and from second sources where they are asked for.

    sum_q  contents[q,part] * bought[q]  >=  units[part]                               for every part that is quoted
    v  -  most * total  <=  0,     v  -  least * total  >=  0                          for every share rule
    v  <=  limits.concentration                                                        for every vendor, where it is stated
    v  -  each * total  -  M * source[r,v]  >=  -M,    sum_v source[r,v]  >=  vendors     for every second source r

units [count, of pods and plant]  see counts;  bought, tier, paid  orders, see purchases;  v, total [kUSD before charges, or units;
accelerators in silicon]  a vendor's part of a layer and all of it. Linear at a fixed share; M is the share of the largest total
the candidates allow, so that a source that is not counted is not bound. Surplus units may be bought to reach a cheaper tier.
"""

from __future__ import annotations

from math import floor

import numpy as np

from models.formulation.bounds import most_of
from models.formulation.core import MONEY_QUANTUM, Core
from models.formulation.family import BindingRow, family
from models.formulation.linear import Block, Kind, Linear
from models.formulation.purchases import add_orders
from models.formulation.selection import Asked, spend_asked, units_asked, vendors_of
from models.instance import Instance
from models.sourcing import SecondSource, ShareMeasure, ShareRule


@family(reads=("use", "units"), adds=("bought",))
def sourcing(m: Core, inst: Instance) -> None:
    """Adds orders, share rows and second sources."""
    add_orders(m)
    m.express("bought", Linear.total([m.read(f"ordered[{offer.name}]") for offer in m.candidates.offers]))
    for name, rule in inst.sourcing.shares.items():
        _add_share(m, name, rule)
    if inst.limits.concentration is not None:
        most = floor(inst.limits.concentration.value / MONEY_QUANTUM + 1e-9)
        for vendor in vendors_of(m, Asked()):
            spend = spend_asked(m, Asked(vendor=vendor))
            m.at_most("concentration", (vendor_key(vendor),), spend, most, "kUSD", "limits.concentration")
    for name, source in inst.sourcing.second_sources.items():
        _add_second_source(m, name, source)


def measured(m: Core, measure: ShareMeasure, asked: Asked) -> Linear:
    """Spend [kUSD] or units of what is asked."""
    return spend_asked(m, asked) if measure is ShareMeasure.SPEND else units_asked(m, asked)


def unit_of(measure: ShareMeasure) -> str:
    """Unit of a share row."""
    return "kUSD" if measure is ShareMeasure.SPEND else "units"


def _add_share(m: Core, name: str, rule: ShareRule) -> None:
    whole = Asked(layer=rule.layer)
    total = measured(m, rule.measure, whole)
    for vendor in [rule.vendor] if rule.vendor is not None else vendors_of(m, whole):
        part = measured(m, rule.measure, Asked(layer=rule.layer, vendor=vendor))
        where, unit = (name, vendor_key(vendor)), unit_of(rule.measure)
        if rule.at_most is not None:
            m.at_most("share_at_most", where, part - total * rule.at_most, 0, unit, f"sourcing.shares.{name}.at_most")
        if rule.at_least is not None:
            m.at_least(
                "share_at_least", where, part - total * rule.at_least, 0, unit, f"sourcing.shares.{name}.at_least"
            )


def vendor_key(vendor: str) -> str:
    """A vendor's name without the characters that row names give a meaning."""
    return "".join(c if c.isalnum() or c in "._-" else "_" for c in vendor) or "unnamed"


def _add_second_source(m: Core, name: str, source: SecondSource) -> None:
    whole = Asked(part=source.part, layer=source.layer)
    total = measured(m, source.measure, whole)
    vendors = vendors_of(m, whole, catalogue=True)
    field = f"sourcing.second_sources.{name}"
    keys = tuple(vendor_key(vendor) for vendor in vendors)
    if len(keys) < source.vendors:
        m.at_most("second_source", (name,), total, 0, unit_of(source.measure), f"{field}.vendors")
        return
    block = m.add_block(Block(f"source[{name}]", keys, Kind.BINARY))
    room = source.each_at_least * most_of(m, total)
    for number, vendor in enumerate(vendors):
        counted = np.zeros(len(keys))
        counted[number] = room
        part = measured(m, source.measure, Asked(part=source.part, layer=source.layer, vendor=vendor))
        short = part - total * source.each_at_least - Linear({block.name: counted})
        m.at_least("source_share", (name, keys[number]), short, -room, "", "")
    everyone = Linear({block.name: np.ones(len(keys))})
    m.at_least("second_source", (name,), everyone, source.vendors, "vendors", f"{field}.vendors")


@sourcing.says
def _(row: BindingRow) -> str:
    if row.what == "second_source":
        return f"second source {row.index[0]} is met by no more vendors than it asks for"
    if row.what == "concentration":
        return f"spend with {row.index[0]} is at the limit on concentration: {row.value:,.0f} of {row.limit:,.0f} kUSD"
    side = "largest" if row.what == "share_at_most" else "smallest"
    return f"{row.index[1]} has its {side} share under {row.index[0]}"
