"""The engine on the compiled training-30mw against itself without its structure, and against a peer on the same programs.

    python benchmarks/training_bench.py [--resolution R] [--times N]

Processor seconds of one process on one core, compiling apart. Two programs: the one the tool solves (placements that another one replaces are
pruned), and the one a modeller would hand to a solver (every placement). What needs more than N times ours is stopped there, so that the ratio it prints is a lower
bound; the peer also runs with the exact grid (one point per integer) of the pruned program, against our exact frontier.
"""

from __future__ import annotations

import argparse
import json
import pickle
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import bounded
import numpy as np
import peers

OBJECTIVES = ("tco", "throughput", "power")
LEAST_SECONDS = 60.0
COMPILING = 240.0
MEMORY_GB = 12.0


def compiled(folder: Path, pruned: bool) -> None:
    """Writes the program; the unpruned one without a modeller in between, which would take gigabytes for its 20 million coefficients."""
    from whole_program import matrices

    from models.formulation.build import build
    from models.loading import load
    from optimizer.performance_cache import PerformanceCache
    from optimizer.solve import enumerate_candidates

    instance = load("training-30mw")
    candidates = enumerate_candidates(instance, PerformanceCache(), objectives=OBJECTIVES)
    before = time.process_time()
    model = matrices(build(instance, OBJECTIVES, candidates, pruned=pruned))
    (folder / _file(pruned)).write_bytes(pickle.dumps(model, protocol=5))
    print(json.dumps({"seconds": time.process_time() - before, "peak_mb": _peak()}))


def _file(pruned: bool) -> str:
    return "pruned.pickle" if pruned else "whole.pickle"


def _read(folder: Path, pruned: bool) -> Any:
    return pickle.loads((folder / _file(pruned)).read_bytes())


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def engine(folder: Path, pruned: bool, reduce: bool, share: float) -> None:
    """Ours on one program; a JSON line when it begins, whenever it has news, and at the end."""
    import highspy  # noqa: F401  (loaded before the clock starts)
    import ortools.sat.python.cp_model  # noqa: F401

    from optimizer.pareto import Progress, solve

    model = _read(folder, pruned)
    before = time.process_time()
    print(json.dumps({"size": [model.n_columns, model.n_rows, int(model.matrix.nnz)], "before": before}), flush=True)

    def said(progress: Progress) -> None:
        cpu = time.process_time() - before
        print(
            json.dumps({"points": progress.points, "solves": progress.solves, "cpu": cpu, "peak_mb": _peak()}),
            flush=True,
        )

    result = solve(model, shares=[share] * model.n_objectives, reduce=reduce, on_progress=said)
    cpu = time.process_time() - before
    if pruned and reduce:
        np.savez(folder / f"ours-{share}.npz", points=result.points, delta=np.array(result.delta))
    print(
        json.dumps({
            "status": result.status.value, "points": result.n_points, "solves": result.solves, "cpu": cpu,
            "tolerated": result.tolerated, "peak_mb": _peak(),
        })
    )  # fmt: skip


def for_peer(folder: Path, pruned: bool, share: float, grid: int) -> Path:
    """The program as arrays that need nothing of ours to be read, with points to compare with and safe nadir values."""
    from optimizer.backends.implied import finite_bounds

    model = _read(folder, pruned)
    points = np.load(folder / f"ours-{share}.npz")["points"] - model.offsets
    lower, upper = finite_bounds(model)
    rows = model.matrix.tocsr()
    path = folder / f"peer-{'pruned' if pruned else 'whole'}-{grid}.npz"
    np.savez(
        path, lb=lower, ub=upper, signs=-np.ones(model.n_objectives, dtype=int), objectives=model.objectives,
        indptr=rows.indptr, indices=rows.indices, values=rows.data, low=model.row_lower, high=model.row_upper,
        points=points, grid_points=grid, nadir=-points.max(axis=0)[1:],
    )  # fmt: skip
    return path


def say(name: str, ended: bounded.Ended, mine: dict[str, Any] | None) -> dict[str, Any]:
    """Prints a row; returns its last figures. ``mine``: what the ratio is taken to."""
    found = {key: value for record in ended.records for key, value in record.items()}
    began = found.get("before", 0.0)
    cpu = found["cpu"] if "status" in found or "solver" in found else ended.cpu - began
    parts = [f"{found.get('points', 0)} points", f"{found.get('solves', 0)} solves", f"{cpu:.2f} CPU s"]
    parts.append(f"{max(found.get('peak_mb', 0.0), ended.peak_mb):.0f} MB")
    complete = found.get("status") == "complete" or found.get("stopped") is False
    if "true_points" in found:
        parts[0] += f", {found['true_points']} of them among ours"
    if not complete:
        memory = f"out of memory at {MEMORY_GB:.0f} GB" if "MemoryError" in ended.error else ended.outcome
        parts.insert(0, "gave up" if found.get("stopped") or ended.stopped else memory)
    if mine is not None and (complete or found.get("stopped") or ended.stopped):
        parts.append(f"{'' if complete else 'more than '}{cpu / mine['cpu']:.0f} times ours")
    print(f"{name}: {', '.join(parts)}", flush=True)
    return {**found, "cpu": cpu, "complete": complete}


class Rows:
    """The rows of the comparison, one process each."""

    def __init__(self, folder: Path, share: float, times: float) -> None:
        self.folder, self.share, self.times = folder, share, times

    def child(self, *arguments: str, cpu: float) -> bounded.Ended:
        command = bounded.python("training_bench.py", "--folder", str(self.folder), *arguments)
        return bounded.run(command, cpu=cpu, memory_gb=None)

    def compile(self, what: str) -> bool:
        ended = self.child("--compile", what, cpu=COMPILING)
        found = ended.records[-1] if ended.records else {}
        print(
            f"{what} program compiled: {ended.outcome}, {found.get('seconds', 0.0):.1f} CPU s after the candidates, "
            f"{found.get('peak_mb', 0.0):.0f} MB", flush=True,
        )  # fmt: skip
        return ended.outcome == "done"

    def ours(self, share: float) -> dict[str, Any]:
        ended = self.child("--engine", "pruned", "--resolution", str(share), cpu=600.0)
        size = ended.records[0]["size"] if ended.records else None
        print(f"the pruned program: {size} columns, rows, coefficients")
        return say(f"ours, {'exact' if share == 0 else f'{share:.0%}'}", ended, None)

    def plain(self, what: str, mine: dict[str, Any]) -> None:
        limit = max(LEAST_SECONDS, self.times * mine["cpu"])
        ended = self.child("--engine", what, "--plain", "--resolution", str(self.share), cpu=limit + 60.0)
        size = ended.records[0]["size"] if ended.records else "?"
        say(f"ours without fixing on the {what} program {size}", ended, mine)

    def peer(self, what: str, share: float, grid: int, mine: dict[str, Any], interpreter: str) -> None:
        limit = max(LEAST_SECONDS, self.times * mine["cpu"])
        path = for_peer(self.folder, what == "pruned", share, grid)
        command = bounded.python("pareto_peer_pyaugmecon.py", str(path), str(limit), interpreter=interpreter)
        ended = bounded.run(command, cpu=limit + COMPILING, memory_gb=MEMORY_GB)
        built = next((r["built"] for r in ended.records if "built" in r), None)
        name = f"pyaugmecon 1.0.8, {grid} grid points, {what} program"
        if built is None:
            print(
                f"{name}: could not write its model: {ended.outcome}, {ended.cpu:.0f} CPU s, {ended.peak_mb:.0f} MB of {MEMORY_GB:.0f} GB"
            )
            return
        say(f"{name} (its model written in {built:.0f} CPU s)", ended, mine)

    def run(self) -> None:
        if not self.compile("pruned"):
            return
        mine, exact = self.ours(self.share), self.ours(0.0)
        found = peers.peer("pyaugmecon")
        if found.interpreter is None:
            print(f"peer left out: {found.reason}")
        if found.interpreter and mine["complete"]:
            self.peer("pruned", self.share, round(1 / self.share) + 1, mine, found.interpreter)
        if found.interpreter and exact["complete"]:
            points = np.load(self.folder / "ours-0.0.npz")["points"]
            self.peer("pruned", 0.0, int(np.ptp(points, axis=0)[1:].max()) + 1, exact, found.interpreter)
        if mine["complete"]:
            self.plain("pruned", mine)
        if self.compile("whole") and mine["complete"]:
            self.plain("whole", mine)
            if found.interpreter:
                self.peer("whole", self.share, round(1 / self.share) + 1, mine, found.interpreter)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--resolution", type=float, default=0.01)
    parser.add_argument(
        "--times", type=float, default=55.0, help="what takes longer than this many times ours is stopped"
    )
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--compile", choices=("pruned", "whole"), help=argparse.SUPPRESS)
    parser.add_argument("--engine", choices=("pruned", "whole"), help=argparse.SUPPRESS)
    parser.add_argument("--plain", action="store_true", help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.compile:
        compiled(wanted.folder, wanted.compile == "pruned")
    elif wanted.engine:
        engine(wanted.folder, wanted.engine == "pruned", not wanted.plain, wanted.resolution)
    else:
        with tempfile.TemporaryDirectory() as folder:
            Rows(Path(folder), wanted.resolution, wanted.times).run()


if __name__ == "__main__":
    main()
