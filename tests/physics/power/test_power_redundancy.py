"""Blocks: textbook redundancy, failures replayed one rack at a time, and the stranding identity."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.physics import power_redundancy as red
from models.physics.power_redundancy import Redundancy


def replay(first, second, share, loads, failed, blocks):
    """What each block carries after ``failed`` is gone, one group after the other."""
    carried, dark = [0.0] * blocks, 0.0
    for a, b, s, load in zip(first, second, share, loads, strict=True):
        ends = [(a, s * load), (b, (1 - s) * load)] if a != b else [(a, load)]
        alive = [block for block, _ in ends if block != failed]
        if not alive:
            dark += load
        elif len(alive) < len(ends):
            carried[alive[0]] += load
        else:
            for block, part in ends:
                carried[block] += part
    return carried, dark


@st.composite
def any_groups(draw):
    blocks = draw(st.integers(1, 6))
    count = draw(st.integers(1, 12))
    ends = st.lists(st.integers(0, blocks - 1), min_size=count, max_size=count)
    first, second = np.array(draw(ends)), np.array(draw(ends))
    share = np.array(draw(st.lists(st.sampled_from([0.0, 0.3, 0.5, 1.0]), min_size=count, max_size=count)))
    loads = np.array(draw(st.lists(st.floats(0, 1e6), min_size=count, max_size=count)))
    return red.FeedGroups(first, second, share, blocks), loads


@given(any_groups())
def test_every_single_failure_replayed(case):
    groups, loads = case
    after, dark = red.survivor_loads(groups, loads), red.lost_loads(groups, loads)
    for failed in range(groups.blocks):
        carried, lost = replay(groups.first, groups.second, groups.first_share, loads, failed, groups.blocks)
        assert after[failed] == pytest.approx(carried, abs=1e-6)
        assert dark[failed] == pytest.approx(lost, abs=1e-6)
    assert red.normal_loads(groups, loads).sum() == pytest.approx(loads.sum())


@pytest.mark.parametrize(
    ("scheme", "blocks", "share"),
    [
        (Redundancy.TWO_N, 2, 1 / 2),
        (Redundancy.TWO_N, 6, 1 / 2),
        (Redundancy.DISTRIBUTED, 3, 2 / 3),  # 3N/2
        (Redundancy.DISTRIBUTED, 4, 3 / 4),  # 4N/3
        (Redundancy.DISTRIBUTED, 5, 4 / 5),
        (Redundancy.BLOCK_REDUNDANT, 5, 4 / 5),
        (Redundancy.NONE, 3, 1.0),
    ],
)
def test_textbook_schemes_fill_their_survivors_exactly(scheme, blocks, share):
    rating = 1.5e6
    total = float(red.usable_share(scheme, blocks)) * blocks * rating
    assert red.usable_share(scheme, blocks) == pytest.approx(share)
    groups = red.feed_groups(scheme, blocks)
    loads = np.full(groups.first.size, total / groups.first.size)
    normal, worst = red.balanced_loads(scheme, total, blocks)
    assert red.normal_loads(groups, loads).max() == pytest.approx(normal)
    assert red.survivor_loads(groups, loads).max() == pytest.approx(worst)
    assert red.worst_survivor_load(groups, loads) == pytest.approx(rating)
    if scheme is not Redundancy.NONE:
        assert red.lost_loads(groups, loads) == pytest.approx(np.zeros(blocks), abs=1e-6)
    else:
        assert red.lost_loads(groups, loads) == pytest.approx(np.full(blocks, rating))


def test_four_thirds_normally_runs_at_three_quarters():
    normal, worst = red.balanced_loads(Redundancy.DISTRIBUTED, 4.5e6, 4)
    assert (normal, worst) == (pytest.approx(1.125e6), pytest.approx(1.5e6))


def test_the_reserve_block_is_idle_until_needed():
    groups = red.feed_groups(Redundancy.BLOCK_REDUNDANT, 6, reserve=2)
    loads = np.array([1.0, 2.0, 3.0, 4.0])
    assert red.normal_loads(groups, loads).tolist() == [1, 2, 3, 4, 0, 0]
    after = red.survivor_loads(groups, loads)
    assert after[2].tolist() == [1, 2, 0, 4, 3, 0]
    assert after[4].tolist() == [1, 2, 3, 4, 0, 0]
    assert red.usable_share(Redundancy.BLOCK_REDUNDANT, 6, 2) == pytest.approx(4 / 6)


def test_uneven_pairs_overload_one_survivor():
    groups = red.feed_groups(Redundancy.DISTRIBUTED, 3)  # pairs 0-1, 0-2, 1-2
    after = red.survivor_loads(groups, [600.0, 100.0, 100.0])
    assert after[0].tolist() == [0, 650, 150]
    assert red.worst_survivor_load(groups, [[600.0, 100, 100], [300, 300, 300]]).tolist() == [650, 450]


@pytest.mark.parametrize(("scheme", "blocks"), [("2n", 3), ("distributed", 2), ("block-redundant", 1), ("n", 0)])
def test_impossible_numbers_of_blocks_are_refused(scheme, blocks):
    with pytest.raises(ValueError, match="block"):
        red.feed_groups(Redundancy(scheme), blocks)


@given(
    st.floats(1e3, 1e8),
    st.lists(st.floats(0.01, 1.5), min_size=1, max_size=7),
    st.floats(0, 1),
)
def test_installed_is_used_plus_causes_plus_free(installed, shares, fraction):
    limits = np.array(shares) * installed
    used = fraction * min(installed, limits.min())
    charges, free = red.stranded_power(installed, limits, used)
    assert np.all(charges >= 0)
    assert free >= 0
    assert used + charges.sum() + free == pytest.approx(installed, rel=1e-12)


def served_after(groups, loads, down, rating):
    """True where every group has a block left and no block is overloaded, with the blocks ``down`` out."""
    carried = np.zeros(groups.blocks)
    for a, b, share, load in zip(groups.first, groups.second, groups.first_share, loads, strict=True):
        ends = {a: share, b: 1 - share} if a != b else {a: 1.0}
        alive = [block for block in ends if block not in down]
        if not alive:
            return False
        for block in alive:
            carried[block] += load * (1.0 if len(alive) == 1 else ends[block])
    return bool(carried.max() <= rating * (1 + 1e-9))


@pytest.mark.parametrize(
    ("scheme", "blocks", "reserve"),
    [
        ("n", 3, 1),
        ("2n", 4, 1),
        ("distributed", 3, 1),
        ("distributed", 4, 1),
        ("block-redundant", 5, 1),
        ("block-redundant", 7, 2),
    ],
)
def test_availability_is_the_sum_over_all_block_states(scheme, blocks, reserve):
    scheme, a = Redundancy(scheme), 0.97
    groups = red.feed_groups(scheme, blocks, reserve)
    total = float(red.usable_share(scheme, blocks, reserve)) * blocks
    loads = np.full(groups.first.size, total / groups.first.size)
    states = (set(c) for n in range(blocks + 1) for c in combinations(range(blocks), n))
    brute = sum((1 - a) ** len(d) * a ** (blocks - len(d)) for d in states if served_after(groups, loads, d, 1.0))
    assert float(red.scheme_availability(scheme, blocks, a, reserve)) == pytest.approx(brute, abs=1e-12)


def test_causes_are_charged_in_order():
    charges, free = red.stranded_power([1000.0, 1000.0], [[800, 750, 900, 600]], [500.0, 600.0])
    assert charges.tolist() == [[200, 50, 0, 150]] * 2
    assert free.tolist() == [100, 0]
    with pytest.raises(ValueError, match="above"):
        red.stranded_power(1000.0, [800.0], 801.0)
