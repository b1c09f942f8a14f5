"""Losses of power supplies at the load they really carry.

Nameplate power F [W] is drawn at the wall at full load; with supplies of R [W] in all, sharing the load, and eta from their curve, they then
deliver D_F with D_F = F eta(D_F / R). A load that was worked out as P at the wall with the same efficiency delivers P D_F / F, for which

    drawn = input_power(P D_F / F, R)

is drawn: less than P where the curve is better at the lower share, more where standing losses prevail.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.physics.power import input_power

Floats = NDArray[np.float64]
HALVINGS = 60


def delivered_power(drawn: ArrayLike, rating: ArrayLike, curve_share: ArrayLike, curve_efficiency: ArrayLike) -> Floats:
    """Power [W] that converters of ``rating`` [W] in all deliver while they draw ``drawn`` [W]: the inverse of ``power.input_power``.

    0 where the standing losses alone are more than is drawn.
    """
    level, full = np.broadcast_arrays(np.asarray(drawn, dtype=float), np.asarray(rating, dtype=float))
    low, high = np.zeros_like(level), np.array(level)
    for _ in range(HALVINGS):
        middle = (low + high) / 2.0
        under = input_power(middle, full, curve_share, curve_efficiency) <= level
        low, high = np.where(under, middle, low), np.where(under, high, middle)
    return np.asarray((low + high) / 2.0, dtype=float)


def drawn_at_part_load(
    nominal: ArrayLike, nameplate: ArrayLike, rating: ArrayLike, curve_share: ArrayLike, curve_efficiency: ArrayLike
) -> Floats:
    """Power drawn [W] by a load of ``nominal`` [W] at the efficiency of ``nameplate`` [W], once the supplies have that of its own share."""
    most = np.asarray(nameplate, dtype=float)
    full = delivered_power(most, rating, curve_share, curve_efficiency)
    level = np.asarray(nominal, dtype=float) * full / most
    return input_power(level, rating, curve_share, curve_efficiency)
