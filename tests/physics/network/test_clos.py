"""Clos formulas against brute force and the limits of the literature."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.physics.network import clos


@given(number=st.integers(1, 2000), least=st.integers(0, 2100))
def test_least_divisor_is_found_by_trying(number, least):
    tried = next((k for k in range(max(least, 1), number + 1) if number % k == 0), 0)
    assert int(clos.least_divisor(number, least)) == tried


@given(st.lists(st.integers(1, 300), min_size=1, max_size=20), st.integers(1, 300))
def test_least_divisor_works_elementwise(numbers, least):
    together = clos.least_divisor(np.array(numbers), least)
    assert list(together) == [int(clos.least_divisor(n, least)) for n in numbers]


@pytest.mark.parametrize("radix", [4, 8, 32, 40, 64, 128, 144])
def test_two_tiers_end_at_half_the_square_of_the_radix(radix):
    half = radix // 2
    assert clos.endpoint_limit(radix, 2) == radix * radix // 2
    assert int(clos.two_tier_spines(radix, half, radix)) == half
    assert int(clos.two_tier_spines(radix + 1, half, radix)) == 0


def test_limits_of_a_64_port_switch():
    assert [clos.endpoint_limit(64, tiers) for tiers in (1, 2, 3)] == [64, 2048, 65536]


@given(leaf=st.integers(1, 64), up=st.integers(1, 32))
def test_every_spine_has_ports_for_its_leaves(leaf, up):
    spine = int(clos.two_tier_spines(leaf, up, 64))
    if spine:
        assert up % spine == 0
        assert leaf * (up // spine) <= 64
        assert all(up % s or leaf * (up // s) > 64 for s in range(1, spine))


@given(st.integers(1, 500), st.integers(1, 8), st.integers(1, 64))
def test_rails_need_at_least_the_leaves_of_a_plain_tree(nodes, ports, down):
    railed = int(clos.leaf_count(nodes, ports, down, True))
    plain = int(clos.leaf_count(nodes, ports, down, False))
    assert railed >= plain
    assert railed % ports == 0
    assert plain * down >= nodes * ports


@pytest.mark.parametrize(("links", "core", "share"), [(1024, 512, 1.0), (1024, 640, 0.625), (140, 28, 1.0)])
def test_guaranteed_share(links, core, share):
    assert float(clos.guaranteed_share(links, core)) == share


def test_a_fabric_has_at_least_one_tier():
    with pytest.raises(ValueError, match="at least one tier"):
        clos.endpoint_limit(64, 0)
