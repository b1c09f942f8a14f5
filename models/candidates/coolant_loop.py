"""What a CDU carries in the loop it stands in: exchanger, flow and pump, whichever ends first."""

from __future__ import annotations

from itertools import pairwise

from models.parts.cooling import Cooling
from models.physics.thermal import Fluid, cdu_capacity_at, heat_carried, pump_power, volume_flow
from models.site_options import Coolant, CoolantLoop, EquipmentUse

FLUIDS = {Coolant.WATER: Fluid.WATER, Coolant.PG25: Fluid.PG25}
LITER_PER_MINUTE_PER_KILOWATT = 1e-3 / 60.0 / 1e3


def coolant_unit(part: Cooling, use: EquipmentUse) -> tuple[float, float]:
    """Capacity [W] of one unit and electrical W per W of heat.

    Without a ``loop`` both are the catalogue's. With one, capacity is the smallest of the exchanger's at its approach and of the heat that the
    largest flow carries at the loop's rise; the pumps draw flow times pressure.
    """
    assert part.capacity is not None
    capacity, share = part.capacity * use.loading, part.power_share or 0.0
    loop = use.loop
    if loop is None:
        return capacity, share
    fluid = FLUIDS[loop.coolant]
    if loop.approach is not None and loop.rated_approach is not None:
        capacity = float(cdu_capacity_at(part.capacity, loop.rated_approach, loop.approach)) * use.loading
    flow = largest_flow(part, loop)
    if flow is not None:
        capacity = min(capacity, float(heat_carried(flow, loop.rise, fluid)))
    if loop.pressure is not None:
        per_watt = volume_flow(1.0, loop.rise, fluid)
        share = float(pump_power(per_watt, loop.pressure, loop.pump_efficiency))
    return capacity, share


def largest_flow(part: Cooling, loop: CoolantLoop) -> float | None:
    """Most flow [m3/s] a unit gives the loop: its stated limit, else the catalogue's flow at rating, and never beyond its pump curve."""
    limits = []
    if loop.flow_limit is not None:
        limits.append(loop.flow_limit)
    elif part.flow_per_kw is not None and part.capacity is not None:
        limits.append(part.flow_per_kw * part.capacity * LITER_PER_MINUTE_PER_KILOWATT)
    if loop.pump_curve and loop.pressure is not None:
        limits.append(_pump_end(loop, loop.pressure))
    return min(limits) if limits else None


def _pump_end(loop: CoolantLoop, pressure: float) -> float:
    """The flow [m3/s] at which the pump curve falls to ``pressure``; zero where it is always below."""
    points = loop.pump_curve
    if points[0].pressure < pressure:
        return 0.0
    for before, after in pairwise(points):
        if after.pressure < pressure:
            fallen = (before.pressure - pressure) / (before.pressure - after.pressure)
            return before.flow + fallen * (after.flow - before.flow)
    return points[-1].flow
