"""What the panels or the busway of a row leave to each of its positions, line by line, and how many positions a rack then takes.

All whips of a row hang on one panel per feed. With one feed lost the other carries the row: every line of its panel at most

    sum over the racks of a row of  heaviest line [W]  <=  voltage / sqrt(3) * usable current          for each line

Which racks share a row is settled later, so each gets its share by position: a rack takes as many positions that the shares of
one line carry its heaviest line, and no fewer than its frame is wide. Whatever then stands together in a row is within the panel, each of whose
lines is held as if the heaviest lines of all racks met on it. Racks of switches and storage take one position and draw no more
than the share of a single line, so that their supplies may hang on any.
"""

from __future__ import annotations

from math import ceil, inf

from models.candidates.rack_design import RackDesign
from models.candidates.rack_power import supplies_on_feed
from models.instance import Instance
from models.physics.power import SQRT3, usable_current
from models.physics.rack_feeds import row_share
from models.units import Unlimited

ROOM = 1e-9


def line_share(instance: Instance, site: str) -> float | None:
    """Power [W] that one line of a row's panel leaves to each position; None where no panel is stated."""
    place = instance.sites[site]
    feed = place.row_feed
    if feed is None:
        return None
    current = float(usable_current(feed.breaker, feed.code, feed.derating))
    return feed.voltage / SQRT3 * current / place.rows.racks_per_row


def heaviest_line(instance: Instance, site: str, rack: RackDesign) -> float:
    """Power [W] of a full rack on the heaviest line of its row with one feed lost."""
    whips = instance.sites[site].rack_feed
    assert whips is not None and rack.feed is not None
    lines = rack.feed.whips_per_feed * whips.phases
    return rack.feed.one_feed * row_share(lines, supplies_on_feed(rack))


def positions_in_row(instance: Instance, site: str, rack: RackDesign) -> int:
    """Rack positions that a rack takes: by the width of its frame, and by its share of the row's panel."""
    wide = rack.positions(instance.sites[site].rows.rack_pitch)
    share = line_share(instance, site)
    return wide if share is None else max(wide, ceil(heaviest_line(instance, site, rack) / share - ROOM))


def too_much_for_row(instance: Instance, site: str, rack: RackDesign) -> str | None:
    """Why a whole row could not feed the rack; None where it can."""
    share, per_row = line_share(instance, site), instance.sites[site].rows.racks_per_row
    if share is None or heaviest_line(instance, site, rack) <= share * per_row * (1 + ROOM):
        return None
    drawn = heaviest_line(instance, site, rack)
    return f"its heaviest line draws {drawn / 1e3:.1f} kW with one feed lost, the panel of its row carries {share * per_row / 1e3:.1f}"


def small_rack_limit(instance: Instance, site: str) -> float:
    """Most a rack without systems may draw [W]: what the room takes from it, and its share of a line of the row; inf for neither."""
    limit = instance.sites[site].air_per_rack.value
    share = line_share(instance, site)
    return min(inf if isinstance(limit, Unlimited) else float(limit), inf if share is None else share)
