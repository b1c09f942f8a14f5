"""Cooling equipment: room units, rear doors, coolant distribution units, chillers and dry coolers."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from models.parts.part import Part, PriceRange, column
from models.units import Celsius, DollarsPerWatt, Fraction, Kilograms, Meters, SquareMeters, Watts


class CoolingKind(StrEnum):
    """Where in the thermal chain a unit stands."""

    AIR = "air"
    REAR_DOOR = "rdhx"
    CDU = "cdu"
    CDU_TO_AIR = "cdu_l2a"
    MANIFOLD = "manifold"
    PLANT = "plant"


class Cooling(Part):
    """A unit of ``capacity`` [W of heat]; ``power_share`` is electrical W per W cooled; price per W of capacity.

    ``height_units`` is stated where a unit is mounted in a rack.
    """

    file: ClassVar[str] = "cooling.csv"
    plural: ClassVar[str] = "cooling"

    kind: CoolingKind = column("kind", default=...)
    capacity: Watts | None = column("capacity_kw", "kW")
    minimum: Watts | None = column("min_capacity_kw", "kW")
    flow_per_kw: float | None = column("flow_l_min_per_kw")
    flow_basis: str = column("flow_basis", default="")
    power_share: Fraction | None = column("power_w_per_kw_cooled", "W/kW")
    supply_maximum: Celsius | None = column("supply_temp_c_max", "degC")
    redundancy: str = column("redundancy", default="")
    footprint: SquareMeters | None = column("footprint_m2", "m**2")
    height_units: float | None = column("height_u")
    weight: Kilograms | None = column("weight_kg", "kg")
    depth: Meters | None = column("depth_mm", "mm")
    price_low_per_watt: DollarsPerWatt | None = column("price_usd_per_kw_low", "USD/kW")
    price_high_per_watt: DollarsPerWatt | None = column("price_usd_per_kw_high", "USD/kW")
    price_is_estimate: bool = column("price_is_estimate", default=True)

    @property
    def price(self) -> PriceRange | None:
        """Price of one unit [USD]: the catalogue's price per kW times its capacity."""
        if self.capacity is None or self.price_low_per_watt is None or self.price_high_per_watt is None:
            return None
        return PriceRange(self.price_low_per_watt * self.capacity, self.price_high_per_watt * self.capacity)
