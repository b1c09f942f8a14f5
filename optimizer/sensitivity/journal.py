"""Questions that have been answered, by content: what a command that was stopped need not solve again.

A file of JSON lines, appended to as soon as an answer is proven, by every process of an analysis. A question is named by the hash of
every number of its program, so that an answer can never be taken for that of another; a line that was cut short is left out.
"""

from __future__ import annotations

import errno
import json
import logging
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.errors import UsageError
from optimizer.compiled_model import Floats

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Solved:
    """``x``: column -> value where that is not zero, None where nothing is legal; ``bound`` of the cost in whole quanta.

    ``proven``: nothing is cheaper; what is not is never kept.
    """

    bound: float
    x: Mapping[int, float] | None
    proven: bool = True

    def point(self, columns: int) -> Floats:
        """``x`` as an array of all columns."""
        found = np.zeros(columns)
        if self.x:
            found[list(self.x)] = list(self.x.values())
        return found


class Journal:
    """Answers by the name of their question; kept in memory alone where ``path`` is None.

    An existing file is continued with ``resume`` and begun anew without it.
    """

    def __init__(self, path: Path | None = None, resume: bool = False) -> None:
        self.path = path
        self._known: dict[str, Solved] = {}
        if path is None:
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if resume and path.exists():
                self._known = dict(_read(path))
                self._end_line(path)
            else:
                path.write_bytes(b"")
        except OSError as error:
            raise UsageError(f"answers cannot be kept in {path}: {error.strerror}") from None

    def __len__(self) -> int:
        return len(self._known)

    def get(self, question: str) -> Solved | None:
        """The answer to a question, None where it was not asked before."""
        return self._known.get(question)

    def put(self, question: str, answer: Solved) -> None:
        """Keeps a proven answer; one line, written at once, so that processes may share the file."""
        self._known[question] = answer
        if self.path is None:
            return
        bound = None if math.isinf(answer.bound) else answer.bound
        point = None if answer.x is None else {str(k): v for k, v in answer.x.items()}
        line = json.dumps({"question": question, "bound": bound, "x": point}, sort_keys=True) + "\n"
        try:
            _append(self.path, line.encode())
        except OSError as error:
            # what was found so far stays, and what is found from here on is at least used here
            _log.warning("warning: answers are no longer kept in %s: %s", self.path, error.strerror)
            self.path = None

    @staticmethod
    def _end_line(path: Path) -> None:
        """A last line that was cut short must not swallow the next one."""
        content = path.read_bytes()
        if content and not content.endswith(b"\n"):
            with path.open("ab") as stream:
                stream.write(b"\n")


def _append(path: Path, line: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    try:
        if os.write(handle, line) < len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    finally:
        os.close(handle)


def _read(path: Path) -> dict[str, Solved]:
    found = {}
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            told = json.loads(line)
            point = told["x"]
            x = None if point is None else {int(k): float(v) for k, v in point.items()}
            bound = math.inf if told["bound"] is None else float(told["bound"])
            found[str(told["question"])] = Solved(bound, x)
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
    return found


def default_journal(command: str, *fingerprints: str) -> Path | None:
    """Where a command keeps its answers about some instances when it is not told: among what the user's cache holds, if there is one."""
    from optimizer.performance_cache import default_folder

    folder = default_folder()
    return (
        None
        if folder is None
        else folder / "questions" / f"{'-'.join((command, *(one[:16] for one in fingerprints)))}.jsonl"
    )
