"""Comma-separated values: one header line, one row per design; the unit is in the name of the column."""

from __future__ import annotations

from optimizer.export.pareto_table import ParetoTable
from optimizer.export.writing import Format
from optimizer.store import table_text


def _render(table: ParetoTable) -> bytes:
    names = [column.name for column in table.columns]
    return table_text([{name: row.get(name) for name in names} for row in table.rows]).encode("utf-8")


FORMAT = Format("csv", ".csv", True, (), _render)
