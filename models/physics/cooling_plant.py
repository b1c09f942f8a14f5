"""Heat rejection: which plant can make a supply temperature in which weather, and what it draws in power and water.

Temperatures in degC, differences in K, power in W, water in kg (litres). A loop's heat goes out through a dry cooler, an adiabatic cooler or a tower; where the weather leaves
too little approach a chiller lifts the rest, if there is one. At an available approach a and a rated approach r (the difference at which full fans carry the full load):

    a >= r: fans at r/a of full speed, power falls with its cube          a < r: full fans carry a/r of the heat, a chiller the rest

The heat a cooler moves is proportional to its air flow and its approach (constant effectiveness), fan power to the cube of flow (fan laws). Chiller COP is a share of Carnot's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.physics.weather import WeatherBins

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_KELVIN = 273.15
_LATENT_HEAT = 2.43e6  # J/kg near 30 degC

# ASHRAE classes carry the highest supply temperature: W for facility water, S for the technology cooling loop.
WATER_CLASSES = {"W17": 17.0, "W27": 27.0, "W32": 32.0, "W40": 40.0, "W45": 45.0}
TECHNOLOGY_CLASSES = {"S30": 30.0, "S40": 40.0, "S45": 45.0, "S50": 50.0}
_OLD_NAMES = {"W1": "W17", "W2": "W27", "W3": "W32", "W4": "W45", "W5": "W+"}

# ASHRAE air classes (TC 9.9, Thermal Guidelines, 5th edition): highest allowable inlet [degC], and metres of altitude above 900 m that take one kelvin off it.
_AIR_CLASSES = {"A1": (32.0, 300.0), "A2": (35.0, 300.0), "A3": (40.0, 175.0), "A4": (45.0, 125.0), "H1": (25.0, 500.0)}
RECOMMENDED_INLET = 27.0  # upper end of the recommended range of A1 to A4; 22 for H1


def air_inlet_limit(name: str, altitude: ArrayLike = 0.0) -> Floats:
    """Highest allowable inlet temperature [degC] of an ASHRAE air class at ``altitude`` [m]."""
    key = name.strip().upper()
    if key not in _AIR_CLASSES:
        raise ValueError(f"unknown air class {name!r}; classes are {', '.join(_AIR_CLASSES)}")
    limit, metres_per_kelvin = _AIR_CLASSES[key]
    above = np.maximum(np.asarray(altitude, dtype=float) - 900.0, 0.0)
    return np.asarray(limit - above / metres_per_kelvin, dtype=float)


def class_supply_limit(name: str) -> float | None:
    """Highest supply temperature [degC] of an ASHRAE W or S class, old names too; None for the open class W+."""
    key = _OLD_NAMES.get(name.strip().upper(), name.strip().upper())
    if key == "W+":
        return None
    limits = {**WATER_CLASSES, **TECHNOLOGY_CLASSES}
    if key not in limits:
        raise ValueError(f"unknown liquid class {name!r}; classes are {', '.join([*limits, 'W+'])}")
    return limits[key]


def water_class_for(supply: float) -> str:
    """The W class that equipment must have to be fed with facility water of ``supply`` [degC]; ``W+`` above 45."""
    for name, limit in WATER_CLASSES.items():
        if supply <= limit:
            return name
    return "W+"


def facility_supply_limit(technology_supply: ArrayLike, cdu_approach: ArrayLike) -> Floats:
    """Warmest facility water [degC] behind a CDU: the technology loop's limit less the exchanger's approach [K]."""
    return np.asarray(np.asarray(technology_supply, dtype=float) - np.asarray(cdu_approach, dtype=float), dtype=float)


class Rejection(StrEnum):
    """How heat leaves the site."""

    DRY = "dry-cooler"
    ADIABATIC = "adiabatic-cooler"
    TOWER = "cooling-tower"
    CHILLER = "chiller"  # always running, no free cooling


@dataclass(frozen=True, slots=True)
class RejectionPlant:
    """One heat-rejection chain; shares are W of electric power per W of heat.

    ``approach`` [K] is the supply temperature over dry bulb (dry), over the precooled air (adiabatic) or over wet bulb (tower, its exchanger included) at which full fans carry full load.
    ``trim`` says that chillers stand by. ``saturation`` is the adiabatic pads' effectiveness, ``latent_share`` the part of a tower's heat that leaves as vapour, ``cycles`` the concentration of its water before blow-down,
    ``air_rise`` [K] the rise of a cooler's air at rated flow. ``carnot_share`` times Carnot is the chiller's COP between supply - ``evaporator_approach`` and ambient + ``condenser_approach`` (dry bulb,
    wet bulb for a tower).
    """

    kind: Rejection
    approach: float = 8.0
    fan_share: float = 0.02
    pump_share: float = 0.01
    slowest_fan: float = 0.2
    trim: bool = False
    carnot_share: float = 0.5
    evaporator_approach: float = 3.0
    condenser_approach: float = 14.0
    highest_cop: float = 12.0
    saturation: float = 0.85
    air_rise: float = 10.0
    latent_share: float = 0.9
    cycles: float = 5.0


def coldest_supply(plant: RejectionPlant, dry_bulb: ArrayLike, wet_bulb: ArrayLike) -> Floats:
    """The coldest water [degC] a plant makes at full load without its chiller; -inf for a chiller plant."""
    air = _sink(plant, np.asarray(dry_bulb, dtype=float), np.asarray(wet_bulb, dtype=float))
    if plant.kind is Rejection.CHILLER:
        return np.full_like(air, -np.inf)
    return np.asarray(air + plant.approach, dtype=float)


def holds_supply(plant: RejectionPlant, supply: ArrayLike, dry_bulb: ArrayLike, wet_bulb: ArrayLike) -> Bools:
    """True where the plant makes ``supply`` [degC] at full load in this weather, with its trim chiller if it has one."""
    cold = coldest_supply(plant, dry_bulb, wet_bulb)
    return np.asarray((cold <= np.asarray(supply, dtype=float) + 1e-9) | plant.trim, dtype=np.bool_)


def free_rejections(
    supply: float, design_dry_bulb: float, design_wet_bulb: float, plants: Sequence[RejectionPlant]
) -> tuple[RejectionPlant, ...]:
    """The plants that make ``supply`` [degC] on the design day without a compressor, in the order given."""
    return tuple(
        p
        for p in plants
        if p.kind is not Rejection.CHILLER
        and float(coldest_supply(p, design_dry_bulb, design_wet_bulb)) <= supply + 1e-9
    )


def _sink(plant: RejectionPlant, dry: Floats, wet: Floats) -> Floats:
    if plant.kind is Rejection.TOWER:
        return np.asarray(wet + 0.0 * dry, dtype=float)
    if plant.kind is Rejection.ADIABATIC:
        return np.asarray(dry - plant.saturation * np.maximum(dry - wet, 0.0), dtype=float)
    return np.asarray(dry + 0.0 * wet, dtype=float)


def chiller_cop(plant: RejectionPlant, supply: ArrayLike, dry_bulb: ArrayLike, wet_bulb: ArrayLike) -> Floats:
    """Heat moved per electric power: carnot_share * Te / (Tc - Te), at most ``highest_cop``.

    Te = supply - evaporator approach; Tc = ambient + condenser approach, ambient the wet bulb where the condenser hangs on a tower. The cap also
    covers the hours when the lift vanishes.
    """
    dry, wet = np.asarray(dry_bulb, dtype=float), np.asarray(wet_bulb, dtype=float)
    ambient = wet if plant.kind is Rejection.TOWER else dry
    cold = np.asarray(supply, dtype=float) - plant.evaporator_approach + _KELVIN
    lift = ambient + plant.condenser_approach + _KELVIN - cold
    least = plant.carnot_share * cold / plant.highest_cop
    return np.asarray(plant.carnot_share * cold / np.maximum(lift, least), dtype=float)


@dataclass(frozen=True)
class PlantState:
    """A plant per watt of heat in given weather; arrays of one shape.

    ``power`` W/W electric in all, ``compressor`` its chiller part, ``water`` kg/J made up, ``free`` the share of heat moved without a compressor, ``unmet`` the share not moved at all.
    """

    power: Floats
    compressor: Floats
    water: Floats
    free: Floats
    unmet: Floats


def plant_state(plant: RejectionPlant, supply: ArrayLike, dry_bulb: ArrayLike, wet_bulb: ArrayLike) -> PlantState:
    """What a plant draws per watt of heat at a ``supply`` temperature in this weather, by the model of this module."""
    warm, dry, wet = np.broadcast_arrays(*(np.asarray(v, dtype=float) for v in (supply, dry_bulb, wet_bulb)))
    dry_gap = warm - dry
    sprayed = np.zeros(warm.shape, dtype=bool)
    gap = warm - _sink(plant, dry, wet)
    if plant.kind is Rejection.ADIABATIC:
        sprayed = dry_gap < plant.approach
        gap = np.where(sprayed, gap, dry_gap)
    mechanical = plant.kind is Rejection.CHILLER
    free = np.zeros(warm.shape) if mechanical else np.clip(gap / plant.approach, 0.0, 1.0)
    speed = np.clip(plant.approach / np.maximum(gap, 1e-9), plant.slowest_fan, 1.0)
    chilled = (1.0 - free) if plant.trim or mechanical else np.zeros(warm.shape)
    compressor = chilled / chiller_cop(plant, warm, dry, wet)
    running = 0.0 if mechanical else plant.fan_share * speed**3
    water = np.zeros(warm.shape)
    if plant.kind is Rejection.TOWER:
        moved = free + chilled + compressor
        water = moved * plant.latent_share / _LATENT_HEAT * plant.cycles / (plant.cycles - 1.0)
    elif plant.kind is Rejection.ADIABATIC:
        cooled = plant.saturation * np.maximum(dry - wet, 0.0)
        water = np.where(sprayed, speed * cooled / plant.air_rise / _LATENT_HEAT, 0.0)
    return PlantState(
        power=np.asarray(running + plant.pump_share + compressor, dtype=float),
        compressor=np.asarray(compressor, dtype=float),
        water=np.asarray(water, dtype=float),
        free=np.asarray(free, dtype=float),
        unmet=np.asarray(1.0 - free - chilled, dtype=float),
    )


@dataclass(frozen=True, slots=True)
class CoolingLoop:
    """One loop of a site: its share of the IT heat, supply temperature [degC], plant, and what moves the heat indoors.

    ``distribution_share`` W of fans, CDU and loop pumps per W of heat; it ends as heat in the same loop.
    """

    heat_share: float
    supply: float
    plant: RejectionPlant
    distribution_share: float = 0.02


@dataclass(frozen=True, slots=True)
class Effectiveness:
    """Yearly and worst-hour figures of a site's cooling and losses.

    ``pue`` total over IT energy; ``wue`` [kg of water per J of IT energy]; ``peak_pue`` in the worst bin; ``free_share`` of the heat moved without compressors; ``unmet_share`` of heat in the
    worst bin that no plant moves (0 for a sound design).
    """

    pue: float
    wue: float
    peak_pue: float
    free_share: float
    unmet_share: float

    @property
    def wue_liters_per_kwh(self) -> float:
        """Water per IT energy as it is usually quoted, L/kWh."""
        return self.wue * 3.6e6


def site_effectiveness(
    loops: Sequence[CoolingLoop],
    weather: WeatherBins,
    electrical_loss_share: float = 0.0,
    other_share: float = 0.0,
    indoor_loss_share: float = 0.0,
) -> Effectiveness:
    """PUE and WUE from the loops and the binned weather; per watt of IT load.

    PUE = 1 + electrical losses + other (light, offices) + sum over loops of heat * (distribution + plant power), averaged over bins. ``indoor_loss_share`` of the electrical losses is inside the cooled room
    and goes to the last loop (air). Heat shares sum to 1.
    """
    total_share = sum(loop.heat_share for loop in loops)
    if abs(total_share - 1.0) > 1e-6:
        raise ValueError(f"the loops' shares of heat sum to {total_share:g}, not 1")
    power = np.full(weather.share.shape, 1.0 + electrical_loss_share + other_share)
    water, free, unmet, heat_total = (np.zeros(weather.share.shape) for _ in range(4))
    for position, loop in enumerate(loops):
        base = loop.heat_share + (electrical_loss_share * indoor_loss_share if position == len(loops) - 1 else 0.0)
        heat = base * (1.0 + loop.distribution_share)
        state = plant_state(loop.plant, loop.supply, weather.dry_bulb, weather.wet_bulb)
        power += base * loop.distribution_share + heat * state.power
        water += heat * state.water
        free += heat * state.free
        unmet += heat * state.unmet
        heat_total += heat
    return Effectiveness(
        pue=float(power @ weather.share),
        wue=float(water @ weather.share),
        peak_pue=float(power.max()),
        free_share=float((free / heat_total) @ weather.share),
        unmet_share=float((unmet / heat_total).max()),
    )
