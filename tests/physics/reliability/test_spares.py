"""Spares: brute force against the Poisson and binomial sums, and a simulated repair loop."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.physics import spares


def poisson_tail(mean, s):
    return 1.0 - math.fsum(math.exp(-mean + k * math.log(mean) - math.lgamma(k + 1)) for k in range(s + 1))


@given(st.floats(0.01, 40.0), st.sampled_from([0.5, 0.1, 0.01, 1e-3, 1e-5]))
def test_spares_needed_is_the_smallest_that_meets_the_target(mean, target):
    s = int(spares.spares_needed(mean, target))
    assert poisson_tail(mean, s) <= target + 1e-9
    if s > 0:
        assert poisson_tail(mean, s - 1) > target - 1e-9


def test_spares_at_a_target_that_is_hit_exactly():
    tail = float(spares.shortage_probability(3, 2.0))
    assert int(spares.spares_needed(2.0, tail)) == 3
    assert int(spares.spares_needed(2.0, tail * (1 - 1e-9))) == 4
    assert int(spares.spares_needed(0.0, 1e-12)) == 0
    assert spares.spares_needed([[1.0], [5.0]], [1e-2, 1e-15]).shape == (2, 2)
    with pytest.raises(ValueError, match="finite mean"):
        spares.spares_needed(np.inf, 0.1)


@pytest.mark.parametrize(("k", "a", "goal"), [(32, 0.99, 0.999), (8, 0.9, 0.99), (1, 0.5, 0.999), (5, 1.0, 0.9999)])
def test_k_of_n_spares_against_a_walk_upwards(k, a, goal):
    def probability(s):
        return math.fsum(math.comb(k + s, i) * a**i * (1 - a) ** (k + s - i) for i in range(k, k + s + 1))

    walk = next(s for s in range(1000) if probability(s) >= goal)
    assert int(spares.spares_for_k_of_n(k, a, goal)) == walk
    table = spares.k_of_n_table(k, a, walk + 2)
    assert table == pytest.approx([probability(s) for s in range(walk + 3)])


def test_unreachable_target_is_said():
    with pytest.raises(ValueError, match="do not reach"):
        spares.spares_for_k_of_n(4, 0.0, 0.9)


def test_tables_are_monotone():
    table = spares.spares_table([0.5, 4.0], 12)
    assert table.shape == (2, 13)
    assert np.all(np.diff(table, axis=-1) < 0)
    assert np.all(np.diff(spares.k_of_n_table([4, 64], 0.98, 6), axis=-1) > 0)


@pytest.mark.parametrize("stock", [0, 2, 5])
def test_repair_loop_agrees_with_palm_and_little(stock):
    rng = np.random.default_rng(3)
    rate, repair, demands = 0.05, 60.0, 200_000
    failed = np.cumsum(rng.exponential(1 / rate, demands))
    back = failed + rng.lognormal(np.log(repair) - 0.32, 0.8, demands)  # mean exp(mu + 0.32) = repair
    order = np.sort(back)
    filled = failed.copy()
    filled[stock:] = np.maximum(failed[stock:], order[: demands - stock])
    waits = filled - failed
    away = failed.searchsorted(failed, side="left") - order.searchsorted(failed, side="left")
    mean = float(spares.expected_away(rate, repair))
    assert np.mean(away[1000:] > stock) == pytest.approx(float(spares.shortage_probability(stock, mean)), abs=0.012)
    expected = float(spares.replacement_time(0.0, stock, rate, repair))
    assert waits[1000:].mean() == pytest.approx(expected, rel=0.06)


def test_without_spares_the_wait_is_the_repair():
    assert spares.replacement_time(30.0, 0, 0.01, 500.0) == pytest.approx(530.0)
    assert spares.replacement_time(30.0, 1000, 0.01, 500.0) == pytest.approx(30.0)
    assert spares.replacement_time(30.0, 0, 0.0, 500.0) == 30.0


def test_cold_spares_cover_the_resupply_time():
    # 16,384 optics at 910 FIT, three weeks of resupply: mean demand 7.5.
    mean = 16384 * 910e-9 * 21 * 24
    s = int(spares.cold_spares(16384, 910e-9 / 3600, 21 * 86400.0, 0.01))
    assert poisson_tail(mean, s) <= 0.01 < poisson_tail(mean, s - 1)
