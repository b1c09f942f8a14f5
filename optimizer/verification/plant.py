"""The plant of a design: electrical share of every chain in use, and the units that carry its load with redundancy kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil, floor
from operator import ge

from models.instance import Instance
from models.parts.cooling import Cooling
from models.parts.power_component import PowerComponent
from models.policy import PowerFigure
from models.site import Chain, EquipmentUse, Redundancy, SiteOption
from optimizer.design import Design
from optimizer.verification.findings import Checks
from optimizer.verification.pods import PodFacts

KILOWATT = 1e3


@dataclass(frozen=True)
class Unit:
    """A part that carries a chain: usable capacity in whole kW, spares beside those that carry, and how many complete sets."""

    part: Cooling | PowerComponent
    capacity_kw: int
    spare: int
    sets: int

    def needed(self, load_kw: int) -> int:
        """Fewest units that carry ``load_kw`` with the redundancy kept; two complete sets for 2n."""
        return -(-load_kw // self.capacity_kw) * self.sets + self.spare


@dataclass(frozen=True)
class Option:
    """A chain's option: electrical watts per watt carried, and its equipment."""

    share: float
    units: tuple[Unit, ...]


class Plant:
    """Options of an instance by (site, chain, id), worked out from catalogue rows once."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance

    @cached_property
    def options(self) -> dict[tuple[str, Chain, str], Option]:
        """Every option whose parts have the figures it needs."""
        found = {}
        for site, place in self._instance.sites.items():
            for chain in Chain:
                for name, option in place.options(chain).items():
                    built = self._option(chain, option)
                    if built is not None:
                        found[site, chain, name] = built
        return found

    def _option(self, chain: Chain, option: SiteOption) -> Option | None:
        units, share, kept = [], 0.0, 1.0
        for use in option.equipment:
            part = self._part(chain, use.part)
            capacity = part.rated if isinstance(part, PowerComponent) else part.capacity
            if capacity is None or part.price is None:
                return None
            if isinstance(part, PowerComponent):
                kept *= part.efficiency if part.efficiency is not None else 1.0
            elif part.power_share is None:
                return None
            else:
                share += part.power_share
            units.append(_unit(part, capacity, use))
        losses = 1.0 / kept - 1.0 if chain is Chain.POWER else share
        return Option(option.loss.value if option.loss is not None else losses, tuple(units))

    def _part(self, chain: Chain, part: str) -> Cooling | PowerComponent:
        if chain is Chain.POWER:
            return self._instance.catalogue.get(PowerComponent, part)
        return self._instance.catalogue.get(Cooling, part)

    def facility_w(self, facts: PodFacts, figure: PowerFigure) -> float:
        """Power [W] one pod draws from the utility: IT, and the electrical share of every chain it uses."""
        total = facts.load(Chain.POWER, figure)
        for chain, name in facts.pod.options.items():
            total += facts.load(Chain(chain), figure) * self.options[facts.pod.site, Chain(chain), name].share
        return total


def _unit(part: Cooling | PowerComponent, capacity: float, use: EquipmentUse) -> Unit:
    usable = floor(capacity * use.loading / KILOWATT + 1e-9)
    spare = 1 if use.redundancy is Redundancy.N_PLUS_1 else 0
    return Unit(part, usable, spare, 2 if use.redundancy is Redundancy.TWO_N else 1)


def kilowatts(watts: float) -> int:
    """Whole kW, rounded up."""
    return ceil(watts / KILOWATT - 1e-9)


def chain_loads(facts: Sequence[PodFacts]) -> dict[tuple[str, Chain, str], int]:
    """Design load [kW] on every option in use, each pod rounded up once."""
    loads: dict[tuple[str, Chain, str], int] = {}
    for one in facts:
        for chain, name in one.pod.options.items():
            key = (one.pod.site, Chain(chain), name)
            loads[key] = loads.get(key, 0) + one.count * kilowatts(one.load(Chain(chain), PowerFigure.DESIGN))
    return loads


def check_plant(
    checks: Checks, design: Design, facts: Sequence[PodFacts], plant: Plant, instance: Instance
) -> dict[tuple[str, Chain, str], tuple[int, ...]]:
    """Units by option as the loads need them; what the design lists otherwise becomes findings."""
    loads = chain_loads(facts)
    used: dict[tuple[str, Chain], set[str]] = {}
    for site, chain, name in loads:
        used.setdefault((site, chain), set()).add(name)
    for (site, chain), names in used.items():
        checks.rule(f"plant.{site}.{chain.value}", len(names) == 1, sorted(names), "one option per chain and site")
    needed = {key: tuple(unit.needed(load) for unit in plant.options[key].units) for key, load in loads.items()}
    expected: dict[tuple[str, ...], list[int]] = {}
    for (site, chain, name), counts in needed.items():
        for unit, count in zip(plant.options[site, chain, name].units, counts, strict=True):
            expected.setdefault((site, chain.value, name, unit.part.id), []).append(count)
    listed: dict[tuple[str, ...], list[int]] = {}
    for choice in design.plant:
        listed.setdefault((choice.site, choice.chain, choice.option, choice.part), []).append(choice.units)
    # shares and rules may ask for more units than the loads do
    more = bool(instance.rules or instance.sourcing.shares or instance.sourcing.second_sources)
    for key in sorted(expected.keys() | listed.keys()):
        units, least = listed.get(key), expected.get(key)
        if more and units is not None and least is not None and len(units) == len(least):
            checks.rule(f"plant.{'.'.join(key)}.units", all(map(ge, units, least)), units, least, "at least")
        else:
            checks.same(f"plant.{'.'.join(key)}.units", units, least)
    return _counted(needed, listed, plant) if more else needed


def _counted(
    needed: dict[tuple[str, Chain, str], tuple[int, ...]], listed: dict[tuple[str, ...], list[int]], plant: Plant
) -> dict[tuple[str, Chain, str], tuple[int, ...]]:
    """Units as the design lists them, where it lists no fewer than are needed."""
    found = {}
    for (site, chain, name), counts in needed.items():
        units = []
        for unit, least in zip(plant.options[site, chain, name].units, counts, strict=True):
            told = listed.get((site, chain.value, name, unit.part.id), [])
            units.append(max(least, told[0]) if len(told) == 1 else least)
        found[site, chain, name] = tuple(units)
    return found
