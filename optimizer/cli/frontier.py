"""``optimizer frontier PROBLEM``: the engine alone, on any multi-objective integer program."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any

import click

from models.errors import UsageError, VerificationError
from optimizer.cli._output import json_option, note, print_json, print_table

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from optimizer.compiled_model import CompiledModel
    from optimizer.pareto import ParetoResult

_EXIT = {"complete": 0, "infeasible": 4, "partial": 5, "empty": 5}


@click.command(name="frontier", short_help="Every nondominated point of a multi-objective integer program.")
@click.argument("problem", type=click.Path())
@click.option("--backend", default="auto", show_default=True, help="auto, highs, cpsat or scip.")
@click.option(
    "--algorithm",
    default="auto",
    show_default=True,
    help="auto; batches asks the fewest questions, boxes and zones take the least time.",
)
@click.option("--resolution", default=None, help="One value for all objectives or one each: 1% of the range, or units.")
@click.option("--workers", default=1, show_default=True, type=int, help="Processes. Results do not depend on it.")
@click.option("--time-limit", metavar="TIME", help="Stop after this time: 10m, 2h, 90s, or seconds.")
@click.option(
    "--solves",
    default=None,
    type=click.IntRange(min=1),
    help="Stop after this many solves; asked in the order in which the points found by then cover most.",
)
@click.option("--ledger", default=None, type=click.Path(), help="Record the run in this file.")
@click.option("--resume", is_flag=True, help="Continue the run recorded in --ledger.")
@click.option("--certificate", is_flag=True, help="Check that points and closed zones cover objective space.")
@json_option
def command(problem: str, as_json: bool, certificate: bool, **options: Any) -> None:
    """Compute the certified Pareto frontier of PROBLEM, a JSON or MPS file with one or more objectives."""
    result, model = _run(problem, **options)
    if certificate:
        _check(result, model)
    status = "partial" if result.status.value == "empty" else result.status.value
    if as_json:
        print_json("frontier", _data(result, model), status)
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
    time_limit: str | None,
    solves: int | None,
    ledger: str | None,
    resume: bool,
) -> tuple[ParetoResult, CompiledModel]:
    from optimizer.cli._solving import Interrupt, ProgressLines, parse_duration
    from optimizer.pareto import RunLimits, solve
    from optimizer.pareto.sources import read_problem

    if resume and ledger is None:
        raise UsageError("--resume needs --ledger")
    seconds = parse_duration(time_limit)
    model = read_problem(problem)
    shares, units = _resolution(resolution, model.n_objectives)
    progress = ProgressLines()
    with Interrupt() as interrupt:
        result = solve(
            model,
            resolution=units,
            shares=shares,
            backend=backend,
            algorithm=algorithm,
            limits=RunLimits(seconds=seconds, solves=solves),
            workers=workers,
            ledger_path=ledger,
            resume=resume,
            stop=lambda: interrupt.asked,
            on_progress=progress,
        )
    progress.done()
    return result, model


def _check(result: ParetoResult, model: CompiledModel) -> None:
    """VerificationError naming what is wrong with the frontier."""
    from optimizer.pareto.certificate import verify

    certificate = verify(model, result)
    if not certificate.holds:
        raise VerificationError("; ".join(certificate.faults[:5]))
    cover = "points and closed zones cover objective space" if certificate.complete else "zones are open"
    note(
        f"certificate: {cover}; {certificate.reproved} of {certificate.zones} closed zones proven empty again "
        f"with {certificate.backend}, {certificate.undecided} undecided"
    )


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
        if not 0 <= value < math.inf:
            raise UsageError(f"--resolution {part!r}: expected a finite number that is not negative")
        shares.append(value / 100 if part.endswith("%") else None)
        units.append(None if part.endswith("%") else value)
    return shares, units


def _listed(result: ParetoResult) -> NDArray[np.bool_]:
    """Points that are told as nondominated (n): all of a complete run or of one with a resolution, which they cover together; else the proven."""
    import numpy as np

    exact = all(asked is None for asked in result.resolution)
    return result.proven if exact and result.status.value != "complete" else np.ones_like(result.proven)


def _points(result: ParetoResult, model: CompiledModel, which: NDArray[np.bool_]) -> list[list[float | int]]:
    """Some of the points in the original sense, whole numbers as integers, sorted."""
    original = model.in_original_sense(result.points[which]).tolist()
    return sorted([int(v) if v == int(v) else v for v in row] for row in original)


def _data(result: ParetoResult, model: CompiledModel) -> dict[str, Any]:
    volume, listed = result.hypervolume, _listed(result)
    return {
        "n_nondominated": int(listed.sum()),
        "nondominated_points": _points(result, model, listed),
        "unproven_points": _points(result, model, ~listed),
        "status": result.status.value,
        "solves": result.solves,
        "seconds": round(result.seconds, 3),
        "backend": result.backend,
        "algorithm": result.algorithm,
        "objectives": list(model.objective_names),
        "resolution": list(result.resolution),
        "error": [None if math.isinf(v) else v for v in result.error],
        "open_zones": len(result.open_zones),
        "all_proven": bool(result.proven.all()),
        "tolerated": result.tolerated,
        "hypervolume_share": None if volume is None else volume.share,
        "stopped_by": result.stopped_by,
        "message": result.problem,
    }


def _table(result: ParetoResult, model: CompiledModel) -> None:
    listed = _listed(result)
    count, more = int(listed.sum()), int((~listed).sum())
    points = "point" if count == 1 else "points"
    how = "listed as a whole" if result.backend == "listing" else f"{result.solves} solves with {result.backend}"
    click.echo(f"{count} nondominated {points}, {result.status.value}: {how} in {result.seconds:.2f} s")
    if count:
        print_table(_points(result, model, listed), model.objective_names, right=model.objective_names)
    if more:
        click.echo(f"{more} more found, not proven nondominated:")
        print_table(_points(result, model, ~listed), model.objective_names, right=model.objective_names)
