"""Instances for the loader: the text of a valid one, changed in one place, and a catalogue folder beside it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from models.errors import InstanceError, Problem
from models.loading import load

BASE = Path(__file__).resolve().parents[1] / "data" / "instances" / "base.yaml"


@pytest.fixture(scope="session")
def base_text() -> str:
    return BASE.read_text(encoding="utf-8")


@pytest.fixture
def case(tmp_path: Path, base_text: str) -> Callable[..., Path]:
    """Write the base instance with each ``old`` replaced by ``new`` (``old`` must occur once), ``extra`` at its end."""

    def write(*changes: tuple[str, str], extra: str = "", name: str = "case.yaml") -> Path:
        text = base_text
        for old, new in changes:
            assert text.count(old) == 1, f"{old!r} occurs {text.count(old)} times"
            text = text.replace(old, new)
        path = tmp_path / name
        path.write_text(text + extra, encoding="utf-8")
        return path

    return write


@pytest.fixture
def problems() -> Callable[[Path], list[Problem]]:
    """Load an instance that must be refused; every problem it has."""

    def found(path: Path, **options: str) -> list[Problem]:
        with pytest.raises(InstanceError) as caught:
            load(path, **options)
        assert caught.value.exit_code == 3
        return list(caught.value.problems)

    return found


@pytest.fixture
def line_of() -> Callable[[Path, str], int]:
    """The number of the only line of a file that contains ``text``."""

    def number(path: Path, text: str) -> int:
        hits = [n for n, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1) if text in line]
        assert len(hits) == 1, f"{text!r} stands on lines {hits}"
        return hits[0]

    return number


@pytest.fixture
def catalogue(tmp_path: Path) -> Callable[..., Path]:
    """Write a catalogue folder of CSV files by name; the instance names it under ``catalogues``."""

    def write(folder: str = "parts", **files: str) -> Path:
        path = tmp_path / folder
        path.mkdir(exist_ok=True)
        for name, text in files.items():
            (path / f"{name}.csv").write_text(text, encoding="utf-8")
        return path

    return write
