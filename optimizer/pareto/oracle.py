"""Answers an algorithm's questions: scalarises a zone, solves it (reduced where that pays), checks the incumbent, states what is proven."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from models.errors import SolverError
from optimizer.backends.features import choose
from optimizer.backends.protocol import Proof, SolveLimits, SolveResult, SolverOptions, StopReason
from optimizer.compiled_model import CompiledModel, Floats
from optimizer.pareto.behind import HELD_NODES, LARGEST_COEFFICIENT, LARGEST_WHOLE, behind, least_of
from optimizer.pareto.enumeration import Enumeration, enumerated
from optimizer.pareto.exactly import Solver, solve_rest, solver_for
from optimizer.pareto.problem import ScaledProblem
from optimizer.pareto.query import LOOSE, SPENT, Outcome, Point, Query
from optimizer.pareto.reduction import Reducer
from optimizer.pareto.relaxation import Relaxation
from optimizer.pareto.reply import Counts, Reply

GAP_SHARE = 0.25
"""Of what a proof may leave open: how far above the least value an answer may lie that a counted search does not settle."""


@dataclass(frozen=True, slots=True)
class OracleOptions:
    """How questions are answered. ``reduce``: use reduced-cost fixing where the model is large enough for it; ``listing``: list the whole
    frontier first where the model is small enough for that, unless a solver is named.
    """

    backend: str = "auto"
    solver: SolverOptions | None = None
    limits: SolveLimits = field(default_factory=SolveLimits)
    reduce: bool = True
    listing: bool = True


def _counts(found: SolveResult, calls: int, discarded: int = 0) -> Counts:
    claimed = found.proof in (Proof.OPTIMAL, Proof.INFEASIBLE)
    return Counts(min(1, calls), calls, discarded, tolerated=int(claimed and not found.exact))


def _least_for_certain(found: SolveResult) -> bool:
    """Whether exact arithmetic leaves nothing below the answer."""
    return found.exact and not found.loose and found.objective is not None and found.objective - found.bound < 1.0


def _no_point(counts: Counts) -> Reply:
    return Reply(Outcome.INFEASIBLE, None, None, math.inf, True, counts)


class Oracle:
    """One hot set of solvers for one scaled problem. Answers do not depend on earlier questions."""

    def __init__(self, problem: ScaledProblem, options: OracleOptions) -> None:
        self.problem = problem
        self.options = options
        self._k = problem.scaled.n_objectives
        self.relaxation = Relaxation(problem.scaled)
        self.relaxation.seconds = options.limits.seconds
        self._full: Solver | None = None
        # only two objectives promise one solve a point: several solves of small numbers are often less work than one of large ones
        solver = choose(problem.scaled) if options.backend == "auto" else options.backend
        self._whole = self._k == 2 and solver == "cpsat"
        self._rounds_off = solver != "cpsat"
        self.stop: Callable[[], bool] | None = None
        self._all: Enumeration | None = None
        self._listed = not options.listing or options.backend != "auto" or options.solver is not None
        self._limits = options.limits
        self._reducer = Reducer(problem.scaled, partial(solve_rest, backend=options.backend, options=options.solver))
        self.typical: Floats | None = None
        self.infeasible, self.ideal, self.worst = self._extremes()
        self.delta: Floats = np.ones(self._k)
        if options.reduce and self._reducer.worthwhile and not self.infeasible:
            self._reducer.prepare()

    def _make(self, model: CompiledModel) -> Solver:
        return solver_for(model, self.options.backend, self.options.solver)

    def _extremes(self) -> tuple[bool, Floats, Floats]:
        """Proven lower and upper limits of each scaled objective over all legal points (infinite where the relaxation gives none). Sets ``typical``
        to the largest values at the relaxed points where one of them is least.
        """
        found = []
        ideal, worst = np.full(self._k, -math.inf), np.full(self._k, math.inf)
        for i in range(self._k):
            unit = [0.0] * self._k
            unit[i] = 1.0
            least = self.relaxation.minimise(unit)
            if least.bound == math.inf:
                return True, ideal, worst
            found += [] if least.x is None else [self.problem.scaled.objectives @ least.x]
            unit[i] = -1.0
            most = self.relaxation.minimise(unit)
            ideal[i], worst[i] = least.bound, -most.bound
            if self.problem.discrete[i]:
                slack = 1e-6
                ideal[i], worst[i] = np.ceil(ideal[i] - slack), np.floor(worst[i] + slack)
        if len(found) == self._k:
            self.typical = np.max(found, axis=0)
        return False, ideal, worst

    @property
    def relaxations(self) -> int:
        """Linear programs solved so far."""
        return self.relaxation.solves + self._reducer.relaxations

    def list_all(self, seconds: float | None = None) -> bool:
        """Whether questions are answered from a list of all nondominated points, which is tried to make once, within ``seconds``."""
        if not self._listed and not self.infeasible:
            held = self.relaxation.solves
            self._all = enumerated(self.problem, self.relaxation, self.ideal, self.worst, seconds, self.stop)
            # what making the list takes belongs to no question
            self.relaxation.solves = held
        self._listed = True
        return self._all is not None

    def all_points(self, seconds: float | None = None) -> dict[Point, Floats]:
        """Every nondominated point with its columns, as ``list_all``; none where that did not work."""
        if not self.list_all(seconds) or self._all is None:
            return {}
        return {tuple(y.tolist()): x for x, y in zip(self._all.x, self._all.y, strict=True)}

    def _from_list(self, points: Enumeration, weights: Sequence[float], corners: Floats) -> SolveResult:
        at = points.least(corners, weights)
        if at is None:
            return SolveResult(StopReason.FINISHED, Proof.INFEASIBLE, None, None, math.inf, 0.0, 0, exact=True)
        value = math.fsum(w * v for w, v in zip(weights, points.y[at].tolist(), strict=True))
        return SolveResult(StopReason.FINISHED, Proof.OPTIMAL, points.x[at], value, value, 0.0, 0, exact=True)

    def tops(self, box: Point) -> Floats:
        """Largest value of each objective a point of the zone ``box`` may have: corner minus delta, never above the worst legal value."""
        return np.minimum(np.asarray(box) - self.delta, self.worst)

    def ask(self, query: Query, limits: SolveLimits | None = None) -> Reply:
        """The reply to ``query``, each solve within ``limits``."""
        self._limits = (limits or self.options.limits).begun()
        self.list_all(self._limits.seconds)
        before = self.relaxations
        reply = self._reply_to(query)
        counts = dataclasses.replace(reply.counts, relaxations=self.relaxations - before)
        return dataclasses.replace(reply, counts=counts)

    def _reply_to(self, query: Query) -> Reply:
        live = [box for box in query.boxes if bool((self.tops(box) >= self.ideal - 1e-9).all())]
        if self.infeasible or not live:
            return _no_point(Counts())
        if len(live) > 1:
            return self._union(live, query.effort)
        if query.direction is None:
            return self._summed(live[0], query.weights, query.effort)
        return self._directed(live[0], query.direction, query.known)

    def _directed(self, box: Point, j: int, known: Point | None) -> Reply:
        tops = self.tops(box)
        weights, step = self._augmented(tops, j)
        if weights is None:
            return self._two_stage(tops, j)
        ceiling = math.inf
        if known is not None:
            ceiling = math.fsum(w * v for w, v in zip(weights, known, strict=True))
            tops = tops.copy()
            tops[j] = min(tops[j], self._most_below(ceiling, weights, j))
        found, counts, beaten = self._minimise(weights, tops, step, ceiling, self._slack(weights, j))
        if beaten:
            left = ceiling - found.bound if ceiling - found.bound >= step else 0.0
            bound = self._direction_bound(ceiling - left, weights, tops, j)
            return Reply(Outcome.OPTIMAL, known, None, bound, not found.loose, counts, LOOSE if found.loose else "")
        if found.proof is Proof.INFEASIBLE and known is not None:
            return Reply(
                Outcome.ERROR, None, None, -math.inf, False, counts, "called infeasible in spite of a known point"
            )
        value = found.objective if found.proof is Proof.OPTIMAL and found.objective is not None else found.bound
        bound = self._direction_bound(value - self._loose(found, step), weights, tops, j)
        return self._reply(found, tops, bound, counts)

    def _loose(self, found: SolveResult, step: float) -> float:
        """What the proof left open: less than a step is nothing where values are whole steps apart, else the distance to the bound."""
        if found.proof is not Proof.OPTIMAL or found.objective is None:
            return 0.0
        left = max(0.0, found.objective - found.bound)
        return 0.0 if step >= 1.0 and left < step else left

    def _slack(self, weights: Sequence[float], j: int) -> float:
        """What proofs in exact arithmetic may leave open of the weighted sum: of two objectives half of what the resolution of
        objective j allows, whose other parts are the loss to the objective behind it and rounding.
        """
        if self._k != 2 or not bool(self.problem.discrete.all()):
            return 0.0
        return weights[j] * (float(self.delta[j] - 1) // 2)

    def _augmented(self, tops: Floats, j: int) -> tuple[list[float] | None, float]:
        """Weights that put objective j first up to the allowed loss, and the step of the weighted sum; None when no such weights are safe."""
        others = [i for i in range(self._k) if i != j]
        total = float(sum(tops[i] - self.ideal[i] for i in others))
        if not math.isfinite(total):
            return None, 0.0
        if self.problem.discrete[j]:
            heavy = float(math.floor(total / (float(self.delta[j] - 1) // 4 + 1.0)) + 1)
        else:
            heavy = max(1.0, 4.0 * total / float(self.delta[j]))
        reach = float(np.abs(self.problem.scaled.objectives[j]).max(initial=0.0))
        if heavy * reach > LARGEST_COEFFICIENT and not (
            self._whole and heavy * max(reach, self._span(j)) <= LARGEST_WHOLE
        ):
            return None, 0.0
        weights = [1.0] * self._k
        weights[j] = heavy
        if bool(self.problem.discrete.all()):
            return weights, 1.0
        return weights, 1e-4 * heavy * float(self.delta[j])

    def _span(self, j: int) -> float:
        """How far objective j is from zero at most, as far as the relaxation tells."""
        return max(abs(float(self.ideal[j])), abs(float(self.worst[j])))

    def _direction_bound(self, value: float, weights: Sequence[float], tops: Floats, j: int) -> float:
        """Objective j is at least this in the box, given that the weighted sum is at least ``value``."""
        most = math.fsum(weights[i] * float(tops[i]) for i in range(self._k) if i != j)
        bound = (value - most) / weights[j]
        if self.problem.discrete[j] and math.isfinite(bound):
            bound = float(math.ceil(bound - 1e-9))
        return max(bound, float(self.ideal[j]))

    def _most_below(self, ceiling: float, weights: Sequence[float], j: int) -> float:
        """Objective j is at most this wherever the weighted sum is at most ``ceiling``."""
        least = math.fsum(weights[i] * float(self.ideal[i]) for i in range(self._k) if i != j)
        most = (ceiling - least) / weights[j]
        if self.problem.discrete[j] and math.isfinite(most):
            return float(math.floor(most + 1e-6))
        return most + 1e-3 * float(self.delta[j])

    def _two_stage(self, tops: Floats, j: int) -> Reply:
        first_weights = [1.0 if i == j else 0.0 for i in range(self._k)]
        discrete = bool(self.problem.discrete[j])
        step = 1.0 if discrete else 1e-4 * float(self.delta[j])
        first, counts, _ = self._minimise(first_weights, tops, step, math.inf)
        if first.proof is not Proof.OPTIMAL or first.x is None:
            return self._reply(first, tops, first.bound, counts)
        known = tuple(self.problem.image(first.x).tolist())
        least = known[j]
        bound = least if discrete else max(first.bound, float(self.ideal[j]))
        wide, tops = tops, tops.copy()
        tops[j] = least if discrete else least + 1e-3 * float(self.delta[j])
        rest = [0.0 if i == j else 1.0 for i in range(self._k)]
        if not discrete:
            rest[j] = 1e-3
        whole = bool(self.problem.discrete.all())
        priced = whole and self._rounds_off
        step, tried = 1.0 if whole else 1e-6, HELD_NODES if priced else None
        second, more, _ = self._minimise(rest, tops, step, math.inf, nodes=tried)
        if priced and second.proof is not Proof.OPTIMAL:
            second, again = self._behind(first, known, wide, j)
            more += again
        if second.x is None:
            return self._reply(first, tops, bound, counts + more, proven=False)
        if discrete and self.problem.image(second.x)[j] < least:
            wrong = self._reply(second, tops, -math.inf, counts + more, proven=False)
            return dataclasses.replace(wrong, outcome=Outcome.ERROR, message="called least in spite of a lower value")
        return self._reply(second, tops, bound, counts + more)

    def _behind(self, first: SolveResult, known: Point, tops: Floats, j: int) -> tuple[SolveResult, Counts]:
        """The best point at the least value of objective j, that of ``first`` with values ``known``; no columns where that stayed open."""
        reach = float(np.abs(self.problem.scaled.objectives[j]).max(initial=0.0))
        asking = behind(j, known, self.ideal, tops, reach)
        found, counts, y = first, Counts(), None
        try:
            asked = next(asking)
            while True:
                found, more, beaten = self._minimise(asked.weights, asked.tops, 1.0, asked.ceiling)
                counts += more
                if not beaten:
                    if found.proof is not Proof.OPTIMAL or found.x is None or self._complaint(found.x, asked.tops):
                        return dataclasses.replace(found, x=None), counts
                    y = self.problem.image(found.x)
                asked = asking.send(None if beaten else y)
        except StopIteration as done:
            return first if done.value is None else found, counts

    def _balance(self) -> tuple[list[float], float]:
        spans = np.where(np.isfinite(self.worst), self.worst, 0.0) - np.where(np.isfinite(self.worst), self.ideal, 0.0)
        spans = np.maximum(spans, 1.0)
        if bool(self.problem.discrete.all()):
            return np.maximum(1.0, np.round(spans.max() / spans)).tolist(), 1.0
        return (spans.max() / spans).tolist(), 1e-6 * float(spans.max())

    def _summed(self, box: Point, given: Point | None = None, effort: float | None = None) -> Reply:
        tops = self.tops(box)
        weights, step = self._balance()
        if given is not None:
            weights = list(given)
            step = step if step == 1.0 else step * max(given)
        found, counts, _ = self._minimise(weights, tops, step, math.inf, effort=effort)
        if effort is not None and found.proof not in (Proof.OPTIMAL, Proof.INFEASIBLE):
            # something else is asked next: nothing of an unfinished sum is listed
            left = self._limits.left().seconds
            counted = found.stop in (StopReason.TIME_LIMIT, StopReason.NODE_LIMIT) and (left is None or left > 1.0)
            return Reply(Outcome.LIMIT, None, None, -math.inf, False, counts, SPENT if counted else found.message)
        reply = self._reply(found, tops, found.bound, counts, proven=min(weights) > 0.0)
        # without a weight on every objective the least value is meant, not the point
        return reply if min(weights) > 0.0 or reply.point is None else dataclasses.replace(reply, message=LOOSE)

    def _union(self, boxes: Sequence[Point], effort: float | None) -> Reply:
        corners = np.array([self.tops(box) for box in boxes])
        weights, step = self._balance()
        finite = np.isfinite(corners).all(axis=1)
        if not finite.all():
            return self._summed(boxes[int(np.flatnonzero(~finite)[0])])
        limits = self._limits.left()
        if effort is not None:
            limits = dataclasses.replace(limits, effort=effort)
        if self._all is not None:
            found = self._from_list(self._all, weights, corners)
            return self._reply(found, corners.max(axis=0), found.bound, Counts(solves=1))
        found = self._backend().solve_any_of(corners, weights=weights, step=step, limits=limits)
        if effort is not None and found.proof not in (Proof.OPTIMAL, Proof.INFEASIBLE):
            # single zones are asked next: nothing of an unfinished union is listed
            return Reply(Outcome.LIMIT, None, None, -math.inf, False, _counts(found, 1), found.message)
        y = None if found.x is None else self.problem.image(found.x)
        inside = [] if y is None else [c for c in corners if bool((y <= c + self._row_slack(c)).all())]
        return self._reply(found, inside[0] if inside else corners[0], found.bound, _counts(found, 1))

    def _backend(self) -> Solver:
        if self._full is None:
            self._full = self._make(self.problem.scaled)
        return self._full

    def _minimise(
        self, weights: Sequence[float], tops: Floats, step: float, ceiling: float, slack: float = 0.0,
        nodes: int | None = None, effort: float | None = None,
    ) -> tuple[SolveResult, Counts, bool]:  # fmt: skip
        """Solve one scalarised box. The flag says that nothing lies below a finite ``ceiling``, which is then the optimum."""
        if self._all is not None:
            return self._from_list(self._all, weights, tops[None]), Counts(solves=1), False
        calls = 0
        asked = self._limits.left()
        limits = dataclasses.replace(asked, slack=slack, gap=GAP_SHARE * slack, nodes=least_of(asked.nodes, nodes))
        if effort is not None:
            limits = dataclasses.replace(limits, effort=effort)
        if self.options.reduce and self._reducer.worthwhile:
            reduced = self._reducer.minimise(weights, tops.tolist(), step=step, ceiling=ceiling, limits=limits)
            calls = reduced.calls
            if reduced.result is not None and not self._suspect(reduced.result, tops):
                beaten = reduced.result.proof is Proof.INFEASIBLE and math.isfinite(ceiling)
                return reduced.result, _counts(reduced.result, calls, reduced.discarded), beaten
        found = self._backend().solve(weights=weights, objective_upper=tops.tolist(), step=step, limits=limits.left())
        if found.proof is Proof.UNBOUNDED:
            raise SolverError("an objective has no finite best value: the program is unbounded")
        return found, _counts(found, calls + 1), False

    def _suspect(self, found: SolveResult, tops: Floats) -> bool:
        return found.stop is StopReason.ERROR or (found.x is not None and self._complaint(found.x, tops) is not None)

    def _row_slack(self, tops: Floats) -> Floats:
        return np.where(self.problem.discrete, 0.0, np.minimum(1e-6 * (1.0 + np.abs(tops)), 0.01 * self.delta))

    def _complaint(self, x: Floats, tops: Floats) -> str | None:
        broken = self.problem.violation(x)
        if broken is not None:
            return f"the incumbent violates {broken}"
        y = self.problem.image(x)
        over = np.flatnonzero(y > tops + self._row_slack(tops))
        return f"the incumbent exceeds the bound of objective {int(over[0])}" if over.size else None

    def _reply(self, found: SolveResult, tops: Floats, bound: float, counts: Counts, *, proven: bool = True) -> Reply:
        if found.proof is Proof.INFEASIBLE:
            return _no_point(counts)
        x = found.x
        if x is not None and not (proven and _least_for_certain(found)):
            tight = self.problem.tightened(x)
            found = dataclasses.replace(found, loose=found.loose or not np.array_equal(tight, x))
            x = tight
        complaint = None if x is None else self._complaint(x, tops)
        x = None if complaint else x
        point = None if x is None else tuple(self.problem.image(x).tolist())
        if found.proof is Proof.OPTIMAL and point is not None:
            return Reply(
                Outcome.OPTIMAL, point, x, bound, proven and not found.loose, counts, LOOSE if found.loose else ""
            )
        limited = found.stop in (StopReason.TIME_LIMIT, StopReason.NODE_LIMIT, StopReason.INTERRUPTED)
        outcome = Outcome.LIMIT if limited and not complaint else Outcome.ERROR
        return Reply(outcome, point, x, bound, False, counts, complaint or found.message)
