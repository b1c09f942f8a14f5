"""The networks of a whole design as one graph: every system, switch and storage node once, with the links of all its networks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import networkx as nx

from models.instance import Instance
from models.parts.system import System
from optimizer.design import Design, PodChoice
from optimizer.topology import fabric_graph, wiring_of_row

if TYPE_CHECKING:
    Graph = nx.MultiGraph[str]

SCALE_OUT = "scale-out"
FIELDS = {"storage": "storage", "front-end": "front_end", "management": "management"}


def design_graph(instance: Instance, design: Design) -> Graph:
    """One undirected multigraph: vertices carry ``pod``, ``kind`` and ``part``, edges ``network``, ``level``, ``speed``, ``medium``, ``length``.

    Names read ``pod1/system4`` (with its tray where a system has several), ``pod1/scale-out/p0-leaf-r0-1``, ``pod1/storage/node2``.
    """
    whole: Graph = nx.MultiGraph()
    number = 0
    for pod in design.pods:
        for _ in range(pod.count):
            number += 1
            _add_pod(whole, instance, pod, f"pod{number}")
    return whole


def _add_pod(whole: Graph, instance: Instance, pod: PodChoice, name: str) -> None:
    system = instance.catalogue.get(System, pod.system)
    assert system.rails and system.scaleout_nics and system.scaleout_speed
    trays = system.scaleout_nics // system.rails
    graph = fabric_graph(wiring_of_row(pod.fabric, system.rails, system.scaleout_speed))
    ends = {f"node{n}": _system(name, n // trays, n % trays if trays > 1 else None) for n in range(pod.systems * trays)}
    _join(whole, graph, ends, name, SCALE_OUT, pod, pod.fabric)
    switches = [v for v, facts in whole.nodes(data=True) if facts["pod"] == name and facts["kind"] not in ("system",)]
    for network, row in pod.networks.items():
        space = getattr(instance.workloads[pod.cluster].networks, FIELDS[network])
        devices = list(_devices(pod, name, network, space.ports_per_system, trays, switches))
        graph = fabric_graph(wiring_of_row(row, 1, space.speed))
        ends = {f"node{n}": device for n, device in enumerate(devices)}
        _join(whole, graph, ends, name, network, pod, row)
        made = f"{name}/{network}/"
        switches += [v for v, facts in whole.nodes(data=True) if v.startswith(made) and facts["kind"] != "storage"]


def _system(pod: str, number: int, tray: int | None) -> str:
    return f"{pod}/system{number}" if tray is None else f"{pod}/system{number}-tray{tray}"


def _devices(
    pod: PodChoice, name: str, network: str, ports: int, trays: int, switches: list[str]
) -> Iterator[str]:  # fmt: skip
    """Whose port hangs on each position of a network, as the ports were counted: systems, then switches, then storage nodes."""
    for number in range(pod.systems):
        for port in range(ports):
            yield _system(name, number, port % trays if trays > 1 else None)
    nodes = int(pod.storage.get("nodes", 0))
    if network == "storage" and nodes:
        each = int(pod.storage["ports"]) // nodes
        yield from (f"{name}/storage/node{n}" for n in range(nodes) for _ in range(each))
    if network == "management":
        yield from switches
        yield from (f"{name}/storage/node{n}" for n in range(nodes))


def _join(
    whole: Graph, graph: Graph, ends: dict[str, str], name: str, network: str, pod: PodChoice, row: Any
) -> None:  # fmt: skip
    """Adds one network; its end points are devices that other networks may have added before."""
    for vertex, facts in graph.nodes(data=True):
        device = ends.get(vertex, f"{name}/{network}/{vertex}")
        kind, part = facts["kind"], row["switch"] if facts["kind"] == "leaf" else row["spine_switch"]
        if vertex in ends:
            stored = device.startswith(f"{name}/storage/node")
            kind, part = ("storage", pod.storage["node"]) if stored else ("system", pod.system)
        if device not in whole:
            whole.add_node(device, pod=name, kind=kind, part=part)
    for lower, upper, facts in graph.edges(data=True):
        first, second = (ends.get(v, f"{name}/{network}/{v}") for v in (lower, upper))
        whole.add_edge(first, second, network=network, **facts)
