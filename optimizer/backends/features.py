"""Chooses a solver by features of the model, never by timing, so that a choice repeats on every machine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from optimizer.backends.protocol import SolverOptions
from optimizer.compiled_model import CompiledModel

LARGEST_FOR_CPSAT = 400
"""Columns. Single-worker CP-SAT falls behind on larger models, whose relaxation decides. Up to here its exact integer arithmetic
comes first: beside costs in the millions HiGHS has called a value optimal that lay 14 steps off, at any tolerance it offers.
"""
MOST_UNIT_ROWS = 0.5
"""Share of rows with coefficients 0, 1, -1 only: set packing, partitioning and facility location are LP-dominated."""


TINY = 45
"""Columns up to which CP-SAT without presolve wins whatever the rows look like."""


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
    """Name of the solver for ``model``: CP-SAT for small dense integer programs it accepts, HiGHS for everything else."""
    seen = features(model)
    lp_dominated = seen.unit_rows > MOST_UNIT_ROWS and seen.columns > TINY
    if not seen.all_integer or seen.columns > LARGEST_FOR_CPSAT or lp_dominated:
        return "highs"
    from optimizer.backends.cpsat import CpSat

    return "cpsat" if CpSat.unavailable() is None and CpSat.refusal(model) is None else "highs"


def recommended(model: CompiledModel, backend: str) -> SolverOptions:
    """Options for ``backend`` on ``model``: CP-SAT's presolve costs more than it saves on tiny programs."""
    return SolverOptions(presolve=not (backend == "cpsat" and model.n_columns <= TINY))
