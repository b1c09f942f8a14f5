"""What a user installs: the wheel carries code and data, its script works in any folder, and the notices are right."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("wheel")
    code = f"import hatchling.build as b; print(b.build_wheel({str(folder)!r}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return folder / done.stdout.strip().splitlines()[-1]


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder the wheel was installed into, apart from this checkout."""
    pytest.importorskip("pip")
    folder = tmp_path_factory.mktemp("installed")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(folder)]
    subprocess.run([*command, str(wheel)], check=True, capture_output=True, text=True)
    return folder


def _run(installed: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(installed / "bin" / "optimizer"), *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_wheel_holds_every_source_file_and_every_shipped_file(wheel: Path) -> None:
    held = set(zipfile.ZipFile(wheel).namelist())
    for package in ("models", "optimizer"):
        for path in (ROOT / package).rglob("*"):
            if path.suffix in (".py", ".yaml"):
                assert str(path.relative_to(ROOT)) in held
    for path in (ROOT / "instances").rglob("*.*"):
        if path.is_file() and path.suffix in (".csv", ".yaml", ".json"):
            assert f"models/_shipped/{path.relative_to(ROOT)}" in held
    assert not [name for name in held if name.startswith(("tests/", "benchmarks/", "docs/", "results/"))]


def test_script_works_from_any_folder_with_the_shipped_data(installed: Path, tmp_path: Path) -> None:
    done = _run(installed, tmp_path, "list", "instances", "--json")
    assert done.returncode == 0, done.stderr
    names = {record["name"]: Path(record["path"]) for record in json.loads(done.stdout)["data"]}
    shipped = {path.stem for path in (ROOT / "instances" / "reference").glob("*.yaml")}
    assert shipped <= set(names)
    assert all(path.is_relative_to(installed) for path in names.values())
    done = _run(installed, tmp_path, "list", "parts", "--json")
    assert len(json.loads(done.stdout)["data"]) > 300


def test_script_works_beside_a_models_file_of_the_user(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "models.py").write_text("raise RuntimeError('the file of the user')\n", encoding="utf-8")
    done = _run(installed, tmp_path, "list", "limits")
    assert done.returncode == 0, done.stderr
    assert "tco" in done.stdout


def test_starter_is_written_and_valid_from_the_installed_package(installed: Path, tmp_path: Path) -> None:
    assert _run(installed, tmp_path, "init", "mine").returncode == 0
    done = _run(installed, tmp_path, "list", "parts", "--type", "models", "--instance", "mine.yaml")
    assert done.returncode == 0, done.stderr


def test_version_is_semantic_and_in_the_changelog() -> None:
    major, minor, patch = PROJECT["version"].split(".")
    assert all(part.isdigit() for part in (major, minor, patch))
    assert "## [" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_licence_and_notice_are_there_and_credit_the_data() -> None:
    licence = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert PROJECT["license"] == "Apache-2.0"
    assert "Apache License" in licence
    assert "Version 2.0, January 2004" in licence
    assert "END OF TERMS AND CONDITIONS" in licence
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    for credit in ("Ember", "CC BY-SA 4.0", "Electricity Maps", "ODbL", "NetBox", "CC0"):
        assert credit in notice


def test_solver_bindings_stay_below_the_release_that_cannot_share_a_process() -> None:
    assert "highspy>=1.14,<1.15" in PROJECT["dependencies"]


def test_readme_names_only_targets_and_commands_that_exist() -> None:
    import re

    import click

    from optimizer.cli import build

    text = (ROOT / "README.md").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z]+)\b", text)) <= targets
    commands = set(build().list_commands(click.Context(build())))
    assert set(re.findall(r"^ *(?:\$ )?optimizer ([a-z][a-z-]*)", text, flags=re.MULTILINE)) <= commands
