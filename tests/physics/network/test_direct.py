"""Tori, dragonflies and scale-up domains against graphs built link by link and published systems."""

import itertools
import math

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.physics.network.dragonfly import Dragonfly, DragonflyPlus
from models.physics.network.scaleup import ScaleUp
from models.physics.network.torus import CubeTorus, torus_bisection_links, torus_diameter, torus_links


@given(st.lists(st.integers(1, 5), min_size=1, max_size=3))
@settings(max_examples=40, deadline=None)
def test_torus_against_its_graph(edges):
    graph = nx.grid_graph(edges, periodic=True) if len(edges) > 1 else nx.cycle_graph(edges[0])
    graph.remove_edges_from(list(nx.selfloop_edges(graph)))
    assert graph.number_of_nodes() == math.prod(edges)
    assert graph.number_of_edges() == torus_links(edges)
    if math.prod(edges) > 1:
        assert nx.diameter(graph) == torus_diameter(edges)


@pytest.mark.parametrize("edges", [(4, 4), (6, 3), (4, 2, 3), (2, 2)])
def test_torus_bisection_is_a_minimum_cut_of_halves(edges):
    graph = nx.grid_graph(edges[::-1], periodic=True)
    axis = edges.index(max(edges))
    half = {v for v in graph if v[axis] < edges[axis] // 2}
    assert nx.cut_size(graph, half) == torus_bisection_links(edges)


@pytest.mark.parametrize(("cubes", "chips", "ports"), [(64, 4096, 128), (140, 8960, 280), (144, 9216, 288)])
def test_cube_pods(cubes, chips, ports):
    pod = CubeTorus(cubes, (4, 4, 4))
    assert (pod.chips, pod.switches, pod.ports_per_switch, pod.ports_per_chip) == (chips, 48, ports, 1.5)
    assert pod.port_ends == pod.switches * pod.ports_per_switch


@given(st.lists(st.integers(2, 5), min_size=2, max_size=3), st.integers(1, 6))
def test_a_row_of_cubes_closed_by_switches_has_the_links_of_the_torus(edges, cubes):
    """Copper inside the cubes and two port ends per optical link make up a torus that is longer along one axis, when none is short."""
    pod = CubeTorus(cubes, tuple(edges))
    joined = [edges[0] * cubes, *edges[1:]]
    if min(joined) > 2 and min(edges) > 2:
        assert pod.copper_links + pod.port_ends // 2 == torus_links(joined)


@given(
    groups=st.integers(2, 5), a=st.integers(1, 4), local=st.integers(1, 2), pair=st.integers(1, 4), p=st.integers(1, 4)
)
def test_dragonfly_against_its_graph(groups, a, local, pair, p):
    fly = Dragonfly(groups, a, p, local, pair)
    graph = nx.MultiGraph()
    graph.add_nodes_from((g, s) for g in range(groups) for s in range(a))
    for g in range(groups):
        for x, y in itertools.combinations(range(a), 2):
            graph.add_edges_from([((g, x), (g, y))] * local)
    turn = [0] * groups
    crossing = 0
    for g, h in itertools.combinations(range(groups), 2):
        for _ in range(pair):
            graph.add_edge((g, turn[g] % a), (h, turn[h] % a))
            turn[g], turn[h] = turn[g] + 1, turn[h] + 1
            crossing += 1
    assert graph.number_of_nodes() == fly.switches
    assert graph.number_of_edges() == fly.local_cables + fly.global_cables
    assert crossing == fly.global_cables
    assert max(dict(graph.degree()).values()) + p == fly.ports
    assert fly.global_blocking == pytest.approx(p * a / (turn[0]))


def test_slingshot_systems():
    assert Dragonfly(175, 32, 16, 1, 2).switches == 5600
    assert Dragonfly(166, 32, 16, 1, 2).endpoints_per_group * 166 == 84_992
    assert Dragonfly(74, 32, 16, 1, 4).global_blocking == pytest.approx(1 / 0.57, rel=1e-3)


def test_leaf_spine_groups():
    fly = DragonflyPlus(23, 18, 18, 40)
    assert (fly.spine_global_ports, fly.links_per_group_pair, fly.leaf_down, fly.switches) == (22, 18, 22, 828)


@pytest.mark.parametrize(
    ("accelerators", "links", "ports", "chips"), [(72, 18, 72, 18), (8, 18, 72, 2), (256, 1, 64, None), (8, 12, 36, 3)]
)
def test_one_level_of_switch_chips(accelerators, links, ports, chips):
    domain = ScaleUp(accelerators, links, ports)
    assert domain.chips == chips
    if chips:
        assert links % chips == 0
        assert accelerators * (links // chips) <= ports


def test_two_levels_of_switch_chips():
    pod = ScaleUp(576, 18, 72, chassis=16)
    assert (pod.second_level_chips, pod.first_level_chips) == (144, 288)
    trays = ScaleUp(256, 18, 64, chassis=32)
    assert trays.second_level_chips == 72
    assert ScaleUp(256, 18, 64, chassis=32, taper=2).second_level_chips == 36
