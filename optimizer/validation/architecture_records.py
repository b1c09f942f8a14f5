"""Reader of reference architectures: documents with ``cases``, one row per checkable count."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from optimizer.validation.records import Outcome, Row, Skipped
from optimizer.validation.reference_architectures import evaluate_case, rack_rows


def reads(document: Mapping[str, Any]) -> bool:
    """A document with a list of cases."""
    return isinstance(document.get("cases"), list)


def _nothing_checkable(case: Mapping[str, Any]) -> str:
    """Why a record gives no rows; what a rack record publishes is judged here all the same."""
    said = [
        f"{row.metric}: {row.published} published, {row.predicted} derived, {row.status.value}"
        + (f" ({row.note})" if row.note else "")
        for row in rack_rows(case)
    ]
    return "; ".join(["no checkable count", *said])


def evaluate(document: Mapping[str, Any]) -> Outcome:
    """Every case; one with nothing to check is skipped with that reason."""
    rows: list[Row] = []
    skipped: list[Skipped] = []
    for case in document["cases"]:
        if not isinstance(case, Mapping):
            skipped.append(Skipped("", "not a record"))
            continue
        try:
            found = evaluate_case(case)
        except OverflowError:
            skipped.append(Skipped(str(case.get("id", "")), "a figure beyond any that occurs"))
            continue
        if not found:
            skipped.append(Skipped(str(case.get("id", "")), _nothing_checkable(case)))
        rows += found
    return Outcome(tuple(rows), tuple(skipped))
