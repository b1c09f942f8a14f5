"""Keeps searched throughput tables on disk by content, so that a second run of the same question is quick.

A file is a line that says what it is, a line with the digest of all that follows and of the name it is kept under, a line of JSON with
name, type and shape of every array, and the arrays' bytes one after the other: a run reads hundreds of small tables, and archives
would take longer to open than to read. Every process writes beside, under a name of its own, and renames; so whoever reads finds a
whole file or none.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import secrets
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

VARIABLE = "REFARCH_CACHE"
FORMAT = b"refarch arrays 2"
EARLIER = (b"refarch arrays 1\n",)
_TYPES = {"<f8", "<i8"}

_log = logging.getLogger(__name__)


def default_folder() -> Path | None:
    """``$REFARCH_CACHE``, else ``refarch/performance`` in the user's cache folder; None where the user has no home."""
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(base) if base else Path.home() / ".cache") / "refarch" / "performance"
    except RuntimeError:
        return None


class PerformanceCache:
    """Arrays by content hash, one file each. A file that cannot be read or written is as if it were not there.

    Where some are damaged, or cannot be read or written, a warning says so once.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or default_folder()

    def get(self, key: str) -> Mapping[str, npt.NDArray[Any]] | None:
        """The arrays kept under ``key``, or None."""
        if self.folder is None:
            return None
        path = self.folder / f"{key}.arrays"
        try:
            content = path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            _tell(self.folder, f"some kept throughput tables cannot be read ({_why(error)}); they are searched anew")
            return None
        try:
            return _unpacked(key, content)
        except (ValueError, KeyError, TypeError):
            if not content.startswith(EARLIER):
                _tell(self.folder, "some kept throughput tables are damaged; they are searched anew and replaced")
            return None

    def put(self, key: str, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Keeps arrays of floats or integers of eight bytes under ``key`` where the folder can be written."""
        content = _packed(key, arrays)
        if self.folder is None:
            _tell(
                None,
                f"throughput tables are not kept, since there is no home folder; {VARIABLE} names a folder for them",
            )
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            _write(self.folder / f"{key}.arrays", content)
        except OSError as error:
            why = f"throughput tables cannot be kept here ({_why(error)})"
            _tell(self.folder, f"{why}, so the next run searches them anew; {VARIABLE} names another folder")


@lru_cache(maxsize=64)
def _tell(about: Path | None, words: str) -> None:
    """Tells once of a folder: a run opens the same one many times over."""
    _log.warning("warning: %s", words if about is None else f"{about}: {words}")


def _why(error: OSError) -> str:
    return error.strerror or type(error).__name__


def _write(path: Path, content: bytes) -> None:
    """``content`` to ``path`` by way of a file of this process alone; no part of it stays where that fails."""
    beside = path.with_name(f".{path.stem}.{os.getpid()}-{secrets.token_hex(4)}.part")
    try:
        beside.write_bytes(content)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def _digest(key: str, rest: bytes) -> bytes:
    return hashlib.blake2b(rest, digest_size=16, key=key.encode()[:64]).hexdigest().encode()


def _packed(key: str, arrays: Mapping[str, npt.NDArray[Any]]) -> bytes:
    written = {
        name: np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<")) for name, values in arrays.items()
    }
    if any(values.dtype.str not in _TYPES for values in written.values()):
        raise TypeError("only floats and integers of eight bytes are kept")
    heads = [(name, values.dtype.str, values.shape) for name, values in written.items()]
    rest = b"\n".join([json.dumps(heads).encode(), b"".join(values.tobytes() for values in written.values())])
    return b"\n".join([FORMAT, _digest(key, rest), rest])


def _unpacked(key: str, content: bytes) -> dict[str, npt.NDArray[Any]]:
    """The arrays of a file; ValueError where it is damaged, of another form or of another name."""
    form, digest, rest = content.split(b"\n", 2)
    if form != FORMAT or digest != _digest(key, rest):
        raise ValueError("not a whole file of arrays of this name")
    heads, data = rest.split(b"\n", 1)
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
