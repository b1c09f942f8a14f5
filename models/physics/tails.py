"""Binomial and Poisson chances by their special functions: the statistics package takes longer to import than all of this to run."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

Floats = NDArray[np.float64]


def at_least(needed: ArrayLike, units: ArrayLike, chance: ArrayLike) -> Floats:
    """P(Bin(``units``, ``chance``) >= ``needed``) = I_chance(needed, units - needed + 1), the incomplete beta function."""
    k, n = np.asarray(needed, dtype=float), np.asarray(units, dtype=float)
    tail = special.betainc(np.maximum(k, 1.0), np.maximum(n - k, 0.0) + 1.0, np.asarray(chance, dtype=float))
    return np.where(k <= 0, 1.0, np.where(k > n, 0.0, tail))


def exactly(wanted: ArrayLike, units: ArrayLike, chance: ArrayLike) -> Floats:
    """P(Bin(``units``, ``chance``) = ``wanted``) = C(n,k) a^k (1-a)^(n-k), in logarithms."""
    k, n = np.asarray(wanted, dtype=float), np.asarray(units, dtype=float)
    a, rest = np.asarray(chance, dtype=float), np.maximum(n - k, 0.0)
    ways = -special.betaln(k + 1.0, rest + 1.0) - np.log1p(k + rest)
    return np.where(k > n, 0.0, np.exp(ways + special.xlogy(k, a) + special.xlog1py(rest, -a)))


def more_than(count: ArrayLike, mean: ArrayLike) -> Floats:
    """P(Poisson(``mean``) > ``count``) = P(count + 1, mean), the regularised incomplete gamma function."""
    k = np.asarray(count, dtype=float)
    return np.where(k < 0, 1.0, special.pdtrc(np.maximum(k, 0.0), np.asarray(mean, dtype=float)))
