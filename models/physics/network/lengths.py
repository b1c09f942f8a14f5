"""Upper bounds of cable lengths from the rack plan.

Racks stand in rows of ``racks_per_row``; cables rise to a tray, run along the row and across rows, and come down again.
Switches of a tier stand in the middle of the racks they join, so that a run is at most

    2 * rise + rack_pitch * (ceil(w / 2) + ceil(k / 2)) + row_pitch * floor(rows / 2)

for a block of racks w wide and ``rows`` deep that holds k racks of switches. A leaf whose nodes all share its rack is cabled inside it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.physics.network.clos import ceil_div

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RackPlan:
    """How racks stand on the floor; lengths in m.

    ``rise`` is the run from the worst port up to the tray, slack included; ``in_rack`` the longest run inside one rack;
    ``network_rack_units`` the rack units that a rack of switches offers.
    """

    nodes_per_rack: int
    racks_per_row: int = 16
    rack_pitch: float = 0.6
    row_pitch: float = 3.0
    rise: float = 2.0
    in_rack: float = 2.0
    network_rack_units: int = 40

    def network_racks(self, rack_units: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Racks that hold ``rack_units`` of switches."""
        return np.asarray(np.ceil(np.asarray(rack_units, dtype=float) / self.network_rack_units - 1e-9), dtype=np.int64)

    def node_racks(self, nodes: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Racks that hold ``nodes`` nodes."""
        return ceil_div(nodes, self.nodes_per_rack)

    def run(self, racks: npt.ArrayLike, switch_racks: npt.ArrayLike) -> Floats:
        """Longest run [m] from any of ``racks`` racks to the switches in their middle, over the tray."""
        middle = np.asarray(switch_racks, dtype=np.int64)
        block = np.asarray(racks, dtype=np.int64) + middle
        width = np.minimum(block, self.racks_per_row)
        rows = ceil_div(block, self.racks_per_row)
        along = self.rack_pitch * (ceil_div(width, 2) + ceil_div(np.minimum(middle, self.racks_per_row), 2))
        return np.asarray(2.0 * self.rise + along + self.row_pitch * (rows // 2), dtype=float)
