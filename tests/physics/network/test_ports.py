"""Radix as a function of speed, and legal splits of a leaf."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.physics.network.ports import PortPlan, leaf_splits

G = 1e9 / 8
NDR = PortPlan(64, 400 * G, 128, 200 * G, 32)
ETH = PortPlan(64, 800 * G, 256, 200 * G, 64)
XDR = PortPlan(144, 800 * G, 144, 800 * G, 72)


@pytest.mark.parametrize(
    ("plan", "gbps", "ports", "per_cage"),
    [
        (NDR, 400, 64, 2), (NDR, 200, 128, 4), (NDR, 800, 0, 1), (NDR, 100, 128, 4),
        (ETH, 800, 64, 1), (ETH, 400, 128, 2), (ETH, 200, 256, 4), (ETH, 100, 256, 4), (ETH, 300, 0, 1),
        (XDR, 800, 144, 2), (XDR, 400, 144, 2), (PortPlan(48, G), 1, 48, 1), (PortPlan(32, 400 * G, cages=32), 200, 32, 1),
    ],
)  # fmt: skip
def test_radix_is_a_function_of_speed(plan, gbps, ports, per_cage):
    assert plan.radix(gbps * G) == ports
    assert plan.ports_per_cage(gbps * G) == per_cage


@given(
    plan=st.sampled_from([NDR, ETH, XDR]),
    speeds=st.tuples(st.sampled_from([200, 400, 800]), st.sampled_from([200, 400, 800])),
    ratios=st.sets(st.sampled_from([1.0, 1.5, 2.0, 4.0, 7.0]), min_size=1),
    waste=st.sampled_from([0.0, 0.05, 0.2]),
)
@settings(max_examples=200)
def test_splits_fit_cages_and_asic(plan, speeds, ratios, waste):
    down_speed, up_speed = (s * G for s in speeds)
    for split in leaf_splits(plan, down_speed, up_speed, ratios, waste):
        assert split.ratio <= split.asked * (1 + 1e-9)
        assert split.down * down_speed + split.up * up_speed <= plan.capacity * (1 + 1e-9)
        down_cages = split.down / plan.ports_per_cage(down_speed)
        up_cages = split.up / plan.ports_per_cage(up_speed)
        if down_speed == up_speed:
            assert split.down + split.up <= plan.radix(down_speed)
        else:
            assert math.ceil(down_cages) + math.ceil(up_cages) <= plan.cages
        assert down_cages + up_cages >= plan.cages * (1 - waste) - 1 / plan.ports_per_cage(down_speed)


def test_non_blocking_split_is_half_and_half():
    (split,) = leaf_splits(NDR, 400 * G, 400 * G, [1.0], 0.0)
    assert (split.down, split.up, split.ratio) == (32, 32, 1.0)


def test_mixed_speeds_split_whole_cages():
    (split,) = leaf_splits(ETH, 400 * G, 800 * G, [1.0], 0.0)
    assert (split.down, split.up, split.ratio) == (64, 32, 1.0)


def test_oversubscription_prints_its_true_ratio():
    exact, idle = leaf_splits(NDR, 400 * G, 400 * G, [2.0], 0.02)
    assert (exact.down, exact.up) == (42, 22)
    assert (idle.down, idle.up, idle.ratio) == (42, 21, 2.0)
    assert exact.ratio == pytest.approx(42 / 22)
