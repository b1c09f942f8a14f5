"""Rings of blocks against plain enumeration: every way to hang racks of one load on pairs, every block lost in turn, no closed form, no solver."""

from functools import cache
from itertools import combinations

import numpy as np
import pytest

from models.candidates.block_rings import Ring, full_ring
from models.site import Topology


def replayed(blocks, hung, capacity, load):
    """The largest load on any survivor, over each failed block: half of every pair, all of a pair that lost its other block."""
    worst = 0.0
    for failed in range(blocks):
        for survivor in range(blocks):
            if survivor == failed:
                continue
            carried = 0.0
            for (one, other), racks in hung.items():
                if survivor in (one, other):
                    carried += racks * load * (1.0 if failed in (one, other) else 0.5)
            worst = max(worst, carried)
    return worst


@cache
def most_by_enumeration(blocks, halves):
    """Most racks on the pairs of a ring whose blocks carry ``halves`` half loads, over all ways to hang up to that many on each pair."""
    pairs = list(combinations(range(blocks), 2))
    counts = np.zeros((1, len(pairs)), dtype=np.int64)
    for place in range(len(pairs)):  # pair after pair; a block never has more than it may carry
        counts = np.repeat(counts, halves + 1, axis=0)
        counts[:, place] = np.tile(np.arange(halves + 1), len(counts) // (halves + 1))
        for survivor in range(blocks):
            on = [n for n, pair in enumerate(pairs) if survivor in pair]
            for failed in on:
                counts = counts[counts[:, on].sum(axis=1) + counts[:, failed] <= halves]
    return int(counts.sum(axis=1).max())


@pytest.mark.parametrize(
    ("blocks", "halves"),
    [*((3, h) for h in range(1, 41)), *((4, h) for h in range(1, 11)), *((5, h) for h in range(1, 5))],
)
def test_distributed_rings_carry_as_many_racks_as_any_way_to_hang_them(blocks, halves):
    most = most_by_enumeration(blocks, halves)
    for load in (2, 31, 142):
        for spare in (0, load // 2 - 1):  # a block carries so many half loads, and a little that is no use
            capacity = -(-halves * load // 2) + spare
            if 2 * capacity // load == halves:
                one = Ring(Topology.DISTRIBUTED, blocks, blocks - 1, capacity, 1)
                assert int(one.racks(load)) == most


@pytest.mark.parametrize("blocks", range(3, 9))
def test_a_full_ring_stands_the_loss_of_each_of_its_blocks(blocks):
    rng = np.random.default_rng(blocks)
    for capacity, load in zip(rng.integers(50, 4000, 60).tolist(), rng.integers(1, 400, 60).tolist(), strict=True):
        one = Ring(Topology.DISTRIBUTED, blocks, blocks - 1, capacity, 1)
        groups = full_ring(one, load)
        hung = {(int(one.groups.first[g]), int(one.groups.second[g])): racks for g, racks in groups.items()}
        assert sum(hung.values()) == int(one.racks(load))
        assert replayed(blocks, hung, capacity, load) <= capacity
        # evenly hung, a block lost is as bad as any other one lost, to within the racks that a pair may have more
        if int(one.racks(load)) * 2 % (blocks * (blocks - 1)) == 0:
            each = set(hung.values())
            assert len(each) <= 1


@pytest.mark.parametrize("load", [1, 7, 40, 139, 208, 499, 999, 1000, 1001])
def test_pairs_and_reserves_by_hand(load):
    pair, catcher = Ring(Topology.TWO_N, 2, 1, 1000, 1), Ring(Topology.BLOCK_REDUNDANT, 5, 4, 1000, 1)
    assert int(pair.racks(load)) == 1000 // load  # the other block carries all of both
    assert int(catcher.racks(load)) == 4 * (1000 // load)  # the reserve carries any one of the four


@pytest.mark.parametrize(("blocks", "installed"), [(3, 3 / 2), (4, 4 / 3), (5, 5 / 4), (6, 6 / 5)])
def test_textbook_names_say_what_is_installed_for_what_is_used(blocks, installed):
    capacity = 60_000
    one = Ring(Topology.DISTRIBUTED, blocks, blocks - 1, capacity, 1)
    assert blocks * capacity / one.usable == pytest.approx(installed)
    assert blocks * capacity / int(one.racks(1)) == pytest.approx(installed, rel=1e-3)
