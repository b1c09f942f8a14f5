"""``make`` on a machine it cannot work on says what is missing, in one line, and makes nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The files ``make`` reads, apart from this checkout and its environment."""
    folder = tmp_path / "a checkout"
    (folder / "scripts").mkdir(parents=True)
    for name in ("Makefile", "pyproject.toml", "scripts/bootstrap"):
        shutil.copy(ROOT / name, folder / name)
    return folder


def _interpreter(folder: Path, text: str) -> Path:
    path = folder / "python-double"
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def _make(checkout: Path, target: str, python: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "PYTHON"))}
    return subprocess.run(
        ["make", target, f"PYTHON={python}"], cwd=checkout, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("target", ["solve", "test", "bench"])
def test_python_that_is_too_old(checkout: Path, target: str) -> None:
    old = _interpreter(checkout, 'case "$1" in -c) exit 1;; -V) echo "Python 3.9.2";; esac')
    done = _make(checkout, target, str(old))
    assert done.returncode != 0
    assert f"Python 3.11 or newer is needed, but {old} is Python 3.9.2" in done.stderr
    assert not (checkout / ".venv").exists()


def test_python_that_is_not_there(checkout: Path) -> None:
    done = _make(checkout, "solve", "no-such-python")
    assert done.returncode != 0
    assert "no no-such-python on PATH; install Python 3.11 or newer" in done.stderr


def test_python_with_neither_venv_nor_pip(checkout: Path) -> None:
    bare = _interpreter(checkout, 'case "$1" in -c) exit 0;; -V) echo "Python 3.12.1";; *) exit 1;; esac')
    done = _make(checkout, "solve", str(bare))
    assert done.returncode != 0
    assert "has neither a working venv module nor pip; install one of them" in done.stderr
    assert not (checkout / ".venv").exists()


def test_environment_that_does_not_exist(checkout: Path) -> None:
    done = subprocess.run(
        [str(checkout / "scripts" / "bootstrap"), "play"], capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "no such environment: play (run or test)" in done.stderr


def test_make_alone_names_the_targets(checkout: Path) -> None:
    done = subprocess.run(["make"], cwd=checkout, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert all(f"make {target} " in done.stdout for target in ("solve", "test", "bench", "clean"))


def test_continuous_integration_runs_what_the_readme_says() -> None:
    assert "\nmake test\n" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "    make test" in (ROOT / "README.md").read_text(encoding="utf-8")
