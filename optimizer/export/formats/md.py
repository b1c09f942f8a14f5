"""Markdown: the table, what its columns mean, where the data come from, and the manifest."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from optimizer.export.pareto_table import ParetoTable
from optimizer.export.writing import Format
from optimizer.tables import markdown_table

WIDE = ("sources",)


def _render(table: ParetoTable) -> bytes:
    return "\n".join(_lines(table)).encode("utf-8")


def _lines(table: ParetoTable) -> Iterator[str]:
    shown = [column for column in table.columns if column.name not in WIDE]
    yield f"# {table.title}"
    yield ""
    heads = [f"{c.name}{f' [{c.unit}]' if c.unit else ''}{f' ({c.direction})' if c.direction else ''}" for c in shown]
    numbers = [head for head, column in zip(heads, shown, strict=True) if column.unit]
    yield from rows_of(heads, [[row.get(c.name) for c in shown] for row in table.rows], numbers)
    yield ""
    yield "## Columns"
    yield ""
    about = [[c.name, c.unit, c.direction, c.meaning] for c in table.columns]
    yield from rows_of(["column", "unit", "direction", "meaning"], about)
    yield ""
    yield "## Parts and where their data come from"
    yield ""
    yield from rows_of(*mappings(table.sources))
    yield ""
    yield "## Manifest"
    yield ""
    yield from rows_of(["entry", "value"], [list(entry) for entry in table.manifest])
    yield ""


def mappings(rows: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[list[Any]]]:
    """Heads and cells of rows that share their keys."""
    heads = list(dict.fromkeys(key for row in rows for key in row))
    return heads, [[row.get(head) for head in heads] for row in rows]


def rows_of(heads: Sequence[str], rows: Iterable[Sequence[Any]], right: Collection[str] = ()) -> list[str]:
    """A Markdown table; numbers with thousands separators."""
    return markdown_table(heads, [[cell(value) for value in row] for row in rows], right)


def cell(value: Any) -> str:
    """A value as the text of a table cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.6g}" if abs(value) < 1e6 else f"{value:,.0f}"
    return str(value)


FORMAT = Format("md", ".md", True, (), _render)
