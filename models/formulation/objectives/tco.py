"""Total cost of ownership over the horizon: capex, and maintenance and energy at present value."""

from __future__ import annotations

from models.formulation.core import MONEY_QUANTUM, Core
from models.formulation.family import Direction, objective
from models.formulation.linear import Linear
from models.formulation.totals import tco as total
from models.instance import Instance
from models.units import USD


@objective(
    name="tco",
    direction=Direction.MINIMISE,
    unit=USD,
    quantum=MONEY_QUANTUM,
    column="tco_usd",
    title="total cost of ownership",
)
def tco(m: Core, inst: Instance, which: str | None) -> Linear:
    """Sum over placements and plant units [kUSD]."""
    return total(m)
