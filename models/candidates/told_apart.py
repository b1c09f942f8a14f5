"""Which early choices between fabrics and between rack designs an instance still allows.

Before the program is built, fabrics and rack designs that others beat are left out. That is right while only their figures count;
where a quote, share, supply cap or rule tells their parts apart, they are compared by parts, or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

from models.candidates.priced_parts import PricedPart, priced_parts
from models.instance import Instance
from models.parts.cooling import Cooling, CoolingKind
from models.parts.part import Part
from models.parts.power_component import PowerComponent, PowerKind
from models.rules import Measure, Selection
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
    several = Compare.PARTS if _several_vendors(instance, layers) else Compare.FIGURES
    if not (instance.quotes or instance.rules or instance.sourcing != type(instance.sourcing)()):
        return several
    known = priced_parts(instance.catalogue)
    if any(_touches(known, layers, *named) for named in _more_asked(instance)):
        return Compare.NOTHING
    return Compare.PARTS if any(_touches(known, layers, *named) for named in _counted(instance)) else several


def _several_vendors(instance: Instance, layers: frozenset[Layer]) -> bool:
    """Whether optics come from several vendors, which an objective may tell apart; switches are compared by model, and racks
    by vendor anyway."""
    optics = [p for p in priced_parts(instance.catalogue).values() if p.layer is Layer.OPTICS]
    return Layer.OPTICS in layers and len({p.part.vendor for p in optics}) > 1


Named = tuple[str | None, Layer | None]


def _more_asked(instance: Instance) -> Iterator[Named]:
    """Part and layer of everything of which more may be better: floors, shares of a whole, conditions that few fulfil."""
    yield from ((None, share.layer) for share in instance.sourcing.shares.values())
    quoted = {part for quote in instance.quotes.values() for part in quote.contents}
    for second in instance.sourcing.second_sources.values():
        if second.part not in quoted:  # of a quoted part only orders are counted, and they may exceed the need
            yield second.part, second.layer
    for rule in instance.rules.values():
        if rule.at_least is not None or rule.fix is not None:
            yield from _named(rule.of)
        yield from _named(rule.require)
        if rule.condition is not None and rule.condition.at_most is not None:
            yield from _named(rule.condition.of)
        if rule.then is not None and rule.then.at_least is not None:
            yield from _named(rule.then.of)


def _named(selection: Selection | None) -> Iterator[Named]:
    """Part and layer whose units tell a selection's value; anything, where racks or power are counted."""
    if selection is None or selection.counted is Measure.OPTION:
        return
    if selection.counted in (Measure.RACKS, Measure.POWER):
        yield (None, None)
    elif selection.part or selection.layer or selection.vendor or selection.counted is Measure.SPEND:
        yield (selection.part, selection.layer)


def _counted(instance: Instance) -> Iterator[Named]:
    """Part and layer of everything that is counted and of which fewer is no worse; racks and power are compared as figures."""
    yield from ((cap.part, cap.layer) for cap in instance.sourcing.supply.values())
    yield from ((part, None) for quote in instance.quotes.values() for part in quote.contents)
    for rule in instance.rules.values():
        if rule.same_vendor is not None:
            yield from ((None, layer) for layer in rule.same_vendor.layers)
        for _, selection in rule.selections:
            told = selection.part or selection.layer or selection.vendor
            if selection.counted not in (Measure.RACKS, Measure.POWER) or told:
                yield from _named(selection)


def _touches(known: dict[str, PricedPart], layers: frozenset[Layer], part: str | None, layer: Layer | None) -> bool:
    if part is None:
        return layer is None or layer in layers
    if part not in known or known[part].layer not in layers:
        return False
    return layers != RACK_LAYERS or _in_racks(known[part].part)


def _in_racks(part: Part) -> bool:
    """Whether a part stands in racks, not in the plant."""
    if isinstance(part, PowerComponent):
        return part.kind in (PowerKind.RACK_PDU, PowerKind.POWER_SHELF, PowerKind.BATTERY_SHELF)
    return (
        not isinstance(part, Cooling)
        or part.kind in (CoolingKind.REAR_DOOR, CoolingKind.MANIFOLD)
        or bool(part.height_units)
    )
