"""Network parts: NICs, switches, scale-up switches, cables and transceivers."""

from __future__ import annotations

from typing import ClassVar

from models.parts.part import Part, PricedPart, PriceRange, column
from models.units import BytesPerSecond, Dollars, Kilograms, Meters, PerSecond, Watts


class Nic(PricedPart):
    """A network adapter with ``ports`` of ``speed`` [B/s] each way."""

    file: ClassVar[str] = "nics.csv"
    plural: ClassVar[str] = "nics"

    ports: int | None = column("ports")
    speed: BytesPerSecond | None = column("port_gbps", "Gbit/s")
    protocols: str = column("protocols", default="")
    power: Watts | None = column("power_w", "W")


class Switch(PricedPart):
    """A switch: ``native_ports`` at ``native_speed``, up to ``most_ports`` at ``most_ports_speed`` by splitting ports.

    ``typical_power`` is without active optics; what ``max_power`` includes is in the notes.
    """

    file: ClassVar[str] = "switches.csv"
    plural: ClassVar[str] = "switches"

    asic: str = column("asic", default="")
    protocol: str = column("protocol", default=...)
    cages: int | None = column("physical_cages")
    native_ports: int | None = column("ports_at_native")
    native_speed: BytesPerSecond | None = column("native_port_gbps", "Gbit/s")
    most_ports: int | None = column("max_ports")
    most_ports_speed: BytesPerSecond | None = column("max_ports_gbps", "Gbit/s")
    height_units: float | None = column("height_u")
    typical_power: Watts | None = column("typical_power_w", "W")
    max_power: Watts | None = column("max_power_w", "W")
    weight: Kilograms | None = column("weight_kg", "kg")


class ScaleupSwitch(Part):
    """A switch inside a scale-up domain, by chip and tray."""

    file: ClassVar[str] = "scaleup_switches.csv"
    plural: ClassVar[str] = "scaleup_switches"

    ports_per_chip: int | None = column("ports_per_chip")
    port_speed: BytesPerSecond | None = column("port_gb_s_per_direction", "GB/s")
    chips_per_tray: int | None = column("chips_per_tray")
    trays_per_domain: int | None = column("trays_per_domain")
    domain_size: int | None = column("domain_size")
    tray_power: Watts | None = column("tray_power_w", "W")


class Link(Part):
    """A cable or transceiver; price, power and failure rate are per end, a link always having two ends."""

    file: ClassVar[str] = "optics_cables.csv"
    plural: ClassVar[str] = "links"

    kind: str = column("kind", default=...)
    rate: BytesPerSecond | None = column("rate_gbps", "Gbit/s")
    lanes: int | None = column("electrical_lanes")
    reach: Meters | None = column("reach_m", "m")
    power_per_end: Watts | None = column("power_w_per_end", "W")
    fibre: str = column("fiber", default="")
    price_low_per_end: Dollars | None = column("price_usd_low_per_end", "USD")
    price_high_per_end: Dollars | None = column("price_usd_high_per_end", "USD")
    annual_failure_percent: float | None = column("afr_percent")
    failure_rate: PerSecond | None = column("fit", "FIT")
    price_is_estimate: bool = column("price_is_estimate", default=True)

    @property
    def price_per_end(self) -> PriceRange | None:
        """Price of one end [USD], or None."""
        if self.price_low_per_end is None or self.price_high_per_end is None:
            return None
        return PriceRange(self.price_low_per_end, self.price_high_per_end)
