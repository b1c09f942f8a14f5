"""A run as people name it: its folder, or any file in it."""

from __future__ import annotations

from pathlib import Path

from models.errors import UsageError


def run_folder(name: str) -> Path:
    """The run folder that ``name`` is, or lies in; UsageError where there is none."""
    path = Path(name)
    if not path.exists():
        raise UsageError(f"no run {name}: give the folder that solve has written (--out), or a file in it")
    folder = path if path.is_dir() else path.parent
    for candidate in (folder, *folder.resolve().parents[:2]):
        if (candidate / "manifest.json").is_file():
            return candidate
    raise UsageError(f"{name} is no run folder: it holds no manifest.json")
