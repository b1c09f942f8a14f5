"""The Pareto engine on public instances beside its peers: points, solves, CPU seconds, peak memory, ratios.

    python benchmarks/pareto_bench.py [INSTANCE ...] [--largest N] [--seconds S] [--alone]

Each run is its own process on one core, stopped after S processor seconds. Instances of more than N points are ours alone. pyaugmecon and pymoo run in environments of
their own that are made when they are missing (see ``peers.py``); NSGA-II gets the processor time ours took, at least a second.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import bounded
import peers

FOLDER = bounded.ROOT / "tests" / "data" / "moo"
MEMORY_GB = 8.0
STARTING = 15.0
"""Processor seconds on top, for starting and reading."""


def ours(name: str, seconds: float, algorithm: str) -> dict[str, Any]:
    import highspy  # noqa: F401  (loaded before the clock starts, as for the peers)
    import ortools.sat.python.cp_model  # noqa: F401

    from optimizer import moo_json
    from optimizer.pareto import solve

    truth = json.loads((FOLDER / f"{name}.json").read_text())
    model = moo_json.read(FOLDER / f"{name}.json")
    before = time.process_time()
    result = solve(model, algorithm=algorithm, stop=lambda: time.process_time() - before > seconds)
    cpu = time.process_time() - before
    points = sorted(model.in_original_sense(result.points).astype(int).tolist())
    known = truth["nondominated_points"]
    true = None if known is None else sum(y in known for y in points)
    return {
        "instance": name, "solver": f"ours ({result.backend}, {result.algorithm})", "points": len(points), "true_points": true,
        "expected": truth["n_nondominated"], "solves": result.solves, "cpu": cpu, "seconds": result.seconds, "status": result.status.value,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }  # fmt: skip


def instances(chosen: list[str], largest: int) -> list[tuple[str, bool]]:
    """Names, the small ones first, and whether each is small enough for the peers."""
    rows = []
    for path in sorted(FOLDER.glob("*.json")):
        data = json.loads(path.read_text())
        count, known = data["n_nondominated"], data["nondominated_points"] is not None
        if path.stem in chosen or not chosen:
            rows.append((count or math.inf, path.stem, count is not None and known and count <= largest))
    return [(name, small) for _, name, small in sorted(rows)]


class Bench:
    """Runs rows and remembers the ratios."""

    def __init__(self, seconds: float, algorithm: str, alone: bool) -> None:
        self.seconds, self.algorithm = seconds, algorithm
        self.ratios: list[float] = []
        self.wrong: list[str] = []
        self.peers = [] if alone else [peers.peer(name) for name in peers.PEERS]
        for one in self.peers:
            if one.interpreter is None:
                print(f"left out: {one.reason}", flush=True)

    def run(self, command: list[str], seconds: float) -> dict[str, Any]:
        """The last JSON line, or why there is none."""
        ended = bounded.run(command, cpu=seconds + STARTING, memory_gb=MEMORY_GB)
        found = ended.records[-1] if ended.records else {}
        if "points" not in found:
            memory = "MemoryError" in ended.error or "memory" in ended.error.lower()
            return {"failed": f"out of memory at {MEMORY_GB:.0f} GB" if memory else ended.outcome}
        return {**found, "peak_mb": max(found.get("peak_mb", 0.0), ended.peak_mb)}

    def instance(self, name: str, small: bool) -> None:
        """One row of the table."""
        own = bounded.python(
            "pareto_bench.py", "--one", name, "--seconds", str(self.seconds), "--algorithm", self.algorithm
        )
        mine = self.run(own, self.seconds)
        path = str(FOLDER / f"{name}.json")
        cells = [name, self.own_cell(name, mine)]
        for one in self.peers:
            if not small or one.interpreter is None or "failed" in mine:
                cells.append("")
            elif one.name == "pyaugmecon":
                command = bounded.python(
                    "pareto_peer_pyaugmecon.py", path, str(self.seconds), interpreter=one.interpreter
                )
                cells.append(self.exact_cell(mine, self.run(command, self.seconds)))
            else:
                budget = max(1.0, mine["cpu"])
                command = bounded.python("pareto_peer_pymoo.py", path, str(budget), interpreter=one.interpreter)
                cells.append(genetic_cell(self.run(command, budget)))
        print(f"| {' | '.join(cells)} |", flush=True)

    def own_cell(self, name: str, mine: dict[str, Any]) -> str:
        """Ours; a complete run that does not have what is known counts as wrong, and so does any point that is not among it."""
        if "failed" in mine:
            self.wrong += [name] if mine["failed"].startswith("failed") else []
            return str(mine["failed"])
        complete, expected, true = mine["status"] == "complete", mine["expected"], mine["true_points"]
        wrong = true not in (None, mine["points"]) or (complete and expected not in (None, mine["points"]))
        if wrong:
            self.wrong.append(name)
        said = f"{mine['points']} of {expected or '?'}" + ("" if complete else f" ({mine['status']})")
        return f"{said}, {mine['solves']}, {mine['cpu']:.2f}, {mine['peak_mb']:.0f}" + (", WRONG" if wrong else "")

    def exact_cell(self, mine: dict[str, Any], found: dict[str, Any]) -> str:
        """An exact peer: the ratio is a lower bound where it was stopped."""
        if "failed" in found:
            return str(found["failed"])
        ratio = found["cpu"] / mine["cpu"]
        if found.get("stopped"):
            return f"gave up: {found['points']}, {found['solves']}, {found['cpu']:.1f}, {found['peak_mb']:.0f}, > {ratio:.1f}"
        if mine["status"] == "complete":
            self.ratios.append(ratio)
        return f"{found['points']}, {found['solves']}, {found['cpu']:.2f}, {found['peak_mb']:.0f}, {ratio:.1f}"

    def summary(self) -> None:
        """The ratios where both finish, and what was wrong."""
        if self.ratios:
            mean = math.exp(sum(map(math.log, self.ratios)) / len(self.ratios))
            print(
                f"pyaugmecon: {len(self.ratios)} instances both finish, CPU ratio {mean:.1f} in geometric mean, {min(self.ratios):.1f} at worst"
            )
        if self.wrong:
            print(f"not as known: {', '.join(self.wrong)}")


def genetic_cell(found: dict[str, Any]) -> str:
    """A heuristic peer: true points and its share of the true hypervolume."""
    if "failed" in found:
        return str(found["failed"])
    share = found["hypervolume_share"]
    return f"{found['true_points']} true of {found['points']}, {'none legal' if share is None else f'{share:.3f}'}, {found['cpu']:.1f}, {found['peak_mb']:.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("instances", nargs="*", default=[])
    parser.add_argument("--largest", type=int, default=60, help="most points of an instance that peers run too")
    parser.add_argument("--seconds", type=float, default=60.0, help="processor seconds of a run")
    parser.add_argument("--algorithm", default="auto")
    parser.add_argument("--alone", action="store_true", help="no peers")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.one:
        print(json.dumps(ours(wanted.one, wanted.seconds, wanted.algorithm)))
        return
    bench = Bench(wanted.seconds, wanted.algorithm, wanted.alone)
    print(
        "| instance | ours: points, solves, CPU s, MB | pyaugmecon 1.0.8: points, solves, CPU s, MB, ratio | NSGA-II: true points, hypervolume, CPU s, MB |"
    )
    print("|---|---|---|---|")
    for name, small in instances(wanted.instances, wanted.largest):
        bench.instance(name, small)
    bench.summary()
    sys.exit(1 if bench.wrong else 0)


if __name__ == "__main__":
    main()
