"""Rack positions, node and network racks of all sites."""

from __future__ import annotations

from models.formulation.core import Core
from models.formulation.family import Direction, objective
from models.formulation.linear import Linear
from models.formulation.totals import floor as total
from models.instance import Instance
from models.units import FRACTION


@objective(
    name="floor", direction=Direction.MINIMISE, unit=FRACTION, quantum=1.0, column="floor_racks", title="rack positions"
)
def floor(m: Core, inst: Instance, which: str | None) -> Linear:
    """Sum over placements [racks]."""
    return total(m)
