"""Plant options of a site, and every combination of them a pod may need."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from math import prod

from models.candidates.cooling_option import cooling_option
from models.candidates.plant_availability import availability_of
from models.candidates.plant_unit import FIGURES, PlantOption, PlantUnit
from models.candidates.power_option import curve_of, power_option
from models.candidates.rejection import Rejection, Stage
from models.instance import Instance
from models.site import Chain
from models.site_options import CoolantTo
from models.workload import RackCooling

__all__ = ["FIGURES", "Combination", "PlantOption", "PlantUnit", "combinations", "curve_of", "plant_options"]


@dataclass(frozen=True)
class Combination:
    """One option of each chain a pod needs; the pod's placement columns are one per combination."""

    options: tuple[PlantOption, ...]

    @property
    def id(self) -> str:
        """Readable: ``air=...,power=...``."""
        return ",".join(f"{o.chain.value}={o.id}" for o in self.options)

    @property
    def availability(self) -> float:
        """Share of the time that every chain carries its load; parts without stated failures always stand."""
        return prod(option.availability for option in self.options)

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
                power_option(instance, site, name, option)
                if chain is Chain.POWER
                else cooling_option(instance, site, chain, name, option)
            )
            if isinstance(built, PlantOption):
                found[chain].append(replace(built, availability=availability_of(instance, built)))
            else:
                rejected.append(Rejection(f"{chain.value}={name}", Stage.SITE, built, site=site))
    return found, rejected


def combinations(
    options: dict[Chain, list[PlantOption]], cooling: RackCooling, coolant_to: CoolantTo = CoolantTo.RACKS
) -> list[Combination]:
    """Every combination a rack of this cooling needs: room air for switches and residual heat, its own chain, power.

    Of liquid options those that serve the rack itself, or the CDUs in it.
    """
    chains = {
        RackCooling.AIR: (Chain.AIR, Chain.POWER),
        RackCooling.REAR_DOOR: (Chain.AIR, Chain.REAR_DOOR, Chain.POWER),
        RackCooling.LIQUID: (Chain.AIR, Chain.LIQUID, Chain.POWER),
    }[cooling]
    open_here = {**options, Chain.LIQUID: [one for one in options[Chain.LIQUID] if one.coolant_to is coolant_to]}
    return [Combination(chosen) for chosen in product(*(open_here[chain] for chain in chains))]
