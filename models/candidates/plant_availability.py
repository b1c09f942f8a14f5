"""How much of the time a plant option carries its load, from the failures stated for its parts and its redundancy.

| built as | stands while |
|---|---|
| n | every unit stands |
| n+1, a group of its own | all but one of its units stand |
| 2n | one of two complete systems stands, each while all its units do |
| rings of blocks | in every ring no more blocks are down than it takes; a block stands while all its parts do |

Units fail on their own. How many there are follows from the load, which is a choice; data of an option is therefore the share of
the largest plant that the utility could feed (of one unit that carries, where it is unlimited): never better than the truth.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, prod

from models.candidates.plant_unit import KILOWATT, PlantOption, PlantUnit
from models.errors import InstanceError, Problem
from models.instance import Instance
from models.parts.failure_rate import FailureRate
from models.physics.power_redundancy import Redundancy as Scheme
from models.physics.power_redundancy import scheme_availability
from models.physics.reliability import k_of_n_availability
from models.site import Topology
from models.site_options import Failing
from models.units import Unlimited

_SCHEME = {
    Topology.BLOCK_REDUNDANT: Scheme.BLOCK_REDUNDANT,
    Topology.TWO_N: Scheme.TWO_N,
    Topology.DISTRIBUTED: Scheme.DISTRIBUTED,
}


def standing_share(instance: Instance, use: Failing) -> float | None:
    """MTBF / (MTBF + MTTR) of a part as stated or as the row of failure_rates.csv it names has it; None where it names none.

    InstanceError where the row named lacks a figure.
    """
    if use.mtbf is not None and use.mttr is not None:
        return use.mtbf / (use.mtbf + use.mttr)
    if use.failures is None:
        return None
    row = instance.catalogue.get(FailureRate, use.failures)
    rate, repair = figures_of(instance, row)
    return 1.0 / (1.0 + rate * repair)


def figures_of(instance: Instance, row: FailureRate) -> tuple[float, float]:
    """Rate [1/s] and repair [s] of a row that an instance names; what it does not say is never taken for none."""
    short = row.missing("rate", "repair")
    if short is not None or row.rate is None or row.repair is None:
        where = instance.catalogue.origin(row, "repair" if row.repair is None else "rate")
        raise InstanceError([Problem("missing-cell", where, f"{row.id}: {short}", "both, as the instance fails by it")])
    return row.rate, row.repair


def availability_of(instance: Instance, option: PlantOption) -> float:
    """Share of the time the option carries whatever load the site's utility could feed; 1 where no failures are stated."""
    utility = instance.sites[option.site].utility.value
    load = 1.0 if isinstance(utility, Unlimited) else utility / KILOWATT
    if option.ring is not None:
        rings = ceil(load / option.ring.usable - 1e-9)
        return ring_availability(option) ** rings
    return prod(
        unit_availability(unit, ceil(load / floor(unit.capacity / KILOWATT + 1e-9) - 1e-9)) for unit in option.units
    )


def bought_availability(option: PlantOption, units: Sequence[int]) -> float:
    """Share of the time the option carries its load with the ``units`` of each part that were bought."""
    steps = [(count - unit.spare) // unit.step for unit, count in zip(option.units, units, strict=True)]
    if option.ring is not None:
        return ring_availability(option) ** steps[0]
    return prod(map(unit_availability, option.units, steps))


def ring_availability(option: PlantOption) -> float:
    """Share of the time one ring of an option carries its racks."""
    assert option.ring is not None
    ring = option.ring
    block = prod(
        (unit.stands if unit.stands is not None else 1.0) ** (unit.step // ring.blocks) for unit in option.units
    )
    return float(scheme_availability(_SCHEME[ring.topology], ring.blocks, block, ring.blocks - ring.needed))


def unit_availability(unit: PlantUnit, steps: int) -> float:
    """Share of the time ``steps`` carrying steps of a unit, with their spares, carry the load."""
    if unit.stands is None:
        return 1.0
    if unit.step == 1:
        return float(k_of_n_availability(steps, steps + unit.spare, unit.stands))
    if unit.step == 2 and unit.carrying == 1 and unit.doubled:
        return 1.0 - (1.0 - unit.stands**steps) ** 2
    return float(k_of_n_availability(unit.carrying, unit.step, unit.stands)) ** steps
