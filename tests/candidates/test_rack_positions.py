"""A frame wider than a rack position takes several: on the floor, in its row, and in the lengths of its cables."""

from __future__ import annotations

import dataclasses

import numpy as np

from models.candidates.placement import enumerate_candidates
from models.candidates.rows_of_racks import rack_plan
from models.instance import Instance
from models.loading import load
from optimizer.solve import solve
from optimizer.verify import verify_design


def _narrow_positions(instance: Instance) -> Instance:
    """The instance with positions of half the width, so that every frame takes two."""
    sites = {
        name: site.model_copy(update={"rows": site.rows.model_copy(update={"rack_pitch": site.rows.rack_pitch / 2})})
        for name, site in instance.sites.items()
    }
    return dataclasses.replace(instance, document=instance.document.model_copy(update={"sites": sites}))


def test_a_wide_frame_takes_whole_positions() -> None:
    plain = load("tiny/performance")
    for instance, each in ((plain, 1), (_narrow_positions(plain), 2)):
        for placements in enumerate_candidates(instance).placements:
            pods = placements.pods
            assert np.array_equal(pods.node_positions, pods.node_racks * each)
            assert np.array_equal(pods.floor, pods.node_racks * each + pods.network_racks + pods.storage_racks)


def test_cables_run_along_wide_racks() -> None:
    rows = load("tiny/performance").sites["hall"].rows
    one, two = rack_plan(rows, 4, 1), rack_plan(rows, 4, 2)
    assert two.rack_pitch == 2 * one.rack_pitch
    assert two.racks_per_row == one.racks_per_row // 2
    racks = np.arange(1, 60)
    assert (two.run(racks, 1) >= one.run(racks, 1)).all()


def test_verification_counts_the_same_positions() -> None:
    instance = _narrow_positions(load("tiny/performance"))
    frontier = solve(instance, ["tco", "floor"])
    assert len(frontier)
    for design in frontier.points:
        assert not verify_design(instance, design)
