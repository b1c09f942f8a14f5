"""Standard streams that are closed, full or no longer read: the product is never taken for written, and notes never end a run."""

from __future__ import annotations

import io
import os
import sys
from typing import Any


def prepare() -> None:
    """Makes the standard streams fit to be used, whatever the process was started with.

    A closed stdout refuses to be written as a full one does; a note that stderr does not take is lost, and the run goes on. What an
    encoding lacks is printed as an escape.
    """
    _hold_descriptors()
    if sys.stdout is None:
        # on a descriptor that can only be read, so that writing tells that it is closed
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    if sys.stderr is not None and type(_raw(sys.stderr)) is io.FileIO:
        sys.stderr = _forgiving(sys.stderr)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def silence(stream: object) -> None:
    """Points a stream that cannot be written at the null device, so that the flush at exit does not fail again."""
    number = getattr(stream, "fileno", lambda: None)()
    if number is not None:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, number)
        os.close(null)


def _hold_descriptors() -> None:
    """Takes the numbers of standard streams that are closed: the next file opened would get them, and what a library prints with it."""
    for number, way in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            taken = os.open(os.devnull, way)
            os.dup2(taken, number)  # for other processes too
            if taken != number:
                os.close(taken)
            os.set_inheritable(number, True)


class _Notes(io.FileIO):
    """A file whose writes never fail."""

    def write(self, content: Any, /) -> int:
        """Writes what can be; all of it counts as written."""
        try:
            return super().write(content)
        except OSError:
            return memoryview(content).nbytes


def _forgiving(stream: Any) -> io.TextIOWrapper:
    notes = io.BufferedWriter(_Notes(stream.fileno(), "w", closefd=False))
    return io.TextIOWrapper(notes, encoding=stream.encoding, errors=stream.errors, line_buffering=True)


def _raw(stream: Any) -> object:
    """The file below a text stream, None where there is none (a test or a terminal of its own)."""
    buffer = getattr(stream, "buffer", None)
    return getattr(buffer, "raw", buffer)
