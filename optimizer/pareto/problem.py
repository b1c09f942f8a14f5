"""The program as the engine sees it: objectives scaled to whole steps, values recomputed exactly, incumbents checked.

Objective i is measured from its offset in units of ``unit[i]``: its step where legal values are multiples of one (all
scaled values are then integers), else a power of two near a hundred-thousandth of its range.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from models.errors import UsageError
from optimizer.compiled_model import CompiledModel, Floats, exact_rows

RELATIVE_TOLERANCE = 1e-6
"""Row violation allowed per unit of activity where a row has continuous columns or fractional data; integer rows allow none."""
ROUNDING = 1e-6
"""Room in integer rows, whose activity is exact, for a bound that was meant to be whole."""

MOST_PASSES = 20
"""Over the columns that may move alone: each move may give room to another column."""


@dataclass(frozen=True, eq=False)
class ScaledProblem:
    """``scaled`` is ``original`` with objectives divided by ``unit`` (k) and without offsets; ``discrete`` (k) marks integer-valued ones."""

    original: CompiledModel
    scaled: CompiledModel
    unit: Floats
    discrete: NDArray[np.bool_]
    rows: sparse.csr_array
    exact_rows: NDArray[np.bool_]

    @classmethod
    def of(cls, model: CompiledModel, ranges: Sequence[float]) -> ScaledProblem:
        """Scale ``model``; ``ranges`` (k) are rough ranges in units, used for objectives with a continuum of values only."""
        discrete = np.array([step is not None for step in model.steps], dtype=bool)
        unit = np.array(
            [
                _continuous_unit(spread) if step is None else float(step)
                for step, spread in zip(model.steps, ranges, strict=True)
            ]
        )
        objectives = model.objectives / unit[:, None]
        objectives[discrete] = np.round(objectives[discrete])
        scaled = dataclasses.replace(
            model,
            objectives=objectives,
            offsets=np.zeros(model.n_objectives),
            steps=tuple(1.0 if flag else None for flag in discrete),
        )
        rows = sparse.csr_array(model.matrix)
        return cls(model, scaled, unit, discrete, rows, exact_rows(rows, model))

    def image(self, x: Floats) -> Floats:
        """Scaled objective values at ``x``; exact integers where an objective is discrete."""
        used = np.flatnonzero(x)
        y = np.empty(self.scaled.n_objectives)
        for i, row in enumerate(self.scaled.objectives):
            products = row[used] * x[used]
            y[i] = math.fsum(products.tolist())
            if self.discrete[i]:
                y[i] = round(y[i])
        return y + 0.0

    def tightened(self, x: Floats) -> Floats:
        """``x`` with every integer column that improves an objective, and worsens none, moved as far as its bounds and the rows let it move alone.

        An answer that need not be the best may leave them anywhere, as the least of several shares below all of them.
        """
        model, by_column = self.scaled, sparse.csc_array(self.scaled.matrix)
        x, activity = x.copy(), self.rows @ x
        none_worse = {1.0: (model.objectives <= 0.0).all(axis=0), -1.0: (model.objectives >= 0.0).all(axis=0)}
        for _ in range(MOST_PASSES):
            moved = False
            for sign, fine in none_worse.items():
                room = model.upper - x if sign > 0 else x - model.lower
                for j in np.flatnonzero(
                    fine & model.integer & (room > 0.0) & (model.objectives != 0.0).any(axis=0)
                ).tolist():
                    part = slice(by_column.indptr[j], by_column.indptr[j + 1])
                    rows, change = by_column.indices[part], sign * by_column.data[part]
                    left = np.where(
                        change > 0, model.row_upper[rows] - activity[rows], activity[rows] - model.row_lower[rows]
                    )
                    far = min(float(room[j]), float((left / np.abs(change)).min(initial=math.inf)))
                    far = math.floor(far + 1e-9) if math.isfinite(far) else 0.0
                    if far > 0.0:
                        x[j] += sign * far
                        activity[rows] += change * far
                        moved = True
            if not moved:
                break
        return x

    def violation(self, x: Floats) -> str | None:
        """What ``x`` violates, or None: integrality, bounds and every row; exactly where the data are integer."""
        model = self.scaled
        slack = RELATIVE_TOLERANCE * (1.0 + np.abs(x))
        if bool(((x < model.lower - slack) | (x > model.upper + slack)).any()):
            return "a column bound"
        if bool((x[model.integer] != np.round(x[model.integer])).any()):
            return "integrality"
        activity = self.rows @ x
        size = abs(self.rows) @ np.abs(x)
        room = np.where(self.exact_rows, ROUNDING, RELATIVE_TOLERANCE * (1.0 + size))
        broken = np.flatnonzero((activity < model.row_lower - room) | (activity > model.row_upper + room))
        if broken.size:
            row = int(broken[0])
            return f"row {model.row_keys[row] if model.row_keys else row}"
        return None

    def in_units(self, y: Floats) -> Floats:
        """Scaled values (k, or points x k) in the model's units and minimisation sense; infinities stay."""
        return np.asarray(y, dtype=np.float64) * self.unit + self.original.offsets

    def deltas(self, resolution: Sequence[float | None]) -> tuple[Floats, Floats]:
        """What is subtracted from a zone's corner (k, scaled) and the additive error this certifies (k, scaled), for ``resolution`` in units.

        In steps of an integer-valued objective, closing zones below ``u - delta`` certifies an error of ``delta - 1``.
        """
        delta, error = np.empty(len(resolution)), np.empty(len(resolution))
        for i, wanted in enumerate(resolution):
            if wanted is not None and not (math.isfinite(wanted) and wanted >= 0):
                raise UsageError(
                    f"resolution of {self.scaled.objective_names[i]}: {wanted} is not a finite number of units >= 0"
                )
            if self.discrete[i]:
                error[i] = 0.0 if wanted is None else math.floor(wanted / self.unit[i] + 1e-9)
                delta[i] = error[i] + 1.0
            elif not wanted:
                name = self.scaled.objective_names[i]
                raise UsageError(
                    f"objective {name} can take a continuum of values, or values closer than 1e-9 of its largest "
                    "coefficient: give it a resolution greater than 0"
                )
            else:
                error[i] = delta[i] = wanted / self.unit[i]
                if delta[i] < 1e-3:
                    raise UsageError(
                        f"resolution of {self.scaled.objective_names[i]} is below what a solver can tell apart"
                    )
        return delta, error


def _continuous_unit(spread: float) -> float:
    return 2.0 ** round(math.log2(spread / 1e5)) if math.isfinite(spread) and spread > 0 else 1.0
