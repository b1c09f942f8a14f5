"""``optimizer explain ...``: why there is no design, which limits bind, why something is not chosen; one file per question."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

import click

from models.errors import nearest

_FOLDER = Path(__file__).resolve().parent
_PREFIX = "_explain_"


class Questions(click.Group):
    """The questions of this folder: each file ``_explain_NAME.py`` exports its command; imported when named or listed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of all questions."""
        files = (module.name for module in pkgutil.iter_modules([str(_FOLDER)]))
        return sorted(name.removeprefix(_PREFIX).replace("_", "-") for name in files if name.startswith(_PREFIX))

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """The question called ``name``."""
        if name not in self.list_commands(ctx):
            return None
        from optimizer.cli._group import with_shared_options

        module = importlib.import_module(f"optimizer.cli.{_PREFIX}{name.replace('-', '_')}")
        found: click.Command = module.command
        return with_shared_options(found)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does it, naming the nearest question for a misspelt one."""
        name = args[0]
        if not name.startswith("-") and name not in self.list_commands(ctx) and not ctx.resilient_parsing:
            raise click.UsageError(f"no question {name!r}: {nearest(name, self.list_commands(ctx))}", ctx)
        return super().resolve_command(ctx, args)


command = Questions(name="explain", help="Explain an answer: why there is none, what binds, why not something else.")
command.short_help = "Why there is no design, which limits bind, why not something else."
