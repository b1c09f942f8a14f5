"""A serving record that tests vary, and what is read of records."""

from __future__ import annotations

from typing import Any

from optimizer.validation import measured_records
from optimizer.validation.records import Outcome, Row

ENGINE = {
    "id": "engine", "group": "g", "model_name": "deepseek-ai/DeepSeek-V3", "accelerator": "b200_sxm", "precision": "fp8",
    "isl": 8192, "osl": 1024, "tpot_ms": 30.0, "source": "somewhere", "confirmed": True,
}  # fmt: skip


def rows(*records: dict[str, Any]) -> Outcome:
    return measured_records.evaluate({"rows": list(records)})


def only(record: dict[str, Any]) -> Row:
    """The row of a record that nothing is skipped of."""
    found = rows(record)
    assert not found.skipped, found.skipped
    return found.rows[0]
