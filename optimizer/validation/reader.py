"""Reads record files and hands each to the reader that knows its format; readers are found by looking in this folder.

A reader is a module of this package with two functions:

    reads(document: Mapping[str, Any]) -> bool         is this a document of my format?
    evaluate(document: Mapping[str, Any]) -> Outcome   rows and skipped records, ``file`` left empty
"""

from __future__ import annotations

import importlib
import math
import pkgutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from models.errors import UsageError
from optimizer.validation.records import GroupSummary, Outcome, Row, RowStatus, Skipped, summarise

GREATEST = 1e30


class Reader(Protocol):
    """The two functions a reader module has."""

    __name__: str

    def reads(self, document: Mapping[str, Any]) -> bool:
        """Whether the document has this reader's format."""
        ...

    def evaluate(self, document: Mapping[str, Any]) -> Outcome:
        """Every record of the document, evaluated or skipped."""
        ...


@dataclass(frozen=True, slots=True)
class Report:
    """All files together."""

    rows: tuple[Row, ...]
    groups: tuple[GroupSummary, ...]
    skipped: tuple[Skipped, ...]

    def as_dict(self) -> dict[str, Any]:
        """The ``data`` of the JSON document."""
        return {
            "rows": [row.as_dict() for row in self.rows],
            "groups": [group.as_dict() for group in self.groups],
            "skipped": [{"file": s.file, "id": s.id, "reason": s.reason} for s in self.skipped],
        }


def readers() -> tuple[Reader, ...]:
    """Every reader of this package, by name of its module."""
    import optimizer.validation as package

    found = []
    for info in pkgutil.iter_modules(package.__path__):
        if info.ispkg:
            continue
        module: Any = importlib.import_module(f"{package.__name__}.{info.name}")
        if callable(getattr(module, "reads", None)) and callable(getattr(module, "evaluate", None)):
            found.append(module)
    return tuple(found)


def load(path: Path) -> Mapping[str, Any]:
    """A record file as plain values, a bare list counting as its rows; UsageError when it cannot be read or holds neither."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        content = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise UsageError(f"{path} cannot be read: {reason}") from error
    except (YAMLError, RecursionError, ValueError) as error:
        raise UsageError(f"{path} is not YAML: {str(error).splitlines()[0]}") from error
    content = _figures(content)
    if isinstance(content, list):
        return {"rows": content}
    if not isinstance(content, Mapping):
        raise UsageError(f"{path} holds no records: expected a mapping with 'rows' or 'cases'")
    return content


def _figures(node: Any) -> Any:
    """The same values without what is no figure: NaN and numbers beyond any that occur count as absent."""
    if isinstance(node, Mapping):
        return {key: _figures(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_figures(value) for value in node]
    if isinstance(node, int | float) and not isinstance(node, bool):
        if not abs(node) <= GREATEST:
            return None
        return float(node) if isinstance(node, int) and abs(node) >= 1 << 53 else node
    return node


def _finite(row: Row) -> Row:
    """The row; where it holds what no JSON document does, one without a comparison."""
    if _is_finite(row.published) and _is_finite(row.predicted) and _is_finite(row.error):
        return row
    published = row.published if _is_finite(row.published) else None
    return replace(
        row, predicted=None, published=published, error=None, status=RowStatus.INFO, note="no finite figures to compare"
    )


def _is_finite(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(_is_finite(item) for item in value.values())
    if isinstance(value, list | tuple):
        return all(_is_finite(item) for item in value)
    return not isinstance(value, float) or math.isfinite(value)


def validate(paths: Sequence[Path]) -> Report:
    """Every record of every file; a file no reader knows is listed as skipped, and a UsageError when there is no other."""
    documents = [(path, load(path)) for path in paths]
    known = readers()
    rows: list[Row] = []
    skipped: list[Skipped] = []
    for path, document in documents:
        reader = next((one for one in known if one.reads(document)), None)
        if reader is None:
            reason = f"no reader for this format; top-level keys are {', '.join(map(str, document))}"
            if len(documents) == 1:
                raise UsageError(f"{path}: {reason}")
            skipped.append(Skipped("", reason, str(path)))
            continue
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            outcome = reader.evaluate(document)
        rows += [replace(_finite(row), file=str(path)) for row in outcome.rows]
        skipped += [replace(one, file=str(path)) for one in outcome.skipped]
    return Report(tuple(rows), summarise(rows), tuple(skipped))
