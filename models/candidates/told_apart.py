"""Which early choices between fabrics and between rack designs an instance still allows.

Before the program is built, fabrics and rack designs that others beat are left out. That is right while only their figures count;
where a quote, share, supply cap or rule tells their parts apart, they are compared by parts, or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

from models.candidates.priced_parts import PricedPart, priced_parts
from models.instance import Instance
from models.rules import Measure
from models.sourcing import Layer


class Compare(Enum):
    """By figures; by the units of every part as well, fewer being no worse; or not at all, because more may be asked for."""

    FIGURES = "figures"
    PARTS = "parts"
    NOTHING = "nothing"


FABRIC_LAYERS = frozenset({Layer.NETWORK, Layer.OPTICS})
RACK_LAYERS = frozenset({Layer.RACKS, Layer.POWER, Layer.COOLING})


def comparison(instance: Instance, layers: frozenset[Layer]) -> Compare:
    """How designs that differ in parts of ``layers`` alone may be compared."""
    if not (instance.quotes or instance.rules or instance.document.sourcing != type(instance.sourcing)()):
        return Compare.PARTS if _several_vendors(instance, layers) else Compare.FIGURES
    known = priced_parts(instance.catalogue)
    if any(_touches(known, layers, *named) for named in _asked_for(instance)):
        return Compare.NOTHING
    capped = [(cap.part, cap.layer) for cap in instance.sourcing.supply.values()]
    quoted = [(part, None) for quote in instance.quotes.values() for part in quote.contents]
    if any(_touches(known, layers, *named) for named in [*capped, *quoted]) or _several_vendors(instance, layers):
        return Compare.PARTS
    return Compare.FIGURES


def _several_vendors(instance: Instance, layers: frozenset[Layer]) -> bool:
    """Whether optics come from several vendors, which an objective may tell apart; switches are compared by model, and racks
    by vendor anyway."""
    optics = [p for p in priced_parts(instance.catalogue).values() if p.layer is Layer.OPTICS]
    return Layer.OPTICS in layers and len({p.part.vendor for p in optics}) > 1


def _asked_for(instance: Instance) -> Iterator[tuple[str | None, Layer | None]]:
    """Part and layer of everything of which an instance may ask for more."""
    yield from ((None, share.layer) for share in instance.sourcing.shares.values())
    yield from ((second.part, second.layer) for second in instance.sourcing.second_sources.values())
    for rule in instance.rules.values():
        if rule.same_vendor is not None:
            yield from ((None, layer) for layer in rule.same_vendor.layers)
        for _, selection in rule.selections:
            if selection.counted is Measure.OPTION:
                continue
            if selection.counted in (Measure.ACCELERATORS, Measure.PODS) and selection.part is None:
                yield from [(None, selection.layer)] if selection.layer or selection.vendor else []
            elif selection.counted in (Measure.RACKS, Measure.POWER):
                yield (None, None)
            else:
                yield (selection.part, selection.layer)


def _touches(known: dict[str, PricedPart], layers: frozenset[Layer], part: str | None, layer: Layer | None) -> bool:
    if part is not None:
        return part in known and known[part].layer in layers
    return layer is None or layer in layers
