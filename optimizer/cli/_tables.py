"""Aligned columns of plain text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any


def table(rows: Sequence[Sequence[Any]], align: str) -> Iterator[str]:
    """Aligned columns; the first row is the heading. ``align`` has an ``l`` or ``r`` per column."""
    text = [["" if cell is None else str(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in text) for column in range(len(align))]
    for row in text:
        cells = [
            cell.rjust(width) if side == "r" else cell.ljust(width)
            for cell, width, side in zip(row, widths, align, strict=True)
        ]
        yield "  " + "  ".join(cells).rstrip()
