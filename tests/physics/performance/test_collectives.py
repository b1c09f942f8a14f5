from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.physics.performance import collectives
from models.physics.performance.cards import Network, NetworkTier, Wiring
from tests.physics.performance.conftest import make_card, make_kernels, make_network

SIZE = np.array([1e9])


def group(card, network, g, stride):
    return collectives.group(card, network, np.array([float(g)]), np.array([float(stride)]), 1.0)


def test_a_ring_inside_a_domain_moves_each_byte_once_less_its_own_share():
    card = make_card()
    ranks = group(card, make_network(), 8, 1)
    rate = 450e9 * 0.8 * (1 - 0.6 / 8)
    alpha = 5e-6 + 7 * 1e-6
    assert collectives.gather(ranks, SIZE)[0] == pytest.approx(alpha + 7 / 8 * 1e9 / rate)


def test_every_rail_carries_its_part_between_domains():
    card = make_card()
    for inside, stride in ((8, 1), (4, 2), (1, 8)):
        ranks = group(card, make_network(), 64 // stride, stride)
        assert ranks.inside[0] == inside
        local = 450e9 * 0.8 * (1 - 0.6 / inside) if inside > 1 else math.inf
        assert ranks.bandwidth[0] == pytest.approx(min(local, 50e9 * inside))


def test_oversubscription_counts_only_at_the_tier_it_is_at():
    card = make_card()
    thin, full = make_network(oversubscription=4.0), make_network()
    assert group(card, thin, 8, 8).bandwidth[0] == group(card, full, 8, 8).bandwidth[0]
    assert group(card, thin, 16, 8).bandwidth[0] == pytest.approx(
        min(50e9, 8 * 50e9 / 4.0)  # one ring over the spine shares its leaf's uplinks with the seven other ranks there
    )
    assert group(card, thin, 4, 64).bandwidth[0] == pytest.approx(50e9 / 4.0)


def test_reduction_in_the_switch_replaces_the_ring_where_it_is_faster():
    with_switch, without = make_card(), make_card(kernels=make_kernels(switch_reduction=None))
    ranks = [group(card, make_network(), 8, 1) for card in (with_switch, without)]
    fast, slow = (collectives.all_reduce(c, r, SIZE)[0] for c, r in zip((with_switch, without), ranks, strict=True))
    start = 5e-6 + 2 * 7e-6
    assert slow == pytest.approx(start + 2 * 7 / 8 * 1e9 / ranks[1].bandwidth[0])
    assert fast == pytest.approx(min(slow, start + 9 / 8 * 1e9 / (450e9 * 0.63)))


def test_an_even_exchange_is_limited_by_the_share_that_leaves_the_domain():
    card = make_card()
    ranks = group(card, make_network(), 32, 1)
    assert collectives.all_to_all(ranks, SIZE)[0] == pytest.approx(ranks.alpha[0] + 24 / 32 * 1e9 / 50e9)


def test_one_rank_talks_to_nobody():
    card = make_card()
    ranks = group(card, make_network(), 1, 1)
    for time in (
        collectives.gather(ranks, SIZE),
        collectives.all_reduce(card, ranks, SIZE),
        collectives.all_to_all(ranks, SIZE),
    ):
        assert time[0] == 0.0


def test_copies_to_one_domain_travel_once():
    card = make_card()
    ranks = group(card, make_network(), 64, 1)
    expected = 8 * (1 - (7 / 8) ** 8) / 8
    assert collectives.distinct_share(ranks, 8.0)[0] == pytest.approx(expected)
    assert collectives.distinct_share(ranks, 8.0, 4)[0] == pytest.approx(0.5)
    assert collectives.distinct_share(group(card, make_network(), 8, 1), 8.0)[0] == 1.0


def test_a_group_has_only_the_links_it_lies_along():
    card = make_card()

    def rate(g: float, wiring: Wiring, domain: float) -> float:
        network = Network((NetworkTier(domain, 450e9, 1e-6, wiring=wiring),))
        return float(group(card, network, g, 1).bandwidth[0])

    switched = {g: rate(g, Wiring(), 512) for g in (2, 8, 64, 512)}
    for g, axes in ((8, 1), (64, 2), (512, 3)):
        assert rate(g, Wiring(axes=3), 512) == pytest.approx(switched[g] * axes / 3)
    for g in (2, 8):
        assert rate(g, Wiring(mesh=True), 8) == pytest.approx(switched[g] * (g - 1) / 7)
    assert Wiring.named("ICI 3D torus + OCS") == Wiring(axes=3)
    assert Wiring.named("Infinity Fabric full mesh") == Wiring(mesh=True)
    assert Wiring.named("NVLink5") == Wiring()


def test_an_even_exchange_on_a_ring_travels_a_quarter_of_it():
    card, payload = make_card(), np.array([1e12])
    ring = Network((NetworkTier(64.0, 450e9, 0.0, wiring=Wiring(axes=2)),))
    ranks = group(card, ring, 8, 1)
    link = 450e9 * card.kernels.link_efficiency * (1 - card.kernels.link_small_group / 8) / 4
    # eight ranks on one axis: each byte takes two hops on average, over two of the four links
    assert collectives.all_to_all(ranks, payload)[0] == pytest.approx(1e12 * 2 / (2 * link), rel=1e-3)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 512), st.integers(1, 64), st.floats(1e3, 1e10), st.floats(1.0, 8.0), st.floats(1e9, 1e12))
def test_more_bytes_take_longer_and_more_rate_never_does(g, stride, size, factor, rate):
    card = make_card()
    slow = Network((NetworkTier(8.0, 450e9, 1e-6), NetworkTier(math.inf, rate, 5e-6)))
    fast = Network((NetworkTier(8.0, 450e9, 1e-6), NetworkTier(math.inf, rate * factor, 5e-6)))
    a, b = group(card, slow, g, stride), group(card, fast, g, stride)
    payload, double = np.array([size]), np.array([2 * size])
    for time in (
        collectives.gather,
        lambda r, s: collectives.all_reduce(card, r, s),
        collectives.all_to_all,
    ):
        assert time(b, payload)[0] <= time(a, payload)[0] * (1 + 1e-12)
        assert time(a, double)[0] >= time(a, payload)[0]
