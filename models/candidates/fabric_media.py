"""Media: which cable or pair of modules may light a link, and the cheapest for each length.

A medium is legal when its reach covers the run, it carries the speed, and each end fits its cage: a module serves all the
ports of its cage (a twin-port module serves two links), so an end pays ``1 / ports per cage`` of a module. Two modules talk
to each other when they are of one optical family and one lane rate. Copper and fixed fibre are one cable per cage; between
switches that needs the links of a cage to end at one far cage, so the links per pair must be a multiple of the ports per cage.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from models.candidates.fabric_parts import LinkCard

RETIMED_LANE = 100e9 / 8


@dataclass(frozen=True, slots=True)
class CageEnd:
    """One end of a link: ports that share its cage, the cage's most bandwidth [B/s], and what optics the host takes.

    ``lane_speed`` is the host's electrical lane [B/s], None where not known: a module cannot run its lanes faster. Hosts of slower
    lanes than ``RETIMED_LANE`` take modules of that lane all the same, since modules that pair their lanes are sold for them.
    """

    ports_per_cage: int
    cage_speed: float
    lane_speed: float | None = None
    co_packaged: bool = False
    linear_optics: bool = False

    def takes(self, card: LinkCard, speed: float) -> bool:
        """True where ``card`` fits this cage and lights all its ports at ``speed``."""
        if (card.kind == "CPO") != self.co_packaged or (card.linear and not self.linear_optics):
            return False
        if not self.clocks(card):
            return False
        lanes_per_link = speed / card.lane_rate
        if abs(lanes_per_link - round(lanes_per_link)) > 1e-6 or round(lanes_per_link) < 1:
            return False
        if card.kind == "CPO":
            return abs(card.rate - speed) <= 1e-6 * speed
        fits = card.rate <= self.cage_speed * (1 + 1e-9)
        return fits and round(lanes_per_link) * self.ports_per_cage <= card.lanes

    def clocks(self, card: LinkCard) -> bool:
        """True where the host's lanes are fast enough for those of ``card``."""
        return self.lane_speed is None or card.lane_rate <= max(self.lane_speed, RETIMED_LANE) * (1 + 1e-9)


@dataclass(frozen=True, slots=True)
class LinkMedium:
    """A legal way to light one link of ``speed`` [B/s]; ``near`` is the end at the upper tier, ``far`` at the lower one.

    A unit is one module, or one cable end; ``near_ports`` and ``far_ports`` are the links that a unit serves at each end.
    ``shares_cage`` is the number of links that must run together between the same two cages (1 where they may part).
    """

    near: LinkCard
    far: LinkCard
    speed: float
    near_ports: int
    far_ports: int
    shares_cage: int
    fibres: int

    @property
    def name(self) -> str:
        """The medium in words: one id, or both ends' ids."""
        return self.near.id if self.near.id == self.far.id else f"{self.near.id} - {self.far.id}"

    @property
    def kind(self) -> str:
        """Kind of cable or module."""
        return self.near.kind

    @property
    def reach(self) -> float:
        """Longest run [m]."""
        return min(self.near.reach, self.far.reach)

    @property
    def price_low(self) -> float:
        """Low price of one link [USD]."""
        return self.near.price_low_per_end / self.near_ports + self.far.price_low_per_end / self.far_ports

    @property
    def price_high(self) -> float:
        """High price of one link [USD]."""
        return self.near.price_high_per_end / self.near_ports + self.far.price_high_per_end / self.far_ports

    @property
    def price(self) -> float:
        """Middle of the price range of one link [USD]."""
        return (self.price_low + self.price_high) / 2

    @property
    def power(self) -> float:
        """Power of both ends of one link [W]."""
        return self.near.power_per_end / self.near_ports + self.far.power_per_end / self.far_ports

    @property
    def failure_rate(self) -> float:
        """Failures of one link [1/s]: its share of a cable, or of a module at each end."""
        if self.near.is_cable:
            return self.near.failure_rate / self.near_ports
        return self.near.failure_rate / self.near_ports + self.far.failure_rate / self.far_ports


def _cable(card: LinkCard, speed: float, near: CageEnd, far: CageEnd) -> LinkMedium | None:
    most = max(near.ports_per_cage, far.ports_per_cage)
    least = min(near.ports_per_cage, far.ports_per_cage)
    lanes = speed / card.lane_rate
    if near.co_packaged or far.co_packaged or abs(card.rate - most * speed) > 1e-6 * card.rate:
        return None
    if abs(lanes - round(lanes)) > 1e-6 or most % least:
        return None
    if not near.clocks(card) or not far.clocks(card):
        return None
    if any(end.ports_per_cage * speed > end.cage_speed * (1 + 1e-9) for end in (near, far)):
        return None
    return LinkMedium(card, card, speed, most, most, shares_cage=least, fibres=0)


def _modules(a: LinkCard, b: LinkCard, speed: float, near: CageEnd, far: CageEnd) -> LinkMedium | None:
    """Two modules that fit their cages, where they talk to each other."""
    if a.family != b.family or a.linear != b.linear or abs(a.lane_rate - b.lane_rate) > 1e-6 * a.lane_rate:
        return None
    # an engine on the package serves one port, a module all ports of its cage
    near_ports = 1 if a.kind == "CPO" else near.ports_per_cage
    far_ports = 1 if b.kind == "CPO" else far.ports_per_cage
    return LinkMedium(a, b, speed, near_ports, far_ports, shares_cage=1, fibres=a.fibres(round(speed / a.lane_rate)))


def legal_media(
    cards: Sequence[LinkCard],
    speed: float,
    near: CageEnd,
    far: CageEnd,
    allowed: Iterable[str] | None = None,
    splits: bool = False,
) -> tuple[LinkMedium, ...]:
    """Every medium that both cages take at ``speed``, cheapest first (ties: longer reach, then name).

    ``allowed`` restricts to kinds or ids; ``splits`` says that the links of one cage part to different far switches, which no cable can.
    """
    return _legal(tuple(cards), speed, near, far, None if allowed is None else frozenset(allowed), splits)


@lru_cache(maxsize=1024)
def _legal(
    cards: tuple[LinkCard, ...], speed: float, near: CageEnd, far: CageEnd, wanted: frozenset[str] | None, splits: bool
) -> tuple[LinkMedium, ...]:
    # asked again for every plan of the racks, with the same answer
    usable = [card for card in cards if wanted is None or {card.id, card.kind} & wanted]
    above = [card for card in usable if not card.is_cable and near.takes(card, speed)]
    below = [card for card in usable if not card.is_cable and far.takes(card, speed)]
    found = [_modules(a, b, speed, near, far) for a in above for b in below]
    if not splits:
        found += [_cable(card, speed, near, far) for card in usable if card.is_cable]
    legal = [medium for medium in found if medium is not None]
    return tuple(sorted(legal, key=lambda m: (m.price, -m.reach, m.name)))


def cheapest_for(
    media: Sequence[LinkMedium], lengths: npt.NDArray[np.float64], links_together: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Index of the cheapest medium whose reach covers each length and whose cages close; -1 where none does.

    ``links_together`` is the number of links that run between the same pair of far ends.
    """
    chosen = np.full(lengths.shape, -1, dtype=np.int64)
    for index in range(len(media) - 1, -1, -1):
        medium = media[index]
        fits = (lengths <= medium.reach + 1e-9) & (links_together % medium.shares_cage == 0)
        chosen[fits] = index
    return chosen
