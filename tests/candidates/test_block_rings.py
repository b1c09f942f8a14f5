"""What a ring of blocks carries: closed forms against the explicit program of single failures, and racks really hung."""

from functools import cache
from itertools import combinations
from math import ceil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from models.candidates.block_rings import RackKind, Ring, assign, even_pairs
from models.physics.power_redundancy import (
    Redundancy,
    failover_coefficients,
    feed_groups,
    survivor_loads,
    usable_share,
)
from models.site import Topology


def ring(topology, blocks, needed, capacity, small=1):
    return Ring(topology, blocks, needed, capacity, small)


RINGS = [
    ring(Topology.TWO_N, 2, 1, 1000),
    ring(Topology.DISTRIBUTED, 3, 2, 1000),
    ring(Topology.DISTRIBUTED, 4, 3, 1000),
    ring(Topology.DISTRIBUTED, 5, 4, 700),
    ring(Topology.DISTRIBUTED, 6, 5, 500),
    ring(Topology.BLOCK_REDUNDANT, 4, 3, 1000),
    ring(Topology.BLOCK_REDUNDANT, 6, 4, 900),
]


@cache
def most_racks(one: Ring, load: int) -> int:
    """The explicit program: whole racks on pairs of blocks, a row for each failed block on each survivor."""
    weights = failover_coefficients(one.groups)
    rows = weights.reshape(-1, weights.shape[-1]) * load
    groups = rows.shape[1]
    found = milp(
        -np.ones(groups),
        constraints=LinearConstraint(rows, -np.inf, one.capacity),
        integrality=np.ones(groups),
        bounds=Bounds(0, np.inf),
        options={"mip_rel_gap": 0},
    )
    assert found.status == 0
    return round(-found.fun)


@pytest.mark.parametrize("one", RINGS, ids=lambda r: f"{r.topology.value}-{r.needed}-of-{r.blocks}")
@pytest.mark.parametrize("load", [1, 7, 48, 132, 333, 490])
def test_the_closed_form_is_the_explicit_program_of_single_failures(one, load):
    assert int(one.racks(load)) == most_racks(one, load)


@pytest.mark.parametrize(
    ("topology", "scheme", "blocks", "needed", "share"),
    [
        (Topology.TWO_N, Redundancy.TWO_N, 2, 1, 1 / 2),
        (Topology.DISTRIBUTED, Redundancy.DISTRIBUTED, 3, 2, 2 / 3),
        (Topology.DISTRIBUTED, Redundancy.DISTRIBUTED, 4, 3, 3 / 4),
        (Topology.BLOCK_REDUNDANT, Redundancy.BLOCK_REDUNDANT, 5, 4, 4 / 5),
    ],
)
def test_textbook_shares(topology, scheme, blocks, needed, share):
    one = ring(topology, blocks, needed, 3000)
    assert one.usable / (blocks * 3000) == pytest.approx(share)
    assert float(usable_share(scheme, blocks, blocks - needed)) == pytest.approx(share)
    # racks of a kW fill it but for what does not divide evenly
    assert one.usable - blocks < int(one.racks(1)) <= one.usable


def test_four_blocks_of_three_megawatts_take_62_racks_of_142_kilowatts():
    one = ring(Topology.DISTRIBUTED, 4, 3, 3000)
    assert int(one.racks(142)) == 62  # 9 MW would be 63.4; 42 half loads of 71 kW on a block, 31 of them its own racks


def overloads(one, loads):
    after = survivor_loads(one.groups, loads)
    return after.max() > one.capacity + 1e-6


def hung(one, patterns):
    """Loads by ring and racks by kind; every ring replayed with each block lost."""
    racks: dict[tuple[str, ...], int] = {}
    rings = 0
    for pattern, count in patterns:
        rings += count
        for _, key, number in pattern:
            racks[key] = racks.get(key, 0) + number * count
    return racks, rings


LOADS = st.integers(1, 160)


@settings(deadline=None, max_examples=150)
@given(
    which=st.sampled_from(RINGS),
    nodes=st.lists(st.tuples(LOADS, st.integers(1, 120)), min_size=0, max_size=4),
    smalls=st.lists(st.tuples(st.integers(1, 30), st.integers(1, 40)), min_size=0, max_size=4),
)
def test_racks_of_any_kinds_fit_the_rings_their_effective_load_fills(which, nodes, smalls):
    one = Ring(which.topology, which.blocks, which.needed, which.capacity, 30)
    kinds = [RackKind(("n", str(i)), w, n, False) for i, (w, n) in enumerate(nodes)]
    kinds += [RackKind(("s", str(i)), w, n, True) for i, (w, n) in enumerate(smalls)]
    patterns = assign(one, kinds)
    racks, rings = hung(one, patterns)
    assert racks == {k.key: k.racks for k in kinds}
    load = {k.key: k.load for k in kinds}
    for pattern, _ in patterns:
        on_groups = np.zeros(len(one.groups.first))
        for group, key, number in pattern:
            on_groups[group] += number * load[key]
        assert not overloads(one, on_groups)
    effective = sum(float(one.effective(w, n, 1, 0)) + float(one.per_kind(w)) for w, n in nodes)
    effective += sum(n * w * one.small_factor for w, n in smalls)
    assert rings <= ceil(effective / one.usable - 1e-9)


@settings(deadline=None, max_examples=60)
@given(which=st.sampled_from(RINGS), load=LOADS, racks=st.integers(1, 400))
def test_one_kind_of_racks_takes_no_ring_more_than_it_must(which, load, racks):
    patterns = assign(which, [RackKind(("only",), load, racks, False)])
    assert hung(which, patterns)[1] == ceil(racks / int(which.racks(load)))


@given(st.integers(2, 9), st.integers(0, 200))
def test_racks_spread_over_pairs_as_evenly_as_they_go(blocks, racks):
    pairs = even_pairs(blocks, racks)
    on_block = [sum(n for pair, n in pairs.items() if v in pair) for v in range(blocks)]
    assert sum(pairs.values()) == racks
    assert max(on_block) - min(on_block) <= 1
    assert max(pairs.values()) - min(pairs.values()) <= 1
    assert set(pairs) == set(combinations(range(blocks), 2))


def test_the_groups_are_those_of_the_physics():
    one = ring(Topology.BLOCK_REDUNDANT, 6, 4, 900)
    expected = feed_groups(Redundancy.BLOCK_REDUNDANT, 6, 2)
    assert one.groups.first.tolist() == expected.first.tolist()
    assert one.groups.second.tolist() == expected.second.tolist()
