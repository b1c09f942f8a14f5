"""``optimizer doctor``: it sees what is there, and it sees what is not."""

from __future__ import annotations

from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest

import optimizer.backends
from optimizer.backends import Availability
from optimizer.cli import doctor


def _findings(document: dict) -> dict[tuple[str, str], dict]:
    return {(finding["area"], finding["name"]): finding for finding in document["data"]["findings"]}


def test_a_sound_installation(cli: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = cli("doctor", "--json")
    found = _findings(outcome.document)
    assert found["package", "highspy"]["found"] == metadata.version("highspy")
    assert found["backend", "highs"]["ok"]
    assert found["import order", "highspy then ortools"]["ok"]
    assert found["import order", "ortools then highspy"]["ok"]
    assert found["data", "catalogue"]["ok"]
    assert found["results", str(tmp_path)]["ok"]
    needed = [finding for finding in found.values() if finding["needed"] and not finding["ok"]]
    assert outcome.code == (1 if needed else 0)
    assert outcome.document["data"]["fit"] is not bool(needed)
    assert list(tmp_path.iterdir()) == []


def test_missing_package_and_extra_name_the_command_that_installs_them(
    cli: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "_import_orders", lambda: ())
    real = doctor._installed
    monkeypatch.setattr(doctor, "_installed", lambda name: None if name in ("scipy", "salib") else real(name))
    outcome = cli("doctor", "--json")
    found = _findings(outcome.document)
    assert outcome.code == 1
    assert found["package", "scipy"]["mend"] == "pip install scipy"
    assert found["extra", "study"]["mend"] == "pip install 'refarch[study]'"
    assert not found["extra", "study"]["needed"]
    text = cli("doctor")
    assert text.code == 1
    assert "Not fit to run: " in text.out
    assert "scipy (not installed)" in text.out


def test_no_solver_at_all(cli: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    none = (Availability("highs", False, None, "highspy is not installed"),)
    monkeypatch.setattr(optimizer.backends, "available", lambda: none)
    monkeypatch.setattr(doctor, "_import_orders", lambda: ())
    outcome = cli("doctor", "--json")
    assert outcome.code == 6
    assert _findings(outcome.document)["backend", "any solver"]["mend"] == "pip install highspy"


def test_libraries_that_cannot_share_a_process(cli: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    real = doctor.subprocess.run

    def crash(command: list[str], **options: object) -> object:
        return real([command[0], "-c", "import os; os.abort()"], **options)

    monkeypatch.setattr(doctor.subprocess, "run", crash)
    outcome = cli("doctor", "--json")
    assert outcome.code == 6
    assert not _findings(outcome.document)["import order", "highspy then ortools"]["ok"]


def test_folder_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(**_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(doctor.tempfile, "NamedTemporaryFile", refuse)
    found = doctor._results(tmp_path)
    assert (found.ok, found.found) == (False, "Read-only file system")


def test_requirements_are_read_without_versions_and_markers() -> None:
    names = set(doctor._required(None))
    assert {"numpy", "highspy", "ruamel-yaml"} <= names
    assert "plotly" not in names
    assert "plotly" in doctor._required("report")
    assert doctor._distribution('dask[distributed]>=2024.1,<3; extra == "study"') == "dask"
