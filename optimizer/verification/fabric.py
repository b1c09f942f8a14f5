"""The scale-out fabric of a design: every reported count and figure rebuilt from switch, tiers, split, core and media."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from models.instance import Instance
from models.parts.network_part import Switch
from models.physics.network.lengths import RackPlan
from models.physics.network.ports import PortPlan
from optimizer.design import PodChoice
from optimizer.verification.clos import Clos, build, ceil_div
from optimizer.verification.findings import Checks
from optimizer.verification.media import Medium, cages, medium_of, units_at
from optimizer.verification.racks import RackParts

LEVELS = ("node_leaf", "leaf_spine", "spine_core")


@dataclass(frozen=True)
class FabricFacts:
    """What the rest of a pod needs of its fabric. ``ends``: modules or cable ends by link part. Power [W], rates [B/s] per accelerator."""

    switch: Switch
    switches: int
    ends: dict[str, int]
    power_max: float
    power_typical: float
    rack_units: float
    weight: float
    injection: float
    bisection: float
    narrowest: float


@dataclass(frozen=True)
class _Asked:
    nodes: int
    ports: int
    speed: float
    accelerators_per_node: int
    plan: PortPlan
    radix: int
    split: int


def check_fabric(
    checks: Checks, instance: Instance, pod: PodChoice, parts: RackParts, prefix: str
) -> FabricFacts | None:
    """The fabric's figures, or None where its switch is unknown or its counts cannot be built."""
    told = pod.fabric
    switch = instance.catalogue.of(Switch).get(str(told["switch"]))
    if (
        not checks.rule(f"{prefix}.switch", switch is not None, told["switch"], "a switch of the catalogue")
        or not switch
    ):
        return None
    asked = _asked(pod, parts, switch)
    if not _legal(checks, instance, pod, switch, asked, prefix):
        return None
    clos = build(
        nodes=asked.nodes, ports=asked.ports, railed=bool(told["rail_optimised"]), tiers=told["tiers"], radix=asked.radix,
        down=told["down"], up=told["up"], spine_split=asked.split, core=told["core"],
    )  # fmt: skip
    checks.rule(f"{prefix}.tiers", clos.problem is None, clos.problem, "a legal spread of links")
    if told["tiers"] == 3:
        choices = sorted({clos.least_core, clos.even_core} - {0})
        checks.rule(f"{prefix}.core", told["core"] in choices, told["core"], choices, "least, or least even spread")
    else:
        checks.same(f"{prefix}.core", told["core"], 0)
    if clos.problem is not None:
        return None
    return _figures(checks, instance, pod, parts, switch, asked, clos, prefix)


def _asked(pod: PodChoice, parts: RackParts, switch: Switch) -> _Asked:
    system = parts.system
    assert system.scaleout_nics is not None and system.rails is not None
    assert system.scaleout_speed is not None and system.accelerators is not None
    trays = system.scaleout_nics // system.rails
    plan = PortPlan(
        switch.native_ports or 0, switch.native_speed or 0.0, switch.most_ports, switch.most_ports_speed, switch.cages
    )
    radix = plan.radix(system.scaleout_speed)
    return _Asked(
        pod.systems * trays, system.rails, system.scaleout_speed, system.accelerators // trays, plan, radix, radix // 2
    )


def _legal(
    checks: Checks, instance: Instance, pod: PodChoice, switch: Switch, asked: _Asked, prefix: str
) -> bool:  # fmt: skip
    """Whether switch, tiers and split are allowed and close their ports; False where nothing can be counted."""
    told, space = pod.fabric, instance.workloads[pod.cluster].design_space
    fabric = space.fabric
    absent = switch.missing("native_ports", "native_speed", "typical_power", "max_power", "height_units", "weight")
    counted = checks.rule(f"{prefix}.switch", absent is None and switch.price is not None, absent, "all its figures")
    allowed = fabric.switches is None or switch.id in fabric.switches
    checks.rule(f"{prefix}.switch", allowed, switch.id, fabric.switches, "not in the design space")
    allowed = fabric.protocols is None or switch.protocol in fabric.protocols
    checks.rule(f"{prefix}.switch", allowed, switch.protocol, fabric.protocols)
    whole = not switch.protocol.endswith("-DES")
    checks.rule(f"{prefix}.switch", whole, switch.protocol, "a switch that builds a fabric by itself")
    certain = space.preliminary_parts or not switch.preliminary
    checks.rule(f"{prefix}.switch", certain, switch.id, "no preliminary part")
    checks.rule(f"{prefix}.tiers", told["tiers"] in fabric.tiers, told["tiers"], fabric.tiers)
    checks.same(f"{prefix}.rail_optimised", told["rail_optimised"], fabric.rail_optimised)
    listed = told["asked_oversubscription"] in (*fabric.oversubscription, 1.0 if told["tiers"] == 1 else None)
    checks.rule(
        f"{prefix}.asked_oversubscription", listed, told["asked_oversubscription"], list(fabric.oversubscription)
    )
    checks.rule(f"{prefix}.uplink_speed", asked.speed in fabric.speeds, asked.speed, list(fabric.speeds))
    counted &= checks.rule(f"{prefix}.switch", asked.radix > 0, asked.radix, "ports of the node's speed")
    down, up = told["down"], told["up"]
    counted &= checks.rule(f"{prefix}.down", isinstance(down, int) and 0 < down <= asked.radix, down, asked.radix)
    if told["tiers"] == 1:
        checks.same(f"{prefix}.up", up, 0)
        return counted
    counted &= checks.rule(f"{prefix}.up", isinstance(up, int) and up > 0, up, "uplinks")
    if counted:
        used = down + up
        idle = asked.radix * fabric.wasted_ports_at_most
        closes = asked.radix - idle - 1e-9 <= used <= asked.radix
        checks.rule(f"{prefix}.up", closes, used, asked.radix, "ports of a leaf, idle share within bounds")
        most = told["asked_oversubscription"]
        checks.rule(f"{prefix}.up", down <= up * most * (1 + 1e-9), down / up, most, "down over up bandwidth")
    return counted


def _figures(
    checks: Checks, instance: Instance, pod: PodChoice, parts: RackParts, switch: Switch, asked: _Asked, clos: Clos, prefix: str
) -> FabricFacts | None:  # fmt: skip
    told = pod.fabric
    expected = _counts(instance, pod, asked, clos)
    media: dict[str, Medium] = {}
    lengths = _lengths(instance, pod, parts, switch, asked, clos)
    at_switch, at_node = cages(switch, asked.plan, asked.speed)
    links = (expected["links_node_leaf"], expected["logical_leaf_spine"], expected["links_spine_core"])
    bill = _Bill()
    for order, (level, count) in enumerate(zip(LEVELS, links, strict=True)):
        present = told["tiers"] > order
        expected[f"length_{level}"] = lengths[level] if present else 0.0
        name = told[f"medium_{level}"]
        if not present:
            expected.update({f"medium_{level}": None, f"near_units_{level}": 0, f"far_units_{level}": 0})
            continue
        ends = (at_switch, at_node if level == "node_leaf" else at_switch)
        where = f"{prefix}.medium_{level}"
        medium = medium_of(checks, instance, pod.cluster, name, asked.speed, ends, where)
        if medium is None:
            return None
        checks.rule(where, lengths[level] <= medium.reach + 1e-9, medium.reach, lengths[level], "m of reach")
        if medium.is_cable:
            shared = min(ends[0].ports, ends[1].ports)
            together = _together(level, told, clos, asked)
            checks.rule(where, together % shared == 0, together, f"a multiple of {shared}", "links between two cages")
        near, far = units_at(level, medium, clos, asked.nodes, asked.ports)
        expected.update({f"medium_{level}": name, f"near_units_{level}": near, f"far_units_{level}": far})
        media[level] = medium
        bill.add(level, medium, near, far, count, asked.speed)
    facts = _totals(expected, bill, switch, asked, clos)
    if "spine_switch" in told:
        expected["spine_switch"] = switch.id
    for key, value in told.items():
        if checks.rule(f"{prefix}.{key}", key in expected, value, "a field that verification knows"):
            checks.same(f"{prefix}.{key}", value, expected[key])
    for key in expected.keys() - told.keys():
        checks.rule(f"{prefix}.{key}", False, None, expected[key], "the field is missing")
    return facts


def _together(level: str, told: Any, clos: Clos, asked: _Asked) -> int:
    if level == "node_leaf":
        return asked.ports if not told["rail_optimised"] and told["down"] % asked.ports == 0 else 1
    return clos.groups[0].links_per_pair if level == "leaf_spine" else 1


def _counts(instance: Instance, pod: PodChoice, asked: _Asked, clos: Clos) -> dict[str, Any]:
    """Counts and port ledger. A pod's fabric has one plane, one inter-switch speed, no breakout and no manager ports."""
    told = pod.fabric
    tiers, down, up = told["tiers"], told["down"], told["up"]
    three = tiers == 3
    uplinks = 0 if tiers == 1 else clos.leaf * up
    first = clos.groups[0] if clos.groups else None
    node_links = asked.nodes * asked.ports
    used_up = clos.leaf * up
    spine_ports, core_ports = clos.spine * asked.radix, clos.core * asked.radix
    taper_spine = 1.0
    if three and first is not None:
        taper_spine = min(1.0, first.up / first.down) * clos.core_share
    fullest = max(clos.leaf_ports_used)
    taper_leaf = 1.0 if tiers == 1 else min(1.0, up / fullest)
    injection = asked.ports * asked.speed / asked.accelerators_per_node
    return {
        "size": _position(instance, pod, asked), "nodes": asked.nodes,
        "accelerators": asked.nodes * asked.accelerators_per_node, "switch": told["switch"], "tiers": tiers,
        "rail_optimised": told["rail_optimised"], "planes": 1, "breakout": 1, "uplink_speed": asked.speed,
        "asked_oversubscription": told["asked_oversubscription"], "oversubscription": down / up if up else 1.0,
        "spine_oversubscription": first.down / first.up if three and first is not None else 1.0,
        "down": down if up else asked.radix, "up": up, "spine_split_down": asked.split if three else 0,
        "spine_split_up": asked.split if three else 0, "spine_down": first.down if first is not None else 0,
        "spine_up": first.up if first is not None else 0, "leaf": clos.leaf, "spine": clos.spine, "core": clos.core,
        "groups": clos.groups_per_rail, "links_node_leaf": node_links, "links_leaf_spine": uplinks,
        "links_spine_core": clos.core_links if three else 0, "logical_leaf_spine": uplinks,
        "leaf_ports": clos.leaf * asked.radix, "leaf_down_used": node_links, "leaf_up_used": used_up, "leaf_reserved": 0,
        "leaf_spare": clos.leaf * asked.radix - used_up - node_links, "spine_ports": spine_ports,
        "spine_down_used": uplinks, "spine_up_used": clos.core_links if three else 0,
        "spine_spare": spine_ports - uplinks - (clos.core_links if three else 0), "core_ports": core_ports,
        "core_used": clos.core_links if three else 0,
        "core_spare": core_ports - (clos.core_links if three else 0), "taper_leaf": taper_leaf,
        "taper_spine": taper_spine, "injection": injection, "bisection": injection * taper_leaf * taper_spine,
    }  # fmt: skip


def _position(instance: Instance, pod: PodChoice, asked: _Asked) -> int:
    """Place of the pod's size among the sizes of the design space, -1 where it is none of them."""
    each = pod.accelerators // pod.systems if pod.systems else 1
    sizes = instance.workloads[pod.cluster].design_space.sizes
    counts = sorted({ceil_div(wanted, each) for wanted in range(sizes.smallest, sizes.largest + 1, sizes.step)})
    return counts.index(pod.systems) if pod.systems in counts else -1


def _lengths(
    instance: Instance, pod: PodChoice, parts: RackParts, switch: Switch, asked: _Asked, clos: Clos
) -> dict[str, float]:
    """Longest run [m] of each level: leaves among their nodes, spines among their leaves, the core in mid-hall."""
    told, rows = pod.fabric, instance.sites[pod.site].rows
    trays = asked.nodes // pod.systems
    plan = RackPlan(
        nodes_per_rack=pod.systems_per_rack * trays, racks_per_row=rows.racks_per_row, rack_pitch=rows.rack_pitch,
        row_pitch=rows.row_pitch, rise=rows.tray_height,
    )  # fmt: skip
    height = switch.height_units or 1.0
    railed, down, ports = told["rail_optimised"], told["down"], asked.ports
    plain = ceil_div(down, ports) + (0 if down % ports == 0 else 1)
    served = min(down if railed else plain, asked.nodes)
    block, beside = int(plan.node_racks(served)), int(plan.network_racks((ports if railed else 1) * height))
    to_leaf = plan.in_rack if block == 1 else float(plan.run(block, beside))
    lengths = {"node_leaf": to_leaf, "leaf_spine": 0.0, "spine_core": 0.0}
    if not clos.groups:
        return lengths
    three = told["tiers"] == 3
    first = clos.groups[0]
    inside = first.leaves * down if railed else first.leaves * down // ports
    nodes = min(inside, asked.nodes) if three else asked.nodes
    rails = clos.rails if three else 1
    leaf_racks = plan.network_racks(rails * first.leaves * height)
    spine_racks = plan.network_racks(rails * first.spines * height)
    lengths["leaf_spine"] = float(plan.run(plan.node_racks(nodes) + leaf_racks, spine_racks))
    if three:
        hall = plan.node_racks(asked.nodes) + plan.network_racks((clos.leaf + clos.spine) * height)
        lengths["spine_core"] = float(plan.run(hall, plan.network_racks(clos.core * height)))
    return lengths


class _Bill:
    """Sums over the links of a fabric."""

    def __init__(self) -> None:
        self.low = self.high = self.at_switch = self.at_node = self.failures = 0.0
        self.fibres = 0
        self.ends: dict[str, int] = {}

    def add(self, level: str, medium: Medium, near: int, far: int, links: int, speed: float) -> None:
        """Add one level's links."""
        for link, units, upper in ((medium.near, near, True), (medium.far, far, False)):
            price = link.price_per_end
            assert price is not None and link.power_per_end is not None
            self.low += units * price.low
            self.high += units * price.high
            if upper or level != "node_leaf":
                self.at_switch += units * link.power_per_end
            else:
                self.at_node += units * link.power_per_end
            if units:
                self.ends[link.id] = self.ends.get(link.id, 0) + units
        self.failures += links * medium.failure_rate
        self.fibres += links * medium.fibres(speed)


def _totals(expected: dict[str, Any], bill: _Bill, switch: Switch, asked: _Asked, clos: Clos) -> FabricFacts:
    """Adds power, prices, mass and failures to ``expected``."""
    switches = clos.leaf + clos.spine + clos.core
    price = switch.price
    assert price is not None and switch.typical_power is not None and switch.max_power is not None
    assert switch.height_units is not None and switch.weight is not None
    said = f"{switch.name} {switch.notes}".lower()
    bare = "both without optics" in said or "power without optics" in said
    expected["power_typical"] = switches * switch.typical_power + bill.at_switch + bill.at_node
    expected["power_max"] = switches * switch.max_power + bill.at_node + (bill.at_switch if bare else 0.0)
    expected["capex_switches_low"], expected["capex_switches_high"] = switches * price.low, switches * price.high
    expected["capex_links_low"], expected["capex_links_high"] = bill.low, bill.high
    expected["rack_units"], expected["weight"] = switches * switch.height_units, switches * switch.weight
    expected["link_failure_rate"], expected["fibres"] = bill.failures, bill.fibres
    return FabricFacts(
        switch, switches, bill.ends, expected["power_max"], expected["power_typical"], expected["rack_units"],
        expected["weight"], expected["injection"], expected["bisection"],
        expected["injection"] * min(expected["taper_leaf"], expected["taper_spine"]),
    )  # fmt: skip
