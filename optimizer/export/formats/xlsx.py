"""A workbook: Pareto table, columns, bills of material, sources, and the manifest on its last sheet.

Filters and frozen panes on every table, number formats by unit, objectives marked with their direction, widths that fit.
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

from optimizer.export.pareto_table import Column, ParetoTable
from optimizer.export.writing import Format
from optimizer.tables import safe_cell

NUMBERS = {
    "USD": "#,##0",
    "kW": "#,##0",
    "token/s": "#,##0",
    "share of one": "0.00 %",
    "t": "#,##0.0",
    "racks": "#,##0",
    "x demand": "0.000",
}
EARLIEST = "1980-01-01T00:00:00Z"
WIDEST, NARROWEST = 48, 9
PRINTED = 320.0
"""Characters across a printed A3 page at which a table can be read."""
LONG = {"source": 90.0, "meaning": 75.0, "value": 90.0, "unverified_columns": 40.0}
"""Widths of columns of long text, which is wrapped."""


def _render(table: ParetoTable) -> bytes:
    import xlsxwriter

    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    # the run's own time, so that the same run gives the same bytes
    started = dict(table.manifest).get("started", EARLIEST)
    book.set_properties({"title": table.title, "created": dt.datetime.strptime(started, "%Y-%m-%dT%H:%M:%SZ")})
    styles = _Styles(book)
    _pareto(book, styles, table)
    _plain(book, styles, "Columns", [vars(c) for c in table.columns])
    _plain(book, styles, "BOM", table.bill, one_line=True)
    _plain(book, styles, "Sources", table.sources)
    _plain(book, styles, "Manifest", [{"entry": key, "value": value} for key, value in table.manifest])
    book.close()
    return stream.getvalue()


class _Styles:
    """Cell formats, each made once."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._numbers: dict[str, Any] = {}
        self.title = book.add_format({"bold": True, "font_size": 13})
        self.note = book.add_format({"italic": True, "font_color": "#555555"})
        self.head = book.add_format(
            {
                "bold": True,
                "bg_color": "#DDE6F0",
                "border": 1,
                "border_color": "#B8C4D2",
                "text_wrap": True,
                "valign": "top",
            }
        )
        self.objective = book.add_format(
            {
                "bold": True,
                "bg_color": "#C6E0B4",
                "border": 1,
                "border_color": "#A3C293",
                "text_wrap": True,
                "valign": "top",
            }
        )
        # numbers end where the next column begins, so that text stands off a little
        self.text = book.add_format({"valign": "top", "indent": 1})
        self.long = book.add_format({"valign": "top", "text_wrap": True, "indent": 1})
        # shown as far as the column is wide: the table stays one line a row
        self.cut = book.add_format({"valign": "top", "align": "fill"})

    def number(self, shown: str) -> Any:
        if shown not in self._numbers:
            self._numbers[shown] = self._book.add_format({"num_format": shown, "valign": "top"})
        return self._numbers[shown]


def _pareto(book: Any, styles: _Styles, table: ParetoTable) -> None:
    sheet = book.add_worksheet("Pareto")
    sheet.write_string(0, 0, table.title, styles.title)
    sheet.write_string(
        1,
        0,
        "Objectives are green, with their direction; figures without one are exact. Units are in the heads.",
        styles.note,
    )
    first, widths = 3, [_width(c.name, [row.get(c.name) for row in table.rows], c) for c in table.columns]
    sheet.set_row(first, 48)
    for number, column in enumerate(table.columns):
        head = f"{column.name}\n{column.unit}{f' ({column.direction})' if column.direction else ''}".strip()
        sheet.write_string(first, number, head, styles.objective if column.direction else styles.head)
        values = [row.get(column.name) for row in table.rows]
        sheet.set_column(number, number, widths[number])
        for line, value in enumerate(values):
            _cell(sheet, styles, first + 1 + line, number, value, NUMBERS.get(column.unit), styles.cut)
    last = first + max(1, len(table.rows))
    sheet.autofilter(first, 0, last, max(0, len(table.columns) - 1))
    sheet.freeze_panes(first + 1, 1)
    _print_setup(sheet, first, last, widths)


def _plain(book: Any, styles: _Styles, name: str, rows: Sequence[Mapping[str, Any]], one_line: bool = False) -> None:
    """A sheet of rows; long text is wrapped over as many lines as it takes, or cut at its column with ``one_line``."""
    sheet = book.add_worksheet(name)
    heads = list(dict.fromkeys(key for row in rows for key in row))
    widths = [LONG.get(head) or _width(head, [row.get(head) for row in rows]) for head in heads]
    for number, head in enumerate(heads):
        values = [row.get(head) for row in rows]
        sheet.write_string(0, number, head, styles.head)
        sheet.set_column(number, number, widths[number])
        shown = "#,##0.00" if "price_usd" in head else "#,##0"
        for line, value in enumerate(values):
            _cell(sheet, styles, 1 + line, number, value, shown, styles.cut if one_line else styles.long)
    for line, row in enumerate(rows if not one_line else ()):
        # what opens the workbook need not fit heights by itself
        lines = max(ceil(len(str(row.get(head) or "")) / (LONG.get(head, WIDEST) * 0.95)) for head in heads)
        if lines > 1:
            sheet.set_row(1 + line, 15.0 * lines)
    if heads:
        sheet.autofilter(0, 0, max(1, len(rows)), len(heads) - 1)
    sheet.freeze_panes(1, 1)
    _print_setup(sheet, 0, max(1, len(rows)), widths)


def _print_setup(sheet: Any, head: int, last: int, widths: Sequence[float]) -> None:
    """A3 across; as many pages side by side as can be read, heads and first column on each.

    Without an area of its own, text cut at the last column would count as so much width.
    """
    sheet.set_landscape()
    sheet.set_paper(8)
    sheet.fit_to_pages(max(1, ceil(sum(widths) / PRINTED)), 0)
    sheet.repeat_rows(head)
    if widths:
        sheet.repeat_columns(0)
        sheet.print_area(0, 0, last, len(widths) - 1)


def _cell(sheet: Any, styles: _Styles, row: int, column: int, value: Any, shown: str | None, long: Any) -> None:
    """Writes a cell; text that would run over its neighbours is in the style ``long``."""
    if value is None or value == "":
        return
    if isinstance(value, bool) or not isinstance(value, int | float):
        text = str(safe_cell(str(value)))
        sheet.write_string(row, column, text, long if len(text) > WIDEST else styles.text)
        return
    default = "#,##0" if float(value).is_integer() else "#,##0.###"
    sheet.write_number(row, column, value, styles.number(shown or default))


def _width(head: str, values: Sequence[Any], column: Column | None = None) -> float:
    longest = max(
        (len(f"{v:,.0f}") if isinstance(v, int | float) else len(str(v)) for v in values if v is not None), default=0
    )
    unit = len(column.unit) + 8 if column is not None else 0
    return float(min(WIDEST, max(NARROWEST, longest + 3, unit, len(head) * 1.1 + 3)))


FORMAT = Format("xlsx", ".xlsx", False, ("xlsxwriter",), _render)
