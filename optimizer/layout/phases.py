"""Which line of its whip each power supply hangs on: the heaviest first, each on the line that carries least."""

from __future__ import annotations

from collections.abc import Sequence

from optimizer.layout.contents import Content
from optimizer.layout.plan import DeviceKind, PhaseLoad

LINES = ("L1", "L2", "L3")
FEEDS = ("A", "B")


def phase_loads(contents: Sequence[Content], shift: int) -> tuple[PhaseLoad, ...]:
    """Loads of both feeds of a rack at nameplate power, each feed carrying half of every device.

    ``shift`` (0, 1, 2) turns the order of the lines, so that neighbours on one busway do not all begin with the same. A device with
    no supplies of its own (on shelves, or rack-scale) draws from the three lines evenly.
    """
    return tuple(_feed(contents, feed, shift) for feed in FEEDS)


def _feed(contents: Sequence[Content], feed: str, shift: int) -> PhaseLoad:
    loads = [0.0, 0.0, 0.0]
    supplies: list[tuple[str, str]] = []
    drawn: list[tuple[float, str]] = []
    for item in contents:
        if item.kind not in (DeviceKind.SYSTEM, DeviceKind.SWITCH, DeviceKind.STORAGE, DeviceKind.CDU):
            continue
        half = item.power / len(FEEDS)
        if item.supplies == 0:
            loads = [load + half / 3 for load in loads]
            supplies.append((item.id, "L1+L2+L3"))
        drawn += [(half / item.supplies, f"{item.id}:{feed}{n + 1}") for n in range(item.supplies)]
    for watts, supply in sorted(drawn, key=lambda d: -d[0]):
        line = min(range(3), key=lambda n: (round(loads[n], 6), (n - shift) % 3))
        loads[line] += watts
        supplies.append((supply, LINES[line]))
    return PhaseLoad(feed, loads[0], loads[1], loads[2], tuple(sorted(supplies)))


def imbalance(loads: PhaseLoad) -> float:
    """Largest deviation of a line from the mean, over the mean; 0 without load."""
    lines = (loads.l1, loads.l2, loads.l3)
    mean = sum(lines) / 3
    return max(abs(line - mean) for line in lines) / mean if mean > 0 else 0.0
