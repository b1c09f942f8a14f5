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


@dataclass(frozen=True)
class Shape:
    """What one plane is made of. ``down`` counts node links of a leaf, ``up`` its uplinks in whole ports; ports are None where not known."""

    planes: int
    rails: int
    per_rail: int
    railed: bool
    nic_gbps: float | None
    up_gbps: float | None
    down: int | None
    up: int | None
    leaf_capacity: float | None
    spine_ports: int | None
    spine_up: int
    core_ports: int | None
    breakout: int
    tiers: int | None
    asked: float | None

    @property
    def ports_per_node(self) -> int:
        """Ports of a node in one plane."""
        return self.rails * self.per_rail


def node_ports(facts: Facts) -> tuple[int, int]:
    """Planes, and ports of a node in each of them; 0 ports where not known."""
    per_nic = facts.whole("ports_per_nic")
    planes = facts.whole("planes") or ((per_nic or 2) if facts.topology == "dual_plane" else 1)
    rails = facts.whole("rails")
    nics = facts.whole("nics_per_node")
    share, per_node = facts.get("nics_per_accelerator"), facts.get("accelerators_per_node")
    if nics is None and share and per_node:
        nics = round(share * per_node)
    ports = facts.whole("nic_ports_per_node")
    if nics is None and ports is None:
        return planes, rails or 0
    if ports is None:
        assert nics is not None
        ports = nics * (per_nic or planes)
    elif planes > 1 and (ports == rails or (rails is None and ports < planes * (nics or per_node or planes))):
        ports *= planes
    if ports % planes:
        facts.breaks("planes", f"{ports} NIC ports of a node do not spread evenly over {planes} planes")
    return planes, max(ports // planes, 1)


def _speeds(facts: Facts) -> tuple[float | None, float | None, float | None, int]:
    """NIC, switch and uplink speed [Gbit/s], and node links per leaf port."""
    nic = facts.get("nic_port_gbps")
    switch = facts.get("leaf_port_gbps", "switch_port_gbps", "spine_port_gbps")
    planes = facts.whole("planes") or 1
    if nic and switch and nic > switch:
        if planes > 1 and math.isclose(nic / planes, switch):
            nic = switch
        else:
            facts.breaks(
                "speed", f"a NIC port of {nic:g} Gbit/s has no switch port of its speed: the leaf has {switch:g} Gbit/s"
            )
    split = facts.whole("downlink_split")
    if split is None:
        split = round(switch / nic) if nic and switch and switch > nic and (switch / nic) % 1 == 0 else 1
    elif nic and switch and nic * split > switch * (1 + 1e-9):
        words = f"a leaf port of {switch:g} Gbit/s does not split into {split} links of {nic:g} Gbit/s"
        facts.breaks("breakout", words)
    inter = facts.get("uplink_gbps", "spine_port_gbps", "switch_port_gbps", "leaf_port_gbps", "nic_port_gbps")
    return nic, switch or nic, inter, split


def _leaf_split(
    facts: Facts, speeds: tuple[float | None, float | None, float | None, int]
) -> tuple[int | None, int | None]:
    """Node links and uplinks of a leaf: as given, by ASIC capacity, by the ports left over, or by the stated ratio."""
    nic, switch, inter, split = speeds
    ports = facts.whole("leaf_ports", "switch_ports")
    capacity = facts.get("tor_capacity_tbps")
    down, up = facts.whole("downlinks"), facts.whole("uplinks")
    asked = facts.get("leaf_oversubscription") or 1.0
    same = switch and inter and not math.isclose(switch, inter)
    per_up = inter / switch if same and switch and inter else 1.0
    if down is not None:
        _stated_split(facts, speeds, down, up, ports)
        down *= split
    elif up is not None and capacity is not None and nic and inter:
        down = math.floor((capacity * 1000 - up * inter) / nic + 1e-9)
    elif ports is not None:
        left = ports - up * per_up if up is not None else math.floor(ports * asked / (1 + asked) + 1e-9)
        down = math.floor(left + 1e-9) * split
    if up is None and ports is not None and down is not None:
        up = math.floor((ports - math.ceil(down / split)) / per_up + 1e-9)
    return down, up


def _stated_split(
    facts: Facts,
    speeds: tuple[float | None, float | None, float | None, int],
    down: int,
    up: int | None,
    ports: int | None,
) -> None:
    """A split given by the record against the ports of the leaf and the ratio the record states."""
    _, switch, inter, _ = speeds
    if up is None or not switch or not inter:
        return
    if ports is not None and down * switch + up * inter > ports * switch * (1 + 1e-9):
        words = f"{down} downlinks at {switch:g} and {up} uplinks at {inter:g} Gbit/s exceed {ports} ports at {switch:g} Gbit/s"
        facts.breaks("leaf ports", words)
    asked = facts.get("leaf_oversubscription")
    if asked is not None and down * switch > asked * up * inter * (1 + 1e-6):
        words = f"{down}:{up} links are {down * switch / (up * inter):.3g}:1, not the stated {asked:g}:1"
        facts.breaks("stated oversubscription", words)


def _segment_capacity(facts: Facts, shape: Shape) -> None:
    """A segment hangs on one leaf per rail and plane, so that leaf carries every position of the segment and its uplinks."""
    per_segment, capacity = facts.whole("nodes_per_segment"), shape.leaf_capacity
    if not per_segment or not capacity or not shape.nic_gbps or not shape.up or not shape.up_gbps:
        return
    links = (per_segment + (facts.whole("spare_nodes") or 0) + (facts.whole("reserved_nodes") or 0)) * shape.per_rail
    used = links * shape.nic_gbps + shape.up * shape.up_gbps
    if used > capacity * (1 + 1e-9):
        words = (
            f"{links} links of {shape.nic_gbps:g} and {shape.up} of {shape.up_gbps:g} Gbit/s are {used / 1000:g} Tbit/s;"
            f" the leaf switches {capacity / 1000:g} Tbit/s"
        )
        facts.breaks("ASIC capacity", words)


def shape_of(facts: Facts) -> Shape:
    """The shape of one plane; notes the input ledgers that do not close."""
    planes, ports = node_ports(facts)
    rails = facts.whole("rails", "leaves_per_stripe")
    railed = rails is not None or facts.topology in ("rail_only", "dual_plane")
    rails = rails or max(ports, 1)
    ports = ports or rails
    if planes == 1 and ports == rails * (facts.whole("ports_per_nic") or 1):
        # the ports of a NIC land on leaves of their own (dual-ToR)
        rails = ports
    if facts.topology == "rail_only" and (facts.whole("tiers") or 1) > 1:
        # every rail is a fabric of its own, as a plane is
        planes, ports, rails = planes * rails, max(ports // rails, 1), 1
    if railed and ports % rails:
        facts.breaks("rails", f"{ports} NIC ports of a node do not spread evenly over {rails} rails")
    speeds = _speeds(facts)
    down, up = _leaf_split(facts, speeds)
    tiers = facts.whole("tiers") or {"rail_only": 1}.get(facts.topology)
    leaf_ports, switch, inter = facts.whole("leaf_ports", "switch_ports"), speeds[1], speeds[2]
    if tiers == 1:
        down, up = (leaf_ports * speeds[3] if leaf_ports else down), 0
    capacity = facts.get("tor_capacity_tbps")
    leaf_capacity = capacity * 1000 if capacity else leaf_ports * switch if leaf_ports and switch else None
    spine = facts.whole("spine_ports")
    if spine is None and facts.whole("switch_ports") and inter:
        at = facts.get("switch_port_gbps") or facts.get("leaf_port_gbps") or inter
        spine = math.floor(facts.values["switch_ports"] * at / inter + 1e-9)
    core = facts.whole("core_ports", "spine_ports", "switch_ports")
    outward = facts.whole("agg_uplinks") or 0
    if spine is not None and spine <= outward:
        facts.breaks(
            "spine ports", f"{outward} uplinks leave none of the {spine} ports of an aggregation switch for leaves"
        )
        spine, outward = None, 0
    return Shape(
        planes=planes, rails=rails if railed else 1, per_rail=max(ports // rails, 1) if railed else ports, railed=railed,
        nic_gbps=speeds[0], up_gbps=inter, down=down, up=up, leaf_capacity=leaf_capacity, spine_ports=spine,
        spine_up=outward, core_ports=core, breakout=facts.whole("interswitch_breakout") or 1,
        tiers=tiers, asked=facts.get("leaf_oversubscription"),
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
    _segment_capacity(facts, shape)
    _single_leaf(facts, shape)
    leaves = leaves_of_plane(facts, shape)
    nodes = facts.whole("nodes")
    if leaves is None and nodes is None and shape.tiers is not None and shape.down and "downlinks" not in facts.given:
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
        facts.learn("cables_node_leaf_plus_ufm", links + (facts.whole("ufm_ports") or 0))
        facts.learn("nic_ports", nodes * shape.ports_per_node * shape.planes)
        if shape.nic_gbps:
            facts.learn("server_leaf_tbps", nodes * shape.ports_per_node * shape.planes * shape.nic_gbps / 1000)
    _ratios(facts, shape)
    _totals(facts)
    return shape


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
