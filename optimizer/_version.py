"""The version of this distribution."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

DISTRIBUTION = "refarch"


def version() -> str:
    """The installed version, or the one a checkout that was not installed declares."""
    try:
        return metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        import tomllib

        declared = Path(__file__).resolve().parent.parent / "pyproject.toml"
        return str(tomllib.loads(declared.read_text(encoding="utf-8"))["project"]["version"])
