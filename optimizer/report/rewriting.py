"""A report as a reader elsewhere can use it: paths relative to the project, numbers JSON can say."""

from __future__ import annotations

import math
from typing import Any

from models.shipped import catalogue_folder


def relative_paths(text: str) -> str:
    """``text`` with the folder that holds the shipped instances left out of every path."""
    root = catalogue_folder().resolve().parent
    return text.replace(f"{root}/", f"{root.name}/")


def finite(value: Any) -> Any:
    """``value`` with None for every number that is not finite, which JSON has no word for: an end that is open."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
