"""Linear relaxation on a hot instance, with bounds that hold whatever the solver's tolerances.

For any row multipliers p, every legal x has  c x >= sum_r min over [lo_r, hi_r] of p_r a  +  sum_j min over [l_j, u_j] of d_j x_j,  d = c - A' p.
The multipliers come from the solver; the bound is evaluated here (Neumaier and Shcherbina 2004), so an inexact solve only weakens it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from optimizer.backends.highs_here import program_lp
from optimizer.backends.implied import finite_bounds
from optimizer.compiled_model import CompiledModel, Floats

EPSILON = 2.0**-52
"""Relative rounding of one operation, twice over."""


@dataclass(frozen=True, eq=False, slots=True)
class Relaxed:
    """``bound``: valid lower bound of the cost (-inf: none, inf: proven infeasible). ``reduced`` (columns): what each unit away from the
    cheaper of its bounds adds to it at least; ``x`` the relaxed point (None when infeasible).
    """

    bound: float
    reduced: Floats
    x: Floats | None


class Relaxation:
    """Hot linear relaxation of a scaled model with one row per objective.

    Every solve starts from a named basis that was kept once (or from none): answers do not depend on the order of questions. ``seconds``
    (None: no limit) may be set before each solve; the multipliers of a solve that was cut short still give a bound.
    """

    def __init__(self, model: CompiledModel, seed: int = 0, groups: Sequence[Sequence[int]] = ()) -> None:
        import highspy

        self._model = model
        self._hs = highspy
        self._objectives = sparse.csr_array(model.objectives)
        self._transposed = sparse.csr_array(
            sparse.vstack([model.matrix, sparse.csc_array(model.objectives)], format="csc").T
        )
        self._sizes = abs(self._transposed)
        self._heights = np.diff(self._transposed.indptr).astype(np.float64)
        self._columns = np.arange(model.n_columns, dtype=np.int32)
        self._lower, self._upper = finite_bounds(model)
        self._groups = [np.array(group, dtype=np.intp) for group in groups]
        self._bases: dict[str, Any] = {}
        self._cost: Floats | None = None
        self._rows = self._sides(None, None, np.full(model.n_objectives, math.inf))
        self._held = (model.lower, model.upper)
        self._edited = False
        solver = highspy.Highs()
        solver.setOptionValue("output_flag", False)
        solver.setOptionValue("threads", 1)
        solver.setOptionValue("random_seed", seed)
        # few rows, many near-identical columns: presolve compares columns pairwise (43 s where the simplex takes 0.03 s)
        solver.setOptionValue("presolve", "off")
        solver.passModel(program_lp(model, relaxed=True))
        self._solver = solver
        self.solves = 0
        self.seconds: float | None = None

    def minimise(
        self,
        weights: Sequence[float],
        objective_upper: Sequence[float] | None = None,
        *,
        lower: Floats | None = None,
        upper: Floats | None = None,
        start: str = "",
    ) -> Relaxed:
        """Lower bound of ``sum weights[i] * objective_i`` where objectives stay below ``objective_upper`` (k, inf for none) and
        columns within ``lower``, ``upper`` (columns; the model's own when None). ``start`` names the basis to begin from: the first
        one kept under that name by ``keep``.
        """
        cost = np.asarray(self._objectives.T @ np.asarray(weights, dtype=np.float64))
        return self.minimise_cost(cost, objective_upper, lower=lower, upper=upper, start=start)

    def minimise_cost(
        self,
        cost: Floats,
        objective_upper: Sequence[float] | None = None,
        *,
        lower: Floats | None = None,
        upper: Floats | None = None,
        row_lower: Floats | None = None,
        row_upper: Floats | None = None,
        start: str = "",
    ) -> Relaxed:
        """As ``minimise`` for any ``cost`` (columns); ``row_lower``, ``row_upper`` (rows) replace the model's for this solve."""
        model, solver = self._model, self._solver
        if not model.n_columns:
            return Relaxed(0.0, np.zeros(0), np.zeros(0))
        if self._cost is None or not np.array_equal(cost, self._cost):
            solver.changeColsCost(model.n_columns, self._columns, cost)
            self._cost = cost.copy()
        tops = np.full(model.n_objectives, math.inf)
        if objective_upper is not None:
            tops = np.asarray(objective_upper, dtype=np.float64)
        sides = self._bound_rows(row_lower, row_upper, tops)
        low = self._lower if lower is None else np.maximum(self._lower, lower)
        high = self._upper if upper is None else np.minimum(self._upper, upper)
        self._bound_columns(low, high, lower is not None or upper is not None)
        basis = self._bases.get(start)
        if basis is not None:
            solver.setBasis(basis)
        else:
            solver.clearSolver()
        limit = math.inf if self.seconds is None else float(solver.getRunTime()) + self.seconds
        solver.setOptionValue("time_limit", limit)
        solver.run()
        self.solves += 1
        status = solver.getModelStatus()
        if status == self._hs.HighsModelStatus.kInfeasible:
            return self._infeasible(sides, low, high)
        solution = solver.getSolution()
        if status == self._hs.HighsModelStatus.kTimeLimit and len(solution.row_dual) == sides[0].size:
            bound, reduced = self._evaluate(cost, np.array(solution.row_dual), sides, low, high)
            return Relaxed(bound, reduced, None)
        if status != self._hs.HighsModelStatus.kOptimal:
            return Relaxed(-math.inf, np.zeros(model.n_columns), None)
        bound, reduced = self._evaluate(cost, np.array(solution.row_dual), sides, low, high)
        return Relaxed(bound, reduced, np.array(solution.col_value))

    def keep(self, name: str) -> None:
        """Keep the basis of the last solve under ``name``."""
        self._bases[name] = self._solver.getBasis()

    def kept(self, name: str) -> bool:
        """Whether a basis was kept under ``name``."""
        return name in self._bases

    def _sides(self, row_lower: Floats | None, row_upper: Floats | None, tops: Floats) -> tuple[Floats, Floats]:
        """Bounds of all rows of the relaxation: those of the model, then the objectives."""
        low = self._model.row_lower if row_lower is None else row_lower
        high = self._model.row_upper if row_upper is None else row_upper
        return np.concatenate([low, np.full(tops.size, -math.inf)]), np.concatenate([high, tops])

    def _bound_rows(self, row_lower: Floats | None, row_upper: Floats | None, tops: Floats) -> tuple[Floats, Floats]:
        """Give the solver these row bounds; only what differs from what it holds."""
        low, high = self._sides(row_lower, row_upper, tops)
        for row in np.flatnonzero((low != self._rows[0]) | (high != self._rows[1])).tolist():
            self._solver.changeRowBounds(row, float(low[row]), float(high[row]))
        self._rows = (low, high)
        return self._rows

    def _bound_columns(self, low: Floats, high: Floats, edited: bool) -> None:
        """Give the solver these column bounds; only what differs from what it holds."""
        if not edited and not self._edited:
            return
        held_low, held_high = self._held
        want_low = low if edited else self._model.lower
        want_high = high if edited else self._model.upper
        changed = np.flatnonzero((held_low != want_low) | (held_high != want_high)).astype(np.int32)
        if changed.size:
            self._solver.changeColsBounds(changed.size, changed, want_low[changed], want_high[changed])
        self._held = (want_low, want_high)
        self._edited = edited

    def _infeasible(self, sides: tuple[Floats, Floats], low: Floats, high: Floats) -> Relaxed:
        """Infeasible only if the dual ray proves it: a combination of rows that no x within its bounds can meet."""
        zeros = np.zeros(self._model.n_columns)
        status, has, ray = _dual_ray(self._solver)
        if status and has:
            ray = np.asarray(ray, dtype=np.float64)
            for multipliers in (ray, -ray):
                scale = max(1e-12, float(np.abs(multipliers).max()))
                bound, _ = self._evaluate(zeros, multipliers / scale, sides, low, high)
                if bound > 1e-6:
                    return Relaxed(math.inf, zeros, None)
        return Relaxed(-math.inf, zeros, None)

    def price_at(self, weights: Sequence[float], low: Floats, high: Floats, held: Floats) -> Relaxed:
        """As ``minimise`` without objective bounds, with the multipliers that are best where columns stand at ``held`` (NaN: free).

        At an interior point of a group the multipliers price all its options well, not just the cheapest.
        """
        fixed = np.isfinite(held)
        inner = self.minimise(weights, lower=np.where(fixed, held, low), upper=np.where(fixed, held, high))
        if inner.x is None:
            return inner
        cost = np.asarray(self._objectives.T @ np.asarray(weights, dtype=np.float64))
        bound, reduced = self._evaluate(cost, np.array(self._solver.getSolution().row_dual), self._rows, low, high)
        return Relaxed(bound, reduced, inner.x)

    def _dualise_groups(self, reduced: Floats, upper: Floats) -> list[float]:
        """Choose the best multiplier of each exactly-one row for the given reduced costs, which are shifted in place; its contributions."""
        chosen = []
        for group in self._groups:
            open_ones = group[upper[group] > 0]
            if open_ones.size:
                least = float(reduced[open_ones].min())
                reduced[group] -= least
                chosen.append(least)
        return chosen

    def _evaluate(
        self, cost: Floats, multipliers: Floats, sides: tuple[Floats, Floats], lower: Floats, upper: Floats
    ) -> tuple[float, Floats]:
        """The bound these multipliers prove and the reduced costs it counts with; what rounding may have cost is taken off."""
        side = np.where(multipliers > 0, *sides)
        multipliers = np.where(np.isfinite(side), multipliers, 0.0)
        rows = np.where(multipliers != 0, multipliers * np.where(np.isfinite(side), side, 0.0), 0.0)
        reduced = cost - self._transposed @ multipliers
        blur = EPSILON * (2.0 + self._heights) * (np.abs(cost) + self._sizes @ np.abs(multipliers))
        chosen = self._dualise_groups(reduced, upper)
        edge = np.where(reduced > 0, lower, upper)
        columns = np.where(reduced != 0, reduced * np.where(np.isfinite(edge), edge, 0.0), 0.0)
        loose = ~np.isfinite(edge) & (np.abs(reduced) > 1e-9 * (1.0 + np.abs(cost)))
        if loose.any():
            return -math.inf, reduced
        total = float(rows.sum() + columns.sum()) + math.fsum(chosen)
        reach = np.maximum(np.abs(lower), np.abs(upper))
        rounding = float(blur @ np.where(np.isfinite(reach), reach, 0.0))
        rounding += 1e-11 * float(np.abs(rows).sum() + np.abs(columns).sum() + sum(map(abs, chosen))) + 1e-9
        return total - rounding, reduced


def _dual_ray(solver: Any) -> tuple[bool, bool, NDArray[np.float64]]:
    outcome = solver.getDualRay()
    if not isinstance(outcome, tuple) or len(outcome) < 3 or outcome[2] is None:
        return False, False, np.zeros(0)
    return True, bool(outcome[1]), np.asarray(outcome[2], dtype=np.float64)
