"""Carbon over the horizon: grid carbon of typical power, and embodied carbon per accelerator as the instance assumes it."""

from __future__ import annotations

from models.formulation.core import CARBON_QUANTUM, Core
from models.formulation.family import Direction, objective
from models.formulation.linear import Linear
from models.formulation.totals import carbon as total
from models.instance import Instance
from models.units import KILOGRAM


@objective(
    name="carbon",
    direction=Direction.MINIMISE,
    unit=KILOGRAM,
    quantum=CARBON_QUANTUM,
    column="carbon_t",
    scale=1e-3,
    title="carbon over the horizon",
)
def carbon(m: Core, inst: Instance, which: str | None) -> Linear:
    """Sum over placements [t]."""
    return total(m, inst)
