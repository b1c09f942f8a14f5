"""What parts in a rack weigh and how deep they are, from their rows and the assumptions that stand in for what rows lack."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

from models.instance import Instance
from models.parts.cooling import Cooling
from models.parts.part import Part
from models.parts.power_component import PowerComponent
from models.parts.rack import Rack
from models.parts.storage import StorageNode
from optimizer.design import PodChoice

Equipment = PowerComponent | Cooling | StorageNode
ONE_UNIT = ("power_shelf", "bbu")


def units_high(part: Equipment) -> float:
    """Rack units between the rails; a shelf whose row is silent takes one."""
    if part.height_units:
        return part.height_units
    return 1.0 if part.kind in ONE_UNIT else 0.0


def kilograms(instance: Instance, part: Equipment) -> float:
    """Mass of one."""
    if part.weight is not None:
        return part.weight
    if part.kind == "rdhx":
        return instance.assumptions.weight_of_door.value
    high = units_high(part)
    given = instance.assumptions
    return given.weight_per_unit.value * ceil(high) if high else given.weight_of_upright.value


def rack_equipment(instance: Instance, pod: PodChoice) -> Iterator[tuple[Equipment, int]]:
    """Every part a design puts into a node rack beside its systems, with the number in one rack."""
    power, cooling = instance.catalogue.of(PowerComponent), instance.catalogue.of(Cooling)
    listed: list[tuple[Equipment | None, int]] = [
        (power.get(pod.distribution or ""), pod.distribution_per_rack),
        (power.get(str(pod.rack.get("battery") or "")), int(pod.rack.get("batteries") or 0)),
        (cooling.get(pod.door or ""), 1),
        (cooling.get(str(pod.rack.get("cdu") or "")), int(pod.rack.get("cdus") or 0)),
        (cooling.get(str(pod.rack.get("manifold") or "")), 1),
    ]
    yield from ((part, number) for part, number in listed if part is not None and number)


def high_of(instance: Instance, frame: Rack) -> float:
    """Outer height of a frame [m]."""
    if frame.height is not None:
        return frame.height
    return (frame.rack_units or 0.0) * (frame.unit_pitch or 0.04445) + instance.assumptions.frame_allowance.value


def depth_of(part: Part) -> float:
    """Depth [m]; zero where the row is silent, which fits anywhere."""
    return float(getattr(part, "depth", None) or 0.0)
