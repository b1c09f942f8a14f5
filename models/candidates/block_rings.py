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

*Racks of several kinds*, in rings that they share (p = x (x - 1) / 2 pairs). Racks are hung in falling order of w, each on the least loaded
pair of a ring. Pair loads then differ by at most the largest rack W, which bounds the left side above by T / (x - 1) + (x - 2) W / 2 at
a total of T: as long as T <= (x - 1) C - s(W), s(W) = (x - 1)(x - 2) W / 2, every failure is stood. Small racks (at most S kW) come last.

- *plain* rings: large racks until the next one of a kW does not fit, so more than (x - 1) C - s(W) - a; small ones likewise, so
  more than (x - 1) C - s(W) - S.
- *level* rings: large racks only as long as they stay within (x - 1) C - s(W) - (p - 1) W. Small racks first fill what pairs miss of the
  fullest, at most (p - 1) W, and stay within s(W) meanwhile; then pair loads differ by S at most, and the ring takes small
  racks until more than (x - 1) C - s(S) - S hang in it.

A block redundant ring has m bins of C, first come, first filled: more than m (C - a) hang where one of a kW finds no place.
So rings of which each is marked with the largest rack W it takes, and all of one load w that hold N(w) each, have room for all racks
if for every load w > S the racks of at least w kW beside full rings are at most w plus the sum of those bounds with a = W over
rings marked w or more, and all racks beside full rings at most S plus the sum of the bounds for small racks: the first rack without a place
would say otherwise. ``models.formulation.shared_rings`` has these rows.
*Effective load.* A rack counts as usable / N(w) kW, a kind of racks s(W) + W more; the rings that this fills have room too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from models.physics.power_redundancy import FeedGroups, Redundancy, feed_groups
from models.site import Topology

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

SCHEME = {
    Topology.BLOCK_REDUNDANT: Redundancy.BLOCK_REDUNDANT,
    Topology.TWO_N: Redundancy.TWO_N,
    Topology.DISTRIBUTED: Redundancy.DISTRIBUTED,
}


@dataclass(frozen=True)
class Shared:
    """A ring shared by racks of up to ``largest`` kW: more than ``large`` kW hang in it where a large rack finds no place, more than
    ``whole`` kW where a small one finds none; ``level`` tells the two ways apart."""

    level: bool
    largest: int
    large: int
    whole: int


@dataclass(frozen=True)
class Ring:
    """``blocks`` blocks of ``capacity`` whole kW of which ``needed`` carry the load while the others back them up.

    ``largest_small``: most a rack beside the node racks (switches) may draw [kW]. ``swing``: at least 1, by how much the short
    peaks of synchronous training enlarge its load where they, not the sustained peak, fill a block. ``explicit``: the program hangs racks
    on the blocks itself (``models.formulation.ring_rows``); else rows of whole rings have room for them (``models.formulation.shared_rings``).
    """

    topology: Topology
    blocks: int
    needed: int
    capacity: int
    largest_small: int
    swing: float = 1.0
    explicit: bool = False

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

    def fewest(self, racks: Mapping[int, int]) -> int:
        """Rings without which racks (their number by load [kW], all above zero) cannot hang, however it is done.

        No ring carries more than its usable load, nor more racks of at least w kW than N(w), as each of them could be one of w.
        """
        loads = sorted(racks, reverse=True)
        from_above = np.cumsum([racks[load] for load in loads], dtype=np.int64)
        by_racks = -(-from_above // np.maximum(self.racks(loads), 1)) if loads else np.zeros(1, dtype=np.int64)
        return max(int(by_racks.max()), -(-sum(load * count for load, count in racks.items()) // self.usable))

    def spread(self, largest: npt.ArrayLike) -> Floats:
        """s(W): what racks of up to ``largest`` kW may leave unused in a ring because they do not spread evenly."""
        unused = 0 if self.topology is Topology.BLOCK_REDUNDANT else (self.blocks - 1) * (self.blocks - 2) / 2
        return np.asarray(unused * np.asarray(largest, dtype=np.float64))

    def per_kind(self, load: npt.ArrayLike) -> Floats:
        """What a kind of racks of ``load`` kW is charged once [kW]: the ring it shares with the next kind."""
        largest = np.maximum(np.asarray(load, dtype=np.float64), self.largest_small)
        return self.spread(largest) + largest

    def shared_by(self, load: int) -> tuple[Shared, ...]:
        """Ways a ring may be shared by racks of up to ``load`` kW: large ones until they reach a bound, small ones until another."""
        small = self.largest_small
        if self.topology is Topology.BLOCK_REDUNDANT:
            found = [Shared(False, load, self.needed * (self.capacity - load), self.needed * (self.capacity - small))]
            return tuple(one for one in found if one.large > 0)
        spread, pairs = int(self.spread(load)), self.blocks * (self.blocks - 1) // 2
        level = Shared(True, load, self.usable - spread - pairs * load, self.usable - int(self.spread(small)) - small)
        plain = Shared(False, load, self.usable - spread - load, self.usable - spread - small)
        both = (level,) if load <= small or self.blocks == 2 else (level, plain)
        return tuple(one for one in both if one.large > 0 or load <= small)

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


def full_ring(ring: Ring, load: int) -> dict[int, int]:
    """Racks by group in a ring with as many racks of ``load`` kW as it carries."""
    most = int(ring.racks(load))
    if ring.topology is Topology.BLOCK_REDUNDANT:
        return dict.fromkeys(range(ring.needed), ring.capacity // load)
    pairs = even_pairs(ring.blocks, most)
    hung = (pairs[int(u), int(v)] for u, v in zip(ring.groups.first, ring.groups.second, strict=True))
    return {group: racks for group, racks in enumerate(hung) if racks}
