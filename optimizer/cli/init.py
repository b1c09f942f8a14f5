"""``optimizer init``: a commented instance file to start from."""

from __future__ import annotations

import os
import re
from pathlib import Path

import click

from models.errors import UsageError
from optimizer.cli._output import json_option, note, print_json

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_TEMPLATE = Path(__file__).with_name("starter.yaml")


@click.command("init", short_help="Write a commented instance file to start from.")
@click.argument("name")
@json_option
def command(name: str, as_json: bool) -> None:
    """Write NAME.yaml, a small case with every field explained. An existing file is never overwritten."""
    path = Path(name) if name.endswith((".yaml", ".yml")) else Path(f"{name}.yaml")
    if not _NAME.fullmatch(path.stem):
        raise UsageError(f"{path.stem!r} is no name for an instance: letters, digits, dot, dash and underscore")
    write_new(path, _TEMPLATE.read_text(encoding="utf-8").replace("{name}", path.stem))
    if as_json:
        print_json("init", {"path": str(path)})
    else:
        click.echo(f"wrote {path}")
        note(f"next: optimizer check {path}")


def write_new(path: Path, text: str) -> None:
    """Write a file that does not exist yet, whole or not at all.

    UsageError when it exists or its folder does not; OSError when it cannot be written.
    """
    if not path.parent.is_dir():
        raise UsageError(f"no folder {path.parent}")
    try:
        # Exclusive creation: two runs at once cannot both believe that the file is theirs.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    except FileExistsError:
        raise UsageError(f"{path} exists and is not overwritten") from None
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        path.unlink(missing_ok=True)
        error.filename = error.filename or str(path)
        raise
