"""What holds for every fabric: ledgers close, the graph agrees with the formulas, media reach, more never costs ports."""

from dataclasses import replace

import networkx as nx
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from models.candidates.fabric_design import enumerate_fabrics
from models.candidates.fabric_request import FabricRequest, Level, Taper
from models.candidates.fabric_summary import design_name
from models.physics.network.lengths import RackPlan
from optimizer.topology import fabric_graph, wiring
from tests.candidates.fabric_cards import ETH_64, GBIT, HDR_40, MEDIA, NDR_64, XDR_144, link, switch

SMALL = [switch(f"small{r}", r, 400, 2 * r, 200, r // 2) for r in (4, 6, 8, 12)]
SMALL_MEDIA = (
    *MEDIA,
    link("sr4_200w", "transceiver", 400, 4, 80, "MPO-12 OM4", 350),
    link("dr8_wide", "transceiver", 800, 8, 500, "2x MPO-12 SMF", 900),
)


@st.composite
def requests(draw, most_nodes=60, plain=False):
    return FabricRequest(
        nodes=np.unique(draw(st.lists(st.integers(2 if plain else 1, most_nodes), min_size=1, max_size=4))),
        rack_plan=RackPlan(draw(st.integers(1, 8)), racks_per_row=draw(st.integers(2, 10))),
        port_speed=400 * GBIT,
        accelerators_per_node=2,
        ports_per_node=draw(st.sampled_from([1, 2, 4])),
        planes=1 if plain else draw(st.sampled_from([1, 1, 2])),
        tiers=(2, 3) if plain else (1, 2, 3),
        oversubscriptions=tuple(draw(st.sets(st.sampled_from([1.0, 2.0, 3.0]), min_size=1))),
        taper_at=draw(st.sampled_from([(Taper.LEAF,), (Taper.SPINE,), (Taper.LEAF, Taper.SPINE)])),
        rail_optimised=draw(st.sampled_from([(True,), (False,), (True, False)])),
        breakouts=draw(st.sampled_from([(1,), (1, 2)])),
        manager_ports=0 if plain else draw(st.integers(0, 3)),
        reserved_nodes=draw(st.integers(0, 2)),
        max_waste=draw(st.sampled_from([0.0, 0.2])),
        nodes_per_unit=draw(st.sampled_from([None, None, 3, 8])),
        nic_ports_per_cage=draw(st.sampled_from([1, 2])),
        pairs=draw(st.sampled_from([(), (("small6", "small12"),), (("small8", "small4"),)])),
    )


@given(request=requests())
@settings(max_examples=40, deadline=None)
def test_ledgers_of_every_tier_close(request):
    t = enumerate_fabrics(request, SMALL, SMALL_MEDIA)
    assert np.array_equal(t.leaf_ports, t.leaf_down_used + t.leaf_up_used + t.leaf_reserved + t.leaf_spare)
    assert np.array_equal(t.spine_ports, t.spine_down_used + t.spine_up_used + t.spine_spare)
    assert np.array_equal(t.core_ports, t.core_used + t.core_spare)
    for spare in (t.leaf_spare, t.spine_spare, t.core_spare):
        assert np.all(spare >= 0)
    assert np.all(t.oversubscription <= t.asked_oversubscription + 1e-9)
    assert np.all((t.bisection > 0) & (t.bisection <= t.injection * (1 + 1e-9)))
    assert np.all(t.capex_links_low <= t.capex_links_high)
    assert np.all(t.power_typical <= t.power_max + 1e-6) or not len(t)


@given(request=requests())
@settings(max_examples=40, deadline=None)
def test_no_medium_runs_beyond_its_reach(request):
    t = enumerate_fabrics(request, SMALL, SMALL_MEDIA)
    reach = np.array([m.reach for m in t.media] + [np.inf])
    for level in Level:
        medium, length = getattr(t, f"medium_{level}"), getattr(t, f"length_{level}")
        assert np.all(length <= reach[medium] + 1e-9)
        assert np.array_equal(medium >= 0, t.tiers > list(Level).index(level))


@given(request=requests(), data=st.data())
@settings(max_examples=40, deadline=None)
def test_the_graph_built_link_by_link_has_the_counts_of_the_table(request, data):
    t = enumerate_fabrics(request, SMALL, SMALL_MEDIA)
    assume(len(t))
    index = data.draw(st.integers(0, len(t) - 1))
    row, graph = t.row(index), fabric_graph(wiring(request, t, index))
    kinds = [kind for _, kind in graph.nodes(data="kind")]
    levels = [level for _, _, level in graph.edges(data="level")]
    for kind in ("leaf", "spine", "core"):
        assert kinds.count(kind) == row[kind]
    assert levels.count("node_leaf") == row["links_node_leaf"]
    assert levels.count("leaf_spine") == row["logical_leaf_spine"]
    assert levels.count("spine_core") == row["links_spine_core"]
    radix = t.switches[t.spine_switch[index]].ports
    inter = radix.radix(row["uplink_speed"]) * row["breakout"]
    for vertex, kind in graph.nodes(data="kind"):
        if kind in ("spine", "core"):
            assert graph.degree(vertex) <= inter
        elif kind == "leaf":
            down = sum(1 for _, far in graph.edges(vertex) if graph.nodes[far]["kind"] in ("node", "manager"))
            assert down <= row["down"]
            assert graph.degree(vertex) - down == row["up"] * row["breakout"]


def smallest_cut(graph, sides):
    """Maximum flow [B/s] from one set of node ports to the other, nodes forwarding nothing."""
    flow = nx.DiGraph()

    def add(a, b, speed):
        flow.add_edge(a, b, capacity=flow.get_edge_data(a, b, {"capacity": 0.0})["capacity"] + speed)

    for number, (low, high, data) in enumerate(graph.edges(data=True)):
        if data["level"] == "node_leaf":
            if sides[number]:
                add("source", high, data["speed"])
            else:
                add(high, "sink", data["speed"])
        else:
            add(low, high, data["speed"])
            add(high, low, data["speed"])
    return nx.maximum_flow_value(flow, "source", "sink")


def splits(graph):
    """Even splits of the node ports that are bad for a fabric: by node, by rail, by alternate node."""
    ports = [number for number, (_, _, data) in enumerate(graph.edges(data=True)) if data["level"] == "node_leaf"]
    ends = {n: e for n, e in enumerate(graph.edges()) if n in set(ports)}
    by_node = sorted(ports, key=lambda n: (int(ends[n][0][4:]), ends[n][1]))
    by_leaf = sorted(ports, key=lambda n: (ends[n][1], ends[n][0]))
    for order in (by_node, by_leaf, by_node[::2] + by_node[1::2]):
        half = set(order[: len(order) // 2])
        yield {n: n in half for n in ports}, len(half)


EVEN = [
    (SMALL[0], 2, 4, 2, (1.0,), (Taper.LEAF,)),
    (SMALL[2], 2, 16, 2, (1.0,), (Taper.LEAF,)),
    (SMALL[1], 2, 16, 1, (2.0,), (Taper.LEAF,)),
    (SMALL[2], 2, 24, 2, (3.0,), (Taper.LEAF,)),
    (SMALL[0], 3, 8, 2, (1.0,), (Taper.LEAF,)),
    (SMALL[2], 3, 32, 2, (1.0,), (Taper.LEAF,)),
    (SMALL[1], 3, 24, 1, (2.0,), (Taper.SPINE,)),
    (SMALL[2], 3, 24, 2, (3.0,), (Taper.SPINE,)),
]


@pytest.mark.parametrize(("card", "tiers", "nodes", "ports", "ratios", "taper"), EVEN)
def test_stated_bisection_is_the_maximum_flow_of_the_worst_split(card, tiers, nodes, ports, ratios, taper):
    request = FabricRequest(
        np.array([nodes]), RackPlan(4), 400 * GBIT, ports, ports, tiers=(tiers,), oversubscriptions=ratios, taper_at=taper, max_waste=0.0,
    )  # fmt: skip
    t = enumerate_fabrics(request, [card], SMALL_MEDIA)
    assert len(t)
    for index in range(len(t)):
        graph = fabric_graph(wiring(request, t, index))
        found = min(smallest_cut(graph, sides) / half for sides, half in splits(graph))
        per_port = t.bisection[index] * request.accelerators_per_node / ports
        assert found >= per_port * (1 - 1e-9)
        if t.taper_spine[index] in (1.0, 1 / max(ratios)):
            assert found == pytest.approx(per_port)


@given(request=requests(most_nodes=24, plain=True), data=st.data())
@settings(max_examples=30, deadline=None)
def test_stated_bisection_is_never_more_than_the_fabric_carries(request, data):
    t = enumerate_fabrics(request, SMALL, SMALL_MEDIA)
    assume(len(t))
    index = data.draw(st.integers(0, len(t) - 1))
    graph = fabric_graph(wiring(request, t, index))
    per_port = t.bisection[index] * request.accelerators_per_node / request.ports_per_node
    for sides, half in splits(graph):
        assert smallest_cut(graph, sides) >= half * per_port * (1 - 1e-9)


@pytest.mark.parametrize(
    ("tiers", "card", "nodes", "hops"), [(1, SMALL[2], 8, 2), (2, SMALL[2], 32, 4), (3, SMALL[2], 64, 6)]
)
def test_diameter(tiers, card, nodes, hops):
    request = FabricRequest(np.array([nodes]), RackPlan(4), 400 * GBIT, 1, 1, tiers=(tiers,), max_waste=0.0)
    t = enumerate_fabrics(request, [card], SMALL_MEDIA)
    assert nx.diameter(fabric_graph(wiring(request, t, 0))) == hops == 2 * t.tiers[0]


@given(
    nodes=st.integers(1, 4000), card=st.sampled_from([NDR_64, ETH_64, HDR_40, XDR_144]), tiers=st.sampled_from([2, 3])
)
@settings(max_examples=40, deadline=None)
def test_non_blocking_fabrics_use_three_or_five_ports_for_every_endpoint(nodes, card, tiers):
    """The least number of switch ports of a non-blocking fabric is a lower bound on what is counted."""
    request = FabricRequest(np.array([nodes]), RackPlan(4), card.ports.native_speed, tiers=(tiers,), max_waste=0.0)
    t = enumerate_fabrics(request, [card], MEDIA)
    ports = (t.leaf + t.spine + t.core) * card.ports.native_ports
    assert np.all(ports >= (2 * tiers - 1) * nodes * 8)
    again = enumerate_fabrics(request, [card], MEDIA)
    assert all(np.array_equal(getattr(t, name), getattr(again, name)) for name in t.column_names())


def test_sizes_may_be_asked_in_any_order_and_together():
    sizes = np.array([512, 31, 128, 64])
    together = enumerate_fabrics(FabricRequest(sizes, RackPlan(4), 400 * GBIT, max_waste=0.0), [NDR_64], MEDIA)
    for position, size in enumerate(sizes):
        alone = enumerate_fabrics(
            FabricRequest(np.array([size]), RackPlan(4), 400 * GBIT, max_waste=0.0), [NDR_64], MEDIA
        )
        mine = together.take(together.size == position)
        for name in ("nodes", "leaf", "spine", "core", "capex_links_low", "power_typical", "length_leaf_spine"):
            assert np.array_equal(np.sort(getattr(mine, name)), np.sort(getattr(alone, name)))


@given(request=requests())
@settings(max_examples=30, deadline=None)
def test_full_leaves_are_the_largest_sizes_of_every_set_of_leaves(request):
    """Of the sizes 1..N, keeping full leaves keeps for every number of leaves the largest size, unchanged."""
    sizes = np.arange(1, 25)
    every = enumerate_fabrics(replace(request, nodes=sizes), SMALL, SMALL_MEDIA)
    full = enumerate_fabrics(replace(request, nodes=sizes, full_leaves_only=True), SMALL, SMALL_MEDIA)
    known = {(design_name(every, i), int(every.nodes[i])): i for i in range(len(every))}
    for i in range(len(full)):
        key = design_name(full, i), int(full.nodes[i])
        assert full.row(i) == every.row(known[key])
    assert set(full.leaf.tolist()) <= set(every.leaf.tolist())
    assert len(full) <= len(every)


def test_many_sizes_at_once_are_counted_as_few_are():
    """Thousands of sizes go block by block, few all together: the same rows either way."""
    asked = {"rack_plan": RackPlan(4), "port_speed": 400 * GBIT, "oversubscriptions": (1.0, 2.0), "max_waste": 0.1}
    many = enumerate_fabrics(FabricRequest(nodes=np.arange(1, 4101), **asked), [SMALL[3]], SMALL_MEDIA)
    few_sizes = np.array([3, 17, 160, 777, 2048])
    few = enumerate_fabrics(FabricRequest(nodes=few_sizes, **asked), [SMALL[3]], SMALL_MEDIA)
    known = {(design_name(many, i), int(many.nodes[i])): i for i in np.flatnonzero(np.isin(many.nodes, few_sizes))}
    assert len(known) == len(few)
    for i in range(len(few)):
        mine, other = few.row(i), many.row(known[design_name(few, i), int(few.nodes[i])])
        assert {k: v for k, v in mine.items() if k != "size"} == {k: v for k, v in other.items() if k != "size"}
