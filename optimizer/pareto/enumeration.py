"""The whole frontier at once, where a program is small enough to list what its columns can still become.

Labels (see ``labels``) are cut off by what is known already: a label whose bounds leave no room below any corner between known points is
dropped with proof. Known points come from passes that keep few labels; each pass keeps more, until one keeps all that
matter, which proves that nothing is missing, or until an agreed amount of work is used up and a solver has to answer instead. Knapsacks, assignments and
small dense programs take a hundredth to a tenth of what asking a solver point by point takes.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from optimizer.backends.implied import finite_bounds
from optimizer.compiled_model import CompiledModel, Floats
from optimizer.pareto.corners import Corners
from optimizer.pareto.labels import Found, Labels, OutOfWorkError, Prices, Work
from optimizer.pareto.problem import ScaledProblem
from optimizer.pareto.relaxation import Relaxation
from optimizer.pareto.stages import Stages
from optimizer.pareto.surrogates import Surrogates

MOST_COLUMNS = 1_500
MOST_STEPS = 5_000
MOST_ROWS = 60
"""Columns, steps of all columns together and rows above which listing is not tried."""
FIRST_WIDTH, WIDER = 240, 8
"""Labels kept in the first pass, and how many times as many in each further one."""
WORK, WORK_PER_POINT = 3.0, 0.05
"""Work allowed for a pass, in units of about a second, and for each point known so far and objective: about what a solver takes for these."""
MOST_WORK = 60.0
"""Work allowed for a pass at most."""
GROWTH = 8.0
"""How many times the work of a pass the next wider one takes at most."""
HOPELESS = 1e6
"""A pass that leaves out so many times what it keeps, and no less so than the narrower one before, is the last: points are no longer what is missing."""
DIRECTIONS = {2: 8, 3: 6, 4: 4, 5: 3, 6: 2}
"""Parts into which weights are divided, by the number of objectives: some twenty to forty weighted sums."""


class Enumeration:
    """All nondominated values ``y`` (n x k, sorted) of a program, with a legal point ``x`` (n x columns) for each."""

    def __init__(self, x: Floats, y: Floats) -> None:
        order = np.lexsort(y.T[::-1])
        self.x, self.y = x[order], y[order]

    def least(self, boxes: Floats, weights: Sequence[float]) -> int | None:
        """Position of the point with the least weighted sum (weights not negative) in the union of ``boxes`` (m x k upper bounds), or None."""
        inside = np.ones((len(boxes), len(self.y)), dtype=bool)
        for values, tops in zip(self.y.T, boxes.T, strict=True):
            inside &= values <= tops[:, None]
        found = np.flatnonzero(inside.any(axis=0))
        if not found.size:
            return None
        # the last objectives decide between equal sums as a solver might not; any of them is right
        return int(found[np.argmin(self.y[found] @ np.asarray(weights, dtype=np.float64))])


def enumerated(
    problem: ScaledProblem,
    relaxation: Relaxation,
    ideal: Floats,
    worst: Floats,
    seconds: float | None = None,
    stop: Callable[[], bool] | None = None,
) -> Enumeration | None:
    """The frontier of ``problem`` between ``ideal`` and ``worst`` (k), or None where that is not tried or takes more than an agreed amount of
    work (or ``seconds``, or until ``stop`` says so).
    """
    model, k = problem.scaled, problem.scaled.n_objectives
    lower, upper = finite_bounds(model)
    if not _small(problem, upper - lower) or not np.isfinite(worst - ideal).all():
        return None
    weights = _weights(k, np.maximum(worst - ideal, 1.0))
    relaxed = [relaxation.minimise(w) for w in weights.tolist()]
    if not all(np.isfinite(one.bound) for one in relaxed):
        return None
    reduced = np.array([one.reduced for one in relaxed])
    order = _order(model, reduced)
    stages = Stages.of(model, lower, upper, order)
    if stages is None:
        return None
    counted = np.minimum(reduced * lower, reduced * upper) - reduced * stages.base
    prices = Prices(np.array([one.bound for one in relaxed]), reduced[:, order], counted[:, order])
    found = _widening(stages, prices, weights, ideal, worst, _lateness(seconds, stop))
    if found is None or any(problem.violation(x) is not None for x in found.x):
        return None
    if not np.array_equal(np.array([problem.image(x) for x in found.x]).reshape(-1, k), found.y):
        return None
    return Enumeration(found.x, found.y)


def _small(problem: ScaledProblem, reach: Floats) -> bool:
    """Whether the program is all of integers and of a size for which listing is tried; ``reach`` (columns) between the bounds."""
    model = problem.scaled
    return bool(
        1 < model.n_objectives <= max(DIRECTIONS)
        and model.integer.all()
        and problem.discrete.all()
        and 0 < model.n_columns <= MOST_COLUMNS
        and model.n_rows <= MOST_ROWS
        and np.isfinite(reach).all()
        and reach.sum() <= MOST_STEPS
        and (model.objectives == np.round(model.objectives)).all()
    )


def _widening(
    stages: Stages, prices: Prices, weights: Floats, ideal: Floats, worst: Floats, late: Callable[[], bool]
) -> Found | None:
    """Passes of growing width until one is complete."""
    k = len(stages.costs)
    known = Found(np.empty((0, len(stages.order))), np.empty((0, k)), cut=math.inf)
    width = FIRST_WIDTH
    surrogates = Surrogates(stages)
    allowed = 2.0 * WORK
    while known.cut > 1.0:
        before = known.cut
        corners = Corners(known.y, weights, ideal, worst) if len(known.y) else None
        work = Work(2.0 * allowed, late)
        try:
            known = _best(known, Labels(stages, prices, surrogates, corners, width, work).run())
        except OutOfWorkError:
            return None
        allowed = min(MOST_WORK, WORK + WORK_PER_POINT * k * len(known.y))
        next_one = min(GROWTH, math.sqrt(2.0 * known.cut))
        if known.cut > 1.0 and (work.done * next_one > allowed or known.cut >= max(before, HOPELESS)):
            return None
        width *= WIDER
    return known


def _lateness(seconds: float | None, stop: Callable[[], bool] | None) -> Callable[[], bool]:
    end = math.inf if seconds is None else time.perf_counter() + seconds
    return lambda: time.perf_counter() > end or (stop is not None and stop())


def _best(first: Found, second: Found) -> Found:
    """The nondominated points of both, the first's where values are equal; cut as the second is."""
    import moocore

    x, y = np.vstack([first.x, second.x]), np.vstack([first.y, second.y])
    if len(y):
        kept = np.asarray(moocore.is_nondominated(np.ascontiguousarray(y)), dtype=bool)
        x, y = x[kept], y[kept]
    return Found(x, y, second.cut)


def _weights(k: int, spans: Floats) -> Floats:
    """Each objective alone, then sums spread evenly (t x k), whole numbers that make up for the ranges ``spans``."""
    parts = DIRECTIONS[k]
    made = np.eye(k).tolist()
    for shares in itertools.product(range(parts + 1), repeat=k):
        if sum(shares) == parts and max(shares) < parts:
            wanted = (np.array(shares) + 0.02) / spans
            made.append(np.maximum(1.0, np.round(1000.0 * wanted / wanted.max())).tolist())
    return np.array(made)


def _order(model: CompiledModel, reduced: Floats) -> NDArray[np.intp]:
    """Columns whose price decides for them first. With equations of few columns, those of one equation together, so that it is soon behind."""
    scale = np.abs(reduced).max(axis=1, keepdims=True)
    price = (np.abs(reduced) / np.where(scale > 0, scale, 1.0)).mean(axis=0)
    by_price = np.argsort(-price, kind="stable")
    rows = sparse.csr_array(model.matrix)
    equations = np.flatnonzero(model.row_lower == model.row_upper)
    if not equations.size:
        return np.asarray(by_price, dtype=np.intp)
    taken = np.zeros(model.n_columns, dtype=bool)
    rank = np.empty(model.n_columns, dtype=np.intp)
    rank[by_price] = np.arange(model.n_columns)
    order: list[int] = []
    pending = [rows.indices[rows.indptr[r] : rows.indptr[r + 1]] for r in equations.tolist()]
    while True:
        pending = [row[~taken[row]] for row in pending]
        pending = [row for row in pending if row.size]
        if not pending:
            break
        row = min(pending, key=len)
        taken[row] = True
        order += row[np.argsort(rank[row])].tolist()
    order += [j for j in by_price.tolist() if not taken[j]]
    return np.array(order, dtype=np.intp)
