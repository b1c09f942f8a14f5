"""The architecture is a test: layers, size of files, names of files, and what an import costs."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import optimizer

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted(path for package in ("models", "optimizer") for path in (ROOT / package).rglob("*.py"))
HEAVY = {"numpy", "scipy", "pandas", "pyomo", "ortools", "highspy", "plotly", "pydantic", "pint", "click"}
NAMES_THAT_SAY_NOTHING = {"utils", "util", "helpers", "helper", "common", "misc"}


def _python(code: str, *, folder: Path = ROOT, path: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_layers() -> None:
    pytest.importorskip("importlinter")
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command; lint_imports_command()",
            "--no-cache",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_is_readable_in_one_sitting_and_named_for_what_it_holds(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 400
    assert path.stem not in NAMES_THAT_SAY_NOTHING
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or node.lineno) - node.lineno < 80, node.name


def test_importing_the_library_loads_nothing_heavy() -> None:
    done = _python(
        "import sys; before = set(sys.modules); import optimizer, json\n"
        "print(json.dumps(sorted({name.split('.')[0] for name in set(sys.modules) - before})))"
    )
    loaded = set(json.loads(done.stdout))
    assert "optimizer" in loaded
    assert not loaded & (HEAVY | {"models"})


def test_nothing_is_imported_before_an_interrupt_can_be_answered() -> None:
    done = _python("import sys; before = set(sys.modules); import optimizer; print(sorted(set(sys.modules) - before))")
    assert done.stdout.strip() == str(["__future__", "optimizer"])


def test_every_public_name_resolves_and_is_listed() -> None:
    for name in optimizer.__all__:
        assert getattr(optimizer, name) is not None
        assert name in dir(optimizer)
    assert set(optimizer.__all__) == set(optimizer._HOMES)
    assert optimizer.pareto.__name__ == "optimizer.pareto"
    assert optimizer.__version__
    with pytest.raises(AttributeError, match="no attribute 'sovle'"):
        _ = optimizer.sovle


def test_a_public_function_is_not_replaced_by_the_file_of_its_name() -> None:
    for name, home in optimizer._HOMES.items():
        if home == f"optimizer.{name}":
            done = _python(
                f"import importlib, optimizer; importlib.import_module({home!r}); print(callable(optimizer.{name}))"
            )
            assert done.stdout == "True\n", done.stderr


@pytest.mark.parametrize("shape", ["models.py", "models/__init__.py"])
@pytest.mark.parametrize("statement", ["import optimizer", "import models, optimizer", "from optimizer import load"])
def test_a_models_file_of_the_user_is_named_in_one_clear_error(tmp_path: Path, shape: str, statement: str) -> None:
    own = tmp_path / shape
    own.parent.mkdir(exist_ok=True)
    own.write_text("x = 1\n", encoding="utf-8")
    done = _python(statement, folder=tmp_path)
    assert done.returncode == 1
    message = done.stderr.strip().splitlines()[-1]
    assert message.startswith(f"ImportError: {own} shadows the package 'models' that optimizer needs")
    assert "rename that file or start Python from another folder" in message


def test_running_as_a_module_beside_a_models_file_prints_the_message_alone(tmp_path: Path) -> None:
    (tmp_path / "models.py").write_text("x = 1\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "optimizer", "--help"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert f"{tmp_path / 'models.py'} shadows the package 'models'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_called_models_without_code_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    done = _python("import optimizer; print(optimizer.load.__module__)", folder=tmp_path)
    assert done.stdout == "models.loading\n", done.stderr
