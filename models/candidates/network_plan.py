"""The networks beside scale-out: storage, front-end and management, each a fabric of its own, the cheapest legal one at every size.

A network joins ports, whoever owns them: nodes, storage, hosts of the front end, power shelves. It is plain (no rails) and sized by the
number of its ports; bandwidth is per port, so that the caller divides it by what hangs on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from models.candidates.fabric_design import enumerate_fabrics
from models.candidates.fabric_parts import LinkCard, SwitchCard
from models.candidates.fabric_request import FabricRequest
from models.candidates.fabric_table import FabricTable, Refusal
from models.physics.network.lengths import RackPlan

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class Network(StrEnum):
    """What a fabric is for."""

    SCALE_OUT = "scale-out"
    STORAGE = "storage"
    FRONT_END = "front-end"
    MANAGEMENT = "management"


@dataclass(frozen=True)
class NetworkNeed:
    """A network: ``ports`` at every size (0 where it has none), each of ``port_speed`` [B/s]; how it may be built.

    ``ports_per_rack`` places the ports on the floor; ``copies`` builds it that many times over (A and B); ``pairs`` names leaf and spine of two
    models; ``uplink_speeds`` [B/s] as in a fabric request.
    """

    network: Network
    ports: Ints
    port_speed: float
    ports_per_rack: int
    oversubscriptions: tuple[float, ...] = (1.0,)
    tiers: tuple[int, ...] = (1, 2, 3)
    uplink_speeds: tuple[float, ...] | None = None
    protocols: frozenset[str] | None = None
    pairs: tuple[tuple[str, str], ...] = ()
    copies: int = 1
    max_waste: float = 0.05


@dataclass(frozen=True)
class NetworkChoice:
    """The chosen fabric of one network: ``row[i]`` is the row of ``table`` for size i, -1 where it needs none or none is legal.

    ``legal[i]`` says that size i is served. ``bandwidth`` [B/s] is what one port sends through the narrowest tier, 0 where there is none.
    """

    network: Network
    table: FabricTable
    row: Ints
    legal: npt.NDArray[np.bool_]

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        """Why other combinations, or all of a size, are not legal."""
        return self.table.refusals

    def figure(self, name: str) -> Floats:
        """A column of the table at every size, 0 where the network has no switch."""
        values = np.zeros(len(self.row))
        served = self.row >= 0
        values[served] = getattr(self.table, name)[self.row[served]]
        return values

    @property
    def bandwidth(self) -> Floats:
        """Bandwidth of one port through the narrowest tier [B/s], at every size."""
        return self.figure("bisection")


def cheapest_of_each_size(table: FabricTable, sizes: int) -> Ints:
    """Row of least mid price for every size, -1 where there is none; ties go to less power, then to the earlier row."""
    price = table.capex_switches_low + table.capex_switches_high + table.capex_links_low + table.capex_links_high
    order = np.lexsort((table.power_typical, price, table.size))
    first = np.full(sizes, -1, dtype=np.int64)
    found, position = np.unique(table.size[order], return_index=True)
    first[found] = order[position]
    return first


def plan_network(
    need: NetworkNeed, rack_plan: RackPlan, switches: Sequence[SwitchCard], media: Sequence[LinkCard]
) -> NetworkChoice:
    """The cheapest legal fabric of a network at every size."""
    ports = np.asarray(need.ports, dtype=np.int64)
    asked = np.flatnonzero(ports > 0)
    distinct, back = np.unique(ports[asked], return_inverse=True)
    request = FabricRequest(
        nodes=distinct if len(distinct) else np.ones(1, dtype=np.int64),
        rack_plan=replace(rack_plan, nodes_per_rack=max(need.ports_per_rack, 1)),
        port_speed=need.port_speed,
        accelerators_per_node=1,
        ports_per_node=1,
        planes=need.copies,
        tiers=need.tiers,
        oversubscriptions=need.oversubscriptions,
        rail_optimised=(False,),
        uplink_speeds=need.uplink_speeds,
        protocols=need.protocols,
        max_waste=need.max_waste,
        pairs=need.pairs,
    )
    table = enumerate_fabrics(request, switches, media)
    best = cheapest_of_each_size(table, len(request.nodes))
    row = np.full(len(ports), -1, dtype=np.int64)
    row[asked] = best[back]
    return NetworkChoice(need.network, table, row, (ports == 0) | (row >= 0))
