"""What things cost: price ranges, tiers, bundles of charges on a purchase.

Money in USD unless a function says otherwise. Prices are estimates with a low and a high end; analyses say which basis they used.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class PriceBasis(StrEnum):
    """Which end of a price range a calculation uses."""

    LOW = "low"
    MID = "mid"
    HIGH = "high"


def price_at(low: ArrayLike, high: ArrayLike, basis: PriceBasis = PriceBasis.MID) -> Floats:
    """The price a basis means: low end, arithmetic middle, high end. NaN where a range has no number at all.

    Where one end is unknown (NaN) the other stands for both.
    """
    a, b = np.broadcast_arrays(np.asarray(low, dtype=float), np.asarray(high, dtype=float))
    bottom, top = np.where(np.isnan(a), b, a), np.where(np.isnan(b), a, b)
    if np.any(bottom > top):
        raise ValueError("a low price is above its high price")
    share = {PriceBasis.LOW: 0.0, PriceBasis.MID: 0.5, PriceBasis.HIGH: 1.0}[PriceBasis(basis)]
    return np.asarray(bottom + share * (top - bottom), dtype=float)


def price_on(price: ArrayLike, yearly_change: ArrayLike, years_later: ArrayLike) -> Floats:
    """A dated price carried to another date: price * (1 + change)^years; ``yearly_change`` is negative for a decline.

    Accelerators and optics have been getting cheaper by 10 to 35 % a year, buildings dearer by 5 to 6 %.
    """
    growth = 1.0 + np.asarray(yearly_change, dtype=float)
    if np.any(growth <= 0):
        raise ValueError("a price does not fall by 100 % or more in a year")
    return np.asarray(np.asarray(price, dtype=float) * growth ** np.asarray(years_later, dtype=float), dtype=float)


def _tiers(breaks: ArrayLike, prices: ArrayLike) -> tuple[Floats, Floats]:
    starts, unit = np.asarray(breaks, dtype=float), np.asarray(prices, dtype=float)
    if starts.ndim != 1 or starts.shape != unit.shape or starts.size == 0:
        raise ValueError("tiers are two lists of one length: the quantity each begins at, and its unit price")
    if starts[0] > 1 or np.any(np.diff(starts) <= 0) or np.any(starts < 0) or np.any(unit < 0):
        raise ValueError("the first tier begins at 0 or 1, later ones at rising quantities; prices are not negative")
    return starts, unit


def tier_of(quantity: ArrayLike, breaks: ArrayLike) -> Ints:
    """Index of the tier a quantity falls in: the last whose beginning it reaches; 0 below the first."""
    starts = np.asarray(breaks, dtype=float)
    found = np.searchsorted(starts, np.asarray(quantity, dtype=float), side="right") - 1
    return np.asarray(np.maximum(found, 0), dtype=np.int64)


def all_unit_cost(quantity: ArrayLike, breaks: ArrayLike, prices: ArrayLike) -> Floats:
    """Cost when the price of the tier reached holds for every unit: q * price[tier(q)].

    Not monotone: a few units more may cost less in all, see ``cheapest_all_unit``.
    """
    starts, unit = _tiers(breaks, prices)
    q = np.asarray(quantity, dtype=float)
    return np.asarray(q * unit[tier_of(q, starts)], dtype=float)


def cheapest_all_unit(quantity: ArrayLike, breaks: ArrayLike, prices: ArrayLike) -> tuple[Floats, Floats]:
    """Least cost of at least ``quantity`` units under all-unit tiers, and how many units that buys.

    Either the quantity itself or the beginning of a later tier; the smallest of those on ties.
    """
    starts, unit = _tiers(breaks, prices)
    q = np.asarray(quantity, dtype=float)
    bought = np.maximum(q[..., None], np.append(0.0, starts[1:]))
    cost = bought * unit[tier_of(bought, starts)]
    pick = cost.argmin(axis=-1)[..., None]
    return np.take_along_axis(cost, pick, axis=-1)[..., 0], np.take_along_axis(bought, pick, axis=-1)[..., 0]


def incremental_cost(quantity: ArrayLike, breaks: ArrayLike, prices: ArrayLike) -> Floats:
    """Cost when each tier's price holds for the units within it: sum_k price[k] * units in tier k.

    A tier that begins at ``b`` prices unit number b and those after it, so the units before it are b - 1 (a tier from 0 or 1 begins with the first unit).
    """
    starts, unit = _tiers(breaks, prices)
    before = np.maximum(starts - 1.0, 0.0)
    width = np.append(np.diff(before), np.inf)
    within = np.clip(np.asarray(quantity, dtype=float)[..., None] - before, 0.0, width)
    return np.asarray((within * unit).sum(axis=-1), dtype=float)


@dataclass(frozen=True)
class LandedCost:
    """A purchase with the charges on it [USD]; ``total`` is the sum of the rest."""

    goods: Floats
    freight: Floats
    insurance: Floats
    duty: Floats
    tax: Floats
    total: Floats


def landed_cost(
    goods: ArrayLike,
    freight_share: ArrayLike = 0.0,
    freight_per_kg: ArrayLike = 0.0,
    weight: ArrayLike = 0.0,
    insurance_share: ArrayLike = 0.0,
    duty_share: ArrayLike = 0.0,
    tax_share: ArrayLike = 0.0,
) -> LandedCost:
    """Freight, insurance, duty and tax on ``goods`` [USD].

    Duty is on goods + freight + insurance (the CIF customs value of most countries; for a FOB country give freight as a line of its own), tax on the value with duty. A tax that can be
    reclaimed is left out by the caller. ``weight`` [kg].
    """
    value = np.asarray(goods, dtype=float)
    freight = value * np.asarray(freight_share, dtype=float) + np.asarray(freight_per_kg, dtype=float) * np.asarray(
        weight
    )
    insurance = value * np.asarray(insurance_share, dtype=float)
    duty = (value + freight + insurance) * np.asarray(duty_share, dtype=float)
    tax = (value + freight + insurance + duty) * np.asarray(tax_share, dtype=float)
    total = value + freight + insurance + duty + tax
    return LandedCost(*np.broadcast_arrays(value, freight, insurance, duty, tax, total))


def vendor_shares(spend: ArrayLike) -> Floats:
    """Share of each vendor in the spend along the last axis; zeros where nothing is spent."""
    money = np.asarray(spend, dtype=float)
    total = money.sum(axis=-1, keepdims=True)
    return np.asarray(np.divide(money, total, out=np.zeros_like(money), where=total > 0), dtype=float)


def largest_spend(spend: ArrayLike) -> Floats:
    """Concentration as the program minimises it: the largest vendor's spend [USD] along the last axis."""
    return np.asarray(np.max(np.asarray(spend, dtype=float), axis=-1, initial=0.0), dtype=float)
