"""Switches and media for the fabric tests: real figures of common parts, prices in round numbers."""

from __future__ import annotations

from models.candidates.fabric_parts import LinkCard, SwitchCard
from models.physics.network.ports import PortPlan

GBIT = 1e9 / 8


def switch(
    name: str, ports: int, gbps: int, most: int | None = None, least: int | None = None, cages: int | None = None
) -> SwitchCard:
    plan = PortPlan(ports, gbps * GBIT, most, least * GBIT if least else None, cages)
    return SwitchCard(name, "IB", plan, 700.0, 1700.0, 1.0, 15.0, 30_000.0, 50_000.0)


HDR_40 = switch("hdr40", 40, 200, 80, 100, 40)
NDR_64 = switch("ndr64", 64, 400, 128, 200, 32)
ETH_64 = switch("eth64", 64, 800, 256, 200, 64)
XDR_144 = switch("xdr144", 144, 800, cages=72)


def link(name: str, kind: str, gbps: int, lanes: int, reach: float, fibre: str, price: float) -> LinkCard:
    return LinkCard(name, kind, gbps * GBIT, lanes, reach, fibre, 8.0, price, price * 1.5, 1e-12)


MEDIA = (
    link("dac_200", "DAC", 200, 4, 2, "none", 60),
    link("sr4_200", "transceiver", 200, 4, 100, "MPO-12 OM4", 200),
    link("dr4_200", "transceiver", 200, 4, 500, "MPO-12 SMF", 300),
    link("dac_400", "DAC", 400, 4, 2, "none", 90),
    link("aec_400", "AEC", 400, 4, 7, "none", 260),
    link("sr4_400", "transceiver", 400, 4, 50, "MPO-12 OM4", 400),
    link("dr4_400", "transceiver", 400, 4, 500, "MPO-12 SMF", 450),
    link("dac_800", "DAC", 800, 8, 2, "none", 150),
    link("sr8_800", "transceiver", 800, 8, 50, "2x MPO-12 OM4", 700),
    link("dr8_800", "transceiver", 800, 8, 500, "2x MPO-12 SMF", 1000),
    link("2fr4_800", "transceiver", 800, 8, 2000, "2x LC SMF", 1500),
    link("dr4_800", "transceiver", 800, 4, 500, "MPO-12 SMF", 900),
    link("dr8_1600", "transceiver", 1600, 8, 500, "2x MPO-12 SMF", 1800),
)
