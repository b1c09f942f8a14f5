"""Devices and links of the networks beside scale-out: storage, front end, management."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from typing import TYPE_CHECKING, Any

from models.candidates.network_plan import Network
from models.candidates.pod_networks import space_of
from models.instance import Instance
from models.parts.network_part import Switch
from optimizer.design import PodChoice
from optimizer.layout.contents import Content, RackContent, Wire, switch_power
from optimizer.layout.plan import DeviceKind
from optimizer.layout.wiring import runs_up, switch_role, switches_of
from optimizer.topology import fabric_graph, wiring_of_row

if TYPE_CHECKING:
    from optimizer.layout.wiring import Graph


def network_wires(
    instance: Instance,
    pod: PodChoice,
    name: str,
    compute: Sequence[RackContent],
    storage: Sequence[RackContent],
    scale_out: Sequence[Content],
) -> tuple[list[Content], list[Wire]]:
    """Switches and links of every network of a pod, port by port: systems first, then storage, then switches."""
    systems = [item.id for rack in compute for item in rack.contents if item.kind is DeviceKind.SYSTEM]
    stores = [item.id for rack in storage for item in rack.contents if item.kind is DeviceKind.STORAGE]
    switches: list[Content] = []
    wires: list[Wire] = []
    for network in (Network.STORAGE, Network.FRONT_END, Network.MANAGEMENT):
        space, fabric = space_of(instance, pod.cluster, network), pod.networks.get(network.value)
        if space is None or fabric is None:
            continue
        owners = [system for system in systems for _ in range(space.ports_per_system)]
        if network is Network.STORAGE and stores:
            each = int(pod.storage["ports"]) // len(stores)
            owners += [store for store in stores for _ in range(each)]
        elif network is Network.MANAGEMENT:
            owners += [item.id for item in (*scale_out, *switches)] + stores
        graph = fabric_graph(wiring_of_row(fabric, 1, space.speed))
        known, made = _switches(instance, fabric, f"{name}/{network.value}", network.value, graph)
        for run in runs_up(graph):
            if run.node is not None:
                device, port = owners[run.node], f"{network.value}{run.node + 1}"
            else:
                device, port = known[run.lower], run.lower_port
            wires.append(Wire(device, port, -1, known[run.upper], run.upper_port, f"{network.value} {run.level}"))
        switches += made
    return switches, wires


def _switches(
    instance: Instance, fabric: Mapping[str, Any], name: str, network: str, graph: Graph
) -> tuple[dict[str, str], list[Content]]:
    """Ids of the switches of a network by their name in its graph, and the devices."""
    known: dict[str, str] = {}
    made = []
    for number, vertex in enumerate(switches_of(graph)):
        leaf = graph.nodes[vertex]["kind"] == "leaf"
        part = str(fabric["switch"] if leaf else fabric.get("spine_switch") or fabric["switch"])
        row = instance.catalogue.get(Switch, part)
        known[vertex] = f"{name}/{part}-{number + 1:04d}"
        height = ceil((row.height_units or 1.0) - 1e-9)
        power = switch_power(instance, part, 0.0)
        role = f"{network} {switch_role(vertex)}"
        made.append(Content(known[vertex], part, DeviceKind.SWITCH, role, height, row.weight, power))
    return known, made
