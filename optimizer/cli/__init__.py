"""The command line: one file per command, found by looking in this folder."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from typing import NoReturn

import click

from models.errors import InstanceError, OptimizerError


def discover() -> dict[str, click.Command]:
    """Every command of this folder by name. Each file exports ``command``; files that begin with an underscore do not."""
    found: dict[str, click.Command] = {}
    for module in pkgutil.iter_modules(__path__):
        if module.name.startswith("_"):
            continue
        command = importlib.import_module(f"{__name__}.{module.name}").command
        found[command.name] = command
    return found


class _Commands(click.Group):
    """Commands in their folder's order."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(self.commands)


def build() -> click.Group:
    """The whole command line as one click group."""
    return _Commands(
        name="optimizer",
        commands=discover(),
        help="Exact design-space exploration for AI racks and clusters.",
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def main() -> NoReturn:
    """Entry point of the console script."""
    group = build()
    try:
        group.main(prog_name="optimizer", standalone_mode=False)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except InstanceError as error:
        click.echo(str(error), err=True)
        sys.exit(error.exit_code)
    except OptimizerError as error:
        click.echo(f"{error.code}: {error}", err=True)
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(130)
    sys.exit(0)
