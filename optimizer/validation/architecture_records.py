"""Reader of reference architectures: documents with ``cases``, one row per checkable count."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optimizer.validation.records import Outcome, Row, RowStatus, Skipped
from optimizer.validation.reference_architectures import context_rows, evaluate_case


def reads(document: Mapping[str, Any]) -> bool:
    """A document with cases, or a bare list of records that name a topology."""
    if "cases" in document:
        return True
    rows = document.get("rows")
    return isinstance(rows, list) and any(isinstance(row, Mapping) and "topology" in row for row in rows)


def _nothing_checkable(case: Mapping[str, Any]) -> str:
    """Why a record gives no rows; what it publishes is judged here all the same."""
    rows = context_rows(case)
    said = [
        f"{row.metric}: {row.published} published, {row.predicted} derived, {row.status.value}"
        + (f" ({row.note})" if row.note else "")
        for row in rows
        if row.status is not RowStatus.INFO
    ]
    rest = [row.metric for row in rows if row.status is RowStatus.INFO]
    if rest:
        said.append(f"{', '.join(rest)}: not derivable from the inputs")
    return "; ".join(["no checkable count", *said])


def _cases(document: Mapping[str, Any]) -> list[Any]:
    """The records: a list, or a mapping from their ids."""
    cases = document.get("cases", document.get("rows"))
    if isinstance(cases, Mapping):
        return [{"id": name, **case} if isinstance(case, Mapping) else case for name, case in cases.items()]
    return list(cases) if isinstance(cases, list) else []


def evaluate(document: Mapping[str, Any]) -> Outcome:
    """Every case; one with nothing to check is skipped with that reason."""
    rows: list[Row] = []
    skipped: list[Skipped] = []
    cases = _cases(document)
    if not cases:
        skipped.append(Skipped("", "'cases' holds no records"))
    for place, case in enumerate(cases, start=1):
        if not isinstance(case, Mapping):
            skipped.append(Skipped("", f"record {place} is no mapping of fields"))
            continue
        if "family" not in case and document.get("family") is not None:
            case = {**case, "family": document["family"]}
        name = str(case.get("id") or f"record {place}")
        try:
            found = evaluate_case({**case, "id": name})
            if not found:
                skipped.append(Skipped(name, _nothing_checkable(case)))
        except OverflowError:
            skipped.append(Skipped(name, "a figure beyond any that occurs"))
            continue
        rows += found
    return Outcome(tuple(rows), tuple(skipped))
