"""What ``optimizer solve`` does: reads options, runs, reports progress, prints the answer."""

from __future__ import annotations

import dataclasses
import json
import re
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from models.errors import UsageError, nearest_path
from optimizer.cli._output import note, print_json

if TYPE_CHECKING:
    from models.instance import Instance
    from optimizer.layout.close import Closed
    from optimizer.pareto import Progress
    from optimizer.solve import SolveSettings

EXIT_STOPPED, EXIT_INTERRUPTED = 5, 130

_DURATION = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*(s|sec|m|min|h|d)?\s*$")
_SECONDS = {None: 1.0, "s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


def parse_duration(text: str | None) -> float | None:
    """Seconds of ``90s``, ``10m``, ``2h`` or a bare number of seconds; None for None."""
    if text is None:
        return None
    match = _DURATION.match(text)
    if not match or float(match.group(1)) <= 0:
        raise UsageError(f"time {text!r} is not a positive time such as 10m, 2h, 90s or a number of seconds")
    return float(match.group(1)) * _SECONDS[match.group(2)]


def limit_overrides(limits: tuple[str, ...], raw: Mapping[str, Any]) -> dict[str, Any]:
    """Nested overrides for ``--limit NAME=VALUE``: an objective's limit, or a dotted field of the instance (``north.utility``)."""
    overrides: dict[str, Any] = {}
    for text in limits:
        name, equals, value = text.partition("=")
        name, value = name.strip(), value.strip()
        if not equals or not value:
            raise UsageError(f"--limit {text!r} is not NAME=VALUE")
        path = _limit_path(name, raw)
        target = overrides
        for step in path[:-1]:
            target = target.setdefault(step, {})
        if target.get(path[-1], value) != value:
            raise UsageError(f"--limit {name} is given twice: {target[path[-1]]} and {value}")
        target[path[-1]] = value
    return overrides


def _limit_path(name: str, raw: Mapping[str, Any]) -> list[str]:
    from models.policy import Limits

    steps = name.split(".")
    if len(steps) == 1 and name in Limits.model_fields:
        return ["limits", name]
    for prefix in ([], ["sites"], ["workloads"]):
        path = [*prefix, *steps]
        node: Any = raw
        for step in path[:-1]:
            node = node.get(step) if isinstance(node, Mapping) else None
        if len(path) > 1 and isinstance(node, Mapping) and path[-1] in node:
            return path
    named = [
        f"{site}.{key}"
        for site, place in raw.get("sites", {}).items()
        for key in place
        if key in ("utility", "rack_positions", "air_per_rack")
    ]
    raise UsageError(f"no limit {name!r}: {nearest_path(name, [*Limits.model_fields, *named])}")


def load_with_limits(name: str, scenario: str | None, limits: tuple[str, ...]) -> Instance:
    """The instance with ``--limit`` values in place of its own."""
    from models.loading import load

    instance = load(name, scenario)
    overrides = limit_overrides(limits, instance.raw)
    if not overrides:
        return instance
    return load(name, scenario, overrides, _limit_places(limits, instance))


def _limit_places(limits: tuple[str, ...], instance: Instance) -> dict[str, str]:
    """Where each value of ``--limit`` was given, by its dotted path and those of the mappings that it alone brings."""
    places: dict[str, str] = {}
    for given in (text.partition("=")[0].strip() for text in limits):
        steps = _limit_path(given, instance.raw)
        paths = [".".join(steps[: end + 1]) for end in range(len(steps))]
        places |= dict.fromkeys(
            (path for path in paths if path == paths[-1] or path not in instance.origins),
            f"command line (--limit {given})",
        )
    return places


class Interrupt:
    """First Ctrl-C: finish the zone and save; second: stop at once."""

    def __init__(self) -> None:
        self.asked = False

    def __enter__(self) -> Interrupt:
        self._before = signal.signal(signal.SIGINT, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._before)

    def _handle(self, _signal: int, _frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        click.echo("\nfinishing the zone, then saving (press again to stop at once)", err=True)


class ProgressLines:
    """Bound-based progress on stderr: one line that is rewritten on a terminal, plain lines every few seconds elsewhere."""

    def __init__(self, every: float = 5.0) -> None:
        self._every = every
        self._last = 0.0
        self._terminal = sys.stderr.isatty()
        context = click.get_current_context(silent=True)
        self._quiet = bool(context and context.meta.get("optimizer.quiet"))

    def __call__(self, progress: Progress) -> None:
        if not self._is_due():
            return
        low, high = progress.hypervolume
        left = (
            ""
            if progress.seconds_left is None
            else f", {progress.seconds_left[0]:.0f} to {progress.seconds_left[1]:.0f} s left"
        )
        line = (
            f"{progress.closed:6.1%} of objective space closed, {progress.points} designs, hypervolume between {low:.3f} and "
            f"{high:.3f}, {progress.solves_per_point:.1f} solves per design{left}"
        )
        self._write(line)

    def layouts(self, done: int, total: int) -> None:
        """Of ``total`` designs ``done`` are laid out."""
        if self._is_due():
            self._write(f"{done} of {total} designs laid out")

    def _is_due(self) -> bool:
        now = time.monotonic()
        if self._quiet or now - self._last < (0.2 if self._terminal else self._every):
            return False
        self._last = now
        return True

    def _write(self, line: str) -> None:
        click.echo(f"\r\x1b[2K{line}" if self._terminal else line, err=True, nl=not self._terminal)

    def done(self) -> None:
        """Ends a rewritten line."""
        if self._terminal and self._last and not self._quiet:
            click.echo("", err=True)


def solve_command(name: str, options: Mapping[str, Any]) -> None:
    """Runs the command; exits with the code of the frontier's status."""
    parse_duration(options["time_limit"])
    if options["resume"] and not options["out"]:
        raise UsageError("--resume needs --out, the folder of the run to continue")
    instance = load_with_limits(name, options["scenario"], options["limits"])
    # what solves takes a second to import, and is not needed to say what is wrong above
    from optimizer.solve import run
    from optimizer.store import default_folder

    settings = _settings(options)
    if options["dry_run"]:
        _dry_run(instance, settings, options["as_json"])
        return
    out = Path(options["out"]) if options["out"] else default_folder(instance)
    progress = ProgressLines()
    with Interrupt() as interrupt:
        if options["layout"]:
            closed = _closed(instance, settings, out, options["resume"], progress, interrupt)
            frontier, instance = closed.frontier, closed.instance
        else:
            closed = None
            frontier = run(instance, settings, out, options["resume"], progress, lambda: interrupt.asked)
    progress.done()
    from optimizer.cli._answer import answer_lines, frontier_data, json_status
    from optimizer.pareto.result import FrontierStatus

    if options["as_json"]:
        print_json("solve", frontier_data(frontier), json_status(frontier.status))
    else:
        for line in answer_lines(frontier, instance):
            click.echo(line)
    if closed is not None:
        _tell_layouts(closed, out)
    if interrupt.asked and frontier.status is not FrontierStatus.COMPLETE:
        note(f"interrupted: {len(frontier)} designs saved; continue with: optimizer solve {name} --out {out} --resume")
        sys.exit(EXIT_INTERRUPTED)
    if closed is not None and (closed.undecided or len(closed.layouts) < len(frontier)):
        sys.exit(EXIT_INTERRUPTED if interrupt.asked else EXIT_STOPPED)
    if frontier.status is not FrontierStatus.COMPLETE:
        note(f"stopped at a limit; continue with: optimizer solve {name} --out {out} --resume")
        sys.exit(EXIT_STOPPED)


def _closed(
    instance: Instance, settings: SolveSettings, out: Path, resume: bool, progress: ProgressLines, interrupt: Interrupt
) -> Closed:
    from optimizer.layout.close import close

    if resume:
        raise UsageError("--layout solves several programs in turn, and cannot be resumed")
    return close(instance, settings, out, None, progress, lambda: interrupt.asked, progress.layouts)


def _tell_layouts(closed: Closed, out: Path) -> None:
    """Writes layouts.csv beside the run's files, and says what was found."""
    from optimizer.store import table_text
    from optimizer.whole_file import write_text

    rows = [
        {
            "design_id": one.design_id, "racks": one.racks, "links": one.links, "cable_m": round(one.length, 1),
            "bound_m": round(one.bound, 1), "undecided": one.undecided,
        }
        for one in closed.layouts
    ]  # fmt: skip
    write_text(out / "layouts.csv", table_text(rows))
    done = len(closed.layouts) - len(closed.undecided)
    barred = f"; {len(closed.barred)} pods barred for want of a layout, each with its proof" if closed.barred else ""
    note(f"{done} of {len(closed.frontier)} designs laid out (layouts.csv), {closed.rounds} rounds{barred}")
    for one in closed.undecided[:5]:
        note(f"no layout found for {one.design_id}, and none proven impossible: {one.undecided}")


def _settings(options: Mapping[str, Any]) -> SolveSettings:
    from optimizer.solve import SolveSettings

    context = click.get_current_context()
    given = {
        setting: "command line"
        for option, setting in (
            ("objectives", "objectives"),
            ("resolution", "resolution"),
            ("backend", "backend"),
            ("workers", "workers"),
            ("time_limit", "time_limit_s"),
            ("cross_check", "cross_check"),
        )
        if context.get_parameter_source(option) is click.core.ParameterSource.COMMANDLINE
    }
    return SolveSettings(
        objectives=_objective_names(options["objectives"]),
        resolution=options["resolution"],
        backend=options["backend"],
        workers=options["workers"],
        time_limit=parse_duration(options["time_limit"]),
        cross_check=options["cross_check"],
        origins={**given, "price_basis": "instance"},
    )


def _objective_names(text: str | None) -> tuple[str, ...] | None:
    """Names between commas; None where the option was not given, which asks for the usual ones."""
    if text is None:
        return None
    names = tuple(part.strip() for part in text.split(",") if part.strip())
    if not names:
        raise UsageError(
            f"--objectives {text!r} names none; leave it out for the usual ones, or see: optimizer list objectives"
        )
    return names


def _dry_run(instance: Instance, settings: SolveSettings, as_json: bool) -> None:
    from optimizer.backends.features import choose
    from optimizer.backends.protocol import SolverOptions
    from optimizer.compile import compile_formulation
    from optimizer.provenance import as_plain
    from optimizer.resolution import parse_resolution
    from optimizer.solve import formulation_of, raise_infeasible

    formulation = formulation_of(instance, settings)
    if formulation.hopeless:
        raise_infeasible(formulation)
    parse_resolution(settings.resolution, formulation.goals)
    model = compile_formulation(formulation)
    chosen = choose(model) if settings.backend == "auto" else settings.backend
    data = {
        "instance": instance.name,
        "fingerprint": instance.fingerprint,
        "options": as_plain(settings.recorded(formulation, instance.money.price_basis.value)),
        "program": {**formulation.size, "rows": model.n_rows, "columns": model.n_columns},
        "backend": chosen,
        "solver_options": dataclasses.asdict(SolverOptions()),
    }
    if as_json:
        print_json("solve", data, "complete")
        return
    click.echo(json.dumps(data, indent=2, default=str))
