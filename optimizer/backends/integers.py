"""Exact integer multiples of decimal data, for solvers that take integers only."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from optimizer.compiled_model import Floats

LARGEST = 2**53
"""Scaled data above this are refused: sums of products must stay within 64 bits."""


def scaled_to_integers(values: Floats, *, largest: int = LARGEST) -> tuple[NDArray[np.int64], int] | None:
    """``values * factor`` as integers with the least whole ``factor``, each value read as the decimal it prints as; None when it grows too large."""
    if bool((values == np.round(values)).all()):
        if bool((np.abs(values) > largest).any()):
            return None
        return values.astype(np.int64), 1
    exact = [Fraction(repr(v)) for v in values.tolist()]
    factor = math.lcm(*(f.denominator for f in exact))
    whole = [f.numerator * (factor // f.denominator) for f in exact]
    if factor > largest or any(abs(w) > largest for w in whole):
        return None
    return np.array(whole, dtype=np.int64), factor
