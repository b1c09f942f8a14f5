"""Lays out every design of a frontier, checks each layout independently, and prints time, cable and proven gap.

python benchmarks/layout_bench.py [INSTANCE or RUN] [--every N]
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import optimizer
from optimizer.layout.check import check_layout
from optimizer.layout.contents import UndecidedLayoutError, UnplaceableError
from optimizer.layout.planner import lay_out
from optimizer.store import read_frontier, read_inputs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("instance", nargs="?", default="training-30mw")
    parser.add_argument("--every", type=int, default=1)
    given = parser.parse_args()
    if (Path(given.instance) / "manifest.json").is_file():
        instance, designs = read_inputs(Path(given.instance)), read_frontier(Path(given.instance)).points
    else:
        instance = optimizer.load(given.instance)
        designs = optimizer.solve(instance).points
    seconds, gaps, failed, findings = [], [], [], 0
    for design in designs[:: given.every]:
        started = time.perf_counter()
        try:
            layout = lay_out(instance, design)
        except (UnplaceableError, UndecidedLayoutError) as error:
            failed.append(design.design_id)
            print(f"{design.design_id}  {type(error).__name__}: {error}", flush=True)
            continue
        seconds.append(time.perf_counter() - started)
        broken = check_layout(instance, design, layout)
        findings += len(broken)
        for finding in broken[:3]:
            print(f"{design.design_id}  {finding}", flush=True)
        racks = sum(len(site.racks) for site in layout.sites)
        links = sum(len(site.cables) for site in layout.sites)
        length = sum(site.total_length for site in layout.sites)
        gap = 1 - sum(site.bound for site in layout.sites) / max(length, 1e-9)
        gaps.append(gap)
        print(
            f"{design.design_id}  {racks:4d} racks {links:6d} links {length / 1e3:8.2f} km  gap {gap:6.1%}  {seconds[-1]:5.1f} s",
            flush=True,
        )
    print(
        f"{len(seconds)} layouts, {len(failed)} without one, {findings} findings; seconds: mean {sum(seconds) / len(seconds):.1f}, "
        f"most {max(seconds):.1f}; gap: mean {sum(gaps) / len(gaps):.1%}, most {max(gaps):.1%}"
    )


if __name__ == "__main__":
    main()
