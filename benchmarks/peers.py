"""Makes the environments of the peers, once, under ``.bench/``; each peer has its own, apart from ours.

    python benchmarks/peers.py

Prints the interpreter of each, or why there is none (without a package index the comparisons are left out, and say so).
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

CACHE = Path(__file__).resolve().parents[1] / ".bench"
SECONDS = 600
PEERS = {
    # 2.x needs Python 3.12: 1.0.8 is the newest that runs on every Python this project runs on
    "pyaugmecon": ("pyaugmecon==1.0.8", "highspy>=1.14,<1.15"),
    "pymoo": ("pymoo==0.6.2",),
}


@dataclass(frozen=True)
class Peer:
    """``interpreter`` has the peer installed; None with the reason where it could not be."""

    name: str
    interpreter: str | None
    reason: str = ""


def peer(name: str) -> Peer:
    """The environment of a peer, made where it is not there yet."""
    folder, wanted = CACHE / "peers" / name, PEERS[name]
    interpreter, stamp = folder / "bin" / "python", folder / "installed"
    key = f"{sys.version}\n" + "\n".join(wanted)
    if stamp.is_file() and stamp.read_text() == key and _works([str(interpreter), "-c", f"import {name}"]) is None:
        return Peer(name, str(interpreter))
    print(f"installing {', '.join(wanted)} into {folder} (once)", file=sys.stderr, flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    steps = (
        [sys.executable, "-m", "venv", "--without-pip", str(folder)],
        [sys.executable, "-m", "pip", "--python", str(interpreter), "install", "--quiet", "--disable-pip-version-check", *wanted],
        [str(interpreter), "-c", f"import {name}"],
    )  # fmt: skip
    for step in steps:
        failure = _works(step)
        if failure is not None:
            return Peer(name, None, f"{name} could not be installed (offline?): {failure}")
    stamp.write_text(key)
    return Peer(name, str(interpreter))


def _works(command: list[str]) -> str | None:
    """None, or the last line of what went wrong."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)[:160]
    if done.returncode == 0:
        return None
    said = [line for line in done.stderr.strip().splitlines() if not line.startswith("WARNING")]
    return (said or ["no message"])[-1][:160]


def main() -> None:
    for name in PEERS:
        found = peer(name)
        print(f"{name:12}{found.interpreter or found.reason}")


if __name__ == "__main__":
    main()
