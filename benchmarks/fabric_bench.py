"""How long does it take to enumerate every fabric of the whole switch catalogue for up to 131,072 accelerators?"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from models.candidates.fabric_design import enumerate_fabrics
from models.candidates.fabric_parts import LinkCard, SwitchCard
from models.candidates.fabric_request import FabricRequest
from models.parts.network_part import Link, Switch
from models.physics.network.lengths import RackPlan
from models.reading.catalogue_files import read_catalogue
from models.shipped import catalogue_folder

GBIT = 1e9 / 8
MOST_NODES = 131_072 // 8


def cards() -> tuple[list[SwitchCard], list[LinkCard]]:
    catalogue = read_catalogue([catalogue_folder()], [])
    switches = [card for part in catalogue.of(Switch).values() if (card := SwitchCard.from_part(part)) is not None]
    links = [card for part in catalogue.of(Link).values() if (card := LinkCard.from_part(part)) is not None]
    return switches, links


def enumerate_all(nodes: np.ndarray, full_leaves_only: bool, repeats: int = 3) -> tuple[int, float, float]:
    """Rows at 400 and 800 Gbit/s, and the least wall and processor seconds of all repeats."""
    switches, links = cards()
    rows, best, busy = 0, float("inf"), float("inf")
    for _ in range(repeats):
        start, worked, rows = time.perf_counter(), time.process_time(), 0
        for gbps in (400, 800):
            request = FabricRequest(
                nodes,
                RackPlan(4),
                gbps * GBIT,
                oversubscriptions=(1.0, 2.0, 4.0, 7.0),
                full_leaves_only=full_leaves_only,
            )
            rows += len(enumerate_fabrics(request, switches, links))
        best, busy = min(best, time.perf_counter() - start), min(busy, time.process_time() - worked)
    return rows, best, busy


if __name__ == "__main__":
    asked = [
        ("every distinct design, all node counts", np.arange(1, MOST_NODES + 1), True),
        ("every size in steps of 64 accelerators", np.arange(8, MOST_NODES + 1, 8), False),
    ]
    for name, nodes, full in asked:
        rows, seconds, busy = enumerate_all(nodes, full)
        print(f"{name:42}{rows:>10,} designs{seconds:8.2f} s wall{busy:8.2f} s processor")
    print(f"{'memory at most':42}{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:>10.2f} GB")
