"""Money over time: discounting, financing, energy and maintenance over a horizon, residual value.

Money in USD, times in years where a name says so, otherwise seconds. Rates are per year. A nominal rate contains inflation, a real one does not:
(1 + nominal) = (1 + real)(1 + inflation). Yearly amounts fall at the end of their year unless said otherwise; capex falls at time 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

SECONDS_PER_YEAR = 8766.0 * 3600.0


def nominal_rate(real: ArrayLike, inflation: ArrayLike) -> Floats:
    """Nominal yearly rate from a real one (Fisher): (1 + real)(1 + inflation) - 1."""
    return np.asarray((1.0 + np.asarray(real, dtype=float)) * (1.0 + np.asarray(inflation, dtype=float)) - 1.0)


def real_rate(nominal: ArrayLike, inflation: ArrayLike) -> Floats:
    """Real yearly rate from a nominal one (Fisher): (1 + nominal)/(1 + inflation) - 1."""
    return np.asarray((1.0 + np.asarray(nominal, dtype=float)) / (1.0 + np.asarray(inflation, dtype=float)) - 1.0)


def discount_factor(rate: ArrayLike, years: ArrayLike) -> Floats:
    """Present value of one dollar due in ``years``: (1 + rate)^-years."""
    return np.asarray((1.0 + np.asarray(rate, dtype=float)) ** -np.asarray(years, dtype=float), dtype=float)


def annuity_factor(rate: ArrayLike, years: ArrayLike) -> Floats:
    """Present value of one dollar at the end of each of ``years`` years: (1 - (1+r)^-n)/r; n where r is 0.

    For a part of a year at the end (n not whole) the closed form is used as it stands, the usual convention of capital recovery factors.
    """
    r, n = np.broadcast_arrays(np.asarray(rate, dtype=float), np.asarray(years, dtype=float))
    grown = -np.expm1(-n * np.log1p(r))
    return np.asarray(np.divide(grown, r, out=np.array(n, dtype=float), where=np.abs(r) > 1e-12), dtype=float)


def growing_annuity_factor(rate: ArrayLike, growth: ArrayLike, years: ArrayLike) -> Floats:
    """Present value of amounts 1, (1+g), (1+g)^2, ... at the end of each year: annuity at the rate (1+r)/(1+g) - 1, over 1+g."""
    g = np.asarray(growth, dtype=float)
    net = (1.0 + np.asarray(rate, dtype=float)) / (1.0 + g) - 1.0
    return np.asarray(annuity_factor(net, years) / (1.0 + g), dtype=float)


def present_value(amounts: ArrayLike, rate: ArrayLike) -> Floats:
    """Present value of yearly ``amounts`` [..., year]: entry 0 now, entry t at the end of year t."""
    cash = np.asarray(amounts, dtype=float)
    factors = discount_factor(np.asarray(rate, dtype=float)[..., None], np.arange(cash.shape[-1]))
    return np.asarray((cash * factors).sum(axis=-1), dtype=float)


def yearly_payment(principal: ArrayLike, rate: ArrayLike, years: ArrayLike) -> Floats:
    """Level payment at each year's end that repays ``principal`` with interest: principal / annuity factor."""
    return np.asarray(np.asarray(principal, dtype=float) / annuity_factor(rate, years), dtype=float)


def residual_value(
    price: ArrayLike, age_years: ArrayLike, yearly_decline: ArrayLike, floor_share: ArrayLike = 0.0
) -> Floats:
    """Resale value [USD] after ``age_years`` of a yearly decline, not below a share of the price: price * max((1-d)^age, floor)."""
    kept = (1.0 - np.asarray(yearly_decline, dtype=float)) ** np.asarray(age_years, dtype=float)
    return np.asarray(np.asarray(price, dtype=float) * np.maximum(kept, np.asarray(floor_share, dtype=float)))


def straight_line_residual(price: ArrayLike, age_years: ArrayLike, life_years: ArrayLike) -> Floats:
    """Book value [USD] under straight-line depreciation: price * max(1 - age/life, 0)."""
    left = 1.0 - np.asarray(age_years, dtype=float) / np.asarray(life_years, dtype=float)
    return np.asarray(np.asarray(price, dtype=float) * np.maximum(left, 0.0), dtype=float)


def replacements_in(horizon_years: ArrayLike, life_years: ArrayLike) -> Floats:
    """How often an item is bought again within the horizon: ceil(horizon/life) - 1, never below 0."""
    ratio = np.asarray(horizon_years, dtype=float) / np.asarray(life_years, dtype=float)
    return np.asarray(np.maximum(np.ceil(ratio * (1.0 - 1e-12)) - 1.0, 0.0), dtype=float)


def yearly_energy(typical_power: ArrayLike, overhead: ArrayLike = 1.0) -> Floats:
    """Energy of a year [J]: typical IT power [W] * seconds of a year * overhead (PUE).

    Typical, not design or nameplate: energy is paid on what is drawn.
    """
    return np.asarray(np.asarray(typical_power, dtype=float) * SECONDS_PER_YEAR * np.asarray(overhead, dtype=float))


def yearly_energy_cost(typical_power: ArrayLike, price: ArrayLike, overhead: ArrayLike = 1.0) -> Floats:
    """Cost of a year's energy [USD]; ``price`` in USD/J (0.0862 USD/kWh is 2.394e-8)."""
    return np.asarray(yearly_energy(typical_power, overhead) * np.asarray(price, dtype=float), dtype=float)


@dataclass(frozen=True)
class OwnershipCost:
    """Present values [USD] over the horizon; ``total`` = capex + financing + energy + maintenance + other - residual."""

    capex: Floats
    financing: Floats
    energy: Floats
    maintenance: Floats
    other: Floats
    residual: Floats
    total: Floats


@dataclass(frozen=True, slots=True)
class FinanceTerms:
    """How a horizon is valued. Rates and growths are nominal, or all real: the caller keeps them of one kind.

    ``debt_share`` of the capex is borrowed at ``debt_rate`` and repaid in level yearly payments over ``debt_years`` (None: over the horizon).
    """

    years: float
    discount_rate: float = 0.0
    energy_growth: float = 0.0
    maintenance_growth: float = 0.0
    debt_share: float = 0.0
    debt_rate: float = 0.0
    debt_years: float | None = None


def ownership_cost(
    capex: ArrayLike,
    yearly_energy_usd: ArrayLike,
    maintenance_share: ArrayLike,
    terms: FinanceTerms,
    other_yearly: ArrayLike = 0.0,
    residual: ArrayLike = 0.0,
) -> OwnershipCost:
    """Total cost of ownership as a present value, and its parts; every part is linear in capex, energy, other and residual.

    Maintenance is ``maintenance_share`` of capex per year; ``residual`` [USD] is what the kit fetches at the end of the horizon. Financing is the present value of the
    loan's payments less the principal: positive where the loan costs more than the discount rate.
    """
    buy = np.asarray(capex, dtype=float)
    annuity = annuity_factor(terms.discount_rate, terms.years)
    energy_factor = growing_annuity_factor(terms.discount_rate, terms.energy_growth, terms.years)
    care_factor = growing_annuity_factor(terms.discount_rate, terms.maintenance_growth, terms.years)
    loan_years = terms.years if terms.debt_years is None else terms.debt_years
    per_dollar = annuity_factor(terms.discount_rate, loan_years) / annuity_factor(terms.debt_rate, loan_years) - 1.0
    financing = buy * terms.debt_share * per_dollar
    energy = np.asarray(yearly_energy_usd, dtype=float) * energy_factor
    care = buy * np.asarray(maintenance_share, dtype=float) * care_factor
    other = np.asarray(other_yearly, dtype=float) * annuity
    left = np.asarray(residual, dtype=float) * discount_factor(terms.discount_rate, terms.years)
    total = buy + financing + energy + care + other - left
    return OwnershipCost(*np.broadcast_arrays(buy, financing, energy, care, other, left, total))


CASH_LINES = ("capex", "loan received", "loan payments", "energy", "maintenance", "other", "residual")


def cash_schedule(
    capex: float,
    yearly_energy_usd: float,
    maintenance_share: float,
    terms: FinanceTerms,
    other_yearly: float = 0.0,
    residual: float = 0.0,
) -> Floats:
    """Undiscounted cash of each line of ``CASH_LINES`` in each year: [line, 0..years], costs positive, receipts negative.

    The first year's running costs are one growth step below the second's. Discounted at the terms' rate it sums to ``ownership_cost``'s total. ValueError where horizon or loan
    are not whole years, or the loan outlives the horizon.
    """
    years, loan = terms.years, terms.years if terms.debt_years is None else terms.debt_years
    if years != int(years) or loan != int(loan) or loan > years:
        raise ValueError(
            "a yearly schedule needs a horizon and a loan of whole years, the loan no longer than the horizon"
        )
    horizon, term = int(years), int(loan)
    table = np.zeros((len(CASH_LINES), horizon + 1))
    principal = capex * terms.debt_share
    step = np.arange(horizon)
    table[0, 0] = capex
    table[1, 0] = -principal
    if principal:
        table[2, 1 : term + 1] = yearly_payment(principal, terms.debt_rate, term)
    table[3, 1:] = yearly_energy_usd * (1.0 + terms.energy_growth) ** step
    table[4, 1:] = capex * maintenance_share * (1.0 + terms.maintenance_growth) ** step
    table[5, 1:] = other_yearly
    table[6, -1] = -residual
    return table
