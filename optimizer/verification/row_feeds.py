"""The panels of rows, taken again: what each position may draw of a line, and the positions a rack needs for that."""

from __future__ import annotations

from math import ceil, inf, sqrt

from models.instance import Instance
from models.parts.rack import Rack
from models.parts.system import System, SystemKind
from models.physics.power import BreakerCode
from models.physics.power_supplies import SupplyKind, parse_supply
from optimizer.design import PodChoice

NEC_SHARE = 0.8


def position_share(instance: Instance, site: str) -> float:
    """Power [W] of one line of a row's panel for each of its positions; infinite where no panel is stated."""
    place = instance.sites[site]
    if place.row_feed is None:
        return inf
    feed = place.row_feed
    current = feed.breaker * feed.derating * (NEC_SHARE if feed.code is BreakerCode.NEC else 1.0)
    return feed.voltage / sqrt(3) * current / place.rows.racks_per_row


def positions_fed(instance: Instance, pod: PodChoice) -> int:
    """Positions whose shares carry the heaviest line of a full rack with one feed lost; every supply dealt to a line of its whips."""
    whips = instance.sites[pod.site].rack_feed
    if instance.sites[pod.site].row_feed is None or whips is None:
        return 1
    system, frame = instance.catalogue.get(System, pod.system), instance.catalogue.get(Rack, pod.frame)
    config = parse_supply(system.psu_config or "")
    lines = int(pod.rack["whips_per_feed"]) * whips.phases
    single = system.kind is SystemKind.SERVER and frame.kind == "eia" and config.kind is SupplyKind.MODULES
    pieces = pod.systems_per_rack * ((config.modules or 0) // 2) if single else 0
    hung = [0.0, 0.0, 0.0]
    for number in range(pieces or lines):
        hung[number % lines % 3] += 1.0 / (pieces or lines)
    return max(1, ceil(float(pod.rack["one_feed_w"]) * max(hung) / position_share(instance, pod.site) - 1e-9))
