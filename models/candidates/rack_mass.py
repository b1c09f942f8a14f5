"""Mass of what a rack holds beside its systems, and whether every device is short enough for its frame.

A part whose catalogue row states no mass weighs what the instance assumes, never nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from math import ceil
from typing import TYPE_CHECKING

from models.instance import Instance
from models.parts.cooling import Cooling, CoolingKind
from models.parts.power_component import PowerComponent, PowerKind
from models.parts.rack import Rack
from models.parts.storage import StorageNode
from models.parts.system import System, SystemKind

if TYPE_CHECKING:
    from models.candidates.rack_design import RackDesign

Mounted = PowerComponent | Cooling | StorageNode


EIA_PITCH = 0.04445
SHELVES = (PowerKind.POWER_SHELF, PowerKind.BATTERY_SHELF)


def height_of(part: Mounted) -> float:
    """Rack units a part takes between the rails, 0 for what hangs beside or behind them; a shelf of unstated height takes one."""
    if isinstance(part, PowerComponent) and part.kind in SHELVES:
        return part.height_units or 1.0
    return part.height_units or 0.0


def mass_of(instance: Instance, part: Mounted) -> float:
    """Mass of one unit [kg]: stated, or assumed by its height, as an upright, or as a door."""
    if part.weight is not None:
        return part.weight
    given = instance.assumptions
    if isinstance(part, Cooling) and part.kind is CoolingKind.REAR_DOOR:
        return given.weight_of_door.value
    height = height_of(part)
    return given.weight_per_unit.value * ceil(height - 1e-9) if height > 0 else given.weight_of_upright.value


def frame_height(instance: Instance, frame: Rack) -> float:
    """Outer height of a frame [m]: stated, or its units and an allowance."""
    if frame.height is not None:
        return frame.height
    pitch = frame.unit_pitch if frame.unit_pitch is not None else EIA_PITCH
    return (frame.rack_units or 0.0) * pitch + instance.assumptions.frame_allowance.value


def too_deep(instance: Instance, frame: Rack, parts: Iterable[Mounted | System]) -> str | None:
    """The device that is too long for a frame with the cables behind it, or None; a device of unstated depth is taken to fit."""
    if frame.depth is None:
        return None
    room = frame.depth - instance.assumptions.cable_depth.value
    for part in parts:
        if part.depth is not None and part.depth > room + 1e-9:
            return f"{part.id} is {part.depth:g} m deep, frame {frame.id} has {room:g} m beside its cables"
    return None


def weighed(instance: Instance, rack: RackDesign) -> RackDesign:
    """The rack with the mass of each part in it."""
    return replace(rack, masses={part.id: mass_of(instance, part) for part, _ in rack.parts})


def devices_of(rack: RackDesign) -> list[System | PowerComponent | Cooling]:
    """What stands between the rails of a rack's frame, one of each."""
    return [rack.system, *(part for part, _ in rack.parts if height_of(part) > 0)]


def too_heavy(rack: RackDesign) -> str | None:
    """Why the frame does not carry what is in a rack, or None; that of a rack-scale system was made for it."""
    frame = rack.frame
    payload = rack.weight - (frame.empty_weight or 0.0)
    if rack.system.kind is SystemKind.SERVER and frame.static_load is not None and payload > frame.static_load:
        return f"{payload:.0f} kg exceed the frame's {frame.static_load:.0f} kg"
    return None
