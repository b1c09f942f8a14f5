"""How little a statement has to give that no candidate measures: a bound on latency, units kept free in racks, ports left dark, shares and dates of purchasing.

Candidates are made again at each value looked at, so that the answer is an interval: at its near end no design was left, at its far
end there is one. The far end of a latency is sought at 4, 64, 16 384 ... times the value, the interval is then halved in ratio; what
comes in steps is halved step by step.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from models.instance import Instance
from optimizer.explain.asking import Standing
from optimizer.explain.groups import Group
from optimizer.explain.purchases import purchase_of
from optimizer.explain.widening import MOST_WHIPS, WASTEFUL

CLOSE = 0.02
"""Share of the value to which an interval is closed."""

FARTHEST = 2.0**20
"""How many times its value a bound is looked at before it is called lifted."""


DARK_STEP = 0.005
"""Share of ports left dark by which its bound gives way."""


@dataclass(frozen=True)
class Bracketed:
    """A bound that is moved by making candidates again: upwards from ``now`` [canonical unit], or through ``steps``, the nearest first."""

    name: str
    now: float
    steps: Sequence[float] = ()


@dataclass(frozen=True)
class Interval:
    """Nothing is legal at ``without``, something is at ``value``; ``closed``: they lie within ``CLOSE``, or are neighbours."""

    without: float
    value: float
    neighbours: bool = False

    @property
    def closed(self) -> bool:
        """Whether the interval is as narrow as is sought."""
        return self.neighbours or self.value <= self.without * (1.0 + CLOSE)


LATENCIES = ("ttft_at_most", "tpot_at_most")


def bracketed(instance: Instance, group: Group) -> Bracketed | None:
    """The bound of a group that only making candidates again can measure, None where it is no such bound."""
    moved = purchase_of(instance, group.name)
    if moved is not None:
        return Bracketed(group.name, moved.now, moved.steps) if moved.steps else None
    steps = group.name.split(".")
    if steps[0] == "workloads" and len(steps) == 3 and steps[2] in LATENCIES:
        stated = getattr(instance.workloads[steps[1]], steps[2])
        return None if stated is None else Bracketed(group.name, stated.value)
    if group.name == "assumptions.reserved_rack_units":
        now = instance.assumptions.reserved_rack_units.value
        return Bracketed(group.name, now, tuple(float(n) for n in range(math.ceil(now) - 1, -1, -1)))
    if group.name == "assumptions.rack_pdus_per_feed":
        most = instance.assumptions.rack_pdus_per_feed.value
        return Bracketed(group.name, most, tuple(range(most + 1, MOST_WHIPS + 1)))
    if steps[-1] == "wasted_ports_at_most" and steps[0] == "workloads":
        dark = instance.workloads[steps[1]].design_space.fabric.wasted_ports_at_most
        first = math.floor(dark / DARK_STEP + 1e-9) + 1
        return Bracketed(
            group.name, dark, tuple(round(n * DARK_STEP, 3) for n in range(first, round(WASTEFUL / DARK_STEP) + 1))
        )
    return None


def stepped(now: float, steps: Sequence[float], standing: Callable[[float], Standing]) -> Interval | None:
    """The first of ``steps`` that leaves something, None where the last is not known to; each leaves what those before it do."""
    if not steps or standing(steps[-1]) is not Standing.FEASIBLE:
        return None
    low, high = -1, len(steps) - 1
    while high - low > 1:
        middle = (low + high) // 2
        found = standing(steps[middle])
        if found is Standing.UNKNOWN:
            break
        low, high = (low, middle) if found is Standing.FEASIBLE else (middle, high)
    return Interval(now if low < 0 else steps[low], steps[high], neighbours=high - low == 1)


def narrowed(now: float, standing: Callable[[float], Standing], farthest: float = FARTHEST) -> Interval | None:
    """The interval in which a bound begins to leave something; None where no value up to ``farthest`` times ``now`` is known to.

    ``now`` leaves nothing. An answer that is not known ends the search with the interval as it is.
    """
    low, ratio = now, 4.0
    high = now * ratio
    while (found := standing(high)) is not Standing.FEASIBLE:
        if found is Standing.UNKNOWN or high > now * farthest:
            return None
        low, ratio = high, ratio * ratio
        high = low * ratio
    while not Interval(low, high).closed:
        middle = rounded(math.sqrt(low * high), low, high)
        found = standing(middle)
        if found is Standing.UNKNOWN:
            break
        low, high = (low, middle) if found is Standing.FEASIBLE else (middle, high)
    return Interval(low, high)


def inverse(value: float) -> float:
    """The limit whose inverse is sought by ``narrowed`` where a bound is to be tightened, in no more digits than tell it apart."""
    return float(f"{1.0 / value:.4g}")


def rounded(value: float, low: float, high: float) -> float:
    """``value`` in as few digits as keep it strictly between ``low`` and ``high``."""
    for digits in range(2, 17):
        short = float(f"{value:.{digits}g}")
        if low < short < high:
            return short
    return value
