"""Published component tables of scalable clusters, to the switch and the cable."""

import numpy as np
import pytest

from models.candidates.fabric_design import enumerate_fabrics
from models.candidates.fabric_request import FabricRequest
from models.physics.network.lengths import RackPlan
from tests.candidates.fabric_cards import ETH_64, GBIT, HDR_40, MEDIA, NDR_64, XDR_144

# system, switch, Gbit/s, nodes, reserved nodes, manager ports, tiers, breakout -> leaf, spine, core, node-leaf, leaf-spine, spine-core
TABLES = [
    ("A100 1 SU", HDR_40, 200, 20, 0, 0, 2, 1, (8, 4, 0, 160, 160, 0)),
    ("A100 4 SU", HDR_40, 200, 80, 0, 0, 2, 1, (32, 20, 0, 640, 640, 0)),
    ("H100 1 SU", NDR_64, 400, 31, 1, 4, 2, 1, (8, 4, 0, 252, 256, 0)),
    ("H100 2 SU", NDR_64, 400, 63, 1, 4, 2, 1, (16, 8, 0, 508, 512, 0)),
    ("H100 4 SU", NDR_64, 400, 127, 1, 4, 2, 1, (32, 16, 0, 1020, 1024, 0)),
    ("B200 2 SU", NDR_64, 400, 64, 0, 0, 2, 1, (16, 8, 0, 512, 512, 0)),
    ("B200 8 SU", NDR_64, 400, 256, 0, 0, 2, 1, (64, 32, 0, 2048, 2048, 0)),
    ("B200 16 SU", NDR_64, 400, 512, 0, 0, 3, 1, (128, 128, 64, 4096, 4096, 4096)),
    ("B200 32 SU", NDR_64, 400, 1024, 0, 0, 3, 1, (256, 256, 128, 8192, 8192, 8192)),
    ("B300 Ethernet 1 SU", ETH_64, 800, 64, 0, 0, 2, 1, (16, 8, 0, 512, 512, 0)),
    ("B300 Ethernet 4 SU", ETH_64, 800, 256, 0, 0, 2, 1, (64, 32, 0, 2048, 2048, 0)),
    ("64-port, 32,768 endpoints", NDR_64, 400, 4096, 0, 0, 3, 1, (1024, 1024, 512, 32768, 32768, 32768)),
    ("beyond r*r/2 with split inter-switch ports", ETH_64, 800, 512, 0, 0, 2, 2, (128, 64, 0, 4096, 4096, 0)),
    ("144 ports, 1 SU", XDR_144, 800, 72, 0, 0, 2, 1, (8, 4, 0, 576, 576, 0)),
]


@pytest.mark.parametrize(
    ("name", "card", "gbps", "nodes", "reserved", "managers", "tiers", "breakout", "counts"), TABLES
)
def test_component_table(name, card, gbps, nodes, reserved, managers, tiers, breakout, counts):
    request = FabricRequest(
        nodes=np.array([nodes]),
        rack_plan=RackPlan(4),
        port_speed=gbps * GBIT,
        tiers=(tiers,),
        breakouts=(breakout,),
        reserved_nodes=reserved,
        manager_ports=managers,
        max_waste=0.0,
    )
    table = enumerate_fabrics(request, [card], MEDIA)
    assert len(table) == 1, table.refusals
    row = table.row(0)
    names = ("leaf", "spine", "core", "links_node_leaf", "links_leaf_spine", "links_spine_core")
    assert tuple(row[n] for n in names) == counts


@pytest.mark.parametrize(("nodes", "nic_side"), [(64, 256), (128, 512), (256, 1024)])
def test_twin_port_modules_are_counted_per_end(nodes, nic_side):
    """Twin-port modules on both ends: 1.5 modules per link on switches, half a module per link on nodes."""
    request = FabricRequest(np.array([nodes]), RackPlan(4), 400 * GBIT, tiers=(2,), max_waste=0.0, nic_ports_per_cage=2)
    row = enumerate_fabrics(request, [NDR_64], MEDIA).row(0)
    links = nodes * 8
    switch_side = row["near_units_node_leaf"] + row["near_units_leaf_spine"] + row["far_units_leaf_spine"]
    assert switch_side == 3 * links // 2
    assert row["far_units_node_leaf"] == nic_side
