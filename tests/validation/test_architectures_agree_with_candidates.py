"""The counts a record gets are those of the fabrics that are enumerated."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from models.candidates.fabric_design import enumerate_fabrics
from models.candidates.fabric_request import FabricRequest
from models.physics.network.lengths import RackPlan
from optimizer.validation.reference_architectures import evaluate_case
from tests.candidates.fabric_cards import ETH_64, GBIT, HDR_40, MEDIA, NDR_64, XDR_144

COUNTS = {
    "leaf": "leaf", "spine": "spine", "core": "core", "cables_node_leaf": "links_node_leaf", "cables_leaf_spine": "links_leaf_spine",
    "cables_spine_core": "links_spine_core",
}  # fmt: skip


@given(
    card=st.sampled_from([HDR_40, NDR_64, ETH_64, XDR_144]),
    nodes=st.integers(2, 3000),
    rails=st.sampled_from([4, 8]),
    railed=st.booleans(),
    tiers=st.sampled_from([1, 2, 3]),
    planes=st.sampled_from([1, 2]),
    breakout=st.sampled_from([1, 2]),
)
@settings(max_examples=150, deadline=None)
def test_one_law(card, nodes, rails, railed, tiers, planes, breakout):
    speed = card.ports.native_speed
    request = FabricRequest(
        np.array([nodes]),
        RackPlan(4),
        speed,
        rails,
        rails,
        planes,
        (tiers,),
        rail_optimised=(railed,),
        breakouts=(breakout,),
        max_waste=0.0,
    )
    table = enumerate_fabrics(request, [card], MEDIA)
    if not len(table):
        return
    row = table.row(int(np.argmin(table.core)))
    gbps = speed / GBIT
    inputs = {
        "nodes": nodes, "accelerators_per_node": rails, "nics_per_node": rails, "ports_per_nic": planes, "planes": planes,
        "nic_port_gbps": gbps, "switch_ports": card.ports.native_ports, "switch_port_gbps": gbps, "tiers": tiers,
        "interswitch_breakout": breakout, "leaf_oversubscription": 1.0,
    }  # fmt: skip
    if railed:
        inputs["rails"] = rails
    case = {
        "id": "x",
        "family": "y",
        "topology": "rail_only" if tiers == 1 and railed else "fat_tree",
        "inputs": inputs,
    }
    published = {name: row[column] for name, column in COUNTS.items()}
    rows = evaluate_case({**case, "published": published, "checkable": list(COUNTS)})
    assert {r.metric: r.predicted for r in rows} == published
