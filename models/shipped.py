"""Where the shipped instances and catalogue are: beside the packages in a checkout, inside the wheel when installed."""

from __future__ import annotations

from pathlib import Path


def instances_folder() -> Path:
    """The folder with ``catalogue/``, ``reference/`` and ``tiny/``.

    Raises FileNotFoundError when the distribution was installed without its data.
    """
    package = Path(__file__).resolve().parent
    for candidate in (package / "_shipped" / "instances", package.parent / "instances"):
        if (candidate / "catalogue").is_dir():
            return candidate
    raise FileNotFoundError(f"the shipped instances are missing beside {package}: reinstall the distribution")


def catalogue_folder() -> Path:
    """The shipped catalogue of parts, one CSV file per part type."""
    return instances_folder() / "catalogue"


def shipped_instances() -> dict[str, Path]:
    """Every shipped instance by name; the tiny ones carry their folder (``tiny/knapsack``)."""
    root = instances_folder()
    found = {path.stem: path for path in sorted((root / "reference").glob("*.yaml"))}
    for folder in ("tiny", "broken"):
        found.update({f"{folder}/{path.stem}": path for path in sorted((root / folder).glob("*.yaml"))})
    return found
