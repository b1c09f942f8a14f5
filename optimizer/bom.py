"""Bills of material: every part of a design with quantity, price range, source and confidence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from models.candidates.fabric_table import FabricTable
from models.candidates.placement import Placements
from models.instance import Instance
from models.parts.cooling import Cooling
from models.parts.network_part import Link, Switch
from models.parts.part import Part, PriceRange
from models.parts.power_component import PowerComponent
from models.parts.system import SystemKind
from models.site import Chain
from optimizer.design import BomLine, PlantChoice

LEVELS = ("node_leaf", "leaf_spine", "spine_core")


def pod_lines(instance: Instance, placements: Placements, row: int, count: int) -> Iterator[BomLine]:
    """Lines of ``count`` equal pods: systems, racks with their power, doors, CDUs and manifolds, switches, cables and modules."""
    pods = placements.pods
    pod = int(placements.pod[row])
    rack = pods.rack_design(pod)
    table, fabric = pods.fabrics[int(pods.table[pod])], int(pods.fabric[pod])
    here = (instance, placements.cluster, placements.site)
    spares = int(pods.spares[pod])
    yield _line(*here, "silicon", rack.system, (int(pods.systems[pod]) - spares) * count, rack.system.price)
    if spares:
        yield _line(*here, "spares", rack.system, spares * count, rack.system.price)
    racks = int(pods.node_racks[pod]) * count
    if rack.system.kind is SystemKind.SERVER:
        yield _line(*here, "rack", rack.frame, racks, rack.frame.price)
    for part, number in rack.parts:
        layer = "rack power" if isinstance(part, PowerComponent) else "cooling" if part is rack.door else "rack cooling"
        yield _line(*here, layer, part, racks * number, part.price)
    yield from _fabric_lines(here, "", table, fabric, count)
    for network, (other, at) in pods.network_row_of(pod).items():
        yield from _fabric_lines(here, f"{network.value} ", other, at, count)
    stand = pods.network_rack(pod)
    if stand is not None:
        stands = int(pods.network_racks[pod]) * count
        yield _line(*here, "network racks", stand.frame, stands, stand.frame.price)
        yield _line(*here, "network rack power", stand.distribution, stands * stand.units, stand.distribution.price)
    stored = pods.storage_card(pod)
    if stored is not None:
        nodes, stands = int(pods.storage_nodes[pod]) * count, int(pods.storage_racks[pod]) * count
        yield _line(*here, "storage", stored.part, nodes, stored.part.price)
        yield _line(*here, "storage racks", stored.frame, stands, stored.frame.price)
        units = stands * stored.distribution_units
        yield _line(*here, "storage rack power", stored.distribution, units, stored.distribution.price)


def _fabric_lines(
    here: tuple[Instance, str, str], network: str, table: FabricTable, fabric: int, count: int
) -> Iterator[BomLine]:
    """Switches, cables and modules of one network; its name goes before the layer, that of scale-out is left out."""
    models: dict[str, int] = {}
    lower, upper = table.switches[int(table.switch[fabric])], table.switches[int(table.spine_switch[fabric])]
    for card, number in ((lower, table.leaf[fabric]), (upper, table.spine[fabric] + table.core[fabric])):
        models[card.id] = models.get(card.id, 0) + int(number)
    for name, number in models.items():
        if number:
            switch = here[0].catalogue.get(Switch, name)
            yield _line(*here, f"{network}network", switch, number * count, switch.price)
    for link, ends in link_ends(table, fabric).items():
        part = here[0].catalogue.get(Link, link)
        yield _line(*here, f"{network}optics and cables", part, ends * count, part.price_per_end)


def link_ends(table: FabricTable, row: int) -> dict[str, int]:
    """Modules or cable ends by link part id, over all levels."""
    ends: dict[str, int] = {}
    for level in LEVELS:
        medium = int(getattr(table, f"medium_{level}")[row])
        if medium < 0:
            continue
        for card, side in ((table.media[medium].near, "near"), (table.media[medium].far, "far")):
            ends[card.id] = ends.get(card.id, 0) + int(getattr(table, f"{side}_units_{level}")[row])
    return {part: number for part, number in ends.items() if number}


def plant_lines(instance: Instance, plant: Iterable[PlantChoice]) -> Iterator[BomLine]:
    """Lines of the plant units."""
    for choice in plant:
        power = choice.chain == Chain.POWER.value
        part = (
            instance.catalogue.get(PowerComponent, choice.part)
            if power
            else instance.catalogue.get(Cooling, choice.part)
        )
        yield _line(instance, "", choice.site, "power" if power else "cooling", part, choice.units, part.price)


def _line(
    instance: Instance, cluster: str, site: str, layer: str, part: Part, quantity: int, price: PriceRange | None
) -> BomLine:
    assert price is not None
    unit = price.at(instance.money.price_basis)
    return BomLine(
        cluster=cluster,
        site=site,
        layer=layer,
        part=part.id,
        vendor=part.vendor,
        name=part.name,
        quantity=quantity,
        unit_price_low=price.low,
        unit_price_high=price.high,
        unit_price=unit,
        cost_usd=unit * quantity,
        price_is_estimate=bool(getattr(part, "price_is_estimate", True)),
        preliminary=part.preliminary,
        confidence=part.confidence.value,
        unverified=";".join(part.unverified),
        source=part.source,
    )
