"""What a result was computed from and with: versions, machine, options with their origin."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PACKAGES = (
    "refarch",
    "pyomo",
    "highspy",
    "ortools",
    "numpy",
    "scipy",
    "pandas",
    "pydantic",
    "pint",
    "ruamel.yaml",
    "moocore",
)


@dataclass(frozen=True, slots=True)
class Setting:
    """An option's value and where it came from: default, command line, call or instance."""

    value: Any
    origin: str


def versions() -> dict[str, str]:
    """Installed versions of the packages that can change a result."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def machine() -> dict[str, str]:
    """The kind of machine, without its name."""
    return {"system": platform.system(), "release": platform.release(), "processor": platform.machine()}


def as_plain(settings: Mapping[str, Setting]) -> dict[str, dict[str, Any]]:
    """Settings for a manifest."""
    return {name: {"value": setting.value, "origin": setting.origin} for name, setting in settings.items()}
