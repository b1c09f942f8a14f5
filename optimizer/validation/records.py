"""What a validation says: one row per published figure, what was skipped and why, and a summary per group."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class RowStatus(StrEnum):
    """``match``: within the model's band (or equal, for counts); ``info``: shown, not judged."""

    MATCH = "match"
    MISMATCH = "mismatch"
    FLAGGED = "flagged"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Row:
    """One published figure beside ours; ``error`` is signed and relative, ``binding`` the term that limits."""

    id: str
    group: str
    metric: str
    predicted: Any
    published: Any
    error: float | None
    status: RowStatus
    binding: str | None = None
    note: str = ""
    file: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        names = ("file", "id", "group", "metric", "predicted", "published", "error")
        plain = {name: getattr(self, name) for name in names}
        return plain | {"status": self.status.value, "binding": self.binding, "note": self.note}


@dataclass(frozen=True, slots=True)
class Skipped:
    """A record the model does not evaluate, with the reason."""

    id: str
    reason: str
    file: str = ""


class SkipRecord(Exception):  # noqa: N818
    """Raised by an evaluator that does not cover a record; the message is the reason."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Rows and skipped records of one document."""

    rows: tuple[Row, ...] = ()
    skipped: tuple[Skipped, ...] = ()


@dataclass(frozen=True, slots=True)
class GroupSummary:
    """Errors of the judged rows of one group of one file."""

    file: str
    group: str
    n: int
    mean_abs_error: float
    bias: float
    worst: float

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {name: getattr(self, name) for name in ("file", "group", "n", "mean_abs_error", "bias", "worst")}


def compared(
    record: Mapping[str, Any],
    metric: str,
    predicted: float,
    published: float,
    *,
    band: float,
    binding: str | None = None,
    note: str = "",
    judged: bool = True,
) -> Row:
    """A row of a measured figure: a match within ``band``; unconfirmed records are shown only."""
    error = predicted / published - 1.0 if published else None
    status = RowStatus.MATCH if error is not None and abs(error) <= band else RowStatus.MISMATCH
    if not judged or record.get("confirmed") is not True:
        status = RowStatus.INFO
    return Row(
        str(record.get("id", "")),
        str(record.get("group", "")),
        metric,
        float(predicted),
        published,
        error,
        status,
        binding,
        note,
    )


def summarise(rows: Iterable[Row]) -> tuple[GroupSummary, ...]:
    """One summary per file and group, in order of appearance; rows shown for information only do not count."""
    errors: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        if row.status is not RowStatus.INFO and row.error is not None:
            errors.setdefault((row.file, row.group), []).append(row.error)
    return tuple(
        GroupSummary(
            file,
            group,
            len(values),
            sum(abs(v) for v in values) / len(values),
            sum(values) / len(values),
            max(values, key=abs),
        )
        for (file, group), values in errors.items()
    )
