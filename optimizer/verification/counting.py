"""Units and spend of what a share, supply cap or rule names, counted on the lines, orders and pods of one design."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil, floor

from models.instance import Instance
from models.physics.cost import PriceBasis
from models.policy import PowerFigure
from models.rules import Measure, Selection
from models.sourcing import Layer
from optimizer.design import BomLine
from optimizer.verification.bill import pod_lines
from optimizer.verification.orders import Purchases, Terms, unit_price
from optimizer.verification.parts import layers_of, owner_of, part_of, worth_of
from optimizer.verification.plant import Plant
from optimizer.verification.pods import PodFacts
from optimizer.verification.quanta import ZERO, Total, down, quanta, up

SHARE_STEP = 1e-4


@dataclass(frozen=True)
class Named:
    """What is counted: everything that matches all of these."""

    part: str | None = None
    vendor: str | None = None
    layer: Layer | None = None
    cluster: str | None = None
    sites: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Book:
    """One design as purchasing sees it: pods, the lines they and the plant need, and the orders."""

    instance: Instance
    facts: Sequence[PodFacts]
    needed: Sequence[BomLine]
    bought: Purchases
    plant: Plant

    @cached_property
    def sellers(self) -> dict[str, list[str]]:
        """Vendors of every quoted part."""
        found: dict[str, list[str]] = {}
        for terms in self.bought.terms.values():
            for part in terms.contents:
                found.setdefault(part, []).append(terms.vendor)
        return found

    def matches(self, named: Named, part: str, seller: str) -> bool:
        """Whether a part bought from ``seller`` is meant, cluster and site apart."""
        row = part_of(self.instance, part)
        if row is None or (named.part not in (None, part)):
            return False
        if named.layer is not None and named.layer not in layers_of(row):
            return False
        return named.vendor is None or owner_of(self.instance, row, seller, named.layer) == named.vendor

    def _here(self, named: Named, line: BomLine) -> bool:
        return named.cluster in (None, line.cluster) and (named.sites is None or line.site in named.sites)

    def _worth(self, named: Named, part: str) -> int:
        row = part_of(self.instance, part)
        return worth_of(row, named.layer) if row is not None else 0

    def units(self, named: Named) -> int:
        """Units ordered of quoted parts, needed of others; needed of all where a cluster or site is named."""
        somewhere = named.cluster is not None or named.sites is not None
        total = 0
        for line in self.needed:
            quoted = line.part in self.bought.parts
            seller = self.sellers[line.part][0] if quoted else line.vendor
            if self._here(named, line) and (somewhere or not quoted) and self.matches(named, line.part, seller):
                total += line.quantity * self._worth(named, line.part)
        return total if somewhere else total + sum(self.units_from(named, t, n) for t, n in self.bought.orders)

    def units_from(self, named: Named, terms: Terms, units: int) -> int:
        """Matching units in ``units`` of a quote."""
        return sum(
            count * units * self._worth(named, part)
            for part, count in terms.contents.items()
            if self.matches(named, part, terms.vendor)
        )

    def spend(self, named: Named) -> Total:
        """Price before charges [kUSD]: pods and plant units each rounded once, orders as they are paid."""
        basis = self.instance.money.price_basis
        total = ZERO
        for one in self.facts:
            lines = pod_lines(self.instance, one)
            mine = [
                line.unit_price * line.quantity / one.count
                for line in lines
                if self._here(named, line) and self._unquoted(named, line)
            ]
            total = total + quanta(sum(mine), 1e3, round).times(one.count)
        for line in self.needed:
            if line.cluster == "" and self._here(named, line) and self._unquoted(named, line):
                total = total + quanta(line.unit_price, 1e3, round).times(line.quantity)
        if named.cluster is None and named.sites is None:
            for terms, units in self.bought.orders:
                share = self._share(named, terms)
                paid = paid_for(terms, units, basis, 1.0, 1.0)
                total = total + Total(paid.least * share, paid.most * share)
        return total

    def _unquoted(self, named: Named, line: BomLine) -> bool:
        return line.part not in self.bought.parts and self.matches(named, line.part, line.vendor)

    def _share(self, named: Named, terms: Terms) -> float:
        """Share of a set's price that matching parts carry."""
        worth = {}
        for part, count in terms.contents.items():
            row = part_of(self.instance, part)
            assert row is not None
            worth[part] = count * (unit_price(row, PriceBasis.LOW) + unit_price(row, PriceBasis.HIGH))
        mine = {part for part in worth if self.matches(named, part, terms.vendor)}
        if sum(worth.values()) <= 0:
            return float(len(mine) == len(worth))
        return round(sum(worth[p] for p in mine) / sum(worth.values()) / SHARE_STEP) * SHARE_STEP

    def counted(self, selection: Selection, from_below: bool = False) -> Total:
        """What a rule's selection counts; the power of a pod rounded up, or down where it is held ``from_below``."""
        sites = None if selection.site is None else (selection.site,)
        named = Named(selection.part, selection.vendor, selection.layer, selection.cluster, sites)
        measure = selection.counted
        if measure is Measure.OPTION:
            taken = any(f.pod.site == selection.site and selection.option in f.pod.options.values() for f in self.facts)
            return Total(int(taken), int(taken))
        if measure is Measure.UNITS:
            units = self.units(named)
            return Total(units, units)
        if measure is Measure.SPEND:
            return self.spend(named)
        each: dict[Measure, Callable[[PodFacts], Total]] = {
            Measure.ACCELERATORS: lambda one: Total(one.accelerators, one.accelerators),
            Measure.PODS: lambda _: Total(1, 1),
            Measure.RACKS: lambda one: Total(one.floor, one.floor),
            Measure.POWER: lambda one: quanta(
                self.plant.facility_w(one, PowerFigure.DESIGN), 1e3, down if from_below else up
            ),
        }
        total = ZERO
        for one in self.facts:
            here = selection.cluster in (None, one.pod.cluster) and selection.site in (None, one.pod.site)
            if here and self._contains(named, one):
                total = total + each[measure](one).times(one.count)
        return total

    def _contains(self, named: Named, one: PodFacts) -> bool:
        """Whether a pod has any part that is meant, from whichever of its vendors; always where no part is told."""
        if named.part is None and named.vendor is None and named.layer is None:
            return True
        return any(
            all(self.matches(named, line.part, seller) for seller in self.sellers.get(line.part) or [line.vendor])
            for line in pod_lines(self.instance, one)
            if line.quantity
        )


def paid_for(terms: Terms, units: int, basis: PriceBasis, per_dollar: float, per_one_off: float) -> Total:
    """What an order costs in whole kUSD: tier prices rounded to six digits of the dearest, the order to the nearest kUSD."""
    prices = [price * per_dollar for _, price in terms.steps(basis)]
    once = terms.one_off * per_one_off
    step = _step(max([*prices, once]))
    kilo = round(1e3 / step)
    least = most = 0.0
    for price, count in zip([*prices, once], [*terms.split(units), 1], strict=True):
        total = quanta(price, step, round).times(count)
        least, most = least + total.least, most + total.most
    return Total(floor((least + kilo // 2) / kilo), floor((most + kilo // 2) / kilo))


def _step(dearest: float) -> float:
    """A power of ten [USD]: six digits of the dearest price, a cent at the finest, a kUSD at the coarsest."""
    if dearest <= 0:
        return 1e3
    digits = len(str(floor(dearest))) if dearest >= 1 else 0
    return float(10.0 ** min(3, max(-2, digits - 6)))


def most_kusd(usd: float) -> int:
    """A ceiling in whole kUSD."""
    return floor(usd / 1e3 + 1e-9)


def least_kusd(usd: float) -> int:
    """A floor in whole kUSD."""
    return ceil(usd / 1e3 - 1e-9)
