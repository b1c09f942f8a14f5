"""Runs an algorithm against an oracle: replays a ledger, keeps the limits, derives the result from what was settled."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from optimizer.backends.protocol import SolveLimits
from optimizer.compiled_model import Floats
from optimizer.pareto.between import ZonesBetween
from optimizer.pareto.indicators import certified_error, hypervolume_bounds, least_of_better, nondominated
from optimizer.pareto.ledger import Ledger
from optimizer.pareto.problem import ScaledProblem
from optimizer.pareto.progress import Progress, measure
from optimizer.pareto.query import NOT_ASKED, Answer, Outcome, Point, Query
from optimizer.pareto.reply import Counts, Reply
from optimizer.pareto.result import LISTING, Closure, FrontierStatus, ParetoResult, ZoneRecord
from optimizer.pareto.space import Algorithm, Space
from optimizer.pareto.workers import Answerer


@dataclass(frozen=True, slots=True)
class RunLimits:
    """Limits of a whole run: wall-clock ``seconds`` and integer ``solves``, None when unlimited; and of each single solve.

    ``failures``: solver errors in a row after which the run stops.
    """

    seconds: float | None = None
    solves: int | None = None
    each: SolveLimits = field(default_factory=SolveLimits)
    failures: int = 10


@dataclass(slots=True)
class Tally:
    """Counts of a run."""

    counts: Counts = field(default_factory=Counts)
    replayed: int = 0
    failures: int = 0


class Run:
    """One run of one algorithm. ``problem`` and ``space`` are scaled; ``answerer`` solves; ``ledger`` records."""

    def __init__(
        self,
        problem: ScaledProblem,
        space: Space,
        algorithm: Algorithm,
        answerer: Answerer,
        ledger: Ledger,
        limits: RunLimits,
        *,
        stop: Callable[[], bool] | None = None,
        on_progress: Callable[[Progress], None] | None = None,
        started: float | None = None,
    ) -> None:
        self._problem, self._space, self._algorithm = problem, space, algorithm
        self._answerer, self._ledger, self._limits = answerer, ledger, limits
        self._stop, self._on_progress = stop, on_progress
        self._started = time.perf_counter() if started is None else started
        self.tally = Tally()
        self.stopped_by: str | None = None
        self._unasked: str | None = None
        self._next_report = 0.0
        self.problem_text: str | None = None
        self._solutions: dict[Point, Floats] = {}
        space.on_settled, space.on_listed = ledger.settle, ledger.list_point

    def hold(self, solutions: Mapping[Point, Floats]) -> None:
        """Columns of points that will be listed without a question."""
        self._solutions.update(solutions)
        for point, x in solutions.items():
            self._ledger.give(point, x)

    def improve(self, better: Callable[[Floats], Floats]) -> None:
        """Lists what ``better`` makes of the listed solutions where that is legal, worse in no objective and better in one.

        A zone stays closed whatever is listed: a better point covers all that the one in its place did.
        """
        listed = sorted(self._space.points)
        for point in (p for p, good in zip(listed, nondominated(listed, self._space.k), strict=True) if good):
            here, x = point, self._solutions[point]
            while True:
                x = better(x)
                there = tuple(self._problem.image(x).tolist())
                worse = any(new > old for new, old in zip(there, here, strict=True))
                if there == here or worse or self._problem.violation(x) is not None:
                    break
                here = there
                self.hold({here: x})
                self._space.list_point(Answer(Outcome.OPTIMAL, self.tally.counts.solves, here))

    def execute(self) -> None:
        """Ask until every zone is settled or a limit is reached."""
        rounds = self._algorithm.rounds()
        try:
            queries = next(rounds)
            while True:
                answers = self._answer(queries)
                if answers is None:
                    break
                queries = rounds.send(answers)
                self._report()
        except StopIteration:
            pass
        finally:
            rounds.close()
        if self.stopped_by is None and any(not s.closed.proven for s in self._space.settled):
            self.stopped_by = self._unasked
        if self.stopped_by is None and any(s.closed is Closure.TIME_LIMIT for s in self._space.settled):
            self.stopped_by = "time_limit"
        self._report()

    def _answer(self, queries: Sequence[Query]) -> list[Answer] | None:
        """Answers in the order of the questions, from the ledger where it knows them; None when the run must stop."""
        known = [self._ledger.recall(query) for query in queries]
        open_ones = [query for query, reply in zip(queries, known, strict=True) if reply is None]
        if open_ones:
            self._ledger.live()
            self.stopped_by = self._reason_to_stop()
            if self.stopped_by is not None:
                return None
        soon, self._space.soon = self._space.soon, []
        fresh = iter(self._answerer.answer(open_ones, self._solve_limits(), soon) if open_ones else ())
        answers = []
        for query, reply in zip(queries, known, strict=True):
            if reply is None and (reason := self._reason_to_stop()) is not None:
                self._unasked = reason
                reply = Reply(Outcome.LIMIT, None, None, -math.inf, False, Counts(), NOT_ASKED)
            self.tally.replayed += reply is not None
            answers.append(self._take(query, reply if reply is not None else next(fresh)))
        return answers

    def _take(self, query: Query, reply: Reply) -> Answer:
        self.tally.counts += reply.counts
        self.tally.failures = self.tally.failures + 1 if reply.outcome is Outcome.ERROR else 0
        if reply.outcome is Outcome.ERROR:
            self.problem_text = reply.message or "the solver failed"
        if reply.point is not None and reply.x is not None:
            self._solutions.setdefault(reply.point, reply.x)
        if reply.message != NOT_ASKED:
            self._ledger.record(self.tally.counts.solves, query, reply)
        return Answer(reply.outcome, self.tally.counts.solves, reply.point, reply.bound, reply.proven, reply.message)

    def _reason_to_stop(self) -> str | None:
        limits = self._limits
        if self._stop is not None and self._stop():
            return "interrupted"
        if limits.seconds is not None and time.perf_counter() - self._started >= limits.seconds:
            return "time_limit"
        if limits.solves is not None and self.tally.counts.solves >= limits.solves:
            return "solve_limit"
        return "error" if self.tally.failures >= limits.failures else None

    def _solve_limits(self) -> SolveLimits:
        each, total = self._limits.each, self._limits.seconds
        if total is None:
            return each
        left = max(0.05, total - (time.perf_counter() - self._started))
        seconds = left if each.seconds is None else min(left, each.seconds)
        return SolveLimits(seconds, each.nodes, each.watchdog_factor)

    def _report(self) -> None:
        began = time.perf_counter()
        if self._on_progress is None or began < self._next_report:
            return
        unfinished = self._algorithm.unfinished()
        self._on_progress(measure(self._space, unfinished, self.tally.counts.solves, began - self._started))
        ended = time.perf_counter()
        self._next_report = ended + max(0.1, 20 * (ended - began))

    def result(
        self, *, backend: str, resolution: Sequence[float | None], error: Floats, relaxations: int
    ) -> ParetoResult:
        """The frontier and its ledger, in the model's units."""
        self._ledger.close()
        problem, space, k = self._problem, self._space, self._space.k
        reached = {"time_limit": Closure.TIME_LIMIT, "error": Closure.ERROR}.get(
            self.stopped_by or "", Closure.UNTOUCHED
        )
        records: Sequence[ZoneRecord] = [
            *(self._record(s.upper, s.closed, s.solve, s.direction, s.bound) for s in space.settled),
            *(self._record(u, reached, None, None, None) for u in self._algorithm.unfinished()),
        ]
        left = [s.upper for s in space.settled if not s.closed.proven] + self._algorithm.unfinished()
        open_uppers = np.array(left, dtype=np.float64).reshape(-1, k)
        listed = sorted(space.points)
        kept = [p for p, good in zip(listed, nondominated(listed, k), strict=True) if good]
        scaled = np.array(kept, dtype=np.float64).reshape(-1, k)
        proven = np.array([space.points[p] for p in kept], dtype=bool)
        points = problem.in_units(scaled)
        solutions = np.array([self._solutions[p] for p in kept]).reshape(len(kept), problem.scaled.n_columns)
        lows = problem.in_units(space.ideal)
        closed = np.array([s.upper for s in space.settled if s.closed.proven], dtype=np.float64).reshape(-1, k)
        bounds = points.copy()
        # nothing legal lies at or below a closed corner less delta; of whole values the next ones are a step above
        empty = closed - space.delta + np.where(problem.discrete, 1.0, 0.0)
        bounds[~proven] = problem.in_units(least_of_better(scaled[~proven], closed - space.delta, empty, space.ideal))
        floors = np.array([space.floors.get(u, tuple(space.ideal)) for u in left], dtype=np.float64).reshape(-1, k)
        certified = certified_error(open_uppers, floors, space.worst, space.spans(), error)
        return ParetoResult(
            status=_status(records, len(kept)),
            points=points,
            solutions=solutions,
            proven=proven,
            bounds=bounds,
            ledger=ZonesBetween(kept, problem) if space.whole else tuple(records),
            delta=tuple((space.delta * problem.unit).tolist()),
            resolution=tuple(resolution),
            error=tuple((np.array(certified) * problem.unit).tolist()) if kept else (math.inf,) * k,
            hypervolume=hypervolume_bounds(points, problem.in_units(open_uppers), lows, error * problem.unit),
            ideal=tuple(lows.tolist()),
            solves=self.tally.counts.solves,
            relaxations=relaxations + self.tally.counts.relaxations,
            calls=self.tally.counts.calls,
            discarded=self.tally.counts.discarded,
            tolerated=self.tally.counts.tolerated,
            seconds=time.perf_counter() - self._started,
            backend=LISTING if space.whole else backend,
            algorithm=LISTING if space.whole else self._algorithm.name,
            fingerprint=problem.original.fingerprint,
            stopped_by=self.stopped_by,
            problem=self.problem_text,
        )

    def _record(
        self, upper: Point, closed: Closure, solve: int | None, direction: int | None, bound: float | None
    ) -> ZoneRecord:
        corner = tuple(self._problem.in_units(np.array(upper)).tolist())
        value = None
        if bound is not None and direction is not None and math.isfinite(bound):
            value = bound * float(self._problem.unit[direction]) + float(self._problem.original.offsets[direction])
        return ZoneRecord(corner, closed, solve, direction, value)


def _status(records: Sequence[ZoneRecord], n_points: int) -> FrontierStatus:
    """Complete when every zone is closed with a proof; infeasible when that is so without any point."""
    if all(record.closed.proven for record in records):
        return FrontierStatus.COMPLETE if n_points else FrontierStatus.INFEASIBLE
    return FrontierStatus.PARTIAL if n_points else FrontierStatus.EMPTY
