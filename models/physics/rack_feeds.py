"""What a rack may draw from one feed: whips and their breakers, the heaviest line, supplies, and what holds it up when the other is lost.

Like supplies are dealt to the lines of all whips of a feed in turn, so that the heaviest line carries ceil(n / lines) of them; no other
deal is more even. With both feeds up each supply carries half of its device's share, with one lost all of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from models.physics.power import SQRT3
from models.physics.power_supplies import FeedLossRemedy, feed_loss_remedy

PHASES = 3


@dataclass(frozen=True, slots=True)
class Whips:
    """``whips`` of one feed at ``voltage`` [V] (line to line for three ``phases``, between conductors for one), ``limit`` [A] per line."""

    whips: int
    voltage: float
    phases: int
    limit: float

    @property
    def lines(self) -> int:
        """Lines to deal supplies to."""
        return self.whips * self.phases

    @property
    def line_voltage(self) -> float:
        """Voltage a single supply sees [V]: line to neutral of three phases."""
        return self.voltage / SQRT3 if self.phases == 3 else self.voltage

    @property
    def capacity(self) -> float:
        """Power of all lines when full [W]."""
        return self.lines * self.line_voltage * self.limit


def heaviest_share(whips: Whips, supplies: int | None) -> float:
    """Share of a feed's load on its heaviest line; ``supplies`` alike on the feed, or None for a load on all lines evenly."""
    if supplies is None:
        return 1.0 / whips.lines
    return ceil(supplies / whips.lines) / supplies


def row_share(lines: int, supplies: int | None) -> float:
    """Share of a rack's load on the heaviest of the three lines that all its whips hang on together.

    ``lines`` of all whips of one feed, in turn L1, L2, L3; ``supplies`` alike dealt to them in turn, or None for a load on all
    of them evenly.
    """
    if supplies is None:
        return ceil(lines / PHASES) / lines
    whole, rest = divmod(supplies, lines)
    return (whole * ceil(lines / PHASES) + ceil(rest / PHASES)) / supplies


def whip_power(whips: Whips, supplies: int | None) -> float:
    """Power [W] a feed carries until its heaviest line is full."""
    return whips.line_voltage * whips.limit / heaviest_share(whips, supplies)


def heaviest_current(whips: Whips, supplies: int | None, power: float) -> float:
    """Current [A] of the heaviest line when the feed carries ``power`` [W]."""
    return power * heaviest_share(whips, supplies) / whips.line_voltage


@dataclass(frozen=True, slots=True)
class Remedies:
    """What may hold a rack up when a feed is lost: caps down to a share of its load after ``delay`` [s], during which supplies stand
    ``overload`` (share) more; ``battery_power`` [W] for ``battery_time`` [s]; the feed may be away for ``ride_through`` [s].
    """

    capped_to: float | None = None
    delay: float = 0.0
    overload: float = 0.0
    battery_power: float = 0.0
    battery_time: float = 0.0
    ride_through: float = 0.0


def remedy(load: float, carried: float, given: Remedies) -> FeedLossRemedy:
    """The lightest remedy by which a rack of ``load`` [W] lives on a feed that carries ``carried`` [W]."""
    found = feed_loss_remedy(
        load,
        load if given.capped_to is None else given.capped_to * load,
        carried,
        given.overload * carried,
        given.battery_power,
        given.battery_power * given.battery_time,
        given.ride_through,
        given.delay,
    )
    return FeedLossRemedy(int(found))
