"""Price to win of every rack-scale system and every switch on offer for training-30mw, at three levels of throughput.

    python benchmarks/sensitivity_bench.py [INSTANCE] [--workers 2] [--width 0.5%]

Prints one line per part with its interval at each level, then what it took. Parts are shared among worker processes.
"""

from __future__ import annotations

import argparse
import multiprocessing
import time
from collections.abc import Sequence
from dataclasses import dataclass

from models.candidates.placement import enumerate_candidates
from models.instance import Instance
from models.loading import load
from models.parts.network_part import Switch
from models.parts.system import System, SystemKind
from optimizer.performance_cache import PerformanceCache
from optimizer.sensitivity.part_program import PartProgram, Requirement
from optimizer.sensitivity.price_to_win import PriceToWin, price_in
from optimizer.sensitivity.program import Effort
from optimizer.solve import solve

LEVELS = 3


@dataclass(frozen=True)
class Job:
    """What one process does."""

    instance: str
    parts: tuple[str, ...]
    levels: tuple[float, ...]


def on_offer(inst: Instance) -> list[str]:
    """Rack-scale systems and switches a design space allows."""
    spaces = [w.design_space for w in inst.workloads.values()]
    systems = [
        s.id
        for s in inst.catalogue.of(System).values()
        if s.kind is SystemKind.RACK
        and s.price is not None
        and any(d.systems is None or s.id in d.systems for d in spaces)
    ]
    switches = [
        s.id
        for s in inst.catalogue.of(Switch).values()
        if s.price is not None
        and any(
            (d.fabric.switches is None or s.id in d.fabric.switches)
            and (d.fabric.protocols is None or s.protocol in d.fabric.protocols)
            for d in spaces
        )
    ]
    return systems + switches


def levels_of(name: str) -> tuple[float, ...]:
    """Demand, and what the largest and the middling design of a coarse frontier deliver."""
    front = solve(load(name), ["tco", "throughput"], "10%")
    values = sorted(d.objectives["throughput_tokens_per_s"] for d in front.points)
    return tuple(values[round(i * (len(values) - 1) / (LEVELS - 1))] for i in range(LEVELS))


def work(job: Job) -> list[PriceToWin]:
    """Every price of a job's parts, candidates enumerated once."""
    inst = load(job.instance)
    found = enumerate_candidates(inst, PerformanceCache())
    results = []
    for part in job.parts:
        program = PartProgram.of(inst, part, "tco", ("throughput",), (inst, found))
        results += [
            price_in(program, Requirement({"throughput": level}), None, "tco", 0.0, Effort()) for level in job.levels
        ]
    return results


def main(arguments: Sequence[str] | None = None) -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("instance", nargs="?", default="training-30mw")
    options.add_argument("--workers", type=int, default=2)
    chosen = options.parse_args(arguments)
    parts = on_offer(load(chosen.instance))
    levels = levels_of(chosen.instance)
    began = time.perf_counter()
    jobs = [Job(chosen.instance, tuple(parts[n :: chosen.workers]), levels) for n in range(chosen.workers)]
    if chosen.workers == 1:
        done = [work(jobs[0])]
    else:
        with multiprocessing.get_context("spawn").Pool(chosen.workers) as pool:
            done = pool.map(work, jobs)
    seconds = time.perf_counter() - began
    found = sorted(
        (r for results in done for r in results), key=lambda r: (parts.index(r.part), r.requirement["throughput"])
    )
    widest = 0.0
    for result in found:
        low, high = result.interval
        if low is not None and high is not None:
            width = (high - low) / max(abs(high), 1.0)
            widest = max(widest, width)
            said = f"{low:14,.0f} to {high:14,.0f} USD"
        else:
            said = result.reason[:60]
        level = result.requirement["throughput"]
        print(f"{result.part:<22} {level:12,.0f} token/s  {said:<36} {result.solves:3d} solves  {result.proven}")
    solves = sum(r.solves for r in found)
    print(
        f"\n{len(parts)} parts x {len(levels)} levels: {seconds:.1f} s with {chosen.workers} workers, {solves} solves, "
        f"widest interval {widest:.2e}"
    )


if __name__ == "__main__":
    main()
