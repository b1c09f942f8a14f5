"""The lower bound on rings that a design tells: never above what a program of its own finds, tight for racks of one kind."""

import numpy as np
import pytest

from models.candidates.block_rings import Ring
from models.site import Topology
from optimizer.design import RackGroup, RingChoice
from optimizer.verification.rings import Blocks, rings_needed
from tests.formulation.brute_rings import fewest_rings

RINGS = [
    Ring(Topology.TWO_N, 2, 1, 300, 12),
    Ring(Topology.DISTRIBUTED, 3, 2, 300, 12),
    Ring(Topology.DISTRIBUTED, 4, 3, 400, 12),
    Ring(Topology.BLOCK_REDUNDANT, 4, 3, 300, 12),
]


def verified(one, racks):
    """The same bound by verification, which counts it in a way of its own."""
    hung = [RackGroup(0, 1, "c", "p", "nodes", count, load) for load, count in racks.items()]
    blocks = Blocks(one.topology, one.blocks, one.needed, one.capacity, one.largest_small, 1.0)
    return rings_needed([RingChoice("s", "o", 1, tuple(hung))], blocks)


@pytest.mark.parametrize("one", RINGS, ids=lambda r: f"{r.topology.value}-{r.needed}-of-{r.blocks}")
def test_no_way_to_hang_racks_of_several_kinds_takes_fewer(one):
    rng = np.random.default_rng(7)
    tight = 0
    for _ in range(6):
        loads = sorted(set(rng.integers(45, 140, rng.integers(2, 4)).tolist()))
        share = rng.uniform(0.4, 1.9) * one.usable / len(loads)
        racks = {load: max(1, round(share / load)) for load in loads}
        fewest = one.fewest(racks)
        assert fewest == verified(one, racks)
        real = fewest_rings(one, tuple(sorted(racks.items())))
        assert fewest <= real <= fewest + 1
        tight += fewest == real
    assert tight >= 3  # else it would say next to nothing


@pytest.mark.parametrize("one", RINGS, ids=lambda r: f"{r.topology.value}-{r.needed}-of-{r.blocks}")
@pytest.mark.parametrize("load", [11, 50, 139])
def test_of_one_kind_it_is_what_they_take(one, load):
    most = int(one.racks(load))
    for racks in (1, most, most + 1, 3 * most, 3 * most + 1):
        assert one.fewest({load: racks}) == -(-racks // most) == verified(one, {load: racks})


def test_no_racks_need_no_rings():
    assert RINGS[0].fewest({}) == 0
