from __future__ import annotations

import pytest

from models.physics.performance.sizing import best_within, usable_sizes
from models.physics.performance.training import best_mapping
from tests.physics.performance.conftest import DENSE, make_card, make_constants, make_network


@pytest.mark.parametrize("packages", [8, 100, 1016, 4093])
def test_sizes_fit_and_divide_the_batch(packages):
    sizes = usable_sizes(DENSE, packages, 2048)
    assert sizes
    assert all(0.75 * packages <= size <= packages for size in sizes)
    assert list(sizes) == sorted(set(sizes), reverse=True)


def test_a_size_that_divides_badly_does_no_worse_than_the_one_below():
    card, network, constants = make_card(), make_network(), make_constants()
    smooth = best_mapping(DENSE, card, network, 1008, 2016, constants, "bf16")
    odd = best_within(DENSE, card, network, 1013, 2016, constants, "bf16")
    assert smooth is not None
    assert odd is not None
    assert odd.used <= 1013
    assert odd.result.tokens_s >= smooth.tokens_s * (1 - 1e-12)


def test_a_good_size_is_used_whole_and_nothing_that_fits_is_none():
    card, network, constants = make_card(), make_network(), make_constants()
    whole = best_within(DENSE, card, network, 64, 128, constants, "bf16")
    assert whole is not None
    assert whole.used == 64
    assert best_within(DENSE, make_card(hbm_bytes=3e9), network, 64, 128, constants, "bf16") is None
