"""Racks that hold nothing but switches, taken again from a design's switches, the catalogue and the site: how many, which, how heavy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

from models.instance import Instance
from models.parts.network_part import Link, Switch
from models.parts.part import PriceRange
from models.parts.power_component import PowerComponent, PowerKind
from models.parts.rack import Rack
from models.units import Unlimited
from optimizer.design import PodChoice
from optimizer.verification.fabric import FabricFacts
from optimizer.verification.findings import Checks
from optimizer.verification.masses import kilograms
from optimizer.verification.racks import EIA, FEEDS
from optimizer.verification.row_feeds import position_share
from optimizer.verification.services import Services

SMALLEST_FRAME = 42.0
AT_MOST = 3
LEVELS = ("node_leaf", "leaf_spine", "spine_core")


@dataclass(frozen=True)
class NetworkRackFacts:
    """``count`` racks, each a ``frame`` with ``units`` rack PDUs; ``weight`` [kg] of all without switches."""

    count: int
    frame: Rack | None = None
    distribution: PowerComponent | None = None
    units: int = 0
    weight: float = 0.0


def network_racks_of(
    checks: Checks, instance: Instance, pod: PodChoice, fabric: FabricFacts, services: Services, prefix: str
) -> NetworkRackFacts:
    """The racks a pod's switches need; a finding where the design tells others."""
    frame = _frame(instance, pod)
    height = frame.rack_units if frame is not None and frame.rack_units is not None else SMALLEST_FRAME
    room = height - instance.assumptions.reserved_rack_units.value
    parts = _rack_pdus(instance, pod)
    per_feed = instance.assumptions.rack_pdus_per_feed.value
    limit = instance.sites[pod.site].air_per_rack.value
    share = position_share(instance, pod.site)
    most = min(inf if isinstance(limit, Unlimited) else float(limit), share)
    if frame is not None and parts:
        most = min(most, per_feed * max(part.rated or 0.0 for part in parts))
    heat = fabric.power_max + services.total("power_max")
    models = list(_models(instance, pod, fabric, services))
    for _, _, watts in models:
        checks.rule(f"{prefix}.network_racks", watts <= share * (1 + 1e-9), watts, share, "W of a switch on any line")
    sums = max(_whole((fabric.rack_units + services.total("rack_units")) / room), _whole(heat / most))
    count = max(sums, sum(_racks_of_large(*model, room, most) for model in models))
    told: dict[str, Any] = {}
    facts = NetworkRackFacts(count)
    if count:
        power = min(heat, room * max((watts / height for _, height, watts in models), default=0.0), most)
        best = min(_pairs(parts, per_feed, power), key=lambda pair: pair[:2], default=None)
        where = f"{prefix}.network_rack"
        if checks.rule(where, frame is not None and best is not None, power, "W within what a frame's rack PDUs carry"):
            assert frame is not None and best is not None
            _, _, units, part = best
            own = (frame.empty_weight or 0.0) + units * kilograms(instance, part)
            facts = NetworkRackFacts(count, frame, part, units, count * own)
            told = {
                "frame": frame.id, "distribution": part.id, "distribution_per_rack": units,
                "feed_w": units // FEEDS * (part.rated or 0.0),
            }  # fmt: skip
    for name in sorted(told.keys() | dict(pod.network_rack).keys()):
        checks.same(f"{prefix}.network_rack.{name}", pod.network_rack.get(name), told.get(name))
    return facts


def _frame(instance: Instance, pod: PodChoice) -> Rack | None:
    """The tallest priced 19-inch frame the cluster may use, else the cheapest of the catalogue."""
    allowed = instance.workloads[pod.cluster].design_space.frames
    priced = [
        (frame, frame.rack_units, _sum(frame.price))
        for frame in instance.catalogue.of(Rack).values()
        if frame.kind == EIA and frame.rack_units is not None and frame.price is not None
    ]
    mine = [entry for entry in priced if allowed is None or entry[0].id in allowed]
    if mine:
        return min(mine, key=lambda entry: (-entry[1], entry[2], entry[0].id))[0]
    return min(priced, key=lambda entry: (entry[2], -entry[1], entry[0].id))[0] if priced else None


def _rack_pdus(instance: Instance, pod: PodChoice) -> list[PowerComponent]:
    """Priced rack PDUs the cluster may use; all of the catalogue where it may use none of them."""
    allowed = instance.workloads[pod.cluster].design_space.rack_pdus
    known = [
        part
        for part in instance.catalogue.of(PowerComponent).values()
        if part.kind is PowerKind.RACK_PDU and part.price is not None and part.rated
    ]
    mine = known if allowed is None else [part for part in known if part.id in allowed]
    return mine or known


def _pairs(
    parts: list[PowerComponent], per_feed: int, power: float
) -> Iterator[tuple[float, str, int, PowerComponent]]:
    """Price, id, units and part of every way to carry ``power`` [W] on either feed."""
    for part in parts:
        assert part.price is not None and part.rated is not None
        needed = max(_whole(power / (part.rated * (1 + 1e-9))), 1)
        if needed <= per_feed:
            yield FEEDS * needed * _sum(part.price), part.id, FEEDS * needed, part


def _models(
    instance: Instance, pod: PodChoice, fabric: FabricFacts, services: Services
) -> Iterator[tuple[int, float, float]]:
    """Number, rack units and nameplate power [W] of every switch model of a network, with a module in every cage where its figure leaves
    them out."""
    rows: list[tuple[FabricFacts, Mapping[str, Any]]] = [(fabric, pod.fabric)]
    rows += [(facts, pod.networks[name]) for name, facts in services.networks.items()]
    for facts, told in rows:
        names = [told.get(f"medium_{level}") for level in LEVELS]
        ends = [instance.catalogue.get(Link, part) for name in names if name for part in name.split(" - ")]
        hottest = max((end.power_per_end or 0.0 for end in ends), default=0.0)
        for model, number in facts.models.items():
            switch = instance.catalogue.get(Switch, model)
            if number:
                yield number, switch.height_units or 1.0, (switch.max_power or 0.0) + _cages(switch) * hottest


def _racks_of_large(number: int, height: float, watts: float, room: float, most: float) -> int:
    """Racks of a switch model of which at most three fit a rack; small ones fill what is left beside them."""
    each = int(min(room / height, most / max(watts, 1.0)) + 1e-9)
    return 0 if each > AT_MOST else _whole(number / max(each, 1))


def _cages(switch: Switch) -> int:
    """Cages whose modules draw power beside the figure of the row."""
    said = f"{switch.name} {switch.notes}".lower()
    if "both without optics" not in said and "power without optics" not in said:
        return 0
    native, cages, fast = switch.native_ports or 0, switch.cages or 0, 0
    if switch.protocol.endswith("-DES") and cages > native:
        fast = cages - native
    elif (switch.most_ports_speed or 0.0) > (switch.native_speed or 0.0):
        fast = switch.most_ports or 0
    return max(native + fast, cages)


def _sum(price: PriceRange) -> float:
    return price.low + price.high


def _whole(value: float) -> int:
    return -int(-(value - 1e-9) // 1)
