"""Dragonflies as candidates: every balanced group of every switch, at every size, with ledgers, media, power, price and bandwidth.

A group of a switches, all joined to each other, gives every switch p node ports and h = r - p - (a - 1) global ports. The groups are
joined all to all with the same number of links per pair, as many as the global ports of a group allow:

    links per pair = floor(a h / (groups - 1))          global blocking = a p / (links per pair (groups - 1))
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.candidates.fabric_media import CageEnd, LinkMedium, cheapest_for, legal_media
from models.candidates.fabric_parts import LinkCard, SwitchCard
from models.candidates.fabric_request import FabricRequest
from models.physics.network.clos import ceil_div
from models.physics.network.dragonfly import Dragonfly


@dataclass(frozen=True, slots=True)
class DragonflyDesign:
    """One dragonfly; counts over all planes, ``spare_ports`` on all switches, bandwidth per accelerator [B/s].

    ``global_share`` is what of a group's injection fits its global links; ``bisection`` counts the direct links between two halves of the
    groups. ``node``, ``local`` and ``far`` are the media of the three kinds of links, with their longest runs [m].
    """

    nodes: int
    accelerators: int
    switch: str
    groups: int
    switches_per_group: int
    endpoint_ports: int
    links_per_pair: int
    switches: int
    node_links: int
    local_links: int
    global_links: int
    spare_ports: int
    node: str
    local: str
    far: str | None
    lengths: tuple[float, float, float]
    power_typical: float
    power_max: float
    capex_switches: tuple[float, float]
    capex_links: tuple[float, float]
    rack_units: float
    weight: float
    link_failure_rate: float
    injection: float
    global_share: float
    bisection: float


@dataclass(frozen=True, slots=True)
class DragonflyRefusal:
    """A switch, group or size that makes no dragonfly, and why."""

    switch: str
    group: str
    nodes: int
    rule: str


Found = DragonflyDesign | DragonflyRefusal


def dragonfly_designs(
    request: FabricRequest, switches: Sequence[SwitchCard], media: Sequence[LinkCard], most_blocking: float = 2.0
) -> tuple[tuple[DragonflyDesign, ...], tuple[DragonflyRefusal, ...]]:
    """Every dragonfly of ``request`` whose global blocking is no more than ``most_blocking``.

    Group sizes are those whose local ports take a quarter to a half of a switch, node ports a quarter of it and more.
    """
    found: list[Found] = []
    for card in switches:
        radix = card.ports.radix(request.port_speed)
        if card.missing() or not radix or card.cell_based:
            rule = (
                "no ports of this speed"
                if not radix
                else f"lacks {', '.join(card.missing())}"
                if card.missing()
                else "cell-based"
            )
            found.append(DragonflyRefusal(card.id, "all", 0, rule))
            continue
        options = _media(request, card, media)
        for a, p in _groups(radix):
            found += [_design(request, card, options, Dragonfly(1, a, p), int(n), most_blocking) for n in request.nodes]
    return (
        tuple(f for f in found if isinstance(f, DragonflyDesign)),
        tuple(f for f in found if isinstance(f, DragonflyRefusal)),
    )


def _groups(radix: int) -> list[tuple[int, int]]:
    """Switches of a group and node ports of a switch: quarters, thirds and halves of the radix, and the balanced a = 2p."""
    sizes = {radix // 4, radix // 3, radix // 2} - {0, 1}
    shapes = {(a, p) for a in sizes for p in (radix // 4, radix // 3) if p >= 1 and a - 1 + p < radix}
    quarter = (radix + 1) // 4
    return sorted(shapes | ({(2 * quarter, quarter)} if quarter else set()))


def _media(request: FabricRequest, card: SwitchCard, media: Sequence[LinkCard]) -> tuple[tuple[LinkMedium, ...], ...]:
    speed, plan = request.port_speed, card.ports
    end = CageEnd(
        plan.ports_per_cage(speed), plan.cage_speed, plan.cage_speed / 8, card.co_packaged, card.linear_optics
    )
    per_cage = request.nic_ports_per_cage
    nic = CageEnd(per_cage, request.nic_cage_speed or speed * per_cage, speed / 4)
    between = legal_media(media, speed, end, end, splits=end.ports_per_cage > 1)
    return legal_media(media, speed, end, nic), between


def _design(
    request: FabricRequest, card: SwitchCard, options: tuple[tuple[LinkMedium, ...], ...], shape: Dragonfly, nodes: int, most: float
) -> Found:  # fmt: skip
    a, p, radix = shape.switches_per_group, shape.endpoint_ports, card.ports.radix(request.port_speed)
    name = f"{a} switches of {p} node ports"
    in_group = a * p // request.ports_per_node
    if in_group < 1:
        return DragonflyRefusal(card.id, name, nodes, "a group has fewer node ports than a node")
    groups = int(ceil_div(nodes + request.reserved_nodes, in_group))
    out = radix - p - (a - 1)
    pair = a * out // (groups - 1) if groups > 1 else 0
    if groups > 1 and pair < 1:
        return DragonflyRefusal(
            card.id, name, nodes, f"{a * out} global ports of a group do not reach {groups - 1} others"
        )
    fly = Dragonfly(groups, a, p, 1, pair)
    if fly.global_blocking is not None and fly.global_blocking > most * (1 + 1e-9):
        return DragonflyRefusal(
            card.id, name, nodes, f"global blocking {fly.global_blocking:.3g} is more than {most:g}"
        )
    lengths = _lengths(request, card, fly, in_group)
    picks = [cheapest_for(options[kind > 0], np.array([run]), np.array([1]))[0] for kind, run in enumerate(lengths)]
    for kind, pick in enumerate(picks[: 3 if groups > 1 else 2]):
        if pick < 0:
            return DragonflyRefusal(
                card.id,
                name,
                nodes,
                f"no medium reaches the {lengths[kind]:.3g} m of {('node', 'local', 'global')[kind]} links",
            )
    chosen = [options[kind > 0][pick] if pick >= 0 else None for kind, pick in enumerate(picks)]
    return _priced(request, card, fly, nodes, lengths, chosen if groups > 1 else [*chosen[:2], None])


def _lengths(request: FabricRequest, card: SwitchCard, fly: Dragonfly, in_group: int) -> tuple[float, float, float]:
    plan, planes = request.rack_plan, request.planes
    own = int(plan.network_racks(fly.switches_per_group * planes * (card.height or 1.0)))
    racks = int(plan.node_racks(in_group))
    hall = fly.groups * (racks + own)
    return float(plan.run(racks, own)), float(plan.run(racks, own)), float(2 * plan.run(hall, 0) - 2 * plan.rise)


def _priced(
    request: FabricRequest, card: SwitchCard, fly: Dragonfly, nodes: int, lengths: tuple[float, float, float],
    media: Sequence[LinkMedium | None],
) -> DragonflyDesign:  # fmt: skip
    planes, ports, speed = request.planes, request.ports_per_node, request.port_speed
    links = (nodes * ports * planes, fly.local_cables * planes, fly.global_cables * planes)
    lit = [(count, medium) for count, medium in zip(links, media, strict=True) if medium is not None]
    switches = fly.switches * planes
    optics = sum(count * medium.power for count, medium in lit)
    injection = ports * planes * speed / request.accelerators_per_node
    half = fly.groups // 2
    crossing = half * (fly.groups - half) * fly.links_per_pair
    share = 1.0 if fly.global_blocking is None else min(1.0, 1 / fly.global_blocking)
    cut = 1.0 if fly.groups == 1 else min(share, crossing / (half * fly.endpoints_per_group))
    assert card.typical_power is not None and card.max_power is not None and card.height is not None
    assert card.weight is not None and card.price_low is not None and card.price_high is not None
    node, local, far = media
    assert node is not None and local is not None
    at_nodes = links[0] * node.far.power_per_end / node.far_ports
    return DragonflyDesign(
        nodes=nodes, accelerators=nodes * request.accelerators_per_node, switch=card.id, groups=fly.groups,
        switches_per_group=fly.switches_per_group, endpoint_ports=fly.endpoint_ports, links_per_pair=fly.links_per_pair,
        switches=switches, node_links=links[0], local_links=links[1], global_links=links[2],
        spare_ports=switches * card.ports.radix(speed) - links[0] - 2 * links[1] - 2 * links[2],
        node=node.name, local=local.name, far=far.name if far else None, lengths=lengths,
        power_typical=switches * card.typical_power + optics,
        power_max=switches * card.max_power + (at_nodes if card.max_power_has_optics else optics),
        capex_switches=(switches * card.price_low, switches * card.price_high),
        capex_links=(sum(c * m.price_low for c, m in lit), sum(c * m.price_high for c, m in lit)),
        rack_units=switches * card.height, weight=switches * card.weight,
        link_failure_rate=sum(c * m.failure_rate for c, m in lit), injection=injection, global_share=share, bisection=injection * cut,
    )  # fmt: skip
