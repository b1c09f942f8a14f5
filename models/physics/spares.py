"""Hot spares: how many are enough, and what too few cost in waiting.

Failures arrive at ``rate`` [1/s] and each failed unit is away for a repair time with mean ``repair`` [s]. Whatever the distribution of the repair
time, the number away is Poisson with mean rate * repair (Palm's theorem). Tables by number of spares enter the program as data.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from models.physics.tails import at_least, more_than

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def expected_away(rate: ArrayLike, repair: ArrayLike) -> Floats:
    """Mean number of units in repair: rate * repair time."""
    return np.asarray(np.asarray(rate, dtype=float) * np.asarray(repair, dtype=float), dtype=float)


def shortage_probability(spares: ArrayLike, away: ArrayLike) -> Floats:
    """P(more units away than spares): P(Poisson(away) > spares)."""
    return more_than(spares, away)


def spares_needed(away: ArrayLike, target: ArrayLike) -> Ints:
    """Smallest number of spares with P(Poisson(away) > spares) <= target.

    ``target`` is a probability in (0, 1]. Exact at the boundary: the quantile is only a start, the tail itself decides.
    """
    mean, goal = np.broadcast_arrays(np.asarray(away, dtype=float), np.asarray(target, dtype=float))
    if np.any(goal <= 0) or np.any(goal > 1) or np.any(mean < 0) or not np.all(np.isfinite(mean)):
        raise ValueError("spares need a finite mean demand and a target probability above 0 and at most 1")
    start = np.nan_to_num(np.ceil(special.pdtrik(np.minimum(1.0 - goal, 1.0 - 1e-15), mean)), nan=0.0)
    count: Ints = np.maximum(start, 0.0).astype(np.int64)
    while np.any(short := more_than(count, mean) > goal):
        count = count + short
    while np.any(spare := (count > 0) & (more_than(count - 1, mean) <= goal)):
        count = count - spare
    return count


def spares_for_k_of_n(needed: ArrayLike, unit_availability: ArrayLike, target: ArrayLike, most: int = 100_000) -> Ints:
    """Smallest s with P(Bin(needed + s, a) >= needed) >= target, each unit standing with probability a.

    The probability rises with s, so a bisection finds it. ValueError where ``most`` spares do not reach the target.
    """
    k, a, goal = np.broadcast_arrays(
        np.asarray(needed), np.asarray(unit_availability, dtype=float), np.asarray(target, dtype=float)
    )
    low = np.full(k.shape, -1, dtype=np.int64)
    high = np.full(k.shape, most, dtype=np.int64)
    if np.any(at_least(k, k + high, a) < goal):
        raise ValueError(f"{most} spares do not reach the target availability")
    while np.any(high - low > 1):
        middle = (low + high) // 2
        enough = at_least(k, k + middle, a) >= goal
        high = np.where((high - low > 1) & enough, middle, high)
        low = np.where((high - low > 1) & ~enough, middle, low)
    return high


def spares_table(away: ArrayLike, most: int) -> Floats:
    """Shortage probability for 0..``most`` spares: shape [..., most + 1]; falls along the last axis."""
    return shortage_probability(np.arange(most + 1), np.asarray(away, dtype=float)[..., None])


def k_of_n_table(needed: ArrayLike, unit_availability: ArrayLike, most: int) -> Floats:
    """P(at least ``needed`` stand) with 0..``most`` spares: shape [..., most + 1]; rises along the last axis."""
    k = np.asarray(needed)[..., None]
    a = np.asarray(unit_availability, dtype=float)[..., None]
    return at_least(k, k + np.arange(most + 1), a)


def expected_backorders(spares: ArrayLike, away: ArrayLike) -> Floats:
    """Mean number of units missing, E[max(N - s, 0)] = mean P(N >= s) - s P(N >= s+1), N Poisson (Sherbrooke 1968)."""
    s, mean = np.asarray(spares), np.asarray(away, dtype=float)
    value = mean * more_than(s - 1, mean) - s * more_than(s, mean)
    return np.asarray(np.maximum(value, 0.0), dtype=float)


def replacement_time(swap: ArrayLike, spares: ArrayLike, rate: ArrayLike, repair: ArrayLike) -> Floats:
    """Mean time until a failed unit's place is filled again [s]: swap + wait for a spare.

    By Little's law the mean wait per failure is backorders / rate. An upper estimate for one synchronous job: it assumes that units go on failing
    while the job waits.
    """
    lam = np.asarray(rate, dtype=float)
    waiting = expected_backorders(spares, expected_away(lam, repair))
    with np.errstate(divide="ignore", invalid="ignore"):
        wait = np.where(lam > 0, waiting / lam, 0.0)
    return np.asarray(np.asarray(swap, dtype=float) + wait, dtype=float)


def cold_spares(units: ArrayLike, rate: ArrayLike, resupply: ArrayLike, target: ArrayLike) -> Ints:
    """Parts on the shelf so that the demand of one resupply time exceeds the stock with probability <= target."""
    return spares_needed(np.asarray(units, dtype=float) * expected_away(rate, resupply), target)
