"""Cables and modules of a design: whether each end fits its cage, and how many it takes, end by end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from models.instance import Instance
from models.parts.network_part import Link, Switch
from models.physics.network.ports import PortPlan
from optimizer.verification.clos import Clos, ceil_div
from optimizer.verification.findings import Checks

LANES_OF_A_CAGE = 8
LANES_OF_A_NODE_PORT = 4
RETIMED_LANE = 100e9 / 8
CLOSE = 1e-6
CABLES = ("DAC", "AEC", "AOC")
CO_PACKAGED = "CPO"
FIGURES = ("rate", "lanes", "reach", "power_per_end", "price_low_per_end", "price_high_per_end", "failure_rate")


@dataclass(frozen=True)
class Cage:
    """One end of a link: ports that share the cage, its bandwidth and its electrical lane [B/s]."""

    ports: int
    speed: float
    lane: float
    co_packaged: bool = False


@dataclass(frozen=True)
class Medium:
    """What lights a link at its upper (``near``) and lower (``far``) end; links that one unit serves at each end."""

    near: Link
    far: Link
    near_ports: int
    far_ports: int

    @property
    def is_cable(self) -> bool:
        """True where both ends are fixed to one cable."""
        return self.near.kind in CABLES

    @property
    def reach(self) -> float:
        """Longest run [m]."""
        return min(self.near.reach or 0.0, self.far.reach or 0.0)

    @property
    def failure_rate(self) -> float:
        """Failures of one link [1/s]."""
        assert self.near.failure_rate is not None and self.far.failure_rate is not None
        near = self.near.failure_rate / self.near_ports
        return near if self.is_cable else near + self.far.failure_rate / self.far_ports

    def fibres(self, speed: float) -> int:
        """Fibre strands of a link of ``speed`` [B/s]."""
        if self.is_cable:
            return 0
        lanes = round(speed / _lane(self.near))
        return 2 * ceil_div(lanes, 4) if _family(self.near) == "duplex" else 2 * lanes


def cages(switch: Switch, plan: PortPlan, speed: float) -> tuple[Cage, Cage]:
    """The cage of a switch port and of a node port at ``speed`` [B/s]."""
    at_switch = Cage(
        plan.ports_per_cage(speed), plan.cage_speed, plan.cage_speed / LANES_OF_A_CAGE, "cpo" in switch.name.lower()
    )
    return at_switch, Cage(1, speed, speed / LANES_OF_A_NODE_PORT)


def _lane(link: Link) -> float:
    assert link.rate is not None and link.lanes is not None
    return link.rate / link.lanes


def _family(link: Link) -> str:
    if link.kind in CABLES:
        return link.kind
    if "OM" in link.fibre:
        return "multimode"
    return "duplex" if "LC" in link.fibre else "parallel"


def _linear(link: Link) -> bool:
    return "lpo" in link.name.lower()


def medium_of(
    checks: Checks,
    instance: Instance,
    allowed: Sequence[str] | None,
    name: str | None,
    speed: float,
    ends: tuple[Cage, Cage],
    where: str,
) -> Medium | None:
    """The medium called ``name`` between two cages, or None with the finding that says why it cannot be."""
    ids = (name or "").split(" - ")
    known = instance.catalogue.of(Link)
    found = [known.get(part) for part in (ids if len(ids) == 2 else ids * 2)]
    if len(found) != 2 or found[0] is None or found[1] is None:
        checks.rule(where, False, name, "a cable or two modules of the catalogue")
        return None
    near, far = found[0], found[1]
    for link in (near, far):
        checks.rule(where, allowed is None or link.id in allowed, link.id, allowed, "not in the design space")
        absent = link.missing(*FIGURES)
        if not checks.rule(where, absent is None and link.kind != "OCS", link.id, "a link medium with all its figures"):
            return None
    if near.kind in CABLES or far.kind in CABLES:
        checks.same(where, far.id, near.id, "a cable has two equal ends")
        _check_cable(checks, near, speed, ends, where)
        most = max(ends[0].ports, ends[1].ports)
        return Medium(near, far, most, most)
    checks.same(where, _family(far), _family(near), "modules of one optical family")
    checks.same(where, _linear(far), _linear(near), "modules of one kind of drive")
    checks.same(where, _lane(far), _lane(near), "modules of one lane rate")
    for link, cage in ((near, ends[0]), (far, ends[1])):
        _check_module(checks, link, speed, cage, where)
    served = [1 if link.kind == CO_PACKAGED else cage.ports for link, cage in ((near, ends[0]), (far, ends[1]))]
    return Medium(near, far, served[0], served[1])


def _clocks(link: Link, cage: Cage) -> bool:
    return _lane(link) <= max(cage.lane, RETIMED_LANE) * (1 + 1e-9)


def _check_cable(checks: Checks, link: Link, speed: float, ends: tuple[Cage, Cage], where: str) -> None:
    most, least = max(ends[0].ports, ends[1].ports), min(ends[0].ports, ends[1].ports)
    assert link.rate is not None
    fills = abs(link.rate - most * speed) <= CLOSE * link.rate and most % least == 0
    checks.rule(where, fills, link.rate, most * speed, "B/s of the cage that the cable fills")
    lanes = speed / _lane(link)
    checks.rule(where, abs(lanes - round(lanes)) <= CLOSE, lanes, "whole lanes")
    for cage in ends:
        checks.rule(
            where, not cage.co_packaged and _clocks(link, cage), link.id, "a cage that takes cables of its lanes"
        )
        checks.rule(
            where, cage.ports * speed <= cage.speed * (1 + 1e-9), cage.ports * speed, cage.speed, "B/s of a cage"
        )


def _check_module(checks: Checks, link: Link, speed: float, cage: Cage, where: str) -> None:
    assert link.rate is not None and link.lanes is not None
    fits = (link.kind == CO_PACKAGED) == cage.co_packaged and not _linear(link) and _clocks(link, cage)
    checks.rule(where, fits, link.id, "a module this cage takes")
    lanes = speed / _lane(link)
    whole = abs(lanes - round(lanes)) <= CLOSE and round(lanes) >= 1
    checks.rule(where, whole, lanes, "whole lanes")
    if link.kind == CO_PACKAGED:
        checks.rule(where, abs(link.rate - speed) <= CLOSE * speed, link.rate, speed, "B/s of one port")
        return
    enough = link.rate <= cage.speed * (1 + 1e-9) and round(lanes) * cage.ports <= link.lanes
    checks.rule(where, enough, link.id, "lanes for every port of the cage, no more bandwidth than it has")


def units_at(level: str, medium: Medium, clos: Clos, nodes: int, ports: int) -> tuple[int, int]:
    """Modules, or cable ends, at the upper and at the lower end of all links of a level."""
    near, far = medium.near_ports, medium.far_ports
    if level == "node_leaf":
        if medium.is_cable:
            cables = ceil_div(nodes * ports, near)
            return cables, cables
        return sum(ceil_div(used, near) for used in clos.leaf_ports_used), nodes * ceil_div(ports, far)
    if level == "leaf_spine":
        if medium.is_cable:
            cables = ceil_div(sum(g.spines * g.down for g in clos.groups), near)
            return cables, cables
        at_leaf = sum(g.leaves * ceil_div(g.links_per_pair * g.spines, far) for g in clos.groups)
        return sum(g.spines * ceil_div(g.down, near) for g in clos.groups), at_leaf
    if medium.is_cable:
        cables = ceil_div(clos.core_links, near)
        return cables, cables
    each, more = divmod(clos.core_links, clos.core)
    at_core = more * ceil_div(each + 1, near) + (clos.core - more) * ceil_div(each, near)
    return at_core, sum(g.spines * ceil_div(g.up, far) for g in clos.groups)
