"""Tori of cubes joined by optical circuit switches: counts, media, power and price for every number of cubes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from models.candidates.fabric_parts import LinkCard
from models.physics.network.torus import CubeTorus, torus_bisection_links, torus_diameter


@dataclass(frozen=True, slots=True)
class OpticalSwitchCard:
    """An optical circuit switch: ports, power [W] and price range [USD] of one port, rack units."""

    id: str
    ports: int
    power_per_port: float
    price_low_per_port: float
    price_high_per_port: float
    height: float = 4.0


@dataclass(frozen=True, slots=True)
class TorusDesign:
    """``cubes`` of ``edges`` chips arranged as ``shape`` cubes per axis, closed by optical switches.

    ``bisection`` is per chip [B/s], one direction, across the halved longest axis; ``spare_ports`` on all optical switches.
    """

    cubes: int
    edges: tuple[int, ...]
    shape: tuple[int, ...]
    chips: int
    switches: int
    ports_used: int
    spare_ports: int
    modules: int
    fibres: int
    copper_links: int
    diameter: int
    bisection: float
    power: float
    capex_low: float
    capex_high: float


@dataclass(frozen=True, slots=True)
class TorusRefusal:
    """A number of cubes that cannot be joined, and why."""

    cubes: int
    rule: str


def near_cubic(cubes: int, axes: int) -> tuple[int, ...]:
    """The arrangement of ``cubes`` on ``axes`` axes with the smallest longest axis, longest first."""
    if axes == 1:
        return (cubes,)
    best = (cubes, *([1] * (axes - 1)))
    for side in range(1, cubes + 1):
        if cubes % side == 0:
            rest = near_cubic(cubes // side, axes - 1)
            shape = tuple(sorted((side, *rest), reverse=True))
            if shape < best:
                best = shape
    return best


def torus_designs(
    cubes: Sequence[int],
    edges: tuple[int, ...],
    link_speed: float,
    switch: OpticalSwitchCard,
    module: LinkCard,
    length: float,
) -> tuple[tuple[TorusDesign, ...], tuple[TorusRefusal, ...]]:
    """A torus for every number of cubes that the optical switches can join; ``length`` [m] is the run from a cube to a switch.

    A chip link of ``link_speed`` [B/s each way] leaves its cube through one ``module``; light runs from cube to switch to cube.
    """
    designs: list[TorusDesign] = []
    refused: list[TorusRefusal] = []
    for count in cubes:
        torus = CubeTorus(count, edges)
        rule = _refusal(torus, link_speed, switch, module, length)
        if rule is not None:
            refused.append(TorusRefusal(count, rule))
            continue
        shape = near_cubic(count, len(edges))
        whole = [edge * side for edge, side in zip(sorted(edges), shape, strict=True)]
        ports = torus.switches * switch.ports
        used = torus.switches * torus.ports_per_switch
        low = torus.port_ends * module.price_low_per_end + ports * switch.price_low_per_port
        high = torus.port_ends * module.price_high_per_end + ports * switch.price_high_per_port
        designs.append(
            TorusDesign(
                cubes=count,
                edges=edges,
                shape=shape,
                chips=torus.chips,
                switches=torus.switches,
                ports_used=used,
                spare_ports=ports - used,
                modules=torus.port_ends,
                fibres=torus.port_ends * module.fibres(round(link_speed / module.lane_rate)),
                copper_links=torus.copper_links,
                diameter=torus_diameter(whole),
                bisection=torus_bisection_links(whole) * link_speed / (torus.chips / 2),
                power=torus.port_ends * module.power_per_end + ports * switch.power_per_port,
                capex_low=low,
                capex_high=high,
            )
        )
    return tuple(designs), tuple(refused)


def _refusal(torus: CubeTorus, speed: float, switch: OpticalSwitchCard, module: LinkCard, length: float) -> str | None:
    if torus.ports_per_switch > switch.ports:
        return (
            f"an optical switch takes 2 ports of every cube, {torus.ports_per_switch}; {switch.id} has {switch.ports}"
        )
    if module.is_cable or module.family == "multimode":
        return f"{module.id} does not light single-mode fibre through an optical switch"
    lanes = speed / module.lane_rate
    if abs(lanes - round(lanes)) > 1e-6 or round(lanes) > module.lanes or math.isclose(lanes, 0):
        return f"{module.id} does not carry a link of {speed * 8e-9:g} Gbit/s"
    if 2 * length > module.reach:
        return f"{2 * length:g} m from cube through switch to cube are beyond the {module.reach:g} m of {module.id}"
    return None
