"""A layout as plain values: racks with their devices and positions, cables with routed lengths, and how good it is proven to be."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from optimizer.layout.hall import Hall

FRONT, REAR = "front", "rear"


class DeviceKind(StrEnum):
    """What stands in a rack."""

    SYSTEM = "system"
    SWITCH = "switch"
    STORAGE = "storage node"
    SHELF = "power shelf"
    PDU = "rack PDU"
    DOOR = "rear door"
    CDU = "in-rack CDU"
    MANIFOLD = "manifold"
    BATTERY = "battery shelf"
    RESERVED = "reserved"
    BLANK = "blank panel"


@dataclass(frozen=True, slots=True)
class Tray:
    """A unit inside a rack-scale system: what it is, and the units it takes, counted from 1 at the bottom."""

    id: str
    kind: str
    unit_from: int
    unit_to: int


@dataclass(frozen=True, slots=True)
class Device:
    """A device, or a reserved or blank space. Units are counted from 1 at the bottom, both ends included; 0 where it takes none
    (a vertical PDU, a rear door), and ``mount`` says where it hangs.

    ``part`` is its id in the bill of materials, ``role`` its name in the fabric. Weight [kg] is None where the catalogue does not say.
    Air goes from the front to the rear; network ports are at the rear.
    """

    id: str
    part: str | None
    kind: DeviceKind
    role: str
    unit_from: int
    unit_to: int
    weight_kg: float | None
    power_w: float
    mount: str = "rack"
    feed: str = ""
    trays: tuple[Tray, ...] = ()

    @property
    def units(self) -> int:
        """Rack units it takes."""
        return self.unit_to - self.unit_from + 1 if self.unit_from else 0

    @property
    def middle(self) -> float:
        """Height of its middle in units above the bottom of unit 1."""
        return (self.unit_from - 1 + self.unit_to) / 2


@dataclass(frozen=True, slots=True)
class PhaseLoad:
    """Nameplate load [W] of one feed of a rack by line, both feeds up; ``supplies`` are its power supplies as (device, line)."""

    feed: str
    l1: float
    l2: float
    l3: float
    supplies: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class PlacedRack:
    """A rack at a position. ``row`` and ``position`` are counted from 1; ``x``, ``y`` [m] are its middle on the floor.

    ``facing`` is ``+y`` or ``-y``; ``type`` names its elevation: racks of one type are built alike. ``power_w``: nameplate.
    """

    id: str
    pod: str
    kind: str
    type: str
    frame: str
    rack_units: int
    unit_pitch: float
    width: float
    depth: float
    row: int
    position: int
    slots: int
    x: float
    y: float
    facing: str
    weight_kg: float
    power_w: float
    devices: tuple[Device, ...]
    phases: tuple[PhaseLoad, ...]


@dataclass(frozen=True, slots=True)
class CableRun:
    """One link: ends as ``device:port``, racks, medium by catalogue id, level, routed length, and what was priced and is reached [m]."""

    id: str
    a_end: str
    b_end: str
    a_rack: str
    b_rack: str
    medium: str
    level: str
    length: float
    priced: float
    band: float
    reach: float


@dataclass(frozen=True, slots=True)
class FloorUnit:
    """Cooling equipment on the floor: at ``position`` of its row and as many as ``slots``, or at the row's end where ``slots`` is 0."""

    id: str
    part: str
    row: int
    x: float
    y: float
    width: float
    depth: float
    position: int = 0
    slots: int = 0


@dataclass(frozen=True, slots=True)
class SitePlan:
    """The hall of one site. ``total_length`` and ``bound`` [m] are of all cables; no arrangement of these racks needs less than ``bound``."""

    site: str
    hall: Hall
    racks: tuple[PlacedRack, ...]
    cables: tuple[CableRun, ...]
    equipment: tuple[FloorUnit, ...]
    total_length: float
    bound: float

    @property
    def gap(self) -> float:
        """Share by which the cables may be longer than any arrangement of these racks needs."""
        return 0.0 if self.total_length <= self.bound else 1.0 - self.bound / self.total_length


@dataclass(frozen=True, slots=True)
class Layout:
    """Every site of a design."""

    design_id: str
    instance: str
    sites: tuple[SitePlan, ...]
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """Plain values, in the order of the fields; sites carry their gap."""
        data = dataclasses.asdict(self)
        for plan, site in zip(self.sites, data["sites"], strict=True):
            site["gap"] = plan.gap
        return data
