"""A power option of a site: equipment that carries the whole load, or rings of blocks; losses read from part-load curves."""

from __future__ import annotations

from math import ceil, floor

from models.candidates.block_rings import Ring
from models.candidates.plant_availability import standing_share
from models.candidates.plant_unit import KILOWATT, PlantOption, PlantUnit, steps_of
from models.instance import Instance
from models.parts.power_component import EfficiencyPoint, PowerComponent, PowerKind
from models.physics.power import efficiency_at
from models.site import Chain, Redundancy, SiteOption
from models.units import Unlimited

FEW_RINGS = 3
STANDING_BESIDE = (PowerKind.GENERATOR, PowerKind.ENERGY_STORAGE)
"""What carries nothing while the utility does, and so loses nothing."""
"""Rings a utility fills up to which racks are hung on each by the program itself."""


def power_option(instance: Instance, site: str, name: str, option: SiteOption) -> PlantOption | str:
    """The option, or why it cannot be built: catalogue figures, sizes of blocks, range of loading."""
    built = _ring_units(instance, site, option) if option.topology is not None else _power_units(instance, option)
    if isinstance(built, str):
        return built
    units, ring = built
    loading = None
    if option.loading_range is not None and option.loss is None:
        loading = (option.loading_range.least, option.loading_range.most)
        over = _beyond(instance, units, *loading)
        if over is not None:
            return over
    kept = 1.0
    for unit in units:
        kept *= (
            unit.efficiency
            if unit.curve is None or loading is None
            else lowest_efficiency(instance, unit.curve, *loading)
        )
    loss = option.loss.value if option.loss is not None else 1.0 / kept - 1.0
    return PlantOption(site, Chain.POWER, name, (loss, loss, loss, loss), tuple(units), ring=ring, loading=loading)


def _beyond(instance: Instance, units: list[PlantUnit], least: float, most: float) -> str | None:
    """Why some unit may run above the loads its curve is read for: its full load, and the losses of those behind it."""
    upstream = 1.0
    for unit in units:
        share = upstream * unit.capacity / (unit.step * unit.rating)
        if unit.curve is not None and share > most + 1e-9:
            return f"{unit.part} runs at up to {share:.1%} of its rating, loading_range ends at {most:.1%}"
        upstream /= unit.efficiency if unit.curve is None else lowest_efficiency(instance, unit.curve, least, most)
    return None


def _power_units(instance: Instance, option: SiteOption) -> tuple[list[PlantUnit], Ring | None] | str:
    units = []
    for use in option.equipment:
        part = instance.catalogue.get(PowerComponent, use.part)
        if part.rated is None or part.price is None:
            return f"{part.id}: {part.missing('rated') or 'no price in the catalogue'}"
        step, carrying, spare = steps_of(use)
        capacity = part.rated * use.loading * carrying
        lossless = _lossless(part, use.curve, option)
        if lossless is not None:
            return lossless
        efficiency = part.efficiency if part.efficiency is not None else 1.0
        units.append(
            PlantUnit(
                part.id,
                part.vendor,
                capacity,
                spare,
                step,
                part.price,
                part.rated,
                use.loading,
                use.curve,
                efficiency,
                standing_share(instance, use),
                carrying,
                use.redundancy is Redundancy.TWO_N,
                use.positions,
            )
        )
    return units, None


def _lossless(part: PowerComponent, curve: str | None, option: SiteOption) -> str | None:
    """Why nobody knows what a part loses: it carries the load, and neither its row, nor a curve, nor the option says."""
    curved = curve is not None and option.loading_range is not None
    if part.kind in STANDING_BESIDE or part.efficiency is not None or curved or option.loss is not None:
        return None
    return f"{part.id}: {part.missing('efficiency')}; state it, a `curve` of the part, or the option's `loss`"


def _ring_units(instance: Instance, site: str, option: SiteOption) -> tuple[list[PlantUnit], Ring | None] | str:
    """The parts of a ring of blocks; a block carries what its smallest part does."""
    assert option.topology is not None
    parts = [(use, instance.catalogue.get(PowerComponent, use.part)) for use in option.block]
    for use, part in parts:
        if part.rated is None or part.price is None:
            return f"{part.id}: {part.missing('rated') or 'no price in the catalogue'}"
        lossless = _lossless(part, use.curve, option)
        if lossless is not None:
            return lossless
    loaded = min((part.rated or 0.0) * use.count * use.loading for use, part in parts)
    short_time = option.overload * min((part.rated or 0.0) * use.count for use, part in parts)
    capacity = floor(loaded / KILOWATT + 1e-9)
    if capacity < 1:
        return f"a block of {loaded:.0f} W is less than a kW"
    transient = instance.assumptions.training_transient
    swing = 1.0 if transient is None else max(1.0, transient.value * loaded / short_time)
    small = option.small_racks if option.small_racks is not None else instance.sites[site].air_per_rack.value
    largest = capacity // 8 if isinstance(small, Unlimited) else ceil(small * swing / KILOWATT - 1e-9)
    blocks, needed = option.blocks
    ring = Ring(
        option.topology, blocks, needed, capacity, largest, swing, _explicit(instance, site, option, needed * capacity)
    )
    if ring.usable <= ring.spread(ring.largest_small) + needed * ring.largest_small:
        return f"blocks of {capacity} kW are too small for racks of {ring.largest_small} kW beside the node racks"
    units = [
        PlantUnit(
            part.id,
            part.vendor,
            ring.usable * KILOWATT,
            0,
            use.count * blocks,
            part.price,
            part.rated,
            capacity * KILOWATT / (part.rated * use.count),
            use.curve,
            part.efficiency if part.efficiency is not None else 1.0,
            standing_share(instance, use),
        )
        for use, part in parts
        if part.price is not None and part.rated is not None
    ]
    return units, ring


def _explicit(instance: Instance, site: str, option: SiteOption, usable: int) -> bool:
    """Whether the program hangs racks on rings [of ``usable`` kW] one by one: as the option says, else where few fill the utility."""
    if option.explicit_failures is not None:
        return option.explicit_failures
    utility = instance.sites[site].utility.value
    return not isinstance(utility, Unlimited) and utility <= FEW_RINGS * usable * KILOWATT


def curve_of(instance: Instance, name: str) -> tuple[list[float], list[float]]:
    """Load shares and efficiencies of a part-load curve, in rising order."""
    points = sorted(
        (p.load_fraction, p.efficiency) for p in instance.catalogue.of(EfficiencyPoint).values() if p.curve == name
    )
    return [share for share, _ in points], [value for _, value in points]


def lowest_efficiency(instance: Instance, curve: str, least: float, most: float) -> float:
    """The lowest efficiency between two load shares: at an end of the range or at a point of the curve between them."""
    shares, values = curve_of(instance, curve)
    looked_at = [least, most, *(share for share in shares if least < share < most)]
    return float(min(efficiency_at(looked_at, shares, values)))
