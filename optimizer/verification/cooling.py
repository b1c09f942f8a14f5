"""Cooling options again from catalogue rows and weather: what they carry on the design day, draw on average and drink."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.instance import Instance
from models.parts.cooling import Cooling
from models.physics.cooling_plant import Rejection, RejectionPlant, class_supply_limit, coldest_supply, plant_state
from models.physics.thermal import Fluid, pump_head, volume_flow
from models.physics.weather import WeatherBins
from models.site import SiteOption, Weather
from models.site_options import Coolant, CoolantLoop, EquipmentUse

LITER_PER_MINUTE = 1e-3 / 60.0


@dataclass(frozen=True)
class Heat:
    """Electric W per W of heat on the worst design hour and on average, kg of water per J; shares of rating and of heat on that day."""

    peak: float
    mean: float
    water: float
    cooler: float
    chiller: float


def supply_temperature(option: SiteOption) -> float | None:
    """What rejection must make [degC]: stated, or what its class leaves behind the CDU; None where neither says."""
    if option.supply_temperature is not None or option.supply_class is None:
        return option.supply_temperature
    limit = class_supply_limit(option.supply_class)
    if limit is None or not option.supply_class.strip().upper().startswith("S"):
        return limit
    return limit - max([use.loop.approach or 0.0 for use in option.equipment if use.loop is not None], default=0.0)


def rejection(option: SiteOption, weather: Weather, supply: float) -> Heat:
    """The heat sink of an option, hour by hour of the stated bins."""
    hours = np.array([b.hours for b in weather.bins])
    dry, wet = np.array([b.dry_bulb for b in weather.bins]), np.array([b.wet_bulb for b in weather.bins])
    bins = WeatherBins(dry, wet, hours / hours.sum())
    plant = _plant(option)
    design = design_hours(option, weather)
    state = plant_state(plant, supply, dry, wet)
    free = min(float(state.free[i]) for i in design)
    return Heat(
        peak=max(float(state.power[i]) for i in design),
        mean=sum(float(p * s) for p, s in zip(state.power, bins.share, strict=True)),
        water=sum(float(w * s) for w, s in zip(state.water, bins.share, strict=True)),
        cooler=1.0 if plant.trim else free,
        chiller=1.0 - free,
    )


def design_hours(option: SiteOption, weather: Weather) -> list[int]:
    """Bins of the weather that are no hotter, for the plant that rejects the heat, than the design day."""
    hours = np.array([b.hours for b in weather.bins])
    dry, wet = np.array([b.dry_bulb for b in weather.bins]), np.array([b.wet_bulb for b in weather.bins])
    plant = _plant(option)
    outside = dry if plant.kind is Rejection.CHILLER else coldest_supply(plant, dry, wet)
    return _design_bins(outside, hours / hours.sum(), weather.exceeded)


def _design_bins(outside: np.ndarray, share: np.ndarray, exceeded: float) -> list[int]:
    """Bins no hotter than the design day: the hottest that no more than ``exceeded`` of the year is above."""
    order = sorted(range(len(outside)), key=lambda i: -outside[i])
    above, at = 0.0, 0
    while at < len(order):
        alike = [i for i in order[at:] if outside[i] >= outside[order[at]] - 1e-9]
        hotter = above + float(sum(share[i] for i in alike))
        if hotter > exceeded + 1e-9:
            return order[at:]
        above, at = hotter, at + len(alike)
    return order[-1:]


def _plant(option: SiteOption) -> RejectionPlant:
    stated = [use.rejection for use in option.equipment if use.rejection is not None]
    chillers = [one for one in stated if one.kind is Rejection.CHILLER]
    main = next((one for one in stated if one.kind is not Rejection.CHILLER), chillers[0] if chillers else None)
    if main is None:
        raise ValueError("no part rejects heat")
    return RejectionPlant(
        kind=main.kind,
        approach=main.approach,
        fan_share=main.fan_share,
        pump_share=main.pump_share,
        trim=bool(chillers) and main.kind is not Rejection.CHILLER,
        carnot_share=(chillers or [main])[0].carnot_share,
        saturation=main.saturation,
        cycles=main.cycles,
    )


def unit_in_loop(part: Cooling, use: EquipmentUse) -> tuple[float, float]:
    """Capacity [W] and electric share of a unit in its loop, by exchanger, flow and pump."""
    assert part.capacity is not None
    if use.loop is None:
        return part.capacity * use.loading, part.power_share or 0.0
    loop, carried = use.loop, part.capacity
    if loop.approach is not None and loop.rated_approach is not None:
        carried *= min(2.0, loop.approach / loop.rated_approach)
    carried *= use.loading
    fluid = Fluid.WATER if loop.coolant is Coolant.WATER else Fluid.PG25
    per_watt = float(volume_flow(1.0, loop.rise, fluid))
    flow = _flow(part, loop)
    if flow is not None:
        carried = min(carried, flow / per_watt)
    share = part.power_share or 0.0
    return carried, share if loop.pressure is None else per_watt * loop.pressure / loop.pump_efficiency


def _flow(part: Cooling, loop: CoolantLoop) -> float | None:
    """Largest flow [m3/s]: as stated or in the catalogue, and where the pump still gives the loop's pressure."""
    most = loop.flow_limit
    if most is None and part.flow_per_kw is not None and part.capacity is not None:
        most = part.flow_per_kw * LITER_PER_MINUTE * part.capacity / 1e3
    if not loop.pump_curve or loop.pressure is None:
        return most
    flows, heads = [p.flow for p in loop.pump_curve], [p.pressure for p in loop.pump_curve]
    low, high = 0.0, flows[-1] if most is None else min(most, flows[-1])
    if float(pump_head(high, flows, heads)) >= loop.pressure:
        return high
    if float(pump_head(low, flows, heads)) < loop.pressure:
        return 0.0
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if float(pump_head(middle, flows, heads)) >= loop.pressure else (low, middle)
    return low


@dataclass(frozen=True)
class Carrier:
    """A cooling part of an option: whole capacity of one unit on the design day [W], and whether it has anything to do."""

    use: EquipmentUse
    part: Cooling
    capacity: float


def cooling_chain(
    instance: Instance, site: str, option: SiteOption
) -> tuple[list[Carrier], tuple[float, float, float, float], float] | None:
    """Parts with what they carry, electric share by figure, and water [kg/J] of a cooling option; None where it cannot be built."""
    weather, supply = instance.sites[site].weather, supply_temperature(option)
    rejecting = any(use.rejection is not None for use in option.equipment)
    if rejecting and (weather is None or supply is None):
        return None
    heat = rejection(option, weather, supply) if rejecting and weather is not None and supply is not None else None
    carriers, moving = [], 0.0
    for use in option.equipment:
        part = instance.catalogue.get(Cooling, use.part)
        if part.capacity is None or part.price is None or (use.rejection is None and part.power_share is None):
            return None
        capacity, share = unit_in_loop(part, use)
        moving += share if use.rejection is None else 0.0
        if use.rejection is not None and heat is not None:
            if use.rejection.kind is Rejection.CHILLER:
                if heat.chiller <= 1e-12:
                    continue
                capacity /= heat.chiller
            else:
                capacity *= heat.cooler
        carriers.append(Carrier(use, part, capacity))
    if heat is None:
        shares, water = (moving, moving, moving, moving), 0.0
    else:
        carriers = [
            Carrier(c.use, c.part, c.capacity / (1.0 + moving)) if c.use.rejection is not None else c for c in carriers
        ]
        peak, mean = (moving + (1.0 + moving) * drawn for drawn in (heat.peak, heat.mean))
        shares, water = (peak, peak, mean, mean), (1.0 + moving) * heat.water
    if option.loss is not None:
        shares = (option.loss.value, option.loss.value, option.loss.value, option.loss.value)
    return carriers, shares, water
