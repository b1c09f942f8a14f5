"""The topology of a fabric design, link by link: a networkx graph, GraphML, and a cable schedule.

The graph is wired from the rules of a Clos (which leaf a node port lands on, which spines a leaf reaches), not from the counts of the
table, so that its counts, bisection and diameter check the formulas.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import networkx as nx

from models.candidates.fabric_request import FabricRequest, Level
from optimizer.whole_file import write_bytes, write_text

if TYPE_CHECKING:
    from models.candidates.fabric_table import FabricTable

    Graph = nx.MultiGraph[str]


@dataclass(frozen=True, slots=True)
class ClosWiring:
    """What the wiring of one Clos fabric follows from; counts are those of one plane."""

    nodes: int
    ports_per_node: int
    planes: int
    rail_optimised: bool
    tiers: int
    down: int
    uplinks: int
    leaf: int
    spine: int
    core: int
    groups: int
    spine_ratio: tuple[int, int]
    nodes_per_unit: int | None
    manager_ports: int
    port_speed: float
    inter_speed: float
    media: dict[Level, str]
    lengths: dict[Level, float]


def wiring(request: FabricRequest, table: FabricTable, row: int) -> ClosWiring:
    """The wiring of one row of the table that ``request`` produced."""
    return wiring_of_row(
        table.row(row),
        request.ports_per_node,
        request.port_speed,
        nodes_per_unit=request.nodes_per_unit,
        manager_ports=request.manager_ports,
    )


def wiring_of_row(
    row: Mapping[str, Any],
    ports_per_node: int,
    port_speed: float,
    nodes_per_unit: int | None = None,
    manager_ports: int = 0,
) -> ClosWiring:
    """The wiring of a fabric from the plain values of its row, as a run keeps them, and the ports of a node in one plane [B/s each]."""
    planes = row["planes"]
    levels = [level for order, level in enumerate(Level) if row["tiers"] > order]
    return ClosWiring(
        nodes=row["nodes"],
        ports_per_node=ports_per_node,
        planes=planes,
        rail_optimised=row["rail_optimised"],
        tiers=row["tiers"],
        down=row["down"],
        uplinks=row["up"] * row["breakout"],
        leaf=row["leaf"] // planes,
        spine=row["spine"] // planes,
        core=row["core"] // planes,
        groups=row["groups"],
        spine_ratio=(row["spine_split_up"], max(row["spine_split_down"], 1)),
        nodes_per_unit=nodes_per_unit,
        manager_ports=manager_ports,
        port_speed=port_speed,
        inter_speed=row["uplink_speed"] / row["breakout"],
        media={level: row[f"medium_{level}"] for level in levels},
        lengths={level: row[f"length_{level}"] for level in levels},
    )


def fabric_graph(plan: ClosWiring) -> Graph:
    """The fabric as an undirected multigraph: one vertex per node and switch, one edge per logical link.

    Vertices carry ``kind`` (node, manager, leaf, spine, core), ``plane`` and ``rail``; edges ``level``, ``speed`` [B/s], ``medium``, ``length`` [m].
    """
    graph: Graph = nx.MultiGraph()
    for node in range(plan.nodes):
        graph.add_node(f"node{node}", kind="node")
    for plane in range(plan.planes):
        _leaves(graph, plan, plane)
        if plan.tiers == 2:
            _two_tiers(graph, plan, plane)
        elif plan.tiers == 3:
            _three_tiers(graph, plan, plane)
    _managers(graph, plan)
    return graph


def _link(graph: Graph, plan: ClosWiring, lower: str, upper: str, level: Level, times: int = 1) -> None:
    speed = plan.port_speed if level is Level.NODE_LEAF else plan.inter_speed
    for _ in range(times):
        graph.add_edge(
            lower, upper, level=str(level), speed=speed, medium=plan.media[level], length=plan.lengths[level]
        )


def _leaf_name(plan: ClosWiring, plane: int, rail: int, index: int) -> str:
    return f"p{plane}-leaf-r{rail}-{index}" if plan.rail_optimised else f"p{plane}-leaf-{index}"


def _rails(plan: ClosWiring) -> int:
    return plan.ports_per_node if plan.rail_optimised else 1


def _leaves(graph: Graph, plan: ClosWiring, plane: int) -> None:
    """Leaves fill in the order of the nodes, within each scalable unit."""
    rails = _rails(plan)
    for rail in range(rails):
        for index in range(plan.leaf // rails):
            graph.add_node(_leaf_name(plan, plane, rail, index), kind="leaf", plane=plane, rail=rail)
    unit = plan.nodes_per_unit or max(plan.nodes, 1)
    per_node = 1 if plan.rail_optimised else plan.ports_per_node
    leaves_per_unit = -(-unit * per_node // plan.down)
    for node in range(plan.nodes):
        for port in range(plan.ports_per_node):
            within = node % unit * per_node + (0 if plan.rail_optimised else port)
            index = node // unit * leaves_per_unit + within // plan.down
            leaf = _leaf_name(plan, plane, port if plan.rail_optimised else 0, index)
            _link(graph, plan, f"node{node}", leaf, Level.NODE_LEAF)


def _two_tiers(graph: Graph, plan: ClosWiring, plane: int) -> None:
    spines = [f"p{plane}-spine-{index}" for index in range(plan.spine)]
    graph.add_nodes_from(spines, kind="spine", plane=plane)
    rails = _rails(plan)
    for rail in range(rails):
        for index in range(plan.leaf // rails):
            for spine in spines:
                _link(
                    graph,
                    plan,
                    _leaf_name(plan, plane, rail, index),
                    spine,
                    Level.LEAF_SPINE,
                    plan.uplinks // plan.spine,
                )


def _three_tiers(graph: Graph, plan: ClosWiring, plane: int) -> None:
    """Every group of leaves of a rail has its own spines; their uplinks go round the core switches in turn."""
    rails = _rails(plan)
    cores = [f"p{plane}-core-{index}" for index in range(plan.core)]
    graph.add_nodes_from(cores, kind="core", plane=plane)
    spines_per_group = plan.spine // (rails * plan.groups)
    turn = 0
    for rail in range(rails):
        first = 0
        for group, size in enumerate(_group_sizes(plan.leaf // rails, plan.groups)):
            pair = plan.uplinks // spines_per_group
            up = -(-size * pair * plan.spine_ratio[0] // plan.spine_ratio[1])
            for number in range(spines_per_group):
                spine = f"p{plane}-spine-r{rail}-g{group}-{number}"
                graph.add_node(spine, kind="spine", plane=plane, rail=rail)
                for index in range(first, first + size):
                    _link(graph, plan, _leaf_name(plan, plane, rail, index), spine, Level.LEAF_SPINE, pair)
                for _ in range(up):
                    _link(graph, plan, spine, cores[turn % plan.core], Level.SPINE_CORE)
                    turn += 1
            first += size


def _group_sizes(leaves: int, groups: int) -> list[int]:
    small, more = divmod(leaves, groups)
    return [small + 1] * more + [small] * (groups - more)


def _managers(graph: Graph, plan: ClosWiring) -> None:
    """Fabric managers take leaf ports that no node uses, on the last leaves of the first plane."""
    free = []
    for leaf, facts in graph.nodes(data=True):
        if facts["kind"] == "leaf" and facts["plane"] == 0:
            taken = sum(1 for _, far in graph.edges(leaf) if graph.nodes[far]["kind"] == "node")
            free += [leaf] * (plan.down - taken)
    for number, leaf in zip(range(plan.manager_ports), reversed(free), strict=False):
        graph.add_node(f"manager{number}", kind="manager")
        _link(graph, plan, f"manager{number}", leaf, Level.NODE_LEAF)


def to_graphml(graph: Graph, path: Path) -> None:
    """Write the graph as GraphML, the file whole or not at all."""
    stream = io.BytesIO()
    nx.write_graphml(graph, stream)
    write_bytes(path, stream.getvalue())


@dataclass(frozen=True, slots=True)
class Cable:
    """One line of the cable schedule: both ends as ``device:port``, the medium by catalogue id, the length to order [m]."""

    a_end: str
    b_end: str
    medium: str
    length: float
    level: str


def cable_schedule(graph: Graph) -> Iterator[Cable]:
    """Every link of the graph with port numbers counted up on each device."""
    used: dict[str, int] = {}

    def end(device: str) -> str:
        used[device] = used.get(device, 0) + 1
        return f"{device}:{used[device]}"

    for lower, upper, data in graph.edges(data=True):
        yield Cable(end(lower), end(upper), data["medium"], data["length"], data["level"])


def write_cable_schedule(graph: Graph, path: Path) -> None:
    """Write the cable schedule as CSV: a_end, b_end, medium, length_m, level; the file whole or not at all."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow(("a_end", "b_end", "medium", "length_m", "level"))
    for cable in cable_schedule(graph):
        writer.writerow((cable.a_end, cable.b_end, cable.medium, f"{cable.length:.1f}", cable.level))
    write_text(path, stream.getvalue())
