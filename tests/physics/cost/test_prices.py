"""Prices: tiers against counting unit by unit, charges on a purchase."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.physics import cost
from models.physics.cost import PriceBasis


def test_price_basis():
    low, high = [2500.0, np.nan, 80.0, np.nan], [5000.0, 70.0, np.nan, np.nan]
    assert cost.price_at(low, high)[:3].tolist() == [3750, 70, 80]
    assert cost.price_at(low, high, PriceBasis.LOW)[0] == 2500
    assert cost.price_at(low, high, PriceBasis.HIGH)[0] == 5000
    assert np.isnan(cost.price_at(low, high)[3])
    with pytest.raises(ValueError, match="above its high"):
        cost.price_at(3.0, 2.0)


@st.composite
def tiers(draw):
    widths = draw(st.lists(st.integers(1, 30), min_size=0, max_size=4))
    breaks = [draw(st.sampled_from([0, 1])), *np.cumsum([1, *widths])[1:].tolist()]
    prices = sorted(draw(st.lists(st.integers(1, 500), min_size=len(breaks), max_size=len(breaks))), reverse=True)
    return np.array(breaks), np.array(prices, dtype=float)


def unit_price(number, breaks, prices):
    """Price of the unit with this number: that of the last tier that has begun."""
    return prices[max(i for i, b in enumerate(breaks) if b <= number)]


@given(tiers(), st.integers(0, 150))
def test_incremental_is_a_sum_over_units(table, quantity):
    breaks, prices = table
    by_unit = sum(unit_price(n, breaks, prices) for n in range(1, quantity + 1))
    assert float(cost.incremental_cost(quantity, breaks, prices)) == pytest.approx(by_unit)


@given(tiers(), st.integers(1, 150))
def test_all_unit_takes_the_tier_reached_for_every_unit(table, quantity):
    breaks, prices = table
    assert float(cost.all_unit_cost(quantity, breaks, prices)) == pytest.approx(
        quantity * unit_price(quantity, breaks, prices)
    )
    assert (
        float(cost.all_unit_cost(quantity, breaks, prices))
        <= float(cost.incremental_cost(quantity, breaks, prices)) + 1e-9
    )


@given(tiers(), st.integers(0, 150))
def test_cheapest_all_unit_is_a_search_over_larger_orders(table, quantity):
    breaks, prices = table
    total, bought = cost.cheapest_all_unit(quantity, breaks, prices)
    search = min(float(cost.all_unit_cost(q, breaks, prices)) for q in range(quantity, 300))
    assert float(total) == pytest.approx(search)
    assert bought >= quantity
    assert float(cost.all_unit_cost(bought, breaks, prices)) == pytest.approx(float(total))


def test_tiers_that_make_no_sense_are_refused():
    for breaks, prices in (([5, 10], [3.0, 2.0]), ([1, 1], [3.0, 2.0]), ([1, 5], [3.0]), ([], [])):
        with pytest.raises(ValueError, match="tier"):
            cost.all_unit_cost(1, breaks, prices)


def test_landed_cost_stacks_the_charges():
    got = cost.landed_cost(100_000.0, 0.02, 5.0, 200.0, 0.01, 0.05, 0.2)
    # freight 2,000 + 1,000; insurance 1,000; duty 5 % of 104,000; tax 20 % of 109,200.
    assert (got.freight, got.insurance, got.duty, got.tax) == (3000, 1000, 5200, 21840)
    assert got.total == pytest.approx(131_040)
    assert cost.landed_cost([1.0, 2.0]).total.tolist() == [1, 2]


def test_concentration():
    assert cost.vendor_shares([[30.0, 50, 20], [0, 0, 0]]).tolist() == [[0.3, 0.5, 0.2], [0, 0, 0]]
    assert cost.largest_spend([[30.0, 50, 20], [0, 0, 0]]).tolist() == [50, 0]


def test_prices_move_with_time():
    assert cost.price_on(100.0, [-0.2, 0.06], [2, 1]).tolist() == pytest.approx([64, 106])
    with pytest.raises(ValueError, match="100 %"):
        cost.price_on(1.0, -1.0, 1)
