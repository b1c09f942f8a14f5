"""Rows that clash already in the linear relaxation, read from a certificate that is checked before it is used.

Farkas: multipliers y with  sum_i y_i (A x)_i  bounded above over the box of x by less than the least the rows allow. Rows
without a multiplier play no part. The certificate is recomputed here in plain arithmetic; a solver's word alone counts for
nothing, and a program that is infeasible by integrality alone yields None.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from optimizer.compiled_model import CompiledModel, Floats

TOLERANCE = 1e-7


def clashing_rows(model: CompiledModel, row_lower: Floats, row_upper: Floats, seconds: float | None = None) -> set[str]:
    """Keys of rows whose linear combination no ``x`` within its bounds can satisfy; empty where none is certified."""
    ray = _dual_ray(model, row_lower, row_upper, seconds)
    if ray is None:
        return set()
    for multipliers in (ray, -ray):
        used = np.where(np.abs(multipliers) > TOLERANCE * np.abs(multipliers).max(), multipliers, 0.0)
        if _certifies(model, used, row_lower, row_upper):
            return {model.row_keys[i] for i in np.flatnonzero(used)}
    return set()


def _certifies(model: CompiledModel, y: Floats, row_lower: Floats, row_upper: Floats) -> bool:
    """Whether  max over the box of y'Ax  lies below  min over the rows' bounds of y'r."""
    with np.errstate(invalid="ignore"):
        least = np.where(y > 0, y * row_lower, np.where(y < 0, y * row_upper, 0.0)).sum()
        slope = np.asarray(model.matrix.T @ y).reshape(-1)
        slope = np.where(np.abs(slope) > TOLERANCE, slope, 0.0)
        most = np.where(slope > 0, slope * model.upper, np.where(slope < 0, slope * model.lower, 0.0)).sum()
    return bool(np.isfinite(least) and np.isfinite(most) and most < least - TOLERANCE * max(1.0, abs(least)))


def _dual_ray(model: CompiledModel, row_lower: Floats, row_upper: Floats, seconds: float | None) -> Floats | None:
    import highspy

    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("presolve", "off")
    solver.setOptionValue("threads", 1)
    solver.setOptionValue("solver", "simplex")
    if seconds is not None:
        solver.setOptionValue("time_limit", float(seconds))
    matrix = sparse.csc_array(model.matrix)
    program = highspy.HighsLp()
    program.num_col_, program.num_row_ = model.n_columns, model.n_rows
    program.col_cost_ = np.zeros(model.n_columns)
    program.col_lower_, program.col_upper_ = _finite(model.lower), _finite(model.upper)
    program.row_lower_, program.row_upper_ = _finite(row_lower), _finite(row_upper)
    program.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    program.a_matrix_.start_ = matrix.indptr
    program.a_matrix_.index_ = matrix.indices
    program.a_matrix_.value_ = matrix.data
    solver.passModel(program)
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kInfeasible:
        return None
    answer = solver.getDualRay()
    if len(answer) < 3 or not answer[1]:
        return None
    ray = np.asarray(answer[2], dtype=np.float64)
    return ray if ray.size == model.n_rows and np.any(ray) else None


def _finite(values: Floats) -> Floats:
    import highspy

    return np.clip(values, -highspy.kHighsInf, highspy.kHighsInf)
