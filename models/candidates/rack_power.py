"""Whips, distribution and batteries of a rack at a site that states its rack feeds; the cheapest that lives through the loss of a feed.

A site without ``rack_feed`` leaves racks as they are: distribution that carries nameplate power on either feed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from models.candidates.rack_mass import too_heavy, weighed
from models.instance import Instance
from models.parts.power_component import PowerComponent, PowerKind
from models.parts.system import SystemKind
from models.physics.conductors import conductor_current
from models.physics.power import usable_current
from models.physics.power_supplies import FeedLossRemedy, SupplyKind, parse_supply
from models.physics.rack_feeds import Remedies, Whips, heaviest_current, remedy, whip_power
from models.site import RackFeed

if TYPE_CHECKING:
    from models.candidates.rack_design import RackDesign

EIA = "eia"
SAME_VOLTAGE = 0.05
MOST_BATTERIES = 16


@dataclass(frozen=True)
class FeedVerdict:
    """How a full rack stands on its feeds. Powers [W], currents [A] per line of a whip; ``supplies`` is what the rack's supplies carry with
    a feed lost (None: not stated), ``one_feed`` what the rack may draw then. ``battery`` is the part whose units bridge the rest.
    """

    whips_per_feed: int
    line_limit: float
    whips: float
    supplies: float | None
    one_feed: float
    line_both: float
    line_one: float
    remedy: FeedLossRemedy
    battery: PowerComponent | None = None
    batteries: int = 0

    @property
    def words(self) -> str:
        """The verdict in words."""
        return self.remedy.name.lower().replace("_", " ")


def with_feeds(instance: Instance, cluster: str, site: str, rack: RackDesign) -> RackDesign | str:
    """The rack with whips, distribution and batteries for the site's feeds, at least price; or the rule that forbids it."""
    feed = instance.sites[site].rack_feed
    if feed is None:
        return rack
    reasons: list[str] = []
    found: list[tuple[float, int, str, RackDesign]] = []
    for bare in _options(instance, cluster, rack, feed):
        option = weighed(instance, bare)
        judged = _judged(instance, feed, option)
        if isinstance(judged, str):
            reasons.append(judged)
        else:
            price = judged.overhead
            whips = judged.feed.whips_per_feed if judged.feed else 0
            found.append((price.low + price.high, whips, judged.distribution.id if judged.distribution else "", judged))
    if found:
        return min(found, key=lambda one: one[:3])[3]
    if reasons:
        return reasons[-1]
    return f"no allowed rack power distribution of {feed.voltage:g} V"


def _options(instance: Instance, cluster: str, rack: RackDesign, feed: RackFeed) -> Iterator[RackDesign]:
    """The rack on every allowed distribution and number of whips; fewer whips first."""
    if rack.system.kind is SystemKind.RACK:
        for whips in range(1, feed.whips_per_feed + 1):
            yield replace(rack, feed=_whips(feed, whips, None, rack))
        return
    space = instance.workloads[cluster].design_space
    kind = PowerKind.RACK_PDU if rack.frame.kind == EIA else PowerKind.POWER_SHELF
    most = min(feed.whips_per_feed, instance.assumptions.rack_pdus_per_feed.value)
    for whips in range(1, most + 1):
        for part in instance.catalogue.of(PowerComponent).values():
            allowed = space.rack_pdus is None or part.id in space.rack_pdus
            rating = part.rated if kind is PowerKind.RACK_PDU else part.usable_n_plus_1
            if part.kind is not kind or not allowed or part.price is None or not rating:
                continue
            volts = part.output_volts
            if kind is PowerKind.RACK_PDU and volts and abs(volts - feed.voltage) > SAME_VOLTAGE * feed.voltage:
                continue
            yield replace(rack, distribution=part, distribution_units=2 * whips, feed=_whips(feed, whips, part, rack))


def supplies_on_feed(rack: RackDesign) -> int | None:
    """Single-phase supplies of a full rack on one feed; None where its load is on all lines evenly, or not known."""
    config = parse_supply(rack.system.psu_config or "")
    single = rack.system.kind is SystemKind.SERVER and rack.frame.kind == EIA and config.kind is SupplyKind.MODULES
    return rack.systems * (config.modules // 2) or None if single and config.modules else None


def _whips(feed: RackFeed, number: int, part: PowerComponent | None, rack: RackDesign) -> FeedVerdict:
    """What ``number`` whips a feed carry, each with its own distribution unit."""
    limit = float(usable_current(feed.breaker, feed.code, feed.derating))
    if feed.conductors is not None:
        wires = feed.conductors
        limit = min(limit, conductor_current(wires.ampacity, feed.code, wires.ambient, wires.insulation, wires.grouped))
    whips = Whips(number, feed.voltage, feed.phases, limit)
    rating = None if part is None else part.rated
    if rating is not None:
        limit = min(limit, rating / (feed.phases * whips.line_voltage))
        whips = replace(whips, limit=limit)
    pieces = supplies_on_feed(rack)
    carried = rack.supply.feed_lost_w
    supplies = None if carried is None else carried * (rack.systems if rack.system.kind is SystemKind.SERVER else 1)
    power = whip_power(whips, pieces)
    one_feed = min(rack.nameplate, power, rack.nameplate if supplies is None else supplies)
    return FeedVerdict(
        whips_per_feed=number,
        line_limit=limit,
        whips=power,
        supplies=supplies,
        one_feed=one_feed,
        line_both=heaviest_current(whips, pieces, rack.nameplate / 2),
        line_one=heaviest_current(whips, pieces, one_feed),
        remedy=FeedLossRemedy.NONE if one_feed >= rack.nameplate * (1 - 1e-9) else FeedLossRemedy.UNSUPPORTED,
    )


def _judged(instance: Instance, feed: RackFeed, rack: RackDesign) -> RackDesign | str:
    """The rack with the remedy it needs and the fewest batteries, or the rule it breaks."""
    verdict = rack.feed
    assert verdict is not None
    if 2 * verdict.whips < rack.nameplate * (1 - 1e-9):
        return (
            f"its heaviest line carries {verdict.line_both:.1f} A with both feeds up, "
            f"{verdict.whips_per_feed} whips a feed allow {verdict.line_limit:.1f} A"
        )
    short = _without_reserve(rack) or over_units(instance, rack) or too_heavy(rack)
    if short:
        return short
    if feed.loss is None:
        # without a rule for the loss of a feed the whips carry what the supplies can
        if verdict.whips >= min(rack.nameplate, verdict.supplies or rack.nameplate) * (1 - 1e-9):
            return rack
        return _too_little(rack, verdict, "its whips carry less than its supplies")
    given = Remedies(
        feed.loss.capped_to if "capping" in feed.loss.remedies else None,
        feed.loss.capping_delay,
        feed.loss.overload,
        ride_through=feed.loss.ride_through,
    )
    carried = min(verdict.whips, verdict.whips if verdict.supplies is None else verdict.supplies)
    found = remedy(rack.nameplate, carried, given)
    if found is not FeedLossRemedy.UNSUPPORTED:
        return replace(rack, feed=replace(verdict, remedy=found))
    if "battery" in feed.loss.remedies:
        powered = _with_batteries(instance, rack, verdict, carried, given)
        if powered is not None:
            return powered
    allowed = " and ".join(feed.loss.remedies) or "no remedy"
    return _too_little(rack, verdict, f"{allowed} allowed")


def _without_reserve(rack: RackDesign) -> str | None:
    """Why all shelves of a rack do not carry its nameplate power with their reserve kept; None where they do, or it has none.

    With a feed lost the reserve is in use: the shelves on the other feed then carry what they are rated for.
    """
    part = rack.distribution
    if part is None or part.kind is not PowerKind.POWER_SHELF or part.usable_n_plus_1 is None:
        return None
    kept = rack.distribution_units * part.usable_n_plus_1
    if kept >= rack.nameplate * (1 - 1e-9):
        return None
    return f"{rack.distribution_units} {part.id} carry {kept / 1e3:.1f} of {rack.nameplate / 1e3:.1f} kW with their reserve kept"


def _with_batteries(
    instance: Instance, rack: RackDesign, verdict: FeedVerdict, carried: float, given: Remedies
) -> RackDesign | None:
    """The cheapest battery shelves that bridge a lost feed and fit into the rack; only busbar frames take any."""
    if rack.frame.kind == EIA:
        return None
    found = []
    for part in instance.catalogue.of(PowerComponent).values():
        power = part.usable_n_plus_1
        if part.kind is not PowerKind.BATTERY_SHELF or part.price is None or not power or part.hold is None:
            continue
        for count in range(1, MOST_BATTERIES + 1):
            needed = remedy(
                rack.nameplate, carried, replace(given, battery_power=count * power, battery_time=part.hold)
            )
            tried = weighed(
                instance, replace(rack, feed=replace(verdict, remedy=needed, battery=part, batteries=count))
            )
            if needed is not FeedLossRemedy.UNSUPPORTED:
                if over_units(instance, tried) is None and too_heavy(tried) is None:
                    price = part.price
                    found.append((count * (price.low + price.high), part.id, tried))
                break
    return min(found, key=lambda one: one[:2])[2] if found else None


def over_units(instance: Instance, rack: RackDesign) -> str | None:
    """Why the contents of a rack do not fit into its units, or None where they do."""
    from models.candidates.rack_contents import units_of

    units = units_of(instance, rack)
    if units["free"] < -1e-9:
        parts = ", ".join(
            f"{value:g} {name}" for name, value in units.items() if name not in ("frame", "free") and value
        )
        return f"{parts} units in a frame of {units['frame']:g}"
    return None


def _too_little(rack: RackDesign, verdict: FeedVerdict, why: str) -> str:
    return (
        f"one feed lost leaves {verdict.one_feed / 1e3:.1f} of {rack.nameplate / 1e3:.1f} kW "
        f"({verdict.whips / 1e3:.1f} by whips"
        + ("" if verdict.supplies is None else f", {verdict.supplies / 1e3:.1f} by supplies")
        + f"): {why}"
    )
