"""How the racks of a pod stand in the rows of its site: the plan behind upper bounds of cable lengths."""

from __future__ import annotations

from math import ceil

from models.parts.cooling import Cooling
from models.physics.network.lengths import RackPlan
from models.site import EquipmentUse, RowPlan

UNIT_DEPTH = 1.2
"""Depth [m] of a unit that stands in a row and states none: that of the racks beside it."""
UNIT_LEAST_WIDTH = 0.3
"""Least width [m] that a unit on the floor is taken to have, however small its footprint."""


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


def unit_ground(part: Cooling) -> tuple[float, float]:
    """Width and depth [m] of a unit on the floor, from its footprint; zeros where the catalogue has none."""
    ground = part.footprint or 0.0
    depth = min(part.depth or UNIT_DEPTH, ground / UNIT_LEAST_WIDTH)
    return (ground / depth, depth) if ground else (0.0, 0.0)


def unit_positions(rows: RowPlan, use: EquipmentUse, part: Cooling) -> int:
    """Positions in a row that one unit takes where its option counts any: as many as stated, and no fewer than its width covers."""
    if not use.positions:
        return 0
    return max(use.positions, positions_of(unit_ground(part)[0], rows.rack_pitch))
