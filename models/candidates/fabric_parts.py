"""The facts of a switch and of a cable or module that a fabric design needs, taken from catalogue rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from models.physics.network.ports import PortPlan

if TYPE_CHECKING:
    from models.parts.network_part import Link, Switch


def _port_plan(part: Switch) -> PortPlan:
    """Ports of a catalogue row. A "most ports" faster than native are dedicated uplinks, as are the cages of a cell-based leaf
    that are no native port."""
    assert part.native_ports is not None and part.native_speed is not None
    uplinks, speed = 0, 0.0
    if part.protocol.endswith(CELL_BASED) and part.cages is not None and part.cages > part.native_ports:
        uplinks, speed = part.cages - part.native_ports, part.native_speed
    elif (
        part.most_ports is not None and part.most_ports_speed is not None and part.most_ports_speed > part.native_speed
    ):
        uplinks, speed = part.most_ports, part.most_ports_speed
    return PortPlan(
        part.native_ports, part.native_speed, part.most_ports, part.most_ports_speed, part.cages, uplinks, speed
    )


CELL_BASED = "-DES"
NO_MEDIUM = "OCS"
NEEDED_OF_A_LINK = (
    "rate", "lanes", "reach", "power_per_end", "price_low_per_end", "price_high_per_end", "failure_rate",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SwitchCard:
    """A switch: ports as a function of speed, power [W], height [rack units], weight [kg], price [USD] as a range.

    ``typical_power`` is without optics; ``max_power_has_optics`` says whether ``max_power`` already holds them.
    ``co_packaged`` marks optics on the package, ``linear_optics`` a host that drives modules without retimers.
    """

    id: str
    protocol: str
    ports: PortPlan
    typical_power: float | None
    max_power: float | None
    height: float | None
    weight: float | None
    price_low: float | None
    price_high: float | None
    max_power_has_optics: bool = True
    co_packaged: bool = False
    linear_optics: bool = False

    @property
    def cell_based(self) -> bool:
        """True where it spreads cells over a fabric of switches of its own kind, leaf or fabric element."""
        return self.protocol.endswith(CELL_BASED)

    def missing(self) -> tuple[str, ...]:
        """Names of the fields that a fabric design needs and this row lacks."""
        names = ("typical_power", "max_power", "height", "weight", "price_low", "price_high")
        short = tuple(name for name in names if getattr(self, name) is None)
        return short if self.ports.cages is not None else ("cages", *short)

    @classmethod
    def from_part(cls, part: Switch) -> SwitchCard | None:
        """The card of a catalogue row; None where the row does not say its native ports or speed."""
        if part.native_ports is None or part.native_speed is None:
            return None
        notes = f"{part.name} {part.notes}".lower()
        return cls(
            id=part.id,
            protocol=part.protocol,
            ports=_port_plan(part),
            typical_power=part.typical_power,
            max_power=part.max_power,
            height=part.height_units,
            weight=part.weight,
            price_low=part.price_low,
            price_high=part.price_high,
            max_power_has_optics="both without optics" not in notes and "power without optics" not in notes,
            co_packaged="cpo" in part.name.lower(),
        )


@dataclass(frozen=True, slots=True)
class LinkCard:
    """A cable or module: rate and reach, power, price and failures of one end.

    ``kind`` is one of DAC, AEC, AOC, transceiver, CPO; ``fibre`` the fibre it needs (``none`` for copper). A cable is sold
    whole: its price and power are twice those of an end. ``failure_rate`` [1/s] is that of one cable or of one module.
    """

    id: str
    kind: str
    rate: float
    lanes: int
    reach: float
    fibre: str
    power_per_end: float
    price_low_per_end: float
    price_high_per_end: float
    failure_rate: float
    linear: bool = False

    @property
    def lane_rate(self) -> float:
        """Rate of one electrical lane [B/s]."""
        return self.rate / self.lanes

    @property
    def is_cable(self) -> bool:
        """True where both ends are fixed to one cable."""
        return self.kind in ("DAC", "AEC", "AOC")

    @property
    def family(self) -> str:
        """Which far ends it can talk to: copper, fixed fibre, multimode, single-mode parallel or wavelength-multiplexed."""
        if self.is_cable:
            return self.kind
        if "OM" in self.fibre:
            return "multimode"
        return "single-mode duplex" if "LC" in self.fibre else "single-mode parallel"

    def fibres(self, lanes_lit: int) -> int:
        """Fibre strands of one link that lights ``lanes_lit`` lanes; 0 for cables, whose fibre is part of them."""
        if self.is_cable:
            return 0
        return 2 * -(-lanes_lit // 4) if self.family == "single-mode duplex" else 2 * lanes_lit

    @classmethod
    def from_part(cls, part: Link) -> LinkCard | None:
        """The card of a catalogue row; None where a needed field is absent or the row is no link medium."""
        price = part.price_per_end
        if price is None or part.missing(*NEEDED_OF_A_LINK) is not None or part.kind == NO_MEDIUM:
            return None
        assert part.rate is not None and part.lanes is not None and part.reach is not None
        assert part.power_per_end is not None and part.failure_rate is not None
        return cls(
            id=part.id,
            kind=part.kind,
            rate=part.rate,
            lanes=part.lanes,
            reach=part.reach,
            fibre=part.fibre,
            power_per_end=part.power_per_end,
            price_low_per_end=price.low,
            price_high_per_end=price.high,
            failure_rate=part.failure_rate,
            linear="lpo" in part.name.lower(),
        )
