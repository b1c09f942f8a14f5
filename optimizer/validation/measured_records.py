"""Reader of measured figures: documents with ``rows``, each handed to the kind that claims it.

A kind is a module of ``optimizer.validation.kinds`` with ``claims(record) -> bool`` and
``evaluate(record, lookup) -> Iterable[Row]``, which raises ``SkipRecord`` with a reason where the model does not cover a record.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from models.errors import OptimizerError
from optimizer.validation import coverage, plausible
from optimizer.validation.lookup import shipped_lookup
from optimizer.validation.records import Outcome, Row, Skipped, SkipRecord


def reads(document: Mapping[str, Any]) -> bool:
    """A document with a list of rows."""
    return isinstance(document.get("rows"), list)


@cache
def kinds() -> tuple[Any, ...]:
    """Every kind of record, by name of its module."""
    import optimizer.validation.kinds as package

    names = sorted(info.name for info in pkgutil.iter_modules(package.__path__))
    return tuple(importlib.import_module(f"{package.__name__}.{name}") for name in names)


def evaluate(document: Mapping[str, Any]) -> Outcome:
    """Every row; a record that no kind claims, or that a kind does not cover, is skipped with the reason."""
    lookup = shipped_lookup()
    rows: list[Row] = []
    skipped: list[Skipped] = []
    for record in document["rows"]:
        if not isinstance(record, Mapping):
            skipped.append(Skipped("", "not a record"))
            continue
        name = str(record.get("id", ""))
        kind = next((one for one in kinds() if one.claims(record)), None)
        if kind is None:
            skipped.append(Skipped(name, f"no model claims a record with these fields: {', '.join(map(str, record))}"))
            continue
        try:
            plausible.check(record)
            if "node_mean_w" not in record:
                coverage.check(record)
            record, changed = lookup.corrected(record)
            found = tuple(kind.evaluate(record, lookup))
        except SkipRecord as reason:
            skipped.append(Skipped(name, str(reason)))
        except OptimizerError as error:
            skipped.append(Skipped(name, str(error)))
        except KeyError as error:
            skipped.append(Skipped(name, f"the record prints no {error.args[0]}"))
        except (TypeError, ValueError, ArithmeticError) as error:
            skipped.append(Skipped(name, f"a field has no usable value: {type(error).__name__}: {error}"))
        else:
            rows += [replace(row, note="; ".join(filter(None, (row.note, changed)))) for row in found]
            if not found:
                skipped.append(Skipped(name, "nothing in this record can be predicted"))
    return Outcome(tuple(rows), tuple(skipped))
