"""Solving an instance: candidates, program, frontier, designs; with or without a run folder."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NoReturn

from models.candidates.placement import enumerate_candidates
from models.errors import InfeasibleError, VerificationError
from models.formulation.build import Formulation, Goal, build
from models.formulation.family import Direction
from models.formulation.sifting import sift_for
from models.instance import Instance
from optimizer.backends import backend_class
from optimizer.compile import compile_formulation
from optimizer.compiled_model import CompiledModel
from optimizer.extract import design_from
from optimizer.frontier import Frontier, ObjectiveColumn, proof_of
from optimizer.pareto import Progress, RunLimits
from optimizer.pareto import solve as solve_frontier
from optimizer.pareto.result import FrontierStatus, ParetoResult
from optimizer.performance_cache import PerformanceCache
from optimizer.provenance import Setting, as_plain, machine, versions
from optimizer.resolution import parse_resolution
from optimizer.settling import Settling
from optimizer.store import SCHEMA, RunFolder

DEFAULT_RESOLUTION = "1%"


@dataclass(frozen=True)
class SolveSettings:
    """Every option of a solve with its default; ``origins`` says which were set and by whom."""

    objectives: tuple[str, ...] | None = None
    resolution: str | float | None = DEFAULT_RESOLUTION
    backend: str = "auto"
    workers: int = 1
    time_limit: float | None = None
    cross_check: bool = False
    origins: Mapping[str, str] = field(default_factory=dict)

    def recorded(self, formulation: Formulation, price_basis: str) -> dict[str, Setting]:
        """The options for the manifest."""
        values: dict[str, Any] = {
            "objectives": [goal.name for goal in formulation.goals],
            "resolution": self.resolution,
            "backend": self.backend,
            "workers": self.workers,
            "time_limit_s": self.time_limit,
            "cross_check": self.cross_check,
            "price_basis": price_basis,
        }
        return {name: Setting(value, self.origins.get(name, "default")) for name, value in values.items()}


def solve(
    instance: Instance,
    objectives: Sequence[str] | None = None,
    resolution: str | float | None = DEFAULT_RESOLUTION,
    *,
    backend: str = "auto",
    workers: int = 1,
    time_limit: float | None = None,
    cross_check: bool = False,
    out: str | Path | None = None,
    resume: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Frontier:
    """The Pareto frontier of an instance.

    ``objectives``: names (default tco, throughput, power). ``resolution``: ``"1%"``, a share, ``"exact"`` or
    ``"tco=5 MUSD,power=100 kW"``. ``time_limit`` [s]. ``cross_check``: prove every closed zone again with a second solver. ``out``: run folder to write; ``resume`` continues it.
    Raises UsageError, InfeasibleError (proven, with the limits that clash), SolverError.
    """
    settings = SolveSettings(
        tuple(objectives) if objectives else None, resolution, backend, workers, time_limit, cross_check
    )
    return run(instance, settings, out, resume, on_progress, stop)


def run(
    instance: Instance,
    settings: SolveSettings,
    out: str | Path | None = None,
    resume: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Frontier:
    """``solve`` with its options as one value, each with its origin."""
    _require_possible(settings, out, resume)
    formulation = formulation_of(instance, settings)
    if formulation.hopeless:
        raise_infeasible(formulation)
    model = compile_formulation(formulation)
    parse_resolution(settings.resolution, formulation.goals)
    if out is None:
        return _frontier(formulation, model, settings, None, False, on_progress, stop)
    folder = RunFolder(Path(out))
    manifest = _manifest(instance, formulation, settings)
    folder.open(instance, manifest, resume)
    try:
        frontier = replace(
            _frontier(formulation, model, settings, folder, resume, on_progress, stop), run=str(folder.path)
        )
        folder.log(
            f"{frontier.status.value}: {len(frontier)} designs, {frontier.solves} solves; {frontier.proof.sentence()}"
        )
        folder.finish(frontier, {**manifest, "finished": _now()})
        if frontier.status is FrontierStatus.INFEASIBLE:
            raise_infeasible(formulation)
        return frontier
    finally:
        folder.close()


def formulation_of(instance: Instance, settings: SolveSettings) -> Formulation:
    """The program that a solve with these options is about; throughput tables come from the cache of the user."""
    asked = tuple(settings.objectives or ())
    sift = sift_for(instance, asked or None)
    found = enumerate_candidates(instance, PerformanceCache(), objectives=asked, sift=sift)
    return build(instance, asked or None, found)


def _require_possible(settings: SolveSettings, out: str | Path | None, resume: bool) -> None:
    """What would fail after minutes of work is refused at once: a solver that is not here, a folder in use."""
    if settings.backend != "auto":
        backend_class(settings.backend)
    if out is not None:
        RunFolder(Path(out)).require_free(resume)


def _now() -> str:
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _manifest(instance: Instance, formulation: Formulation, settings: SolveSettings) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "instance": instance.name,
        "fingerprint": instance.fingerprint,
        "options": as_plain(settings.recorded(formulation, instance.money.price_basis.value)),
        "program": formulation.size,
        "seed": 0,
        "versions": versions(),
        "machine": machine(),
        "started": _now(),
    }


def objective_columns(goals: Sequence[Goal]) -> tuple[ObjectiveColumn, ...]:
    """The objectives of a program as tables show them."""
    return tuple(
        ObjectiveColumn(
            g.name,
            g.column,
            g.objective.direction is Direction.MAXIMISE,
            g.objective.column_value(1.0),
            g.objective.title,
        )
        for g in goals
    )


def _frontier(
    formulation: Formulation,
    model: CompiledModel,
    settings: SolveSettings,
    folder: RunFolder | None,
    resume: bool,
    on_progress: Callable[[Progress], None] | None,
    stop: Callable[[], bool] | None,
) -> Frontier:
    wanted = parse_resolution(settings.resolution, formulation.goals)
    settling = Settling(formulation, model)
    result = solve_frontier(
        model,
        resolution=wanted.amounts,
        shares=wanted.shares,
        backend=settings.backend,
        limits=RunLimits(seconds=settings.time_limit),
        workers=settings.workers,
        on_progress=on_progress,
        ledger_path=folder.ledger if folder else None,
        resume=resume,
        stop=stop,
        better=settling.columns,
    )
    if result.status is FrontierStatus.INFEASIBLE and folder is None:
        raise_infeasible(formulation)
    proof = proof_of(result, objective_columns(formulation.goals))
    if settings.cross_check:
        proof = replace(proof, cross_check=_cross_check(model, result))
    columns = objective_columns(formulation.goals)
    designs = [
        design_from(formulation, settling.of(x), _bounds(result, i, columns)) for i, x in enumerate(result.solutions)
    ]
    instance = formulation.instance
    return Frontier(
        instance=instance.name,
        fingerprint=instance.fingerprint,
        objectives=columns,
        points=tuple(designs),
        proof=proof,
        solves=result.solves,
        seconds=result.seconds,
        price_basis=instance.money.price_basis.value,
        estimated_prices=any(line.price_is_estimate for d in designs for line in d.bom),
    )


def _cross_check(model: CompiledModel, result: ParetoResult) -> str:
    """Every closed zone proven again by another solver, in words; VerificationError where one does not hold."""
    from optimizer.pareto.certificate import verify

    certificate = verify(model, result, sample=None)
    if certificate.faults:
        raise VerificationError("cross-check: " + "; ".join(certificate.faults[:5]))
    undecided = f", {certificate.undecided} undecided" if certificate.undecided else ""
    return (
        f"{certificate.reproved} of {certificate.zones} closed zones proven again by {certificate.backend}{undecided}"
    )


def _bounds(result: ParetoResult, number: int, columns: Sequence[ObjectiveColumn]) -> dict[str, float]:
    """Certified bounds of a point that is not proven nondominated."""
    if result.proven[number]:
        return {}
    return {
        c.column: (-v if c.maximise else v) * c.quantum for c, v in zip(columns, result.bounds[number], strict=True)
    }


def raise_infeasible(formulation: Formulation) -> NoReturn:
    """InfeasibleError naming the limits that clash and the best reachable value of each."""
    from optimizer.explain.clash import clashing_limits

    raise InfeasibleError(
        f"{formulation.instance.name}: no design meets every limit (proven)", clashing_limits(formulation.instance)
    )
