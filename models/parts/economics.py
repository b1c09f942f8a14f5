"""Electricity, construction and finance figures, and heat-transfer constants."""

from __future__ import annotations

from typing import ClassVar

from models.parts.part import Part, column
from models.units import Celsius, DollarsPerJoule, KilogramsPerJoule


class Electricity(Part):
    """Average industrial price [USD/J] and lifecycle carbon [kg/J] of a region's grid."""

    file: ClassVar[str] = "electricity.csv"
    plural: ClassVar[str] = "electricity"

    price: DollarsPerJoule | None = column("usd_per_kwh", "USD/kWh")
    carbon: KilogramsPerJoule | None = column("gco2_per_kwh", "g/kWh")


class FacilityCost(Part):
    """A construction or occupancy cost; ``per`` is the row's own unit."""

    file: ClassVar[str] = "facility_cost.csv"
    plural: ClassVar[str] = "facility_costs"
    reference_only: ClassVar[bool] = True

    low: float | None = column("usd_low")
    high: float | None = column("usd_high")
    per: str = column("per", default="")


class FinanceAssumption(Part):
    """A range for a financial parameter; ``unit`` is the row's own."""

    file: ClassVar[str] = "finance_assumptions.csv"
    plural: ClassVar[str] = "finance"

    low: float | None = column("low")
    typical: float | None = column("typical")
    high: float | None = column("high")
    unit: str = column("unit", default="")


class PueEstimate(Part):
    """Published PUE of a cooling method."""

    file: ClassVar[str] = "pue.csv"
    plural: ClassVar[str] = "pue"
    reference_only: ClassVar[bool] = True

    low: float | None = column("pue_low")
    typical: float | None = column("pue_typical")
    high: float | None = column("pue_high")
    climate: str = column("climate", default="")


class HeatTransferConstant(Part):
    """A constant of heat transfer in its own unit."""

    file: ClassVar[str] = "heat_transfer_constants.csv"
    plural: ClassVar[str] = "heat_transfer"
    reference_only: ClassVar[bool] = True

    value: float = column("value", default=...)
    unit: str = column("unit", default="")


class LiquidClass(Part):
    """An ASHRAE facility-water or technology-loop class, by its highest supply temperature."""

    file: ClassVar[str] = "ashrae_liquid_classes.csv"
    plural: ClassVar[str] = "liquid_classes"
    reference_only: ClassVar[bool] = True

    supply_maximum: Celsius | None = column("facility_water_max_c", "degC")
    heat_rejection: str = column("typical_heat_rejection", default="")
