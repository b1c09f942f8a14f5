"""Units and spend of what a share, a supply cap or a rule names, as expressions over placements, plant and orders."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.candidates.offers import Offer
from models.candidates.part_counts import units_per_pod
from models.candidates.placement import Placements
from models.candidates.plant import PlantOption, PlantUnit
from models.candidates.priced_parts import PricedPart, priced_parts
from models.formulation.core import MONEY_QUANTUM, Core, nearest
from models.formulation.counts import bought_parts, units
from models.formulation.linear import Floats, Linear
from models.formulation.purchases import Cost, paid
from models.sourcing import Layer

BUNDLE_SHARE = 1e-4
"""A bundle's price is split over its parts by catalogue price, in steps of this."""


@dataclass(frozen=True)
class Asked:
    """What is named: everything that matches all of these. ``sites`` is several where one due date has several."""

    part: str | None = None
    vendor: str | None = None
    layer: Layer | None = None
    cluster: str | None = None
    sites: tuple[str, ...] | None = None

    @property
    def somewhere(self) -> bool:
        """Whether clusters or sites are told apart, which orders are not."""
        return self.cluster is not None or self.sites is not None

    def part_matches(self, part: PricedPart) -> bool:
        """Whether a part is of the named id and layer."""
        return (self.part is None or part.id == self.part) and (self.layer is None or self.layer in part.layers)

    def vendor_matches(self, part: PricedPart, seller: str) -> bool:
        """Whether a part bought from ``seller`` is of the named vendor; silicon is its maker's, whoever sells it."""
        owner = part.maker if self.layer is Layer.SILICON else seller
        return self.vendor is None or owner == self.vendor


def parts_in(m: Core) -> Iterator[PricedPart]:
    """Every priced part the program may buy."""
    known = priced_parts(m.instance.catalogue)
    for part in dict.fromkeys((*bought_parts(m), *m.candidates.offers.parts)):
        if part in known:
            yield known[part]


def vendors_of(m: Core, asked: Asked, *, catalogue: bool = False) -> tuple[str, ...]:
    """Vendors that could sell (make, in silicon) something of what is asked, sorted; with ``catalogue`` of every part there is."""
    found: set[str] = set()
    for part in priced_parts(m.instance.catalogue).values() if catalogue else parts_in(m):
        if asked.part_matches(part):
            offers = m.candidates.offers.selling(part.id)
            sellers = [offer.vendor for offer in offers] or [part.part.vendor]
            found.update([part.maker] if asked.layer is Layer.SILICON else sellers)
    return tuple(sorted(found))


def units_asked(m: Core, asked: Asked, among: Callable[[PricedPart], bool] = lambda _: True) -> Linear:
    """Units of all matching parts (accelerators in silicon): what is ordered, or what pods and plant need where a cluster or
    site is named."""
    return Linear.total([_units_of(m, asked, part) for part in parts_in(m) if asked.part_matches(part) and among(part)])


def _units_of(m: Core, asked: Asked, part: PricedPart) -> Linear:
    weight = float(part.weight_in(asked.layer))
    offers = m.candidates.offers.selling(part.id)
    if offers and not asked.somewhere:
        chosen = [o for o in offers if asked.vendor_matches(part, o.vendor)]
        return Linear.total([m.read(f"ordered[{o.name}]") * (o.contents[part.id] * weight) for o in chosen])
    if not asked.vendor_matches(part, offers[0].vendor if offers else part.part.vendor):
        return Linear()
    if asked.sites is None:
        return units(m, part.id, cluster=asked.cluster) * weight
    return Linear.total([units(m, part.id, site=site, cluster=asked.cluster) for site in asked.sites]) * weight


def spend_asked(m: Core, asked: Asked) -> Linear:
    """Price before charges of all matching parts [kUSD]: placements and plant units each rounded once, and orders."""
    offered = set(m.candidates.offers.parts)
    wanted = [
        part
        for part in parts_in(m)
        if part.id not in offered and asked.part_matches(part) and asked.vendor_matches(part, part.part.vendor)
    ]
    basis = m.instance.money.price_basis
    sites: tuple[str | None, ...] = asked.sites if asked.sites is not None else (None,)

    def placed(p: Placements) -> Floats:
        cost = np.zeros(len(p.pods))
        for part in wanted:
            cost += units_per_pod(p.pods, part.id) * part.price.at(basis)
        return nearest(p.of_pods(cost), MONEY_QUANTUM)

    prices = {part.id: part.price.at(basis) for part in wanted}

    def unit(option: PlantOption, plant: PlantUnit) -> float:
        here = asked.sites is None or option.site in asked.sites
        return float(nearest(prices.get(plant.part, 0.0), MONEY_QUANTUM)) if here else 0.0

    total = Linear.total([m.everywhere(placed, site=site, cluster=asked.cluster) for site in sites])
    if asked.cluster is None:
        total = total + m.plant(unit)
    return total if asked.somewhere else total + ordered_spend(m, asked)


def ordered_spend(m: Core, asked: Asked) -> Linear:
    """Price of the matching orders [kUSD], one-off costs included; of a bundle the share of its matching parts."""
    known = priced_parts(m.instance.catalogue)
    total = Linear()
    for offer in m.candidates.offers:
        share = bundle_share(offer, known, _matcher(asked))
        if share > 0:
            total = total + paid(m, Cost.GOODS, lambda o, name=offer.name: o.name == name) * share  # type: ignore[misc]
    return total


def _matcher(asked: Asked) -> Callable[[PricedPart, str], bool]:
    return lambda part, seller: asked.part_matches(part) and asked.vendor_matches(part, seller)


def bundle_share(offer: Offer, known: dict[str, PricedPart], matches: Callable[[PricedPart, str], bool]) -> float:
    """Share of an offer's price that matching parts carry, by the middle of their catalogue prices, in whole 1e-4."""
    worth = {p: n * (known[p].price.low + known[p].price.high) for p, n in offer.contents.items()}
    mine = sum(value for p, value in worth.items() if matches(known[p], offer.vendor))
    everything = sum(worth.values())
    if everything <= 0:
        return float(all(matches(known[p], offer.vendor) for p in worth))
    return round(mine / everything / BUNDLE_SHARE) * BUNDLE_SHARE


def contains(p: Placements, parts: list[PricedPart]) -> npt.NDArray[np.bool_]:
    """Placements whose pods contain any of ``parts``."""
    found = np.zeros(len(p.pods), dtype=np.bool_)
    for part in parts:
        found |= units_per_pod(p.pods, part.id) > 0
    return np.asarray(found[p.pod], dtype=np.bool_)
