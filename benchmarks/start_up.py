"""What a user waits for before any work begins: starting, asking for help, reading an instance."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REPEATS = 5

CASES = {
    "python alone": [sys.executable, "-c", "pass"],
    "import optimizer": [sys.executable, "-c", "import optimizer"],
    "optimizer --help": [sys.executable, "-m", "optimizer", "--help"],
    "optimizer solve (unknown name)": [sys.executable, "-m", "optimizer", "solve", "no-such-instance"],
    "optimizer list instances": [sys.executable, "-m", "optimizer", "list", "instances"],
    "optimizer list parts": [sys.executable, "-m", "optimizer", "list", "parts"],
    'optimizer.load("training-30mw")': [sys.executable, "-c", "import optimizer; optimizer.load('training-30mw')"],
}


def seconds(command: list[str]) -> list[float]:
    """Wall time of each repeat; the first run, which fills caches of the file system, is not counted."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    measured = []
    for _ in range(REPEATS + 1):
        start = time.perf_counter()
        done = subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True)
        if done.returncode != (2 if "no-such-instance" in command else 0):
            raise RuntimeError(f"{' '.join(command)}: exit code {done.returncode}")
        measured.append(time.perf_counter() - start)
    return measured[1:]


if __name__ == "__main__":
    print(f"{'':34}{'median s':>10}{'lowest s':>10}   ({REPEATS} repeats)")
    for name, command in CASES.items():
        measured = seconds(command)
        print(f"{name:34}{statistics.median(measured):10.3f}{min(measured):10.3f}")
