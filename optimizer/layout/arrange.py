"""Items onto bays with least total way: constructions, exact assignment of the many, exchanges of the few.

Items that only join others (racks of nodes) are assigned to bays exactly while the others stand still: a linear assignment. The others
(racks of switches) change places, with any item or an empty bay, while that shortens the whole. Both steps repeat until neither helps.
Everything is deterministic; ties go to the lower number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Layer:
    """Cables of one level: ``flow`` [items, items] symmetric, and what a way between two bays counts [bays, bays] m."""

    flow: Floats
    cost: Floats


def capped(distance: Floats, longest: float, penalty: float) -> Floats:
    """Distances [m], each metre above ``longest`` counted ``penalty`` times more."""
    return np.asarray(distance + penalty * np.maximum(distance - longest, 0.0))


def total_cost(layers: Sequence[Layer], at: Ints) -> float:
    """Sum over levels and pairs of items of flow times cost; ``at`` is the bay of each item."""
    return float(sum((layer.flow * layer.cost[np.ix_(at, at)]).sum() for layer in layers) / 2)


def arrange(layers: Sequence[Layer], distance: Floats, leaves: npt.NDArray[np.bool_], x: Floats, y: Floats) -> Ints:
    """Bay of each item. ``distance`` [bays, bays] m; ``leaves`` marks items without flow among themselves; ``x``, ``y`` [m] are the
    middles of the bays.
    """
    best: Ints | None = None
    least = np.inf
    flow = np.asarray(sum(layer.flow for layer in layers))
    for start in _constructions(flow, distance, leaves, x, y):
        at = improve(layers, leaves, start)
        cost = total_cost(layers, at)
        if cost < least - 1e-9:
            best, least = at, cost
    assert best is not None
    return best


def _constructions(
    flow: Floats, distance: Floats, leaves: npt.NDArray[np.bool_], x: Floats, y: Floats
) -> Iterator[Ints]:
    """Blocks of nodes with their switches, snaking over a compact part of the hall by rows, by columns, and by angle."""
    items, bays = len(flow), len(distance)
    nearest = np.sort(distance, axis=1)[:, :items].sum(axis=1)
    middle = int(np.argmin(nearest))
    compact = np.sort(np.argsort(distance[middle], kind="stable")[:items])
    order = _block_order(flow, leaves)
    rows = np.unique(y, return_inverse=True)[1]
    snake_rows = compact[np.lexsort((np.where(rows % 2 == 0, x, -x)[compact], y[compact]))]
    columns = np.round(x / max(1e-9, float(np.diff(np.unique(x)).min()) if len(np.unique(x)) > 1 else 1.0)).astype(
        np.int64
    )
    snake_columns = compact[np.lexsort((np.where(columns % 2 == 0, y, -y)[compact], columns[compact]))]
    angle = np.arctan2(y - y[middle] + 1e-6, x - x[middle] + 1e-6)
    around = compact[np.lexsort((distance[middle][compact], np.round(angle[compact], 6)))]
    first = np.arange(items, dtype=np.int64) if bays >= items else None
    for path in (snake_rows, snake_columns, around, first):
        if path is None:
            continue
        at = np.empty(items, dtype=np.int64)
        at[order] = path
        yield at


def _block_order(flow: Floats, leaves: npt.NDArray[np.bool_]) -> Ints:
    """Items so that each switch rack stands in the middle of the nodes it serves, upper tiers in the middle of all."""
    hubs = np.flatnonzero(~leaves)
    nodes = np.flatnonzero(leaves)
    order: list[int] = []
    if len(hubs) == 0:
        return np.arange(len(flow), dtype=np.int64)
    home = hubs[np.argmax(flow[np.ix_(nodes, hubs)], axis=1)] if len(nodes) else np.zeros(0, dtype=np.int64)
    serving = [hub for hub in hubs if np.any(home == hub)]
    upper = [int(hub) for hub in hubs if not np.any(home == hub)]
    for number, hub in enumerate(serving):
        mine = [int(n) for n in nodes[home == hub]]
        order += [*mine[: len(mine) // 2], int(hub), *mine[len(mine) // 2 :]]
        if number == (len(serving) - 1) // 2:
            order += upper
    if not serving:
        order = [*upper, *(int(n) for n in nodes)]
    return np.array(order, dtype=np.int64)


def improve(layers: Sequence[Layer], leaves: npt.NDArray[np.bool_], start: Ints, rounds: int = 12) -> Ints:
    """``start`` made better by assignment and exchange until neither helps."""
    at = start.copy()
    cost = total_cost(layers, at)
    for _ in range(rounds):
        at = _assign(layers, leaves, at)
        at = _exchange(layers, leaves, at)
        now = total_cost(layers, at)
        if now >= cost - 1e-9:
            break
        cost = now
    return at


def _assign(layers: Sequence[Layer], leaves: npt.NDArray[np.bool_], at: Ints) -> Ints:
    """The best bays of all leaves at once, the rest standing still."""
    nodes, hubs = np.flatnonzero(leaves), np.flatnonzero(~leaves)
    if not len(nodes):
        return at
    open_bays = np.setdiff1d(np.arange(len(layers[0].cost)), at[hubs])
    cost = sum(layer.flow[np.ix_(nodes, hubs)] @ layer.cost[np.ix_(at[hubs], open_bays)] for layer in layers)
    rows, picked = linear_sum_assignment(np.asarray(cost))
    found = at.copy()
    found[nodes[rows]] = open_bays[picked]
    return found if total_cost(layers, found) < total_cost(layers, at) - 1e-9 else at


def _exchange(layers: Sequence[Layer], leaves: npt.NDArray[np.bool_], at: Ints) -> Ints:
    """Each item that is no leaf, in turn, to the bay where it helps most, changing places with who stands there."""
    at = at.copy()
    occupant = np.full(len(layers[0].cost), -1, dtype=np.int64)
    occupant[at] = np.arange(len(at))
    # [item, bay]: cost of an item if it stood there
    pull = np.asarray(sum(layer.flow @ layer.cost[at, :] for layer in layers))
    moved = True
    while moved:
        moved = False
        for item in np.flatnonzero(~leaves):
            here = at[item]
            change = pull[item] - pull[item, here]
            held = np.flatnonzero(occupant >= 0)
            other = occupant[held]
            both = sum(layer.flow[item, other] * layer.cost[here, held] for layer in layers)
            change[held] += pull[other, here] - pull[other, held] + 2 * np.asarray(both)
            change[here] = 0.0
            target = int(np.argmin(change))
            if change[target] >= -1e-6:
                continue
            who = int(occupant[target])
            at[item] = target
            occupant[here], occupant[target] = who, item
            for layer in layers:
                pull += layer.flow[:, item][:, None] * (layer.cost[target] - layer.cost[here])
                if who >= 0:
                    pull += layer.flow[:, who][:, None] * (layer.cost[here] - layer.cost[target])
            if who >= 0:
                at[who] = here
            moved = True
    return at
