"""How the racks of a pod stand in the rows of its site: the plan behind upper bounds of cable lengths."""

from __future__ import annotations

from math import ceil

from models.physics.network.lengths import RackPlan
from models.site import RowPlan


def rack_plan(rows: RowPlan, nodes_per_rack: int, positions: int) -> RackPlan:
    """Racks of ``nodes_per_rack`` nodes that take ``positions`` rack positions each, fewer of them to a row."""
    return RackPlan(
        nodes_per_rack=nodes_per_rack,
        racks_per_row=max(rows.racks_per_row // positions, 1),
        rack_pitch=rows.rack_pitch * positions,
        row_pitch=rows.row_pitch,
        rise=rows.tray_height,
    )


def positions_of(width: float, pitch: float) -> int:
    """Rack positions of a row with this ``pitch`` [m] that a frame of ``width`` [m] takes; rounding of the quotient aside."""
    return max(1, ceil(width / pitch - 1e-9))
