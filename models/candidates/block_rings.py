"""Rings of blocks: how many racks a ring of a redundant power topology carries with any one of its blocks lost.

A ring is the set of blocks that back each other up; a site buys whole rings. With racks of w kW and blocks of C kW in a ring
of x blocks where every pair of blocks feeds racks (2N is x = 2), d_v racks hang on block v and y_uv on the pair u, v. When u
fails, v carries half of its racks' load and the other half of those it shares with u:

    (d_v + y_uv) w / 2  <=  C        for every failed block u and survivor v

*Racks of one kind.* The most racks of a ring are N(w) = floor(x D / 2), D = floor(K (x - 1) / x), K = floor(2 C / w).
No more: some y_uv of block v is at least d_v / (x - 1), so d_v + ceil(d_v / (x - 1)) <= K, which holds exactly for
d_v <= D; and every rack is counted on two blocks. No fewer: degrees of D, one of them D - 1 where x D is odd, spread over the
pairs as evenly as they go have y <= ceil(D / (x - 1)) (``even_pairs``; a sequence of two neighbouring degrees with an even
sum is always that of a graph). Block redundant, m active blocks behind a reserve: N(w) = m floor(C / w).

*Racks of several kinds.* Kinds follow one another in falling order of w. A ring of one kind holds N(w); the others are filled
rack by rack on the least loaded pair. Pair loads then differ by less than the largest rack W, which bounds the left side
above by T / (x - 1) + (x - 2) W / 2 at a total of T. So a ring takes any racks up to (x - 1) C - s(W) in all, with
s(W) = (x - 1)(x - 2) W / 2, and is left with less than s(W) + W free: that is charged once per kind, the smaller racks (switches)
last and with their own share. A block redundant ring is filled block by block and leaves less than W in a block.

*Effective load.* A rack counts as usable / N(w) kW, a kind of racks s(W) + W more; rings whose usable power carries the sum always
have room for the racks, whatever the kinds, and for one kind no ring fewer would do. Where several kinds share rings, up to about one ring fewer
may do; ``models.formulation.ring_rows`` is exact there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from models.physics.power_redundancy import FeedGroups, Redundancy, failover_coefficients, feed_groups
from models.site import Topology
from models.units import Unlimited

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

SCHEME = {
    Topology.BLOCK_REDUNDANT: Redundancy.BLOCK_REDUNDANT,
    Topology.TWO_N: Redundancy.TWO_N,
    Topology.DISTRIBUTED: Redundancy.DISTRIBUTED,
}


@dataclass(frozen=True)
class Ring:
    """``blocks`` blocks of ``capacity`` whole kW of which ``needed`` carry the load while the others back them up.

    ``largest_small``: most a rack beside the node racks (switches) may draw [kW]. ``swing``: at least 1, by how much the short
    peaks of synchronous training enlarge its load where they, not the sustained peak, fill a block. ``hung``: rings on whose
    blocks the program hangs racks itself (``models.formulation.ring_rows``), none where the closed form counts them.
    """

    topology: Topology
    blocks: int
    needed: int
    capacity: int
    largest_small: int
    swing: float = 1.0
    hung: int | Unlimited = 0

    @property
    def explicit(self) -> bool:
        """Whether the program hangs racks itself."""
        return self.hung != 0

    @property
    def usable(self) -> int:
        """Load [kW] of a ring spread perfectly, with any one block lost."""
        return self.needed * self.capacity

    @cached_property
    def groups(self) -> FeedGroups:
        """The pairs of blocks racks hang on, with the share of each."""
        return feed_groups(SCHEME[self.topology], self.blocks, self.blocks - self.needed)

    def racks(self, load: npt.ArrayLike) -> Ints:
        """Most racks of ``load`` whole kW each that a ring carries."""
        each = np.asarray(load, dtype=np.int64)
        if self.topology is Topology.BLOCK_REDUNDANT:
            return np.asarray(self.needed * (self.capacity // each), dtype=np.int64)
        halves = 2 * self.capacity // each
        return np.asarray(self.blocks * (halves * (self.blocks - 1) // self.blocks) // 2, dtype=np.int64)

    def spread(self, largest: npt.ArrayLike) -> Floats:
        """s(W): what racks of up to ``largest`` kW may leave unused in a ring because they do not spread evenly."""
        unused = 0 if self.topology is Topology.BLOCK_REDUNDANT else (self.blocks - 1) * (self.blocks - 2) / 2
        return np.asarray(unused * np.asarray(largest, dtype=np.float64))

    def per_kind(self, load: npt.ArrayLike) -> Floats:
        """What a kind of racks of ``load`` kW is charged once [kW]: the ring it shares with the next kind."""
        largest = np.maximum(np.asarray(load, dtype=np.float64), self.largest_small)
        return self.spread(largest) + largest

    @property
    def small_factor(self) -> float:
        """Effective over actual load of the racks that are filled in last."""
        fills = self.needed if self.topology is Topology.BLOCK_REDUNDANT else 1
        return self.usable / (self.usable - float(self.spread(self.largest_small)) - fills * self.largest_small)

    def carries(self, load: npt.ArrayLike, small: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Whether a ring can hold a rack of ``load`` kW at all, and one of ``small`` kW."""
        return np.asarray((self.racks(load) > 0) & (np.asarray(small) <= self.largest_small))

    def effective(
        self, load: npt.ArrayLike, racks: npt.ArrayLike, small: npt.ArrayLike, smalls: npt.ArrayLike
    ) -> Floats:
        """Effective load [kW] of ``racks`` of ``load`` kW each and ``smalls`` of ``small`` kW each, without ``per_kind``."""
        most = np.maximum(self.racks(load), 1)
        return np.asarray(
            np.asarray(racks) * self.usable / most + np.asarray(smalls) * np.asarray(small) * self.small_factor
        )


def even_pairs(blocks: int, racks: int) -> dict[tuple[int, int], int]:
    """``racks`` on the pairs of ``blocks`` blocks so that racks per block and per pair differ by one at most."""
    low, extra = divmod(2 * racks, blocks)
    wanted = [low + (v < extra) for v in range(blocks)]
    rounds = low // (blocks - 1)
    pairs = {(u, v): rounds for u in range(blocks) for v in range(u + 1, blocks)}
    left = [count - rounds * (blocks - 1) for count in wanted]
    while any(left):  # the block that misses most is joined with those that miss most beside it
        first, *others = sorted(range(blocks), key=lambda v: (-left[v], v))
        for other in others[: left[first]]:
            pairs[min(first, other), max(first, other)] += 1
            left[other] -= 1
        left[first] = 0
    return pairs


@dataclass(frozen=True)
class RackKind:
    """``racks`` equal racks of ``load`` whole kW; ``small`` racks are filled in last. ``key`` says whose they are."""

    key: tuple[str, ...]
    load: int
    racks: int
    small: bool


Pattern = tuple[tuple[int, tuple[str, ...], int], ...]
"""Racks of a ring: group, kind and count, in order of the groups."""


def assign(ring: Ring, kinds: list[RackKind]) -> list[tuple[Pattern, int]]:
    """Every rack on a pair of blocks of some ring: patterns with how many rings have them.

    Uses no more rings than the effective loads of the kinds, with ``per_kind`` for each that is not small, fill.
    """
    order = sorted((k for k in kinds if k.racks), key=lambda k: (k.small, -k.load, k.key))
    left = [kind.racks for kind in order]
    found: list[tuple[Pattern, int]] = []
    at = 0
    while at < len(order):
        most = int(ring.racks(order[at].load))
        whole, rest = divmod(left[at], most)
        if whole:
            found.append((_even(ring, order[at], most), whole))
            left[at] = rest
        elif rest and at == len(order) - 1:
            found.append((_even(ring, order[at], rest), 1))
            left[at] = 0
        elif rest:
            found.append((_mixed(ring, order, left, at), 1))
        while at < len(order) and not left[at]:
            at += 1
    return found


def full_ring(ring: Ring, load: int) -> dict[int, int]:
    """Racks by group in a ring with as many racks of ``load`` kW as it carries."""
    most = int(ring.racks(load))
    return {group: racks for group, _, racks in _even(ring, RackKind((), load, most, False), most)}


def _even(ring: Ring, kind: RackKind, count: int) -> Pattern:
    if ring.topology is Topology.BLOCK_REDUNDANT:
        most = ring.capacity // kind.load
        shares = [min(most, max(0, count - block * most)) for block in range(ring.needed)]
    else:
        shares = [
            even_pairs(ring.blocks, count)[int(u), int(v)]
            for u, v in zip(ring.groups.first, ring.groups.second, strict=True)
        ]
    return tuple((group, kind.key, share) for group, share in enumerate(shares) if share)


def _mixed(ring: Ring, order: list[RackKind], left: list[int], start: int) -> Pattern:
    """Fills one ring rack by rack from the kind at ``start`` on; takes the racks off ``left``."""
    weights = failover_coefficients(ring.groups)
    loads = np.zeros(len(ring.groups.first))
    placed: dict[tuple[int, tuple[str, ...]], int] = {}
    for at in range(start, len(order)):
        kind = order[at]
        while left[at]:
            group = _room(ring, weights, loads, kind.load)
            if group is None:
                return tuple((g, key, count) for (g, key), count in sorted(placed.items()))
            loads[group] += kind.load
            placed[group, kind.key] = placed.get((group, kind.key), 0) + 1
            left[at] -= 1
    return tuple((g, key, count) for (g, key), count in sorted(placed.items()))


def _room(ring: Ring, weights: Floats, loads: Floats, load: int) -> int | None:
    """The group that takes another rack: the least loaded of a ring, the first of a block redundant one."""
    turn = np.arange(len(loads)) if ring.topology is Topology.BLOCK_REDUNDANT else np.argsort(loads, kind="stable")
    for group in turn:
        more = loads.copy()
        more[group] += load
        if (weights @ more).max() <= ring.capacity + 1e-9:
            return int(group)
    return None
