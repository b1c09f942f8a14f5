"""Executes every notebook of ``notebooks/`` and writes the rendered ``.ipynb`` beside its script: python scripts/render_notebooks.py"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[1]
SECONDS = 300
_RANDOM = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def executed(script: Path) -> Any:
    """The notebook of a percent script with its outputs, without anything that differs from one execution to the next."""
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    notebook = jupytext.read(script)
    NotebookClient(
        notebook, timeout=SECONDS, kernel_name="python3", resources={"metadata": {"path": str(ROOT)}}
    ).execute()
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
        cell.metadata.pop("execution", None)
        # what goes to stderr names folders of this machine
        if cell.cell_type == "code":
            cell.outputs = [o for o in cell.outputs if o.get("name") != "stderr"]
    notebook.metadata.pop("language_info", None)
    _name_charts(notebook)
    return notebook


def _name_charts(notebook: Any) -> None:
    """Charts by number: the names they are drawn under are random."""
    names: dict[str, str] = {}
    for output in (o for cell in notebook.cells for o in cell.get("outputs", [])):
        page = output.get("data", {}).get("text/html")
        if page is not None:
            for name in _RANDOM.findall(page):
                page = page.replace(name, names.setdefault(name, f"chart-{len(names)}"))
            output["data"]["text/html"] = page


def main() -> None:
    for script in sorted((ROOT / "notebooks").glob("*.py")):
        target = script.with_suffix(".ipynb")
        nbformat.write(executed(script), target)
        print(f"{target.relative_to(ROOT)}: {target.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    sys.exit(main())
