"""The one form every engine and backend works on: sparse matrices, names and choice groups, free of any modeller.

    minimise  (C x + c0)_i   for i = 1..k      subject to  row_lower <= A x <= row_upper,  lower <= x <= upper,  x_j integer for j in I

Objectives are kept in minimisation sense; ``senses`` says which were flipped, and ``in_original_sense`` flips back.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, field
from enum import Enum
from fractions import Fraction
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Floats = NDArray[np.float64]


class Sense(Enum):
    """Direction of an objective as its author wrote it."""

    MINIMISE = "min"
    MAXIMISE = "max"


@dataclass(frozen=True)
class ChoiceGroup:
    """Binary columns of which exactly one is one, and for each the other columns that are zero unless it is chosen."""

    name: str
    columns: tuple[int, ...]
    owned: tuple[tuple[int, ...], ...] = ()


@dataclass(frozen=True, eq=False)
class CompiledModel:
    """A multi-objective mixed-integer linear program.

    ``matrix`` (rows x columns, CSC); ``row_lower``/``row_upper``, ``lower``/``upper`` use infinities for absent bounds;
    ``integer`` marks integer columns; ``objectives`` (k x columns) in minimisation sense with ``offsets`` (k).
    ``steps`` (k): every legal value of objective i is ``offsets[i]`` plus an integer multiple of ``steps[i]``; None where
    the objective can take a continuum of values.
    """

    name: str
    matrix: sparse.csc_array
    row_lower: Floats
    row_upper: Floats
    lower: Floats
    upper: Floats
    integer: NDArray[np.bool_]
    objectives: Floats
    offsets: Floats
    senses: tuple[Sense, ...]
    objective_names: tuple[str, ...]
    steps: tuple[float | None, ...]
    row_keys: tuple[str, ...] = ()
    column_keys: tuple[str, ...] = ()
    choice_groups: tuple[ChoiceGroup, ...] = field(default=())

    @property
    def n_rows(self) -> int:
        """Number of constraint rows."""
        return int(self.matrix.shape[0])

    @property
    def n_columns(self) -> int:
        """Number of columns (variables)."""
        return int(self.matrix.shape[1])

    @property
    def n_objectives(self) -> int:
        """Number of objectives."""
        return int(self.objectives.shape[0])

    @cached_property
    def fingerprint(self) -> str:
        """Hash of every number of the program, independent of names."""
        digest = hashlib.sha256()
        matrix = sparse.csc_array(self.matrix)
        matrix.sort_indices()
        for part in (
            np.asarray(matrix.shape, dtype=np.int64),
            np.asarray(matrix.indptr, dtype=np.int64),
            np.asarray(matrix.indices, dtype=np.int64),
            np.asarray(matrix.data, dtype=np.float64),
            self.row_lower,
            self.row_upper,
            self.lower,
            self.upper,
            np.asarray(self.integer, dtype=np.int8),
            self.objectives,
            self.offsets,
        ):
            digest.update(np.ascontiguousarray(part).tobytes())
        digest.update(",".join(s.value for s in self.senses).encode())
        return digest.hexdigest()

    def values(self, x: Floats) -> Floats:
        """Objective values (minimisation sense) at ``x``."""
        return np.asarray(self.objectives @ x + self.offsets, dtype=np.float64)

    def in_original_sense(self, y: Floats) -> Floats:
        """Objective values (k, or points x k) with maximised objectives flipped back."""
        signs = np.array([1.0 if s is Sense.MINIMISE else -1.0 for s in self.senses])
        flipped = np.asarray(y, dtype=np.float64) * signs
        return np.where(flipped == 0.0, 0.0, flipped)


def exact_rows(rows: sparse.csr_array, model: CompiledModel) -> NDArray[np.bool_]:
    """Rows with integer data on integer columns only, so that floating point evaluates them exactly."""
    whole = (rows.data == np.round(rows.data)) & model.integer[rows.indices]
    fractions = np.zeros(model.n_rows)
    np.add.at(fractions, np.repeat(np.arange(model.n_rows), np.diff(rows.indptr)), ~whole)
    return np.asarray(fractions == 0, dtype=bool)


def value_steps(objectives: Floats, integer: NDArray[np.bool_]) -> tuple[float | None, ...]:
    """For each row of ``objectives`` (k x columns) the largest step of which every legal value is a whole multiple, or None.

    Coefficients are read as the decimals they print as (0.1 is one tenth). None where a column that is not
    integer carries a coefficient, or where no step of at least 1e-9 of the largest coefficient fits. A fixed continuous column must
    be moved to the offset first. An objective without coefficients has step 1.
    """
    steps: list[float | None] = []
    for row in objectives:
        if not (row != 0.0).any():
            steps.append(1.0)
            continue
        if not integer[row != 0.0].all():
            steps.append(None)
            continue
        steps.append(_common_step(np.unique(np.abs(row[row != 0.0]))))
    return tuple(steps)


def _common_step(coefficients: Floats) -> float | None:
    numerator, denominator = 0, 1
    for value in coefficients.tolist():
        exact = Fraction(repr(value))
        shared = math.lcm(denominator, exact.denominator)
        numerator = math.gcd(numerator * (shared // denominator), exact.numerator * (shared // exact.denominator))
        denominator = shared
        if numerator / denominator < 1e-9 * float(coefficients[-1]):
            return None
    return numerator / denominator
