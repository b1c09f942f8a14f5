"""Pods as they are drafted: one rack design in one role behind every row of its fabrics, with storage, other networks and power.

A draft holds what decides whether a pod can be built and stand at its site; all other figures are worked out for those that can.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from models.candidates.batch_split import Part
from models.candidates.fabric_choice import narrowest
from models.candidates.fabric_table import FabricTable
from models.candidates.network_plan import Network
from models.candidates.network_rack import (
    NetworkCard,
    NetworkRacks,
    densest_switch,
    network_racks,
    rack_limits,
    racks_of_large,
)
from models.candidates.pod_networks import NetworkRows, Planner, plan_networks, space_of
from models.candidates.pod_performance import Delivered, Performance, power_in_use
from models.candidates.pod_storage import StorageCard, StorageRows, storage_rows
from models.candidates.rack_design import RackDesign, power_of
from models.candidates.rack_supplies import supplies_of
from models.instance import Instance
from models.parts.accelerator import Accelerator
from models.physics.node_power import idle_power
from models.policy import PowerFigure
from models.workload import ServingRole

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class FabricKey:
    """What a fabric request depends on besides the instance; rack designs with equal keys share one enumeration.

    ``systems`` at every size, of which ``spares`` are spare; ``positions`` each rack takes in its row.
    """

    systems: tuple[int, ...]
    spares: tuple[int, ...]
    ports_per_node: int
    port_speed: float
    accelerators_per_node: int
    nodes_per_rack: int
    nodes_per_system: int
    accelerators_per_system: int
    positions: int


@dataclass(frozen=True)
class Shared:
    """What all pods of a cluster at a site have in common; ``planner`` keeps the networks beside scale-out."""

    instance: Instance
    cluster: str
    site: str
    racks: tuple[RackDesign, ...]
    tables: tuple[FabricTable, ...]
    performance: Performance
    storage: tuple[StorageCard, ...]
    planner: Planner
    network_cards: tuple[NetworkCard, ...]


@dataclass(frozen=True)
class Draft:
    """Pods being put together, one entry each: rows ``at`` of the fabrics ``table``, systems, storage, networks, racks of switches,
    what is delivered, mean power of a working system [W]. ``row_jobs`` and ``row_spares`` are systems behind every row of the table."""

    shared: Shared
    rack: RackDesign
    table: FabricTable
    row_jobs: Ints
    row_spares: Ints
    at: Ints
    positions: int
    systems: Ints
    spares: Ints
    accelerators: Ints
    stored: StorageRows
    beside: NetworkRows
    switched: NetworkRacks
    delivered: Delivered
    in_use: Floats

    def __len__(self) -> int:
        return len(self.at)

    @property
    def jobs(self) -> Ints:
        """Systems that work."""
        return self.systems - self.spares

    @cached_property
    def node_racks(self) -> Ints:
        """Racks of systems."""
        return np.asarray(-(-self.systems // self.rack.systems), dtype=np.int64)

    def fabric(self, name: str) -> npt.NDArray[Any]:
        """A column of the fabrics by pod."""
        return np.asarray(getattr(self.table, name)[self.at])

    @property
    def floor(self) -> Ints:
        """Rack positions."""
        return self.node_racks * self.positions + self.switched.count + self.stored.racks

    def take(self, rows: Ints) -> Draft:
        """Some of the pods."""
        if len(rows) == len(self):
            return self
        return dataclasses.replace(
            self,
            at=self.at[rows],
            systems=self.systems[rows],
            spares=self.spares[rows],
            accelerators=self.accelerators[rows],
            stored=self.stored.take(rows),
            beside=self.beside.take(rows),
            switched=self.switched.take(rows),
            delivered=self.delivered.take(rows),
            in_use=self.in_use[rows],
        )

    def lacking(self) -> str:
        """What some pods lack to be built, empty where none lacks anything."""
        if not self.beside.legal.all():
            return "no legal fabric joins the ports of one of its other networks"
        return (
            ""
            if self.switched.legal.all()
            else "no priced 19-inch frame and rack PDU for its racks of switches, or a switch above what one may draw"
        )

    def ports(self, network: Network) -> tuple[Floats, Floats]:
        """Ports of the job's systems on a network, and the bandwidth of one [B/s]; without that network nothing limits them."""
        space = space_of(self.shared.instance, self.shared.cluster, network)
        if space is None:
            unlimited = np.full(len(self), np.inf)
            return unlimited, unlimited
        return (self.jobs * space.ports_per_system).astype(np.float64), self.beside.bandwidth(network)

    def load(self, figure: PowerFigure) -> tuple[Floats, Floats, Floats, Floats]:
        """Electrical load, and heat to air, rear doors and liquid [W], by one figure."""
        rack, room = self.rack, self._room(figure)
        compute = self._compute(figure)
        door_share = 0.0 if rack.door is None else float(rack.door.power_share or 0.0)
        rear = compute if rack.door is not None else np.zeros(len(compute))
        liquid = compute * float(rack.system.liquid_fraction or 0.0)
        pumps = liquid * rack.coolant.share
        drawn = compute + room + rear * door_share + pumps
        return drawn, compute - liquid - rear + room, rear * (1.0 + door_share), liquid + pumps

    def _room(self, figure: PowerFigure) -> Floats:
        """Power of switches and storage nodes [W], which the air of the room cools."""
        if figure is PowerFigure.NAMEPLATE:
            return self._room_max
        if figure is not PowerFigure.DESIGN:
            return self._room_typical
        typical, most = self._room_typical, self._room_max
        share = self.shared.instance.assumptions.design_power_share.value
        return np.asarray(typical + share * (most - typical), dtype=np.float64)

    @cached_property
    def _room_typical(self) -> Floats:
        return self._beside_systems("typical")

    @cached_property
    def _room_max(self) -> Floats:
        return self._beside_systems("max")

    def _beside_systems(self, figure: str) -> Floats:
        each = np.array([getattr(card.part, f"{figure}_power") for card in self.shared.storage] + [0.0])
        own: Floats = getattr(self.table, f"power_{figure}")[self.at]
        found = own + self.beside.total(f"power_{figure}") + self.stored.nodes * each[self.stored.card]
        return np.asarray(found, dtype=np.float64)

    def _compute(self, figure: PowerFigure) -> Floats:
        """Power of all systems [W]: spares idle, but for nameplate, which counts whatever is plugged in."""
        instance, system = self.shared.instance, self.rack.system
        each: Floats | float = self.in_use
        if figure is not PowerFigure.IN_USE:
            each = power_of(system, figure, instance.assumptions.design_power_share.value)
        if figure is PowerFigure.NAMEPLATE:
            return np.asarray(self.systems * each, dtype=np.float64)
        rating = instance.catalogue.get(Accelerator, system.accelerator or "").tdp
        idle = each
        if rating is not None and system.max_power is not None:
            steady = system.steady_power or 0.0
            idle = np.minimum(each, idle_power(system.max_power, system.accelerators or 0, rating, steady=steady))
        return np.asarray(self.jobs * each + self.spares * idle, dtype=np.float64)


def draft_of(
    shared: Shared, number: int, which: int, key: FabricKey, role: ServingRole, part: Part
) -> tuple[Draft, str]:
    """The pods of one rack design in a role with a part of the batch, one per row of its fabrics and level of storage; and what storage lacks."""
    instance, cluster = shared.instance, shared.cluster
    rack, table = shared.racks[number], shared.tables[which]
    sized = table.nodes // key.nodes_per_system
    spares = np.array(key.spares, dtype=np.int64)[table.size]
    accelerators = (sized - spares) * key.accelerators_per_system
    delivered = shared.performance.of(rack.system, accelerators, table.injection, narrowest(table), role, part)
    able = np.flatnonzero(delivered.tokens_s > 0)
    stored, said = storage_rows(instance, cluster, shared.storage, delivered.tokens_s[able])
    at = able[stored.row]
    systems = sized[at]
    ports = np.array([card.ports for card in shared.storage] + [0], dtype=np.int64)[stored.card] * stored.nodes
    switches = table.switch_count[at]
    beside = plan_networks(shared.planner, rack.systems, key.positions, systems, stored.nodes, ports, switches)
    in_use = power_in_use(instance, rack.system, delivered.computing, delivered.busy, supplies_of(instance, rack))
    draft = Draft(
        shared=shared,
        rack=rack,
        table=table,
        row_jobs=sized - spares,
        row_spares=spares,
        at=at,
        positions=key.positions,
        systems=systems,
        spares=spares[at],
        accelerators=accelerators[at],
        stored=stored,
        beside=beside,
        switched=_switch_racks(shared, table, at, beside),
        delivered=delivered.take(at),
        in_use=np.broadcast_to(in_use, len(sized))[at],
    )
    return draft, said


def _switch_racks(shared: Shared, table: FabricTable, at: Ints, beside: NetworkRows) -> NetworkRacks:
    """Racks for the switches of all networks."""
    limits = rack_limits(shared.instance, shared.site, shared.network_cards)
    return network_racks(
        limits,
        shared.network_cards,
        table.rack_units[at] + beside.total("rack_units"),
        table.power_max[at] + beside.total("power_max"),
        np.maximum(densest_switch(table)[at], beside.densest),
        racks_of_large(table, limits)[at] + beside.large(limits),
    )
