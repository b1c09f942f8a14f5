"""Finite column bounds that the rows of a model imply."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from optimizer.compiled_model import CompiledModel, Floats


def finite_bounds(model: CompiledModel, passes: int = 5) -> tuple[Floats, Floats]:
    """Column bounds, infinite ones replaced where rows imply a finite one (activity bounds, a few passes)."""
    lower, upper = model.lower.copy(), model.upper.copy()
    for _ in range(passes):
        if np.isfinite(lower).all() and np.isfinite(upper).all():
            break
        before = int(np.isfinite(lower).sum() + np.isfinite(upper).sum())
        _tighten(sparse.csr_array(model.matrix), model, lower, upper)
        if int(np.isfinite(lower).sum() + np.isfinite(upper).sum()) == before:
            break
    return lower, upper


def _tighten(rows: sparse.csr_array, model: CompiledModel, lower: Floats, upper: Floats) -> None:
    owner = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    columns = rows.indices
    for values, high in ((rows.data, model.row_upper), (-rows.data, -model.row_lower)):
        least = np.where(values > 0, values * lower[columns], values * upper[columns])
        endless = ~np.isfinite(least)
        count = np.bincount(owner, endless, minlength=rows.shape[0])
        total = np.bincount(owner, np.where(endless, 0.0, least), minlength=rows.shape[0])
        alone = count[owner] - endless
        room = high[owner] - (total[owner] - np.where(endless, 0.0, least))
        implied = np.where((alone == 0) & np.isfinite(room), room / values, np.nan)
        margin = 1e-9 * (1.0 + np.abs(implied))
        up = (values > 0) & np.isfinite(implied) & ~np.isfinite(upper[columns])
        np.minimum.at(upper, columns[up], (implied + margin)[up])
        down = (values < 0) & np.isfinite(implied) & ~np.isfinite(lower[columns])
        np.maximum.at(lower, columns[down], (implied - margin)[down])
