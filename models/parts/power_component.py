"""Power delivery: shelves, rack PDUs, busways, UPS, transformers, generators, batteries."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from models.parts.part import Part, PricedPart, column
from models.units import Fraction, Kilograms, Meters, Seconds, Watts


class PowerKind(StrEnum):
    """What a power component is."""

    POWER_SHELF = "power_shelf"
    SIDECAR = "sidecar"
    BATTERY_SHELF = "bbu"
    PSU = "psu"
    BUSBAR = "busbar"
    BUSWAY = "busway"
    RACK_PDU = "rack_pdu"
    UPS = "ups"
    GENERATOR = "genset"
    TRANSFORMER = "transformer"
    ENERGY_STORAGE = "bess"


class PowerComponent(PricedPart):
    """``rated`` [W] as the row states it (rack PDUs already derated, see notes); ``efficiency`` at its best load.

    ``hold`` [s] is how long a battery shelf gives its power at the end of its life.
    """

    file: ClassVar[str] = "power_components.csv"
    plural: ClassVar[str] = "power_components"

    kind: PowerKind = column("kind", default=...)
    rated: Watts | None = column("rated_w", "W")
    modules: int | None = column("modules")
    module_rating: Watts | None = column("module_w", "W")
    redundancy: str = column("redundancy", default="")
    usable_n_plus_1: Watts | None = column("usable_w_n_plus_1", "W")
    output_volts: float | None = column("output_v")
    height_units: float | None = column("height_u")
    efficiency: Fraction | None = column("peak_efficiency", "")
    hold: Seconds | None = column("hold_s", "s")
    weight: Kilograms | None = column("weight_kg", "kg")
    depth: Meters | None = column("depth_mm", "mm")


class EfficiencyPoint(Part):
    """One point of a part-load efficiency curve."""

    file: ClassVar[str] = "efficiency_curves.csv"
    plural: ClassVar[str] = "efficiency_points"

    curve: str = column("curve", default=...)
    load_fraction: Fraction = column("load_fraction", "", default=...)
    efficiency: Fraction = column("efficiency", "", default=...)
