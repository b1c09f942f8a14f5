"""The plant of a design: electrical share of every chain in use, and the units that carry its load with redundancy kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil, floor
from operator import ge

from models.instance import Instance
from models.parts.cooling import Cooling
from models.parts.failure_rate import FailureRate
from models.parts.power_component import EfficiencyPoint, PowerComponent, PowerKind
from models.physics.power import efficiency_at
from models.policy import PowerFigure
from models.site import BlockPart, Chain, EquipmentUse, Redundancy, SiteOption
from optimizer.design import Design
from optimizer.verification.cooling import cooling_chain
from optimizer.verification.findings import Checks
from optimizer.verification.pods import FIGURES, PodFacts
from optimizer.verification.rings import Blocks, blocks_of, check_rings, ring_load

KILOWATT = 1e3


@dataclass(frozen=True)
class Unit:
    """A part that carries a chain: whole kW that ``sets`` units bought together carry, and spares beside those that carry.

    ``rating`` [W] of one unit, the share of it that may be used, and its part-load curve or fixed efficiency.
    ``stands``: share of the time one unit does; ``carrying`` of the units bought together are needed; ``systems``: complete ones.
    ``positions``: rack positions one takes.
    """

    part: Cooling | PowerComponent
    capacity_kw: int
    spare: int
    sets: int
    rating: float
    loading: float
    curve: str | None = None
    stands: float | None = None
    carrying: int = 1
    systems: int = 1
    positions: int = 0

    def needed(self, load_kw: int) -> int:
        """Fewest units that carry ``load_kw`` with the redundancy kept."""
        return -(-load_kw // self.capacity_kw) * self.sets + self.spare


@dataclass(frozen=True)
class Option:
    """A chain's option: electrical watts per watt carried by figure, its equipment, water [kg/J], blocks, range of loading."""

    shares: tuple[float, float, float, float]
    units: tuple[Unit, ...]
    water: float = 0.0
    blocks: Blocks | None = None
    loading: tuple[float, float] | None = None

    def share(self, figure: PowerFigure) -> float:
        """The electrical share by one figure."""
        return self.shares[FIGURES.index(figure)]


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
                    built = self._power(site, option) if chain is Chain.POWER else self._cooling(site, option)
                    if built is not None:
                        found[site, chain, name] = built
        return found

    def _cooling(self, site: str, option: SiteOption) -> Option | None:
        built = cooling_chain(self._instance, site, option)
        if built is None:
            return None
        carriers, shares, water = built
        units = []
        for one in carriers:
            sets, carrying, spare = _sets(one.use)
            capacity = floor(one.capacity * carrying / KILOWATT + 1e-9)
            units.append(
                Unit(
                    one.part,
                    capacity,
                    spare,
                    sets,
                    one.part.capacity or 0.0,
                    one.use.loading,
                    None,
                    *self._standing(one.use, carrying),
                    _positions(self._instance.sites[site].rows.rack_pitch, one.use, one.part),
                )
            )
        return Option(shares, tuple(units), water) if all(u.capacity_kw >= 1 for u in units) else None

    def _power(self, site: str, option: SiteOption) -> Option | None:
        blocks = blocks_of(self._instance, site, option) if option.topology is not None else None
        if option.topology is not None and blocks is None:
            return None
        units, kept, read = [], 1.0, option.loading_range
        for use in option.block or option.equipment:
            part = self._instance.catalogue.get(PowerComponent, use.part)
            if part.rated is None or part.price is None:
                return None
            stands, carrying, systems = self._standing(use, 1 if isinstance(use, BlockPart) else _sets(use)[1])
            unit = _power_unit(part, use, blocks)
            room = use.positions if isinstance(use, EquipmentUse) else 0
            units.append(replace(unit, stands=stands, carrying=carrying, systems=systems, positions=room))
            beside = part.kind in (PowerKind.GENERATOR, PowerKind.ENERGY_STORAGE)
            curved = use.curve is not None and read is not None
            if not (beside or curved) and part.efficiency is None and option.loss is None:
                return None
            if use.curve is None or read is None:
                kept *= part.efficiency if part.efficiency is not None else 1.0
            else:
                kept *= self._worst(use.curve, read.least, read.most)
        loss = 1.0 / kept - 1.0 if option.loss is None else option.loss.value
        loading = None if read is None or option.loss is not None else (read.least, read.most)
        return Option((loss, loss, loss, loss), tuple(units), blocks=blocks, loading=loading)

    def _standing(self, use: EquipmentUse | BlockPart, carrying: int) -> tuple[float | None, int, int]:
        """Share of the time a unit stands, units needed of those bought together, and complete systems."""
        systems = 2 if isinstance(use, EquipmentUse) and use.redundancy is Redundancy.TWO_N else 1
        up, down = use.mtbf, use.mttr
        if use.failures is not None:
            row = self._instance.catalogue.get(FailureRate, use.failures)
            if row.rate is None or row.repair is None:
                raise ValueError(f"failure_rates.csv lacks a figure of {row.id}")
            up, down = 1.0 / row.rate, row.repair
        return (None if up is None or down is None else up / (up + down)), carrying, systems

    def curve(self, name: str) -> tuple[list[float], list[float]]:
        """A part-load curve of the catalogue."""
        points = [p for p in self._instance.catalogue.of(EfficiencyPoint).values() if p.curve == name]
        points.sort(key=lambda p: p.load_fraction)
        return [p.load_fraction for p in points], [p.efficiency for p in points]

    def _worst(self, name: str, least: float, most: float) -> float:
        shares, values = self.curve(name)
        ends = [float(efficiency_at(x, shares, values)) for x in (least, most)]
        return min([*ends, *(v for x, v in zip(shares, values, strict=True) if least < x < most)])

    def facility_w(self, facts: PodFacts, figure: PowerFigure) -> float:
        """Power [W] one pod draws from the utility: IT, and the electrical share of every chain it uses."""
        total = facts.load(Chain.POWER, figure)
        for chain, name in facts.pod.options.items():
            total += facts.load(Chain(chain), figure) * self.options[facts.pod.site, Chain(chain), name].share(figure)
        return total


def _positions(pitch: float, use: EquipmentUse, part: Cooling) -> int:
    """Positions that a unit in a row takes: those stated, and all that its width (footprint over depth, 1.2 m where none is told) reaches into."""
    positions, width = use.positions, (part.footprint or 0.0) / (part.depth or 1.2)
    while positions and positions * pitch < max(width, 0.3 if width else 0.0) - 1e-9:
        positions += 1
    return positions


def positions_taken(plant: Plant, units: Mapping[tuple[str, Chain, str], tuple[int, ...]], site: str | None) -> int:
    """Rack positions that the plant of one site, or all, takes."""
    return sum(
        one.positions * number
        for key, counts in units.items()
        if site in (None, key[0])
        for one, number in zip(plant.options[key].units, counts, strict=True)
    )


def _sets(use: EquipmentUse) -> tuple[int, int, int]:
    """Units bought together, how many of them carry, and spares beside."""
    spare = 1 if use.redundancy is Redundancy.N_PLUS_1 else 0
    if use.group is not None:
        return use.group, use.group - spare, 0
    return (2, 1, 0) if use.redundancy is Redundancy.TWO_N else (1, 1, spare)


def _power_unit(part: PowerComponent, use: EquipmentUse | BlockPart, blocks: Blocks | None) -> Unit:
    assert part.rated is not None
    if isinstance(use, BlockPart):
        assert blocks is not None
        loading = blocks.capacity_kw * KILOWATT / (part.rated * use.count)
        return Unit(part, blocks.usable_kw, 0, use.count * blocks.count, part.rated, loading, use.curve)
    sets, carrying, spare = _sets(use)
    capacity = floor(part.rated * use.loading * carrying / KILOWATT + 1e-9)
    return Unit(part, capacity, spare, sets, part.rated, use.loading, use.curve)


def kilowatts(watts: float) -> int:
    """Whole kW, rounded up."""
    return ceil(watts / KILOWATT - 1e-9)


def chain_loads(instance: Instance, facts: Sequence[PodFacts], plant: Plant) -> dict[tuple[str, Chain, str], int]:
    """Design load [kW] on every option in use, each pod rounded up once; of blocks what whole racks draw."""
    users: dict[tuple[str, Chain, str], list[PodFacts]] = {}
    for one in facts:
        for chain, name in one.pod.options.items():
            users.setdefault((one.pod.site, Chain(chain), name), []).append(one)
    loads: dict[tuple[str, Chain, str], int] = {}
    for key, mine in users.items():
        blocks = plant.options[key].blocks
        if blocks is not None:
            loads[key] = ring_load(instance, mine, blocks)
        else:
            loads[key] = sum(one.count * kilowatts(one.load(key[1], PowerFigure.DESIGN)) for one in mine)
    return loads


def check_plant(
    checks: Checks, instance: Instance, design: Design, facts: Sequence[PodFacts], plant: Plant
) -> dict[tuple[str, Chain, str], tuple[int, ...]]:
    """Units by option as the loads need them; what the design lists otherwise becomes findings."""
    loads = chain_loads(instance, facts, plant)
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
    # whole racks may need more rings than their load alone would fill
    more |= any(plant.options[key].blocks is not None for key in loads)
    for key in sorted(expected.keys() | listed.keys()):
        units, least = listed.get(key), expected.get(key)
        if more and units is not None and least is not None and len(units) == len(least):
            checks.rule(f"plant.{'.'.join(key)}.units", all(map(ge, units, least)), units, least, "at least")
        else:
            checks.same(f"plant.{'.'.join(key)}.units", units, least)
    counted = _counted(needed, listed, plant) if more else needed
    rings = {
        (site, name): blocks
        for site, chain, name in loads
        if (blocks := plant.options[site, chain, name].blocks) is not None
    }
    check_rings(checks, instance, design, facts, rings)
    for site, name in rings:
        listed_rings = sum(r.count for r in design.rings if (r.site, r.option) == (site, name))
        bought = counted[site, Chain.POWER, name][0] // plant.options[site, Chain.POWER, name].units[0].sets
        checks.rule(f"rings.{site}.{name}", listed_rings <= bought, listed_rings, f"at most the {bought} bought")
    return counted


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
