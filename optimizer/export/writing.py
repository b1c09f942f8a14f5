"""Formats of the Pareto table: one file each in ``formats``, found by looking, with the packages each needs."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from models.errors import MissingExtraError, UsageError, nearest
from optimizer.export import formats
from optimizer.export.pareto_table import ParetoTable


@dataclass(frozen=True)
class Format:
    """A way to write the table: ``render`` gives the bytes of one file; ``text`` formats may go to a terminal."""

    name: str
    suffix: str
    text: bool
    needs: tuple[str, ...]
    render: Callable[[ParetoTable], bytes]


def format_names() -> tuple[str, ...]:
    """Every format, found in its folder."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(formats.__path__)))


def find_format(name: str) -> Format:
    """A format by name; UsageError naming the nearest, or the command that installs what is missing."""
    if name not in format_names():
        raise UsageError(f"no format {name!r}: {nearest(name, list(format_names()))}")
    found: Format = importlib.import_module(f"optimizer.export.formats.{name}").FORMAT
    missing = [package for package in found.needs if importlib.util.find_spec(package) is None]
    if missing:
        raise MissingExtraError(", ".join(missing), "report", f"format {name}")
    return found


def write(table: ParetoTable, name: str, path: str | Path) -> Path:
    """The table in a format, to ``path``, the file whole or not at all."""
    from optimizer.whole_file import write_bytes

    content = find_format(name).render(table)
    write_bytes(Path(path), content)
    return Path(path)
