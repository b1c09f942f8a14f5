"""The group of all commands: found in the folder, loaded when asked for, misspelt names answered with the nearest."""

from __future__ import annotations

import importlib
import logging
import pkgutil
import sys
from pathlib import Path
from typing import Any

import click

from models.errors import nearest

_FOLDER = Path(__file__).resolve().parent


class Commands(click.Group):
    """Commands of this folder in alphabetical order; each is imported when it is named or listed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of all commands."""
        files = (module.name for module in pkgutil.iter_modules([str(_FOLDER)]))
        return sorted(name.replace("_", "-") for name in files if not name.startswith("_"))

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """The command called ``name``, with the options every command has."""
        if name not in self.list_commands(ctx):
            return None
        command: click.Command = importlib.import_module(f"optimizer.cli.{name.replace('-', '_')}").command
        return with_shared_options(command)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does it, naming the nearest command for a misspelt one."""
        name = args[0]
        if not name.startswith("-") and name not in self.list_commands(ctx) and not ctx.resilient_parsing:
            raise click.UsageError(f"no command {name!r}: {nearest(name, self.list_commands(ctx))}", ctx)
        return super().resolve_command(ctx, args)


def with_shared_options(command: click.Command) -> click.Command:
    """The command with the options every command has."""
    taken = {option for parameter in command.params for option in parameter.opts}
    for option in shared_options():
        if not taken.intersection(option.opts):
            command.params.append(option)
    if isinstance(command, click.Group):
        for child in command.commands.values():
            with_shared_options(child)
    return command


def shared_options() -> list[click.Option]:
    """``-q`` and ``-v``, understood before and after the name of a command."""
    return [
        click.Option(["-q", "--quiet"], is_flag=True, expose_value=False, callback=_quiet, help="Errors only."),
        click.Option(["-v", "--verbose"], count=True, expose_value=False, callback=_verbose, help="More; -vv: most."),
    ]


def _quiet(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        ctx.meta["optimizer.quiet"] = True
        logging.getLogger("optimizer").setLevel(logging.ERROR)


def _verbose(ctx: click.Context, _: click.Parameter, value: int) -> None:
    if value:
        logging.getLogger("optimizer").setLevel(logging.INFO if value == 1 else logging.DEBUG)


class StderrHandler(logging.StreamHandler[Any]):
    """Writes each record to the present standard error, so that stdout carries the product only."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        self.stream = sys.stderr
        super().emit(record)
