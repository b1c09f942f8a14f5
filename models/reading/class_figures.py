"""What an instance leaves out and the catalogue knows of a whole class of things is read from there, with who says so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from models.catalogue import Catalogue
from models.parts.class_figure import ClassFigure

STATED = "assumptions"
BY_ITSELF = ("components",)
"""Records that need not be written to have what they hold."""
ONLY_BESIDE = {"overload": "topology"}
"""Fields that belong to one way of writing a record: it is the key beside them that says so."""


def with_class_figures(
    written: Mapping[str, Any], catalogue: Catalogue, origins: Mapping[str, str]
) -> tuple[dict[str, Any], dict[str, str]]:
    """The document with the figures it leaves out, and where each value stands; the document itself stays as it is.

    A stated figure says that the catalogue is its owner, and source and confidence are its reason.
    """
    document, places = _copied(written), dict(origins)
    for row in catalogue.of(ClassFigure).values():
        *way, name = row.field.split(".")
        if way[0] in BY_ITSELF and document.get(way[0]) is None:
            document[way[0]] = {}
        for path, record in list(_records(document, way, "")):
            beside = ONLY_BESIDE.get(name)
            if record.get(name) is not None or (beside is not None and record.get(beside) is None):
                continue
            record[name] = _as_written(row)
            places[f"{path}{name}"] = catalogue.origin(row, "value")
    return document, places


def _as_written(row: ClassFigure) -> Any:
    value = _scalar(row.value)
    if not row.field.startswith(f"{STATED}."):
        return value
    return {"value": value, "owner": "the catalogue", "reason": f"{row.source} ({row.confidence.value})"}


def _scalar(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _records(node: Any, way: list[str], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every mapping at the end of a way through mappings and lists, with its dotted path."""
    if not way:
        if isinstance(node, dict):
            yield path, node
        return
    entries = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, entry in entries:
        if way[0] in ("*", str(key)):
            yield from _records(entry, way[1:], f"{path}{key}.")


def _copied(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copied(item) for key, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value
