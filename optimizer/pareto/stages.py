"""An integer program in the order in which its columns are decided: whole numbers throughout, every column as far as the rows let it go."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from optimizer.backends.integers import LARGEST, scaled_to_integers
from optimizer.compiled_model import CompiledModel, Floats

Whole = NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True)
class Stages:
    """A program in the order in which columns are decided: ``order`` (columns), ``base`` their lower bounds (not in that order), ``steps`` how far each
    may rise within its bounds and each row by itself; rows ``room`` (m x columns, at most ``most``), ``sums`` (e x columns, equal to ``totals``), ``costs`` (k x columns), ``start`` (k) the objectives at ``base``.
    """

    order: NDArray[np.intp]
    base: Floats
    steps: Whole
    room: Floats
    most: Floats
    sums: Floats
    totals: Floats
    costs: Floats
    start: Floats

    @classmethod
    def of(cls, model: CompiledModel, lower: Floats, upper: Floats, order: NDArray[np.intp]) -> Stages | None:
        """``model`` (integer columns from ``lower`` to ``upper``, whole objectives) with its columns in ``order``; None where data are no
        integers that add up exactly, or nothing is legal.
        """
        base = np.ceil(lower - 1e-9)
        steps = np.floor(upper + 1e-9) - base
        rows = sparse.csr_array(model.matrix)
        room: list[tuple[Floats, float]] = []
        sums: list[tuple[Floats, float]] = []
        for number in range(model.n_rows):
            values = np.zeros(model.n_columns)
            part = slice(rows.indptr[number], rows.indptr[number + 1])
            scaled = scaled_to_integers(rows.data[part])
            if scaled is None:
                return None
            np.add.at(values, rows.indices[part], scaled[0].astype(np.float64))
            shift = float(values @ base)
            low = np.ceil(model.row_lower[number] * scaled[1] - 1e-6) - shift
            high = np.floor(model.row_upper[number] * scaled[1] + 1e-6) - shift
            if low > high:
                return None
            if low == high:
                sums.append((values, high))
                continue
            room += [(values, high)] if np.isfinite(high) else []
            room += [(-values, -low)] if np.isfinite(low) else []
        taller = np.vstack([*(v for v, _ in (*room, *sums)), model.objectives])
        reach = np.abs(taller) @ np.maximum(np.abs(base), np.abs(base + steps)) + np.abs(taller) @ steps
        if bool((steps < 0).any()) or bool((reach > LARGEST).any()):
            return None
        m, e = len(room), len(sums)
        tops = np.array([b for _, b in (*room, *sums)] + [-b for _, b in sums])
        steps = _within_rows(np.vstack([taller[: m + e], -taller[m : m + e]]), tops, steps)
        if bool((steps < 0).any()):
            return None
        return cls(
            order,
            base,
            steps[order].astype(np.int64),
            taller[:m][:, order],
            np.array([b for _, b in room]),
            taller[m : m + e][:, order],
            np.array([b for _, b in sums]),
            model.objectives[:, order],
            model.objectives @ base,
        )

    def least(self, rows: Floats) -> Floats:
        """The least that columns from each stage on may add to ``rows`` (rows x columns + 1)."""
        each = np.minimum(rows * self.steps, 0.0)
        return np.hstack([np.cumsum(each[:, ::-1], axis=1)[:, ::-1], np.zeros((len(rows), 1))])


def _within_rows(rows: Floats, tops: Floats, steps: Floats) -> Floats:
    """How far columns may rise if rows stay at or below ``tops``, each row by itself, in a few passes."""
    with np.errstate(divide="ignore"):
        inverse = np.where(rows > 0, 1.0 / np.where(rows > 0, rows, 1.0), 0.0)
    for _ in range(3):
        left = tops - np.minimum(rows * steps, 0.0).sum(axis=1)
        limit = np.where(rows > 0, np.floor(left[:, None] * inverse + 1e-9), np.inf)
        tighter = np.minimum(steps, limit.min(axis=0, initial=np.inf))
        if bool((tighter == steps).all()):
            break
        steps = tighter
    return steps
