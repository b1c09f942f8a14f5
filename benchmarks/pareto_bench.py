"""The Pareto engine on public instances: points, solves, CPU seconds, peak memory; with peers where their interpreters are named.

    python benchmarks/pareto_bench.py [--instances NAME ...] [--largest N] [--seconds S] [--pyaugmecon PYTHON] [--pymoo PYTHON] [--markdown]

Each run is its own process on one core. Instances of more than N points are ours alone, for at most S seconds each: what is stopped says so. ``--pyaugmecon`` and ``--pymoo`` name the interpreters of environments that have these packages
(release 2 of pyaugmecon needs Python 3.12; the newest that runs on 3.11 is 1.0.8).
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
FOLDER = HERE.parent / "tests" / "data" / "moo"


def ours(name: str, seconds: float, algorithm: str) -> dict[str, Any]:
    import highspy  # noqa: F401  (loaded before the clock starts, as for the peers)
    import ortools.sat.python.cp_model  # noqa: F401

    from optimizer import moo_json
    from optimizer.pareto import RunLimits, solve

    truth = json.loads((FOLDER / f"{name}.json").read_text())
    model = moo_json.read(FOLDER / f"{name}.json")
    before = time.process_time()
    result = solve(model, algorithm=algorithm, limits=RunLimits(seconds=seconds))
    cpu = time.process_time() - before
    points = sorted(model.in_original_sense(result.points).astype(int).tolist())
    known = truth["nondominated_points"]
    true = None if known is None else sum(y in known for y in points)
    return {
        "instance": name, "solver": f"ours ({result.backend}, {result.algorithm})", "points": len(points), "true_points": true,
        "expected": truth["n_nondominated"], "solves": result.solves, "cpu": cpu, "seconds": result.seconds, "status": result.status.value,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }  # fmt: skip


def child(command: list[str], seconds: float) -> dict[str, Any]:
    """The last JSON line a process prints, or why there is none."""
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent), "OMP_NUM_THREADS": "1"}
    run = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True
    )
    try:
        out, err = run.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(run.pid, signal.SIGKILL)  # a peer's own processes belong to the session begun here
        run.communicate()
        return {"failed": f"not finished in {seconds:.0f} s"}
    lines = [line for line in out.replace("\r", "\n").splitlines() if line.startswith("{")]
    if not lines:
        return {"failed": (err.strip().splitlines() or ["no output"])[-1][:80]}
    found: dict[str, Any] = json.loads(lines[-1])
    return found


def instances(chosen: list[str], largest: int) -> list[tuple[str, bool]]:
    """Names, the small ones first, and whether each is small enough for the peers."""
    rows = []
    for path in sorted(FOLDER.glob("*.json")):
        data = json.loads(path.read_text())
        count, known = data["n_nondominated"], data["nondominated_points"] is not None
        if path.stem in chosen or not chosen:
            rows.append((path.stem, count is not None and known and count <= largest))
    return sorted(rows, key=lambda row: not row[1])


def markdown(rows: list[dict[str, Any]]) -> None:
    print("| instance | solver | points (true) of | solves | per point | CPU s | peak MB |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for row in rows:
        if "failed" in row:
            print(f"| {row['instance']} | {row['solver']} | {row['failed']} | | | | |")
            continue
        true = "" if row.get("true_points") is None else f" ({row['true_points']})"
        print(
            f"| {row['instance']} | {row['solver']} | {row['points']}{true} of {row.get('expected') or '?'} | {row['solves']} "
            f"| {row['solves'] / max(1, row['points']):.2f} | {row['cpu']:.2f} | {row['peak_mb']:.0f} |"
        )


def summary(rows: list[dict[str, Any]]) -> None:
    """Geometric mean of CPU ratios on the instances both finish."""
    mine = {r["instance"]: r["cpu"] for r in rows if r.get("status") == "complete"}
    for peer in sorted({r["solver"] for r in rows if not r["solver"].startswith("ours")}):
        ratios = [
            r["cpu"] / mine[r["instance"]] for r in rows if r["solver"] == peer and "cpu" in r and r["instance"] in mine
        ]
        if ratios:
            mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
            print(
                f"\n{peer}: {len(ratios)} instances, CPU ratio {mean:.1f} in geometric mean, {min(ratios):.1f} at worst"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--instances", nargs="*", default=[])
    parser.add_argument("--largest", type=int, default=120, help="most points of an instance that peers run too")
    parser.add_argument("--seconds", type=float, default=120.0, help="wall clock per run")
    parser.add_argument("--algorithm", default="auto")
    parser.add_argument("--pyaugmecon", help="interpreter with pyaugmecon and highspy")
    parser.add_argument("--pymoo", help="interpreter with pymoo")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.one:
        print(json.dumps(ours(wanted.one, wanted.seconds, wanted.algorithm)))
        return
    rows = []
    for name, small in instances(wanted.instances, wanted.largest):
        path = str(FOLDER / f"{name}.json")
        own = [
            sys.executable,
            __file__,
            "--one",
            name,
            "--seconds",
            str(wanted.seconds),
            "--algorithm",
            wanted.algorithm,
        ]
        found = child(own, 2 * wanted.seconds + 60)
        runs = [{"solver": "ours", **found}]
        if wanted.pyaugmecon and small:
            peer = child([wanted.pyaugmecon, str(HERE / "pareto_peer_pyaugmecon.py"), path], wanted.seconds)
            runs.append({"solver": "pyaugmecon 1.0.8", "expected": found.get("expected"), **peer})
        if wanted.pymoo and small:
            budget = str(max(1.0, found.get("cpu", wanted.seconds)))
            peer = child([wanted.pymoo, str(HERE / "pareto_peer_pymoo.py"), path, budget], wanted.seconds)
            runs.append({"solver": "pymoo NSGA-II", "expected": found.get("expected"), **peer})
        for run in runs:
            run["instance"] = name
            if not wanted.markdown:
                print(json.dumps(run), flush=True)
        rows += runs
    if wanted.markdown:
        markdown(rows)
    summary(rows)


if __name__ == "__main__":
    main()
