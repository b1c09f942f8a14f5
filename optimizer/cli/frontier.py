"""``optimizer frontier PROBLEM.json``: the engine alone, on any multi-objective integer program."""

from __future__ import annotations

import json
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from models.errors import InstanceError, OptimizerError, UsageError

if TYPE_CHECKING:
    from optimizer.compiled_model import CompiledModel
    from optimizer.pareto import ParetoResult

SCHEMA = "refarch/frontier/1"
_EXIT = {"complete": 0, "infeasible": 4, "partial": 5, "empty": 5}
_SECONDS = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


@click.command(name="frontier", short_help="Every nondominated point of a multi-objective integer program.")
@click.argument("problem", type=click.Path())
@click.option("--backend", default="auto", show_default=True, help="auto, highs, cpsat or scip.")
@click.option("--algorithm", default="auto", show_default=True, help="auto, or one of the engine's algorithms.")
@click.option("--resolution", default=None, help="One value for all objectives or one each: 1% of the range, or units.")
@click.option("--workers", default=1, show_default=True, type=int, help="Processes. Results do not depend on it.")
@click.option("--width", default=None, type=int, help="Zones asked about at once; by default what suits the algorithm.")
@click.option("--time-limit", default=None, help="Stop after this long: 90, 90s, 10m, 1h.")
@click.option("--ledger", default=None, type=click.Path(), help="Record the run in this file.")
@click.option("--resume", is_flag=True, help="Continue the run recorded in --ledger.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
def command(problem: str, as_json: bool, quiet: bool, **options: Any) -> None:
    """Compute the certified Pareto frontier of PROBLEM, a JSON or MPS file with one or more objectives."""
    try:
        result, model = _run(problem, quiet=quiet, **options)
    except OptimizerError as error:
        if not as_json:
            raise
        click.echo(json.dumps({"schema": SCHEMA, "status": "error", "error": _described(error)}))
        sys.exit(error.exit_code)
    status = "partial" if result.status.value == "empty" else result.status.value
    if as_json:
        click.echo(json.dumps({"schema": SCHEMA, "status": status, "data": _data(result, model)}))
    else:
        _table(result, model)
    sys.exit(130 if result.stopped_by == "interrupted" else _EXIT[result.status.value])


def _run(
    problem: str,
    *,
    backend: str,
    algorithm: str,
    resolution: str | None,
    workers: int,
    width: int | None,
    time_limit: str | None,
    ledger: str | None,
    resume: bool,
    quiet: bool,
) -> tuple[ParetoResult, CompiledModel]:
    from optimizer.pareto import RunLimits, solve
    from optimizer.pareto.sources import read_problem

    if resume and ledger is None:
        raise UsageError("--resume needs --ledger")
    model = read_problem(problem)
    shares, units = _resolution(resolution, model.n_objectives)
    with _interruptible() as stopped:
        result = solve(
            model,
            resolution=units,
            shares=shares,
            backend=backend,
            algorithm=algorithm,
            limits=RunLimits(seconds=None if time_limit is None else _duration(time_limit)),
            workers=workers,
            width=width,
            ledger_path=ledger,
            resume=resume,
            stop=stopped.is_set,
            on_progress=None if quiet else _ProgressLines(),
        )
    return result, model


@contextmanager
def _interruptible() -> Iterator[threading.Event]:
    """The first Ctrl-C asks the run to stop after the present zone; the second one ends the program."""
    stopped = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stopped
        return
    before = signal.getsignal(signal.SIGINT)

    def note(*_: object) -> None:
        stopped.set()
        signal.signal(signal.SIGINT, before)
        click.echo("stopping after this zone; press Ctrl-C again to stop at once", err=True)

    signal.signal(signal.SIGINT, note)
    try:
        yield stopped
    finally:
        signal.signal(signal.SIGINT, before)


class _ProgressLines:
    """At most one plain line a second on stderr."""

    def __init__(self) -> None:
        self._last = 0.0

    def __call__(self, progress: Any) -> None:
        if progress.seconds - self._last < 1.0:
            return
        self._last = progress.seconds
        left = ""
        if progress.seconds_left is not None:
            left = f", {progress.seconds_left[0]:.0f} to {progress.seconds_left[1]:.0f} s left"
        click.echo(
            f"{progress.closed:.1%} closed, {progress.points} points, hypervolume {progress.hypervolume[0]:.4f} to "
            f"{progress.hypervolume[1]:.4f}, {progress.solves_per_point:.2f} solves per point{left}",
            err=True,
        )


def _duration(text: str) -> float:
    """Seconds in ``90``, ``90s``, ``10m`` or ``1h``. UsageError otherwise."""
    number = text.rstrip("abcdefghijklmnopqrstuvwxyz").strip()
    unit = text[len(text.rstrip("abcdefghijklmnopqrstuvwxyz")) :] or "s"
    try:
        seconds = float(number) * _SECONDS[unit]
    except (ValueError, KeyError) as error:
        raise UsageError(f"--time-limit {text!r}: expected a duration such as 90s, 10m or 1h") from error
    if not 0 < seconds < float("inf"):
        raise UsageError(f"--time-limit {text!r}: expected a duration greater than zero")
    return seconds


def _resolution(text: str | None, k: int) -> tuple[list[float | None] | None, list[float | None] | None]:
    """Shares and units per objective. UsageError unless there is one value, or one per objective."""
    if text is None:
        return None, None
    parts = [part.strip() for part in text.split(",")]
    parts = parts * k if len(parts) == 1 else parts
    if len(parts) != k:
        raise UsageError(f"--resolution: {len(parts)} values for {k} objectives")
    shares: list[float | None] = []
    units: list[float | None] = []
    for part in parts:
        try:
            value = float(part.removesuffix("%"))
        except ValueError as error:
            raise UsageError(f"--resolution {part!r}: expected a number or a percentage") from error
        if not 0 <= value < float("inf"):
            raise UsageError(f"--resolution {part!r}: expected a finite number that is not negative")
        shares.append(value / 100 if part.endswith("%") else None)
        units.append(None if part.endswith("%") else value)
    return shares, units


def _described(error: OptimizerError) -> dict[str, Any]:
    problems = [p.as_dict() for p in error.problems] if isinstance(error, InstanceError) else []
    return {"code": error.code, "message": str(error), "problems": problems}


def _points(result: ParetoResult, model: CompiledModel) -> list[list[float | int]]:
    """Points in the original sense, whole numbers as integers, sorted."""
    original = model.in_original_sense(result.points).tolist()
    return sorted([int(v) if v == int(v) else v for v in row] for row in original)


def _data(result: ParetoResult, model: CompiledModel) -> dict[str, Any]:
    return {
        "n_nondominated": result.n_points,
        "nondominated_points": _points(result, model),
        "status": result.status.value,
        "solves": result.solves,
        "seconds": round(result.seconds, 3),
        "backend": result.backend,
        "algorithm": result.algorithm,
        "objectives": list(model.objective_names),
        "resolution": list(result.resolution),
        "error": [None if v == float("inf") else v for v in result.error],
        "open_zones": len(result.open_zones),
        "all_proven": bool(result.proven.all()),
        "stopped_by": result.stopped_by,
    }


def _table(result: ParetoResult, model: CompiledModel) -> None:
    click.echo(
        f"{result.n_points} nondominated points, {result.status.value}; {result.solves} solves with {result.backend} in {result.seconds:.2f} s"
    )
    if result.n_points:
        click.echo("  ".join(f"{name:>12}" for name in model.objective_names))
    for row in _points(result, model):
        click.echo("  ".join(f"{value:>12}" for value in row))
