"""Concentration: the largest vendor's spend, so that no supplier holds more of a design than it must.

    t  >=  spend[v]                                                             for every vendor v

spend [kUSD before charges]  of placements, plant units and orders, by who sells the part; one-off costs of a quote included.
A vendor's share is a ratio and so a limit (see sourcing); its spend is linear.
"""

from __future__ import annotations

from math import ceil

import numpy as np

from models.formulation.bounds import most_of
from models.formulation.core import MONEY_QUANTUM, Core
from models.formulation.families.sourcing import vendor_key
from models.formulation.family import Direction, objective
from models.formulation.linear import Block, Kind, Linear
from models.formulation.selection import Asked, spend_asked, vendors_of
from models.instance import Instance
from models.units import USD


@objective(
    name="concentration",
    direction=Direction.MINIMISE,
    unit=USD,
    quantum=MONEY_QUANTUM,
    column="concentration_usd",
    title="largest vendor's spend",
)
def concentration(m: Core, inst: Instance, which: str | None) -> Linear:
    """The variable t, at least the spend with every vendor [kUSD]."""
    spend = {vendor: spend_asked(m, Asked(vendor=vendor)) for vendor in vendors_of(m, Asked())}
    most = max([most_of(m, total) for total in spend.values()] or [0.0])
    block = m.add_block(Block("largest_spend", ("t",), Kind.INTEGER, float(ceil(most) + 1)))
    largest = Linear({block.name: np.ones(1)})
    m.within("concentration")
    for vendor, total in spend.items():
        m.at_least("spend", (vendor_key(vendor),), largest - total, 0, "kUSD", "")
    return largest
