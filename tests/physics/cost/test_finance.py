"""Money over time: sums year by year against the closed forms."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.physics import finance
from models.physics.finance import FinanceTerms

yearly = st.floats(-0.05, 0.3)


@given(yearly, st.integers(1, 25))
def test_annuity_is_a_sum(rate, years):
    by_year = sum((1 + rate) ** -t for t in range(1, years + 1))
    assert float(finance.annuity_factor(rate, years)) == pytest.approx(by_year, rel=1e-7)


@given(yearly, yearly, st.integers(1, 25))
def test_growing_annuity_is_a_sum(rate, growth, years):
    by_year = sum((1 + growth) ** (t - 1) * (1 + rate) ** -t for t in range(1, years + 1))
    assert float(finance.growing_annuity_factor(rate, growth, years)) == pytest.approx(by_year, rel=1e-6)


@given(yearly, st.floats(0, 0.1))
def test_real_and_nominal_are_inverse(rate, inflation):
    assert float(finance.real_rate(finance.nominal_rate(rate, inflation), inflation)) == pytest.approx(rate, abs=1e-12)


@given(st.floats(0.0, 0.2), st.floats(0.0, 0.08), st.integers(1, 15))
def test_real_valuation_equals_nominal_valuation(real, inflation, years):
    # Amounts constant in real terms: growing with inflation at the nominal rate, or constant at the real rate.
    nominal = finance.nominal_rate(real, inflation)
    grown = float(finance.growing_annuity_factor(nominal, inflation, years)) * (1 + inflation)
    assert grown == pytest.approx(float(finance.annuity_factor(real, years)), rel=1e-6)


def test_published_factors():
    assert finance.annuity_factor([0.0, 0.05, 0.1], [5, 10, 20]) == pytest.approx([5, 7.7217, 8.5136], abs=1e-4)
    assert finance.discount_factor(0.08, 10) == pytest.approx(0.4632, abs=1e-4)
    assert finance.yearly_payment(100_000.0, 0.06, 10) == pytest.approx(13_586.80, abs=0.01)


def test_residuals_and_replacements():
    assert finance.residual_value(100.0, [0, 1, 3, 20], 0.2, 0.05).tolist() == pytest.approx([100, 80, 51.2, 5])
    assert finance.straight_line_residual(100.0, [0, 5, 30], 20).tolist() == [100, 75, 0]
    assert finance.replacements_in([4, 5, 5.1, 10, 15], 5).tolist() == [0, 0, 1, 1, 2]


def test_energy_of_the_hundred_thousand_gpu_study():
    # 150 MW critical at an overhead of 1.21 and 0.078 USD/kWh: 1.59 TWh and 124 MUSD a year.
    energy = float(finance.yearly_energy(150e6, 1.21))
    assert energy / 3.6e15 == pytest.approx(1.59, abs=0.005)
    assert float(finance.yearly_energy_cost(150e6, 0.078 / 3.6e6, 1.21)) == pytest.approx(123.9e6, rel=2e-3)


@st.composite
def any_terms(draw):
    years = draw(st.integers(1, 10))
    rate = st.floats(0.0, 0.2)
    return FinanceTerms(
        years=years,
        discount_rate=draw(rate),
        energy_growth=draw(rate),
        maintenance_growth=draw(rate),
        debt_share=draw(st.floats(0, 1)),
        debt_rate=draw(rate),
        debt_years=draw(st.one_of(st.none(), st.integers(1, years))),
    )


money = st.floats(0, 1e9)


@given(any_terms(), money, money, st.floats(0, 0.2), money, money)
def test_ownership_cost_is_the_discounted_schedule(terms, capex, energy, care, other, residual):
    got = finance.ownership_cost(capex, energy, care, terms, other, residual)
    schedule = finance.cash_schedule(capex, energy, care, terms, other, residual)
    by_line = finance.present_value(schedule, terms.discount_rate)
    scale = 1e-6 * (1 + capex + energy + other + residual)
    assert float(got.total) == pytest.approx(by_line.sum(), abs=scale)
    assert float(got.financing) == pytest.approx(by_line[1] + by_line[2], abs=scale)
    assert float(got.energy) == pytest.approx(by_line[3], abs=scale)
    assert float(got.maintenance) == pytest.approx(by_line[4], abs=scale)
    assert -float(got.residual) == pytest.approx(by_line[6], abs=scale)


def test_borrowing_at_the_discount_rate_changes_nothing():
    terms = FinanceTerms(5, 0.09, debt_share=0.7, debt_rate=0.09, debt_years=3)
    assert float(finance.ownership_cost(1e6, 0.0, 0.0, terms).financing) == pytest.approx(0, abs=1e-6)
    dear = FinanceTerms(5, 0.09, debt_share=0.7, debt_rate=0.12)
    assert float(finance.ownership_cost(1e6, 0.0, 0.0, dear).financing) > 0


def test_ownership_cost_broadcasts_and_is_linear():
    terms = FinanceTerms(5, 0.09)
    got = finance.ownership_cost(np.array([1e6, 2e6, 3e6]), np.zeros((2, 1)), 0.05, terms)
    assert got.total.shape == (2, 3)
    assert got.total[0] == pytest.approx(got.total[0, 0] * np.array([1, 2, 3]))


@pytest.mark.parametrize("terms", [FinanceTerms(2.5), FinanceTerms(5, debt_years=6), FinanceTerms(5, debt_years=2.5)])
def test_a_schedule_needs_whole_years(terms):
    with pytest.raises(ValueError, match="whole years"):
        finance.cash_schedule(1.0, 1.0, 0.0, terms)
