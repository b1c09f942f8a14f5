"""Ledgers sum to the cent."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.physics import ledger

amounts = st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=40)


@given(amounts)
def test_lines_sum_to_the_rounded_total_and_move_less_than_a_cent(values):
    cents = ledger.round_to_cents(values)
    assert int(cents.sum()) == ledger.total_cents(values)
    assert np.all(np.abs(cents - np.array(values) * 100) < 1 + 1e-4)


@given(amounts, st.randoms())
def test_the_total_does_not_depend_on_the_order(values, random):
    shuffled = list(values)
    random.shuffle(shuffled)
    assert ledger.total_cents(values) == ledger.total_cents(shuffled)


def test_the_largest_remainders_get_the_cents():
    assert ledger.round_to_cents([0.333, 0.333, 0.334]).tolist() == [33, 33, 34]
    assert ledger.round_to_cents([10.006, 10.006, 10.006]).tolist() == [1001, 1001, 1000]
    assert ledger.round_to_cents([[1.0, 2.0], [3.0, -0.5]]).tolist() == [[100, 200], [300, -50]]


def test_a_total_that_does_not_belong_is_refused():
    assert ledger.round_to_cents([1.004, 1.004], 201).tolist() == [101, 100]
    with pytest.raises(ValueError, match="cannot be rounded"):
        ledger.round_to_cents([1.0, 2.0], 305)
    with pytest.raises(ValueError, match="finite"):
        ledger.round_to_cents([np.inf])


@given(st.integers(0, 10**12), st.lists(st.floats(0, 1e6), min_size=1, max_size=20).filter(lambda w: sum(w) > 0))
def test_a_shared_charge_is_split_without_loss(total, weights):
    parts = ledger.allocate_cents(total, weights)
    assert int(parts.sum()) == total
    assert np.all(parts >= 0)
    exact = total * np.array(weights) / sum(weights)
    assert np.all(np.abs(parts - exact) <= 1 + 1e-6 * exact)


def test_weights_must_mean_something():
    for weights in ([0.0, 0.0], [1.0, -1.0, 2.0]):
        with pytest.raises(ValueError, match="weights"):
            ledger.allocate_cents(10, weights)


def test_spend_ledger():
    book = ledger.spend_ledger(["silicon", "optics", "residual"], [1000.005, 20.3333, -5.25])
    assert book.cents == ledger.total_cents([1000.005, 20.3333, -5.25]) == 101509
    assert book.lines[1].usd == 20.33
    assert book.total_of(["optics", "residual"]) == 2033 - 525
    with pytest.raises(ValueError, match="labels"):
        ledger.spend_ledger(["a"], [1.0, 2.0])
