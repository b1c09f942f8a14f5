"""A fabric as a person reads it."""

import numpy as np
from hypothesis import given, settings

from models.candidates.fabric_design import enumerate_fabrics
from models.candidates.fabric_request import FabricRequest
from models.candidates.fabric_summary import design_name, length_band, tier_lines
from models.physics.network.lengths import RackPlan
from tests.candidates.fabric_cards import GBIT, MEDIA, NDR_64
from tests.candidates.test_fabric_properties import SMALL, SMALL_MEDIA, requests


def test_lines_of_a_published_table():
    request = FabricRequest(
        np.array([127]), RackPlan(4), 400 * GBIT, tiers=(2,), max_waste=0.0, reserved_nodes=1, manager_ports=4
    )
    leaf, spine = tier_lines(enumerate_fabrics(request, [NDR_64], MEDIA), 0)
    assert (leaf.count, leaf.down, leaf.up, leaf.reserved, leaf.spare, leaf.links) == (32, 1016, 1024, 4, 4, 1020)
    assert (spine.count, spine.down, spine.up, spine.spare, spine.links) == (16, 1024, 0, 0, 1024)
    for line in (leaf, spine):
        assert line.ports == line.count * 64 == line.down + line.up + line.reserved + line.spare


def test_bands():
    assert [length_band(x) for x in (2.0, 7.6, 120.0, 9000.0)] == [
        "up to 3 m",
        "up to 30 m",
        "up to 500 m",
        "over 2000 m",
    ]


@given(request=requests())
@settings(max_examples=40, deadline=None)
def test_names_tell_designs_of_one_size_apart(request):
    table = enumerate_fabrics(request, SMALL, SMALL_MEDIA)
    named = [(int(table.nodes[i]), design_name(table, i)) for i in range(len(table))]
    assert len(named) == len(set(named))
    for index in range(min(len(table), 10)):
        assert all(line.ports == line.down + line.up + line.reserved + line.spare for line in tier_lines(table, index))
