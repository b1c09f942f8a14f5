"""The pods of one rack design: every row of its fabric table, with every figure the program and the tables need."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.candidates.batch_split import WHOLE, Part
from models.candidates.fabric_choice import narrowest
from models.candidates.fabric_table import FabricTable
from models.candidates.failures import failures_of
from models.candidates.network_plan import Network
from models.candidates.network_rack import (
    NetworkCard,
    NetworkRacks,
    densest_switch,
    network_racks,
    rack_limits,
    racks_of_large,
)
from models.candidates.pod_goodput import Useful, pod_availability, stated_write, useful_of, worst_loss
from models.candidates.pod_networks import BESIDE, NetworkRows, Planner, plan_networks, space_of
from models.candidates.pod_performance import Performance, power_in_use
from models.candidates.pod_storage import (
    StorageCard,
    StorageRows,
    state_bytes,
    storage_failures,
    storage_rows,
    storage_standing,
)
from models.candidates.pod_table import FIGURES, ROLES, PodTable
from models.candidates.rack_coolant import coolant_failures, coolant_standing
from models.candidates.rack_design import RackDesign, power_of
from models.candidates.rack_supplies import supplies_of
from models.instance import Instance
from models.parts.accelerator import Accelerator
from models.physics.node_power import idle_power
from models.physics.storage import load_time, write_time
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
class _Pods:
    """Pods being put together, one entry each: fabric rows, systems, storage, networks, racks of switches, mean power of a working system [W]."""

    rack: RackDesign
    fabric: FabricTable
    systems: Ints
    spares: Ints
    stored: StorageRows
    beside: NetworkRows
    switched: NetworkRacks
    in_use: Floats

    @property
    def jobs(self) -> Ints:
        """Systems that work."""
        return self.systems - self.spares

    @property
    def node_racks(self) -> Ints:
        """Racks of systems."""
        return np.asarray(-(-self.systems // self.rack.systems), dtype=np.int64)


def pods_of(
    shared: Shared, number: int, which: int, key: FabricKey, role: ServingRole, part: Part = WHOLE
) -> tuple[PodTable, str]:
    """The pods of one rack design in a role with a part of the batch, one per row of its fabrics and level of storage; and what they lack."""
    instance, cluster, site = shared.instance, shared.cluster, shared.site
    rack, table = shared.racks[number], shared.tables[which]
    sized = table.nodes // key.nodes_per_system
    spares = np.array(key.spares, dtype=np.int64)[table.size]
    accelerators = (sized - spares) * key.accelerators_per_system
    delivered = shared.performance.of(rack.system, accelerators, table.injection, narrowest(table), role, part)
    able = np.flatnonzero(delivered.tokens_s > 0)
    stored, said = storage_rows(instance, cluster, shared.storage, delivered.tokens_s[able])
    at = able[stored.row]
    ports = np.array([card.ports for card in shared.storage] + [0], dtype=np.int64)[stored.card] * stored.nodes
    fabric = table.take(at)
    beside = plan_networks(
        shared.planner, rack.systems, key.positions, sized[at], stored.nodes, ports, fabric.switch_count
    )
    in_use = power_in_use(instance, rack.system, delivered.computing, delivered.busy, supplies_of(instance, rack))
    switched = _switch_racks(shared, fabric, beside)
    said = said or _lacking(beside, switched)
    mean = np.broadcast_to(in_use, len(sized))[at]
    pods = _Pods(rack, fabric, sized[at], spares[at], stored, beside, switched, mean)
    write, load = _checkpoint_times(shared, pods)
    useful = _useful(shared, pods, write, load)
    network_table, network_row = _network_columns(beside)
    costs = _costs(shared, pods)
    it, air, rear_door, liquid = _loads(shared, pods)
    made = PodTable(
        cluster=cluster,
        site=site,
        racks=shared.racks,
        fabrics=shared.tables,
        profiles=shared.performance.profiles,
        storages=shared.storage,
        networks=(),
        network_cards=shared.network_cards,
        batch_parts=part.of,
        rack=np.full(len(at), number, dtype=np.int64),
        table=np.full(len(at), which, dtype=np.int64),
        fabric=at,
        systems=pods.systems,
        spares=pods.spares,
        accelerators=accelerators[at],
        node_racks=pods.node_racks,
        node_positions=pods.node_racks * key.positions,
        network_racks=switched.count,
        network_card=switched.card,
        storage=stored.card,
        storage_nodes=stored.nodes,
        storage_racks=stored.racks,
        write_bandwidth=stored.write,
        ingest=stored.ingest,
        network_table=network_table,
        network_row=network_row,
        it=it,
        air=air,
        rear_door=rear_door,
        liquid=liquid,
        cost_low=costs[0],
        cost_high=costs[1],
        injection=fabric.injection,
        bisection=fabric.bisection,
        storage_bandwidth=_per_accelerator(shared, pods, Network.STORAGE, stored.read) / accelerators[at],
        front_end_bandwidth=_per_accelerator(shared, pods, Network.FRONT_END, None) / accelerators[at],
        throughput=delivered.tokens_s[at],
        band=delivered.band[at],
        profile=delivered.profile[at],
        role=np.full(len(at), ROLES.index(role), dtype=np.int64),
        write=write,
        load_time=load,
        failure_rate=useful.failure_rate,
        goodput=useful.goodput,
        availability=_standing(shared, pods),
        blast_radius=worst_loss(instance, cluster, rack, pods.jobs, fabric),
        weight=_weight(shared, pods),
        parts=np.full(len(at), part.parts, dtype=np.int64),
        exchange=np.full(len(at), part.exchange),
    )
    return made.take(np.flatnonzero(beside.legal & switched.legal)), said


def _useful(shared: Shared, pods: _Pods, write: Floats, load: Floats) -> Useful:
    """How much of its time each pod keeps with everything that may fail in it."""
    instance, cluster, stored = shared.instance, shared.cluster, pods.stored
    line = storage_failures(instance, cluster, shared.storage, stored.card, stored.nodes)
    coolant = coolant_failures(instance, cluster, pods.rack.coolant, pods.node_racks)
    failures = failures_of(instance, pods.rack.system, pods.jobs, pods.fabric, line, coolant)
    return useful_of(instance, cluster, failures, pods.spares, write, load)


def _standing(shared: Shared, pods: _Pods) -> Floats:
    """Probability that each pod stands whole: its systems and fabric, its storage, the CDUs in its racks."""
    instance, cluster, rack = shared.instance, shared.cluster, pods.rack
    return np.asarray(
        pod_availability(instance, cluster, rack.system, pods.jobs, pods.spares, pods.fabric)
        * storage_standing(instance, cluster, shared.storage, pods.stored.card, pods.stored.nodes)
        * coolant_standing(instance, cluster, rack.coolant, pods.node_racks),
        dtype=np.float64,
    )


def _lacking(beside: NetworkRows, switched: NetworkRacks) -> str:
    """What some pods lack to be built, empty where none lacks anything."""
    if not beside.legal.all():
        return "no legal fabric joins the ports of one of its other networks"
    return "" if switched.legal.all() else "no priced 19-inch frame and rack PDU for its racks of switches"


def _switch_racks(shared: Shared, fabric: FabricTable, beside: NetworkRows) -> NetworkRacks:
    """Racks for the switches of all networks."""
    limits = rack_limits(shared.instance, shared.site, shared.network_cards)
    return network_racks(
        limits,
        shared.network_cards,
        fabric.rack_units + beside.total("rack_units"),
        fabric.power_max + beside.total("power_max"),
        np.maximum(densest_switch(fabric), beside.densest),
        racks_of_large(fabric, limits) + beside.large(limits),
    )


def _checkpoint_times(shared: Shared, pods: _Pods) -> tuple[Floats, Floats]:
    """Seconds to write a checkpoint and to read it back: stated, or through storage and the network before it."""
    instance, cluster = shared.instance, shared.cluster
    size = len(pods.systems)
    if instance.workloads[cluster].storage is None:
        return np.full(size, stated_write(instance, cluster)), np.zeros(size)
    state = state_bytes(instance, cluster)
    ports, bandwidth = _ports(shared, pods, Network.STORAGE)
    write = write_time(state, pods.stored.write, ports, bandwidth)
    return write, load_time(state, pods.stored.read, ports, bandwidth)


def _ports(shared: Shared, pods: _Pods, network: Network) -> tuple[Floats, Floats]:
    """Ports of the job's systems on a network, and the bandwidth of one [B/s]; without that network nothing limits them."""
    space = space_of(shared.instance, shared.cluster, network)
    unlimited = np.full(len(pods.systems), np.inf)
    if space is None:
        return unlimited, unlimited
    return (pods.jobs * space.ports_per_system).astype(np.float64), pods.beside.bandwidth(network)


def _per_accelerator(shared: Shared, pods: _Pods, network: Network, most: Floats | None) -> Floats:
    """Bandwidth of the whole job on a network [B/s], no more than ``most``; 0 where there is neither."""
    if space_of(shared.instance, shared.cluster, network) is None:
        return np.zeros(len(pods.systems)) if most is None else most
    ports, bandwidth = _ports(shared, pods, network)
    return ports * bandwidth if most is None or not most.any() else np.minimum(most, ports * bandwidth)


def _network_columns(beside: NetworkRows) -> tuple[Ints, Ints]:
    """Table and row of every network beside scale-out (network x pods), -1 where it has no switch."""
    tables = np.full((len(BESIDE), len(beside.legal)), -1, dtype=np.int64)
    rows = np.full_like(tables, -1)
    for number, network in enumerate(BESIDE):
        if network in beside.choices:
            tables[number], rows[number] = beside.choices[network].table, beside.choices[network].row
    return tables, rows


def _costs(shared: Shared, pods: _Pods) -> list[Floats]:
    """Prices by line (lines x pods) [USD], low and high ends."""
    price, overhead = pods.rack.system.price, pods.rack.overhead
    assert price is not None
    table, beside, stored = pods.fabric, pods.beside, pods.stored
    found = []
    for end in ("low", "high"):
        of_node = np.array([getattr(card.part.price, end) for card in shared.storage] + [0.0])
        of_rack = np.array([getattr(card.rack_price, end) for card in shared.storage] + [0.0])
        found.append(
            np.stack(
                [
                    pods.systems * getattr(price, end),
                    pods.node_racks * getattr(overhead, end) + pods.switched.price(end),
                    getattr(table, f"capex_switches_{end}") + beside.total(f"capex_switches_{end}"),
                    getattr(table, f"capex_links_{end}") + beside.total(f"capex_links_{end}"),
                    stored.nodes * of_node[stored.card] + stored.racks * of_rack[stored.card],
                ]
            )
        )
    return found


def _loads(shared: Shared, pods: _Pods) -> tuple[Floats, Floats, Floats, Floats]:
    """Electrical load, and heat to air, rear doors and liquid [W], by figure."""
    rack, system = pods.rack, pods.rack.system
    share = shared.instance.assumptions.design_power_share.value
    typical = pods.fabric.power_typical + pods.beside.total("power_typical") + _storage_power(shared, pods, "typical")
    most = pods.fabric.power_max + pods.beside.total("power_max") + _storage_power(shared, pods, "max")
    room = np.stack([most, typical + share * (most - typical), typical, typical])
    compute = np.stack([_compute(shared, pods, figure) for figure in FIGURES])
    door_share = 0.0 if rack.door is None else float(rack.door.power_share or 0.0)
    rear = compute if rack.door is not None else np.zeros_like(compute)
    liquid = compute * float(system.liquid_fraction or 0.0)
    pumps = liquid * rack.coolant.share
    drawn = compute + room + rear * door_share + pumps
    return drawn, compute - liquid - rear + room, rear * (1.0 + door_share), liquid + pumps


def _compute(shared: Shared, pods: _Pods, figure: PowerFigure) -> Floats:
    """Power of all systems [W]: spares idle, but for nameplate, which counts whatever is plugged in."""
    instance, system = shared.instance, pods.rack.system
    each: Floats | float = pods.in_use
    if figure is not PowerFigure.IN_USE:
        each = power_of(system, figure, instance.assumptions.design_power_share.value)
    if figure is PowerFigure.NAMEPLATE:
        return np.asarray(pods.systems * each, dtype=np.float64)
    rating = instance.catalogue.get(Accelerator, system.accelerator or "").tdp
    idle = each
    if rating is not None and system.max_power is not None:
        steady = system.steady_power or 0.0
        idle = np.minimum(each, idle_power(system.max_power, system.accelerators or 0, rating, steady=steady))
    return np.asarray(pods.jobs * each + pods.spares * idle, dtype=np.float64)


def _weight(shared: Shared, pods: _Pods) -> Floats:
    """Mass [kg] of racks of systems, switches and storage with what is in them."""
    node = np.array([card.node_weight for card in shared.storage] + [0.0])
    rack = np.array([card.rack_weight for card in shared.storage] + [0.0])
    stored = pods.stored
    kept = stored.nodes * node[stored.card] + stored.racks * rack[stored.card]
    switches = pods.fabric.weight + pods.beside.total("weight") + pods.switched.weight
    return np.asarray(pods.node_racks * pods.rack.weight + switches + kept, dtype=np.float64)


def _storage_power(shared: Shared, pods: _Pods, figure: str) -> Floats:
    each = np.array([getattr(card.part, f"{figure}_power") for card in shared.storage] + [0.0])
    return np.asarray(pods.stored.nodes * each[pods.stored.card], dtype=np.float64)
