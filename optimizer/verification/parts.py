"""Parts by id, with their price, layer and maker, straight from catalogue rows."""

from __future__ import annotations

from models.instance import Instance
from models.parts.accelerator import Accelerator
from models.parts.cooling import Cooling
from models.parts.network_part import Link, Nic, Switch
from models.parts.part import Part, PriceRange
from models.parts.power_component import PowerComponent
from models.parts.rack import Rack
from models.parts.storage import StorageNode
from models.parts.system import System
from models.sourcing import Layer

BOUGHT: dict[type[Part], tuple[Layer, ...]] = {
    System: (Layer.SILICON, Layer.ODM),
    Switch: (Layer.NETWORK,),
    Nic: (Layer.NETWORK,),
    Link: (Layer.OPTICS,),
    Cooling: (Layer.COOLING,),
    PowerComponent: (Layer.POWER,),
    Rack: (Layer.RACKS,),
    StorageNode: (Layer.STORAGE,),
}


def part_of(instance: Instance, part: str) -> Part | None:
    """The row of a part that can be bought, whatever kind it is."""
    for kind in BOUGHT:
        row = instance.catalogue.of(kind).get(part)
        if row is not None:
            return row
    return None


def price_of(part: Part | None) -> PriceRange | None:
    """Catalogue price of one unit (one end, of a cable or module)."""
    return part.price_per_end if isinstance(part, Link) else getattr(part, "price", None)


def layers_of(part: Part | None) -> tuple[Layer, ...]:
    """Layers a part is bought in."""
    return BOUGHT.get(type(part), ()) if part is not None else ()


def owner_of(instance: Instance, part: Part, seller: str, layer: Layer | None) -> str:
    """Whose a part is in a layer: the maker of its accelerators in silicon, its seller elsewhere."""
    if layer is Layer.SILICON and isinstance(part, System):
        chip = instance.catalogue.of(Accelerator).get(part.accelerator or "")
        return chip.vendor if chip is not None else part.vendor
    return seller


def worth_of(part: Part, layer: Layer | None) -> int:
    """What one unit counts for: its accelerators in silicon, one elsewhere."""
    if layer is Layer.SILICON:
        return (part.accelerators or 0) if isinstance(part, System) else 0
    return 1


def vendors_in(instance: Instance, sellers: dict[str, list[str]], layer: Layer | None, part: str | None) -> list[str]:
    """Vendors of every part of a layer (or of one part); ``sellers`` are those of parts that are bought through quotes."""
    found: set[str] = set()
    for kind, layers in BOUGHT.items():
        for row in instance.catalogue.of(kind).values():
            if (
                price_of(row) is None
                or (part is not None and row.id != part)
                or (layer is not None and layer not in layers)
            ):
                continue
            found.update(owner_of(instance, row, seller, layer) for seller in sellers.get(row.id) or [row.vendor])
    return sorted(found)
