"""Failure rates and availability: published counts, binomial sums, a simulated group."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.physics import reliability as rel

HOUR = 3600.0

# Interruptions of the 54-day Llama 3 405B run on 16,384 H100 (arXiv 2407.21783, table of root causes), 419 unplanned in all.
LLAMA3_EVENTS = {
    "gpu": 148 + 72 + 19 + 17 + 6 + 6,  # faulty GPU, HBM3, SRAM, system processor, silent corruption, thermal
    "software": 54 + 2,
    "network": 35,
    "maintenance": 32,
    "nic": 7,
    "nccl": 7,
    "ssd": 3,
    "psu": 3,
    "chassis": 2,
    "io board": 2,
    "cpu": 2,
    "memory": 2,
}
EXPOSURE = 16384 * 54 * 24 * HOUR

# Hardware rates in FIT as a parts catalogue states them, with the number of each in that cluster.
CATALOGUE_FIT = {
    "gpu": (16384, 12600),
    "nic": (16384, 330),
    "link": (16384, 1650),
    "ssd": (16384, 141),
    "psu": (12288, 188),
    "cpu": (4096, 377),
    "dimm": (65536, 24),
}


def test_units_of_rates_agree():
    assert rel.rate_from_fit(1e9) == pytest.approx(1 / HOUR)
    assert rel.rate_from_annual(0.111) == pytest.approx(rel.rate_from_fit(12600), rel=0.01)
    assert rel.rate_from_annual_probability(1 - np.exp(-0.3)) == pytest.approx(rel.rate_from_annual(0.3))


def test_llama3_time_between_interruptions_is_in_the_range_of_its_counts():
    low, best, high = rel.rate_interval(list(LLAMA3_EVENTS.values()), EXPOSURE)
    rates = np.stack([low, best, high])
    hours = rel.mean_time_to_interrupt(rel.failure_rate(16384.0, rates)) / HOUR
    assert sum(LLAMA3_EVENTS.values()) == 419
    assert hours[1] == pytest.approx(3.09, abs=0.01)
    assert hours[2] < 3.09 < hours[0]


def test_llama3_from_catalogue_parts_and_everything_else():
    counts, fit = np.array(list(CATALOGUE_FIT.values()), dtype=float).T
    hardware = rel.failure_rate(counts, rel.rate_from_fit(fit))
    assert rel.mean_time_to_interrupt(hardware) / HOUR == pytest.approx(4.06, abs=0.02)
    rest = sum(LLAMA3_EVENTS[k] for k in ("software", "maintenance", "nccl", "chassis", "io board")) / EXPOSURE * 16384
    assert rel.mean_time_to_interrupt(hardware + rest) / HOUR == pytest.approx(3.09, abs=0.03)


def test_published_fleets_differ_by_more_than_counting_noise():
    # Meta RSC-1 and RSC-2 (arXiv 2410.21680): 6.50 and 2.34 failures per 1000 node-days; Llama 3: 3.79.
    per_node_day = np.array([2.34, 3.79, 6.50]) / 1000 / 24 / HOUR
    hours = rel.mean_time_to_interrupt(rel.failure_rate([[2048.0]], per_node_day[:, None])) / HOUR
    assert hours == pytest.approx([5.01, 3.09, 1.80], abs=0.02)
    low, _, high = rel.rate_interval(419, EXPOSURE / 8)
    assert per_node_day[0] < low
    assert high < per_node_day[2]


@pytest.mark.parametrize(("events", "low", "high"), [(0, 0.0, 2.996), (1, 0.0513, 4.744), (10, 5.425, 16.962)])
def test_rate_interval_is_the_tabulated_poisson_interval(events, low, high):
    got = rel.rate_interval(events, 1.0, confidence=0.9)
    assert got[0] == pytest.approx(low, abs=2e-3)
    assert got[1] == events
    assert got[2] == pytest.approx(high, abs=2e-3)


def test_nothing_that_fails_never_interrupts():
    assert rel.mean_time_to_interrupt(rel.failure_rate([3.0, 4.0], [0.0, 0.0])) == np.inf
    assert rel.rate_weighted_mean([0.0, 0.0], [1.0, 2.0]) == 0.0
    assert rel.rate_weighted_mean([1.0, 3.0], [100.0, 20.0]) == pytest.approx(40.0)
    assert rel.steady_availability(np.inf, 10.0) == 1.0


def test_negative_input_is_refused():
    with pytest.raises(ValueError, match="never negative"):
        rel.failure_rate([-1.0], [1.0])
    with pytest.raises(ValueError, match="confidence"):
        rel.rate_interval(3, 1.0, confidence=1.5)


@given(st.integers(1, 6), st.integers(0, 6), st.floats(0.01, 0.999))
def test_k_of_n_is_the_sum_over_all_states(n, k, a):
    brute = sum(
        np.prod([a if up else 1 - a for up in state])
        for state in itertools.product([True, False], repeat=n)
        if sum(state) >= k
    )
    assert rel.k_of_n_availability(k, n, a) == pytest.approx(brute, abs=1e-12)


def test_redundant_groups_match_their_closed_forms():
    a = np.array([0.99, 0.999])
    assert rel.k_of_n_availability(1, 2, a) == pytest.approx(1 - (1 - a) ** 2)  # 2N
    assert rel.k_of_n_availability(3, 4, a) == pytest.approx(4 * a**3 * (1 - a) + a**4)  # N+1 and 4N/3
    assert rel.k_of_n_availability(4, 4, a) == pytest.approx(a**4)
    assert rel.two_path_availability(a, a) == pytest.approx(rel.k_of_n_availability(1, 2, a))


def test_common_cause_limits_what_redundancy_buys():
    u = 1e-3
    assert 1 - rel.k_of_n_availability(1, 2, 1 - u, 0.1) == pytest.approx(0.1 * u + (0.9 * u) ** 2, rel=1e-3)
    assert rel.k_of_n_availability(1, 2, 1 - u, 1.0) == pytest.approx(1 - u)
    assert 1 - rel.two_path_availability(1 - u, 1 - u, 0.1) == pytest.approx(0.1 * u + (0.9 * u) ** 2, rel=1e-3)


def test_series_is_a_sum_of_logs():
    parts = np.array([[0.999, 0.99, 0.9999], [1.0, 0.5, 0.2]])
    assert np.exp(rel.log_availability(parts).sum(axis=-1)) == pytest.approx(rel.series_availability(parts))
    assert rel.log_availability(0.0) == -np.inf


@pytest.mark.parametrize(("k", "n"), [(3, 4), (1, 2), (4, 4)])
def test_group_failure_frequency_agrees_with_a_simulation(k, n):
    rng = np.random.default_rng(11)
    rate, repair = 0.02, 5.0
    up, clock, failures, span = n, 0.0, 0, 600_000.0
    while clock < span:
        total = up * rate + (n - up) / repair
        clock += rng.exponential(1 / total)
        if rng.random() < up * rate / total:
            failures += up == k
            up -= 1
        else:
            up += 1
    expected = float(rel.group_failure_rate(k, n, rate, repair))
    assert failures / span == pytest.approx(expected, abs=4 * np.sqrt(expected / span))


def test_blast_radius_is_the_worst_single_loss():
    # Four racks of 72; two leaves and two feeds. A rack dies with its leaf; racks 0 and 1 are on both feeds, 2 and 3 on the second only.
    dependents = [[1, 1, 0, 0], [0, 0, 1, 1], [0, 0, 0, 0], [0, 0, 1, 1]]
    losses = rel.losses_by_domain(dependents, [72, 72, 72, 36])
    assert losses.tolist() == [144, 108, 0, 108]
    assert rel.blast_radius(losses) == 144
    assert rel.blast_radius(np.zeros((2, 0))).tolist() == [0, 0]


def test_fleet_spread():
    low, middle, high = rel.rate_spread(rel.rate_from_node_days([2.34, 6.50, 3.79]))
    assert high / low == pytest.approx(6.50 / 2.34)
    assert middle * 24 * HOUR * 1000 == pytest.approx((2.34 * 6.50 * 3.79) ** (1 / 3))
    # 2,048 nodes of the first fleet: 1.8 h between failures, as published.
    assert rel.mean_time_to_interrupt(2048 * high) / HOUR == pytest.approx(1.80, abs=0.01)
    with pytest.raises(ValueError, match="above 0"):
        rel.rate_spread([0.0, 1.0])
