"""What the fit of the free constants would be, and how it would err, without some family of records.

The residuals are linear in the logarithm of a constant over the few per cent that leaving a family out moves it, so one Jacobian at
the fit serves for all families: refit minimises sum rho((w (r + J dx))^2) over the records that stay (soft l1, by reweighting), and
its shift is counted from that of the same step with all records. The error of the family is then predicted in full at the new constants.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.optimize import lsq_linear

from models.physics.performance.constants import FreeConstants, PerformanceConstants

STEP = 0.02
ROUNDS = 4
RIDGE = 1e-3
LARGEST_SHIFT = 0.5


class LeftOut:
    """One linearised fit, refitted without any of its records."""

    def __init__(
        self,
        records: Sequence[Any],
        weights: np.ndarray,
        base: PerformanceConstants,
        best: FreeConstants,
        names: Sequence[str],
        scale: float,
        bounds: tuple[FreeConstants, FreeConstants],
    ) -> None:
        self.records, self.weights, self.base, self.best, self.names, self.scale = (
            records,
            weights,
            base,
            best,
            names,
            scale,
        )
        self.residual = np.array([one.error(replace(base, free=best)) for one in records])
        columns = []
        for name in names:
            moved = replace(base, free=replace(best, **{name: getattr(best, name) * (1.0 + STEP)}))
            columns.append((np.array([one.error(moved) for one in records]) - self.residual) / STEP)
        self.jacobian = np.stack(columns, axis=1)
        value = np.array([getattr(best, name) for name in names])
        low, high = (np.array([getattr(b, name) for name in names]) / value - 1.0 for b in bounds)
        self.low, self.high = np.maximum(low, -LARGEST_SHIFT) - 1e-9, np.minimum(high, LARGEST_SHIFT) + 1e-9
        self.whole = self._shift(np.ones(len(records), dtype=bool))

    def _shift(self, kept: np.ndarray) -> np.ndarray:
        """Relative change of every constant that fits the kept records best."""
        shift = np.zeros(len(self.names))
        for _ in range(ROUNDS):
            left = self.weights * (self.residual + self.jacobian @ shift)
            robust = self.weights * (1.0 + (left / self.scale) ** 2) ** -0.25 * kept
            a = np.vstack([robust[:, None] * self.jacobian, RIDGE * np.eye(len(self.names))])
            b = np.concatenate([-robust * self.residual, np.zeros(len(self.names))])
            shift = lsq_linear(a, b, bounds=(self.low, self.high)).x
        return shift

    def constants(self, left: np.ndarray) -> FreeConstants:
        """The constants of a refit without the records marked in ``left``."""
        change = self._shift(~left) - self.whole
        bounded = np.clip(change, self.low, self.high)
        return FreeConstants(*(getattr(self.best, n) * (1.0 + d) for n, d in zip(self.names, bounded, strict=True)))

    def families(self, family: Callable[[Any], str]) -> dict[str, tuple[FreeConstants, list[float], list[float]]]:
        """Per family: the constants without it, its signed errors with them, and its signed errors as fitted."""
        members: dict[str, list[int]] = defaultdict(list)
        for number, one in enumerate(self.records):
            members[family(one)].append(number)
        found = {}
        for name, numbers in members.items():
            left = np.zeros(len(self.records), dtype=bool)
            left[numbers] = True
            free = self.constants(left)
            rows = [self.records[n] for n in numbers]
            unseen = [float(np.expm1(one.error(replace(self.base, free=free)) * one.sign)) for one in rows]
            seen = [float(np.expm1(self.residual[n] * self.records[n].sign)) for n in numbers]
            found[name] = (free, unseen, seen)
        return found
