"""Prices of options under a bound: what moving a column adds to it at least, and so which columns a ceiling fixes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from optimizer.compiled_model import CompiledModel, Floats
from optimizer.pareto.relaxation import Relaxed

Indices = NDArray[np.intp]
ROUNDING = 1e-11
"""Share of the size of the numbers involved that is left for floating-point error in a bound."""


@dataclass(frozen=True, eq=False, slots=True)
class Kinds:
    """Columns that a price can fix: ``binary`` ones, other bounded ``general`` integers, and disjoint exactly-one ``groups`` of binaries."""

    whole: NDArray[np.bool_]
    binary: NDArray[np.bool_]
    general: Indices
    groups: tuple[Indices, ...]

    @classmethod
    def of(cls, model: CompiledModel, groups: Sequence[Sequence[int]]) -> Kinds:
        """Kinds of the columns of ``model``."""
        whole = model.integer & np.isfinite(model.lower) & np.isfinite(model.upper)
        binary = whole & (model.lower == 0.0) & (model.upper == 1.0)
        return cls(whole, binary, np.flatnonzero(whole & ~binary), tuple(np.array(g, dtype=np.intp) for g in groups))

    def free(self, low: Floats, high: Floats) -> int:
        """How many of them are not fixed."""
        return int(((high > low) & self.whole).sum())


@dataclass(frozen=True, eq=False, slots=True)
class Priced:
    """A valid bound and what each step of a column away from its lower (``up``) or upper (``down``) limit adds to it at least.

    ``low``, ``high`` are the limits the prices count from. All prices hold together: any legal x costs at least the bound plus the sum of its prices.
    """

    bound: float
    up: Floats
    down: Floats
    low: Floats
    high: Floats

    @classmethod
    def of(cls, relaxed: Relaxed, low: Floats, high: Floats) -> Priced:
        """Prices from a relaxation solved within ``low``, ``high``."""
        return cls(relaxed.bound, np.maximum(relaxed.reduced, 0.0), np.maximum(-relaxed.reduced, 0.0), low, high)

    @classmethod
    def weighted(cls, weights: Sequence[float], parts: Sequence[Priced]) -> Priced:
        """Bounds of single objectives added up: valid for weights that are not negative."""
        up, down = np.zeros_like(parts[0].up), np.zeros_like(parts[0].down)
        bound = 0.0
        for weight, part in zip(weights, parts, strict=True):
            if weight > 0:
                up += weight * part.up
                down += weight * part.down
                bound += weight * part.bound
        return cls(bound, up, down, parts[0].low, parts[0].high)

    def rebased(self, kinds: Kinds, low: Floats, high: Floats) -> Priced:
        """The bound raised by the cheapest option still free in each exactly-one group, and the prices of the others lowered by as much."""
        bound, up = self.bound, self.up.copy()
        for group in kinds.groups:
            if bool(self.low[group].any()):
                continue
            free = high[group] > 0.0
            least = float(up[group][free].min(initial=math.inf))
            if math.isinf(least):
                return replace(self, bound=math.inf)
            bound += least
            up[group] = np.maximum(up[group] - least, 0.0)
        return replace(self, bound=bound - 0.1 * ROUNDING * (abs(bound) + abs(self.bound)), up=up)

    def within(self, ceiling: float, kinds: Kinds, low: Floats, high: Floats) -> tuple[Floats, Floats]:
        """``low`` and ``high`` tightened to what stays at or below ``ceiling``."""
        if not math.isfinite(ceiling) or not math.isfinite(self.bound):
            return low, high
        room = ceiling - self.bound
        room = max(0.0, room + ROUNDING * (abs(ceiling) + abs(self.bound)) + 1e-9)
        upper = np.where(kinds.binary & (self.up > room), np.minimum(high, self.low), high)
        lower = np.where(kinds.binary & (self.down > room), np.maximum(low, self.high), low)
        some = kinds.general
        if some.size:
            with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
                rise = np.floor(np.where(self.up[some] > 1e-12, room / self.up[some], math.inf) + 1e-9)
                fall = np.floor(np.where(self.down[some] > 1e-12, room / self.down[some], math.inf) + 1e-9)
            upper[some] = np.minimum(high[some], self.low[some] + rise)
            lower[some] = np.maximum(low[some], self.high[some] - fall)
        return lower, upper

    def reaches(self, top: float) -> bool:
        """Whether the bound leaves room for a cost of at most ``top``."""
        return not self.bound > top + ROUNDING * (abs(top) + abs(self.bound)) + 1e-9

    def ceiling_for(self, count: int, free: NDArray[np.bool_]) -> float:
        """The largest ceiling under which at most ``count`` of the ``free`` columns can move (inf when all of them may)."""
        prices = np.maximum(self.up, self.down)[free]
        if prices.size <= count:
            return math.inf
        return self.bound + float(np.partition(prices, count)[count]) * (1 - 1e-9)
