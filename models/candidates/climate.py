"""What heat rejection draws, drinks and carries in a site's weather: data of a plant option."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.physics.cooling_plant import (
    Rejection,
    RejectionPlant,
    class_supply_limit,
    coldest_supply,
    facility_supply_limit,
    plant_state,
)
from models.physics.weather import WeatherBins
from models.site import SiteOption, Weather
from models.site_options import RejectionUse

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class HeatSink:
    """Per watt of heat at the sink: ``peak`` and ``mean`` electric power [W], ``water`` [kg/J, yearly mean].

    ``cooler`` share of its rating a cooler or tower carries on the design day; ``chiller`` share of the heat that its chiller moves
    then (1 where nothing else does).
    """

    peak: float
    mean: float
    water: float
    cooler: float
    chiller: float


def bins_of(weather: Weather) -> WeatherBins:
    """The stated bins as shares of their year."""
    hours = np.array([one.hours for one in weather.bins])
    return WeatherBins(
        np.array([one.dry_bulb for one in weather.bins]),
        np.array([one.wet_bulb for one in weather.bins]),
        hours / hours.sum(),
    )


def supply_of(option: SiteOption) -> float | None:
    """Temperature [degC] heat rejection has to make: as stated, else the limit of the class, less the CDU's approach for an S class.

    None where nothing is stated, or the open class W+.
    """
    if option.supply_temperature is not None:
        return option.supply_temperature
    limit = None if option.supply_class is None else class_supply_limit(option.supply_class)
    return None if limit is None else float(facility_supply_limit(limit, _approach(option)))


def supply_problem(option: SiteOption) -> str | None:
    """Why a stated supply is warmer than its class allows; None where it is not."""
    limit = None if option.supply_class is None else class_supply_limit(option.supply_class)
    supply = supply_of(option)
    if limit is None or supply is None:
        return None
    allowed = float(facility_supply_limit(limit, _approach(option)))
    if supply <= allowed + 1e-9:
        return None
    return f"a supply of {supply:g} degC is warmer than the {allowed:g} degC of class {option.supply_class}"


def _approach(option: SiteOption) -> float:
    """Approach [K] between facility water and technology loop, where the class is one of the latter."""
    if option.supply_class is None or not option.supply_class.strip().upper().startswith("S"):
        return 0.0
    return max((use.loop.approach or 0.0 for use in option.equipment if use.loop is not None), default=0.0)


def heat_sink(option: SiteOption, weather: Weather, supply: float) -> HeatSink:
    """The option's rejection at ``supply`` [degC] in this weather.

    The design day is the hottest bin (by what the plant feels: dry bulb, wet bulb, or between) that no more than ``weather.exceeded``
    of the year is above; the peak is the worst of the bins up to it, the mean is over all.
    """
    bins = bins_of(weather)
    plant = _plant(option)
    felt = _felt(plant, bins)
    cool_enough = np.array([bins.share[felt > one + 1e-9].sum() for one in felt]) <= weather.exceeded + 1e-9
    design = felt <= felt[cool_enough].min() + 1e-9
    state = plant_state(plant, supply, bins.dry_bulb, bins.wet_bulb)
    free = float(state.free[design].min())
    return HeatSink(
        peak=float(state.power[design].max()),
        mean=float(state.power @ bins.share),
        water=float(state.water @ bins.share),
        cooler=1.0 if plant.trim else free,
        chiller=1.0 - free,
    )


def _plant(option: SiteOption) -> RejectionPlant:
    uses = {use.rejection.kind: use.rejection for use in option.equipment if use.rejection is not None}
    chiller = uses.pop(Rejection.CHILLER, None)
    main = next(iter(uses.values()), chiller)
    assert main is not None
    return RejectionPlant(
        kind=main.kind,
        approach=main.approach,
        fan_share=main.fan_share,
        pump_share=main.pump_share,
        trim=chiller is not None and main is not chiller,
        carnot_share=(chiller or main).carnot_share,
        saturation=main.saturation,
        cycles=main.cycles,
    )


def _felt(plant: RejectionPlant, bins: WeatherBins) -> Floats:
    """Temperature [degC] a plant rejects to in each bin."""
    if plant.kind is Rejection.CHILLER:
        return bins.dry_bulb
    return np.asarray(coldest_supply(plant, bins.dry_bulb, bins.wet_bulb) - plant.approach, dtype=np.float64)


def unit_factor(use: RejectionUse, sink: HeatSink) -> float | None:
    """What a rejecting part's capacity is multiplied by on the design day; None where the part has nothing to do then."""
    if use.kind is not Rejection.CHILLER:
        return sink.cooler
    return None if sink.chiller <= 1e-12 else 1.0 / sink.chiller
