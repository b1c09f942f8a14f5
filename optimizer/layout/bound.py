"""A lower bound on the total way of the cables of a pod, whatever the arrangement of its racks.

A node's links to a leaf and the leaf's links to a spine are one path, and no path is shorter than the straight way (triangle inequality).
So the flow of each node is followed up as far as each switch passes it on (uplinks over links below, at most all); at the switch where
it ends it is a link from the node's rack straight to that switch's rack. Around a rack the distances to others are at least the
smallest distances there are from its position, each position once: flows in descending times distances in ascending order. Which rack
takes which position is then a linear assignment, whose optimum bounds every arrangement. Every share passed on gives a valid bound.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from optimizer.layout.hall import Hall, bays_of

Floats = npt.NDArray[np.float64]

SHARES = (1.0, 0.8, 0.6, 0.4)


@dataclass(frozen=True)
class Flows:
    """Who is joined to whom: ``links`` cables by (lower, upper) device, ``home`` the rack number of a device, ``tiers`` the switches,
    leaves first; ``slots`` positions that each rack takes.
    """

    links: Mapping[tuple[str, str], int]
    home: Mapping[str, int]
    tiers: Sequence[Sequence[str]]
    slots: Sequence[int]


def end_flows(flows: Flows, passing: Sequence[float]) -> Floats:
    """Flow [rack where paths end, rack where they begin]; ``passing`` is, by tier, the share of what could go on that does.

    What a switch does not pass on ends there, and as much of its uplinks begins there: every link counts once.
    """
    racks = len(flows.slots)
    below: dict[str, dict[str, int]] = {}
    above: dict[str, dict[str, int]] = {}
    for (lower, upper), count in flows.links.items():
        below.setdefault(upper, {})[lower] = count
        above.setdefault(lower, {})[upper] = count
    switches = {switch for tier in flows.tiers for switch in tier}
    ends = np.zeros((racks, racks))
    arriving: dict[str, Floats] = {}
    for tier, share in zip(flows.tiers, passing, strict=True):
        for switch in tier:
            origin = arriving.pop(switch, np.zeros(racks))
            for lower, count in below.get(switch, {}).items():
                if lower not in switches:
                    origin[flows.home[lower]] += count
            up = above.get(switch, {})
            inward, outward = float(origin.sum()), float(sum(up.values()))
            through = share * min(inward, outward)
            passed = origin * (through / inward) if inward > 0 else origin
            ends[flows.home[switch]] += origin - passed
            if outward > 0:
                leaving = passed.copy()
                leaving[flows.home[switch]] += outward - through
                for upper, count in up.items():
                    arriving[upper] = arriving.get(upper, np.zeros(racks)) + leaving * (count / outward)
    np.fill_diagonal(ends, 0.0)
    return ends


def least_way(hall: Hall, flows: Flows, free: npt.NDArray[np.bool_]) -> float:
    """A way [m] that no arrangement of the racks on the ``free`` positions undercuts; runs inside a rack count as none."""
    places = bays_of(hall, 1, free)
    three = bool(flows.tiers[2])
    splits = [(leaf, spine, 0.0) for leaf in SHARES for spine in (SHARES if three else (0.0,))]
    return max(_bound(hall, places.first, flows, end_flows(flows, split)) for split in splits)


def _bound(hall: Hall, positions: npt.NDArray[np.int64], flows: Flows, ends: Floats) -> float:
    slots = np.array(flows.slots)
    hubs = np.flatnonzero(ends.any(axis=1))
    if not len(hubs):
        return 0.0
    x, y = np.array([hall.middle(int(p)) for p in positions]).T
    cost = np.empty((len(hubs), len(positions)))
    for wide in np.unique(slots[hubs]):
        # the middle of a wide rack, from its first position
        middle = x + (wide - 1) / 2 * hall.pitch
        way = np.abs(middle[:, None] - x) + np.abs(y[:, None] - y)
        own = (y[:, None] == y) & (x >= x[:, None] - 1e-9) & (x <= x[:, None] + (wide - 1) * hall.pitch + 1e-9)
        way[own] = np.inf
        near = np.sort(way, axis=1)
        for row in np.flatnonzero(slots[hubs] == wide):
            # the way to a wide rack is the mean of the ways to its positions
            pulls = np.repeat(ends[hubs[row]] / slots, slots)
            pulls = np.sort(pulls[pulls > 0])[::-1]
            reach = near[:, : len(pulls)]
            cost[row] = (
                np.where(np.isinf(reach).any(axis=1), 1e12, np.where(np.isinf(reach), 0.0, reach) @ pulls)
                if len(pulls) <= near.shape[1]
                else 1e12
            )
    rows, picked = linear_sum_assignment(cost)
    return float(cost[rows, picked].sum())
