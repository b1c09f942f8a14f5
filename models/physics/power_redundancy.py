"""Blocks of the power chain (UPS, generator, switchgear) and what each carries when another fails.

A group of racks hangs on two blocks. Normally ``first_share`` of it is drawn from the first and the rest from the second; when one fails the other carries all of it.
2N: pairs of blocks, share 1/2. Distributed xN/(x-1): every pair of x blocks, share 1/2. Block redundant: active block first with share 1, the common reserve second.
For each failed block u and survivor v the load is linear in the group loads, so every single failure is a row with constant coefficients:

    load[u, v] = sum_g load_g * (share[g, v] + share[g, u] if g hangs on both u and v)
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.physics.reliability import k_of_n_availability

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Redundancy(StrEnum):
    """How blocks back each other up."""

    NONE = "n"
    BLOCK_REDUNDANT = "block-redundant"
    TWO_N = "2n"
    DISTRIBUTED = "distributed"


@dataclass(frozen=True)
class FeedGroups:
    """Which two blocks each group of racks hangs on; arrays [group], blocks numbered from 0.

    ``second`` equal to ``first`` means single-corded on that block: lost with it.
    """

    first: Ints
    second: Ints
    first_share: Floats
    blocks: int


def feed_groups(scheme: Redundancy, blocks: int, reserve: int = 1) -> FeedGroups:
    """Groups of a scheme with ``blocks`` blocks in all.

    2N pairs 0-1, 2-3, ... and needs an even number; distributed takes every pair and needs at least three; block redundant has the last
    ``reserve`` blocks idle and gives the active ones to them in turn; without redundancy each block is its own group.
    """
    scheme = Redundancy(scheme)
    if scheme is Redundancy.NONE:
        if blocks < 1:
            raise ValueError("a site needs at least one block")
        pairs, share = [(b, b) for b in range(blocks)], 1.0
    elif scheme is Redundancy.TWO_N:
        if blocks < 2 or blocks % 2:
            raise ValueError(f"2N needs an even number of blocks, not {blocks}")
        pairs, share = [(b, b + 1) for b in range(0, blocks, 2)], 0.5
    elif scheme is Redundancy.DISTRIBUTED:
        if blocks < 3:
            raise ValueError(f"distributed redundancy needs at least three blocks, not {blocks}")
        pairs, share = list(combinations(range(blocks), 2)), 0.5
    else:
        if reserve < 1 or blocks <= reserve:
            raise ValueError(
                f"block redundant needs a reserve block and an active one; {blocks} blocks, {reserve} reserve"
            )
        active = blocks - reserve
        pairs, share = [(b, active + b % reserve) for b in range(active)], 1.0
    first, second = np.array(pairs, dtype=np.int64).T
    return FeedGroups(first, second, np.full(len(pairs), share), blocks)


def usable_share(scheme: Redundancy, blocks: ArrayLike, reserve: ArrayLike = 1) -> Floats:
    """Share of installed block capacity that may carry load, evenly spread, so that any one block may fail.

    N: 1.  2N: 1/2.  Distributed over x blocks: (x-1)/x (3N/2 is x = 3, 4N/3 is x = 4).  Block redundant: (x - reserve)/x.
    """
    scheme = Redundancy(scheme)
    x = np.asarray(blocks, dtype=float)
    if scheme is Redundancy.NONE:
        return np.ones_like(x)
    if scheme is Redundancy.TWO_N:
        return np.full_like(x, 0.5)
    back = np.ones_like(x) if scheme is Redundancy.DISTRIBUTED else np.asarray(reserve, dtype=float)
    return np.asarray((x - back) / x, dtype=float)


def balanced_loads(
    scheme: Redundancy, total: ArrayLike, blocks: ArrayLike, reserve: ArrayLike = 1
) -> tuple[Floats, Floats]:
    """Load of an active block normally, and of the worst-hit survivor after one failure, with ``total`` [W] spread evenly.

    2N: total/x, then 2 total/x (the partner).  Distributed: total/x, then total/(x-1).  Block redundant: total/(x-r), and the reserve block carries as much.
    Without redundancy the survivors keep total/x and the failed block's load is lost.
    """
    scheme = Redundancy(scheme)
    load, x = np.asarray(total, dtype=float), np.asarray(blocks, dtype=float)
    if scheme is Redundancy.TWO_N:
        return load / x, 2.0 * load / x
    if scheme is Redundancy.DISTRIBUTED:
        return load / x, load / (x - 1.0)
    each = load / (x - np.asarray(reserve, dtype=float)) if scheme is Redundancy.BLOCK_REDUNDANT else load / x
    return np.asarray(each), np.asarray(each)


def normal_coefficients(groups: FeedGroups) -> Floats:
    """Share of each group's load on each block while all stand: shape [block, group]."""
    matrix = np.zeros((groups.blocks, groups.first.size))
    at = np.arange(groups.first.size)
    np.add.at(matrix, (groups.first, at), groups.first_share)
    np.add.at(matrix, (groups.second, at), 1.0 - groups.first_share)
    return matrix


def failover_coefficients(groups: FeedGroups) -> Floats:
    """Share of each group's load on survivor v while block u is down: shape [u, v, group]; the row u = v is zero.

    A group on one block only disappears with that block.
    """
    normal = normal_coefficients(groups)
    count = groups.blocks
    after = np.repeat(normal[None, :, :], count, axis=0)
    at = np.arange(groups.first.size)
    dual = groups.first != groups.second
    after[groups.first[dual], groups.second[dual], at[dual]] += groups.first_share[dual]
    after[groups.second[dual], groups.first[dual], at[dual]] += 1.0 - groups.first_share[dual]
    after[np.arange(count), np.arange(count), :] = 0.0
    return after


def normal_loads(groups: FeedGroups, group_loads: ArrayLike) -> Floats:
    """Load [W] of each block while all stand: [..., block] from group loads [..., group]."""
    return np.asarray(np.einsum("vg,...g->...v", normal_coefficients(groups), np.asarray(group_loads, dtype=float)))


def survivor_loads(groups: FeedGroups, group_loads: ArrayLike) -> Floats:
    """Load [W] of each survivor v after block u fails: [..., u, v] from group loads [..., group]."""
    return np.asarray(np.einsum("uvg,...g->...uv", failover_coefficients(groups), np.asarray(group_loads, dtype=float)))


def lost_loads(groups: FeedGroups, group_loads: ArrayLike) -> Floats:
    """Load [W] that goes dark when block u fails: [..., u]; zero where every group has two blocks."""
    loads = np.asarray(group_loads, dtype=float)
    return np.asarray(loads.sum(axis=-1)[..., None] - survivor_loads(groups, loads).sum(axis=-1), dtype=float)


def worst_survivor_load(groups: FeedGroups, group_loads: ArrayLike) -> Floats:
    """The largest load [W] any block sees, all standing or after any one failure: [...]."""
    after = survivor_loads(groups, group_loads).max(axis=(-2, -1))
    return np.asarray(np.maximum(after, normal_loads(groups, group_loads).max(axis=-1)), dtype=float)


def scheme_availability(
    scheme: Redundancy, blocks: int, block_availability: ArrayLike, reserve: int = 1, common_cause: ArrayLike = 0.0
) -> Floats:
    """Probability that every rack of a fully used scheme has power, blocks failing on their own.

    N: a^x.  2N: each pair stands, (1 - u^2)^(x/2).  Distributed: at most one of x blocks is down, since any two would overload the rest.  Block redundant: each
    reserve block serves its own active blocks, so at most one of each such set is down. ``common_cause`` is the beta factor of ``reliability.k_of_n_availability``,
    per pair, ring or set.
    """
    scheme = Redundancy(scheme)
    feed_groups(scheme, blocks, reserve)  # refuses impossible numbers
    if scheme is Redundancy.NONE:
        return k_of_n_availability(blocks, blocks, block_availability)
    if scheme is Redundancy.TWO_N:
        return np.asarray(k_of_n_availability(1, 2, block_availability, common_cause) ** (blocks // 2), dtype=float)
    if scheme is Redundancy.DISTRIBUTED:
        return k_of_n_availability(blocks - 1, blocks, block_availability, common_cause)
    active = blocks - reserve
    sets = [len(range(first, active, reserve)) for first in range(reserve)]
    chances = [k_of_n_availability(size, size + 1, block_availability, common_cause) for size in sets if size]
    return np.asarray(np.prod(np.stack(chances), axis=0), dtype=float)


def stranded_power(installed: ArrayLike, limits: ArrayLike, used: ArrayLike) -> tuple[Floats, Floats]:
    """Installed power that cannot be used, cause by cause, and what is left free: installed = used + causes + free, exactly.

    ``limits`` [..., cause] W: the load each cause allows by itself, in the order in which causes are charged (derating, failover reserve, feed, phase, block
    size, cooling, floor). A cause is charged what it takes beyond those before it; the load may not exceed the smallest limit (ValueError).
    Returns the charges [..., cause] and the free rest [...].
    """
    total, load = np.asarray(installed, dtype=float), np.asarray(used, dtype=float)
    caps = np.minimum(np.asarray(limits, dtype=float), total[..., None])
    reached = np.minimum.accumulate(caps, axis=-1)
    before = np.concatenate([np.broadcast_to(total[..., None], (*reached.shape[:-1], 1)), reached[..., :-1]], axis=-1)
    free = reached[..., -1] - load
    if np.any(free < -1e-9 * np.maximum(total, 1.0)):
        raise ValueError("the load is above what the limits allow")
    return before - reached, np.asarray(np.maximum(free, 0.0), dtype=float)
