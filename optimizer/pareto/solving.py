"""The entry point of the engine: from a compiled model to a certified frontier."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from models.errors import SolverError, UsageError
from optimizer.backends import backend_class
from optimizer.backends.features import TINY, choose
from optimizer.backends.protocol import DEFAULT_LIMITS, SolveLimits, SolverOptions
from optimizer.compiled_model import CompiledModel, Floats
from optimizer.pareto.algorithms import algorithm_class, default_for
from optimizer.pareto.engine import Run, RunLimits
from optimizer.pareto.ledger import Ledger, recorded_algorithm
from optimizer.pareto.oracle import Oracle, OracleOptions
from optimizer.pareto.payoff import Payoff, lexicographic
from optimizer.pareto.problem import ScaledProblem
from optimizer.pareto.progress import Progress
from optimizer.pareto.query import Answer, Outcome, Point
from optimizer.pareto.relaxation import Relaxation
from optimizer.pareto.result import ParetoResult
from optimizer.pareto.scenarios import has_choice_structure
from optimizer.pareto.space import Algorithm, Rounds, Space
from optimizer.pareto.workers import Answerer, InProcess, Processes

WIDTHS = {"zones": 2, "epsilon": 2, "halving": 2, "boxes": 2}
"""Zones asked about at once, so that two processes have work: ``boxes`` asks a twentieth more often for it on large frontiers, the others do not."""
OF_ALL_POINTS = ("zones", "boxes", "batches", "epsilon", "halving")
"""Algorithms whose aim is every nondominated point, so that a list of them all leaves nothing to ask."""
PAYOFF_TOLERANCE = 1e-6
"""Share of the rough range within which a continuous objective is held at a lexicographic stage."""


def solve(
    model: CompiledModel,
    *,
    resolution: Sequence[float | None] | None = None,
    shares: Sequence[float | None] | None = None,
    backend: str = "auto",
    algorithm: str = "auto",
    limits: RunLimits | None = None,
    options: SolverOptions | None = None,
    reduce: bool = True,
    listing: bool = True,
    workers: int = 1,
    width: int | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    ledger_path: str | Path | None = None,
    resume: bool = False,
    stop: Callable[[], bool] | None = None,
    better: Callable[[Floats], Floats] | None = None,
) -> ParetoResult:
    """The frontier of ``model``: exact, or to a resolution.

    ``resolution`` (k, in units, None or 0: exact) and ``shares`` (k, of each objective's range over the lexicographic optima, 0.01 for 1 %)
    may each set an objective; a unit beats a share. With a resolution every legal value vector y has a listed z with ``z <= y + error`` in
    all objectives, ``error`` being at most the resolution. ``width`` zones (None: what suits the algorithm) are asked about at once,
    whatever the number of ``workers`` (processes) that answer them: results depend on the first only. ``ledger_path`` records the run; with
    ``resume`` a ledger found there is continued, by ``auto`` with the algorithm it began with. With ``listing`` the frontier of a small
    program is listed before the first question (see ``enumeration``), unless a solver or its options are named or a resolution is asked
    for. ``stop`` is polled between rounds. What ``better`` makes of a listed solution at the end takes its place where it is legal and no worse in
    any objective; it must give the same for the same, and what it makes of its own answers must come to rest.

    UsageError for a resolution that cannot be kept, a ledger of another run, an unknown algorithm; SolverError for an unbounded
    program or a solver that is missing or refuses the model.
    """
    started = time.perf_counter()
    limits = limits or RunLimits()
    wanted = _per_objective(resolution, model.n_objectives, "resolution")
    parts = _unsettled(_per_objective(shares, model.n_objectives, "shares"), wanted)
    # at a resolution there may be far fewer questions than nondominated points
    within = SolveLimits(seconds=limits.seconds)
    setup = _Setup(model, backend, options, reduce, listing and not any((*wanted, *parts)), within, stop)
    structured = reduce and has_choice_structure(model)
    name = recorded_algorithm(ledger_path) if resume and algorithm == "auto" else algorithm
    name = _fitting(name, model, structured, list(zip(wanted, parts, strict=True)), limits)
    chosen = algorithm_class(name)
    breadth = _breadth(name, structured, width)
    header = setup.told | {"resolution": wanted, "shares": parts, "algorithm": name, "width": breadth}
    with (
        closing(Ledger(ledger_path, header, model.n_columns, resume=resume)) as ledger,
        closing(setup.answerer(workers, within.seconds)) as answerer,
    ):
        planned = _Planned(setup, chosen, wanted, parts, breadth, ledger, answerer.ahead)
        run = Run(
            setup.problem, planned.space, planned, answerer, ledger, limits,
            stop=stop, on_progress=on_progress, started=started,
        )  # fmt: skip
        prepared = setup.oracle.relaxations
        if name in OF_ALL_POINTS and planned.list_all(within.seconds):
            run.hold(planned.found)
        run.execute()
        if better is not None and not planned.space.whole:
            run.improve(better)
        return run.result(
            backend=setup.backend, resolution=planned.resolution, error=planned.error, relaxations=prepared
        )


def _unsettled(shares: list[float | None], units: list[float | None]) -> list[float | None]:
    """Shares of the objectives that no unit settles; UsageError where one is no share."""
    left = [share if unit is None else None for share, unit in zip(shares, units, strict=True)]
    if any(share is not None and not (math.isfinite(share) and share >= 0) for share in left):
        raise UsageError("shares must be finite and not negative")
    return left


def _breadth(name: str, structured: bool, width: int | None) -> int:
    """Zones asked about at once: as asked for, else what suits the algorithm."""
    # from one end only where solves rest on choice groups: the first objective's are far cheaper there than the second's
    common = 1 if name == "epsilon" and structured else WIDTHS.get(name, 1)
    breadth = common if width is None else width
    if breadth < 1:
        raise UsageError(f"width: {breadth} is not a positive number")
    return breadth


def _fitting(
    name: str,
    model: CompiledModel,
    structured: bool,
    resolution: Sequence[tuple[float | None, float | None]],
    limits: RunLimits,
) -> str:
    """The algorithm of a ``name``, of which ``auto`` stands for what fits: of a run limited to a number of solves (or, with three objectives, in time) the one whose first
    points cover most."""
    if name != "auto":
        return name
    coarse = [bool(unit or share) for unit, share in resolution]
    return default_for(
        model.n_objectives,
        structured=structured,
        general=bool((model.upper - model.lower > 1.0)[model.integer].any()),
        coarse=all(coarse),
        limited=limits.solves is not None,
        # where solves take next to nothing, fewer of them and points spread early count for more than time
        early=limits.seconds is not None or any(coarse) or model.n_columns <= TINY,
    )


def payoff_ranges(
    model: CompiledModel, *, backend: str = "auto", options: SolverOptions | None = None, reduce: bool = True
) -> Payoff | None:
    """The payoff table of ``model`` in its units, or None when it has no legal point. SolverError when a solve fails."""
    setup = _Setup(model, backend, options, reduce)
    setup.oracle.delta = setup.fine_delta()
    asking = lexicographic(model.n_objectives, setup.oracle.delta, whole=bool(setup.problem.discrete.all()))
    solves = 0
    answers: list[Answer] | None = None
    try:
        queries = next(asking)
        while True:
            replies = [setup.oracle.ask(query) for query in queries]
            solves += sum(reply.counts.solves for reply in replies)
            queries = asking.send([Answer(r.outcome, solves, r.point, r.bound, r.proven, r.message) for r in replies])
    except StopIteration as done:
        answers = done.value
    if answers is None:
        if setup.oracle.infeasible or replies[0].outcome.value == "infeasible":
            return None
        raise SolverError(f"the payoff table could not be computed: {replies[0].message or replies[0].outcome.value}")
    table = setup.problem.in_units(np.array([answer.point for answer in answers], dtype=np.float64))
    return Payoff(table, table.min(axis=0), table.max(axis=0), solves)


class _Setup:
    """The scaled problem and its oracle; ``told``: what a ledger says of them."""

    def __init__(
        self,
        model: CompiledModel,
        backend: str,
        options: SolverOptions | None,
        reduce: bool,
        listing: bool = True,
        limits: SolveLimits = DEFAULT_LIMITS,
        stop: Callable[[], bool] | None = None,
    ) -> None:
        self.model = model
        self.backend = choose(model) if backend == "auto" else backend
        refusal = backend_class(self.backend).refusal(model)
        if refusal is not None:
            raise SolverError(f"backend {self.backend} refuses this model: {refusal}")
        self.told = {
            "fingerprint": model.fingerprint, "objectives": list(model.objective_names), "backend": self.backend,
            "asked_for": backend, "options": None if options is None else dataclasses.asdict(options), "reduce": reduce,
        }  # fmt: skip
        self.problem = ScaledProblem.of(model, _rough_ranges(model))
        # a value of the ledger times its unit, plus the origin, is one in the model's units
        self.told |= {"unit": self.problem.unit.tolist(), "origin": model.offsets.tolist()}
        self.oracle = Oracle(self.problem, OracleOptions(backend, options, limits, reduce, listing))
        self.oracle.stop = stop

    def fine_delta(self) -> Floats:
        """A delta that holds an objective at a value: one step, or a sliver of a continuous one."""
        spans = np.where(np.isfinite(self.oracle.worst - self.oracle.ideal), self.oracle.worst - self.oracle.ideal, 1e5)
        return np.where(self.problem.discrete, 1.0, np.maximum(PAYOFF_TOLERANCE * spans, 1e-3))

    def answerer(self, workers: int, seconds: float | None) -> Answerer:
        """Where questions are answered; a list of all points needs no second process."""
        if workers < 1:
            raise UsageError(f"workers: {workers} is not a positive number")
        return (
            InProcess(self.oracle) if workers == 1 or self.oracle.list_all(seconds) else Processes(self.oracle, workers)
        )


class _Planned:
    """The payoff table first where shares are given, then the algorithm with the resolution that follows from it."""

    def __init__(
        self,
        setup: _Setup,
        algorithm: type[Algorithm],
        resolution: list[float | None],
        shares: list[float | None],
        width: int,
        ledger: Ledger,
        ahead: int,
    ) -> None:
        self._setup, self._shares, self._ledger = setup, shares, ledger
        oracle, problem = setup.oracle, setup.problem
        self.resolution = resolution
        if not any(shares):
            delta, self.error = problem.deltas(resolution)
        else:
            delta = setup.fine_delta()
            # until shares are known no zone is closed with more than this left
            self.error = np.where(problem.discrete, 0.0, delta)
        oracle.delta = delta
        self.space = Space(delta, oracle.ideal, oracle.worst, problem.discrete, width, typical=oracle.typical)
        self.space.ahead = ahead
        self._inner = algorithm(self.space)
        self.found: dict[Point, Floats] = {}
        self.name = self._inner.name

    def list_all(self, seconds: float | None) -> bool:
        """Whether all nondominated points are ``found`` beforehand, so that no question is asked."""
        self.space.whole = self._setup.oracle.list_all(seconds)
        self.found = self._setup.oracle.all_points()
        return self.space.whole

    def rounds(self) -> Rounds:
        """See ``Algorithm``."""
        if any(self._shares):
            whole = bool(self.space.discrete.all())
            optima = yield from lexicographic(self.space.k, self.space.delta, self.space.list_point, whole=whole)
            if optima:
                self._set_resolution(optima)
        self._ledger.plan(self.space.delta, self._setup.problem.unit)
        for point in self.found:
            self.space.list_point(Answer(Outcome.OPTIMAL, 0, point, proven=True))
        if self.space.whole:
            self._ledger.settle_between(tuple(self.found), self.space.k)
            return
        yield from self._inner.rounds()

    def unfinished(self) -> list[tuple[float, ...]]:
        """See ``Algorithm``."""
        return [] if self.space.whole else self._inner.unfinished()

    def _set_resolution(self, optima: Sequence[Answer]) -> None:
        table = self._setup.problem.in_units(np.array([answer.point for answer in optima], dtype=np.float64))
        ranges = table.max(axis=0) - table.min(axis=0)
        floor = 1e-2 * self._setup.problem.unit
        self.resolution = [
            unit
            if share is None
            else max(share * float(spread), 0.0 if self._setup.problem.discrete[i] else float(floor[i]))
            for i, (unit, share, spread) in enumerate(zip(self.resolution, self._shares, ranges, strict=True))
        ]
        delta, self.error = self._setup.problem.deltas(self.resolution)
        self.space.delta[:] = delta


def _per_objective(values: Sequence[float | None] | None, k: int, what: str) -> list[float | None]:
    if values is None:
        return [None] * k
    if len(values) != k:
        raise UsageError(f"{what}: {len(values)} given for {k} objectives")
    return list(values)


def _rough_ranges(model: CompiledModel) -> list[float]:
    """Ranges of the objectives over the relaxation; only where an objective takes a continuum of values."""
    if all(step is not None for step in model.steps):
        return [1.0] * model.n_objectives
    relaxation = Relaxation(dataclasses.replace(model, offsets=np.zeros(model.n_objectives)))
    ranges = []
    for i in range(model.n_objectives):
        unit = [0.0] * model.n_objectives
        unit[i] = 1.0
        least = relaxation.minimise(unit).bound
        unit[i] = -1.0
        ranges.append(-relaxation.minimise(unit).bound - least)
    return ranges
