"""Designs whose throughput the model cannot tell apart.

Every searched throughput T has a relative error band b. Two designs tie when, in every cluster, they differ by less than the band:
``|T - T'| <= max(b, b') max(T, T')``. That is not transitive, and along a frontier everything would tie with its neighbours; so
groups have a leader: the design of most throughput (least share of demand over the clusters) opens the first group and takes with
it whatever ties with it, the best of the rest opens the second, and so on. Within a group throughput says nothing; choose by the
other objectives. Two leaders always differ by more than the band.
"""

from __future__ import annotations

from collections.abc import Sequence

from optimizer.design import Design

RATE, BAND = ".tokens_per_s", ".throughput_band"


def bands(design: Design) -> dict[str, float]:
    """Relative half-width of the band of every cluster's throughput; empty where throughput is a stated share of peak."""
    return {name.removesuffix(BAND): value for name, value in design.figures.items() if name.endswith(BAND)}


def tie_groups(designs: Sequence[Design]) -> list[int | None]:
    """Group of every design, 1 for that of most throughput; None where no throughput has a band."""
    groups: list[int | None] = [None] * len(designs)
    if not any(bands(design) for design in designs):
        return groups
    leaders: list[Design] = []
    order = sorted(range(len(designs)), key=lambda n: -designs[n].figures["throughput_x_demand"])
    for number in order:
        design = designs[number]
        known = next((g for g, leader in enumerate(leaders, 1) if _tie(design, leader)), None)
        if known is None:
            leaders.append(design)
            known = len(leaders)
        groups[number] = known
    return groups


def _tie(one: Design, other: Design) -> bool:
    mine, theirs = bands(one), bands(other)
    for name, rate in one.figures.items():
        if name.endswith(RATE):
            cluster = name.removesuffix(RATE)
            band = max(mine.get(cluster, 0.0), theirs.get(cluster, 0.0))
            if abs(rate - other.figures[name]) > band * max(rate, other.figures[name]):
                return False
    return True
