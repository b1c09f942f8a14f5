"""The files of a run held against each other: manifest, inputs, designs and tables."""

from __future__ import annotations

import csv
import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from models.instance import Instance
from optimizer.frontier import Frontier, tidy
from optimizer.pareto.result import FrontierStatus
from optimizer.store import SCHEMA
from optimizer.tables import safe_cell
from optimizer.verification.findings import Checks
from optimizer.verification.goals import check_columns
from optimizer.verification.ledger import vectors
from optimizer.verification.table_rows import bom_rows, frontier_rows, spend_rows


def check_manifest(instance: Instance, manifest: Mapping[str, Any], frontier: Frontier) -> Checks:
    """The manifest against the inputs and the frontier it describes."""
    checks = Checks("manifest.json")
    record, proof = manifest.get("frontier", {}), frontier.proof
    checks.same("schema", manifest.get("schema"), SCHEMA)
    checks.same("instance", manifest.get("instance"), instance.name)
    checks.same("fingerprint", manifest.get("fingerprint"), instance.fingerprint, "hash of inputs/")
    checks.same("status", manifest.get("status"), proof.status.value, "derived from the zones")
    checks.same("price_basis", record.get("price_basis"), instance.money.price_basis.value)
    options = manifest.get("options", {})
    asked = options.get("objectives", {}).get("value")
    checks.same("options.objectives", asked, [objective.name for objective in frontier.objectives])
    checks.same("options.price_basis", options.get("price_basis", {}).get("value"), instance.money.price_basis.value)
    estimated = any(line.price_is_estimate for design in frontier.points for line in design.bom)
    checks.same("estimated_prices", record.get("estimated_prices"), estimated)
    check_columns(checks, frontier.objectives)
    columns = [objective.column for objective in frontier.objectives]
    checks.same("proof.error", sorted(proof.error), sorted(columns), "one amount per objective")
    finished = proof.open_zones == 0
    status = {
        (True, True): FrontierStatus.COMPLETE,
        (True, False): FrontierStatus.INFEASIBLE,
        (False, True): FrontierStatus.PARTIAL,
        (False, False): FrontierStatus.EMPTY,
    }[finished, bool(frontier.points)]
    checks.same("proof.status", proof.status.value, status.value, "open zones and designs decide it")
    return checks


def check_list(frontier: Frontier) -> Checks:
    """The list of designs by itself: objectives, order, no design twice, none that another dominates."""
    checks = Checks("designs.jsonl")
    columns = [objective.column for objective in frontier.objectives]
    ids = [design.design_id for design in frontier.points]
    checks.same("design_id", len(set(ids)), len(ids), "every design once")
    for design in frontier.points:
        checks.same(f"{design.design_id}.objectives", sorted(design.objectives), sorted(columns))
    if checks.findings:
        return checks
    values = vectors(frontier)
    order = [tuple(row) for row in values.tolist()]
    checks.rule("order", order == sorted(order), ids, "ascending objectives")
    for number, row in enumerate(values):
        better = np.flatnonzero((values <= row).all(axis=1) & (values < row).any(axis=1))
        by = ids[int(better[0])] if better.size else None
        checks.rule(f"{ids[number]}.nondominated", by is None, by, None, "another listed design dominates it")
        twins = np.flatnonzero((values == row).all(axis=1))
        checks.rule(f"{ids[number]}.objectives", twins.size == 1, twins.size, 1, "one design per point")
    return checks


def check_tables(folder: Path, frontier: Frontier) -> list[Checks]:
    """``frontier.csv``, ``bom.csv`` and the Parquet file, cell by cell against the designs."""
    found = [
        _check_table(folder / "frontier.csv", frontier_rows(frontier), "design_id"),
        _check_table(folder / "bom.csv", bom_rows(frontier.points), "design_id"),
        _check_table(folder / "spend.csv", spend_rows(frontier.points), "design_id"),
    ]
    if (folder / "frontier.parquet").exists() and importlib.util.find_spec("pyarrow") is not None:
        found.append(_check_parquet(folder / "frontier.parquet", frontier))
    return found


def _check_table(path: Path, expected: Sequence[Mapping[str, Any]], key: str) -> Checks:
    checks = Checks(path.name)
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            reader = csv.reader(stream, strict=True)
            table = list(reader)
    except (OSError, ValueError, csv.Error) as error:
        checks.rule("file", False, str(error), "a table that can be read")
        return checks
    head, rows = (table[0], table[1:]) if table else ([], [])
    columns = list(dict.fromkeys(name for row in expected for name in row))
    if not checks.same("columns", head, [str(safe_cell(name)) for name in columns]):
        return checks
    checks.same("rows", len(rows), len(expected))
    for number, (cells, row) in enumerate(zip(rows, expected, strict=False), start=2):
        if not checks.same(f"line {number}", len(cells), len(columns), "cells"):
            continue
        for name, cell in zip(columns, cells, strict=True):
            same = cell_holds(cell, row.get(name))
            checks.rule(f"line {number}.{name}", same, cell, row.get(name), f"{key} {row[key]}")
    return checks


def cell_holds(cell: str, value: Any) -> bool:
    """Whether a CSV cell says ``value``: numbers by value, text as exported, None as an empty cell."""
    if value is None:
        return cell == ""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return cell == str(safe_cell(value))
    try:
        return float(tidy(float(cell))) == float(tidy(value))
    except ValueError:
        return False


def _check_parquet(path: Path, frontier: Frontier) -> Checks:
    import pyarrow.parquet as parquet

    checks = Checks(path.name)
    try:
        table = parquet.read_table(path).to_pydict()
    except (OSError, ValueError) as error:
        checks.rule("file", False, str(error), "a table that can be read")
        return checks
    for row_number, row in enumerate(frontier_rows(frontier)):
        for name, value in row.items():
            cells = table.get(name, [])
            cell = cells[row_number] if row_number < len(cells) else None
            if cell != cell:  # pandas writes an absent number as NaN
                cell = None
            same = cell == value or (
                isinstance(value, float) and cell is not None and float(cell) == float(tidy(value))
            )
            checks.rule(f"row {row_number + 1}.{name}", same, cell, value)
    checks.same("rows", len(table.get("design_id", [])), len(frontier.points))
    return checks
