"""The fewest rings of blocks that hold some racks, by a program of its own: every rack on a pair, every block lost in turn."""

from __future__ import annotations

from functools import cache

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from models.candidates.block_rings import Ring
from models.physics.power_redundancy import failover_coefficients

Racks = tuple[tuple[int, int], ...]
"""Load [kW] and number of racks of every kind."""


@cache
def holds(ring: Ring, racks: Racks, rings: int) -> bool:
    """Whether so many rings have room for the racks whichever block of each fails."""
    weights = failover_coefficients(ring.groups)
    rows = weights.reshape(-1, weights.shape[-1])
    groups, kinds = rows.shape[1], len(racks)
    loads = np.array([load for load, _ in racks], dtype=float)
    survivors = np.kron(np.eye(rings), np.kron(rows, loads[None, :]))
    everywhere = np.kron(np.ones((1, rings * groups)), np.eye(kinds))
    wanted = np.array([number for _, number in racks], dtype=float)
    found = milp(
        np.zeros(rings * groups * kinds),
        constraints=[LinearConstraint(survivors, -np.inf, ring.capacity), LinearConstraint(everywhere, wanted, wanted)],
        integrality=np.ones(rings * groups * kinds),
        bounds=Bounds(0, np.inf),
    )
    assert found.status in (0, 2)
    return bool(found.status == 0)


def fewest_rings(ring: Ring, racks: Racks) -> int:
    """Counted up from what the load alone would fill."""
    kinds: dict[int, int] = {}
    for load, number in racks:
        kinds[load] = kinds.get(load, 0) + number
    told = tuple(sorted((load, number) for load, number in kinds.items() if number and load))
    rings = max(1, -(-sum(load * number for load, number in told) // ring.usable))
    while not holds(ring, told, rings):
        rings += 1
    return rings
