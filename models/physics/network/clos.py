"""Folded Clos fabrics: exact switch counts, vectorised.

    leaf   = R * ceil(n / d)                         rail-optimised: one set of leaves per rail
    leaf   = ceil(n * R / d)                         plain
    spine  = least divisor s of u with s >= leaf * u / r        two tiers: a leaf spreads its u uplinks evenly
    groups = ceil(leaves per rail / d_s)             three tiers: groups of at most d_s leaves of one rail
    spine  = R * groups * (least divisor s of u with s >= g * u / d_s)
    core   = ceil(spine uplinks / r)                            and a group's uplinks T reach every core switch: T >= core

The least core is what published tables print; it passes the guaranteed share floor(T / core) * core / T of a group's bandwidth, which
is all of it where core divides T. n node positions, R ports of a node, d:u down and up ports of a leaf, d_s down ports of a spine, r ports of the switch above.
Splitting every inter-switch port by b replaces u by u*b and r by r*b. The divisor rule comes from published component
tables, where plain rounding up fails in several rows: a leaf must reach every spine with the same number of links.
"""

from __future__ import annotations

import functools
import math

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
IntsLike = npt.ArrayLike


def ceil_div(number: IntsLike, by: IntsLike) -> Ints:
    """Integer ceiling of ``number / by`` for non-negative numbers."""
    return np.asarray(-(-np.asarray(number, dtype=np.int64) // np.asarray(by, dtype=np.int64)), dtype=np.int64)


@functools.lru_cache(maxsize=8192)
def divisors(number: int) -> Ints:
    """Divisors of a number, ascending, followed by 0: what stands behind the largest divisor."""
    small = np.arange(1, math.isqrt(number) + 1, dtype=np.int64)
    small = small[number % small == 0]
    found = np.concatenate([np.union1d(small, number // small), [0]]).astype(np.int64)
    found.setflags(write=False)
    return found


def least_divisor(number: IntsLike, least: IntsLike) -> Ints:
    """Least divisor of ``number`` that is >= ``least``, elementwise; 0 where there is none."""
    if np.ndim(number) == 0:
        known = divisors(int(np.asarray(number)))
        return np.asarray(known[np.searchsorted(known[:-1], np.asarray(least, dtype=np.int64))], dtype=np.int64)
    numbers, wanted = np.broadcast_arrays(np.asarray(number, dtype=np.int64), np.asarray(least, dtype=np.int64))
    flat, asked = numbers.ravel(), wanted.ravel()
    out = np.zeros(flat.shape, dtype=np.int64)
    order = np.argsort(flat, kind="stable")
    edges = np.flatnonzero(np.diff(flat[order])) + 1
    for here in np.split(order, edges) if len(flat) else ():
        known = divisors(int(flat[here[0]]))
        out[here] = known[np.searchsorted(known[:-1], asked[here])]
    return out.reshape(numbers.shape)


def leaf_count(positions: IntsLike, ports_per_node: IntsLike, down: IntsLike, rail_optimised: bool) -> Ints:
    """Leaves for ``positions`` nodes of ``ports_per_node`` ports each, ``down`` node ports on a leaf."""
    if rail_optimised:
        return np.asarray(ports_per_node, dtype=np.int64) * ceil_div(positions, down)
    return ceil_div(np.asarray(positions, dtype=np.int64) * np.asarray(ports_per_node, dtype=np.int64), down)


def two_tier_spines(leaf: IntsLike, up: IntsLike, spine_ports: IntsLike) -> Ints:
    """Spines over ``leaf`` leaves with ``up`` uplinks each; 0 where two tiers cannot join that many leaves.

    ``up`` and ``spine_ports`` count logical inter-switch ports, that is after any breakout.
    """
    need = ceil_div(np.asarray(leaf, dtype=np.int64) * np.asarray(up, dtype=np.int64), spine_ports)
    return least_divisor(up, need)


def three_tier_groups(leaves_per_rail: IntsLike, spine_down: IntsLike) -> tuple[Ints, Ints]:
    """Groups of one rail and leaves in the largest group, when a spine has ``spine_down`` ports to leaves."""
    groups = ceil_div(leaves_per_rail, spine_down)
    return groups, ceil_div(leaves_per_rail, np.maximum(groups, 1))


def three_tier_spines(leaves_in_group: IntsLike, up: IntsLike, spine_down: IntsLike) -> Ints:
    """Spines of one group; 0 where the leaves have too few uplinks to reach enough spines."""
    need = ceil_div(np.asarray(leaves_in_group, dtype=np.int64) * np.asarray(up, dtype=np.int64), spine_down)
    return least_divisor(up, need)


def even_core(least: IntsLike, group_links: IntsLike) -> Ints:
    """Least number of core switches >= ``least`` over which ``group_links`` uplinks of every group spread evenly; 0 where none."""
    return least_divisor(group_links, least)


def guaranteed_share(group_links: IntsLike, core: IntsLike) -> npt.NDArray[np.float64]:
    """Share of a group's uplinks that any other group can match core by core: floor(T / core) * core / T."""
    links = np.asarray(group_links, dtype=np.int64)
    cores = np.maximum(np.asarray(core, dtype=np.int64), 1)
    return np.asarray(links // cores * cores / np.maximum(links, 1), dtype=float)


def endpoint_limit(ports: int, tiers: int) -> int:
    """Most endpoints of a non-blocking folded Clos of ``tiers`` tiers: r, r^2/2, r^3/4."""
    if tiers < 1:
        raise ValueError(f"a fabric has at least one tier, not {tiers}")
    return int(2 * (ports // 2) ** tiers) if tiers > 1 else ports
