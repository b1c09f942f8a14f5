"""What the benchmarks rest on: limits that hold for a command and all it starts, and programs written without a modeller."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import pytest

from benchmarks import bounded, whole_program
from models.candidates.placement import enumerate_candidates
from models.formulation.build import build
from models.loading import load
from optimizer.compile import compile_formulation
from optimizer.performance_cache import PerformanceCache

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="limits on processor time need /proc")
BUSY = "while True: pass"


def run(code: str, **limits: float) -> bounded.Ended:
    return bounded.run([sys.executable, "-c", code], **{"cpu": 30.0, **limits})


def test_a_command_that_ends_says_what_it_used() -> None:
    ended = run("print('{\"a\": 1}'); x = bytearray(80 * 2**20); sum(range(3_000_000))")
    assert ended.outcome == "done"
    assert ended.records == [{"a": 1}]
    assert ended.peak_mb > 80
    assert 0.0 < ended.cpu < 20.0


def test_a_command_is_stopped_at_its_processor_time() -> None:
    ended = run(f"print('begun', flush=True)\n{BUSY}", cpu=0.5)
    assert ended.stopped is not None
    assert ended.lines == ("begun",)
    assert ended.cpu >= 0.5


def test_what_a_command_starts_counts_and_is_ended_too(tmp_path: Path) -> None:
    note = tmp_path / "alive"
    child = f"import time, pathlib\nwhile True:\n  pathlib.Path({str(note)!r}).write_text(str(time.time()))"
    code = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {child!r}], start_new_session=True)"
    assert run(code, cpu=0.5).stopped is not None
    time.sleep(0.3)
    first = note.read_text()
    time.sleep(0.3)
    assert note.read_text() == first


def test_wall_time_and_memory_bind() -> None:
    assert "wall" in str(run("import time; time.sleep(60)", wall=0.5).stopped)
    ended = run("x = bytearray(3 * 2**30)", memory_gb=1.0)
    assert ended.code == 1
    assert "MemoryError" in ended.error


@pytest.mark.parametrize("name", ["tiny/two-clusters", "tiny/thermal-liquid"])
def test_a_program_without_a_modeller_has_the_same_numbers(name: str) -> None:
    instance = load(name)
    goals = ("tco", "power")
    formulation = build(instance, goals, enumerate_candidates(instance, PerformanceCache(), objectives=goals))
    model, bare = compile_formulation(formulation), whole_program.matrices(formulation)
    rows = [model.row_keys.index(key) for key in bare.row_keys]
    assert sorted(rows) == list(range(model.n_rows))
    np.testing.assert_array_equal(model.row_lower[rows], bare.row_lower)
    np.testing.assert_array_equal(model.row_upper[rows], bare.row_upper)
    np.testing.assert_array_equal(model.offsets, bare.offsets)
    assert model.steps == bare.steps
    parts = [
        np.vstack([m.matrix.toarray()[order], m.objectives, m.lower, m.upper, m.integer])
        for m, order in ((model, rows), (bare, list(range(bare.n_rows))))
    ]
    first, second = (part[:, np.lexsort(part)] for part in parts)
    np.testing.assert_array_equal(first, second)
