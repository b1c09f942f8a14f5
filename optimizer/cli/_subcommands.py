"""A command whose questions are files of their own beside it: ``_explain_NAME.py`` for ``explain``, ``_report_NAME.py`` for ``report``."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

import click

from models.errors import nearest

_FOLDER = Path(__file__).resolve().parent


class Subcommands(click.Group):
    """Files whose name begins with ``_PREFIX_`` export the commands; each is imported when it is named or listed."""

    def __init__(self, prefix: str, help: str, short_help: str) -> None:
        super().__init__(name=prefix, help=help, short_help=short_help)
        self._prefix = f"_{prefix}_"

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of all subcommands."""
        files = (module.name for module in pkgutil.iter_modules([str(_FOLDER)]))
        return sorted(n.removeprefix(self._prefix).replace("_", "-") for n in files if n.startswith(self._prefix))

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """The subcommand called ``name``."""
        if name not in self.list_commands(ctx):
            return None
        from optimizer.cli._group import with_shared_options

        module = importlib.import_module(f"optimizer.cli.{self._prefix}{name.replace('-', '_')}")
        found: click.Command = module.command
        return with_shared_options(found)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does it, naming the nearest for a misspelt one."""
        name = args[0]
        if not name.startswith("-") and name not in self.list_commands(ctx) and not ctx.resilient_parsing:
            raise click.UsageError(f"no {self.name} {name!r}: {nearest(name, self.list_commands(ctx))}", ctx)
        return super().resolve_command(ctx, args)
