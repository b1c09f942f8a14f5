"""A rack on its feeds, taken again from the site's whips, the catalogue and the decisions: line by line, supply by supply.

The supplies are dealt to the lines one by one and the currents added up; what the loss of a feed needs is read off the sums.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from models.instance import Instance
from models.parts.power_component import PowerComponent, PowerKind
from models.parts.rack import Floor, Rack
from models.parts.system import System, SystemKind
from models.physics.conductors import ambient_factor, grouping_factor
from models.physics.power import BreakerCode
from models.physics.power_supplies import SupplyKind, parse_supply, supply_capacity
from models.site import RackFeed
from optimizer.design import PodChoice
from optimizer.verification.findings import Checks
from optimizer.verification.masses import high_of, kilograms, rack_equipment, units_high
from optimizer.verification.rack_coolant import check_coolant
from optimizer.verification.rack_supplies import states_of_supplies, told_of_supplies

NEC_SHARE = 0.8
FEET = 4
ROUND = 1e-9


@dataclass(frozen=True)
class _Feed:
    """One feed of a full rack: current a line may carry [A], what whips and supplies carry [W], heaviest lines [A]."""

    limit: float
    whips: float
    supplies: float | None
    one_feed: float
    both: float
    one: float


def check_contents(
    checks: Checks,
    instance: Instance,
    pod: PodChoice,
    system: System,
    frame: Rack,
    distribution: PowerComponent | None,
    weight: float,
    prefix: str,
) -> None:
    """Holds the contents of a rack against the parts; every entry that differs or breaks a limit becomes a finding."""
    told = dict(pod.rack)
    assert system.rack_units is not None and frame.rack_units is not None
    server = system.kind is SystemKind.SERVER
    shelves = 0.0
    if distribution is not None and distribution.kind is PowerKind.POWER_SHELF:
        shelves = pod.distribution_per_rack * (distribution.height_units or 1.0)
    battery = instance.catalogue.of(PowerComponent).get(str(told.get("battery") or ""))
    batteries = int(told.get("batteries") or 0)
    held = batteries * ((battery.height_units if battery is not None else None) or 1.0) if batteries else 0.0
    cdus = sum(n * units_high(part) for part, n in rack_equipment(instance, pod) if part.kind == "cdu")
    reserved = instance.assumptions.reserved_rack_units.value if server else 0.0
    systems = pod.systems_per_rack * system.rack_units
    free = frame.rack_units - systems - shelves - held - cdus - reserved
    expected: dict[str, Any] = {
        "units_frame": frame.rack_units, "units_systems": systems, "units_power_shelves": shelves, "units_batteries": held,
        "units_coolant": cdus, "units_reserved": reserved, "units_free": free,
    }  # fmt: skip
    checks.rule(f"{prefix}.rack.units_free", free >= -ROUND, free, "no more units than the frame has")
    assert frame.width is not None and frame.depth is not None
    assert system.max_power is not None and system.typical_power is not None
    expected |= {
        "weight_kg": weight,
        "height_m": high_of(instance, frame),
        "weight_beside_systems_kg": sum(n * kilograms(instance, part) for part, n in rack_equipment(instance, pod)),
        "weight_assumed": sorted(part.id for part, _ in rack_equipment(instance, pod) if part.weight is None),
        "floor_load_kg_m2": weight / (frame.width * frame.depth), "foot_load_kg": weight / FEET,
    }  # fmt: skip
    for name, share in (
        ("nameplate", 1.0),
        ("design", instance.assumptions.design_power_share.value),
        ("typical", 0.0),
    ):
        watts = system.typical_power + share * (system.max_power - system.typical_power)
        expected[f"{name}_w"] = pod.systems_per_rack * watts
    expected |= states_of_supplies(instance, pod, system)
    expected |= told_of_supplies(instance, pod, system)
    expected |= check_coolant(checks, instance, pod, system, prefix)
    feed = instance.sites[pod.site].rack_feed
    if feed is not None:
        expected |= _check_feed(checks, pod, system, frame, distribution, feed, (battery, batteries), prefix)
    for name in sorted(told.keys() | expected.keys()):
        checks.same(f"{prefix}.rack.{name}", told.get(name), expected.get(name))
    _check_ground(checks, instance, pod, system, frame, weight, prefix)
    if server and frame.kind != "eia":
        _check_busbar(checks, instance, pod.systems_per_rack * system.max_power, prefix)


def _check_busbar(checks: Checks, instance: Instance, nameplate: float, prefix: str) -> None:
    """Holds the nameplate power of a rack [W] against the strongest busbar of the catalogue, where it has any."""
    parts = instance.catalogue.of(PowerComponent).values()
    ratings = [part.rated for part in parts if part.kind is PowerKind.BUSBAR and part.rated]
    holds = not ratings or nameplate <= max(ratings)
    checks.rule(f"{prefix}.systems_per_rack", holds, nameplate, max(ratings, default=0.0), "W on the busbar")


def _check_feed(
    checks: Checks, pod: PodChoice, system: System, frame: Rack, distribution: PowerComponent | None, feed: RackFeed,
    batteries: tuple[PowerComponent | None, int], prefix: str,
) -> dict[str, Any]:  # fmt: skip
    told = pod.rack
    number = int(told.get("whips_per_feed") or 0)
    where = f"{prefix}.rack.whips_per_feed"
    if not checks.rule(where, 1 <= number <= feed.whips_per_feed, number, f"1 to {feed.whips_per_feed} whips"):
        return {}
    if system.kind is SystemKind.SERVER:
        checks.same(f"{prefix}.distribution_per_rack", pod.distribution_per_rack, 2 * number, "one unit on each whip")
        volts = distribution.output_volts if distribution is not None else None
        if distribution is not None and distribution.kind is PowerKind.RACK_PDU and volts:
            near = abs(volts - feed.voltage) <= 0.05 * feed.voltage
            checks.rule(f"{prefix}.distribution", near, volts, feed.voltage, "V of the whips")
    found = _feed_of(pod, system, frame, distribution, feed, number)
    assert system.max_power is not None
    nameplate = pod.systems_per_rack * system.max_power
    checks.rule(
        f"{prefix}.rack.whips_w",
        2 * found.whips >= nameplate * (1 - ROUND),
        found.whips,
        nameplate / 2,
        "W with both feeds up",
    )
    if distribution is not None and distribution.kind is PowerKind.POWER_SHELF:
        kept = 2 * number * (distribution.usable_n_plus_1 or 0.0)
        holds = kept >= nameplate * (1 - ROUND)
        checks.rule(f"{prefix}.distribution_per_rack", holds, kept, nameplate, "W with the shelves' reserve kept")
    battery, count = batteries
    word = _remedy(nameplate, found, feed, battery, count)
    checks.rule(
        f"{prefix}.rack.feed_loss_remedy",
        word is not None,
        told.get("feed_loss_remedy"),
        "a rack that lives on one feed",
    )
    if count:
        checks.rule(f"{prefix}.rack.battery", frame.kind != "eia", told.get("battery"), "batteries on a busbar only")
    return {
        "whips_per_feed": number, "line_limit_a": found.limit, "line_both_feeds_a": found.both, "line_one_feed_a": found.one,
        "whips_w": found.whips, "supplies_one_feed_w": found.supplies, "one_feed_w": found.one_feed,
        "feed_loss_remedy": word or "none", "battery": battery.id if battery is not None and count else None, "batteries": count,
    }  # fmt: skip


def carried_by_feed(
    pod: PodChoice, system: System, frame: Rack, distribution: PowerComponent | None, feed: RackFeed, number: int
) -> tuple[float, float]:
    """Power [W] one feed carries to a full rack: every line at its limit, and as the supplies fall on the lines."""
    found = _feed_of(pod, system, frame, distribution, feed, number)
    volts = feed.voltage / 3**0.5 if feed.phases == 3 else feed.voltage
    even, dealt = number * feed.phases * volts * found.limit, found.whips
    if found.supplies is not None:
        even, dealt = min(even, found.supplies), min(dealt, found.supplies)
    return even, dealt


def _feed_of(
    pod: PodChoice, system: System, frame: Rack, distribution: PowerComponent | None, feed: RackFeed, number: int
) -> _Feed:
    """Deals every supply to the line with fewest, then scales until the fullest line is at its limit."""
    assert system.max_power is not None
    volts = feed.voltage / 3**0.5 if feed.phases == 3 else feed.voltage
    continuous = NEC_SHARE if feed.code is BreakerCode.NEC else 1.0
    limit = feed.breaker * feed.derating * continuous
    if feed.conductors is not None:
        wires = feed.conductors
        kept = ambient_factor(wires.ambient, wires.insulation) * grouping_factor(feed.code, wires.grouped)
        limit = min(limit, wires.ampacity * continuous, wires.ampacity * kept)
    if distribution is not None:
        limit = min(limit, (distribution.rated or 0.0) / feed.phases / volts)
    config = parse_supply(system.psu_config or "")
    server = system.kind is SystemKind.SERVER
    lines = [0] * (number * feed.phases)
    pieces = 0
    if server and frame.kind == "eia" and config.kind is SupplyKind.MODULES and config.modules:
        pieces = pod.systems_per_rack * (config.modules // 2)
        for _ in range(pieces):
            lines[lines.index(min(lines))] += 1
    share = max(lines) / pieces if pieces else 1 / len(lines)
    whips = limit * volts / share
    lost = supply_capacity(config).feed_lost_w
    supplies = None if lost is None else lost * (pod.systems_per_rack if server else 1)
    nameplate = pod.systems_per_rack * system.max_power
    one_feed = min(x for x in (nameplate, whips, supplies) if x is not None)
    return _Feed(limit, whips, supplies, one_feed, nameplate / 2 * share / volts, one_feed * share / volts)


def _remedy(nameplate: float, found: _Feed, feed: RackFeed, battery: PowerComponent | None, count: int) -> str | None:
    """What lets the rack live on one feed, in words; None where nothing allowed does."""
    carried = found.whips if found.supplies is None else min(found.whips, found.supplies)
    missing = nameplate - carried
    if missing <= 0 or found.one_feed >= nameplate * (1 - ROUND):
        return "none"
    if feed.loss is None:
        enough = found.whips >= min(nameplate, found.supplies or nameplate) * (1 - ROUND)
        return "unsupported" if enough else None
    capping = "capping" in feed.loss.remedies and feed.loss.capped_to is not None
    capped = nameplate * (feed.loss.capped_to or 1.0) if capping else nameplate
    over = feed.loss.overload * carried
    power = count * ((battery.usable_n_plus_1 if battery is not None else None) or 0.0)
    energy = power * ((battery.hold if battery is not None else None) or 0.0)
    if capped <= carried and (feed.loss.capping_delay <= 0 or missing <= over):
        return "capping"
    if power >= missing and energy >= missing * feed.loss.ride_through:
        return "battery"
    bridged = power > 0 and power + over >= missing and energy >= max(missing - over, 0.0) * feed.loss.capping_delay
    return "capping and battery" if capped <= carried and bridged else None


def _check_ground(
    checks: Checks, instance: Instance, pod: PodChoice, system: System, frame: Rack, weight: float, prefix: str
) -> None:
    """Feet, castors, air through the rack, its inlet, and the depth of a row."""
    place = instance.sites[pod.site]
    floor = instance.catalogue.get(Floor, place.floor)
    each, where = weight / FEET, f"{prefix}.systems_per_rack"
    checks.rule(
        where, floor.concentrated is None or each <= floor.concentrated, each, floor.concentrated, "kg on a foot"
    )
    if place.racks_arrive_loaded:
        payload = weight - (frame.empty_weight or 0.0)
        rolls = frame.dynamic_load is not None and payload <= frame.dynamic_load
        checks.rule(where, rolls, payload, frame.dynamic_load, "kg rolled in")
        checks.rule(where, floor.rolling is None or each <= floor.rolling, each, floor.rolling, "kg on a castor")
    airy = system.liquid_fraction != 1.0
    if place.airflow_per_rack is not None and airy:
        flow = None if system.airflow is None else pod.systems_per_rack * system.airflow
        known = flow is not None and flow <= place.airflow_per_rack
        checks.rule(where, known, flow, place.airflow_per_rack, "m3/s of air")
    if place.supply_air is not None and airy:
        inlet = system.inlet_maximum
        known = inlet is not None and place.supply_air <= inlet
        checks.rule(f"{prefix}.system", known, place.supply_air, inlet, "degC at the inlet")
    high, clear = high_of(instance, frame), place.clear_height
    checks.rule(f"{prefix}.frame", clear is None or high <= clear + ROUND, high, clear, "m clear in the hall")
    checks.rule(
        f"{prefix}.frame",
        (frame.depth or 0.0) <= place.rows.row_pitch,
        frame.depth,
        place.rows.row_pitch,
        "m between rows",
    )
