"""Inequalities that many labels share: found by a linear program for one of them, tested for all at once.

Whatever multipliers w >= 0 of the objectives and p of the rows (not negative where a row is an inequality ``rows x <= most``): every legal completion x of a label
with values y and rows r so far obeys

    w f  >=  w y + p (r - most) + sum over the columns left of min(0, (w c_j + p a_j) * steps_j).

If the right-hand side exceeds w (u - 1), nothing new lies below the corner u. Multipliers that show this for one label come from the dual of the linear program
that asks how far all rows and all values below the corner would have to give way; they show it for many of its neighbours too.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from optimizer.compiled_model import Floats
from optimizer.pareto.corners import Corners
from optimizer.pareto.relaxation import EPSILON
from optimizer.pareto.stages import Stages

if TYPE_CHECKING:
    from optimizer.pareto.labels import Work

MANY, MANY_PER_FIGURE = 200, 0.4
"""Labels from which looking for inequalities pays, and per figure of the linear program."""
SAMPLE, ROUNDS, WORTH = 12, 8, 0.3
"""Labels asked about at once, how often at one stage, and the share of them that must give an inequality for another round."""
IDLE, LONGEST_PAUSE = 0.65, 7
"""Share of labels left above which the search pauses, and for how many stages at most."""
AT_ONCE = 32_768
"""Labels that are judged at once, so that memory does not grow with their number."""
MOST_HELD = 36
"""Inequalities that are carried on to the next stage, the latest that told anything."""
GIVES_WAY = 1e-6
"""How far rows and values must give way, in parts of their ranges, for an inequality to be worth keeping."""


class Inequalities:
    """Multipliers ``weights`` (c x k) and ``prices`` (c x rows: inequalities, then equations) and what they add up to from each stage on."""

    def __init__(self, stages: Stages, weights: Floats, prices: Floats) -> None:
        self.weights, self.prices = weights, prices
        rows = np.vstack([stages.room, stages.sums])
        sides = np.concatenate([stages.most, stages.totals])
        slopes = weights @ stages.costs + prices @ rows
        sizes = np.abs(weights) @ np.abs(stages.costs) + np.abs(prices) @ np.abs(rows)
        self._rest = stages.least(slopes) - (prices @ sides)[:, None]
        terms = 4.0 + len(rows) + stages.steps.size
        self._blur = EPSILON * terms * (sizes @ stages.steps + np.abs(prices) @ np.abs(sides))
        self._factors = np.hstack([prices, weights])
        self._terms = terms

    def __len__(self) -> int:
        return len(self.weights)

    def bounds(self, labels: Floats, stage: int) -> Floats:
        """What ``w f`` is at least (n x c) over all completions of ``labels`` (n x rows and objectives) from ``stage`` on, rounding taken off."""
        largest = np.abs(labels).max(axis=0, initial=0.0)
        blur = self._blur + EPSILON * self._terms * (np.abs(self._factors) @ largest)
        return np.asarray(labels @ self._factors.T + (self._rest[:, stage] - blur), dtype=np.float64)


class Separation:
    """The linear program behind an inequality, hot: how far rows and values must give way for a label to reach below a corner."""

    def __init__(self, stages: Stages, spans: Floats) -> None:
        import highspy

        self._m, self._e, self._k = len(stages.most), len(stages.totals), len(stages.costs)
        self._sides = np.concatenate([stages.most, stages.totals, -stages.totals])
        body = np.vstack([stages.room, stages.sums, -stages.sums, stages.costs])
        give = np.concatenate([np.maximum(np.abs(body[: -self._k]) @ stages.steps, 1.0), spans])
        self._n = stages.steps.size
        matrix = np.hstack([body, -give[:, None]])
        rows, columns = matrix.shape
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = columns, rows
        lp.col_cost_ = np.append(np.zeros(self._n), 1.0)
        lp.col_lower_ = np.append(np.zeros(self._n), -1e3)
        lp.col_upper_ = np.append(stages.steps.astype(np.float64), math.inf)
        lp.row_lower_ = np.full(rows, -math.inf)
        lp.row_upper_ = np.zeros(rows)
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.num_col_, lp.a_matrix_.num_row_ = columns, rows
        used = matrix != 0
        lp.a_matrix_.start_ = np.concatenate([[0], np.cumsum(used.sum(axis=1))]).astype(np.int32)
        lp.a_matrix_.index_ = np.nonzero(used)[1].astype(np.int32)
        lp.a_matrix_.value_ = matrix[used]
        self._solver = highspy.Highs()
        for name, value in (("output_flag", False), ("threads", 1), ("random_seed", 0), ("presolve", "off")):
            self._solver.setOptionValue(name, value)
        self._solver.passModel(lp)
        self._optimal = highspy.HighsModelStatus.kOptimal
        self._stage = 0

    def between(self, label: Floats, corner: Floats, stage: int) -> tuple[Floats, Floats] | None:
        """Multipliers (objectives, rows) that show that nothing of ``label`` (rows, objectives) from ``stage`` on lies at or below ``corner``; None
        where the linear program finds room.
        """
        m, e, solver = self._m, self._e, self._solver
        for column in range(self._stage, stage):
            solver.changeColBounds(column, 0.0, 0.0)
        self._stage = stage
        put = np.concatenate([label[: m + e], -label[m : m + e]])
        tops = np.concatenate([self._sides - put, corner - label[m + e :]])
        for row, top in enumerate(tops.tolist()):
            solver.changeRowBounds(row, -math.inf, top)
        solver.run()
        if solver.getModelStatus() != self._optimal or solver.getInfo().objective_function_value <= GIVES_WAY:
            return None
        found = np.maximum(-np.array(solver.getSolution().row_dual), 0.0)
        return found[m + 2 * e :], np.concatenate([found[:m], found[m : m + e] - found[m + e : m + 2 * e]])


class Surrogates:
    """The inequalities of a listing: found at every stage of every pass, and kept for the next ones."""

    def __init__(self, stages: Stages) -> None:
        k, rows = len(stages.costs), len(stages.most) + len(stages.totals)
        self._stages = stages
        self._values = rows + k
        self._plain = (np.eye(k), np.zeros((k, rows)))
        self._held = (np.empty((0, k)), np.empty((0, rows)))
        self._found: dict[int, tuple[Floats, Floats]] = {}
        self._separation: Separation | None = None
        self._many = max(MANY, round(MANY_PER_FIGURE * self._values * stages.steps.size))
        self._pause = self._rest = 0

    def begin(self) -> None:
        """A new pass: inequalities of its stages are those of the last one."""
        self._pause = self._rest = 0
        self._separation = None
        self._held = (self._held[0][:0], self._held[1][:0])

    def reachable(
        self, corners: Corners, labels: Floats, bounds: Floats, witness: NDArray[np.intp], stage: int, work: Work
    ) -> NDArray[np.intp]:
        """Positions of the ``labels`` (n) before ``stage`` that may reach below a corner, by ``bounds`` (n x t) and inequalities; updates ``witness``."""
        if len(labels) < self._many or self._rest > 0:
            self._rest -= self._rest > 0
            return np.arange(len(labels))
        labels = labels[:, : self._values]
        kept = []
        for at in range(0, len(labels), AT_ONCE):
            part = slice(at, at + AT_ONCE)
            # what was found for the first labels is held for the others
            left = self._judge(corners, labels[part], bounds[part], witness[part], stage, work)
            kept.append(at + left)
        every = np.concatenate(kept)
        self._pause = min(2 * self._pause + 1, LONGEST_PAUSE) if every.size > IDLE * len(labels) else 0
        self._rest = self._pause
        return every

    def _judge(
        self, corners: Corners, labels: Floats, bounds: Floats, witness: NDArray[np.intp], stage: int, work: Work
    ) -> NDArray[np.intp]:
        """``reachable`` for some of the labels."""
        known = [self._plain, self._held, *([self._found[stage]] if stage in self._found else [])]
        weights, prices = np.vstack([w for w, _ in known]), np.vstack([p for _, p in known])
        kept: NDArray[np.intp] = np.arange(len(labels))
        told: NDArray[np.bool_] = np.zeros(len(weights), dtype=bool)
        new = Inequalities(self._stages, weights, prices)
        fresh: list[tuple[Floats, Floats]] = []
        for _ in range(ROUNDS if stage < self._stages.steps.size else 1):
            work.spend(1e-9 * labels[kept].size * len(new))
            more = new.bounds(labels[kept], stage)
            corners = corners.also(new.weights)
            beyond = ~corners.within(more, witness[kept], len(new))
            if not fresh:
                told = np.asarray(beyond.any(axis=0), dtype=bool)
            bounds = np.hstack([bounds, more])
            some = witness[kept]
            left = corners.reachable(bounds, some, work)
            witness[kept] = some
            kept, bounds = kept[left], bounds[left]
            if kept.size < self._many:
                break
            found = self._separate(corners, labels[kept], witness[kept], stage, work)
            if len(found) < WORTH * SAMPLE:
                break
            fresh += found
            new = Inequalities(self._stages, np.array([w for w, _ in found]), np.array([p for _, p in found]))
        told[: len(self._plain[0])] = False
        self._keep(weights[told], prices[told], fresh, stage)
        return kept

    def _separate(
        self, corners: Corners, labels: Floats, witness: NDArray[np.intp], stage: int, work: Work
    ) -> list[tuple[Floats, Floats]]:
        """Inequalities for labels spread over all of them."""
        if self._separation is None:
            self._separation = Separation(self._stages, corners.spans)
        found = []
        for at in np.linspace(0, len(labels) - 1, SAMPLE).astype(int).tolist():
            work.spend(2e-4 + 2e-8 * self._values * self._stages.steps.size)
            made = self._separation.between(labels[at], corners.best[witness[at]], stage)
            if made is not None:
                found.append(made)
        return found

    def _keep(self, weights: Floats, prices: Floats, fresh: list[tuple[Floats, Floats]], stage: int) -> None:
        """Hold what told anything for the next stage, and what was found for this stage of the next pass."""
        if fresh:
            made = (np.array([w for w, _ in fresh]), np.array([p for _, p in fresh]))
            self._found[stage] = made
            weights, prices = np.vstack([weights, made[0]]), np.vstack([prices, made[1]])
        self._held = (weights[-MOST_HELD:], prices[-MOST_HELD:])
