"""Heat from the chip to the facility loop: split, flow, pumps, CDU groups, air.

Power in W, volume flow in m3/s, temperature in degC, differences in K, pressure in Pa. Every flow is Q = P / (rho c dT). Water 14.33 L/min per kW
per K, 25 % propylene glycol (PG25) 15.3, air 2985 m3/h (1.76 CFM per W).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

CUBIC_METER_PER_SECOND_PER_CFM = 0.3048**3 / 60.0
LITER_PER_MINUTE = 1e-3 / 60.0  # m3/s


@dataclass(frozen=True, slots=True)
class FluidProperties:
    """Density [kg/m3] and specific heat [J/(kg K)] of a coolant."""

    density: float
    specific_heat: float

    @property
    def volumetric_heat(self) -> float:
        """Heat carried by a cubic metre per kelvin [J/(m3 K)]."""
        return self.density * self.specific_heat


class Fluid(Enum):
    """Coolants with properties near 30 degC."""

    WATER = FluidProperties(1000.0, 4186.0)
    PG25 = FluidProperties(1020.0, 3850.0)
    AIR = FluidProperties(1.2, 1005.0)


def volume_flow(
    heat: ArrayLike, rise: ArrayLike, fluid: Fluid = Fluid.WATER, air_density: ArrayLike | None = None
) -> Floats:
    """Flow [m3/s] that carries ``heat`` [W] with a temperature ``rise`` [K]: heat / (rho c dT).

    ``air_density`` [kg/m3] replaces that of air for a site's altitude; ignored for liquids.
    """
    dt = np.asarray(rise, dtype=float)
    if np.any(dt <= 0):
        raise ValueError("a coolant carries heat only while it gets warmer: the temperature rise must be above 0 K")
    capacity: ArrayLike = fluid.value.volumetric_heat
    if fluid is Fluid.AIR and air_density is not None:
        capacity = np.asarray(air_density, dtype=float) * fluid.value.specific_heat
    return np.asarray(np.asarray(heat, dtype=float) / (np.asarray(capacity) * dt), dtype=float)


def temperature_rise(heat: ArrayLike, flow: ArrayLike, fluid: Fluid = Fluid.WATER) -> Floats:
    """Temperature rise [K] of ``flow`` [m3/s] that takes up ``heat`` [W]: the inverse of ``volume_flow``."""
    q = np.asarray(flow, dtype=float)
    return np.asarray(np.asarray(heat, dtype=float) / (fluid.value.volumetric_heat * q), dtype=float)


def heat_carried(flow: ArrayLike, rise: ArrayLike, fluid: Fluid = Fluid.WATER) -> Floats:
    """Heat [W] that ``flow`` [m3/s] carries at a temperature ``rise`` [K]."""
    return np.asarray(fluid.value.volumetric_heat * np.asarray(flow, dtype=float) * np.asarray(rise), dtype=float)


def air_flow_cfm(heat: ArrayLike, rise: ArrayLike, air_density: ArrayLike | None = None) -> Floats:
    """Air flow in cubic feet per minute: 1.76 W / dT at sea level (50 kW at 11 K: 8,000 CFM)."""
    flow = volume_flow(heat, rise, Fluid.AIR, air_density)
    return np.asarray(flow / CUBIC_METER_PER_SECOND_PER_CFM, dtype=float)


@dataclass(frozen=True)
class HeatSplit:
    """Where a load's heat goes [W]; the three add up to the load."""

    liquid: Floats
    door: Floats
    air: Floats


def split_heat(load: ArrayLike, liquid_share: ArrayLike, door_capacity: ArrayLike = 0.0) -> HeatSplit:
    """Heat into the cold plates' loop, into a rear door, and into the room.

    ``liquid_share`` is the platform's share into liquid (0.85-0.9 for NVL72 class, 0.7-0.8 for eight-GPU boxes, 1 where no fan is left); a rear door takes the rest up to
    ``door_capacity`` [W] per rack.
    """
    power, share = np.asarray(load, dtype=float), np.asarray(liquid_share, dtype=float)
    if np.any(share < 0) or np.any(share > 1):
        raise ValueError("the liquid share of heat lies between 0 and 1")
    liquid = power * share
    door = np.minimum(power - liquid, np.asarray(door_capacity, dtype=float))
    liquid, door, rest = np.broadcast_arrays(liquid, door, power - liquid - door)
    return HeatSplit(liquid, door, rest)


def pump_power(flow: ArrayLike, pressure: ArrayLike, efficiency: ArrayLike = 0.5) -> Floats:
    """Electric pump power [W]: flow [m3/s] * pressure rise [Pa] / wire-to-water efficiency."""
    return np.asarray(
        np.asarray(flow, dtype=float) * np.asarray(pressure, dtype=float) / np.asarray(efficiency, dtype=float)
    )


def loop_pressure(flow: ArrayLike, rated_flow: ArrayLike, rated_pressure: ArrayLike, static: ArrayLike = 0.0) -> Floats:
    """Pressure [Pa] a closed loop needs at ``flow``: static + (rated - static) * (flow/rated)^2, turbulent losses."""
    ratio = np.asarray(flow, dtype=float) / np.asarray(rated_flow, dtype=float)
    base = np.asarray(static, dtype=float)
    return np.asarray(base + (np.asarray(rated_pressure, dtype=float) - base) * ratio**2, dtype=float)


def pump_head(flow: ArrayLike, curve_flow: ArrayLike, curve_pressure: ArrayLike) -> Floats:
    """Pressure [Pa] a pump gives at ``flow`` [m3/s], linear between points of its curve; 0 beyond the last point.

    ``curve_flow`` rises strictly, ``curve_pressure`` falls.
    """
    x, y = np.asarray(curve_flow, dtype=float), np.asarray(curve_pressure, dtype=float)
    if np.any(np.diff(x) <= 0) or np.any(np.diff(y) > 0):
        raise ValueError("a pump curve has rising flow and pressure that does not rise")
    return np.asarray(np.interp(np.asarray(flow, dtype=float), x, y, right=0.0), dtype=float)


def within_pump_curve(
    flow: ArrayLike, needed_pressure: ArrayLike, curve_flow: ArrayLike, curve_pressure: ArrayLike
) -> Bools:
    """True where the pump gives at least the pressure that the loop needs at this flow."""
    return np.asarray(pump_head(flow, curve_flow, curve_pressure) >= np.asarray(needed_pressure, dtype=float))


def cdu_capacity_at(rated_capacity: ArrayLike, rated_approach: ArrayLike, approach: ArrayLike) -> Floats:
    """Capacity [W] of a heat exchanger at another approach temperature, flows as rated.

    With flows unchanged the effectiveness is unchanged, so the heat moved is proportional to the inlet difference and hence to the approach:
    capacity = rated * approach / rated approach. Not above twice the rating, where flow and pipes bind.
    """
    ratio = np.asarray(approach, dtype=float) / np.asarray(rated_approach, dtype=float)
    return np.asarray(np.asarray(rated_capacity, dtype=float) * np.clip(ratio, 0.0, 2.0), dtype=float)


def group_capacity(units: ArrayLike, unit_capacity: ArrayLike, redundant: ArrayLike = 1) -> Floats:
    """Heat [W] a group carries with its ``redundant`` units out: (n - r) * capacity, 0 when none is left."""
    left = np.maximum(np.asarray(units, dtype=float) - np.asarray(redundant, dtype=float), 0.0)
    return np.asarray(left * np.asarray(unit_capacity, dtype=float), dtype=float)


def group_size(load: ArrayLike, unit_capacity: ArrayLike, redundant: ArrayLike = 1) -> Ints:
    """Fewest units whose group carries ``load`` [W] with ``redundant`` units out; 0 units for no load."""
    heat, each = np.asarray(load, dtype=float), np.asarray(unit_capacity, dtype=float)
    if np.any(each <= 0):
        raise ValueError("a cooling unit has a capacity above 0 W")
    working = np.maximum(np.ceil(heat / each * (1.0 - 1e-12)), 1.0)
    return np.asarray(np.where(heat > 0, working + np.asarray(redundant), 0), dtype=np.int64)


@dataclass(frozen=True)
class GroupState:
    """A CDU group in one state; arrays of one shape, SI units."""

    carries: Bools  # heat, flow and pump curve all hold
    unit_load: Floats
    unit_flow: Floats
    pump: Floats  # electric power of all running pumps [W]


def cdu_group(
    load: ArrayLike,
    units: ArrayLike,
    unit_capacity: ArrayLike,
    unit_flow_limit: ArrayLike,
    rise: ArrayLike,
    pressure: ArrayLike,
    out: ArrayLike = 0,
    fluid: Fluid = Fluid.PG25,
    pump_efficiency: ArrayLike = 0.5,
) -> GroupState:
    """A group of like CDUs that shares ``load`` [W] at a loop ``rise`` [K] with ``out`` units out of service.

    ``pressure`` [Pa] is the loop's at the group's full flow: the racks' flow is the same whichever units supply it. Holds where each running unit is within its capacity [W] and its
    flow limit [m3/s].
    """
    running = np.asarray(units, dtype=float) - np.asarray(out, dtype=float)
    heat = np.asarray(load, dtype=float)
    flow = volume_flow(heat, rise, fluid)
    some = np.maximum(running, 1.0)
    each_load, each_flow = heat / some, flow / some
    slack = 1.0 + 1e-12
    carries = (
        (running > 0)
        & (each_load <= np.asarray(unit_capacity, dtype=float) * slack)
        & (each_flow <= np.asarray(unit_flow_limit, dtype=float) * slack)
    ) | (heat == 0)
    carries, each_load, each_flow, pump = np.broadcast_arrays(
        carries, each_load, each_flow, pump_power(flow, pressure, pump_efficiency)
    )
    return GroupState(np.asarray(carries, dtype=np.bool_), each_load, each_flow, pump)
