"""Panels of rows: shares of supplies on their lines, any racks side by side, and what a design and its layout make of it."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.candidates.placement import enumerate_candidates
from models.candidates.row_feed import heaviest_line, line_share, positions_in_row
from models.errors import InstanceError
from models.instance import Instance
from models.loading import load
from models.physics.rack_feeds import row_share
from optimizer.layout.check import check_layout
from optimizer.layout.planner import lay_out
from optimizer.solve import solve
from optimizer.verify import verify_design

WHIPS = {"voltage": "415 V", "breaker": "60 A", "code": "nec", "whips_per_feed": 2}
CAPPING = {"remedies": ["capping"], "capped_to": 0.5, "capping_delay": "0 s"}


def instance(amperes: float | None, **more: Any) -> Instance:
    hall: dict[str, Any] = {"rack_feed": {**WHIPS, "loss": CAPPING}}
    if amperes is not None:
        hall["row_feed"] = {"voltage": "415 V", "breaker": f"{amperes} A", "code": "nec", "owner": "facility team"}
    space = {"systems": ["dgx_h100"], "fabric": {"switches": ["qm9700"], "oversubscription": [1]}}
    workloads = {"train": {"design_space": space, "tokens": "2 Ttoken"}}
    return load("tiny/performance", overrides={"workloads": workloads, "sites": {"hall": {**hall, **more}}})


TYPICAL = instance(400)


@given(whips=st.integers(1, 6), phases=st.sampled_from([1, 3]), supplies=st.one_of(st.none(), st.integers(1, 200)))
def test_the_heaviest_line_is_that_of_supplies_dealt_one_by_one(whips: int, phases: int, supplies: int | None) -> None:
    lines = whips * phases
    on = [0, 0, 0]
    for number in range(lines if supplies is None else supplies):
        on[number % lines % 3] += 1
    assert row_share(lines, supplies) == pytest.approx(max(on) / sum(on), rel=1e-12)


@settings(deadline=None, max_examples=60)
@given(panel=st.floats(100.0, 3000.0), per_row=st.integers(2, 24), seed=st.integers(0, 10_000))
def test_any_racks_side_by_side_are_within_the_panel(panel: float, per_row: int, seed: int) -> None:
    """Racks that take positions by their share of a line, put into a row until it is full."""
    hall = TYPICAL.sites["hall"]
    fed = hall.row_feed.model_copy(update={"breaker": panel})
    rows = hall.rows.model_copy(update={"racks_per_row": per_row})
    sites = {"hall": hall.model_copy(update={"row_feed": fed, "rows": rows})}
    changed = dataclasses.replace(TYPICAL, document=TYPICAL.document.model_copy(update={"sites": sites}))
    share = line_share(changed, "hall")
    assert share is not None
    capacity = 415 / 3**0.5 * 0.8 * panel
    rng = np.random.default_rng(seed)
    drawn, used = 0.0, 0
    while True:
        heavy = float(rng.uniform(0.1, 1.0) * capacity)
        taken = max(1, int(np.ceil(heavy / share - 1e-9)))
        if used + taken > per_row:
            break
        drawn, used = drawn + heavy, used + taken
    assert drawn <= capacity * (1 + 1e-9)


def pods(inst: Instance) -> Any:
    (placements,) = enumerate_candidates(inst).placements
    return placements.pods


def test_heavy_racks_take_more_positions_and_light_ones_their_own() -> None:
    plain, strong, weak = instance(None), instance(2000), instance(200)
    assert pods(strong).node_positions.tolist() == pods(plain).node_positions.tolist()
    told = pods(weak)
    share = line_share(weak, "hall")
    assert share == pytest.approx(415 / 3**0.5 * 160 / 10)
    for row in range(len(told)):
        rack = told.rack_design(row)
        # 3 supplies a feed and system divide over three lines, so that a third of the rack is on each
        assert heaviest_line(weak, "hall", rack) == pytest.approx(rack.feed.one_feed / 3)
        each = int(np.ceil(rack.feed.one_feed / 3 / share - 1e-9))
        assert positions_in_row(weak, "hall", rack) == each
        assert told.node_positions[row] == told.node_racks[row] * each
    assert (told.node_positions > told.node_racks).any()


def test_racks_of_switches_stay_within_the_share_of_a_line() -> None:
    weak = pods(instance(150))
    plain = pods(instance(None))
    assert weak.network_racks.max() > plain.network_racks.max()


def test_a_row_that_feeds_no_rack_says_so() -> None:
    found = enumerate_candidates(instance(20))
    reasons = [r.reason for r in found.rejections]
    assert any("its heaviest line draws" in reason and "the panel of its row carries" in reason for reason in reasons)


@pytest.mark.parametrize("amperes", [200, 1000])
def test_designs_verify_and_no_row_of_their_layout_overloads_a_line(amperes: float) -> None:
    inst = instance(amperes)
    frontier = solve(inst, ["tco", "floor"])
    assert len(frontier)
    capacity = 415 / 3**0.5 * 0.8 * amperes
    for design in frontier.points:
        assert not verify_design(inst, design)
    (pod,) = frontier.points[0].pods
    layout = lay_out(inst, frontier.points[0])
    assert check_layout(inst, frontier.points[0], layout) == []
    plan = layout.sites[0]
    heavy: dict[int, float] = {}
    for rack in plan.racks:
        one_feed = pod.rack["one_feed_w"] / 3 if rack.kind == "compute" else rack.power_w
        heavy[rack.row] = heavy.get(rack.row, 0.0) + one_feed
    assert max(heavy.values()) <= capacity * (1 + 1e-9)


def test_panels_feed_whips() -> None:
    with pytest.raises(InstanceError, match="state `rack_feed`"):
        load(
            "tiny/performance",
            overrides={"sites": {"hall": {"row_feed": {"voltage": "415 V", "breaker": "400 A", "code": "nec"}}}},
        )
