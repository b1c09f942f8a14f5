"""A catalogue part under another price, and every design it could then be part of.

Cables, modules, rack power, doors and frames are picked by price while candidates are enumerated. So that no price rules out
what another would pick, such a part is enumerated as a gift, at its list price and beyond all reason, and the sets are put
together with their money stated at the list price. What is picked at prices in between is added where an analysis finds the
cheapest design to change (``candidates_at``): a set enumerated at a price holds the cheapest design at that price.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from models.candidates.part_counts import units_per_pod
from models.candidates.placement import Candidates, Placements, enumerate_candidates
from models.candidates.pod_table import PodTable
from models.errors import UsageError, nearest
from models.instance import Instance
from models.parts.cooling import Cooling, CoolingKind
from models.parts.network_part import Link
from models.parts.part import Part, PricedPart, PriceRange
from models.parts.power_component import PowerComponent, PowerKind
from models.parts.rack import Rack
from models.physics.cost import PriceBasis
from optimizer.performance_cache import PerformanceCache

BEYOND_REASON = 1e8
"""Unit price [USD] at which nothing is picked that can be avoided."""

_RACK_POWER = (PowerKind.RACK_PDU, PowerKind.POWER_SHELF)


def find_part(instance: Instance, name: str) -> Part:
    """The priced part with an id; UsageError naming the nearest where there is none."""
    found = [part for part in instance.catalogue if part.id == name and _can_be_priced(part)]
    if found:
        return found[0]
    ids = [part.id for part in instance.catalogue if _can_be_priced(part)]
    raise UsageError(f"no part {name!r} that has a price: {nearest(name, ids)}")


def has_price(instance: Instance, name: str) -> bool:
    """Whether some part of this id has a price of its own."""
    return any(part.id == name and _can_be_priced(part) for part in instance.catalogue)


def _can_be_priced(part: Part) -> bool:
    return isinstance(part, PricedPart | Link | Cooling)


def price_range(part: Part) -> PriceRange | None:
    """Price of one unit [USD]: of a system, a switch, a module or cable end, a plant unit."""
    price: PriceRange | None = part.price_per_end if isinstance(part, Link) else getattr(part, "price", None)
    return price


def list_price(part: Part, basis: PriceBasis) -> float | None:
    """Unit price [USD] at a basis; None where the catalogue has none."""
    price = price_range(part)
    return None if price is None else price.at(basis)


def with_part(instance: Instance, part: Part) -> Instance:
    """The instance with ``part`` in its catalogue, in place of the one of its id."""
    kind = type(part)
    catalogue = instance.catalogue
    parts = {**catalogue.parts, kind: {**catalogue.of(kind), part.id: part}}
    return dataclasses.replace(instance, catalogue=dataclasses.replace(catalogue, parts=parts))


def priced_at(part: Part, price: PriceRange) -> Part:
    """The part at another unit price [USD]."""
    changes: dict[str, Any]
    if isinstance(part, Link):
        changes = {"price_low_per_end": price.low, "price_high_per_end": price.high}
    elif isinstance(part, Cooling):
        if not part.capacity:
            raise UsageError(f"cooling part {part.id} has no capacity, so that a price per unit means nothing")
        low, high = price.low / part.capacity, price.high / part.capacity
        changes = {"price_low_per_watt": low, "price_high_per_watt": high}
    else:
        changes = {"price_low": price.low, "price_high": price.high}
    return part.model_copy(update=changes)


def picked_by_price(part: Part) -> bool:
    """True for parts among which the cheapest is picked before the program sees a choice."""
    if isinstance(part, PowerComponent):
        return part.kind in _RACK_POWER
    if isinstance(part, Cooling):
        return part.kind is CoolingKind.REAR_DOOR
    return isinstance(part, Link | Rack)


Restated = Callable[[Candidates], Candidates]
Making = Callable[[Instance, Instance, Restated], Candidates]
"""Makes candidates: the instance that prices them, the one they are enumerated for, and how what was enumerated is stated."""


def _every(_: Instance, wide: Instance, restated: Restated) -> Candidates:
    return restated(enumerate_candidates(wide, PerformanceCache()))


def candidates_at_any_price(instance: Instance, part: Part, made: Making = _every) -> tuple[Instance, Candidates]:
    """Every candidate some unit price of ``part`` could lead to, with the instance that prices them.

    A part without a price is entered at nothing, so that what it costs is only what an analysis adds. ``made`` may leave out what
    the analysis cannot need.
    """
    at_list = price_range(part) or PriceRange(0.0, 0.0)
    stated = with_part(instance, priced_at(part, at_list))
    if not picked_by_price(part):
        return stated, made(stated, stated, lambda found: found)
    prices = (at_list, PriceRange(0.0, 0.0), PriceRange(BEYOND_REASON, BEYOND_REASON))
    return stated, together([candidates_at(stated, part.id, p, made) for p in dict.fromkeys(prices)])


def candidates_at(stated: Instance, part: str, price: PriceRange, made: Making = _every) -> Candidates:
    """Candidates enumerated at another price of a part, their money stated at that of the instance."""
    known = find_part(stated, part)
    at_list = price_range(known) or PriceRange(0.0, 0.0)
    wide = with_part(stated, priced_at(known, price))
    return made(stated, wide, lambda found: _restated(found, part, price, at_list))


def together(made: Sequence[Candidates]) -> Candidates:
    """Several sets of candidates of one instance as one."""
    placements = tuple(
        joined([p for c in made for p in c.placements if (p.cluster, p.site) == key])
        for key in dict.fromkeys((p.cluster, p.site) for c in made for p in c.placements)
    )
    return dataclasses.replace(made[0], placements=placements)


def _restated(found: Candidates, part: str, price: PriceRange, stated: PriceRange) -> Candidates:
    """Candidates enumerated at one price of a part with their money at another."""
    if price == stated:
        return found
    placements = []
    for p in found.placements:
        units = units_per_pod(p.pods, part)
        low, high = p.pods.cost_low.copy(), p.pods.cost_high.copy()
        low[0] += units * (stated.low - price.low)
        high[0] += units * (stated.high - price.high)
        placements.append(dataclasses.replace(p, pods=dataclasses.replace(p.pods, cost_low=low, cost_high=high)))
    return dataclasses.replace(found, placements=tuple(placements))


def joined(parts: Sequence[Placements]) -> Placements:
    """Placements of one cluster and site one after the other, over one table of pods."""
    if len(parts) == 1:
        return parts[0]
    tables, pod, combination = [], [], []
    combinations = list(dict.fromkeys(c for p in parts for c in p.combinations))
    start = racks = fabrics = profiles = storages = networks = cards = 0
    for p in parts:
        tables.append(
            dataclasses.replace(
                p.pods,
                rack=p.pods.rack + racks,
                table=p.pods.table + fabrics,
                profile=_moved(p.pods.profile, profiles),
                storage=_moved(p.pods.storage, storages),
                network_table=_moved(p.pods.network_table, networks),
                network_card=_moved(p.pods.network_card, cards),
            )
        )
        pod.append(p.pod + start)
        place = np.array([combinations.index(c) for c in p.combinations], dtype=np.int64)
        combination.append(place[p.combination])
        start += len(p.pods)
        racks, fabrics, profiles = (
            racks + len(p.pods.racks),
            fabrics + len(p.pods.fabrics),
            profiles + len(p.pods.profiles),
        )
        storages, networks = storages + len(p.pods.storages), networks + len(p.pods.networks)
        cards += len(p.pods.network_cards)
    shared = PodTable.join(tables)
    pods = dataclasses.replace(
        shared,
        racks=tuple(r for p in parts for r in p.pods.racks),
        fabrics=tuple(t for p in parts for t in p.pods.fabrics),
        profiles=tuple(t for p in parts for t in p.pods.profiles),
        storages=tuple(t for p in parts for t in p.pods.storages),
        networks=tuple(t for p in parts for t in p.pods.networks),
        network_cards=tuple(c for p in parts for c in p.pods.network_cards),
    )
    return Placements(pods, tuple(combinations), np.concatenate(pod), np.concatenate(combination))


def _moved(index: npt.NDArray[np.int64], by: int) -> npt.NDArray[np.int64]:
    """An index into a table that now begins ``by`` rows further down; -1 stays none."""
    return np.where(index < 0, index, index + by)
