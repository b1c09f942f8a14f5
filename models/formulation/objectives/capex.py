"""Capital cost: equipment with charges, shell and plant units."""

from __future__ import annotations

from models.formulation.core import MONEY_QUANTUM, Core
from models.formulation.family import Direction, objective
from models.formulation.linear import Linear
from models.formulation.totals import capex as total
from models.instance import Instance
from models.units import USD


@objective(
    name="capex",
    direction=Direction.MINIMISE,
    unit=USD,
    quantum=MONEY_QUANTUM,
    column="capex_usd",
    title="capital cost",
)
def capex(m: Core, inst: Instance, which: str | None) -> Linear:
    """Sum over placements and plant units [kUSD]."""
    return total(m)
