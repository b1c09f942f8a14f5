"""What an analysis is about: an instance, or a run with the instance it was computed from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from models.instance import Instance
    from optimizer.frontier import Frontier


@dataclass(frozen=True)
class Subject:
    """``frontier`` is None for a bare instance."""

    instance: Instance
    frontier: Frontier | None = None


def subject(name: str, scenario: str | None = None) -> Subject:
    """The run in a folder (or of a file in it), or the instance of a path or shipped name; UsageError where it is neither."""
    from models.errors import UsageError
    from models.loading import load
    from models.shipped import shipped_instances
    from optimizer.cli._run_path import run_folder
    from optimizer.store import read_frontier, read_inputs

    path = Path(name)
    if name in shipped_instances() or path.suffix in (".yaml", ".yml") or not path.exists():
        return Subject(load(name, scenario))
    if scenario is not None:
        raise UsageError("--scenario is for an instance: a run keeps the one it was computed with")
    folder = run_folder(name)
    return Subject(read_inputs(folder), read_frontier(folder))


def search_options(function: Any) -> Any:
    """``--gap``, ``--time-limit``, ``--workers``, ``--scenario``: the options every analysis has."""
    for option in (
        click.option("--scenario", help="Named overrides of the instance."),
        click.option(
            "--workers",
            default=1,
            show_default=True,
            type=click.IntRange(min=1),
            help="Processes; results do not depend on it.",
        ),
        click.option("--time-limit", metavar="TIME", help="Stop after this time, for example 10m."),
        click.option(
            "--gap",
            default="0",
            show_default=True,
            help="Relative width at which a result is narrow enough, such as 0.5%.",
        ),
    ):
        function = option(function)
    return function


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
