"""Where the shipped instances and catalogue are: beside the packages in a checkout, inside the wheel when installed."""

from __future__ import annotations

from pathlib import Path

from models.errors import UsageError, nearest


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


def find_instance(name_or_path: str | Path) -> Path:
    """The file of an instance given by path or by the name of a shipped one.

    Raises UsageError naming the nearest shipped instance when there is none.
    """
    path = Path(name_or_path)
    shipped = shipped_instances()
    if str(name_or_path) in shipped:
        return shipped[str(name_or_path)]
    if path.suffix in (".yaml", ".yml") or path.exists():
        if path.is_dir():
            raise UsageError(f"{path} is a folder, not an instance file")
        if not path.exists():
            raise UsageError(f"no instance file {path}")
        return path
    raise UsageError(f"no instance {str(name_or_path)!r}: {nearest(str(name_or_path), list(shipped))}")
