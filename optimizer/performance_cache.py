"""Keeps searched throughput tables on disk by content, so that a second run of the same question is quick."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from optimizer.store import write_bytes

VARIABLE = "REFARCH_CACHE"


def default_folder() -> Path:
    """``$REFARCH_CACHE``, else ``refarch/performance`` in the user's cache folder."""
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "refarch" / "performance"


class PerformanceCache:
    """Arrays by content hash, one file each. A file that cannot be read or written is as if it were not there."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or default_folder()

    def get(self, key: str) -> Mapping[str, npt.NDArray[Any]] | None:
        """The arrays kept under ``key``, or None."""
        try:
            with np.load(self.folder / f"{key}.npz", allow_pickle=False) as kept:
                return {name: kept[name] for name in kept.files}
        except (OSError, ValueError, KeyError, EOFError):
            return None

    def put(self, key: str, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Keeps arrays under ``key`` where the folder can be written."""
        stream = io.BytesIO()
        np.savez(stream, allow_pickle=False, **dict(arrays))
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_bytes(self.folder / f"{key}.npz", stream.getvalue())
        except OSError:
            return
