"""Throughput that an instance takes from a file or a function: read once, and kept with the instance.

A table is a CSV file; its header names each column with its unit: ``system``, ``accelerators``, ``network [Gbit/s]`` per accelerator,
``throughput [token/s]``, and optionally ``band [%]``, ``role`` and ``share [%]`` of the global batch. Its lines become part of the document, each with its place.
"""

from __future__ import annotations

import csv
import hashlib
import importlib
import io
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from models.errors import Problem, nearest

REQUIRED = ("system", "accelerators", "network", "throughput")
OPTIONAL = ("band", "role", "share")
WITH_UNIT = ("network", "throughput")
_HEAD = re.compile(r"(?P<name>[a-z_]+)(?:\s*\[(?P<unit>[^\]]*)\])?")


def resolve_given(merged: dict[str, Any], origins: dict[str, str]) -> Iterator[Problem]:
    """Reads the tables and finds the functions that workloads name; rows and digests are added to the document."""
    workloads = merged.get("workloads")
    for name, workload in workloads.items() if isinstance(workloads, dict) else ():
        given = workload.get("throughput") if isinstance(workload, dict) else None
        if not isinstance(given, dict):
            continue
        path = f"workloads.{name}.throughput"
        if isinstance(given.get("table"), str) and "rows" not in given:
            yield from _read(given, path, origins)
        if isinstance(given.get("callable"), str):
            yield from _find(given, path, origins)


def _read(given: dict[str, Any], path: str, origins: dict[str, str]) -> Iterator[Problem]:
    where = origins.get(f"{path}.table", "instance:1")
    stated_in = Path(where.rpartition(":")[0])
    file = stated_in.parent / given["table"]
    try:
        text = file.read_text(encoding="utf-8-sig")
        lines = [(n, cells) for n, cells in _lines(text) if any(cell.strip() for cell in cells)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        yield Problem(
            "table", where, f"{path}.table: {file} cannot be read: {reason}", "a CSV file beside the instance"
        )
        return
    if len(lines) < 2:
        yield Problem("table", f"{file}:1", "no lines of results", f"a header and lines: {', '.join(REQUIRED)}")
        return
    header, problems = _header(lines[0][1], f"{file}:{lines[0][0]}")
    yield from problems
    if problems:
        return
    rows: list[dict[str, Any]] = []
    for number, cells in lines[1:]:
        if len(cells) != len(header):
            yield Problem("row-length", f"{file}:{number}", f"{len(cells)} cells", f"{len(header)}, as in the header")
            continue
        here = f"{path}.rows.{len(rows)}"
        origins[here] = f"{file}:{number}"
        row: dict[str, Any] = {}
        for (name, unit), cell in zip(header, cells, strict=True):
            if cell.strip():
                row[name] = _value(name, unit, cell.strip())
                origins[f"{here}.{name}"] = f"{file}:{number}"
        rows.append(row)
    given["rows"] = rows
    origins[f"{path}.rows"] = str(file) + ":1"


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    for cells in reader:
        yield reader.line_num, cells


def _header(cells: list[str], where: str) -> tuple[list[tuple[str, str]], list[Problem]]:
    """Name and unit of every column, and what is wrong with them."""
    columns: list[tuple[str, str]] = []
    problems: list[Problem] = []
    for cell in cells:
        match = _HEAD.fullmatch(cell.strip())
        name, unit = (match["name"], match["unit"] or "") if match else (cell.strip(), "")
        if name not in REQUIRED + OPTIONAL:
            hint = nearest(name, list(REQUIRED + OPTIONAL))
            problems.append(Problem("unknown-column", where, f"column {cell.strip()!r}", hint=hint))
        elif name in WITH_UNIT and not unit:
            example = "network [Gbit/s]" if name == "network" else "throughput [token/s]"
            problems.append(
                Problem("unit-missing", where, f"column {name!r} has no unit", f"it in brackets, as in {example}")
            )
        elif name in (known for known, _ in columns):
            problems.append(Problem("duplicate-column", where, f"column {name!r}"))
        columns.append((name, unit))
    missing = [name for name in REQUIRED if name not in (known for known, _ in columns)]
    if missing and not problems:
        problems.append(Problem("missing-column", where, f"no column {missing[0]!r}", f"columns {', '.join(REQUIRED)}"))
    return columns, problems


def _value(name: str, unit: str, cell: str) -> Any:
    """A cell as the schema reads it: text with its unit, a whole number, or a fraction."""
    if name in ("system", "role"):
        return cell
    if name in ("band", "share") and not unit:
        return _number(cell)
    return _number(cell) if name == "accelerators" else f"{cell} {unit}"


def _number(cell: str) -> Any:
    for kind in (int, float):
        try:
            return kind(cell)
        except ValueError:
            continue
    return cell


def _find(given: dict[str, Any], path: str, origins: Mapping[str, str]) -> Iterator[Problem]:
    where = origins.get(f"{path}.callable", "instance:1")
    try:
        digest = source_digest(given["callable"])
    except (ImportError, AttributeError, ValueError, TypeError, OSError) as error:
        yield Problem(
            "callable",
            where,
            f"{path}.callable: {given['callable']!r} cannot be used: {error}",
            "package.module:function that Python can import",
            "install its package, or name its folder in PYTHONPATH",
        )
        return
    if given.setdefault("digest", digest) != digest:
        yield Problem(
            "callable-changed",
            where,
            f"{path}.callable: {given['callable']} is not what these inputs were made with",
            f"source with hash {given['digest'][:12]}, not {digest[:12]}",
        )


def find_callable(name: str) -> Callable[..., Any]:
    """The function ``package.module:function`` names; ImportError, AttributeError, ValueError or TypeError where it names none."""
    module, colon, function = name.partition(":")
    if not colon or not module or not function:
        raise ValueError("expected package.module:function")
    found = getattr(importlib.import_module(module), function)
    if not callable(found):
        raise TypeError(f"{function} is no function")
    return found  # type: ignore[no-any-return]


def source_digest(name: str) -> str:
    """Hash of the file that defines a function, so that a run knows what it was computed with."""
    found = find_callable(name)
    file = getattr(importlib.import_module(found.__module__), "__file__", None)
    if file is None:
        raise ValueError("it stands in no file")
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()
