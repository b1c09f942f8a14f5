"""The networks beside scale-out of every pod: how many ports each joins, the cheapest legal fabric for them, and its bandwidth.

    storage     systems x ports + storage nodes x their ports
    front end   systems x ports
    management  systems x ports + one for every switch and storage node of the pod

A network is plain, of one plane, with one switch model; where its switches are joined at another speed, leaf and spine may be two.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from models.candidates.distinct import distinct
from models.candidates.fabric_parts import LinkCard, SwitchCard
from models.candidates.fabric_table import FabricTable
from models.candidates.network_plan import Network, NetworkChoice, NetworkNeed, plan_network
from models.candidates.network_rack import RackLimits, densest_switch, racks_of_large
from models.candidates.rows_of_racks import rack_plan
from models.instance import Instance
from models.parts.network_part import Link, Switch
from models.services import NetworkSpace

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

BESIDE = (Network.STORAGE, Network.FRONT_END, Network.MANAGEMENT)
FIELDS = {Network.STORAGE: "storage", Network.FRONT_END: "front_end", Network.MANAGEMENT: "management"}


class Planner:
    """Plans networks of pods, each number of ports once; ``tables`` holds what was planned, in order."""

    def __init__(self, instance: Instance, cluster: str, site: str) -> None:
        self.instance, self.cluster, self.site = instance, cluster, site
        self.tables: list[FabricTable] = []
        self._known: dict[tuple[Network, int, int], dict[int, tuple[int, int]]] = {}

    def choose(
        self, network: Network, space: NetworkSpace, systems_per_rack: int, positions: int, ports: Ints
    ) -> NetworkRow:
        """The cheapest legal fabric for each number of ports; ``positions`` each rack takes."""
        per_rack = max(systems_per_rack * space.ports_per_system, 1)
        known = self._known.setdefault((network, per_rack, positions), {})
        counts, _, back = distinct(ports)
        fresh = np.array([count for count in counts.tolist() if count not in known], dtype=np.int64)
        if len(fresh):
            choice = _plan(self.instance, self.cluster, self.site, network, space, per_rack, positions, fresh)
            used, row = np.unique(choice.row, return_inverse=True)
            offset = int((used < 0).any())
            number = len(self.tables)
            self.tables.append(choice.table.take(used[used >= 0]))
            for count, at, legal in zip(fresh.tolist(), (row - offset).tolist(), choice.legal.tolist(), strict=True):
                known[count] = (number, at) if at >= 0 else (-1, -1 if legal else -2)
        found = np.array([known[count] for count in counts.tolist()], dtype=np.int64)[back]
        return NetworkRow(self, found[:, 0], found[:, 1])


@dataclass(frozen=True)
class NetworkRow:
    """One network of some pods: ``table`` and ``row`` of its fabric, -1 where it needs none, row -2 where none is legal."""

    planner: Planner
    table: Ints
    row: Ints

    def take(self, rows: Ints) -> NetworkRow:
        """That of some pods."""
        return NetworkRow(self.planner, self.table[rows], self.row[rows])

    def figure(self, name: str) -> Floats:
        """A column of the fabrics by pod, 0 where the network has no switch."""
        values = np.zeros(len(self.row))
        for number, here, rows in self._parts:
            values[here] = getattr(self.planner.tables[number], name)[rows]
        return values

    @property
    def densest(self) -> Floats:
        """Nameplate power per rack unit [W] of the densest switch by pod, 0 where the network has no switch."""
        values = np.zeros(len(self.row))
        for number, here, rows in self._parts:
            values[here] = densest_switch(self.planner.tables[number])[rows]
        return values

    def large(self, limits: RackLimits) -> Floats:
        """Racks of the large switches by pod, infinite where one fits no rack."""
        values = np.zeros(len(self.row))
        for number, here, rows in self._parts:
            values[here] = racks_of_large(self.planner.tables[number], limits)[rows]
        return values

    @cached_property
    def _parts(self) -> list[tuple[int, Ints, Ints]]:
        """Every table in use, the pods that use it and their rows of it."""
        places = ((number, np.flatnonzero(self.table == number)) for number in np.unique(self.table).tolist())
        return [(number, here, self.row[here]) for number, here in places if number >= 0]


@dataclass(frozen=True)
class NetworkRows:
    """Networks of some pods: ``choices`` by network, sums over all of them by pod, and ``legal`` pods that have all they ask for.

    ``bandwidth`` [B/s] of one port through the narrowest tier, 0 where a network is not built.
    """

    choices: dict[Network, NetworkRow]
    legal: npt.NDArray[np.bool_]

    def take(self, rows: Ints) -> NetworkRows:
        """Those of some pods."""
        return NetworkRows({network: choice.take(rows) for network, choice in self.choices.items()}, self.legal[rows])

    def total(self, name: str) -> Floats:
        """A figure of all networks together, by pod."""
        values = np.zeros(len(self.legal))
        for choice in self.choices.values():
            values = values + choice.figure(name)
        return values

    @property
    def densest(self) -> Floats:
        """Nameplate power per rack unit [W] of the densest switch of all networks, by pod."""
        values = np.zeros(len(self.legal))
        for choice in self.choices.values():
            values = np.maximum(values, choice.densest)
        return values

    def large(self, limits: RackLimits) -> Floats:
        """Racks of the large switches of all networks, by pod."""
        values = np.zeros(len(self.legal))
        for choice in self.choices.values():
            values = values + choice.large(limits)
        return values

    def bandwidth(self, network: Network) -> Floats:
        """Bandwidth of one port [B/s] by pod; 0 without that network."""
        return self.choices[network].figure("bisection") if network in self.choices else np.zeros(len(self.legal))


def space_of(instance: Instance, cluster: str, network: Network) -> NetworkSpace | None:
    """What a network beside scale-out may be built of; None where it is not asked for."""
    found: NetworkSpace | None = getattr(instance.workloads[cluster].networks, FIELDS[network])
    return found


def network_parts(instance: Instance, cluster: str, space: NetworkSpace) -> tuple[list[SwitchCard], list[LinkCard]]:
    """Switches a network may be built of, and every link medium of the catalogue."""
    certain = not instance.workloads[cluster].design_space.preliminary_parts
    switches = []
    for part in instance.catalogue.of(Switch).values():
        if space.switches is not None and part.id not in space.switches:
            continue
        if part.protocol not in space.protocols or (part.preliminary and certain):
            continue
        card = SwitchCard.from_part(part)
        if card is not None and not card.missing():
            switches.append(card)
    links = [LinkCard.from_part(part) for part in instance.catalogue.of(Link).values()]
    return switches, [link for link in links if link is not None]


def plan_networks(
    planner: Planner,
    systems_per_rack: int,
    positions: int,
    systems: Ints,
    storage_nodes: Ints,
    storage_ports: Ints,
    switches: Ints,
) -> NetworkRows:
    """Networks of pods of ``systems`` systems in racks of ``positions`` rack positions each, ``storage_nodes`` with ``storage_ports`` in all, and ``switches`` for scale-out."""
    choices: dict[Network, NetworkRow] = {}
    legal = np.ones(len(systems), dtype=np.bool_)
    switched = np.asarray(switches, dtype=np.int64)
    for network in BESIDE:
        space = space_of(planner.instance, planner.cluster, network)
        if space is None:
            continue
        ports = systems * space.ports_per_system
        if network is Network.STORAGE:
            ports = ports + storage_ports
        elif network is Network.MANAGEMENT:
            ports = ports + switched + storage_nodes
        choice = planner.choose(network, space, systems_per_rack, positions, ports)
        switched = switched + (choice.figure("leaf") + choice.figure("spine") + choice.figure("core")).astype(np.int64)
        choices[network] = choice
        legal &= choice.row > -2
    return NetworkRows(choices, legal)


def _plan(
    instance: Instance,
    cluster: str,
    site: str,
    network: Network,
    space: NetworkSpace,
    per_rack: int,
    positions: int,
    ports: Ints,
) -> NetworkChoice:
    cards, media = network_parts(instance, cluster, space)
    pairs = [(leaf.id, spine.id) for leaf in cards for spine in cards if leaf.ports.uplink_ports and leaf is not spine]
    need = NetworkNeed(
        network=network,
        ports=ports,
        port_speed=space.speed,
        ports_per_rack=per_rack,
        oversubscriptions=space.oversubscription,
        uplink_speeds=None if space.uplinks is None else (space.uplinks,),
        pairs=tuple(pairs) if space.uplinks is not None else (),
        max_waste=space.wasted_ports_at_most,
    )
    plan = rack_plan(instance.sites[site].rows, per_rack, positions)
    return plan_network(need, plan, cards, media)
