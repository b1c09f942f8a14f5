"""What one switch offers: ports as a function of speed, cages, ASIC capacity, and its legal leaf splits.

A switch has ``cages`` cages; a cage carries one native port, or several slower ones by breakout. The radix is therefore a
function of port speed: 32 twin cages are 64 ports at 400 Gbit/s, 64 cages of 800 Gbit/s are 128 ports at 400 Gbit/s.
A split d:u is legal when its ports fit the cages, its bandwidth fits the ASIC, its ratio is no worse than asked and its
unused share is no more than stated. Speeds in B/s per port and direction.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PortPlan:
    """Ports of one switch: ``native_ports`` at ``native_speed``, at most ``most_ports`` by splitting down to ``least_speed``.

    ``cages`` is the number of module cages, None where not known (then one port per cage). ``uplink_ports`` of ``uplink_speed``
    come on top and face only another switch: the fast ports of a management leaf, the fabric ports of a cell-based leaf.
    """

    native_ports: int
    native_speed: float
    most_ports: int | None = None
    least_speed: float | None = None
    cages: int | None = None
    uplink_ports: int = 0
    uplink_speed: float = 0.0

    @property
    def splits(self) -> bool:
        """True where native ports may be split."""
        return self.most_ports is not None and self.least_speed is not None and self.least_speed <= self.native_speed

    @property
    def logical_ports(self) -> int:
        """Most ports of any speed at once, dedicated uplinks aside."""
        return max(self.native_ports, self.most_ports or 0) if self.splits else self.native_ports

    @property
    def capacity(self) -> float:
        """Switching capacity [B/s], one direction: all native ports at native speed."""
        return self.native_ports * self.native_speed

    def radix(self, speed: float) -> int:
        """Ports at ``speed`` [B/s]; 0 where the switch has no port of that speed.

        A port runs at its native speed, a half, a quarter or an eighth of it: at two, four or eight times fewer lanes or signalling
        rate. Without a stated breakout it stays one port; with one it is split as far as ``most_ports`` allows.
        """
        parts = self.native_speed / speed
        if not any(math.isclose(parts, whole, rel_tol=1e-6) for whole in (1, 2, 4, 8)):
            return 0
        if not self.splits:
            return self.native_ports
        assert self.most_ports is not None and self.least_speed is not None
        finest = self.native_speed / self.least_speed
        split = min(round(parts), max(1, math.floor(finest + 1e-9)))
        return max(self.native_ports, min(self.native_ports * split, self.most_ports))

    def ports_per_cage(self, speed: float) -> int:
        """Ports of ``speed`` that share one cage, hence one module."""
        if self.cages is None or self.cages <= 0:
            return 1
        return max(1, self.radix(speed) // self.cages)

    @property
    def cage_speed(self) -> float:
        """Most bandwidth [B/s] one cage carries."""
        return max(self.native_speed, self.capacity / self.cages) if self.cages else self.native_speed


@dataclass(frozen=True, slots=True)
class LeafSplit:
    """``down`` ports at ``down_speed`` and ``up`` ports at ``up_speed``; ``ratio`` is down : up bandwidth, ``asked`` the limit."""

    down: int
    up: int
    down_speed: float
    up_speed: float
    asked: float

    @property
    def ratio(self) -> float:
        """True oversubscription, down bandwidth over up bandwidth."""
        return self.down * self.down_speed / (self.up * self.up_speed)


def leaf_splits(
    plan: PortPlan, down_speed: float, up_speed: float, oversubscriptions: Iterable[float], waste: float
) -> tuple[LeafSplit, ...]:
    """Every legal split: for each ratio and each number of ports left idle up to the share ``waste``, the most down ports.

    At one speed ports are split one by one; at two speeds a cage carries one speed, so whole cages are split and the
    ASIC capacity is checked. Splits that several ratios share are listed once, with the smallest ratio.
    """
    if plan.uplink_ports and math.isclose(plan.uplink_speed, up_speed):
        return _dedicated(plan, down_speed, oversubscriptions)
    found: dict[tuple[int, int], LeafSplit] = {}
    same = math.isclose(down_speed, up_speed)
    down_radix, up_radix = plan.radix(down_speed), plan.radix(up_speed)
    if not down_radix or not up_radix:
        return ()
    units = down_radix if same else (plan.cages or plan.native_ports)
    down_step, up_step = (1, 1) if same else (down_radix // units, up_radix // units)
    if not down_step or not up_step:
        return ()
    step_ratio = down_step * down_speed / (up_step * up_speed)
    for asked in sorted(oversubscriptions):
        for used in range(units, max(1, math.ceil(units * (1 - waste) - 1e-9)) - 1, -1):
            down = math.floor(used * asked / (step_ratio + asked) + 1e-9)
            split = LeafSplit(down * down_step, (used - down) * up_step, down_speed, up_speed, asked)
            if split.down < 1 or split.up < 1:
                continue
            bandwidth = split.down * down_speed + split.up * up_speed
            if bandwidth <= plan.capacity * (1 + 1e-9):
                found.setdefault((split.down, split.up), split)
    return tuple(sorted(found.values(), key=lambda s: (s.ratio, -s.down)))


def _dedicated(plan: PortPlan, down_speed: float, oversubscriptions: Iterable[float]) -> tuple[LeafSplit, ...]:
    """All native ports down; all dedicated uplinks, or for each ratio the fewest that keep it."""
    down = plan.radix(down_speed)
    found: dict[int, LeafSplit] = {}
    for asked in sorted(oversubscriptions):
        fewest = max(1, math.ceil(down * down_speed / (asked * plan.uplink_speed) - 1e-9))
        for up in {fewest, plan.uplink_ports} if down and fewest <= plan.uplink_ports else ():
            found.setdefault(up, LeafSplit(down, up, down_speed, plan.uplink_speed, asked))
    return tuple(sorted(found.values(), key=lambda s: s.ratio))
