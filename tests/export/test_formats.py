"""Every export format holds the same table: values, units, directions, proof, sources, manifest."""

from __future__ import annotations

import csv
import importlib.util
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from models.errors import UsageError
from models.loading import load
from models.parts.system import System
from optimizer.export.pareto_table import ParetoTable, table_of_run
from optimizer.export.writing import find_format, format_names
from optimizer.solve import solve


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "two"
    solve(load("tiny/two-clusters"), ["tco", "power"], "exact", out=folder)
    return folder


@pytest.fixture(scope="module")
def table(run: Path) -> ParetoTable:
    return table_of_run(run)


def _csv(content: bytes) -> list[list[Any]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8"))))


def _md(content: bytes) -> list[list[Any]]:
    lines = [line for line in content.decode("utf-8").splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    end = next(i for i, row in enumerate(rows) if row[0] == "column")
    return [[head.partition(" [")[0].partition(" (")[0] for head in rows[0]], *rows[2:end]]


def _xlsx(content: bytes) -> list[list[Any]]:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.load_workbook(io.BytesIO(content))
    rows = list(book["Pareto"].iter_rows(min_row=4, values_only=True))
    return [[str(head).splitlines()[0] for head in rows[0]], *[list(row) for row in rows[1:]]]


def _parquet(content: bytes) -> list[list[Any]]:
    pq = pytest.importorskip("pyarrow.parquet")
    found = pq.read_table(io.BytesIO(content))
    return [found.column_names, *[list(row.values()) for row in found.to_pylist()]]


READERS: dict[str, Callable[[bytes], list[list[Any]]]] = {"csv": _csv, "md": _md, "xlsx": _xlsx, "parquet": _parquet}


def test_formats_are_the_files_of_the_folder() -> None:
    assert set(format_names()) == set(READERS)


@pytest.mark.parametrize("name", sorted(READERS))
def test_every_format_holds_every_design_and_objective(name: str, table: ParetoTable) -> None:
    if any(importlib.util.find_spec(p) is None for p in ("xlsxwriter", "pyarrow")):
        pytest.skip("the extra for reports is not installed")
    head, *rows = READERS[name](find_format(name).render(table))
    assert len(rows) == len(table.rows)
    for column in table.columns:
        if column.name == "sources" and name == "md":
            continue
        place = head.index(column.name)
        for row, expected in zip(rows, table.rows, strict=True):
            value = expected.get(column.name)
            if isinstance(value, int | float) and not isinstance(value, bool):
                assert float(str(row[place]).replace(",", "")) == pytest.approx(float(value), rel=1e-5)
            else:
                assert str(row[place] or "") == str(value or "")


def test_units_directions_and_proof_are_told(table: ParetoTable) -> None:
    told = {c.name: c for c in table.columns}
    assert (told["tco_usd"].unit, told["tco_usd"].direction) == ("USD", "min")
    assert (told["power_kw"].unit, told["power_kw"].direction) == ("kW", "min")
    assert told["carbon_t"].direction == ""
    assert all(row["proof"] == "proven nondominated" for row in table.rows)
    assert all(str(row["sources"]) for row in table.rows)


def test_the_workbook_has_filters_frozen_panes_and_the_manifest_last(run: Path, table: ParetoTable) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    pytest.importorskip("xlsxwriter")
    content = find_format("xlsx").render(table)
    assert content == find_format("xlsx").render(table)
    book = openpyxl.load_workbook(io.BytesIO(content))
    assert book.sheetnames == ["Pareto", "Columns", "BOM", "Sources", "Manifest"]
    for sheet in book:
        assert sheet.freeze_panes
        assert sheet.auto_filter.ref
        # prints across what its table covers and no more, heads and first column on every page, in a size that can be read
        assert sheet.page_setup.orientation == "landscape"
        assert sheet.print_area.replace("$", "").endswith(f"!A1:{sheet.dimensions.partition(':')[2]}")
        head = 4 if sheet.title == "Pareto" else 1
        assert (sheet.print_title_rows, sheet.print_title_cols) == (f"${head}:${head}", "$A:$A")
        width = sum(column.width for column in sheet.column_dimensions.values())
        assert width <= 330 * (sheet.page_setup.fitToWidth or 1)
        assert sheet.page_setup.fitToHeight == 0
    entries = {row[0]: row[1] for row in book["Manifest"].iter_rows(min_row=2, values_only=True)}
    manifest = json.loads((run / "manifest.json").read_text())
    assert entries["fingerprint"] == manifest["fingerprint"]
    assert entries["versions.highspy"] == manifest["versions"]["highspy"]
    bill = list(book["BOM"].iter_rows(min_row=2, values_only=True))
    assert len(bill) == len(table.bill)
    formulas = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]
    assert not formulas


def test_a_missing_extra_is_named_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    known = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "xlsxwriter" else known(name))
    with pytest.raises(UsageError, match=r"pip install 'refarch\[report\]'"):
        find_format("xlsx")


def test_an_unknown_format_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="xlsx"):
        find_format("xls")


def test_a_quoted_price_has_its_quote_and_the_figures_beside_it_their_own_source(tmp_path: Path) -> None:
    quotes = {"north": {"source": "mail of 3 November"}}
    solve(load("tiny/sourcing", overrides={"quotes": quotes}), ["tco"], "exact", out=tmp_path / "run")
    table = table_of_run(tmp_path / "run")
    servers = [row for row in table.sources if row["part"] == "dgx_h100"]
    assert {row["vendor"] for row in servers} == {"Northern", "Southern"}
    north, south = (next(row for row in servers if row["vendor"] == vendor) for vendor in ("Northern", "Southern"))
    until = "quote north of Northern, valid until 2026-12-31 (mail of 3 November); figures: "
    assert north["source"].startswith(until)
    assert south["source"].startswith("quote south of Southern; figures: ")
    row = load("tiny/sourcing").catalogue.get(System, "dgx_h100")
    assert north["source"] == f"{until}{row.source} ({row.confidence.value})"
    assert (north["confidence"], north["price"]) == ("quote", "quote")
    lines = {line["part"]: line for line in table.bill}
    # a quoted price is no figure that nobody verified; the others stay named
    assert "price" not in lines["ups_1500k"]["unverified_columns"]
    assert "typical_power_w" in lines["dgx_h100"]["unverified_columns"]
    assert not any(row["source"] == "" or row["confidence"] == "" for row in (*table.sources, *table.bill))
