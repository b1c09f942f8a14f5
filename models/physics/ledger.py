"""Money in whole cents: lines that add up to their total, to the cent.

Amounts are computed in floating point and rounded once, by largest remainder (Hamilton's method): floor every line, then give the missing cents to the
lines with the largest remainders, earlier lines first on ties. No line moves by a cent or more.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray

Ints = NDArray[np.int64]


def total_cents(amounts: ArrayLike) -> int:
    """The sum of ``amounts`` [USD] in cents, rounded half to even; exact for any floats, no error from their order."""
    exact = sum((Fraction(float(a)) for a in np.asarray(amounts, dtype=float).ravel()), Fraction(0))
    return round(exact * 100)


def round_to_cents(amounts: ArrayLike, total: int | None = None) -> Ints:
    """Cents for each amount [USD] so that they sum to ``total`` (None: ``total_cents`` of the amounts); the shape is kept.

    Negative amounts (a residual, a rebate) are allowed. ValueError where the total is further from the amounts' sum than one cent per line.
    """
    array = np.asarray(amounts, dtype=float)
    if not np.all(np.isfinite(array)):
        raise ValueError("only finite amounts can be booked")
    exact = [Fraction(float(a)) * 100 for a in array.ravel()]
    floors = [value.__floor__() for value in exact]
    wanted = total_cents(array) if total is None else total
    missing = wanted - sum(floors)
    if not 0 <= missing <= len(floors):
        raise ValueError(f"lines of {float(sum(exact)) / 100:.2f} USD cannot be rounded to {wanted / 100:.2f} USD")
    order = sorted(range(len(exact)), key=lambda i: (floors[i] - exact[i], i))
    for i in order[:missing]:
        floors[i] += 1
    return np.array(floors, dtype=np.int64).reshape(array.shape)


def allocate_cents(total: int, weights: ArrayLike) -> Ints:
    """Split ``total`` cents in proportion to non-negative ``weights``, by largest remainder (a shared charge over lines)."""
    share = [Fraction(float(w)) for w in np.asarray(weights, dtype=float).ravel()]
    whole = sum(share, Fraction(0))
    if whole <= 0 or min(share) < 0:
        raise ValueError("weights are never negative and not all zero")
    exact = [total * w / whole for w in share]
    floors = [value.__floor__() for value in exact]
    order = sorted(range(len(exact)), key=lambda i: (floors[i] - exact[i], i))
    for i in order[: total - sum(floors)]:
        floors[i] += 1
    return np.array(floors, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One line of a spend ledger: what for, how much [cents], and the unrounded amount [USD] it came from."""

    label: str
    cents: int
    exact_usd: float

    @property
    def usd(self) -> float:
        """The booked amount in dollars."""
        return self.cents / 100


@dataclass(frozen=True, slots=True)
class SpendLedger:
    """Lines that sum to ``cents``."""

    lines: tuple[LedgerLine, ...]

    @property
    def cents(self) -> int:
        """The total, which is the sum of the lines."""
        return sum(line.cents for line in self.lines)

    def total_of(self, labels: Iterable[str]) -> int:
        """Cents of the lines with these labels."""
        wanted = set(labels)
        return sum(line.cents for line in self.lines if line.label in wanted)


def spend_ledger(labels: Sequence[str], amounts: ArrayLike, total: int | None = None) -> SpendLedger:
    """A ledger of ``labels`` and ``amounts`` [USD] whose lines sum to ``total`` cents (None: their rounded sum)."""
    values = np.asarray(amounts, dtype=float)
    if values.shape != (len(labels),):
        raise ValueError(f"{len(labels)} labels do not fit amounts of shape {values.shape}")
    cents = round_to_cents(values, total)
    return SpendLedger(
        tuple(LedgerLine(label, int(c), float(a)) for label, c, a in zip(labels, cents, values, strict=True))
    )
