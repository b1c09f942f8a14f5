"""Systems: a server or rack-scale unit sold as one."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from pydantic import ConfigDict

from models.parts.part import PricedPart, column
from models.parts.quarter import QuarterField
from models.units import BytesPerSecond, Celsius, CubicMetersPerSecond, Fraction, Kilograms, Meters, Watts


class SystemKind(StrEnum):
    """A server goes into a frame; a rack-scale system is sold with its frame."""

    SERVER = "server"
    RACK = "rack"


class System(PricedPart):
    """``max_power`` nameplate, ``typical_power`` sustained training load [W]; ``liquid_fraction`` share of heat to liquid.

    ``steady_power`` is the part beside the accelerators that draws the same whatever the load, such as switch trays [W].

    ``scaleout_nics`` NIC ports towards the scale-out fabric per system, ``scaleout_speed`` [B/s] each way; ``rails`` of them
    leave one fabric node on distinct rails (a server, or a tray of a rack-scale system).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)
    file: ClassVar[str] = "systems.csv"
    plural: ClassVar[str] = "systems"

    kind: SystemKind = column("kind", default=...)
    available: QuarterField | None = column("available_quarter")
    accelerator: str | None = column("accelerator_id")
    accelerators: int | None = column("accelerators")
    cpus: int | None = column("cpus")
    scaleout_nics: int | None = column("scaleout_nics")
    rails: int | None = column("rails")
    scaleout_speed: BytesPerSecond | None = column("scaleout_nic_gbps", "Gbit/s")
    other_nics: int | None = column("storage_mgmt_nics")
    frame: str | None = column("frame")
    rack_units: float | None = column("rack_units")
    max_power: Watts | None = column("max_power_w", "W")
    typical_power: Watts | None = column("typical_power_w", "W")
    steady_power: Watts | None = column("steady_power_w", "W")
    liquid_fraction: Fraction | None = column("liquid_heat_fraction", "")
    airflow: CubicMetersPerSecond | None = column("airflow_cfm", "CFM")
    inlet_maximum: Celsius | None = column("max_inlet_c", "degC")
    weight: Kilograms | None = column("weight_kg", "kg")
    depth: Meters | None = column("depth_mm", "mm")
    psu_config: str | None = column("psu_config")
