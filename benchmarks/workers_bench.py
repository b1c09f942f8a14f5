"""What does a second process bring on programs with costly zones, at the same points?

    python benchmarks/workers_bench.py [--solves N]

Each program is asked the same questions by one process and by two, one run after the other; the run is stopped after N solves where it would take longer. On a
machine with less than two free cores the ratio says little, which is why the processor time of the run's own process is printed too: it bounds the wall time.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import bounded

PROGRAMS = ("pyaug_3kp40", "vopt_ukp_2KP100-50", "mixed-100mw@list-prices")
SECONDS = 90.0


def one(name: str, workers: int, solves: int) -> None:
    from optimizer import moo_json
    from optimizer.pareto import RunLimits, solve

    shares = None
    if (path := bounded.ROOT / "tests" / "data" / "moo" / f"{name}.json").is_file():
        model = moo_json.read(path)
    else:
        from models.formulation.build import build
        from models.loading import load
        from optimizer.compile import compile_formulation

        instance = load(name.partition("@")[0], name.partition("@")[2] or None)
        model, shares = compile_formulation(build(instance, ("tco", "throughput", "power"))), [0.01] * 3
    began, busy = time.perf_counter(), time.process_time()
    found = solve(model, shares=shares, workers=workers, limits=RunLimits(solves=solves))
    wall, cpu = time.perf_counter() - began, time.process_time() - busy
    print(json.dumps({"points": found.points.tolist(), "solves": found.solves, "wall": wall, "cpu": cpu}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--solves", type=int, default=150)
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.one:
        one(wanted.one[0], int(wanted.one[1]), wanted.solves)
        return
    failed = False
    for name in PROGRAMS:
        runs = []
        for workers in (1, 2):
            command = bounded.python("workers_bench.py", "--one", name, str(workers), "--solves", str(wanted.solves))
            ended = bounded.run(command, cpu=SECONDS)
            if not ended.records:
                print(f"{name}, {workers} processes: {ended.outcome}", flush=True)
                failed |= ended.stopped is None
                break
            runs.append((ended.records[-1], ended.cpu))
        if len(runs) < 2:
            continue
        (alone, total_alone), (both, total_both) = runs
        same = alone["points"] == both["points"] and alone["solves"] == both["solves"]
        failed |= not same
        print(
            f"{name}: {alone['solves']} solves, {'the same' if same else 'DIFFERENT'} points; wall {alone['wall']:.1f} s alone, {both['wall']:.1f} s with two "
            f"({alone['wall'] / both['wall']:.2f} times as fast); CPU s of the run's own process {alone['cpu']:.1f} and {both['cpu']:.1f}, of all {total_alone:.1f} and {total_both:.1f}",
            flush=True,
        )
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
