"""A rack of a design, held against every rule that makes a rack legal: space, mass, power, cooling, dates, choice."""

from __future__ import annotations

from dataclasses import dataclass

from models.instance import Instance
from models.parts.accelerator import Accelerator
from models.parts.cooling import Cooling, CoolingKind
from models.parts.power_component import PowerComponent, PowerKind
from models.parts.rack import Floor, Rack
from models.parts.system import System, SystemKind
from models.physics.power_supplies import parse_supply, supply_capacity
from models.site import Chain
from models.units import Unlimited
from optimizer.design import PodChoice
from optimizer.verification.findings import Checks
from optimizer.verification.masses import depth_of, kilograms, rack_equipment, units_high
from optimizer.verification.rack_feeds import check_contents

EIA = "eia"
FEEDS = 2
ROUND = 1e-9
CHAINS = {
    "air": (Chain.AIR, Chain.POWER),
    "rear_door": (Chain.AIR, Chain.REAR_DOOR, Chain.POWER),
    "liquid": (Chain.AIR, Chain.LIQUID, Chain.POWER),
}


@dataclass(frozen=True)
class RackParts:
    """The catalogue rows behind a pod's racks; ``weight`` [kg] of a full rack."""

    system: System
    accelerator: Accelerator
    frame: Rack
    distribution: PowerComponent | None
    door: Cooling | None
    weight: float

    @property
    def is_server(self) -> bool:
        """True for systems that are put into a frame bought for them."""
        return self.system.kind is SystemKind.SERVER


def check_rack(checks: Checks, instance: Instance, pod: PodChoice, prefix: str) -> RackParts | None:
    """The parts of the rack, or None where one is not in the catalogue; broken rules become findings."""
    parts = _parts(checks, instance, pod, prefix)
    if parts is None:
        return None
    _check_choice(checks, instance, pod, parts, prefix)
    _check_frame(checks, instance, pod, parts, prefix)
    _check_power(checks, instance, pod, parts, prefix)
    _check_cooling(checks, instance, pod, parts, prefix)
    _check_site(checks, instance, pod, parts, prefix)
    check_contents(checks, instance, pod, parts.system, parts.frame, parts.distribution, parts.weight, prefix)
    return parts


def _parts(checks: Checks, instance: Instance, pod: PodChoice, prefix: str) -> RackParts | None:
    catalogue = instance.catalogue
    system, frame = catalogue.of(System).get(pod.system), catalogue.of(Rack).get(pod.frame)
    known = checks.rule(f"{prefix}.system", system is not None, pod.system, "a system of the catalogue")
    known &= checks.rule(f"{prefix}.frame", frame is not None, pod.frame, "a frame of the catalogue")
    if system is None or frame is None or not known:
        return None
    accelerator = catalogue.of(Accelerator).get(system.accelerator or "")
    if not checks.rule(f"{prefix}.system", accelerator is not None, system.accelerator, "a known accelerator"):
        return None
    distribution = None if pod.distribution is None else catalogue.of(PowerComponent).get(pod.distribution)
    door = None if pod.door is None else catalogue.of(Cooling).get(pod.door)
    for name, part in (("distribution", distribution), ("door", door)):
        wanted = getattr(pod, name)
        checks.rule(f"{prefix}.{name}", wanted is None or part is not None, wanted, "a part of the catalogue")
    needed = ("accelerators", "scaleout_nics", "rails", "scaleout_speed", "rack_units", "max_power", "typical_power")
    absent = system.missing(*needed, "liquid_fraction", "weight", "available", "price_low")
    if not checks.rule(f"{prefix}.system", absent is None, absent, "every figure the computation needs"):
        return None
    absent = frame.missing("rack_units", "unit_pitch", "static_load", "empty_weight", "width", "depth")
    if not checks.rule(f"{prefix}.frame", absent is None, absent, "every figure the computation needs"):
        return None
    assert accelerator is not None and system.weight is not None and frame.empty_weight is not None
    # an integrator's weight of a rack-scale system includes its frame
    own = frame.empty_weight if system.kind is SystemKind.SERVER else 0.0
    equipment = sum(number * kilograms(instance, part) for part, number in rack_equipment(instance, pod))
    weight = pod.systems_per_rack * system.weight + own + equipment
    return RackParts(system, accelerator, frame, distribution, door, weight)


def _check_choice(checks: Checks, instance: Instance, pod: PodChoice, parts: RackParts, prefix: str) -> None:
    """What the design space leaves open."""
    workload = instance.workloads[pod.cluster]
    space, system = workload.design_space, parts.system
    checks.same(f"{prefix}.vendor", pod.vendor, system.vendor)
    for name, value, allowed in (
        ("system", system.id, space.systems),
        ("vendor", system.vendor, space.vendors),
        ("frame", parts.frame.id, space.frames),
        ("distribution", pod.distribution, space.rack_pdus if pod.distribution else None),
        ("door", pod.door, space.rear_doors if pod.door else None),
        ("site", pod.site, workload.sites),
    ):
        checks.rule(f"{prefix}.{name}", allowed is None or value in allowed, value, allowed, "not in the design space")
    barred = any(entry.site == pod.site and entry.pod == pod.pod_id for entry in space.without_layout)
    checks.rule(f"{prefix}.pod_id", not barred, pod.pod_id, "a pod with a layout", "design_space.without_layout")
    kinds = None if space.system_kinds is None else [kind.value for kind in space.system_kinds]
    checks.rule(f"{prefix}.system", kinds is None or system.kind.value in kinds, system.kind.value, kinds)
    certain = space.preliminary_parts or not system.preliminary
    checks.rule(f"{prefix}.system", certain, system.id, "no preliminary part", "design_space.preliminary_parts")
    peak = parts.accelerator.peak(workload.dtype.value)
    checks.rule(f"{prefix}.system", peak is not None, None, f"a dense {workload.dtype.value} peak")


def _check_frame(checks: Checks, instance: Instance, pod: PodChoice, parts: RackParts, prefix: str) -> None:
    """Rack units, mass on the frame, and the frame's kind."""
    system, frame, count = parts.system, parts.frame, pod.systems_per_rack
    assert system.rack_units is not None and frame.rack_units is not None
    assert system.weight is not None and frame.static_load is not None
    checks.same(f"{prefix}.frame", frame.kind, system.frame, "the frame's kind")
    reserved = instance.assumptions.reserved_rack_units.value if parts.is_server else 0.0
    used = count * system.rack_units + reserved
    where = f"{prefix}.systems_per_rack"
    checks.rule(where, count >= 1 and (parts.is_server or count == 1), count, "at least one; one if rack-scale")
    checks.rule(where, used <= frame.rack_units + ROUND, used, frame.rack_units, "rack units")
    empty = (frame.empty_weight or 0.0) if parts.is_server else 0.0
    mass = parts.weight - empty if parts.is_server else count * system.weight
    checks.rule(where, mass <= frame.static_load, mass, frame.static_load, "kg on the frame")
    room = (frame.depth or 0.0) - instance.assumptions.cable_depth.value
    mounted = [part for part, _ in rack_equipment(instance, pod) if units_high(part)]
    deepest = max(map(depth_of, (system, *mounted)))
    checks.rule(where, deepest <= room + ROUND, deepest, room, "m of depth before the cables")


def _check_power(checks: Checks, instance: Instance, pod: PodChoice, parts: RackParts, prefix: str) -> None:
    """With either feed lost the other's distribution carries nameplate; shelves of a rack-scale system with a spare module."""
    system, frame = parts.system, parts.frame
    assert system.max_power is not None and system.typical_power is not None
    nameplate = pod.systems_per_rack * system.max_power
    supply = supply_capacity(parse_supply(system.psu_config or ""))
    where = f"{prefix}.distribution"
    if parts.is_server:
        kind = PowerKind.RACK_PDU if frame.kind == EIA else PowerKind.POWER_SHELF
        part, units = parts.distribution, pod.distribution_per_rack
        if checks.rule(where, part is not None, pod.distribution, "rack power for both feeds") and part is not None:
            rating = (part.rated if kind is PowerKind.RACK_PDU else part.usable_n_plus_1) or 0.0
            checks.same(where, part.kind.value, kind.value, "what this frame takes")
            most = instance.assumptions.rack_pdus_per_feed.value
            even = units > 0 and units % FEEDS == 0 and units // FEEDS <= most
            checks.rule(f"{where}_per_rack", even, units, f"equal feeds of at most {most}")
            if instance.sites[pod.site].rack_feed is None:
                carried = units // FEEDS * rating
                checks.rule(where, carried >= nameplate * (1 - ROUND), carried, nameplate, "W with one feed lost")
    else:
        checks.same(where, pod.distribution, None, "a rack-scale system brings its own")
        checks.same(f"{where}_per_rack", pod.distribution_per_rack, 0)
        if supply.promised_w is not None:
            enough = supply.promised_w >= nameplate
            checks.rule(f"{prefix}.system", enough, supply.promised_w, nameplate, "W with a module in reserve")
    said = "power supplies not stated"
    if supply.feed_lost_w is not None:
        carried = supply.feed_lost_w * (pod.systems_per_rack if parts.is_server else 1)
        low = system.typical_power * pod.systems_per_rack
        needs = "capping" if carried >= low else "capping below typical power, or battery"
        said = (
            "either feed carries nameplate"
            if carried >= nameplate
            else f"one feed carries {carried / 1e3:.0f} of {nameplate / 1e3:.0f} kW: needs {needs}"
        )
    told = pod.rack.get("feed_loss_remedy", "unsupported")
    if told != "unsupported":
        one_feed = float(pod.rack.get("one_feed_w") or 0.0)
        said = f"one feed carries {one_feed / 1e3:.1f} of {nameplate / 1e3:.1f} kW: {told}"
        said = "either feed carries nameplate" if told == "none" else said
    checks.same(f"{prefix}.feed_loss", pod.feed_loss, said)


def _check_cooling(checks: Checks, instance: Instance, pod: PodChoice, parts: RackParts, prefix: str) -> None:
    space, system, door = instance.workloads[pod.cluster].design_space, parts.system, parts.door
    assert system.max_power is not None
    allowed = [cooling.value for cooling in space.cooling]
    checks.rule(f"{prefix}.cooling", pod.cooling in allowed, pod.cooling, allowed)
    liquid = bool(system.liquid_fraction)
    checks.rule(f"{prefix}.cooling", (pod.cooling == "liquid") == liquid, pod.cooling, "liquid for cold plates only")
    if pod.cooling != "rear_door":
        checks.same(f"{prefix}.door", pod.door, None)
        return
    heat = pod.systems_per_rack * system.max_power
    if checks.rule(f"{prefix}.door", door is not None, pod.door, "a rear door") and door is not None:
        checks.same(f"{prefix}.door", door.kind.value, CoolingKind.REAR_DOOR.value)
        checks.rule(f"{prefix}.door", (door.capacity or 0.0) >= heat, door.capacity, heat, "W of heat of a full rack")
        known = door.price is not None and door.power_share is not None
        checks.rule(f"{prefix}.door", known, door.id, "a price and a power share")


def _check_site(checks: Checks, instance: Instance, pod: PodChoice, parts: RackParts, prefix: str) -> None:
    """Dates, floor load, heat to the room, and the chains the rack needs."""
    place, system, frame = instance.sites[pod.site], parts.system, parts.frame
    assert system.available is not None and system.max_power is not None and system.liquid_fraction is not None
    assert frame.width is not None and frame.depth is not None
    in_time = system.available <= place.needed_by
    checks.rule(f"{prefix}.system", in_time, str(system.available), f"available by {place.needed_by}")
    floor = instance.catalogue.get(Floor, place.floor)
    load = parts.weight / (frame.width * frame.depth)
    holds = floor.uniform is not None and load <= floor.uniform
    checks.rule(f"{prefix}.systems_per_rack", holds, load, floor.uniform, "kg/m2 on the floor")
    if not isinstance(place.air_per_rack.value, Unlimited) and pod.cooling != "rear_door":
        heat = pod.systems_per_rack * system.max_power * (1.0 - system.liquid_fraction)
        limit = place.air_per_rack.value
        checks.rule(f"{prefix}.systems_per_rack", heat <= limit, heat, limit, "W of heat to the air per rack")
    wanted = {chain.value for chain in CHAINS.get(pod.cooling, ())}
    checks.same(f"{prefix}.options", sorted(pod.options), sorted(wanted), "the chains this cooling needs")
    for chain, option in pod.options.items():
        known = chain in {c.value for c in Chain} and option in place.options(Chain(chain))
        checks.rule(f"{prefix}.options.{chain}", known, option, "an option of this chain at the site")
