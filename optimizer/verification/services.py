"""Storage and the networks beside scale-out of a pod, held against what the workload asks and rebuilt from catalogue rows."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from math import ceil, inf
from typing import Any

from models.instance import Instance
from models.parts.model_card import ModelCard
from models.parts.power_component import PowerComponent, PowerKind
from models.parts.rack import Floor, Rack
from models.parts.storage import StorageNode
from models.services import NetworkSpace, StorageNeed
from models.units import Unlimited
from models.workload import Serving
from optimizer.design import PodChoice
from optimizer.verification.fabric import FabricFacts, check_fabric
from optimizer.verification.fabric_question import beside
from optimizer.verification.failures import Writing
from optimizer.verification.findings import Checks
from optimizer.verification.masses import depth_of, kilograms
from optimizer.verification.rack_feeds import FEET
from optimizer.verification.racks import EIA, FEEDS
from optimizer.verification.row_feeds import position_share

NETWORKS = (("storage", "storage"), ("front-end", "front_end"), ("management", "management"))
WEIGHT_BYTES = {"bf16": 2.0, "fp8": 1.0, "fp4": 0.5625}
EDGE = 1e-9


@dataclass(frozen=True)
class StorageFacts:
    """Storage of one pod: parts with their counts, bandwidths [B/s] with the stated nodes lost, powers [W], mass [kg] of its racks."""

    node: StorageNode
    nodes: int
    ports: int
    racks: int
    frame: Rack
    distribution: PowerComponent
    distribution_units: int
    write: float
    read: float
    weight: float = 0.0

    @property
    def power_max(self) -> float:
        """Nameplate of all nodes."""
        return self.nodes * (self.node.max_power or 0.0)

    @property
    def power_typical(self) -> float:
        """Typical power of all nodes."""
        return self.nodes * (self.node.typical_power or 0.0)


@dataclass(frozen=True)
class Services:
    """What a pod has beside compute and scale-out; ``write`` and ``ingest`` [B/s] are what it takes of its or its site's storage."""

    storage: StorageFacts | None = None
    networks: dict[str, FabricFacts] = field(default_factory=dict)
    write: float = 0.0
    ingest: float = 0.0
    storage_b_s: float = 0.0
    front_end_b_s: float = 0.0
    writing: Writing = field(default_factory=lambda: Writing(0.0, 0.0))

    def total(self, name: str) -> float:
        """A figure of all networks together."""
        return sum(float(getattr(facts, name)) for facts in self.networks.values())


def state_bytes(instance: Instance, cluster: str) -> float:
    """Bytes of one checkpoint, of the weights where a cluster serves."""
    workload = instance.workloads[cluster]
    parameters = instance.catalogue.get(ModelCard, workload.model).shape().params()
    if isinstance(workload, Serving):
        return parameters * WEIGHT_BYTES[workload.dtype.value]
    assert workload.storage is not None
    return parameters * workload.storage.bytes_per_parameter


def needed_capacity(instance: Instance, cluster: str) -> float:
    """Usable bytes a cluster's storage must have: dataset and kept checkpoints, one more while it is written."""
    need = instance.workloads[cluster].storage
    assert need is not None
    return (need.dataset + (need.checkpoints_kept + 1) * state_bytes(instance, cluster)) / need.fill


def services_of(
    checks: Checks, instance: Instance, pod: PodChoice, fabric: FabricFacts, tokens_s: float, prefix: str
) -> Services:
    """Everything a pod has beside compute and scale-out; ``tokens_s`` is what it must be fed with."""
    workload = instance.workloads[pod.cluster]
    need, jobs = workload.storage, pod.systems - pod.spares
    stored = _storage(checks, instance, pod, need, f"{prefix}.storage") if need and not need.shared else None
    networks = _networks(checks, instance, pod, fabric, stored, f"{prefix}.networks")
    writing = Writing(_stated(instance, pod.cluster), 0.0) if need is None else Writing(0.0, 0.0)
    space = workload.networks.storage
    path = jobs * space.ports_per_system * _port(networks, "storage") if space is not None else inf
    front = workload.networks.front_end
    front_end = jobs * front.ports_per_system * _port(networks, "front-end") if front is not None else 0.0
    storage_b_s = path if space is not None else 0.0
    write = ingest = 0.0
    told: dict[str, Any] = {}
    if need is not None:
        ingest = max(tokens_s * need.bytes_per_token * need.reread, need.read)
        write = stored.write if stored is not None else float(pod.storage.get("write_b_s", 0.0))
        if stored is None:
            known = any(abs(write - level) <= EDGE * level for level in need.write)
            checks.rule(f"{prefix}.storage.write_b_s", known, write, list(need.write), "a stated level")
        read = stored.read if stored is not None else ingest
        size = state_bytes(instance, pod.cluster)
        writing = Writing(size / min(write, path), size / min(read, path) if min(read, path) > 0 else inf)
        storage_b_s = min(read, path) if read > 0 else storage_b_s
        told = {"write_b_s": write, "ingest_b_s": ingest, "write_s": writing.write, "load_s": writing.load}
        _check_storage(checks, pod, stored, need, ingest, instance, told, prefix)
    for name in sorted(told.keys() | dict(pod.storage).keys()):
        checks.same(f"{prefix}.storage.{name}", pod.storage.get(name), told.get(name))
    each = pod.accelerators
    return Services(stored, networks, write, ingest, storage_b_s / each, front_end / each, writing)


def _stated(instance: Instance, cluster: str) -> float:
    """Blocking time of a checkpoint [s] as stated; serving writes none."""
    if isinstance(instance.workloads[cluster], Serving):
        return 0.0
    stated = instance.assumptions.checkpoint_write
    if stated is None:
        raise ValueError("checkpoint_write is not stated")
    return stated.value


def _port(networks: dict[str, FabricFacts], name: str) -> float:
    return networks[name].bisection if name in networks else 0.0


def _storage(
    checks: Checks, instance: Instance, pod: PodChoice, need: StorageNeed, where: str
) -> StorageFacts | None:  # fmt: skip
    """The parts of the storage a design states; a finding and None where they are not in the catalogue."""
    told, catalogue = pod.storage, instance.catalogue
    node = catalogue.of(StorageNode).get(str(told.get("node")))
    frame = catalogue.of(Rack).get(str(told.get("frame")))
    distribution = catalogue.of(PowerComponent).get(str(told.get("distribution")))
    nodes = int(told.get("nodes", 0))
    known = checks.rule(where, node is not None and nodes > 0, told.get("node"), "storage nodes of the catalogue")
    known &= checks.rule(where, frame is not None and distribution is not None, told.get("frame"), "known rack parts")
    if node is None or frame is None or distribution is None or not known:
        return None
    assert node.read is not None and node.write is not None and node.max_power is not None
    network = instance.workloads[pod.cluster].networks.storage
    ports, most = _ports(checks, node, network, where)
    per_rack = int(told.get("per_rack", 1))
    left = nodes - need.lost
    _check_rack(checks, instance, pod, node, frame, distribution, per_rack, where)
    return StorageFacts(
        node, nodes, nodes * ports, -(-nodes // per_rack), frame, distribution,
        int(told.get("distribution_per_rack", 0)), left * min(node.write, most), left * min(node.read, most),
        nodes * kilograms(instance, node) + -(-nodes // per_rack) * (frame.empty_weight or 0.0)
        + -(-nodes // per_rack) * int(told.get("distribution_per_rack", 0)) * kilograms(instance, distribution),
    )  # fmt: skip


def _ports(checks: Checks, node: StorageNode, network: NetworkSpace | None, where: str) -> tuple[int, float]:
    """Ports of a node on the storage network and what they carry together [B/s]."""
    if network is None:
        return 0, inf
    found = re.fullmatch(r"\s*(\d+)\s*[xX]\s*(\d+)\s*[gG]\s*", node.network)
    if not checks.rule(where, found is not None, node.network, "ports of the form 2x400G") or found is None:
        return 0, 0.0
    speed = float(found.group(2)) * 1e9 / 8
    checks.rule(where, speed >= network.speed * (1 - EDGE), speed, network.speed, "B/s of a port of the network")
    return int(found.group(1)), int(found.group(1)) * network.speed


def _check_rack(
    checks: Checks, instance: Instance, pod: PodChoice, node: StorageNode, frame: Rack, distribution: PowerComponent,
    per_rack: int, where: str,
) -> None:  # fmt: skip
    """Nodes of one rack within its units, the heat the room takes, and what either feed carries."""
    power = per_rack * (node.max_power or 0.0)
    room = (frame.rack_units or 0.0) - instance.assumptions.reserved_rack_units.value
    checks.rule(f"{where}.frame", frame.kind == EIA and frame.price is not None, frame.id, "a priced 19-inch frame")
    checks.rule(f"{where}.per_rack", per_rack * (node.height_units or 0.0) <= room + EDGE, per_rack, room, "rack units")
    limit = instance.sites[pod.site].air_per_rack.value
    if not isinstance(limit, Unlimited):
        checks.rule(f"{where}.per_rack", power <= limit + EDGE, power, limit, "W to the room")
    units = int(pod.storage.get("distribution_per_rack", 0))
    fits = distribution.kind is PowerKind.RACK_PDU and units > 0 and units % FEEDS == 0
    carried = units // FEEDS * (distribution.rated or 0.0)
    checks.rule(f"{where}.distribution", fits and carried >= power * (1 - EDGE), carried, power, "W on one feed")
    load = per_rack * kilograms(instance, node) + units * kilograms(instance, distribution)
    checks.rule(f"{where}.per_rack", load <= (frame.static_load or load), load, frame.static_load, "kg on the frame")
    floor, whole = instance.catalogue.get(Floor, instance.sites[pod.site].floor), load + (frame.empty_weight or 0.0)
    spread = whole / ((frame.width or 1.0) * (frame.depth or 1.0))
    checks.rule(f"{where}.per_rack", spread <= (floor.uniform or spread), spread, floor.uniform, "kg/m2 on the floor")
    point = floor.concentrated
    checks.rule(f"{where}.per_rack", point is None or whole / FEET <= point, whole / FEET, point, "kg on a foot")
    share = position_share(instance, pod.site)
    checks.rule(f"{where}.per_rack", power <= share * (1 + EDGE), power, share, "W on any line of the row's panel")
    room = (frame.depth or 0.0) - instance.assumptions.cable_depth.value
    checks.rule(f"{where}.frame", depth_of(node) <= room + EDGE, depth_of(node), room, "m of depth before the cables")
    most = instance.assumptions.rack_pdus_per_feed.value
    checks.rule(f"{where}.distribution_per_rack", units <= FEEDS * most, units, FEEDS * most)


def _check_storage(
    checks: Checks, pod: PodChoice, stored: StorageFacts | None, need: StorageNeed, ingest: float, instance: Instance,
    told: dict[str, Any], prefix: str,
) -> None:  # fmt: skip
    """Capacity and reading are enough, and no node is more than one of the stated levels of writing needs."""
    if stored is None:
        checks.same(f"{prefix}.storage_racks", pod.storage_racks, 0)
        return
    node, lost = stored.node, need.lost
    assert node.capacity is not None
    usable = node.capacity * need.usable
    wanted = needed_capacity(instance, pod.cluster)
    left = max(stored.nodes - lost, 1)
    each_read, each_write = stored.read / left, stored.write / left
    floor = max(lost + 1, ceil(wanted / usable * (1 - 1e-12)), ceil(ingest / each_read * (1 - 1e-12)) + lost)
    fewest = {max(floor, ceil(level / each_write * (1 - 1e-12)) + lost) for level in need.write}
    where = f"{prefix}.storage.nodes"
    checks.rule(where, stored.nodes in fewest, stored.nodes, sorted(fewest), "fewest nodes at a stated level")
    allowed = need.nodes is None or node.id in need.nodes
    checks.rule(f"{prefix}.storage.node", allowed, node.id, need.nodes, "not among workloads.*.storage.nodes")
    certain = instance.workloads[pod.cluster].design_space.preliminary_parts
    checks.rule(f"{prefix}.storage.node", certain or not node.preliminary, node.id, "no preliminary part")
    checks.same(f"{prefix}.storage_racks", pod.storage_racks, stored.racks)
    told.update(
        {
            "node": node.id, "nodes": stored.nodes, "ports": stored.ports, "capacity_b": stored.nodes * usable,
            "frame": stored.frame.id, "per_rack": pod.storage["per_rack"], "distribution": stored.distribution.id,
            "distribution_per_rack": stored.distribution_units,
        }
    )  # fmt: skip


def _networks(
    checks: Checks, instance: Instance, pod: PodChoice, fabric: FabricFacts, stored: StorageFacts | None, where: str
) -> dict[str, FabricFacts]:
    """Every network asked for, with as many ports as hang on it; none that is not asked for."""
    found: dict[str, FabricFacts] = {}
    switches = fabric.switches
    for name, attribute in NETWORKS:
        space: NetworkSpace | None = getattr(instance.workloads[pod.cluster].networks, attribute)
        told = pod.networks.get(name)
        ports = pod.systems * space.ports_per_system if space is not None else 0
        if name == "storage" and space is not None:
            ports += stored.ports if stored is not None else 0
        elif name == "management" and space is not None:
            ports += switches + (stored.nodes if stored is not None else 0)
        if not checks.rule(f"{where}.{name}", (told is not None) == (ports > 0), told is not None, ports, "ports"):
            continue
        if space is None or told is None:
            continue
        facts = check_fabric(checks, beside(instance, pod, space, ports), told, f"{where}.{name}")
        if facts is not None:
            found[name] = facts
            switches += facts.switches
    for name in pod.networks.keys() - {name for name, _ in NETWORKS}:
        checks.rule(f"{where}.{name}", False, name, [name for name, _ in NETWORKS])
    return found
