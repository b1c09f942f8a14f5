"""Carbon: what building the kit emitted and what running it emits. Mass in kg CO2-equivalent, energy in J, intensity in kg/J."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.physics.finance import annuity_factor

Floats = NDArray[np.float64]

JOULES_PER_KWH = 3.6e6


def intensity_from_grams_per_kwh(grams: ArrayLike) -> Floats:
    """kg/J from the g/kWh of published grid averages."""
    return np.asarray(np.asarray(grams, dtype=float) * 1e-3 / JOULES_PER_KWH, dtype=float)


def operational_carbon(
    yearly_energy: ArrayLike, intensity: ArrayLike, years: ArrayLike, yearly_decline: ArrayLike = 0.0
) -> Floats:
    """kg over ``years``: energy [J/year] * intensity [kg/J] * sum over years of (1-d)^year, the first year at full intensity.

    The sum is (1 - (1-d)^n)/d, n where the grid does not get cleaner.
    """
    decline = np.asarray(yearly_decline, dtype=float)
    if np.any(decline < 0) or np.any(decline >= 1):
        raise ValueError("a grid's yearly decline is a share of at least 0 and below 1")
    growth = decline / (1.0 - decline)
    weight = annuity_factor(growth, years) / (1.0 - decline)
    return np.asarray(np.asarray(yearly_energy, dtype=float) * np.asarray(intensity, dtype=float) * weight, dtype=float)


def embodied_carbon(counts: ArrayLike, per_unit: ArrayLike) -> Floats:
    """kg of all items along the last axis: counts * kg each."""
    return np.asarray((np.asarray(counts, dtype=float) * np.asarray(per_unit, dtype=float)).sum(axis=-1), dtype=float)


def embodied_in_horizon(embodied: ArrayLike, life_years: ArrayLike, horizon_years: ArrayLike) -> Floats:
    """kg charged to a horizon when embodied carbon is spread evenly over an item's life: embodied * min(horizon/life, 1).

    For items that outlive the horizon (halls, generators); items bought again are counted once per purchase by the caller.
    """
    share = np.minimum(np.asarray(horizon_years, dtype=float) / np.asarray(life_years, dtype=float), 1.0)
    return np.asarray(np.asarray(embodied, dtype=float) * share, dtype=float)
