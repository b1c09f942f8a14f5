"""Rack frames and the floors they stand on."""

from __future__ import annotations

from typing import ClassVar

from models.parts.part import Part, PricedPart, column
from models.units import Kilograms, KilogramsPerSquareMeter, Meters


class Rack(PricedPart):
    """A frame: ``kind`` says which systems fit (eia, orv3, mgx, orw); loads are limits of the frame, feet included."""

    file: ClassVar[str] = "racks.csv"
    plural: ClassVar[str] = "racks"

    kind: str = column("kind", default=...)
    rack_units: float | None = column("rack_units")
    unit_pitch: Meters | None = column("unit_pitch_mm", "mm")
    width: Meters | None = column("width_mm", "mm")
    depth: Meters | None = column("depth_mm", "mm")
    height: Meters | None = column("height_mm", "mm")
    static_load: Kilograms | None = column("static_load_kg", "kg")
    dynamic_load: Kilograms | None = column("dynamic_load_kg", "kg")
    empty_weight: Kilograms | None = column("empty_weight_kg", "kg")
    floor_tiles: float | None = column("floor_tiles")


class Floor(Part):
    """What a floor carries: uniformly distributed, on one foot, rolling."""

    file: ClassVar[str] = "floor_loading.csv"
    plural: ClassVar[str] = "floors"

    uniform: KilogramsPerSquareMeter | None = column("uniform_kg_m2", "kg/m**2")
    concentrated: Kilograms | None = column("concentrated_kg", "kg")
    rolling: Kilograms | None = column("rolling_kg", "kg")
    comment: str = column("comment", default="")
