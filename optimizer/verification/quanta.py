"""Whole quanta: a value rounded once, as a least and a most where the last digits decide which way.

Money to the nearest kUSD, power and carbon up to whole kW and t, deliveries down to whole tokens per second. A value so close
to the middle (or to the edge) that the last digit decides may be rounded either way: a total is therefore a least and a most.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import ceil, floor

EDGE = 1e-9
LAST_DIGITS = 1e-10

Rounding = Callable[[float], int]


@dataclass(frozen=True)
class Total:
    """A sum of whole quanta: the same number twice, unless a term lay on the edge of rounding."""

    least: float
    most: float

    def __add__(self, other: Total) -> Total:
        return Total(self.least + other.least, self.most + other.most)

    def times(self, count: int) -> Total:
        """The sum of ``count`` equal terms."""
        return Total(self.least * count, self.most * count)

    def holds(self, value: float) -> bool:
        """Whether a reported sum is this one."""
        return self.least - 1e-6 <= value <= self.most + 1e-6


ZERO = Total(0, 0)


def least(totals: Iterable[Total]) -> Total:
    """The smallest of some totals."""
    found = list(totals)
    return Total(min(t.least for t in found), min(t.most for t in found))


def up(value: float) -> int:
    """Whole number at or above, with room for the last digits."""
    return ceil(value - EDGE)


def down(value: float) -> int:
    """Whole number at or below, with room for the last digits."""
    return floor(value + EDGE)


def quanta(value: float, quantum: float, how: Rounding) -> Total:
    """``value`` in whole quanta; both neighbours where the last digits decide."""
    exact = value / quantum
    room = LAST_DIGITS * max(1.0, abs(exact))
    return Total(how(exact - room), how(exact + room))
