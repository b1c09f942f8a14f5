"""Moist air and weather: wet bulb, dew point, density, and hourly weather as weighted bins.

Temperatures in degC, pressures in Pa, humidity ratio in kg water per kg dry air, relative humidity as a fraction. Formulas of the ASHRAE Handbook of Fundamentals
(2017), chapter 1; equation numbers refer to it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

_KELVIN = 273.15
_MOLE_RATIO = 0.621945  # water over dry air
_GAS_CONSTANT = 287.042  # J/(kg K), dry air
SEA_LEVEL_PRESSURE = 101_325.0


def station_pressure(altitude: ArrayLike) -> Floats:
    """Standard pressure [Pa] at ``altitude`` [m]: 101325 (1 - 2.25577e-5 z)^5.2559 (eq. 3)."""
    return np.asarray(
        SEA_LEVEL_PRESSURE * (1.0 - 2.25577e-5 * np.asarray(altitude, dtype=float)) ** 5.2559, dtype=float
    )


def saturation_pressure(temperature: ArrayLike) -> Floats:
    """Water vapour pressure at saturation [Pa], over ice below 0.01 degC and over water above (eq. 5 and 6), -100 to 200 degC."""
    t = np.asarray(temperature, dtype=float)
    k = t + _KELVIN
    ice = (
        -5.6745359e3 / k
        + 6.3925247
        - 9.677843e-3 * k
        + 6.2215701e-7 * k**2
        + 2.0747825e-9 * k**3
        - 9.484024e-13 * k**4
        + 4.1635019 * np.log(k)
    )
    water = (
        -5.8002206e3 / k
        + 1.3914993
        - 4.8640239e-2 * k
        + 4.1764768e-5 * k**2
        - 1.4452093e-8 * k**3
        + 6.5459673 * np.log(k)
    )
    return np.asarray(np.exp(np.where(t < 0.01, ice, water)), dtype=float)


def humidity_ratio(
    temperature: ArrayLike, relative_humidity: ArrayLike, pressure: ArrayLike = SEA_LEVEL_PRESSURE
) -> Floats:
    """Humidity ratio from dry bulb and relative humidity: 0.621945 pw / (p - pw), pw = rh * saturation pressure (eq. 20)."""
    rh = np.asarray(relative_humidity, dtype=float)
    if np.any(rh < 0) or np.any(rh > 1):
        raise ValueError("relative humidity is a fraction between 0 and 1")
    vapour = rh * saturation_pressure(temperature)
    return np.asarray(_MOLE_RATIO * vapour / (np.asarray(pressure, dtype=float) - vapour), dtype=float)


def humidity_ratio_from_wet_bulb(
    dry_bulb: ArrayLike, wet_bulb: ArrayLike, pressure: ArrayLike = SEA_LEVEL_PRESSURE
) -> Floats:
    """Humidity ratio from dry and wet bulb: the psychrometer balance above freezing (eq. 33) and below (eq. 35)."""
    balance = _psychrometer(np.asarray(dry_bulb, dtype=float), np.asarray(wet_bulb, dtype=float), pressure)
    return np.asarray(np.maximum(balance, 0.0), dtype=float)


def _bisect(function: Callable[[Floats], Floats], low: Floats, high: Floats) -> Floats:
    """Root of a rising function between ``low`` and ``high``, elementwise, to 1e-9."""
    a, b = (np.array(v, dtype=float) for v in np.broadcast_arrays(low, high))
    for _ in range(48):
        middle = 0.5 * (a + b)
        below = function(middle) < 0
        a, b = np.where(below, middle, a), np.where(below, b, middle)
    return np.asarray(0.5 * (a + b), dtype=float)


def wet_bulb(dry_bulb: ArrayLike, relative_humidity: ArrayLike, pressure: ArrayLike = SEA_LEVEL_PRESSURE) -> Floats:
    """Thermodynamic wet bulb [degC], solved from the psychrometer balance below the dry bulb.

    Where dry air has its wet bulb within 0.7 K of freezing, the balances over ice and over water both have a root; either may be returned.
    """
    t = np.asarray(dry_bulb, dtype=float)
    ratio = humidity_ratio(t, relative_humidity, pressure)
    dry, target = np.broadcast_arrays(t, ratio)
    return _bisect(lambda w: _psychrometer(dry, w, pressure) - target, dry - 100.0, np.asarray(dry, dtype=float))


def _psychrometer(dry: Floats, wet: Floats, pressure: ArrayLike) -> Floats:
    saturated = humidity_ratio(wet, np.ones_like(wet), pressure)
    above = ((2501.0 - 2.326 * wet) * saturated - 1.006 * (dry - wet)) / (2501.0 + 1.86 * dry - 4.186 * wet)
    below = ((2830.0 - 0.24 * wet) * saturated - 1.006 * (dry - wet)) / (2830.0 + 1.86 * dry - 2.1 * wet)
    return np.asarray(np.where(wet >= 0, above, below), dtype=float)


def wet_bulb_stull(dry_bulb: ArrayLike, relative_humidity: ArrayLike) -> Floats:
    """Wet bulb [degC] at sea level by Stull's fit (2011): within about 1 K for 5-99 % humidity and -20 to 50 degC, outside dry cold."""
    t, rh = np.asarray(dry_bulb, dtype=float), 100.0 * np.asarray(relative_humidity, dtype=float)
    return np.asarray(
        t * np.arctan(0.151977 * np.sqrt(rh + 8.313659))
        + np.arctan(t + rh)
        - np.arctan(rh - 1.676331)
        + 0.00391838 * rh**1.5 * np.arctan(0.023101 * rh)
        - 4.686035,
        dtype=float,
    )


def dew_point(dry_bulb: ArrayLike, relative_humidity: ArrayLike) -> Floats:
    """Temperature [degC] at which the vapour in the air saturates; -100 at most for dry air."""
    t = np.asarray(dry_bulb, dtype=float)
    vapour = np.asarray(relative_humidity, dtype=float) * saturation_pressure(t)
    dry, goal = np.broadcast_arrays(t, vapour)
    return _bisect(lambda d: saturation_pressure(d) - goal, np.full(dry.shape, -100.0), np.asarray(dry, dtype=float))


def relative_humidity_from_dew_point(dry_bulb: ArrayLike, dew: ArrayLike) -> Floats:
    """Relative humidity from dry bulb and dew point: the ratio of their saturation pressures."""
    return np.asarray(saturation_pressure(dew) / saturation_pressure(dry_bulb), dtype=float)


def enthalpy(dry_bulb: ArrayLike, ratio: ArrayLike) -> Floats:
    """Enthalpy of moist air [J per kg dry air]: 1006 t + W (2501000 + 1860 t) (eq. 30)."""
    t, w = np.asarray(dry_bulb, dtype=float), np.asarray(ratio, dtype=float)
    return np.asarray(1006.0 * t + w * (2.501e6 + 1860.0 * t), dtype=float)


def air_density(dry_bulb: ArrayLike, ratio: ArrayLike = 0.0, pressure: ArrayLike = SEA_LEVEL_PRESSURE) -> Floats:
    """Density of moist air [kg/m3]: p (1 + W) / (R T (1 + W/0.621945)) (eq. 26)."""
    w = np.asarray(ratio, dtype=float)
    dry = np.asarray(pressure, dtype=float) / (_GAS_CONSTANT * (np.asarray(dry_bulb, dtype=float) + _KELVIN))
    return np.asarray(dry * (1.0 + w) / (1.0 + w / _MOLE_RATIO), dtype=float)


@dataclass(frozen=True)
class WeatherBins:
    """Weather as bins: mean dry bulb and wet bulb [degC] of each bin and its share of the year; arrays [bin], shares sum to 1."""

    dry_bulb: Floats
    wet_bulb: Floats
    share: Floats

    def __post_init__(self) -> None:
        if not (self.dry_bulb.shape == self.wet_bulb.shape == self.share.shape and self.dry_bulb.ndim == 1):
            raise ValueError("weather bins are three lists of one length")
        if self.share.size == 0 or np.any(self.share < 0) or abs(float(self.share.sum()) - 1.0) > 1e-6:
            raise ValueError("shares of weather bins are never negative and sum to 1")
        if np.any(self.wet_bulb > self.dry_bulb + 0.05):
            raise ValueError("a wet bulb is never above its dry bulb")


def bin_weather(dry_bulb: ArrayLike, wet: ArrayLike, width: float = 2.0, hours: ArrayLike | None = None) -> WeatherBins:
    """Bins of ``width`` [K] in dry and wet bulb from hourly values; ``hours`` weighs them (None: equally).

    Each bin carries the weighted means of its hours, so the mean of the year is kept exactly.
    """
    t, w = np.asarray(dry_bulb, dtype=float).ravel(), np.asarray(wet, dtype=float).ravel()
    weight = np.ones_like(t) if hours is None else np.asarray(hours, dtype=float).ravel()
    if t.size == 0 or not t.shape == w.shape == weight.shape or width <= 0:
        raise ValueError("hourly dry and wet bulbs have one length, at least one hour, and bins have a width")
    cells = np.stack([np.floor(t / width), np.floor(w / width)], axis=1)
    _, index = np.unique(cells, axis=0, return_inverse=True)
    index = index.ravel()
    mass = np.bincount(index, weight)
    used = mass > 0
    mean_dry = np.bincount(index, weight * t)[used] / mass[used]
    mean_wet = np.bincount(index, weight * w)[used] / mass[used]
    return WeatherBins(mean_dry, mean_wet, mass[used] / mass[used].sum())


def design_temperature(bins: WeatherBins, exceeded: float = 0.004, wet: bool = False) -> float:
    """The temperature [degC] exceeded in at most a share of the year (0.4 % is the usual cooling design condition).

    The smallest bin value such that hotter bins make up no more than ``exceeded``; ``exceeded`` 0 is the hottest bin.
    """
    values = bins.wet_bulb if wet else bins.dry_bulb
    order = np.argsort(values, kind="stable")
    hotter = 1.0 - np.cumsum(bins.share[order])
    return float(values[order][np.argmax(hotter <= exceeded + 1e-9)])
