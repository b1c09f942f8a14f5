"""Racks that hold nothing but switches: their frame, their rack PDUs, and how many of them a pod takes.

    rack power = min(all switches, rack units x densest switch, what the room and the strongest PDUs take per rack)
    racks      = max(rack units of all switches / rack units of a rack, their power / what room and PDUs take per rack,
                     sum over models of which at most three fit a rack: switches / as many as fit)

Small switches fill what large ones leave of their racks. The PDUs are those whose one feed carries the rack power at nameplate, as racks of storage and of systems are supplied.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import numpy as np
import numpy.typing as npt

from models.candidates.fabric_parts import SwitchCard
from models.candidates.fabric_table import FabricTable
from models.candidates.rack_design import EIA
from models.candidates.rack_mass import mass_of
from models.candidates.row_feed import line_share, small_rack_limit
from models.instance import Instance
from models.parts.part import PriceRange
from models.parts.power_component import PowerComponent, PowerKind
from models.parts.rack import Rack

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

SMALLEST_FRAME = 42.0
LARGE = 3
"""A switch of which no more fit a rack is large: what it leaves free is no room for another."""
_LEVELS = ("node_leaf", "leaf_spine", "spine_core")
_EDGE = 1e-9


@dataclass(frozen=True)
class NetworkCard:
    """A rack for switches without them: ``capacity`` [W] of one feed, ``units`` rack PDUs of both feeds, ``weight`` [kg]."""

    frame: Rack
    distribution: PowerComponent
    units: int
    capacity: float
    weight: float

    @property
    def price(self) -> PriceRange:
        """Price of frame and rack PDUs [USD]."""
        assert self.frame.price is not None and self.distribution.price is not None
        return PriceRange(
            self.frame.price.low + self.units * self.distribution.price.low,
            self.frame.price.high + self.units * self.distribution.price.high,
        )


@dataclass(frozen=True)
class NetworkRacks:
    """Per pod: ``count`` racks, each of ``cards[card]`` (-1 where there is no rack, or no card for it)."""

    count: Ints
    card: Ints
    cards: tuple[NetworkCard, ...]

    def take(self, rows: Ints) -> NetworkRacks:
        """Those of some pods."""
        return NetworkRacks(self.count[rows], self.card[rows], self.cards)

    @property
    def legal(self) -> npt.NDArray[np.bool_]:
        """Pods whose racks can be bought."""
        return np.asarray((self.count == 0) | (self.card >= 0), dtype=np.bool_)

    def price(self, end: str) -> Floats:
        """Price of all racks at the ``low`` or ``high`` end [USD]."""
        each = np.array([getattr(card.price, end) for card in self.cards] + [0.0])
        return np.asarray(self.count * each[self.card], dtype=np.float64)

    @property
    def weight(self) -> Floats:
        """Mass of all racks without their switches [kg]."""
        each = np.array([card.weight for card in self.cards] + [0.0])
        return np.asarray(self.count * each[self.card], dtype=np.float64)


def network_frame(instance: Instance, cluster: str) -> Rack | None:
    """The frame of racks of switches: the tallest allowed 19-inch one with a price, of equal ones the cheapest, then by id.

    Where the design space allows none, the cheapest of the catalogue, of equal ones the tallest.
    """
    allowed = instance.workloads[cluster].design_space.frames
    frames = [f for f in instance.catalogue.of(Rack).values() if f.kind == EIA and f.rack_units is not None and f.price]
    mine = [f for f in frames if allowed is None or f.id in allowed]
    if mine:
        return min(mine, key=lambda f: (-(f.rack_units or 0.0), _price(f), f.id))
    return min(frames, key=lambda f: (_price(f), -(f.rack_units or 0.0), f.id), default=None)


def network_cards(instance: Instance, cluster: str) -> tuple[NetworkCard, ...]:
    """Racks for switches by rising capacity and price, none of which another of no less capacity undercuts.

    Rack PDUs are those the design space allows; where it allows none, any of the catalogue.
    """
    frame = network_frame(instance, cluster)
    if frame is None:
        return ()
    allowed = instance.workloads[cluster].design_space.rack_pdus
    known = [
        p
        for p in instance.catalogue.of(PowerComponent).values()
        if p.kind is PowerKind.RACK_PDU and p.price is not None and p.rated
    ]
    parts = [p for p in known if allowed is None or p.id in allowed] or known
    most = instance.assumptions.rack_pdus_per_feed.value
    options = [(2 * n * _price(p), p.id, 2 * n, n * (p.rated or 0.0), p) for p in parts for n in range(1, most + 1)]
    cards: list[NetworkCard] = []
    for _, _, units, capacity, part in sorted(options, key=lambda option: option[:3]):
        if not cards or capacity > cards[-1].capacity:
            weight = (frame.empty_weight or 0.0) + units * mass_of(instance, part)
            cards.append(NetworkCard(frame, part, units, capacity, weight))
    return tuple(cards)


@dataclass(frozen=True)
class RackLimits:
    """What one rack of switches takes: ``units``, and ``power`` [W] of the room or the strongest rack PDUs, the less of both.

    ``line``: most that a single switch with its modules may draw [W] where the panels of rows limit it.
    """

    units: float
    power: float
    line: float = inf


def rack_limits(instance: Instance, site: str, cards: tuple[NetworkCard, ...]) -> RackLimits:
    """Limits of a rack of switches at a site."""
    height = cards[0].frame.rack_units if cards else None
    most = small_rack_limit(instance, site)
    share = line_share(instance, site)
    units = (height or SMALLEST_FRAME) - instance.assumptions.reserved_rack_units.value
    return RackLimits(units, min(most, cards[-1].capacity) if cards else most, inf if share is None else share)


def network_racks(
    limits: RackLimits,
    cards: tuple[NetworkCard, ...],
    rack_units: Floats,
    power: Floats,
    density: Floats,
    large: Floats,
) -> NetworkRacks:
    """Racks of pods whose switches take ``rack_units``, draw ``power`` [W] and are no denser than ``density`` [W per rack unit].

    ``large`` racks at least: those of large switches, infinite where one fits no rack.
    """
    units, most = limits.units, limits.power
    capacity = np.array([card.capacity for card in cards])
    heat = np.asarray(power, dtype=np.float64)
    count = np.maximum(np.ceil(np.asarray(rack_units) / units - _EDGE), np.ceil(heat / most - _EDGE))
    fits = np.isfinite(large)
    count = np.maximum(count, np.where(fits, large, 1.0))
    each = np.minimum(np.minimum(heat, units * np.asarray(density)), most)
    card = np.searchsorted(capacity * (1 + _EDGE), each) if cards else np.full(len(heat), -1)
    return NetworkRacks(count.astype(np.int64), np.where((count > 0) & fits, card, -1).astype(np.int64), cards)


def densest_switch(table: FabricTable) -> Floats:
    """Nameplate power per rack unit [W] of the densest switch of every row, with modules in all cages where its figure leaves them out."""
    height = np.array([card.height or 1.0 for card in table.switches])
    upper = np.where(
        table.spine + table.core > 0, _nameplate(table, table.spine_switch) / height[table.spine_switch], 0.0
    )
    return np.asarray(np.maximum(_nameplate(table, table.switch) / height[table.switch], upper), dtype=np.float64)


def racks_of_large(table: FabricTable, limits: RackLimits) -> Floats:
    """Racks that the large switches of every row take, infinite where one fits no rack."""
    above = table.spine + table.core
    same = table.switch == table.spine_switch
    leaves = _apart(table, table.switch, table.leaf + np.where(same, above, 0), limits)
    return np.asarray(leaves + _apart(table, table.spine_switch, np.where(same, 0, above), limits), dtype=np.float64)


def _apart(table: FabricTable, model: Ints, count: Ints, limits: RackLimits) -> Floats:
    height = np.array([card.height or 1.0 for card in table.switches])[model]
    bare = np.array([card.max_power or 0.0 for card in table.switches])[model]
    each = np.floor(np.minimum(limits.units / height, limits.power / np.maximum(_nameplate(table, model), 1.0)) + _EDGE)
    racks = np.where(each <= LARGE, np.ceil(count / np.maximum(each, 1.0) - _EDGE), 0.0)
    fits = (height <= limits.units * (1 + _EDGE)) & (bare <= limits.power * (1 + _EDGE))
    fits &= _nameplate(table, model) <= limits.line * (1 + _EDGE)
    return np.where(fits | (count == 0), racks, inf)


def _nameplate(table: FabricTable, model: Ints) -> Floats:
    """Nameplate power [W] of one switch, with the hottest module of the row in all cages where its figure leaves them out."""
    watts = np.array([max(m.near.power_per_end, m.far.power_per_end) for m in table.media] + [0.0])
    hottest = np.max([watts[getattr(table, f"medium_{level}")] for level in _LEVELS], axis=0)
    bare = np.array([card.max_power or 0.0 for card in table.switches])
    modules = np.array([_open_cages(card) for card in table.switches])
    return np.asarray(bare[model] + modules[model] * hottest, dtype=np.float64)


def _open_cages(card: SwitchCard) -> int:
    """Modules that may draw power beside the nameplate figure of a switch."""
    return (
        0
        if card.max_power_has_optics
        else max(card.ports.native_ports + card.ports.uplink_ports, card.ports.cages or 0)
    )


def _price(part: Rack | PowerComponent) -> float:
    """Sum of both ends of a price, which ranks as its middle does."""
    assert part.price is not None
    return part.price.low + part.price.high
