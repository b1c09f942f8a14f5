"""Tables that leave the program: cells safe for spreadsheets, rows as Markdown."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
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


def markdown_table(headings: Sequence[str], rows: Iterable[Sequence[str]], right: Collection[str] = ()) -> list[str]:
    """Lines of a Markdown table; columns whose heading is in ``right`` are aligned to the right, as numbers are."""
    marks = ("---:" if heading in right else "---" for heading in headings)
    return [_markdown_row(headings), f"|{'|'.join(marks)}|", *(_markdown_row(row) for row in rows)]


def _markdown_row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(_one_line(cell) for cell in cells)} |"


def _one_line(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ")
