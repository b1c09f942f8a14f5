"""Scale-up domains: switch chips and trays of one level or two for every domain size, with ledgers, power and bandwidth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from models.physics.network.scaleup import ScaleUp

if TYPE_CHECKING:
    from models.parts.network_part import ScaleupSwitch


@dataclass(frozen=True, slots=True)
class ScaleUpCard:
    """A switch tray of a scale-up domain: chips of ``ports_per_chip`` ports of ``port_speed`` [B/s each way]; ``power`` [W] or None."""

    id: str
    ports_per_chip: int
    port_speed: float
    chips_per_tray: int
    power: float | None = None

    @classmethod
    def from_part(cls, part: ScaleupSwitch) -> ScaleUpCard | None:
        """The card of a catalogue row; None where it lacks ports, speed or chips."""
        if part.ports_per_chip is None or part.port_speed is None or part.chips_per_tray is None:
            return None
        return cls(part.id, part.ports_per_chip, part.port_speed, part.chips_per_tray, part.tray_power)


@dataclass(frozen=True, slots=True)
class ScaleUpDesign:
    """One domain. ``first`` and ``second`` level chips and trays (second 0 for one level); ``spare_ports`` on all chips.

    ``bandwidth`` is what one accelerator sends into the domain [B/s]; ``bisection`` the share of it that passes between two halves, per accelerator;
    ``power`` [W] is None where the tray's power is not known.
    """

    card: str
    accelerators: int
    chassis: int
    levels: int
    links: int
    first_chips: int
    second_chips: int
    first_trays: int
    second_trays: int
    spare_ports: int
    bandwidth: float
    bisection: float
    power: float | None


@dataclass(frozen=True, slots=True)
class ScaleUpRefusal:
    """A domain that cannot be switched, and why."""

    card: str
    accelerators: int
    levels: int
    rule: str


def scaleup_designs(
    sizes: Sequence[int],
    links: int,
    link_speed: float,
    cards: Sequence[ScaleUpCard],
    chassis_size: int | None = None,
    tapers: Sequence[float] = (1.0,),
) -> tuple[tuple[ScaleUpDesign, ...], tuple[ScaleUpRefusal, ...]]:
    """Every one-level domain of each size, and every two-level one of chassis of ``chassis_size``.

    An accelerator has ``links`` of ``link_speed`` [B/s each way]. One level spreads them evenly over all chips; a second carries all
    links divided by the taper.
    """
    designs: list[ScaleUpDesign] = []
    refused: list[ScaleUpRefusal] = []
    for card in cards:
        if link_speed > card.port_speed * (1 + 1e-9):
            rule = f"a link of {link_speed / 1e9:g} GB/s has no port of its speed"
            refused += [ScaleUpRefusal(card.id, size, 0, rule) for size in sizes]
            continue
        for size in sizes:
            for found in (
                _one_level(card, size, links, link_speed),
                *_two_levels(card, size, links, link_speed, chassis_size, tapers),
            ):
                if isinstance(found, ScaleUpDesign):
                    designs.append(found)
                else:
                    refused.append(found)
    return tuple(designs), tuple(refused)


def _trays(chips: int, card: ScaleUpCard) -> int:
    return -(-chips // card.chips_per_tray)


def _power(trays: int, card: ScaleUpCard) -> float | None:
    return None if card.power is None else trays * card.power


def _one_level(card: ScaleUpCard, size: int, links: int, speed: float) -> ScaleUpDesign | ScaleUpRefusal:
    domain = ScaleUp(size, links, card.ports_per_chip)
    chips = domain.chips
    if chips is None:
        rule = f"{links} links spread evenly reach at most {links} chips of {card.ports_per_chip} ports; {size} accelerators need more"
        return ScaleUpRefusal(card.id, size, 1, rule)
    trays = _trays(chips, card)
    spare = trays * card.chips_per_tray * card.ports_per_chip - domain.total_links
    return ScaleUpDesign(
        card.id, size, 1, 1, domain.total_links, chips, 0, trays, 0, spare, links * speed, links * speed, _power(trays, card)
    )  # fmt: skip


def _two_levels(
    card: ScaleUpCard, size: int, links: int, speed: float, chassis_size: int | None, tapers: Sequence[float]
) -> list[ScaleUpDesign | ScaleUpRefusal]:
    if chassis_size is None or size <= chassis_size:
        return []
    if size % chassis_size:
        rule = f"{size} accelerators fill no whole number of chassis of {chassis_size}"
        return [ScaleUpRefusal(card.id, size, 2, rule)]
    out: list[ScaleUpDesign | ScaleUpRefusal] = []
    for taper in tapers:
        pod = ScaleUp(size, links, card.ports_per_chip, size // chassis_size, taper)
        uplinks = pod.second_level_links // pod.chassis
        if pod.second_level_links % pod.chassis or pod.chassis > card.ports_per_chip * pod.second_level_chips:
            out.append(
                ScaleUpRefusal(card.id, size, 2, f"the links above do not spread evenly over {pod.chassis} chassis")
            )
            continue
        first = _trays(pod.first_level_chips // pod.chassis, card) * pod.chassis
        second = _trays(pod.second_level_chips, card)
        ports = (first + second) * card.chips_per_tray * card.ports_per_chip
        spare = ports - pod.total_links - 2 * uplinks * pod.chassis
        out.append(
            ScaleUpDesign(
                card.id,
                size,
                pod.chassis,
                2,
                pod.total_links,
                pod.first_level_chips,
                pod.second_level_chips,
                first,
                second,
                spare,
                links * speed,
                links * speed / taper,
                _power(first + second, card),
            )
        )
    return out
