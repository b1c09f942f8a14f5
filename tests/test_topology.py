"""The topology as a graph, as GraphML and as a cable schedule."""

import csv

import networkx as nx
import numpy as np
import pytest

from models.candidates.fabric_design import enumerate_fabrics
from models.candidates.fabric_request import FabricRequest
from models.physics.network.lengths import RackPlan
from optimizer.layout.wiring import runs_up
from optimizer.topology import cable_schedule, fabric_graph, to_graphml, wiring, write_cable_schedule
from tests.candidates.fabric_cards import GBIT, MEDIA, NDR_64


@pytest.fixture(scope="module")
def fabric():
    request = FabricRequest(
        np.array([63]), RackPlan(4), 400 * GBIT, tiers=(2,), max_waste=0.0, reserved_nodes=1, manager_ports=4
    )
    table = enumerate_fabrics(request, [NDR_64], MEDIA)
    return table.row(0), fabric_graph(wiring(request, table, 0))


def test_cable_schedule_has_every_link_once_and_no_port_twice(fabric):
    row, graph = fabric
    cables = list(cable_schedule(graph))
    assert len(cables) == row["links_node_leaf"] + row["links_leaf_spine"] == 508 + 512
    ends = [end for cable in cables for end in (cable.a_end, cable.b_end)]
    assert len(ends) == len(set(ends))
    per_switch = {}
    for end in ends:
        device = end.split(":")[0]
        per_switch[device] = per_switch.get(device, 0) + 1
    assert max(n for device, n in per_switch.items() if "leaf" in device or "spine" in device) <= 64


def test_cable_schedule_csv(fabric, tmp_path):
    _, graph = fabric
    write_cable_schedule(graph, tmp_path / "cables.csv")
    with (tmp_path / "cables.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == ["a_end", "b_end", "medium", "length_m", "level"]
    assert len(rows) == graph.number_of_edges()
    assert all(float(r["length_m"]) > 0 and r["medium"] for r in rows)


def test_graphml_round_trip(fabric, tmp_path):
    _, graph = fabric
    to_graphml(graph, tmp_path / "fabric.graphml")
    back = nx.read_graphml(tmp_path / "fabric.graphml", force_multigraph=True)
    assert back.number_of_nodes() == graph.number_of_nodes()
    assert back.number_of_edges() == graph.number_of_edges()
    assert {kind for _, kind in back.nodes(data="kind")} == {"node", "manager", "leaf", "spine"}


def test_runs_go_up_from_nodes_and_leave_managers_out(fabric):
    _, graph = fabric
    managers = [vertex for vertex, kind in graph.nodes(data="kind") if kind == "manager"]
    runs = list(runs_up(graph))
    assert managers and len(runs) == graph.number_of_edges() - len(managers)
    assert {(graph.nodes[r.lower]["kind"], graph.nodes[r.upper]["kind"]) for r in runs} == {
        ("node", "leaf"),
        ("leaf", "spine"),
    }
    assert all((r.node is not None) == r.lower.startswith("node") for r in runs)
