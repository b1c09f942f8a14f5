"""Units of switches, cables and modules a fabric buys."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.candidates.fabric_table import FabricTable

Ints = npt.NDArray[np.int64]

FABRIC_LEVELS = ("node_leaf", "leaf_spine", "spine_core")


def units_per_fabric(table: FabricTable, part: str) -> Ints:
    """Units of a switch, cable or module each fabric of a table buys."""
    switch = np.array([card.id == part for card in table.switches], dtype=np.int64)
    counts = switch[table.switch] * table.leaf + switch[table.spine_switch] * (table.spine + table.core)
    near = np.array([medium.near.id == part for medium in table.media] + [False], dtype=np.int64)
    far = np.array([medium.far.id == part for medium in table.media] + [False], dtype=np.int64)
    for level in FABRIC_LEVELS:
        # no such level reads -1, the last entry, which counts nothing
        medium = getattr(table, f"medium_{level}")
        counts = counts + near[medium] * getattr(table, f"near_units_{level}")
        counts = counts + far[medium] * getattr(table, f"far_units_{level}")
    return np.asarray(counts, dtype=np.int64)
