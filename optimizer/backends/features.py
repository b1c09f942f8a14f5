"""Chooses a solver by features of the model, never by timing, so that a choice repeats on every machine."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from optimizer.backends.protocol import SolverOptions
from optimizer.compiled_model import CompiledModel

LARGEST_FOR_CPSAT = 400
"""Columns of a dense program. Single-worker CP-SAT falls behind on larger ones. Up to here its exact integer arithmetic
comes first: beside costs in the millions HiGHS has called a value optimal that lay 14 steps off, at any tolerance it offers.
"""
LARGEST_COMBINATORIAL = 3_000
"""Columns of a program of unit rows, for which CP-SAT with a full linear relaxation keeps up with HiGHS."""
MOST_UNIT_ROWS = 0.5
"""Share of rows with coefficients 0, 1, -1 only, above which the relaxation decides: set packing, partitioning, facility location."""
TINY = 45
"""Columns up to which CP-SAT without presolve wins whatever the rows look like."""
FULL_LINEAR = 2
"""CP-SAT's linearization level that puts every constraint into its relaxation: ten times faster and more on programs of unit rows."""
WIDE = 1_000.0
"""Range from which an integer column is an amount (units of an order, money in whole steps) more than a choice. Without the full relaxation CP-SAT
splits the ranges of such columns again and again: 0.05 s became more than 10 s on rests of 200 columns with prices in tiers.
"""

LARGE_COEFFICIENT = 1e5
"""Coefficients of integer columns beside which a solver's usual tolerance of 1e-6 hides a good part of a whole number."""
NARROWEST = {"highs": 1e-10, "scip": 1e-9}
"""The narrowest tolerance that solvers in floating point keep. SCIP counts it in parts of a row's value; told less, it has left out points unseen."""


@dataclass(frozen=True, slots=True)
class Features:
    """What the choice looks at."""

    columns: int
    rows: int
    all_integer: bool
    unit_rows: float


def features(model: CompiledModel) -> Features:
    """Features of ``model``."""
    rows = sparse.csr_array(model.matrix)
    owner = np.repeat(np.arange(model.n_rows), np.diff(rows.indptr))
    other = np.bincount(owner, np.abs(rows.data) != 1.0, minlength=model.n_rows)
    unit = float((other == 0).mean()) if model.n_rows else 0.0
    return Features(model.n_columns, model.n_rows, bool(model.integer.all()), unit)


def choose(model: CompiledModel) -> str:
    """Name of the solver for ``model``: CP-SAT for integer programs it accepts, up to a size; HiGHS for everything else."""
    seen = features(model)
    largest = LARGEST_COMBINATORIAL if seen.unit_rows > MOST_UNIT_ROWS else LARGEST_FOR_CPSAT
    if not seen.all_integer or seen.columns > largest:
        return "highs"
    from optimizer.backends.cpsat import CpSat

    return "cpsat" if CpSat.unavailable() is None and CpSat.refusal(model) is None else "highs"


def recommended(model: CompiledModel, backend: str) -> SolverOptions:
    """Options for ``backend`` on ``model``: CP-SAT's presolve costs more than it saves on tiny programs, its full relaxation pays on unit rows."""
    if backend != "cpsat":
        return SolverOptions()
    if model.n_columns <= TINY:
        return SolverOptions(presolve=False)
    full = features(model).unit_rows > MOST_UNIT_ROWS or has_amounts(model)
    return SolverOptions(linearization_level=FULL_LINEAR if full else 1)


def unaided(model: CompiledModel, backend: str) -> SolverOptions:
    """Options for ``backend`` on ``model`` where no other solver checks its claims: HiGHS and SCIP take their narrowest tolerance beside large coefficients,
    since what they would round to whole numbers elsewhere exceeds bounds there.
    """
    options = recommended(model, backend)
    largest = max(float(np.abs(values).max(initial=0.0)) for values in (model.matrix.data, model.objectives))
    if backend not in NARROWEST or not model.integer.all() or largest <= LARGE_COEFFICIENT:
        return options
    narrow = NARROWEST[backend]
    return dataclasses.replace(options, feasibility_tolerance=narrow, integrality_tolerance=narrow)


def has_amounts(model: CompiledModel) -> bool:
    """Whether ``model`` has an integer column of finite but ``WIDE`` range."""
    span = model.upper - model.lower
    return bool((model.integer & np.isfinite(span) & (span >= WIDE)).any())
