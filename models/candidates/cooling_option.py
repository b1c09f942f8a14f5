"""A cooling option of a site: what its equipment carries on the design day and in its loops, draws and drinks."""

from __future__ import annotations

from dataclasses import replace

from models.candidates.climate import heat_sink, supply_of, supply_problem, unit_factor
from models.candidates.coolant_loop import coolant_unit
from models.candidates.plant_availability import standing_share
from models.candidates.plant_unit import KILOWATT, PlantOption, PlantUnit, steps_of
from models.candidates.rows_of_racks import unit_positions
from models.instance import Instance
from models.parts.cooling import Cooling
from models.site import Chain, EquipmentUse, Redundancy, SiteOption


def cooling_option(instance: Instance, site: str, chain: Chain, name: str, option: SiteOption) -> PlantOption | str:
    """The option, or why it cannot be built: catalogue figures, classes, design day."""
    short = _too_warm(instance, option)
    if short is not None:
        return short
    supply, weather = supply_of(option), instance.sites[site].weather
    rejecting = weather is not None and any(use.rejection is not None for use in option.equipment)
    if rejecting and supply is None:
        return f"class {option.supply_class} has no highest temperature: state supply_temperature"
    sink = heat_sink(option, weather, supply) if weather is not None and rejecting and supply is not None else None
    units: list[PlantUnit] = []
    moving = 0.0
    for use in option.equipment:
        part = instance.catalogue.get(Cooling, use.part)
        missing = part.missing("capacity", "power_share") if use.rejection is None else part.missing("capacity")
        if missing or part.price is None:
            return f"{part.id}: {missing or 'no price in the catalogue'}"
        capacity, share = coolant_unit(part, use)
        if use.rejection is None:
            moving += share
        elif sink is not None:
            factor = unit_factor(use.rejection, sink)
            if factor is None:
                continue
            capacity *= factor
        if capacity < KILOWATT:
            return f"{part.id} carries nothing: {_why_nothing(use, supply)}"
        step, carrying, spare = steps_of(use)
        units.append(
            PlantUnit(
                part.id,
                part.vendor,
                capacity * carrying,
                spare,
                step,
                part.price,
                part.capacity or 0.0,
                use.loading,
                stands=standing_share(instance, use),
                carrying=carrying,
                doubled=use.redundancy is Redundancy.TWO_N,
                positions=unit_positions(instance.sites[site].rows, use, part),
            )
        )
    shares = (moving, moving, moving, moving)
    if sink is not None:  # what moves the heat indoors ends as heat in the loop
        units = [replace(u, capacity=u.capacity / (1.0 + moving)) if _rejects(option, u.part) else u for u in units]
        peak = moving + (1.0 + moving) * sink.peak
        mean = moving + (1.0 + moving) * sink.mean
        shares = (peak, peak, mean, mean)
    if option.loss is not None:
        shares = (option.loss.value, option.loss.value, option.loss.value, option.loss.value)
    water = 0.0 if sink is None else (1.0 + moving) * sink.water
    return PlantOption(site, chain, name, shares, tuple(units), water, coolant_to=option.coolant_to, supply=supply)


def _rejects(option: SiteOption, part: str) -> bool:
    return any(use.part == part and use.rejection is not None for use in option.equipment)


def _why_nothing(use: EquipmentUse, supply: float | None) -> str:
    if use.rejection is not None:
        return f"the design day leaves no approach below a supply of {supply:g} degC"
    return "its loop is too small for one kW"


def _too_warm(instance: Instance, option: SiteOption) -> str | None:
    """Why a stated supply is warmer than a class or a part stands."""
    supply = supply_of(option)
    if supply is None:
        return None
    for use in option.equipment:
        part = instance.catalogue.get(Cooling, use.part)
        reached = supply + ((use.loop.approach or 0.0) if use.loop is not None else 0.0)
        if part.supply_maximum is not None and reached > part.supply_maximum + 1e-9:
            return f"{part.id} runs at up to {part.supply_maximum:g} degC, its supply would be {reached:g} degC"
    return supply_problem(option)
