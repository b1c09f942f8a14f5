"""The shipped cases as programs: size per family, from file to matrix, one solve, whole frontiers, with four and five objectives too.

    python benchmarks/programs_bench.py [--seconds S] [CASE ...]

CASE: ``instance:objectives:resolution``, an instance with ``@scenario`` where it has one, for example ``training-30mw:tco,throughput,power:1%``. Each case is its own process on one core; a frontier that is
not complete after S processor seconds is stopped and says what it has certified.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import bounded

CASES = (
    "training-30mw:tco,throughput,power:1%",
    "training-30mw:tco,throughput,power,carbon:2%",
    "training-30mw:tco,throughput,power,carbon,capex:2%",
    "mixed-100mw:tco,throughput:1%",
    "mixed-100mw@list-prices:tco,throughput,power:1%",
    "mixed-100mw:tco,throughput,power:1%",
    "serving-8mw:tco,throughput,power:1%",
    "campus-1gw:tco,throughput:2%",
)
COMPILING = 240.0


def families(model: Any) -> None:
    """Rows, columns with a coefficient in them, and coefficients, of each family."""
    import numpy as np
    from scipy import sparse

    rows = sparse.csr_array(model.matrix)
    of = np.array([key.partition(".")[0] for key in model.row_keys])
    parts = []
    for family, count in Counter(of.tolist()).items():
        own = rows[np.flatnonzero(of == family)]
        parts.append(f"{family} {count} x {len(np.unique(own.indices))}, {own.nnz}")
    print("rows x columns, coefficients by family: " + "; ".join(parts), flush=True)


def one(case: str, seconds: float) -> None:
    """A case in this process."""
    begun = time.perf_counter()
    from models.candidates.placement import enumerate_candidates
    from models.formulation.build import build
    from models.formulation.sifting import sift_for
    from models.loading import load
    from optimizer.compile import compile_formulation
    from optimizer.pareto import solve
    from optimizer.performance_cache import PerformanceCache
    from optimizer.resolution import parse_resolution

    name, objectives, resolution = case.split(":")
    goals = tuple(objectives.split(","))
    imported = time.process_time()
    instance = load(name.partition("@")[0], name.partition("@")[2] or None)
    loaded = time.process_time()
    sift = sift_for(instance, goals)
    candidates = enumerate_candidates(instance, PerformanceCache(), objectives=goals, sift=sift)
    placed = time.process_time()
    formulation = build(instance, goals, candidates)
    model = compile_formulation(formulation)
    compiled, waited = time.process_time(), time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    import highspy  # noqa: F401  (loaded before the clock of the solves starts)
    import ortools.sat.python.cp_model  # noqa: F401

    single = compile_formulation(build(instance, goals[:1], candidates))
    size = formulation.size
    print(
        f"{size['placements']} placements, {size['kept']} kept: {model.n_columns} columns, {model.n_rows} rows, {model.matrix.nnz} coefficients; "
        f"start and imports {imported:.1f} CPU s, load {loaded - imported:.1f}, candidates {placed - loaded:.1f}, program "
        f"{compiled - placed:.1f}: file to matrix {compiled:.1f} ({waited:.1f} s wall), {peak:.0f} MB",
        flush=True,
    )
    families(model)
    before = time.process_time()
    alone = solve(single, stop=lambda: time.process_time() - before > seconds)
    print(f"one solve, least {goals[0]}: {alone.status.value}, {time.process_time() - before:.2f} CPU s", flush=True)
    wanted = parse_resolution(resolution, formulation.goals)
    begun, wall = time.process_time(), time.perf_counter()
    found = solve(
        model, resolution=wanted.amounts, shares=wanted.shares, stop=lambda: time.process_time() - begun > seconds
    )
    error = ""
    if found.status.value != "complete" and found.n_points:
        spans = found.points.max(axis=0) - found.points.min(axis=0)
        shares = [f"{e / max(s, 1e-9):.1%}" for e, s in zip(found.error, spans, strict=True)]
        error = f", certified within {' / '.join(shares)} of the listed ranges"
    print(
        f"frontier at {resolution}: {found.status.value}, {found.n_points} points, {found.solves} solves, "
        f"{time.process_time() - begun:.2f} CPU s ({time.perf_counter() - wall:.1f} s wall){error}; "
        f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB at most",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", default=CASES)
    parser.add_argument("--seconds", type=float, default=120.0, help="processor seconds of a frontier")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.one:
        one(wanted.one, wanted.seconds)
        return
    failed = 0
    for case in wanted.cases:
        print(case, flush=True)
        command = bounded.python("programs_bench.py", "--one", case, "--seconds", str(wanted.seconds))
        ended = bounded.run(command, cpu=3 * wanted.seconds + COMPILING, echo=True)
        if ended.outcome != "done":
            failed += ended.stopped is None
            print(f"   {ended.outcome}", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
