"""Routed lengths: up from one port to the tray, along the trays, down to the other; inside a rack straight, with its width as slack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from optimizer.layout.contents import LevelRule, Wire
from optimizer.layout.plan import CableRun, Device, DeviceKind


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a rack stands and how it is divided; lengths in m. ``tray`` is the height of the trays above its lowest port."""

    rack: str
    x: float
    y: float
    width: float
    pitch: float
    tray: float


@dataclass(frozen=True, slots=True)
class Port:
    """Where a device's ports are: its rack, and the height [m] of the middle of it, or of one of its trays."""

    spot: Spot
    height: float


def ports_of(device: Device, spot: Spot) -> dict[int, Port]:
    """Ports of a device (-1), and of each compute tray of a rack-scale system by number."""
    found = {-1: Port(spot, device.middle * spot.pitch)}
    number = 0
    for tray in device.trays:
        if tray.kind == "compute tray":
            found[number] = Port(spot, (tray.unit_from - 1 + tray.unit_to) / 2 * spot.pitch)
            number += 1
    return found


def routed(a: Port, b: Port) -> float:
    """Length of a cable between two ports [m]."""
    if a.spot.rack == b.spot.rack:
        return abs(a.height - b.height) + a.spot.width
    along = abs(a.spot.x - b.spot.x) + abs(a.spot.y - b.spot.y)
    return (a.spot.tray - a.height) + (b.spot.tray - b.height) + along


def vertical(a: Port, b: Port) -> float:
    """The part of the length that does not depend on where the racks stand."""
    if a.spot.rack == b.spot.rack:
        return abs(a.height - b.height) + a.spot.width
    return (a.spot.tray - a.height) + (b.spot.tray - b.height)


def run_of(number: int, pod: str, wire: Wire, ports: Mapping[str, Mapping[int, Port]], rule: LevelRule) -> CableRun:
    """The cable of a wire."""
    a = ports[wire.lower].get(wire.tray, ports[wire.lower][-1])
    b = ports[wire.upper][-1]
    tray = f"/tray{wire.tray + 1:02d}" if wire.tray >= 0 else ""
    return CableRun(
        id=f"{pod}/cable-{number:06d}",
        a_end=f"{wire.lower}{tray}:{wire.lower_port}",
        b_end=f"{wire.upper}:{wire.upper_port}",
        a_rack=a.spot.rack,
        b_rack=b.spot.rack,
        medium=rule.medium,
        level=wire.level,
        length=routed(a, b),
        priced=rule.priced,
        band=rule.band,
        reach=rule.reach,
    )


SYSTEMS_AND_SWITCHES = (DeviceKind.SYSTEM, DeviceKind.SWITCH)
