"""Paths as a reader elsewhere can use them: those of shipped files relative to the project."""

from __future__ import annotations

from models.shipped import catalogue_folder


def relative_paths(text: str) -> str:
    """``text`` with the folder that holds the shipped instances left out of every path."""
    root = catalogue_folder().resolve().parent
    return text.replace(f"{root}/", f"{root.name}/")
