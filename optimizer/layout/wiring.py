"""Devices and links of a pod's fabric under the names that racks, bills and schedules use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

from models.instance import Instance
from models.parts.network_part import Link, Switch
from models.parts.system import System
from optimizer.design import PodChoice
from optimizer.layout.contents import Content, RackContent, Wire, switch_power
from optimizer.layout.plan import DeviceKind
from optimizer.topology import cable_schedule, fabric_graph, wiring_of_row

if TYPE_CHECKING:
    import networkx as nx

    Graph = nx.MultiGraph[str]

TIERS = {"leaf": 0, "spine": 1, "core": 2}


def fabric_wires(
    instance: Instance, pod: PodChoice, system: System, name: str, compute: list[RackContent]
) -> tuple[list[Content], list[Wire]]:
    """The switches of a pod, leaves of one group of nodes next to each other, and every link with port numbers."""
    assert system.rails and system.scaleout_speed and system.scaleout_nics
    per_system = system.scaleout_nics // system.rails
    graph = fabric_graph(wiring_of_row(pod.fabric, system.rails, system.scaleout_speed))
    systems = [item.id for rack in compute for item in rack.contents if item.kind is DeviceKind.SYSTEM]
    modules = _module_power(instance, pod)
    switches: list[Content] = []
    known: dict[str, str] = {}
    for number, vertex in enumerate(switches_of(graph)):
        kind = str(graph.nodes[vertex]["kind"])
        part = str(pod.fabric["switch"] if kind == "leaf" else pod.fabric.get("spine_switch") or pod.fabric["switch"])
        row = instance.catalogue.get(Switch, part)
        known[vertex] = f"{name}/{part}-{number + 1:04d}"
        height = ceil((row.height_units or 1.0) - 1e-9)
        power = switch_power(instance, part, modules[kind])
        switches.append(
            Content(known[vertex], part, DeviceKind.SWITCH, switch_role(vertex), height, row.weight, power, 1)
        )
    wires = []
    for run in runs_up(graph):
        tray = -1
        if run.node is not None:
            device = systems[run.node // per_system]
            tray = run.node % per_system if per_system > 1 else -1
        else:
            device = known[run.lower]
        wires.append(Wire(device, run.lower_port, tray, known[run.upper], run.upper_port, run.level))
    return switches, wires


@dataclass(frozen=True, slots=True)
class Run:
    """A cable up to a switch, by the names of the graph, from ``node`` (its number) or, where that is None, from the switch ``lower``."""

    node: int | None
    lower: str
    lower_port: str
    upper: str
    upper_port: str
    level: str


def runs_up(graph: Graph) -> Iterator[Run]:
    """Every cable between nodes and switches, the end of the lower tier first; those of fabric managers are left out."""
    tiers = {vertex: TIERS.get(str(facts["kind"]), -1) for vertex, facts in graph.nodes(data=True)}
    for cable in cable_schedule(graph):
        ends = (cable.a_end.rsplit(":", 1), cable.b_end.rsplit(":", 1))
        (lower, lower_port), (upper, upper_port) = sorted(ends, key=lambda end: tiers[end[0]])
        kind = graph.nodes[lower]["kind"]
        if kind != "manager":
            node = int(lower.removeprefix("node")) if kind == "node" else None
            yield Run(node, lower, lower_port, upper, upper_port, cable.level)


def switches_of(graph: Graph) -> list[str]:
    """The switches of a graph in the order in which they are numbered."""
    return sorted((n for n, facts in graph.nodes(data=True) if facts["kind"] in TIERS), key=_switch_order)


def _switch_order(vertex: str) -> tuple[int, int, str]:
    """Leaves by the nodes they serve, then spines, then cores."""
    words = vertex.split("-")
    group = next((int(word[1:]) for word in words if word[:1] == "g" and word[1:].isdigit()), None)
    last = int(words[-1])
    first = last if group is None else group
    return TIERS[words[1]], first, f"{words[0]}-{'-'.join(words[2:-1])}-{last:06d}"


def switch_role(vertex: str) -> str:
    """Tier, rail or group, and number in words."""
    plane, *rest = vertex.split("-")
    return " ".join(rest) if plane == "p0" else f"{' '.join(rest)} plane {plane[1:]}"


def _module_power(instance: Instance, pod: PodChoice) -> dict[str, float]:
    """Power of the modules in one switch [W], by tier."""
    f = pod.fabric
    total = {"leaf": 0.0, "spine": 0.0, "core": 0.0}
    ends = (("node_leaf", "leaf", None), ("leaf_spine", "spine", "leaf"), ("spine_core", "core", "spine"))
    for level, above, below in ends:
        medium = f.get(f"medium_{level}")
        if not medium:
            continue
        parts = medium.split(" - ")
        near, far = instance.catalogue.get(Link, parts[0]), instance.catalogue.get(Link, parts[-1])
        total[above] += float(f[f"near_units_{level}"]) * (near.power_per_end or 0.0)
        if below is not None:
            total[below] += float(f[f"far_units_{level}"]) * (far.power_per_end or 0.0)
    return {tier: watts / max(int(f.get(tier) or 0), 1) for tier, watts in total.items()}
