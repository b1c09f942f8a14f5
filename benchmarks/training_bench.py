"""The engine on the compiled training-30mw: with its fixing, without it on the unpruned program, and a peer where its interpreter is named.

    python benchmarks/training_bench.py [--seconds S] [--resolution R] [--pyaugmecon PYTHON]

Processor seconds of one process on one core. What does not end within S seconds is stated as such: a sample of the engine's own questions is put
to the plain program, and what it took is multiplied by how often the engine asks.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
SAMPLE = 3
COMPILING = 240.0
"""Seconds on top for compiling half a million placements."""


def compiled(*, pruned: bool) -> Any:
    from models.formulation.build import build
    from models.loading import load
    from optimizer.compile import compile_formulation
    from optimizer.performance_cache import PerformanceCache
    from optimizer.solve import enumerate_candidates

    instance = load("training-30mw")
    candidates = enumerate_candidates(instance, PerformanceCache())
    return compile_formulation(build(instance, ("tco", "throughput", "power"), candidates, pruned=pruned))


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def ours(resolution: float) -> Any:
    import highspy  # noqa: F401
    import ortools.sat.python.cp_model  # noqa: F401

    from optimizer.pareto import solve

    model = compiled(pruned=True)
    print(f"compiled: {model.n_columns} columns, {model.n_rows} rows; {peak_mb():.0f} MB so far", flush=True)
    before = time.process_time()
    result = solve(model, shares=[resolution] * 3)
    cpu = time.process_time() - before
    print(
        f"ours: {result.status.value}, {result.n_points} points, {result.solves} solves, {cpu:.2f} CPU s, "
        f"{result.tolerated} proofs on tolerances, {peak_mb():.0f} MB",
        flush=True,
    )
    return model, result, cpu


def plain_child(corners: list[list[float]]) -> None:
    """Questions like the engine's own, put to the unpruned program in one piece; a JSON line each."""
    from optimizer.backends.highs_here import HighsHere

    model = compiled(pruned=False)
    solver = HighsHere(model)
    for corner in corners:
        before = time.process_time()
        print(json.dumps({"columns": model.n_columns, "begun": before}), flush=True)
        found = solver.solve(weights=[1.0, 1.0, 1.0], objective_upper=[float("inf"), *corner[1:]], step=1.0)
        cpu = time.process_time() - before
        print(json.dumps({"stop": found.stop.value, "value": found.objective, "cpu": cpu}), flush=True)


def plain(result: Any, cpu: float, seconds: float) -> None:
    import numpy as np

    rows = np.linspace(0, result.n_points - 1, SAMPLE).astype(int)
    corners = (result.points[rows] + np.array(result.delta)).tolist()
    run = subprocess.Popen(
        [sys.executable, __file__, "--plain", json.dumps(corners)],
        stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(HERE.parent)},
    )  # fmt: skip
    before = children()
    try:
        out, _ = run.communicate(timeout=seconds + COMPILING)
    except subprocess.TimeoutExpired:
        run.kill()
        out, _ = run.communicate()
    total = children() - before
    lines = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    begun = [line["begun"] for line in lines if "begun" in line]
    taken = [line["cpu"] for line in lines if "cpu" in line]
    columns = next((line["columns"] for line in lines if "columns" in line), None)
    if not begun:
        print(f"plain: the unpruned program was not compiled in time ({total:.0f} CPU s)", flush=True)
    elif not taken:
        spent = total - begun[0]
        print(
            f"plain, {columns} columns: the first of {result.solves} solves had not ended after {spent:.0f} CPU s, "
            f"{spent / cpu:.0f} times what ours took for all",
            flush=True,
        )
    else:
        every = result.solves * sum(taken) / len(taken)
        print(
            f"plain, {columns} columns: {len(taken)} solves, {sum(taken) / len(taken):.1f} CPU s each; "
            f"about {every:.0f} CPU s for {result.solves}, {every / cpu:.0f} times ours",
            flush=True,
        )


def children() -> float:
    """CPU seconds of ended child processes."""
    use = resource.getrusage(resource.RUSAGE_CHILDREN)
    return use.ru_utime + use.ru_stime


def peer(model: Any, result: Any, interpreter: str, resolution: float, seconds: float) -> None:
    from pareto_bench import child

    rows = model.matrix.tocsr()
    constraints = []
    for row in range(model.n_rows):
        part = slice(rows.indptr[row], rows.indptr[row + 1])
        body = {"idx": rows.indices[part].tolist(), "val": rows.data[part].tolist()}
        low, high = float(model.row_lower[row]), float(model.row_upper[row])
        if low == high:
            constraints.append({**body, "sense": "=", "rhs": low})
            continue
        if low > -float("inf"):
            constraints.append({**body, "sense": ">=", "rhs": low})
        if high < float("inf"):
            constraints.append({**body, "sense": "<=", "rhs": high})
    from optimizer.backends.implied import finite_bounds

    lower, upper = finite_bounds(model)
    data = {
        "n_vars": model.n_columns, "lb": lower.tolist(), "ub": upper.tolist(), "sense": ["min"] * 3,
        "objectives": model.objectives.tolist(), "constraints": constraints,
        "nondominated_points": (result.points - model.offsets).tolist(), "grid_points": round(1 / resolution) + 1,
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "training-30mw.json"
        path.write_text(json.dumps(data))
        before = children()
        found = child([interpreter, str(HERE / "pareto_peer_pyaugmecon.py"), str(path)], seconds)
    print(
        f"pyaugmecon 1.0.8, {round(1 / resolution) + 1} grid points: {json.dumps(found)}; {children() - before:.0f} CPU s",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--seconds", type=float, default=120.0, help="wall clock of the plain solves together, and of the peer"
    )
    parser.add_argument("--resolution", type=float, default=0.01)
    parser.add_argument("--pyaugmecon", help="interpreter with pyaugmecon and highspy")
    parser.add_argument("--plain", help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.plain:
        plain_child(json.loads(wanted.plain))
        return
    model, result, cpu = ours(wanted.resolution)
    if wanted.pyaugmecon:
        peer(model, result, wanted.pyaugmecon, wanted.resolution, wanted.seconds)
    plain(result, cpu, wanted.seconds)


if __name__ == "__main__":
    main()
