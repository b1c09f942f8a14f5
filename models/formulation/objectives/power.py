"""Facility peak: design power of all sites with losses and cooling."""

from __future__ import annotations

from models.formulation.core import POWER_QUANTUM, Core
from models.formulation.family import Direction, objective
from models.formulation.linear import Linear
from models.formulation.totals import facility_power
from models.instance import Instance
from models.policy import PowerFigure
from models.units import WATT


@objective(
    name="power",
    direction=Direction.MINIMISE,
    unit=WATT,
    quantum=POWER_QUANTUM,
    column="power_kw",
    scale=1e-3,
    title="facility peak power",
)
def power(m: Core, inst: Instance, which: str | None) -> Linear:
    """Sum over placements [kW]."""
    return facility_power(m, PowerFigure.DESIGN)
