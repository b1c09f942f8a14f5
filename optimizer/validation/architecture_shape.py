"""What one plane of a published Clos is made of: ports of a node, speeds, the split of a leaf; and the ledgers its inputs break."""

from __future__ import annotations

import math
from dataclasses import dataclass

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
    if nic and switch and split and planes > 1 and nic * split > switch and math.isclose(nic / planes * split, switch):
        # the port of a NIC is stated whole and parts over the planes
        nic = nic / planes
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
        if up < 0:
            facts.breaks("leaf ports", f"{down} node links do not fit {ports} ports split into {split}")
            up = 0
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
        words = f"{down} links of {switch:g} over {up} of {inter:g} Gbit/s are more than the stated {asked:g}:1"
        facts.breaks("stated oversubscription", words)


def check_segment(facts: Facts, shape: Shape) -> None:
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
    shared = facts.whole("rails_per_leaf") or 1
    if railed and shared > 1:
        if rails % shared:
            facts.breaks("rails", f"{rails} rails do not spread evenly over leaves of {shared} rails each")
        rails = max(rails // shared, 1)
    speeds = _speeds(facts)
    down, up = _leaf_split(facts, speeds)
    tiers = facts.whole("tiers") or {"rail_only": 1}.get(facts.topology)
    leaf_ports, switch, inter = facts.whole("leaf_ports", "switch_ports"), speeds[1], speeds[2]
    if tiers == 1:
        down, up = (leaf_ports * speeds[3] if leaf_ports else down), 0
    capacity = facts.get("tor_capacity_tbps")
    leaf_capacity = capacity * 1000 if capacity else leaf_ports * switch if leaf_ports and switch else None
    spine = facts.whole("spine_ports")
    if spine is None and inter is None:
        # no speed is stated anywhere: one speed for all
        spine = facts.whole("switch_ports")
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
