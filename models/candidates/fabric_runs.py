"""Upper bounds of the cable runs of each level of a fabric, from the rack plan."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.candidates.fabric_blocks import BlockGroup
from models.candidates.fabric_counts import Counts
from models.candidates.fabric_request import FabricRequest, Level
from models.physics.network.clos import ceil_div


def runs(request: FabricRequest, group: BlockGroup, counts: Counts) -> dict[Level, npt.NDArray[np.float64]]:
    """Longest run [m] of every level.

    A leaf stands among the nodes it serves (in their rack, where they share one), the spines of a group among its leaves, the
    core in the middle of the hall.
    """
    plan, planes, ports = request.rack_plan, request.planes, request.ports_per_node
    height, above = group.card.height or 1.0, group.spine_card.height or 1.0
    straddle = np.where(counts.down % ports == 0, 0, 1)
    plain_nodes = ceil_div(counts.down, ports) + straddle
    served = np.minimum(np.where(counts.railed, counts.down, plain_nodes), counts.positions)
    block_racks = plan.node_racks(served)
    beside = plan.network_racks(np.where(counts.railed, ports, 1) * planes * height)
    to_leaf = np.where(block_racks == 1, plan.in_rack, plan.run(block_racks, beside))

    three = counts.tiers == 3
    in_group = np.where(counts.railed, counts.group_leaves * counts.down, counts.group_leaves * counts.down // ports)
    group_nodes = np.where(three, np.minimum(in_group, counts.positions), counts.positions)
    rails = np.where(three, counts.rails, 1)
    leaf_racks = plan.network_racks(rails * counts.group_leaves * planes * height)
    spines = np.where(three, rails * counts.group_spines, counts.spine)
    to_spine = plan.run(plan.node_racks(group_nodes) + leaf_racks, plan.network_racks(spines * planes * above))

    hall = plan.node_racks(counts.positions) + plan.network_racks(
        planes * (counts.leaf * height + counts.spine * above)
    )
    to_core = plan.run(hall, plan.network_racks(counts.core * planes * above))
    return {Level.NODE_LEAF: to_leaf, Level.LEAF_SPINE: to_spine, Level.SPINE_CORE: to_core}
