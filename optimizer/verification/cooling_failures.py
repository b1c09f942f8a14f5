"""Cooling of a design in operation: of every group of units one is lost, and those left carry the group's heat in each hour it must.

Nothing here counts units: heat is spread over what is installed and each unit is held against what it can do. Of a CDU that is the flow its
share of the heat asks for at the loop's rise, the pressure its pump still gives at that flow, and the approach at which its exchanger moves
that heat; of a cooler or tower what the weather leaves it, of a chiller what coolers leave over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.instance import Instance
from models.parts.cooling import Cooling
from models.physics.cooling_plant import Rejection
from models.policy import PowerFigure
from models.site import Chain, Redundancy, SiteOption
from models.site_options import Coolant, CoolantLoop, EquipmentUse
from optimizer.verification.cooling import design_hours, supply_temperature
from optimizer.verification.findings import Checks
from optimizer.verification.plant import Plant
from optimizer.verification.pods import PodFacts

WATT = 1e-6
"""What sums of doubles round off [share]."""
HEAT_PER_CUBIC_METRE_KELVIN = {Coolant.WATER: 1000.0 * 4186.0, Coolant.PG25: 1020.0 * 3850.0}
LITRE_PER_MINUTE = 1e-3 / 60.0
MOST_OF_RATING = 2.0
"""However large the approach: flow and pipes of an exchanger bind there."""

Floats = np.ndarray[tuple[int], np.dtype[np.float64]]
Units = Mapping[tuple[str, Chain, str], tuple[int, ...]]


@dataclass(frozen=True)
class Installed:
    """``count`` units of a part: in ``groups``, of each of which ``lost`` units are out while the others carry its heat."""

    use: EquipmentUse
    part: Cooling
    count: int

    @property
    def groups(self) -> int:
        """Groups that share the heat alike; one where none are stated."""
        return self.count // self.use.group if self.use.group is not None else 1

    @property
    def lost(self) -> int:
        """Units of a group that fail together: none, one, or one of two whole systems."""
        each = self.use.group if self.use.group is not None else self.count
        return {Redundancy.N: 0, Redundancy.N_PLUS_1: 1, Redundancy.TWO_N: each // 2}[self.use.redundancy]

    @property
    def left(self) -> int:
        """Units of a group that still run."""
        return (self.use.group if self.use.group is not None else self.count) - self.lost

    @property
    def rating(self) -> float:
        """Heat [W] a unit may be loaded with at its rating."""
        return (self.part.capacity or 0.0) * self.use.loading


def replay_cooling(checks: Checks, instance: Instance, facts: Sequence[PodFacts], units: Units, plant: Plant) -> None:
    """Every group of every cooling option in use with what its redundancy allows to fail; what then carries too much is a finding."""
    for (site, chain, name), counts in units.items():
        if chain is Chain.POWER:
            continue
        mine = [one for one in facts if one.pod.site == site and one.pod.options.get(chain.value) == name]
        heat = sum(one.count * one.load(chain, PowerFigure.DESIGN) for one in mine)
        option = instance.sites[site].options(chain)[name]
        where = f"cooling.{site}.{chain.value}.{name}"
        standing = list(_installed(instance, option, counts))
        for one in standing:
            whole = one.use.group is None or one.count % one.use.group == 0
            checks.rule(f"{where}.{one.part.id}", whole, one.count, f"whole groups of {one.use.group}")
            if one.use.rejection is None and heat:
                running = one.groups * one.left
                each = heat / running if running > 0 else np.inf
                for what, needed, able in limits(one, each):
                    held = needed <= able * (1.0 + WATT)
                    said = f"{one.lost} of {one.lost + one.left} lost: {what} {needed:.6g}"
                    checks.rule(f"{where}.{one.part.id}", held, said, f"at most {able:.6g}")
        if heat and any(one.use.rejection is not None for one in standing):
            moving = sum(_pumping(one) for one in standing if one.use.rejection is None)
            _replay_rejection(checks, where, instance, site, option, standing, heat * (1.0 + moving))


def _installed(instance: Instance, option: SiteOption, counts: Sequence[int]) -> Iterator[Installed]:
    """Units of every part that was bought; a chiller that never has anything to do is not."""
    uses = list(option.equipment)
    if len(counts) < len(uses):
        uses = [use for use in uses if use.rejection is None or use.rejection.kind is not Rejection.CHILLER]
    for use, count in zip(uses, counts, strict=True):
        yield Installed(use, instance.catalogue.get(Cooling, use.part), count)


def limits(one: Installed, heat: float) -> Iterator[tuple[str, float, float]]:
    """What a unit that carries ``heat`` [W] needs, and what it has: heat, and in a loop flow, pressure and approach."""
    loop = one.use.loop
    if loop is None:
        yield "heat of each left [W]", heat, one.rating
        return
    yield "heat of each left [W]", heat, (MOST_OF_RATING if loop.approach is not None else 1.0) * one.rating
    if loop.approach is not None and loop.rated_approach is not None:
        yield "approach of each left [K]", loop.rated_approach * heat / one.rating, loop.approach
    flow = heat / HEAT_PER_CUBIC_METRE_KELVIN[loop.coolant] / loop.rise
    most = _stated_flow(one.part, loop)
    if most is not None:
        yield "flow of each left [m3/s]", flow, most
    if loop.pump_curve and loop.pressure is not None:
        yield "flow of each left [m3/s]", flow, loop.pump_curve[-1].flow
        flows, heads = [p.flow for p in loop.pump_curve], [p.pressure for p in loop.pump_curve]
        yield "pressure of the loop [Pa]", loop.pressure, float(np.interp(flow * (1.0 - WATT), flows, heads))


def _stated_flow(part: Cooling, loop: CoolantLoop) -> float | None:
    """Flow [m3/s] of a unit as stated for the loop, else at its rating."""
    if loop.flow_limit is not None:
        return loop.flow_limit
    if part.flow_per_kw is None or part.capacity is None:
        return None
    return part.flow_per_kw * LITRE_PER_MINUTE * part.capacity / 1e3


def _pumping(one: Installed) -> float:
    """Electric W of pumps and fans per W of heat, which end as heat in the loop."""
    loop = one.use.loop
    if loop is None or loop.pressure is None:
        return one.part.power_share or 0.0
    return loop.pressure / loop.pump_efficiency / HEAT_PER_CUBIC_METRE_KELVIN[loop.coolant] / loop.rise


def _replay_rejection(
    checks: Checks, where: str, instance: Instance, site: str, option: SiteOption, standing: Sequence[Installed], heat: float
) -> None:  # fmt: skip
    """Coolers and chillers in every hour that is not hotter than the design day, one of either out at a time."""
    weather, supply = instance.sites[site].weather, supply_temperature(option)
    if not checks.rule(f"{where}.weather", weather is not None and supply is not None, supply, "a supply and weather"):
        return
    assert weather is not None and supply is not None
    rejecting = [one for one in standing if one.use.rejection is not None]
    for out in rejecting:
        for hour in design_hours(option, weather):
            bin_ = weather.bins[hour]
            left = heat
            for one in sorted(rejecting, key=_is_chiller):  # a chiller trims what coolers leave
                running = one.left if one is out else one.left + one.lost
                running = one.left if one.use.redundancy is Redundancy.TWO_N else running
                share = 1.0 if _is_chiller(one) else _carried(one.use, supply, bin_.dry_bulb, bin_.wet_bulb)
                left -= min(left, one.groups * running * one.rating * share)
            held = left <= heat * WATT
            said = f"{out.lost} of {out.lost + out.left} lost: {left / 1e3:.6g} kW stay at {bin_.dry_bulb:g} degC"
            if not checks.rule(f"{where}.{out.part.id}", held, said, f"{heat / 1e3:.6g} kW rejected"):
                break


def _is_chiller(one: Installed) -> bool:
    return one.use.rejection is not None and one.use.rejection.kind is Rejection.CHILLER


def _carried(use: EquipmentUse, supply: float, dry: float, wet: float) -> float:
    """Share of its rating that a cooler moves: the supply's difference to the air it meets, over the one its rating holds at."""
    assert use.rejection is not None
    kind = use.rejection.kind
    air = wet if kind is Rejection.TOWER else dry
    if kind is Rejection.ADIABATIC:
        air = dry - use.rejection.saturation * max(dry - wet, 0.0)
    return min(1.0, max(0.0, (supply - air) / use.rejection.approach))
