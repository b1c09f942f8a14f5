"""Bounds, exact windows, elevations and packings, against brute force on small cases."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.parts.part import Confidence
from models.parts.rack import Rack
from optimizer.layout.arrange import Layer, arrange, capped, total_cost
from optimizer.layout.bound import Flows, least_way
from optimizer.layout.contents import Content, RackContent, UnplaceableError, Wire
from optimizer.layout.elevation import Pull, devices_of, elevation
from optimizer.layout.exact import solve_window
from optimizer.layout.hall import Hall, bays_of
from optimizer.layout.packing import Limits, anchors_of, pack
from optimizer.layout.phases import imbalance, phase_loads
from optimizer.layout.plan import DeviceKind

HALL = Hall(positions=7, per_row=4, pitch=0.6, row_pitch=3.0, tray=3.0)


@st.composite
def pods(draw: st.DrawFn) -> tuple[dict[tuple[str, str], int], dict[str, int], list[list[str]], int]:
    """Three racks of nodes, one or two racks of switches, two or three tiers."""
    nodes = draw(st.integers(2, 3))
    leaves = draw(st.integers(1, 2))
    upper = draw(st.integers(1, 2))
    home = {f"node{n}": n for n in range(nodes)}
    links: dict[tuple[str, str], int] = {}
    for leaf in range(leaves):
        home[f"leaf{leaf}"] = nodes + leaf
        for n in range(nodes):
            links[f"node{n}", f"leaf{leaf}"] = draw(st.integers(0, 5))
    racks = nodes + leaves
    for spine in range(upper):
        home[f"spine{spine}"] = racks if draw(st.booleans()) else racks - 1
        for leaf in range(leaves):
            links[f"leaf{leaf}", f"spine{spine}"] = draw(st.integers(0, 5))
    tiers = [[f"leaf{n}" for n in range(leaves)], [f"spine{n}" for n in range(upper)], []]
    return {pair: count for pair, count in links.items() if count}, home, tiers, max(home.values()) + 1


def _flow(links: dict[tuple[str, str], int], home: dict[str, int], racks: int) -> np.ndarray:
    flow = np.zeros((racks, racks))
    for (lower, upper), count in links.items():
        a, b = home[lower], home[upper]
        if a != b:
            flow[a, b] += count
            flow[b, a] += count
    return flow


@settings(max_examples=12, deadline=None)
@given(pods())
def test_bound_and_windows_against_every_arrangement(pod: tuple) -> None:
    links, home, tiers, racks = pod
    flow, bays = _flow(links, home, racks), bays_of(HALL, 1)
    distance = bays.distances()
    layers = [Layer(flow, distance)]
    every = itertools.permutations(range(len(bays)), racks)
    best = min(total_cost(layers, np.array(at)) for at in every)
    bound = least_way(HALL, Flows(links, home, tiers, [1] * racks), np.ones(7, dtype=np.bool_))
    assert bound <= best + 1e-9
    leaves = np.array([f"node{n}" in home and home[f"node{n}"] == n for n in range(racks)])
    at = arrange(layers, distance, leaves, bays.x, bays.y)
    assert total_cost(layers, at) >= best - 1e-9
    window = solve_window(flow, bays.x, bays.y, at, range(racks), range(len(bays)), 20.0, bound)
    assert total_cost(layers, window.at) == pytest.approx(best, abs=1e-6)
    assert window.bound == pytest.approx(best, abs=2e-3 * max(flow.sum(), 1))


def test_bound_is_reached_around_one_switch() -> None:
    hall = Hall(positions=60, per_row=20, pitch=0.6, row_pitch=3.0, tray=3.0)
    links = {(f"node{n}", "leaf0"): 8 for n in range(6)}
    home = {**{f"node{n}": n for n in range(6)}, "leaf0": 6}
    bound = least_way(hall, Flows(links, home, [["leaf0"], [], []], [1] * 7), np.ones(60, dtype=np.bool_))
    # three racks on either side of the leaf: 2 x 8 x (0.6 + 1.2 + 1.8) m
    assert bound == pytest.approx(2 * 8 * 3.6)


def test_wide_racks_count_with_their_whole_width() -> None:
    hall = Hall(positions=40, per_row=40, pitch=0.6, row_pitch=3.0, tray=3.0)
    links = {(f"node{n}", "leaf0"): 1 for n in range(2)}
    home = {"node0": 0, "node1": 1, "leaf0": 2}
    bound = least_way(hall, Flows(links, home, [["leaf0"], [], []], [2, 2, 1]), np.ones(40, dtype=np.bool_))
    assert bound == pytest.approx(2 * 0.9)


def test_a_cap_moves_racks_that_the_sum_would_leave_far_away() -> None:
    hall = Hall(positions=12, per_row=12, pitch=1.0, row_pitch=3.0, tray=3.0)
    bays = bays_of(hall, 1)
    distance = bays.distances()
    flow = np.zeros((4, 4))
    for node, hub, count in ((0, 2, 100), (1, 2, 1), (0, 3, 1), (1, 3, 1)):
        flow[node, hub] = flow[hub, node] = count
    leaves = np.array([True, True, False, False])
    at = arrange([Layer(flow, capped(distance, 2.0, 50.0))], distance, leaves, bays.x, bays.y)
    assert max(distance[at[a], at[b]] for a in (0, 1) for b in (2, 3)) <= 2.0


def _frame(units: int = 12) -> Rack:
    return Rack(
        id="frame", kind="eia", source="test", confidence=Confidence.UNVERIFIED, rack_units=units, unit_pitch="44.45 mm",
        width="600 mm", depth="1200 mm", static_load="1000 kg", empty_weight="100 kg",
    )  # fmt: skip


def _item(name: str, units: int, weight: float | None, kind: DeviceKind = DeviceKind.SWITCH) -> Content:
    return Content(name, name.split("-")[0], kind, name, units, weight, 100.0)


def test_heavy_low_light_near_the_tray_and_every_unit_covered() -> None:
    rack = RackContent("r", "compute", _frame(), 2)
    rack.contents = [
        _item("light-1", 1, 10.0), _item("server-1", 3, 80.0, DeviceKind.SYSTEM), _item("chassis-1", 2, 120.0, DeviceKind.SYSTEM),
        _item("shelf-1", 1, None, DeviceKind.SHELF), _item("light-2", 1, 10.0),
    ]  # fmt: skip
    found = elevation(rack, Pull({0: 4, 4: 4}, {}))
    assert found.starts == (9, 3, 1, 6, 10)
    assert found.slack == 0
    devices = devices_of(rack, found.starts)
    covered = sorted(u for d in devices if d.unit_from for u in range(d.unit_from, d.unit_to + 1))
    assert covered == list(range(1, 13))


def test_a_switch_stands_among_the_servers_it_joins() -> None:
    rack = RackContent("r", "compute", _frame(), 0)
    rack.contents = [_item("server-1", 4, 80.0, DeviceKind.SYSTEM), _item("leaf-1", 1, 10.0)]
    assert elevation(rack, Pull({}, {(0, 1): 8})).starts == (1, 5)
    with pytest.raises(UnplaceableError, match="within reach"):
        elevation(rack, Pull({}, {(0, 1): 8}), longest_inside_units=1.0)


def test_a_rack_that_is_too_full_says_so() -> None:
    rack = RackContent("r", "network", _frame(), 4, [_item(f"switch-{n}", 3, 20.0) for n in range(3)])
    with pytest.raises(UnplaceableError, match="13 units in a frame of 12"):
        elevation(rack, Pull({}, {}))


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.sampled_from([1, 2, 3, 4]), min_size=1, max_size=7),
    st.integers(0, 7),
    st.integers(1, 3),
    st.integers(4, 8),
)
def test_packing_finds_a_packing_exactly_where_one_exists(
    heights: list[int], below: int, racks: int, room: int
) -> None:
    items = [_item(f"s-{n}", height, 10.0) for n, height in enumerate(heights)]
    exists = any(
        all(sum(h for h, r in zip(heights, split, strict=True) if r == rack) <= room for rack in range(racks))
        for split in itertools.product(range(racks), repeat=len(heights))
    )
    leaves = frozenset(item.id for item in items[:below])
    anchors = {item.id: float(n % 3) for n, item in enumerate(items)}
    groups = pack(items, leaves, anchors, racks, Limits(room, None, None))
    assert (groups is not None) == exists
    if groups is not None:
        assert sorted(item.id for group in groups for item in group) == sorted(item.id for item in items)
        assert len(groups) <= racks
        assert all(sum(item.units for item in group) <= room for group in groups)


def test_packing_keeps_heat_and_mass() -> None:
    items = [Content(f"s-{n}", "s", DeviceKind.SWITCH, "leaf 0", 1, 20.0, 1000.0) for n in range(6)]
    leaves = frozenset(item.id for item in items)
    groups = pack(items, leaves, {}, 3, Limits(40, 2500.0, None))
    assert groups is not None
    assert [len(group) for group in groups] == [2, 2, 2]
    assert pack(items, leaves, {}, 2, Limits(40, 2500.0, None)) is None
    assert pack(items, leaves, {}, 2, Limits(40, None, 50.0)) is None


def test_leaves_that_serve_the_same_racks_share_a_rack_whatever_their_network() -> None:
    nodes = [_item(f"node-{n}", 4, 80.0, DeviceKind.SYSTEM) for n in range(8)]
    racks = [RackContent(f"r{n}", "compute", _frame(), 0, [node]) for n, node in enumerate(nodes)]
    wires = [Wire(f"node-{n}", "1", -1, f"leaf-{n // 2}", "1", "node_leaf") for n in range(8)]
    wires += [Wire(f"node-{n}", "2", -1, f"store-{n // 4}", "1", "storage node_leaf") for n in range(8)]
    wires += [Wire(f"leaf-{n}", "9", -1, "spine-0", "1", "leaf_spine") for n in range(4)]
    anchors = anchors_of(racks, wires)
    assert (anchors["leaf-0"], anchors["leaf-3"], anchors["store-1"], anchors["spine-0"]) == (0.5, 6.5, 5.5, 3.5)
    switches = [
        _item(name, 1, 10.0) for name in ("leaf-0", "leaf-1", "leaf-2", "leaf-3", "spine-0", "store-0", "store-1")
    ]
    leaves = frozenset(item.id for item in switches) - {"spine-0"}
    groups = pack(switches, leaves, anchors, 3, Limits(3, None, None))
    assert groups is not None
    assert [{item.id for item in group} for group in groups] == [
        {"leaf-0", "leaf-1", "store-0"}, {"leaf-2", "leaf-3", "store-1"}, {"spine-0"}
    ]  # fmt: skip
    # a switch that only fits beside large ones goes where the large one serves the same nodes
    large = [_item(f"leaf-{n}", 8, 90.0) for n in range(4)]
    groups = pack([*large, *switches[5:]], leaves, anchors, 4, Limits(9, None, None))
    assert groups is not None
    together = {frozenset(item.id for item in group) for group in groups if len(group) > 1}
    assert together in (
        {frozenset({a, "store-0"}), frozenset({b, "store-1"})}
        for a in ("leaf-0", "leaf-1")
        for b in ("leaf-2", "leaf-3")
    )


def test_supplies_are_spread_over_lines_and_feeds() -> None:
    servers = [Content(f"n-{i}", "n", DeviceKind.SYSTEM, "", 8, 100.0, 10200.0, 3) for i in range(3)]
    switches = [Content(f"s-{i}", "s", DeviceKind.SWITCH, "", 1, 10.0, 950.0, 1) for i in range(2)]
    a, b = phase_loads([*servers, *switches], 0)
    # the worked example of one rack: L1 and L2 carry a switch, L3 none
    assert (a.l1, a.l2, a.l3) == pytest.approx((5575.0, 5575.0, 5100.0))
    assert (b.l1, b.l2, b.l3) == (a.l1, a.l2, a.l3)
    turned = phase_loads([*servers, *switches], 1)[0]
    assert (turned.l1, turned.l2, turned.l3) == pytest.approx((5100.0, 5575.0, 5575.0))
    even = phase_loads([Content("r", "r", DeviceKind.SYSTEM, "", 48, 1400.0, 142e3, 0)], 2)[0]
    assert imbalance(even) == 0
