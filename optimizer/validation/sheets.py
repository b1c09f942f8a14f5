"""Sheets that records are read with, as rows of text: those of the catalogue and those kept beside the measurements."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

from models.shipped import catalogue_folder, instances_folder

Rows = tuple[dict[str, str], ...]


def catalogue_sheet(name: str) -> Rows:
    """Rows of a file of the shipped catalogue."""
    return _rows(catalogue_folder() / f"{name}.csv")


def validation_sheet(name: str) -> Rows:
    """Rows of a file about published measurements."""
    return _rows(instances_folder() / "validation" / f"{name}.csv")


@cache
def _rows(path: Path) -> Rows:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return tuple(csv.DictReader(stream))
