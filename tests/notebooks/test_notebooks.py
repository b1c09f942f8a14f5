"""Notebooks run from top to bottom, and what is rendered beside each script is that script."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted((ROOT / "notebooks").glob("*.py"))
MOST_BYTES = 1_000_000


def _renderer() -> Any:
    for package in ("jupytext", "nbclient", "ipykernel", "plotly"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    spec = importlib.util.spec_from_file_location("render_notebooks", ROOT / "scripts" / "render_notebooks.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_there_are_two() -> None:
    assert [script.stem for script in SCRIPTS] == ["first_frontier", "parameter_study"]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda s: s.stem)
def test_what_is_rendered_is_the_script(script: Path) -> None:
    jupytext = pytest.importorskip("jupytext")
    rendered = script.with_suffix(".ipynb")
    assert rendered.stat().st_size < MOST_BYTES
    assert str(ROOT) not in rendered.read_text(encoding="utf-8")
    mine, theirs = jupytext.read(script), jupytext.read(rendered)
    assert [(c.cell_type, c.source) for c in mine.cells] == [(c.cell_type, c.source) for c in theirs.cells]
    assert all(c.get("outputs") or c.cell_type != "code" or "=" in c.source for c in theirs.cells)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda s: s.stem)
def test_it_runs_and_draws(script: Path) -> None:
    notebook = _renderer().executed(script)
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert not [o for o in outputs if o.output_type == "error"]
    drawn = [o for o in outputs if "Plotly.newPlot" in str(o.get("data", {}).get("text/html", ""))]
    assert drawn
