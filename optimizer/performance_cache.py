"""Keeps searched throughput tables on disk by content, so that a second run of the same question is quick.

A file is a line that says what it is, a line of JSON with name, type and shape of every array, and the arrays' bytes one after the
other: a run reads hundreds of small tables, and archives would take longer to open than to read.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from optimizer.store import write_bytes

VARIABLE = "REFARCH_CACHE"
FORMAT = b"refarch arrays 1"
_TYPES = {"<f8", "<i8"}


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
            return _unpacked((self.folder / f"{key}.arrays").read_bytes())
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def put(self, key: str, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Keeps arrays of floats or integers of eight bytes under ``key`` where the folder can be written."""
        content = _packed(arrays)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_bytes(self.folder / f"{key}.arrays", content)
        except OSError:
            return


def _packed(arrays: Mapping[str, npt.NDArray[Any]]) -> bytes:
    written = {
        name: np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<")) for name, values in arrays.items()
    }
    if any(values.dtype.str not in _TYPES for values in written.values()):
        raise TypeError("only floats and integers of eight bytes are kept")
    heads = [(name, values.dtype.str, values.shape) for name, values in written.items()]
    return b"\n".join([FORMAT, json.dumps(heads).encode(), b"".join(values.tobytes() for values in written.values())])


def _unpacked(content: bytes) -> dict[str, npt.NDArray[Any]]:
    """The arrays of a file; ValueError where it is cut short or of another form."""
    form, heads, data = content.split(b"\n", 2)
    if form != FORMAT:
        raise ValueError("not a file of arrays")
    found: dict[str, npt.NDArray[Any]] = {}
    start = 0
    for name, kind, shape in json.loads(heads):
        if kind not in _TYPES:
            raise ValueError(f"arrays of type {kind}")
        count = int(np.prod(shape, dtype=np.int64))
        found[name] = np.frombuffer(data, dtype=kind, count=count, offset=start).reshape(shape).copy()
        start += found[name].nbytes
    if start != len(data):
        raise ValueError("more or fewer bytes than its arrays have")
    return found
