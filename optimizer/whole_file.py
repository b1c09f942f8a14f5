"""Files that are there whole or not at all: written beside, flushed to the disk, then renamed."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from models.errors import UsageError


def write_json(path: Path, value: Any, *, in_order: bool = False) -> None:
    """``value`` as readable JSON, the file whole or not at all; keys sorted unless ``in_order``."""
    text = json.dumps(value, indent=1, sort_keys=not in_order, ensure_ascii=False, allow_nan=False, default=str)
    write_text(path, f"{text}\n")


def write_text(path: Path, text: str) -> None:
    """``text`` to ``path``, the file whole or not at all."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """``content`` to ``path``: written beside, flushed, then renamed. UsageError where its folder does not exist."""
    if not path.parent.is_dir():
        raise UsageError(f"no folder {path.parent} to write {path.name} in")
    beside = path.with_name(f".{path.name}.part")
    try:
        with beside.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(path)
    except BaseException as error:
        with suppress(OSError):  # a folder that refuses the file refuses this as well
            beside.unlink(missing_ok=True)
        if isinstance(error, OSError):
            error.filename = str(path)
        raise
