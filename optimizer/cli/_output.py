"""What goes to stdout: one JSON document or one table; and to stderr: notes a person may want."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click

ERROR_SCHEMA = "refarch/error/1"


def json_option(function: Any) -> Any:
    """The ``--json`` option, passed to the command as ``as_json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")(function)


def document(command: str, data: Any, status: str = "complete") -> str:
    """The JSON document of ``command``: its schema's name and version, status and data. NaN and infinity are refused."""
    return json.dumps(
        {"schema": f"refarch/{command}/1", "status": status, "data": data}, indent=2, allow_nan=False, default=_plain
    )


def error_document(code: str, message: str, problems: Sequence[Mapping[str, str]] = (), status: str = "error") -> str:
    """The JSON document of an error; ``status`` is ``infeasible`` for a proof that there is nothing to find, ``partial`` where time ended first."""
    error = {"code": code, "message": message, "problems": list(problems)}
    return json.dumps({"schema": ERROR_SCHEMA, "status": status, "error": error}, indent=2)


def print_json(command: str, data: Any, status: str = "complete") -> None:
    """Print the JSON document of ``command`` to stdout."""
    click.echo(document(command, data, status))


def print_table(
    rows: Iterable[Sequence[Any]], columns: Sequence[str], *, title: str = "", right: Iterable[str] = ()
) -> None:
    """Print a table to stdout: ``columns`` are its headings, those in ``right`` flush right, None shows as a dash.

    Fitted to the terminal; as wide as its content needs, one row a line, when stdout is no terminal.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    on_terminal = sys.stdout is not None and sys.stdout.isatty()
    table = Table(box=None, pad_edge=False, header_style="bold", title=title or None, title_justify="left")
    flush_right = frozenset(right)
    for name in columns:
        table.add_column(name, justify="right" if name in flush_right else "left", no_wrap=not on_terminal)
    for row in rows:
        table.add_row(*(Text("-" if cell is None else str(cell)) for cell in row))
    console = Console(file=sys.stdout, highlight=False, soft_wrap=False, width=None if on_terminal else 10_000)
    if on_terminal:
        console.print(table)
        return
    with console.capture() as captured:
        console.print(table)
    click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()))


def note(text: str) -> None:
    """Print a line to stderr unless ``-q`` was given."""
    context = click.get_current_context(silent=True)
    if context is None or not context.meta.get("optimizer.quiet"):
        click.echo(text, err=True)


def _plain(value: Any) -> Any:
    """Values JSON does not know: numpy scalars and arrays, enums, sets, paths."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, set | frozenset):
        return sorted(value)
    return str(getattr(value, "value", value))
