"""A report as a reader elsewhere can use it: paths relative to the project, numbers JSON can say."""

from __future__ import annotations

import math
from typing import Any

from models.shipped import catalogue_folder


def relative_paths(text: str) -> str:
    """``text`` with the folder that holds the shipped instances left out of every path."""
    root = catalogue_folder().resolve().parent
    return text.replace(f"{root}/", f"{root.name}/")


def portable(value: Any) -> Any:
    """``value`` with paths relative to the project, and None for numbers that are not finite: JSON has no word for an open end."""
    if isinstance(value, dict):
        return {key: portable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [portable(item) for item in value]
    if isinstance(value, str):
        return relative_paths(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value
