"""What an analysis is about: an instance, or a run with the instance it was computed from."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from models.instance import Instance
    from optimizer.frontier import Frontier
    from optimizer.sensitivity.effort import Effort


@dataclass(frozen=True)
class Subject:
    """``frontier`` is None for a bare instance."""

    instance: Instance
    frontier: Frontier | None = None


def subject(name: str, scenario: str | None = None) -> Subject:
    """The run in a folder (or of a file in it), or the instance of a path or shipped name; UsageError where it is neither."""
    from models.errors import UsageError
    from models.loading import load
    from optimizer.cli._named import is_instance
    from optimizer.cli._run_path import run_folder

    if is_instance(name):
        return Subject(load(name, scenario))
    if scenario is not None:
        raise UsageError("--scenario is for an instance: a run keeps the one it was computed with")
    folder = run_folder(name)
    from optimizer.store import read_frontier, read_inputs

    return Subject(read_inputs(folder), read_frontier(folder))


def search_options(function: Any) -> Any:
    """The options every analysis of one subject has: those of ``solving_options``, and ``--scenario``."""
    return click.option("--scenario", help="Named overrides of the instance.")(solving_options(function))


def solving_options(function: Any) -> Any:
    """``--gap``, ``--time-limit``, ``--workers``, ``--journal``, ``--resume``: the options of whatever solves again."""
    for option in (
        click.option(
            "--resume", is_flag=True, help="Continue where this command was stopped: answers kept are not sought again."
        ),
        click.option(
            "--journal",
            type=click.Path(dir_okay=False),
            help="File answers are kept in as they are found.  [default: in the user's cache]",
        ),
        click.option(
            "--workers",
            default=1,
            show_default=True,
            type=click.IntRange(min=1),
            help="Processes; results do not depend on it.",
        ),
        click.option("--time-limit", metavar="TIME", help="Stop after this time: 10m, 2h, 90s, or seconds."),
        click.option(
            "--gap",
            default="0",
            show_default=True,
            help="Relative width at which a result is narrow enough, such as 0.5%.",
        ),
    ):
        function = option(function)
    return function


def effort(command: str, options: Mapping[str, Any], *about: Instance) -> Effort:
    """What ``command`` may spend by its search options, and the answers about these instances it need not find again.

    UsageError for a time that is none, or a journal of one's own that is there already and not to be continued.
    """
    from models.errors import UsageError
    from optimizer.cli._solving import parse_duration
    from optimizer.sensitivity.effort import Effort
    from optimizer.sensitivity.journal import Journal, default_journal

    resume, named = bool(options["resume"]), options["journal"]
    if named is None:
        try:
            journal = Journal(default_journal(command, *(one.fingerprint for one in about)), resume)
        except UsageError:
            journal = Journal()  # a cache that cannot be written costs what was found, and nothing else
    else:
        path = Path(named)
        if not resume and path.exists() and path.stat().st_size:
            raise UsageError(f"{path} exists: choose another --journal, or continue it with --resume")
        journal = Journal(path, resume)
    return Effort(parse_duration(options["time_limit"]), workers=options["workers"], journal=journal)


def stop_unless(done: bool) -> None:
    """Ends a command whose result is not all proven, with the exit code that says so."""
    from optimizer.cli._output import note
    from optimizer.cli._solving import EXIT_STOPPED

    if not done:
        note("stopped before everything was proven; the same command with --resume goes on from here")
        sys.exit(EXIT_STOPPED)


def share(text: str, option: str = "--gap") -> float:
    """A share of one from ``0.5%`` or ``0.005``; UsageError for anything else or below zero."""
    from models.errors import UsageError

    bare = text.strip()
    try:
        value = float(bare[:-1]) / 100 if bare.endswith("%") else float(bare)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1:
        raise UsageError(f"{option} {text!r} is not a share from 0 to 1 such as 0.5% or 0.005")
    return value


def read_span(field: Any, text: str | None) -> tuple[float | None, float | None]:
    """Ends of ``LOW..HIGH`` in the field's unit; a unit at the second end holds for both."""
    from models.errors import UsageError

    if text is None:
        return None, None
    low, dots, high = (part.strip() for part in text.partition(".."))
    if not dots or not low or not high:
        raise UsageError(f"{text!r} is no range: give LOW..HIGH, such as 20 MW..40 MW")
    try:
        float(low)
        unit = high.lstrip("+-0123456789.eE_ ").strip()
        low = f"{low} {unit}".strip()
    except ValueError:
        pass
    return field.read(low), field.read(high)
