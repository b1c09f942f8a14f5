"""What two runs were computed from, compared cell by cell, and instances between them: the first with some cells of the second."""

from __future__ import annotations

import csv
import json
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.instance import Instance
from models.loading import load_resolved
from models.physics.performance.constants import FILE_NAME
from optimizer.explain.groups import plain

CONSTANTS = f"catalogue.{FILE_NAME}"


@dataclass(frozen=True)
class InputChange:
    """One cell: a dotted path of the instance, or ``catalogue.FILE.ROW.COLUMN``; None where one side does not have it.

    ``where``: file and line of the second run's value, of the first's where it is gone. ``group``: what it belongs to.
    """

    path: str
    before: Any
    after: Any
    where: str
    group: str

    def as_dict(self) -> dict[str, Any]:
        """Plain fields, for JSON."""
        return {"path": self.path, "before": self.before, "after": self.after, "where": self.where, "group": self.group}


def changed_inputs(first: Instance, second: Instance) -> tuple[InputChange, ...]:
    """Every cell in which two instances differ, the instance's own first."""
    before, after = dict(_leaves(first.raw)), dict(_leaves(second.raw))
    found = []
    for path in sorted({*before, *after}):
        if before.get(path) != after.get(path):
            where = (second if path in after else first).origin(path)
            found.append(InputChange(path, before.get(path), after.get(path), where, _group(path)))
    found.extend(_catalogue_changes(first, second))
    old, new = dict(_leaves(first.catalogue.constants)), dict(_leaves(second.catalogue.constants))
    found.extend(
        InputChange(f"{CONSTANTS}.{path}", old.get(path), new.get(path), FILE_NAME, CONSTANTS)
        for path in sorted({*old, *new})
        if old.get(path) != new.get(path)
    )
    return tuple(found)


def _leaves(node: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Values by path; a mapping that states one value (with owner and reason) is taken apart like any other."""
    for key, value in node.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


_ABOUT = ("owner", "reason", "label", "title", "description", "name")


def _group(path: str) -> str:
    """What a change is named after in a split: the stated field, without ``value`` and its like."""
    steps = path.split(".")
    return ".".join(steps[:-1]) if steps[-1] in ("value", *_ABOUT) and len(steps) > 1 else path


def matters(change: InputChange) -> bool:
    """False for what no figure depends on: names, owners, reasons, sources."""
    last = change.path.rpartition(".")[2]
    return last not in (*_ABOUT, "source", "confidence", "fields_unverified", "vendor_note")


def _catalogue_changes(first: Instance, second: Instance) -> Iterator[InputChange]:
    for file in sorted({*first.catalogue.rows, *second.catalogue.rows}):
        mine, theirs = first.catalogue.rows.get(file, {}), second.catalogue.rows.get(file, {})
        for row in sorted({*mine, *theirs}):
            old, new = mine.get(row, {}), theirs.get(row, {})
            for column in dict.fromkeys((*old, *new)):
                if old.get(column, "") != new.get(column, ""):
                    owner = second if column in new else first
                    where = owner.catalogue.origins.get((file, row, column), file)
                    yield InputChange(
                        f"catalogue.{file}.{row}.{column}",
                        old.get(column) or None,
                        new.get(column) or None,
                        where,
                        f"catalogue.{file}.{row}",
                    )


class Between:
    """Instances between two: the first with the changes of some groups from the second."""

    def __init__(self, first: Instance, second: Instance, changes: Sequence[InputChange]) -> None:
        self._first, self._second = first, second
        self._changes = tuple(changes)

    def at(self, groups: Collection[str]) -> Instance:
        """The first instance with every change of ``groups`` made. Raises InstanceError where that is no valid instance."""
        chosen = [c for c in self._changes if c.group in set(groups)]
        if not chosen:
            return self._first
        if len(chosen) == len(self._changes):
            return self._second
        raw = _copy(self._first.raw)
        rows = {
            name: {key: dict(row) for key, row in table.items()} for name, table in self._first.catalogue.rows.items()
        }
        for change in chosen:
            if change.group == CONSTANTS:
                continue
            if change.path.startswith("catalogue."):
                self._catalogue_cell(rows, change)
            else:
                _put(raw, change.path.split("."), change.after)
        with tempfile.TemporaryDirectory() as folder:
            _write_rows(Path(folder), rows)
            newer = any(change.group == CONSTANTS for change in chosen)
            constants = (self._second if newer else self._first).catalogue.constants
            (Path(folder) / FILE_NAME).write_text(json.dumps(dict(constants)), encoding="utf-8")
            return load_resolved(raw, [Path(folder)], self._second.origins)

    def _catalogue_cell(self, rows: dict[str, dict[str, dict[str, str]]], change: InputChange) -> None:
        _, rest = change.path.split(".", 1)
        file = next(name for name in {*rows, *self._second.catalogue.rows} if rest.startswith(f"{name}."))
        row = change.group.removeprefix(f"catalogue.{file}.")
        column = change.path.removeprefix(f"{change.group}.")
        if row not in self._second.catalogue.rows.get(file, {}):
            rows[file].pop(row, None)
        else:
            rows.setdefault(file, {}).setdefault(row, {})[column] = str(change.after or "")


def _copy(node: Any) -> Any:
    if isinstance(node, Mapping):
        return {key: _copy(value) for key, value in node.items()}
    return list(node) if isinstance(node, list) else node


def _put(node: dict[str, Any], steps: list[str], value: Any) -> None:
    for step in steps[:-1]:
        inner = node.get(step)
        if not isinstance(inner, dict):
            node[step] = inner = {}
        node = inner
    if value is None:
        node.pop(steps[-1], None)
    else:
        node[steps[-1]] = value


def _write_rows(folder: Path, tables: Mapping[str, Mapping[str, Mapping[str, str]]]) -> None:
    for name, table in tables.items():
        columns = list(dict.fromkeys(key for row in table.values() for key in row))
        with (folder / name).open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows([[row.get(c, "") for c in columns] for row in table.values()])


def shown(value: Any) -> str:
    """A cell in one line; a dash where there is none."""
    return "-" if value is None else plain(value)
