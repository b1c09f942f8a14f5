"""The bill of materials of a design, line by line from its decisions and the catalogue rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from models.instance import Instance
from models.parts.cooling import Cooling
from models.parts.network_part import Link, Switch
from models.parts.part import Part, PriceRange
from models.parts.power_component import PowerComponent
from models.site import Chain
from optimizer.design import BomLine, Design
from optimizer.verification.findings import Checks
from optimizer.verification.plant import Plant
from optimizer.verification.pods import PodFacts

Units = Mapping[tuple[str, Chain, str], tuple[int, ...]]


def expected_lines(instance: Instance, facts: Sequence[PodFacts], units: Units, plant: Plant) -> list[BomLine]:
    """Every line that pods and plant need."""
    lines = [line for one in facts for line in pod_lines(instance, one)]
    for (site, chain, name), counts in units.items():
        for unit, count in zip(plant.options[site, chain, name].units, counts, strict=True):
            layer = "power" if isinstance(unit.part, PowerComponent) else "cooling"
            lines.append(_line(instance, "", site, layer, unit.part, count, unit.part.price))
    return lines


def pod_lines(instance: Instance, facts: PodFacts) -> Iterator[BomLine]:
    """Lines of all equal pods of one kind: systems, racks with their power and doors, switches, cables and modules."""
    pod, parts, fabric = facts.pod, facts.parts, facts.fabric
    racks = facts.node_racks * pod.count
    here = (instance, pod.cluster, pod.site)
    yield _line(*here, "silicon", parts.system, (pod.systems - pod.spares) * pod.count, parts.system.price)
    if pod.spares:
        yield _line(*here, "spares", parts.system, pod.spares * pod.count, parts.system.price)
    if parts.is_server:
        yield _line(*here, "rack", parts.frame, racks, parts.frame.price)
    if parts.distribution is not None:
        units = racks * pod.distribution_per_rack
        yield _line(*here, "rack power", parts.distribution, units, parts.distribution.price)
    if pod.rack.get("batteries"):
        battery = instance.catalogue.get(PowerComponent, str(pod.rack["battery"]))
        yield _line(*here, "rack power", battery, racks * int(pod.rack["batteries"]), battery.price)
    if parts.door is not None:
        yield _line(*here, "cooling", parts.door, racks, parts.door.price)
    for name, number in (("cdu", int(pod.rack.get("cdus") or 0)), ("manifold", 1)):
        if pod.rack.get(name):
            cooler = instance.catalogue.get(Cooling, str(pod.rack[name]))
            yield _line(*here, "rack cooling", cooler, racks * number, cooler.price)
    for name, network in (("", fabric), *((f"{name} ", one) for name, one in facts.services.networks.items())):
        for model, number in network.models.items():
            if number:
                switch = instance.catalogue.get(Switch, model)
                yield _line(*here, f"{name}network", switch, number * pod.count, switch.price)
        for link, ends in network.ends.items():
            part = instance.catalogue.get(Link, link)
            yield _line(*here, f"{name}optics and cables", part, ends * pod.count, part.price_per_end)
    switched = facts.switched
    if switched.frame is not None and switched.distribution is not None:
        stands = switched.count * pod.count
        yield _line(*here, "network racks", switched.frame, stands, switched.frame.price)
        units = stands * switched.units
        yield _line(*here, "network rack power", switched.distribution, units, switched.distribution.price)
    stored = facts.services.storage
    if stored is not None:
        stands = stored.racks * pod.count
        yield _line(*here, "storage", stored.node, stored.nodes * pod.count, stored.node.price)
        yield _line(*here, "storage racks", stored.frame, stands, stored.frame.price)
        units = stands * stored.distribution_units
        yield _line(*here, "storage rack power", stored.distribution, units, stored.distribution.price)


def _line(
    instance: Instance, cluster: str, site: str, layer: str, part: Part, quantity: int, price: PriceRange | None
) -> BomLine:
    if price is None:
        raise ValueError(f"{part.id} has no price in the catalogue")
    unit = price.at(instance.money.price_basis)
    return BomLine(
        cluster, site, layer, part.id, part.vendor, part.name, quantity, price.low, price.high, unit, unit * quantity,
        bool(getattr(part, "price_is_estimate", True)), part.preliminary, part.confidence.value,
        ";".join(part.unverified), part.source,
    )  # fmt: skip


def check_bill(checks: Checks, design: Design, expected: Sequence[BomLine]) -> None:
    """Holds the design's lines against the expected ones: missing, surplus, doubled, and every field that differs."""
    wanted, listed = _by_key(expected), _by_key(design.bom)
    for key in sorted(wanted.keys() | listed.keys()):
        where = f"bom.{'.'.join(key)}"
        ours, theirs = wanted.get(key, []), listed.get(key, [])
        checks.rule(where, len(ours) == len(theirs), f"{len(theirs)} lines", f"{len(ours)} lines")
        for mine, given in zip(ours, theirs, strict=False):
            fields: dict[str, Any] = asdict(mine)
            for name, value in fields.items():
                checks.same(f"{where}.{name}", getattr(given, name), value)


def _by_key(lines: Sequence[BomLine]) -> dict[tuple[str, ...], list[BomLine]]:
    grouped: dict[tuple[str, ...], list[BomLine]] = {}
    for line in sorted(lines, key=lambda one: (one.quantity, one.vendor, one.source)):
        grouped.setdefault((line.cluster, line.site, line.layer, line.part), []).append(line)
    return grouped


def preliminary_parts(expected: Sequence[BomLine], facts: Sequence[PodFacts]) -> tuple[str, ...]:
    """Ids of parts not shipping in volume, accelerators inside systems included."""
    inside = {one.parts.accelerator.id for one in facts if one.parts.accelerator.preliminary}
    return tuple(sorted({line.part for line in expected if line.preliminary} | inside))
