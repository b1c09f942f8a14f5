"""Runs a command within limits of processor time, wall time and memory, its child processes included.

The processor time and peak memory of live processes are read from ``/proc``; where there is none, only the wall time binds and the figures are those the
system hands out at the end.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PROC = Path("/proc")
POLL, LOOK = 0.05, 0.5
"""Seconds between two looks at whether it has ended, and at what it has used."""
TICK = os.sysconf("SC_CLK_TCK")
PATIENCE = 6.0
"""Wall seconds allowed for each second of processor time: what a crowded machine may take."""


@dataclass(frozen=True)
class Ended:
    """How a command ended: ``stopped`` names the limit it ran into; ``peak_mb`` is that of its largest process."""

    code: int
    stopped: str | None
    cpu: float
    wall: float
    peak_mb: float
    lines: tuple[str, ...]
    error: str

    @property
    def outcome(self) -> str:
        """In words."""
        if self.stopped is not None:
            return self.stopped
        return "done" if self.code == 0 else f"failed ({self.code}): {self.error}"

    @property
    def records(self) -> list[dict[str, Any]]:
        """The lines that are JSON objects."""
        return [json.loads(line) for line in self.lines if line.startswith("{") and line.endswith("}")]


def run(
    command: Sequence[str], *, cpu: float, wall: float | None = None, memory_gb: float | None = None, echo: bool = False
) -> Ended:
    """Run ``command`` on one thread a process until it ends or has used ``cpu`` seconds (or ``wall`` seconds, None: six times that).

    ``memory_gb`` bounds the address space of each process. With ``echo`` its lines are printed as they come.
    """
    most = PATIENCE * cpu + 10.0 if wall is None else wall
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    lines: list[str] = []
    with tempfile.TemporaryFile("w+", errors="replace") as errors:
        started = time.perf_counter()
        child = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, text=True, errors="replace", env=environment, start_new_session=True
        )  # fmt: skip
        if memory_gb is not None and hasattr(resource, "prlimit"):
            size = int(memory_gb * 2**30)
            resource.prlimit(child.pid, resource.RLIMIT_AS, (size, size))
        reader = threading.Thread(target=_read, args=(child, lines, echo), daemon=True)
        reader.start()
        code, used, highest, stopped = _watch(child.pid, cpu, started + most, most)
        wall_used = time.perf_counter() - started
        child.returncode = code
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)  # what it left running
        reader.join(timeout=5.0)
        errors.seek(0)
        said = errors.read().strip().splitlines()
    return Ended(code, stopped, used, wall_used, highest, tuple(lines), said[-1][:160] if said else "no message")


def python(script: str, *arguments: str, interpreter: str = sys.executable) -> list[str]:
    """The command that runs a script of this folder."""
    return [interpreter, str(ROOT / "benchmarks" / script), *arguments]


def _read(child: subprocess.Popen[str], lines: list[str], echo: bool) -> None:
    assert child.stdout is not None
    for text in child.stdout:
        for line in text.replace("\r", "\n").rstrip("\n").split("\n"):
            lines.append(line)
            if echo:
                print(f"   {line}", flush=True)


def _watch(pid: int, cpu: float, deadline: float, most: float) -> tuple[int, float, float, str | None]:
    """Exit code, processor seconds, peak megabytes, and the limit that was reached."""
    used, highest, stopped, look = 0.0, 0.0, None, 0.0
    while True:
        if time.perf_counter() >= look:
            seconds, peak = _tree(pid)
            used, highest, look = max(used, seconds), max(highest, peak), time.perf_counter() + LOOK
        ended, status, use = os.wait4(pid, os.WNOHANG)
        if ended:
            used = max(used, use.ru_utime + use.ru_stime)
            highest = max(highest, use.ru_maxrss / 1024)
            return os.waitstatus_to_exitcode(status), used, highest, stopped
        if stopped is None and used >= cpu:
            stopped = f"stopped after {used:.0f} CPU s"
            _end(pid)
        elif stopped is None and time.perf_counter() >= deadline:
            stopped = f"stopped after {most:.0f} s of wall time ({used:.0f} CPU s)"
            _end(pid)
        time.sleep(POLL)


def _end(pid: int) -> None:
    """End what the command has started, and nothing else."""
    for one in [*_descendants(pid), pid]:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(one, signal.SIGKILL)


def _fields(folder: Path) -> list[str]:
    return (folder / "stat").read_text().rpartition(")")[2].split()


def _descendants(pid: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for folder in PROC.glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            children.setdefault(int(_fields(folder)[1]), []).append(int(folder.name))
    found = list(children.get(pid, []))
    for one in found:
        found.extend(children.get(one, []))
    return found


def _tree(pid: int) -> tuple[float, float]:
    """Processor seconds of a live process, its live descendants and their ended children; megabytes of the largest."""
    ticks, peak = 0, 0.0
    for one in [pid, *_descendants(pid)]:
        with contextlib.suppress(OSError, ValueError, IndexError):
            ticks += sum(int(field) for field in _fields(PROC / str(one))[11:15])
            status = (PROC / str(one) / "status").read_text()
            peak = max(
                [peak, *(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM"))]
            )
    return ticks / TICK, peak
