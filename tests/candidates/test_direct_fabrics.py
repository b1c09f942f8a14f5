"""Scale-up domains and optically switched tori as candidates."""

import math

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.candidates.dragonfly_fabric import dragonfly_designs
from models.candidates.fabric_request import FabricRequest
from models.candidates.scaleup_fabric import ScaleUpCard, scaleup_designs
from models.candidates.torus_fabric import OpticalSwitchCard, near_cubic, torus_designs
from models.physics.network.lengths import RackPlan
from tests.candidates.fabric_cards import ETH_64, GBIT, MEDIA, NDR_64, switch

TRAY = ScaleUpCard("tray72", 72, 50e9, 2, 1240.0)
BOARD = ScaleUpCard("chip72", 72, 50e9, 1)
OCS = OpticalSwitchCard("ocs136", 136, 0.3, 300, 800)
DR4 = next(m for m in MEDIA if m.id == "dr4_400")
SR4 = next(m for m in MEDIA if m.id == "sr4_400")


def test_published_domains():
    (rack,), _ = scaleup_designs([72], 18, 50e9, [TRAY])
    assert (rack.first_chips, rack.first_trays, rack.spare_ports, rack.power) == (18, 9, 0, 9 * 1240.0)
    assert rack.bandwidth == 900e9
    (board,), _ = scaleup_designs([8], 18, 50e9, [BOARD])
    assert (board.first_chips, board.power) == (2, None)


def test_two_levels_need_ports_for_both_directions():
    designs, refused = scaleup_designs([576], 18, 50e9, [TRAY], chassis_size=36, tapers=(1.0, 2.0))
    assert [r.levels for r in refused] == [1]
    full, tapered = designs
    assert (full.first_chips, full.second_chips, full.first_trays, full.second_trays) == (288, 144, 144, 72)
    assert full.spare_ports == 0
    assert (tapered.second_chips, tapered.bisection) == (72, 450e9)


@given(size=st.integers(2, 200), links=st.integers(1, 24), chassis=st.sampled_from([None, 4, 8]))
@settings(max_examples=100)
def test_ledgers_close(size, links, chassis):
    designs, refused = scaleup_designs([size], links, 50e9, [TRAY, BOARD], chassis)
    assert designs or refused
    for d in designs:
        assert d.spare_ports >= 0
        card = TRAY if d.card == "tray72" else BOARD
        ports = (d.first_trays + d.second_trays) * card.chips_per_tray * card.ports_per_chip
        between = 2 * d.links if d.levels == 2 else 0
        assert ports == d.links + between + d.spare_ports


def test_a_link_faster_than_the_port_is_refused():
    designs, refused = scaleup_designs([8], 18, 100e9, [TRAY])
    assert not designs
    assert "no port of its speed" in refused[0].rule


@given(st.integers(1, 300), st.integers(1, 3))
@settings(max_examples=60)
def test_near_cubic_multiplies_up_and_no_factorisation_is_shorter(cubes, axes):
    shape = near_cubic(cubes, axes)
    assert math.prod(shape) == cubes
    assert len(shape) == axes
    if axes == 2:
        assert shape[0] == min(max(k, cubes // k) for k in range(1, cubes + 1) if cubes % k == 0)


def test_published_pod_and_its_limits():
    designs, refused = torus_designs([64, 68, 140], (4, 4, 4), 400 * GBIT, OCS, DR4, 60.0)
    assert [d.cubes for d in designs] == [64, 68]
    pod = designs[0]
    assert (pod.chips, pod.switches, pod.modules, pod.shape, pod.spare_ports) == (4096, 48, 6144, (4, 4, 4), 48 * 8)
    assert pod.diameter == 24
    assert pod.bisection == pytest.approx(2 * 16 * 16 * 400 * GBIT / 2048)
    assert "280" in refused[0].rule


@pytest.mark.parametrize(("module", "length", "words"), [(SR4, 60.0, "single-mode"), (DR4, 300.0, "beyond")])
def test_light_must_pass_the_switch(module, length, words):
    _, refused = torus_designs([8], (4, 4, 4), 400 * GBIT, OCS, module, length)
    assert words in refused[0].rule


@pytest.mark.parametrize(("cubes", "edges"), [(4, (2, 2)), (6, (2, 2)), (2, (3, 2))])
def test_stated_bisection_is_a_cut_of_the_torus(cubes, edges):
    (design,), _ = torus_designs([cubes], edges, 400 * GBIT, OCS, DR4, 60.0)
    whole = [e * s for e, s in zip(sorted(edges), design.shape, strict=True)]
    graph = nx.grid_graph(whole[::-1], periodic=True)
    axis = whole.index(max(whole))
    if whole[axis] % 2 == 0:
        half = {v for v in graph if v[axis] < whole[axis] // 2}
        cut = nx.cut_size(graph, half) * 400 * GBIT / len(half)
        assert cut == pytest.approx(design.bisection)


@given(
    nodes=st.lists(st.integers(1, 3000), min_size=1, max_size=3),
    card=st.sampled_from([NDR_64, ETH_64, switch("r20", 20, 400)]),
)
@settings(max_examples=40, deadline=None)
def test_dragonfly_ledgers_close(nodes, card):
    request = FabricRequest(np.array(nodes), RackPlan(4), 400 * GBIT, 4, 4)
    designs, refused = dragonfly_designs(request, [card], MEDIA)
    assert designs or refused
    radix = card.ports.radix(400 * GBIT)
    for d in designs:
        assert d.spare_ports >= 0
        assert d.switches * radix == d.node_links + 2 * (d.local_links + d.global_links) + d.spare_ports
        assert d.groups * d.switches_per_group * d.endpoint_ports >= d.nodes * 4
        per_switch = d.endpoint_ports + d.switches_per_group - 1
        assert -(-d.links_per_pair * (d.groups - 1) // d.switches_per_group) + per_switch <= radix
        assert 0 < d.bisection <= d.injection * (1 + 1e-9)
        assert d.global_share >= 0.5 - 1e-9


def test_dragonfly_bisection_is_carried_by_the_graph():
    """Maximum flow between halves of the groups is at least what is stated."""
    card = switch("r8", 8, 400, cages=8)
    request = FabricRequest(np.array([40]), RackPlan(4), 400 * GBIT, 1, 1)
    designs, _ = dragonfly_designs(request, [card], MEDIA)
    assert designs
    for d in designs:
        flow, turn = nx.DiGraph(), [0] * d.groups

        def join(u, v, flow=flow):
            for a, b in ((u, v), (v, u)):
                old = flow.get_edge_data(a, b, {"capacity": 0})["capacity"]
                flow.add_edge(a, b, capacity=old + 1)

        for g in range(d.groups):
            for s in range(d.switches_per_group):
                for t in range(s):
                    join((g, s), (g, t))
            for h in range(g):
                for _ in range(d.links_per_pair):
                    join((g, turn[g] % d.switches_per_group), (h, turn[h] % d.switches_per_group))
                    turn[g], turn[h] = turn[g] + 1, turn[h] + 1
        half = d.groups // 2
        for g in range(d.groups):
            for s in range(d.switches_per_group):
                ends = ("source", (g, s)) if g < half else ((g, s), "sink")
                flow.add_edge(*ends, capacity=d.endpoint_ports)
        if half:
            carried = nx.maximum_flow_value(flow, "source", "sink")
            stated = d.bisection / d.injection * half * d.switches_per_group * d.endpoint_ports
            assert carried >= stated - 1e-9
