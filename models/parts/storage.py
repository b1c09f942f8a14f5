"""Storage nodes and hosts, and rules of thumb for sizing them."""

from __future__ import annotations

from typing import ClassVar

from models.parts.part import Part, PricedPart, column
from models.units import Bytes, BytesPerSecond, Kilograms, Meters, Watts


class StorageNode(PricedPart):
    """A storage appliance, enclosure or host, with its sustained bandwidths [B/s]."""

    file: ClassVar[str] = "storage_and_hosts.csv"
    plural: ClassVar[str] = "storage"

    kind: str = column("kind", default=...)
    height_units: float | None = column("height_u")
    capacity: Bytes | None = column("capacity_tb_raw", "TB")
    read: BytesPerSecond | None = column("read_gb_s", "GB/s")
    write: BytesPerSecond | None = column("write_gb_s", "GB/s")
    network: str = column("network", default="")
    max_power: Watts | None = column("max_power_w", "W")
    typical_power: Watts | None = column("typical_power_w", "W")
    weight: Kilograms | None = column("weight_kg", "kg")
    depth: Meters | None = column("depth_mm", "mm")


class SizingRule(Part):
    """A rule of thumb with its own unit."""

    file: ClassVar[str] = "storage_sizing_rules.csv"
    plural: ClassVar[str] = "sizing_rules"
    reference_only: ClassVar[bool] = True

    value: float = column("value", default=...)
    unit: str = column("unit", default="")
