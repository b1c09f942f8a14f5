"""Recomputation shares nothing with what it checks: no program, no solver, no table of candidates, no figures of the run."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "optimizer" / "verification"
FORBIDDEN = (
    "models.candidates",
    "models.formulation",
    "optimizer.backends",
    "optimizer.bom",
    "optimizer.compile",
    "optimizer.extract",
    "optimizer.figures",
    "optimizer.orders",
    "optimizer.reliability",
    "optimizer.plant",
    "optimizer.site_energy",
    "optimizer.stranding",
    "optimizer.solve",
    "optimizer.spend",
    "pyomo",
    "highspy",
    "ortools",
)


def _imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


def test_verification_imports_nothing_it_checks() -> None:
    for path in [*PACKAGE.glob("*.py"), ROOT / "optimizer" / "verify.py"]:
        shared = [name for name in _imports(path) if name.startswith(FORBIDDEN)]
        assert not shared, f"{path.name} imports {shared}"


def test_no_solver_is_loaded_to_verify() -> None:
    code = "import sys, optimizer.verify; print([m for m in ('pyomo', 'highspy', 'ortools') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
