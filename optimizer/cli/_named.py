"""The argument that names an instance, or a run: a name that is neither is refused before anything heavy is imported."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from models.shipped import find_instance, shipped_instances
from optimizer.cli._run_path import run_folder

Decorated = TypeVar("Decorated", bound=Callable[..., Any] | click.Command)


def named_instance(name: str = "instance") -> Callable[[Decorated], Decorated]:
    """An argument that is the path of an instance file, or the name of a shipped instance."""
    return click.argument(name, callback=_instance)


def named_subject(name: str = "subject") -> Callable[[Decorated], Decorated]:
    """An argument that is an instance, or the folder of a run or a file in it."""
    return click.argument(name, callback=_subject)


def named_run(name: str = "run") -> Callable[[Decorated], Decorated]:
    """An argument that is the folder of a run, or a file in it."""
    return click.argument(name, type=click.Path(), callback=_run)


def is_instance(name: str) -> bool:
    """Whether ``name`` can only be an instance: a shipped name, a YAML file, or nothing that is there."""
    path = Path(name)
    return name in shipped_instances() or path.suffix in (".yaml", ".yml") or not path.exists()


def _instance(ctx: click.Context, _: click.Parameter, value: str) -> str:
    if not ctx.resilient_parsing:
        find_instance(value)
    return value


def _subject(ctx: click.Context, _: click.Parameter, value: str) -> str:
    if not ctx.resilient_parsing:
        (find_instance if is_instance(value) else run_folder)(value)
    return value


def _run(ctx: click.Context, _: click.Parameter, value: str) -> str:
    if not ctx.resilient_parsing:
        run_folder(value)
    return value
