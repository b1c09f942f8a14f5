"""Processes that work for another: Ctrl-C reaches them all and is answered once; none outlives what it works for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# works for a minute in two processes that say who they are, unless it is stopped before
PROGRAM = """
import os, sys, time
from optimizer.sensitivity.effort import Effort

def at_work(hot, item, effort):
    print("at work", os.getpid(), flush=True)
    time.sleep(60)

if __name__ == "__main__":
    try:
        list(Effort(workers=2).each(at_work, None, [1, 2]))
    except KeyboardInterrupt:
        print("interrupted", flush=True)
        sys.exit(130)
"""


def _begun(path: Path) -> tuple[subprocess.Popen[str], list[int]]:
    path.write_text(PROGRAM)
    running = subprocess.Popen(
        [sys.executable, str(path)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert running.stdout is not None
    return running, [int(running.stdout.readline().split()[-1]) for _ in range(2)]


def _alive(process: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="asks the system which processes are there")
@pytest.mark.parametrize("how", ["interrupt", "kill"])
def test_no_process_is_left_and_an_interrupt_is_answered_once(tmp_path: Path, how: str) -> None:
    running, workers = _begun(tmp_path / "program.py")
    if how == "interrupt":
        os.killpg(running.pid, signal.SIGINT)  # as a terminal does
    else:
        running.kill()
    out, err = running.communicate(timeout=30)  # ends when nobody holds the pipes any more
    assert out == ("interrupted\n" if how == "interrupt" else "")
    assert "Traceback" not in err
    assert running.returncode == (130 if how == "interrupt" else -signal.SIGKILL)
    for _ in range(100):
        if not any(map(_alive, workers)):
            break
        time.sleep(0.1)
    assert not any(map(_alive, workers))


@pytest.mark.parametrize("ignored", [False, True])
def test_being_asked_to_end_is_an_interrupt(ignored: bool) -> None:
    code = (
        "import os, signal\nfrom optimizer.__main__ import _end_as_interrupted\n"
        f"signal.signal(signal.SIGINT, signal.{'SIG_IGN' if ignored else 'default_int_handler'})\n"
        "_end_as_interrupted()\n"
        "try:\n    os.kill(os.getpid(), signal.SIGTERM)\n    print('lived on')\nexcept KeyboardInterrupt:\n    print('interrupted')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "interrupted\n", "")
