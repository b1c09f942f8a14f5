"""A cost that had to be rounded, told apart to the cent: how much of it the rounding can hide is asked in a question of its own.

    c x  =  q r x  +  d x          r = round(c / q),  |d_j| <= q / 2          z = the least of r x, known and proven
    t  =  r x - z,   0 <= t <= T                                               minimise  q t + d x

The numbers a solver sees in the objective are then q and the remainders, however large the cost itself is; r x is a row. Nothing
cheaper than a known solution is left out: r x of such a solution exceeds z by at most T.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import sparse

from optimizer.compile import step_of
from optimizer.compiled_model import CompiledModel, Floats


def finer(model: CompiledModel, cost: Floats, quantum: float, least: float, most: float, step: float) -> CompiledModel:
    """The question in whole ``step`` s [USD] above ``least`` quanta, its last column t.

    ``cost`` [USD per column] is what ``model`` counts in whole ``quantum`` s; ``most`` [USD]: where t need not go beyond.
    """
    rounded = model.objectives[0]
    rest = cost - rounded * quantum
    whole = not np.any(rounded[~model.integer])
    top = float(np.floor(most / quantum + 1e-9)) if whole else most / quantum
    row = sparse.csc_array(np.append(rounded, -1.0)[None, :])
    wide = sparse.hstack([model.matrix, sparse.csc_array((model.n_rows, 1))])
    objective = np.append(np.rint(rest / step), np.rint(quantum / step))
    integer = np.append(model.integer, whole)
    return replace(
        model,
        matrix=sparse.csc_array(sparse.vstack([wide, row])),
        row_lower=np.append(model.row_lower, least),
        row_upper=np.append(model.row_upper, least),
        lower=np.append(model.lower, 0.0),
        upper=np.append(model.upper, max(0.0, top)),
        integer=integer,
        objectives=objective[None, :],
        steps=(step_of(objective, integer),),
        row_keys=(*model.row_keys, "sensitivity.counted[]"),
        column_keys=(*model.column_keys, "above[least]"),
    )
