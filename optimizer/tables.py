"""Cells that leave the program: safe for spreadsheets."""

from __future__ import annotations

from typing import Any

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def safe_cell(value: Any) -> Any:
    """``value`` as a spreadsheet must see it: text that would be read as a formula gets a leading apostrophe.

    Numbers stay numbers, and text that is a number (``-3.5``) stays as it is.
    """
    if not isinstance(value, str) or not value.startswith(FORMULA_STARTS):
        return value
    try:
        float(value)
    except ValueError:
        return f"'{value}"
    return value
