"""Every part that has a price, by id: its layer, maker and price, whatever kind of part it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from models.catalogue import Catalogue
from models.parts.accelerator import Accelerator
from models.parts.cooling import Cooling
from models.parts.network_part import Link, Nic, Switch
from models.parts.part import Part, PriceRange
from models.parts.power_component import PowerComponent
from models.parts.rack import Rack
from models.parts.storage import StorageNode
from models.parts.system import System
from models.sourcing import Layer

_LAYERS: tuple[tuple[type[Part], Layer], ...] = (
    (System, Layer.ODM),
    (Switch, Layer.NETWORK),
    (Nic, Layer.NETWORK),
    (Link, Layer.OPTICS),
    (Cooling, Layer.COOLING),
    (PowerComponent, Layer.POWER),
    (Rack, Layer.RACKS),
    (StorageNode, Layer.STORAGE),
)


@dataclass(frozen=True)
class PricedPart:
    """A part that is bought. ``maker`` makes the accelerators of a system, ``accelerators`` of them in one unit."""

    part: Part
    layer: Layer
    price: PriceRange
    maker: str
    accelerators: int

    @property
    def id(self) -> str:
        """Id of the catalogue row."""
        return self.part.id

    @property
    def layers(self) -> tuple[Layer, ...]:
        """A system counts as silicon and as what its seller builds."""
        return (Layer.SILICON, Layer.ODM) if self.layer is Layer.ODM else (self.layer,)

    def weight_in(self, layer: Layer | None) -> int:
        """What one unit counts for in a layer: its accelerators in silicon, one elsewhere."""
        return self.accelerators if layer is Layer.SILICON else 1


def priced_parts(catalogue: Catalogue) -> dict[str, PricedPart]:
    """Every part with a price, by id."""
    return {found.id: found for found in _priced(catalogue)}


def _priced(catalogue: Catalogue) -> Iterator[PricedPart]:
    for kind, layer in _LAYERS:
        for part in catalogue.of(kind).values():
            price = part.price_per_end if isinstance(part, Link) else getattr(part, "price", None)
            if price is None:
                continue
            maker, count = part.vendor, 0
            if isinstance(part, System):
                chip = catalogue.of(Accelerator).get(part.accelerator or "")
                maker, count = (chip.vendor if chip is not None else part.vendor), part.accelerators or 0
            yield PricedPart(part, layer, price, maker, count)
