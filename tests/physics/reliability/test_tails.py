"""Binomial and Poisson chances against the statistics package, and at their ends."""

import numpy as np
import pytest
from scipy import stats

from models.physics.tails import at_least, exactly, more_than


@pytest.fixture
def groups() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    units = rng.integers(0, 3000, 5000)
    needed = np.where(rng.random(5000) < 0.5, units - rng.integers(-2, 6, 5000), rng.integers(-1, 3000, 5000))
    chance = 1.0 - 10.0 ** rng.uniform(-6.0, 0.0, 5000)
    chance[:100], chance[100:200] = 1.0, 0.0
    return needed, units, chance


def test_at_least_is_the_upper_tail(groups: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    needed, units, chance = groups
    np.testing.assert_array_equal(at_least(needed, units, chance), stats.binom.sf(needed - 1, units, chance))


def test_exactly_is_the_difference_of_two_tails(groups: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    needed, units, chance = groups
    needed = np.maximum(needed, 0)
    np.testing.assert_allclose(exactly(needed, units, chance), stats.binom.pmf(needed, units, chance), 1e-10, 1e-290)


def test_more_than_is_the_tail_of_a_poisson() -> None:
    count, mean = np.meshgrid(np.arange(-2, 60), [0.0, 1e-9, 0.3, 7.0, 45.5])
    np.testing.assert_array_equal(more_than(count, mean), stats.poisson.sf(count, mean))
