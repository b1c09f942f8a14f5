"""The fewest rings of blocks that hold some racks, by a program of its own: every rack on a pair, every block lost in turn."""

from __future__ import annotations

from functools import cache
from itertools import combinations_with_replacement, product
from math import ceil

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


def racks_in(ring: Ring, load: int) -> int:
    """Most racks of one load in a ring: one more on every block as long as the worst survivor holds."""
    if ring.topology.value == "block_redundant":
        return ring.needed * (ring.capacity // load)
    on_block = 0
    while (on_block + 1 + ceil((on_block + 1) / (ring.blocks - 1))) * load <= 2 * ring.capacity:
        on_block += 1
    return ring.blocks * on_block // 2


def shared_rooms(ring: Ring, load: int) -> list[tuple[int, int]]:
    """Large and whole load [kW] of rings shared by racks of up to ``load`` kW."""
    small, usable = ring.largest_small, ring.needed * ring.capacity
    if ring.topology.value == "block_redundant":
        return [(usable - ring.needed * load, usable - ring.needed * small)]
    pairs = ring.blocks * (ring.blocks - 1) // 2
    uneven = pairs - (ring.blocks - 1)
    even = (usable - (uneven + pairs) * load, usable - (uneven + 1) * small)
    return [even, (usable - (uneven + 1) * load, usable - uneven * load - small)]


@cache
def fewest_shared(ring: Ring, nodes: Racks, small: int) -> int:
    """The fewest rings, every number of full ones tried, that have room for node racks and ``small`` kW of others beside them."""
    counted: dict[int, int] = {}
    for load, number in nodes:
        counted[load] = counted.get(load, 0) + number
    loads = sorted((load for load, number in counted.items() if number), reverse=True)
    if not loads and not small:
        return 0
    most = [-(-counted[load] // racks_in(ring, load)) for load in loads]
    best = sum(most) + -(-small // max(1, shared_rooms(ring, ring.largest_small)[0][1]))
    for full in product(*(range(number + 1) for number in most)):
        rest = {w: max(0, counted[w] - f * racks_in(ring, w)) for w, f in zip(loads, full, strict=True)}
        while sum(full) < best:
            if not _shared_hold(ring, rest, small, best - 1 - sum(full)):
                break
            best -= 1
    return best


def _shared_hold(ring: Ring, rest: dict[int, int], small: int, rings: int) -> bool:
    """Whether some ways to share so many rings leave room."""
    large = [w for w, number in rest.items() if w > ring.largest_small and number]
    total = small + sum(w * number for w, number in rest.items())
    if rings <= 0 or total > rings * ring.needed * ring.capacity:
        return total == 0 and rings >= 0
    ways = [(w, *room) for w in (*large, ring.largest_small) for room in shared_rooms(ring, w)]
    ways = [way for way in ways if way[1] > 0 or way[0] == ring.largest_small]
    for chosen in combinations_with_replacement(ways, rings):
        fits = total <= ring.largest_small + sum(whole for _, _, whole in chosen)
        for w in large:
            allowed = [room for widest, room, _ in chosen if widest >= w]
            above = sum(v * number for v, number in rest.items() if v >= w)
            fits &= bool(allowed) and above <= w + sum(allowed) and rest[w] <= racks_in(ring, w) * len(allowed)
        if fits:
            return True
    return False
