"""Coolant of a rack again: where it is made, how many CDUs stand in the rack, what they draw, and the manifold."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Any

from scipy.stats import binom

from models.instance import Instance
from models.parts.cooling import Cooling, CoolingKind
from models.parts.failure_rate import FailureRate
from models.parts.system import System, SystemKind
from models.physics.cooling_plant import class_supply_limit
from models.site import Chain, EquipmentUse, Redundancy
from optimizer.design import PodChoice
from optimizer.verification.cooling import unit_in_loop
from optimizer.verification.findings import Checks

ROUND = 1e-9


@dataclass(frozen=True)
class Cooled:
    """CDUs in the racks of a pod: how many, rates at which racks lose coolant [1/s, low to high], repair [s], time all racks have it."""

    count: int
    rates: tuple[float, float, float]
    repair: float
    stands: float


def liquid_heat(pod: PodChoice, system: System) -> float:
    """Heat [W] of a full rack at nameplate power that its cold plates take."""
    return pod.systems_per_rack * (system.max_power or 0.0) * (system.liquid_fraction or 0.0)


def _unit(instance: Instance, pod: PodChoice) -> tuple[Cooling | None, float, float]:
    """The CDU a rack holds, what one carries in its loop [W], and its electric share."""
    part = instance.catalogue.of(Cooling).get(str(pod.rack.get("cdu") or ""))
    if part is None:
        return None, 0.0, 0.0
    loop = instance.workloads[pod.cluster].design_space.coolant.loop
    return part, *unit_in_loop(part, EquipmentUse(part=part.id, redundancy=Redundancy.N, loop=loop))


def pump_share(instance: Instance, pod: PodChoice) -> float:
    """Electric W per W of liquid heat that CDUs in the racks draw; zero without."""
    return _unit(instance, pod)[2]


def cooled(instance: Instance, pod: PodChoice) -> Cooled | None:
    """How often racks of a pod lose their own coolant, and the share of time all have it; None where none is stated or none is there."""
    space, number = instance.workloads[pod.cluster].design_space.coolant, int(pod.rack.get("cdus") or 0)
    if not number or (space.failures is None and space.mtbf is None):
        return None
    if space.failures is not None:
        row = instance.catalogue.get(FailureRate, space.failures)
        if row.rate is None or row.repair is None:
            raise ValueError(f"failure_rates.csv lacks a figure of {row.id}")
        low = row.rate_low if row.rate_low is not None else row.rate
        span = (low, row.rate, row.rate_high if row.rate_high is not None else row.rate)
        repair = row.repair
    else:
        assert space.mtbf is not None and space.mttr is not None
        span, repair = (1.0 / space.mtbf,) * 3, space.mttr
    needed = number - (space.redundancy == "n+1")
    ups = [1.0 / (1.0 + rate * repair) for rate in span]
    low, typical, high = (
        pod.node_racks * float(binom.pmf(needed, number, up)) * needed * rate
        for up, rate in zip(ups, span, strict=True)
    )
    stands = float(binom.sf(needed - 1, number, ups[1])) ** pod.node_racks
    return Cooled(pod.node_racks * number, (low, typical, high), repair, stands)


def check_coolant(checks: Checks, instance: Instance, pod: PodChoice, system: System, prefix: str) -> dict[str, Any]:
    """What a design should tell of the coolant of its racks; broken rules become findings."""
    space, told = instance.workloads[pod.cluster].design_space.coolant, pod.rack
    part, carries, share = _unit(instance, pod)
    heat, liquid = liquid_heat(pod, system), pod.cooling == "liquid"
    sources = [source.value for source in space.sources]
    found: dict[str, Any] = {}
    if liquid:
        source = "in_rack" if told.get("cdu") else "site"
        checks.rule(f"{prefix}.rack.cdu", source in sources, source, sources, "not in the design space")
    if told.get("cdu"):
        where, number = f"{prefix}.rack.cdus", int(told.get("cdus") or 0)
        known = part is not None and part.kind is CoolingKind.CDU and bool(part.height_units) and part.price is not None
        checks.rule(f"{prefix}.rack.cdu", liquid and known, told["cdu"], "a priced CDU that stands in a rack")
        checks.rule(f"{prefix}.rack.cdu", space.units is None or told["cdu"] in space.units, told["cdu"], space.units)
        spare = 1 if space.redundancy == "n+1" else 0
        needed = max(ceil(heat / carries - ROUND), 1) + spare if carries > 0 else 0
        checks.same(where, number, needed, "fewest that carry the rack's liquid heat with the redundancy kept")
        found |= {
            "cdu": told["cdu"], "cdus": needed, "cdu_carries_w": carries, "liquid_w": heat, "cdu_power_w": heat * share,
        }  # fmt: skip
    if liquid:
        _check_option(checks, instance, pod, part, prefix)
    if liquid and space.manifolds is not None and system.kind is SystemKind.SERVER:
        rows = [instance.catalogue.of(Cooling).get(name) for name in space.manifolds]
        able = [
            r
            for r in rows
            if r is not None and r.kind is CoolingKind.MANIFOLD and r.price and (r.capacity or 0) >= heat
        ]
        dear = sorted(able, key=lambda row: (row.price.low + row.price.high if row.price else 0.0, row.id))
        checks.rule(f"{prefix}.rack.manifold", bool(dear), told.get("manifold"), "a manifold that carries the heat")
        found["manifold"] = dear[0].id if dear else None
    return found


def _check_option(checks: Checks, instance: Instance, pod: PodChoice, part: Cooling | None, prefix: str) -> None:
    """The liquid option serves what the rack needs, cool enough for its CDU."""
    where, name = f"{prefix}.options.liquid", pod.options.get(Chain.LIQUID.value, "")
    option = instance.sites[pod.site].liquid.get(name)
    if option is None:
        return
    wanted = "rack_cdus" if pod.rack.get("cdu") else "racks"
    checks.same(where, option.coolant_to.value, wanted, "what the option serves")
    supply = option.supply_temperature
    if supply is None and option.supply_class is not None:
        supply = class_supply_limit(option.supply_class)
    if part is not None and part.supply_maximum is not None and supply is not None:
        loop = instance.workloads[pod.cluster].design_space.coolant.loop
        reached = supply + ((loop.approach or 0.0) if loop is not None else 0.0)
        checks.rule(where, reached <= part.supply_maximum + ROUND, reached, part.supply_maximum, "degC at the CDU")
