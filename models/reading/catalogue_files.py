"""Catalogue CSV files: one per part type; later folders override rows by id, cell by cell where they fill one."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from models import units
from models.catalogue import Catalogue, part_types
from models.errors import Problem, UsageError, nearest
from models.parts.part import Part
from models.physics.performance.constants import FILE_NAME, from_document
from models.reading.restated import restated
from models.reading.schema_errors import words_of

Cells = dict[str, str]
Places = dict[tuple[str, str, str], str]


def read_catalogue(folders: Sequence[Path], problems: list[Problem]) -> Catalogue:
    """Every part of every folder, in order; problems are appended, and rows that have one are left out."""
    tables: dict[str, dict[str, Cells]] = {}
    places: Places = {}
    known = {part_type.file: part_type for part_type in part_types()}
    for folder in folders:
        files = sorted(folder.glob("*.csv"))
        if not files:
            problems.append(Problem("catalogue-empty", str(folder), "no CSV file in this catalogue folder"))
        for path in files:
            if path.name not in known:
                problems.append(
                    Problem(
                        "catalogue-file", str(path), "no part type of this name", hint=nearest(path.name, list(known))
                    )
                )
                continue
            _read_table(path, known[path.name], tables.setdefault(path.name, {}), places, problems)
    parts = {t: _parts(t, tables.get(t.file, {}), places, problems) for t in part_types()}
    frozen = {name: {key: dict(row) for key, row in table.items()} for name, table in tables.items()}
    constants = _constants(folders, problems)
    return Catalogue(MappingProxyType(parts), MappingProxyType(frozen), MappingProxyType(places), constants)


def _constants(folders: Sequence[Path], problems: list[Problem]) -> Mapping[str, Any]:
    """The constants of the throughput models: the document of the last folder that has one."""
    found: Mapping[str, Any] = MappingProxyType({})
    for folder in folders:
        path = folder / FILE_NAME
        if not path.is_file():
            continue
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            from_document(document)
            found = MappingProxyType(document)
        except (OSError, ValueError, AttributeError, UsageError) as error:
            problems.append(Problem("constants", str(path), str(error), "a document of constants, as the shipped one"))
    return found


def _lines(path: Path, problems: list[Problem]) -> list[tuple[int, list[str]]] | None:
    """Line number and cells of each line that has any text, the header first; None where the file cannot be read."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        return [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        problems.append(Problem("unreadable", str(path), f"cannot be read: {reason}"))
    except csv.Error as error:
        problems.append(Problem("csv-syntax", f"{path}:{reader.line_num}", str(error)))
    return None


def _header(path: Path, header: list[str], part_type: type[Part]) -> list[Problem]:
    """What is wrong with the names of the columns."""
    if not header:
        return [Problem("catalogue-empty", f"{path}:1", "an empty file", "a header line and rows")]
    valid = part_type.columns()
    if len(header) == 1 and (sign := next((sign for sign in ";\t|" if sign in header[0]), None)):
        found_text = f"columns separated by {sign!r}"
        return [Problem("separator", f"{path}:1", found_text, "commas between columns, and points in numbers")]
    found = [
        Problem("unknown-column", f"{path}:1", f"column {name!r}", hint=nearest(name, list(valid)))
        for name in header
        if name not in valid
    ]
    twice = sorted({name for name in header if header.count(name) > 1})
    found.extend(Problem("duplicate-column", f"{path}:1", f"column {name!r}") for name in twice)
    if "id" not in header:
        found.append(Problem("missing-column", f"{path}:1", "no column 'id'", "a header line with the column id"))
    return found


def _read_table(
    path: Path, part_type: type[Part], table: dict[str, Cells], places: Places, problems: list[Problem]
) -> None:
    lines = _lines(path, problems)
    if lines is None:
        return
    header = [name.strip() for name in lines[0][1]] if lines else []
    wrong = _header(path, header, part_type)
    problems.extend(wrong)
    if wrong:
        return
    here: set[str] = set()
    for number, cells in lines[1:]:
        where = f"{path}:{number}"
        if len(cells) != len(header):
            problems.append(Problem("row-length", where, f"{len(cells)} cells", f"{len(header)}, as in the header"))
            continue
        row = {name: cell.strip() for name, cell in zip(header, cells, strict=True)}
        key = row["id"]
        if not key or key in here:
            problems.append(Problem("duplicate-id" if key else "missing-id", where, f"id {key!r}"))
            continue
        here.add(key)
        merged = table.setdefault(key, {})
        for name, cell in {**row, **restated(merged, row, path)}.items():
            if cell or name not in merged:
                merged[name] = cell
                places[part_type.file, key, name] = where
    if len(lines) == 1:
        problems.append(Problem("catalogue-empty", f"{path}:1", "no rows below the header"))


def _parts(part_type: type[Part], table: dict[str, Cells], places: Places, problems: list[Problem]) -> dict[str, Part]:
    found: dict[str, Part] = {}
    columns = part_type.columns()
    for key, cells in table.items():
        data: dict[str, Any] = {}
        bad = False
        for name, cell in cells.items():
            if not cell:
                continue
            try:
                data[columns[name]] = _value(part_type, columns[name], cell)
            except ValueError as error:
                bad = True
                problems.append(Problem("cell", places[part_type.file, key, name], f"{key}.{name}: {error}"))
        if bad:
            continue
        try:
            found[key] = part_type.model_validate(data)
        except ValidationError as error:
            problems.extend(_row_problems(error, part_type, key, places))
    return found


def _value(part_type: type[Part], name: str, cell: str) -> Any:
    """A cell as the schema takes it: lists split at semicolons, numbers converted to the canonical unit."""
    annotation = str(part_type.model_fields[name].annotation)
    if annotation.startswith("tuple"):
        return tuple(item.strip() for item in cell.split(";") if item.strip())
    if annotation == "<class 'bool'>":
        if cell.lower() not in ("true", "false"):
            raise ValueError(f"{cell!r} is neither True nor False")
        return cell.lower() == "true"
    unit = part_type.unit_of(name)
    if unit is None:
        return cell
    try:
        number = float(cell)
    except ValueError:
        raise ValueError(f"{cell!r} is no number (the column's unit is {unit or 'none'})") from None
    return units.Canonical(units.convert(number, unit, _canonical(part_type, name)))


def _canonical(part_type: type[Part], name: str) -> units.Unit:
    info = part_type.model_fields[name]
    for item in (*info.metadata, *_nested_metadata(info.annotation)):
        if isinstance(item, units.Unit):
            return item
    raise TypeError(f"{part_type.__name__}.{name} has a column unit but no unit type")


def _nested_metadata(annotation: Any) -> tuple[Any, ...]:
    import typing

    return tuple(item for argument in typing.get_args(annotation) for item in getattr(argument, "__metadata__", ()))


def _row_problems(error: ValidationError, part_type: type[Part], key: str, places: Places) -> list[Problem]:
    found = []
    for item in error.errors():
        steps = [str(step) for step in item["loc"]]
        name = part_type.column_of(steps[0]) if steps and steps[0] in part_type.model_fields else ""
        where = places.get((part_type.file, key, name)) or places[part_type.file, key, "id"]
        place = f"{key}{'.' + name if name else ''}"
        if item["type"] == "missing":
            found.append(Problem("missing-cell", where, f"{place} is empty", "a value, as the part has no other row"))
        else:
            message, expected = words_of(item)
            found.append(Problem("cell", where, f"{place}: {message}", expected))
    return found
