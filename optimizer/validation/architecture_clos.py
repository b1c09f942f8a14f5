"""Counts of a published Clos, rail-only or multi-plane fabric from its inputs, and the ledgers its inputs break.

Per plane, with n node positions, R rails of k ports each, a leaf split d:u, r spine ports and breakout b the rules are those of
``models.physics.network.clos``; planes are independent and add up. Whatever the record gives (switch counts, links of a leaf,
capacity of its ASIC) takes the place of the rule and is checked against it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from models.physics.network import clos
from optimizer.validation.architecture_facts import Facts
from optimizer.validation.architecture_shape import Shape, check_segment, shape_of

_OF_SWITCHES = frozenset(
    {
        "switch_ports", "leaf_ports", "spine_ports", "core_ports", "tiers", "rails", "planes", "nics_per_accelerator",
        "nics_per_node", "nic_ports_per_node", "ports_per_nic", "accelerators_per_node", "leaf_oversubscription", "uplinks",
        "interswitch_breakout", "downlink_split", "rails_per_leaf", "tor_capacity_tbps",
    }
)  # fmt: skip


def leaves_of_plane(facts: Facts, shape: Shape) -> int | None:
    """Leaves of one plane: given, by stripes, by whole scalable units or segments, or for all positions together."""
    given = facts.whole("leaf")
    if given is not None:
        return given // shape.planes
    stripes, each = facts.whole("stripes"), facts.whole("leaves_per_stripe")
    if stripes and each:
        return stripes * each
    if not shape.down or not facts.get("nodes"):
        return None

    def of(positions: int) -> int:
        links = positions * shape.per_rail
        return int(clos.leaf_count(links, shape.rails, shape.down or 1, shape.railed))

    extra = (facts.whole("spare_nodes") or 0) + (facts.whole("reserved_nodes") or 0)
    segments, per_segment = facts.whole("segments"), facts.whole("nodes_per_segment")
    if segments and per_segment:
        return segments * of(per_segment + extra)
    pods = facts.whole("pods") or 1
    if pods > 1 and shape.tiers != 1 and not facts.get("nodes_per_su") and facts.values["nodes"] % pods == 0:
        return pods * of(round(facts.values["nodes"]) // pods + extra)
    positions, unit = round(facts.values["nodes"]) + extra, facts.whole("nodes_per_su")
    if unit and unit * shape.per_rail >= shape.down:
        return int(clos.ceil_div(positions, unit)) * of(unit)
    return of(positions)


def largest_leaves(shape: Shape) -> int | None:
    """Most leaves of one plane that the tiers above can join; None where the ports are not known."""
    if shape.tiers == 1:
        return shape.rails
    if not shape.up or not shape.spine_ports or shape.tiers not in (2, 3):
        return None
    ports = (shape.spine_ports - shape.spine_up) * shape.breakout
    if shape.tiers == 2:
        return ports
    core = (shape.core_ports or shape.spine_ports) * shape.breakout
    return core * (ports // 2)


def smallest_tiers(shape: Shape, leaves: int) -> int:
    """Fewest tiers that join ``leaves``."""
    if leaves <= (shape.rails if shape.railed else 1) and shape.railed is False:
        return 1
    if shape.spine_ports is None or shape.up is None:
        return 2
    two = clos.two_tier_spines(leaves, shape.up * shape.breakout, (shape.spine_ports - shape.spine_up) * shape.breakout)
    return 2 if int(two) else 3


@dataclass(frozen=True)
class UpperTiers:
    """Spines, core switches and spine-core links of one plane; ``group_links`` those of one group of spines."""

    spine: int
    core: int = 0
    links_core: int = 0
    groups: int = 1
    group_leaves: int = 0
    group_links: int = 0


def upper_tiers(facts: Facts, shape: Shape, leaves: int, tiers: int) -> UpperTiers | None:
    """Spines and core over ``leaves`` leaves of one plane; None where not derivable or not possible (then a rule is noted)."""
    given = facts.whole("spine")
    if tiers == 1:
        return UpperTiers(0)
    if shape.up is None:
        return None if given is None else UpperTiers(given // shape.planes)
    up = shape.up * shape.breakout
    ports = None if shape.spine_ports is None else shape.spine_ports * shape.breakout
    if tiers == 2 or shape.spine_up:
        to_leaves = None if ports is None else ports - shape.spine_up * shape.breakout
        spine = given // shape.planes if given is not None else None
        if spine is None:
            spine = 0 if to_leaves is None else int(clos.two_tier_spines(leaves, up, to_leaves))
        if not spine:
            if to_leaves is not None:
                words = f"two tiers of these switches cannot join {leaves} leaves: {up} uplinks of a leaf spread evenly reach at most {up} spines of {to_leaves} ports"
                facts.breaks("two-tier limit", words)
            return None
        links = spine * shape.spine_up
        # uplinks beyond the second tier lead to switches shared with other pods, unless a third tier is part of the fabric
        core = math.ceil(links / shape.core_ports) if tiers == 3 and shape.core_ports else 0
        return UpperTiers(spine, core, links)
    if ports is None or shape.core_ports is None or ports < 2:
        return None
    groups, largest = (int(x) for x in clos.three_tier_groups(leaves // shape.rails or 1, ports // 2))
    spines = int(clos.three_tier_spines(largest, up, ports // 2))
    core_ports = shape.core_ports * shape.breakout
    if not spines or shape.rails * groups > core_ports:
        facts.breaks("three-tier limit", f"three tiers of these switches cannot join {leaves} leaves")
        return None
    links = leaves * up
    total = given // shape.planes if given is not None else shape.rails * groups * spines
    return UpperTiers(total, -(-links // core_ports), links // shape.breakout, groups, largest, largest * up)


def derive_clos(facts: Facts) -> Shape:
    """Learn every count of the fabric that follows from the inputs, and note the ledgers they break."""
    shape = shape_of(facts)
    check_segment(facts, shape)
    _single_leaf(facts, shape)
    leaves = leaves_of_plane(facts, shape)
    nodes = facts.whole("nodes")
    sized = any(not _of_switches(name) for name in facts.given)
    if leaves is None and nodes is None and not sized and shape.tiers and shape.down and "downlinks" not in facts.given:
        # nothing says how large: the fabric at its full size
        leaves = largest_leaves(shape)
    if leaves is not None:
        facts.learn("leaf", leaves * shape.planes)
        _given_switches(facts, shape, leaves)
        tiers = shape.tiers or smallest_tiers(shape, leaves)
        upper = upper_tiers(facts, shape, leaves, tiers)
        if upper is not None:
            _learn_switches(facts, shape, leaves, upper)
    if (
        nodes is not None
        and shape.ports_per_node
        and (facts.get("nic_ports_per_node", "nics_per_node", "rails", "nics_per_accelerator"))
    ):
        wired = nodes + (facts.whole("spare_nodes") or 0) * (facts.whole("segments") or 1)
        links = wired * shape.ports_per_node * shape.planes
        facts.learn("cables_node_leaf", links)
        managers = facts.whole("ufm_ports") or 0
        facts.learn("cables_node_leaf_plus_ufm", links + managers)
        if managers and leaves and shape.down and links + managers > leaves * shape.planes * shape.down:
            words = f"{links} node links and {managers} of fabric managers exceed the {leaves * shape.planes * shape.down} down ports of the leaves"
            facts.breaks("leaf ports", words)
        facts.learn("nic_ports", nodes * shape.ports_per_node * shape.planes)
        if shape.nic_gbps:
            facts.learn("server_leaf_tbps", nodes * shape.ports_per_node * shape.planes * shape.nic_gbps / 1000)
    _ratios(facts, shape)
    _totals(facts)
    return shape


def _of_switches(name: str) -> bool:
    """True for an input that says what switches, links and ports are, and nothing of how many nodes there may be."""
    return name in _OF_SWITCHES or name.endswith("_gbps")


def _given_switches(facts: Facts, shape: Shape, leaves: int) -> None:
    """Switch counts given by the record against the links that end on them."""
    nodes, spine = facts.whole("nodes"), facts.whole("spine")
    if nodes and shape.down and ("leaf" in facts.given or "stripes" in facts.given):
        links = nodes * shape.ports_per_node
        if links > leaves * shape.down:
            facts.breaks("leaf ports", f"{leaves} leaves of {shape.down} down ports do not take {links} node links")
    if spine and "uplinks" in facts.given and shape.up:
        per_plane, up = spine // shape.planes, shape.up * shape.breakout
        if not per_plane or up % per_plane:
            facts.breaks("divisor rule", f"{up} uplinks of a leaf do not spread evenly over {per_plane} spines")
        if shape.spine_ports and leaves * up > per_plane * shape.spine_ports * shape.breakout:
            words = f"{leaves * up} uplinks end on {per_plane} spines of {shape.spine_ports * shape.breakout} ports"
            facts.breaks("spine ports", words)


def _single_leaf(facts: Facts, shape: Shape) -> None:
    if shape.down:
        # a group of leaves has one for every NIC port of a node, whether or not the record speaks of rails
        facts.learn("nodes_per_leaf_group", shape.down // shape.per_rail if shape.railed else shape.down)
        facts.learn("downlinks_per_leaf", shape.down)
        if shape.railed and facts.whole("leaves_per_stripe"):
            facts.learn("nodes_per_stripe", shape.down // shape.per_rail)
            if facts.get("nodes") is None:
                stripes = facts.whole("stripes") or 1
                facts.learn("nodes", stripes * (shape.down // shape.per_rail))
                facts.learn("accelerators", facts.values["nodes"] * (facts.get("accelerators_per_node") or shape.rails))
    if shape.up is not None:
        facts.learn("uplinks_per_leaf", shape.up)


def _learn_switches(facts: Facts, shape: Shape, leaves: int, upper: UpperTiers) -> None:
    planes = shape.planes
    facts.learn("spine", upper.spine * planes)
    facts.learn("core", upper.core * planes)
    facts.learn("total_switches", facts.values["leaf"] + facts.values["spine"] + facts.values["core"])
    if shape.up is not None:
        facts.learn("cables_leaf_spine", leaves * shape.up * planes if upper.spine else 0)
        if shape.up_gbps:
            facts.learn("leaf_spine_tbps", leaves * shape.up * planes * shape.up_gbps / 1000)
    facts.learn("cables_spine_core", upper.links_core * planes)
    facts.learn("leaf_groups", upper.groups)


def _ratios(facts: Facts, shape: Shape) -> None:
    per_segment = facts.whole("nodes_per_segment")
    server, trunk = facts.get("server_leaf_tbps"), facts.get("leaf_spine_tbps")
    if shape.down and shape.up and shape.nic_gbps and shape.up_gbps:
        down = per_segment * shape.per_rail if per_segment else shape.down
        facts.learn("tor_oversubscription", down * shape.nic_gbps / (shape.up * shape.up_gbps))
        facts.learn("tor_used_tbps", (shape.down * shape.nic_gbps + shape.up * shape.up_gbps) / 1000)
    if server and trunk and ("stripes" in facts.given or "leaf" in facts.given):
        facts.learn("measured_oversubscription", server / trunk)
    if shape.spine_ports and shape.spine_up:
        facts.learn("agg_oversubscription", (shape.spine_ports - shape.spine_up) / shape.spine_up)
        facts.learn("agg_downlinks", shape.spine_ports - shape.spine_up)


def _totals(facts: Facts) -> None:
    node, leaf_spine, spine_core = (
        facts.get(name) for name in ("cables_node_leaf", "cables_leaf_spine", "cables_spine_core")
    )
    if leaf_spine is None or spine_core is None:
        return
    facts.learn("cables_switch_switch", leaf_spine + spine_core)
    if node is None:
        return
    facts.learn("cables_total", node + leaf_spine + spine_core)
    facts.learn("switch_side_twin_port_transceivers", node // 2 + leaf_spine + spine_core)
    facts.learn("node_side_transceivers", node // 2)
