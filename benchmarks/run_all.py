"""Every benchmark within an hour: what ``make bench`` runs.

    python benchmarks/run_all.py [--minutes 60] [--scale 1.0] [SCRIPT ...]

Each script has a budget of processor seconds, its child processes included, and is stopped there; a script that fails or is stopped does not keep the others from running. What does not
fit in the minutes any more is left out and named. ``--scale`` multiplies every budget. The output of each script is kept in ``.bench/``.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import bounded
from peers import CACHE

BUDGETS: dict[str, tuple[float, tuple[str, ...]]] = {
    "start_up.py": (60.0, ()),
    "fabric_bench.py": (60.0, ()),
    "performance_bench.py": (150.0, ()),
    "programs_bench.py": (500.0, ("--seconds", "60")),
    "training_bench.py": (800.0, ()),
    "pareto_bench.py": (1000.0, ("--seconds", "40")),
    "workers_bench.py": (240.0, ()),
    "sensitivity_bench.py": (250.0, ()),
    "catalogue_bench.py": (200.0, ()),
    "layout_bench.py": (120.0, ("--every", "8")),
}
"""Processor seconds of each script and its arguments, the shortest first; an idle machine of two cores has 3,600 of them on one core in an hour."""
LEAST = 5.0
"""Wall seconds below which a script is not begun."""
GENEROUS = 1.3
"""A script may use this many times its part of the wall time that is left, so that those after it are not starved on a crowded machine."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scripts", nargs="*", help="only these")
    parser.add_argument("--minutes", type=float, default=60.0, help="wall time of all together")
    parser.add_argument("--scale", type=float, default=1.0, help="factor on every budget")
    wanted = parser.parse_args()
    unknown = set(wanted.scripts) - set(BUDGETS)
    if unknown:
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(BUDGETS)}")
    deadline = time.perf_counter() + 60.0 * wanted.minutes
    CACHE.mkdir(exist_ok=True)
    rows = []
    chosen = [script for script in BUDGETS if not wanted.scripts or script in wanted.scripts]
    for number, script in enumerate(chosen):
        left = deadline - time.perf_counter()
        if left < LEAST:
            rows.append((script, "left out: no time left", 0.0, 0.0, 0.0))
            continue
        budget, arguments = BUDGETS[script]
        cpu = wanted.scale * budget
        part = budget / sum(BUDGETS[later][0] for later in chosen[number:])
        wall = min(left, GENEROUS * part * left, bounded.PATIENCE * cpu)
        print(f"\n== {script}: {_question(script)} (at most {cpu:.0f} CPU s)", flush=True)
        ended = bounded.run(bounded.python(script, *arguments), cpu=cpu, wall=wall, echo=True)
        (CACHE / f"{Path(script).stem}.txt").write_text("\n".join(ended.lines) + "\n")
        if ended.outcome != "done":
            print(f"   {ended.outcome}", flush=True)
        rows.append((script, ended.outcome, ended.cpu, ended.wall, ended.peak_mb))
    print(f"\n{'script':24}{'CPU s':>8}{'wall s':>8}{'peak MB':>9}  outcome")
    for script, outcome, cpu, wall, peak in rows:
        print(f"{script:24}{cpu:8.1f}{wall:8.1f}{peak:9.0f}  {outcome}")
    sys.exit(1 if any(outcome.startswith("failed") for _, outcome, *_ in rows) else 0)


def _question(script: str) -> str:
    """The first sentence of a script's own text."""
    text = (bounded.ROOT / "benchmarks" / script).read_text().partition('"""')[2]
    return text.partition("\n")[0].rstrip('".')


if __name__ == "__main__":
    main()
