"""Plant options of a site: the equipment of each chain with capacity, redundancy, price and electrical share."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

from models.candidates.rejection import Rejection, Stage
from models.instance import Instance
from models.parts.cooling import Cooling
from models.parts.part import PriceRange
from models.parts.power_component import PowerComponent
from models.site import Chain, Redundancy, SiteOption
from models.workload import RackCooling


@dataclass(frozen=True)
class PlantUnit:
    """Equipment bought in whole units: usable ``capacity`` [W] each, ``spare`` units beside those that carry the load.

    ``doubled`` marks 2N: every unit twice.
    """

    part: str
    vendor: str
    capacity: float
    spare: int
    doubled: bool
    price: PriceRange


@dataclass(frozen=True)
class PlantOption:
    """One way to build a chain. ``share``: electrical watts per watt carried (fans, pumps, compressors; losses for power)."""

    site: str
    chain: Chain
    id: str
    share: float
    units: tuple[PlantUnit, ...]


@dataclass(frozen=True)
class Combination:
    """One option of each chain a pod needs; the pod's placement columns are one per combination."""

    options: tuple[PlantOption, ...]

    @property
    def id(self) -> str:
        """Readable: ``air=...,power=...``."""
        return ",".join(f"{o.chain.value}={o.id}" for o in self.options)

    def option(self, chain: Chain) -> PlantOption | None:
        """The option of one chain, or None where the pod does not need it."""
        return next((o for o in self.options if o.chain is chain), None)


def plant_options(instance: Instance, site: str) -> tuple[dict[Chain, list[PlantOption]], list[Rejection]]:
    """Usable options of every chain, and why others cannot be used."""
    found: dict[Chain, list[PlantOption]] = {chain: [] for chain in Chain}
    rejected: list[Rejection] = []
    for chain in Chain:
        for name, option in instance.sites[site].options(chain).items():
            built = (
                _power(instance, site, name, option)
                if chain is Chain.POWER
                else _cooling(instance, site, chain, name, option)
            )
            if isinstance(built, PlantOption):
                found[chain].append(built)
            else:
                rejected.append(Rejection(f"{chain.value}={name}", Stage.SITE, built, site=site))
    return found, rejected


def combinations(options: dict[Chain, list[PlantOption]], cooling: RackCooling) -> list[Combination]:
    """Every combination a rack of this cooling needs: room air for switches and residual heat, its own chain, power."""
    chains = {
        RackCooling.AIR: (Chain.AIR, Chain.POWER),
        RackCooling.REAR_DOOR: (Chain.AIR, Chain.REAR_DOOR, Chain.POWER),
        RackCooling.LIQUID: (Chain.AIR, Chain.LIQUID, Chain.POWER),
    }[cooling]
    return [Combination(chosen) for chosen in product(*(options[chain] for chain in chains))]


def _spare(redundancy: Redundancy) -> tuple[int, bool]:
    return (1 if redundancy is Redundancy.N_PLUS_1 else 0), redundancy is Redundancy.TWO_N


def _cooling(instance: Instance, site: str, chain: Chain, name: str, option: SiteOption) -> PlantOption | str:
    units: list[PlantUnit] = []
    share = 0.0
    for use in option.equipment:
        part = instance.catalogue.get(Cooling, use.part)
        short = part.missing("capacity", "power_share")
        if short or part.price is None:
            return f"{part.id}: {short or 'no price in the catalogue'}"
        assert part.capacity is not None
        assert part.power_share is not None
        spare, doubled = _spare(use.redundancy)
        units.append(PlantUnit(part.id, part.vendor, part.capacity * use.loading, spare, doubled, part.price))
        share += part.power_share
    return PlantOption(site, chain, name, option.loss.value if option.loss is not None else share, tuple(units))


def _power(instance: Instance, site: str, name: str, option: SiteOption) -> PlantOption | str:
    units: list[PlantUnit] = []
    kept = 1.0
    for use in option.equipment:
        part = instance.catalogue.get(PowerComponent, use.part)
        short = part.missing("rated")
        if short or part.price is None:
            return f"{part.id}: {short or 'no price in the catalogue'}"
        assert part.rated is not None
        spare, doubled = _spare(use.redundancy)
        units.append(PlantUnit(part.id, part.vendor, part.rated * use.loading, spare, doubled, part.price))
        kept *= part.efficiency if part.efficiency is not None else 1.0
    return PlantOption(
        site, Chain.POWER, name, option.loss.value if option.loss is not None else 1.0 / kept - 1.0, tuple(units)
    )
