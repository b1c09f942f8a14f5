"""What a ring of blocks carries: closed forms against the explicit program of single failures, and racks really hung."""

from functools import cache
from itertools import combinations
from math import ceil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from models.candidates.block_rings import RackKind, Ring, even_pairs
from models.candidates.ring_packing import Division, hang
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


LOADS = st.integers(1, 160)


def divided(one, nodes, small):
    """The fewest rings, full and shared, that have room for node racks and ``small`` kW of others: a program of its own."""
    loads = sorted(nodes)
    ways = [way for w in (one.largest_small, *(w for w in loads if w > one.largest_small)) for way in one.shared_by(w)]
    most = np.array([int(one.racks(w)) for w in loads], dtype=float)
    number, each = len(loads), np.array(loads, dtype=float)
    rows, lower, upper = [], [], []

    def row(full, rest, shared, low, high):
        rows.append(np.concatenate([full, rest, shared]))
        lower.append(low)
        upper.append(high)

    none = np.zeros(number)
    for at, w in enumerate(loads):
        here = (np.arange(number) >= at).astype(float)
        row(most * here, here, np.zeros(len(ways)), sum(n for v, n in nodes.items() if v >= w), np.inf)
        if w > one.largest_small:
            row(none, each * here, [-float(way.large) * (way.largest >= w) for way in ways], -np.inf, w)
            row(none, np.eye(number)[at], [-most[at] * (way.largest >= w) for way in ways], -np.inf, 0)
    row(none, each, [-float(way.whole) for way in ways], -np.inf, one.largest_small - small)
    row(none, each, [-float(one.usable)] * len(ways), -np.inf, -small)
    cost = np.concatenate([np.ones(number), np.zeros(number), np.ones(len(ways))])
    found = milp(cost, constraints=LinearConstraint(np.array(rows), lower, upper), integrality=np.ones(len(cost)))
    assert found.status == 0
    counts = np.rint(found.x).astype(int).tolist()
    full, rest, shared = counts[:number], counts[number : 2 * number], counts[2 * number :]
    return Division(
        dict(zip(loads, full, strict=True)), dict(zip(loads, rest, strict=True)), dict(zip(ways, shared, strict=True))
    )


def kinds_of(nodes, smalls):
    kinds = [RackKind(("n", str(i)), w, n, False) for i, (w, n) in enumerate(nodes)]
    return kinds + [RackKind(("s", str(i)), w, n, True) for i, (w, n) in enumerate(smalls)]


def hung_so(one, nodes, smalls):
    """Every rack hung as rows of whole rings have it, and how many rings those are."""
    counted: dict[int, int] = {}
    for w, n in nodes:
        counted[w] = counted.get(w, 0) + n
    kinds = kinds_of(nodes, smalls)
    division = divided(one, counted, sum(w * n for w, n in smalls))
    found = hang(one, kinds, division)
    assert len(found) == sum(division.full.values()) + sum(division.shared.values())
    racks: dict[tuple[str, ...], int] = {}
    load = {k.key: k.load for k in kinds}
    for held in found:
        on_groups = np.zeros(len(one.groups.first))
        for (group, key), number in held.items():
            racks[key] = racks.get(key, 0) + number
            on_groups[group] += number * load[key]
        assert not overloads(one, on_groups)
    assert racks == {k.key: k.racks for k in kinds}
    return len(found)


NODES = st.lists(st.tuples(LOADS, st.integers(1, 120)), min_size=0, max_size=4)
SMALLS = st.lists(st.tuples(st.integers(1, 30), st.integers(1, 40)), min_size=0, max_size=4)


@settings(deadline=None, max_examples=150)
@given(which=st.sampled_from(RINGS), nodes=NODES, smalls=SMALLS)
def test_racks_of_any_kinds_find_a_place_in_rings_full_and_shared(which, nodes, smalls):
    one = Ring(which.topology, which.blocks, which.needed, which.capacity, 30)
    rings = hung_so(one, nodes, smalls)
    effective = sum(float(one.effective(w, n, 1, 0)) + float(one.per_kind(w)) for w, n in nodes)
    effective += sum(n * w * one.small_factor for w, n in smalls)
    assert rings <= ceil(effective / one.usable - 1e-9)


@settings(deadline=None, max_examples=60)
@given(which=st.sampled_from(RINGS), load=LOADS, racks=st.integers(1, 400))
def test_one_kind_of_racks_takes_no_ring_more_than_it_must(which, load, racks):
    assert hung_so(which, [(load, racks)], []) == ceil(racks / int(which.racks(load)))


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
