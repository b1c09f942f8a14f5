"""A fabric of a design: every reported count and figure rebuilt from switches, tiers, split, core and media."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from models.parts.network_part import Switch
from models.physics.network.lengths import RackPlan
from models.physics.network.ports import PortPlan
from optimizer.verification.clos import Clos, build, ceil_div
from optimizer.verification.fabric_question import Question, port_plan
from optimizer.verification.findings import Checks
from optimizer.verification.media import Cage, Medium, cages, medium_of, units_at

LEVELS = ("node_leaf", "leaf_spine", "spine_core")
FIGURES = ("cages", "native_ports", "native_speed", "typical_power", "max_power", "height_units", "weight")


@dataclass(frozen=True)
class FabricFacts:
    """What the rest of a pod needs of its fabric. ``ends``: modules or cable ends by link part. Power [W], rates [B/s] per accelerator."""

    switch: Switch
    models: dict[str, int]
    ends: dict[str, int]
    power_max: float
    power_typical: float
    rack_units: float
    weight: float
    injection: float
    bisection: float
    narrowest: float
    leaf: int
    spine: int
    core: int
    fullest_leaf: int
    node_links: int
    node_link_failures: float

    @property
    def switches(self) -> int:
        """Switches of all tiers."""
        return self.leaf + self.spine + self.core


@dataclass(frozen=True)
class _Built:
    """Leaf and upper switches of a fabric, their ports, and ``inter`` [B/s] between switches."""

    leaf: Switch
    upper: Switch
    plan: PortPlan
    upper_plan: PortPlan
    inter: float

    @property
    def dedicated(self) -> int:
        """Ports of a leaf that face only other switches, at the speed between switches."""
        return self.plan.uplink_ports if self.plan.uplink_speed == self.inter else 0

    def cage(self, upper: bool, speed: float) -> Cage:
        """The cage of a port at ``speed`` of an upper switch or of a leaf."""
        switch, plan = (self.upper, self.upper_plan) if upper else (self.leaf, self.plan)
        if plan.uplink_ports and plan.uplink_speed == speed:
            return Cage(1, speed, speed / 4)
        return cages(switch, plan, speed)[0]


def check_fabric(checks: Checks, asked: Question, told: Mapping[str, Any], prefix: str) -> FabricFacts | None:
    """The fabric's figures, or None where a switch is unknown or its counts cannot be built."""
    known = asked.instance.catalogue.of(Switch)
    found = [known.get(str(told[name])) for name in ("switch", "spine_switch")]
    for name, switch in zip(("switch", "spine_switch"), found, strict=True):
        checks.rule(f"{prefix}.{name}", switch is not None, told[name], "a switch of the catalogue")
    if found[0] is None or found[1] is None:
        return None
    inter = asked.uplink if told["tiers"] > 1 else asked.speed
    built = _Built(found[0], found[1], port_plan(found[0]), port_plan(found[1]), inter)
    if not _legal(checks, asked, told, built, prefix):
        return None
    radix = built.upper_plan.radix(inter) if told["tiers"] > 1 else built.plan.radix(asked.speed)
    clos = build(
        nodes=asked.nodes, ports=asked.ports, railed=bool(told["rail_optimised"]), tiers=told["tiers"], radix=radix,
        down=told["down"], up=told["up"], spine_split=radix // 2, core=told["core"],
    )  # fmt: skip
    checks.rule(f"{prefix}.tiers", clos.problem is None, clos.problem, "a legal spread of links")
    if told["tiers"] == 3:
        choices = sorted({clos.least_core, clos.even_core} - {0})
        checks.rule(f"{prefix}.core", told["core"] in choices, told["core"], choices, "least, or least even spread")
    else:
        checks.same(f"{prefix}.core", told["core"], 0)
    return _figures(checks, asked, told, built, clos, radix, prefix) if clos.problem is None else None


def _legal(checks: Checks, asked: Question, told: Mapping[str, Any], built: _Built, prefix: str) -> bool:
    """Whether switches, tiers and split are allowed and close their ports; False where nothing can be counted."""
    counted = True
    certain = asked.instance.workloads[asked.cluster].design_space.preliminary_parts
    for switch, name in ((built.leaf, "switch"), (built.upper, "spine_switch")):
        where = f"{prefix}.{name}"
        absent = switch.missing(*FIGURES)
        counted &= checks.rule(where, absent is None and switch.price is not None, absent, "all its figures")
        allowed = asked.switches is None or switch.id in asked.switches
        checks.rule(where, allowed, switch.id, asked.switches, "not in the design space")
        allowed = asked.protocols is None or switch.protocol in asked.protocols
        checks.rule(where, allowed, switch.protocol, asked.protocols)
        whole = not switch.protocol.endswith("-DES")
        checks.rule(where, whole, switch.protocol, "a switch that builds a fabric by itself")
        checks.rule(where, certain or not switch.preliminary, switch.id, "no preliminary part")
    pair = built.leaf is built.upper or (built.inter != asked.speed and built.leaf.protocol == built.upper.protocol)
    checks.rule(f"{prefix}.spine_switch", pair and (built.leaf is built.upper or built.dedicated > 0),
                built.upper.id, "the leaf's own model, or one its uplinks reach")  # fmt: skip
    checks.rule(f"{prefix}.tiers", told["tiers"] in asked.tiers, told["tiers"], asked.tiers)
    checks.same(f"{prefix}.rail_optimised", told["rail_optimised"], asked.rails)
    listed = told["asked_oversubscription"] in (*asked.oversubscription, 1.0 if told["tiers"] == 1 else None)
    ratios = list(asked.oversubscription)
    checks.rule(f"{prefix}.asked_oversubscription", listed, told["asked_oversubscription"], ratios)
    checks.rule(f"{prefix}.uplink_speed", asked.speed in asked.speeds, asked.speed, list(asked.speeds))
    radix = built.plan.radix(asked.speed)
    counted &= checks.rule(f"{prefix}.switch", radix > 0, radix, "ports of the node's speed")
    down, up = told["down"], told["up"]
    counted &= checks.rule(f"{prefix}.down", isinstance(down, int) and 0 < down <= radix, down, radix)
    if told["tiers"] == 1:
        checks.same(f"{prefix}.up", up, 0)
        return counted
    counted &= checks.rule(f"{prefix}.up", isinstance(up, int) and up > 0, up, "uplinks")
    counted &= checks.rule(f"{prefix}.spine_switch", built.upper_plan.radix(built.inter) > 0, built.inter, "its speed")
    if counted:
        _check_split(checks, asked, told, built, prefix)
    return counted


def _check_split(checks: Checks, asked: Question, told: Mapping[str, Any], built: _Built, prefix: str) -> None:
    """The ports of a leaf: down and up within what it has, no more idle than allowed, the ratio kept."""
    down, up, most = told["down"], told["up"], told["asked_oversubscription"]
    plan, where = built.plan, f"{prefix}.up"
    radix = plan.radix(asked.speed)
    ratio = down * asked.speed / (up * built.inter)
    checks.rule(where, ratio <= most * (1 + 1e-9), ratio, most, "down over up bandwidth")
    if built.dedicated:
        checks.rule(where, down == radix and up <= built.dedicated, (down, up), (radix, built.dedicated))
        return
    units = radix if built.inter == asked.speed else (plan.cages or plan.native_ports)
    each_down, each_up = radix // units, plan.radix(built.inter) // units
    whole = each_down > 0 and each_up > 0 and down % each_down == 0 and up % each_up == 0
    if not checks.rule(where, whole, (down, up), (each_down, each_up), "whole cages of one speed"):
        return
    used = down // each_down + up // each_up
    idle = units * asked.waste
    closes = units - idle - 1e-9 <= used <= units
    checks.rule(where, closes, used, units, "ports of a leaf, idle share within bounds")
    carried = down * asked.speed + up * built.inter
    checks.rule(where, carried <= plan.capacity * (1 + 1e-9), carried, plan.capacity, "B/s of the switch")


def _figures(
    checks: Checks, asked: Question, told: Mapping[str, Any], built: _Built, clos: Clos, radix: int, prefix: str
) -> FabricFacts | None:  # fmt: skip
    expected = _counts(asked, told, built, clos, radix)
    media: dict[str, Medium] = {}
    lengths = _lengths(asked, told, built, clos)
    node = Cage(1, asked.speed, asked.speed / 4)
    ends = {
        "node_leaf": (asked.speed, built.cage(False, asked.speed), node),
        "leaf_spine": (built.inter, built.cage(True, built.inter), built.cage(False, built.inter)),
        "spine_core": (built.inter, built.cage(True, built.inter), built.cage(True, built.inter)),
    }
    links = (expected["links_node_leaf"], expected["logical_leaf_spine"], expected["links_spine_core"])
    bill = _Bill()
    for order, (level, count) in enumerate(zip(LEVELS, links, strict=True)):
        present = told["tiers"] > order
        expected[f"length_{level}"] = lengths[level] if present else 0.0
        name = told[f"medium_{level}"]
        if not present:
            expected.update({f"medium_{level}": None, f"near_units_{level}": 0, f"far_units_{level}": 0})
            continue
        speed, near_cage, far_cage = ends[level]
        where = f"{prefix}.medium_{level}"
        medium = medium_of(checks, asked.instance, asked.media, name, speed, (near_cage, far_cage), where)
        if medium is None:
            return None
        checks.rule(where, lengths[level] <= medium.reach + 1e-9, medium.reach, lengths[level], "m of reach")
        if medium.is_cable:
            shared = min(near_cage.ports, far_cage.ports)
            together = _together(level, told, clos, asked)
            checks.rule(where, together % shared == 0, together, f"a multiple of {shared}", "links between two cages")
        near, far = units_at(level, medium, clos, asked.nodes, asked.ports)
        expected.update({f"medium_{level}": name, f"near_units_{level}": near, f"far_units_{level}": far})
        media[level] = medium
        bill.add(level, medium, near, far, count, speed)
    facts = _totals(expected, bill, built, clos)
    for key, value in told.items():
        if checks.rule(f"{prefix}.{key}", key in expected, value, "a field that verification knows"):
            checks.same(f"{prefix}.{key}", value, expected[key])
    for key in expected.keys() - told.keys():
        checks.rule(f"{prefix}.{key}", False, None, expected[key], "the field is missing")
    return facts


def _together(level: str, told: Mapping[str, Any], clos: Clos, asked: Question) -> int:
    if level == "node_leaf":
        return asked.ports if not told["rail_optimised"] and told["down"] % asked.ports == 0 else 1
    return clos.groups[0].links_per_pair if level == "leaf_spine" else 1


def _counts(
    asked: Question, told: Mapping[str, Any], built: _Built, clos: Clos, radix: int
) -> dict[str, Any]:  # fmt: skip
    """Counts and port ledger. A fabric of a design has one plane, no breakout and no manager ports."""
    tiers, down, up = told["tiers"], told["down"], told["up"]
    three = tiers == 3
    uplinks = 0 if tiers == 1 else clos.leaf * up
    first = clos.groups[0] if clos.groups else None
    node_links = asked.nodes * asked.ports
    leaf_radix = built.plan.radix(asked.speed)
    leaf_ports = clos.leaf * (leaf_radix + built.dedicated)
    # uplinks in units of node ports, so that the ledger closes at two speeds as well
    used_up = clos.leaf * (up if built.dedicated else up * leaf_radix // max(built.plan.radix(built.inter), 1))
    spine_ports, core_ports = clos.spine * radix, clos.core * radix
    taper_spine = 1.0
    if three and first is not None:
        taper_spine = min(1.0, first.up / first.down) * clos.core_share
    fullest = max(clos.leaf_ports_used)
    taper_leaf = 1.0 if tiers == 1 else min(1.0, up * built.inter / (fullest * asked.speed))
    injection = asked.ports * asked.speed / asked.accelerators_per_node
    core_links = clos.core_links if three else 0
    counts = {
        "nodes": asked.nodes,
        "accelerators": asked.nodes * asked.accelerators_per_node, "switch": told["switch"], "tiers": tiers,
        "spine_switch": told["spine_switch"],
        "rail_optimised": told["rail_optimised"], "planes": 1, "breakout": 1, "uplink_speed": built.inter,
        "asked_oversubscription": told["asked_oversubscription"],
        "oversubscription": down * asked.speed / (up * built.inter) if up else 1.0,
        "spine_oversubscription": first.down / first.up if three and first is not None else 1.0,
        "down": down if up else leaf_radix, "up": up, "spine_split_down": radix // 2 if three else 0,
        "spine_split_up": radix // 2 if three else 0, "spine_down": first.down if first is not None else 0,
        "spine_up": first.up if first is not None else 0, "leaf": clos.leaf, "spine": clos.spine, "core": clos.core,
        "groups": clos.groups_per_rail, "links_node_leaf": node_links, "links_leaf_spine": uplinks,
        "links_spine_core": core_links, "logical_leaf_spine": uplinks,
        "leaf_ports": leaf_ports, "leaf_down_used": node_links, "leaf_up_used": used_up, "leaf_reserved": 0,
        "leaf_spare": leaf_ports - used_up - node_links, "spine_ports": spine_ports,
        "spine_down_used": uplinks, "spine_up_used": core_links,
        "spine_spare": spine_ports - uplinks - core_links, "core_ports": core_ports, "core_used": core_links,
        "core_spare": core_ports - core_links, "taper_leaf": taper_leaf,
        "taper_spine": taper_spine, "injection": injection, "bisection": injection * taper_leaf * taper_spine,
    }  # fmt: skip
    return counts if asked.position is None else {"size": asked.position, **counts}


def _lengths(asked: Question, told: Mapping[str, Any], built: _Built, clos: Clos) -> dict[str, float]:
    """Longest run [m] of each level: leaves among their nodes, spines among their leaves, the core in mid-hall."""
    rows = asked.instance.sites[asked.site].rows
    plan = RackPlan(
        nodes_per_rack=asked.nodes_per_rack, racks_per_row=max(1, rows.racks_per_row // asked.positions),
        rack_pitch=rows.rack_pitch * asked.positions,
        row_pitch=rows.row_pitch, rise=rows.tray_height,
    )  # fmt: skip
    height, above = built.leaf.height_units or 1.0, built.upper.height_units or 1.0
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
    spine_racks = plan.network_racks(rails * first.spines * above)
    lengths["leaf_spine"] = float(plan.run(plan.node_racks(nodes) + leaf_racks, spine_racks))
    if three:
        hall = plan.node_racks(asked.nodes) + plan.network_racks(clos.leaf * height + clos.spine * above)
        lengths["spine_core"] = float(plan.run(hall, plan.network_racks(clos.core * above)))
    return lengths


class _Bill:
    """Sums over the links of a fabric."""

    def __init__(self) -> None:
        self.low = self.high = self.at_switch = self.at_node = self.failures = self.node_failures = 0.0
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
        self.node_failures += links * medium.failure_rate if level == "node_leaf" else 0.0
        self.fibres += links * medium.fibres(speed)


def _totals(expected: dict[str, Any], bill: _Bill, built: _Built, clos: Clos) -> FabricFacts:
    """Adds power, prices, mass and failures to ``expected``."""
    counts = ((built.leaf, clos.leaf), (built.upper, clos.spine + clos.core))
    bare = False
    sums = dict.fromkeys(("typical_power", "max_power", "height_units", "weight", "low", "high"), 0.0)
    models: dict[str, int] = {}
    for switch, count in counts:
        assert switch.price is not None
        for name in ("typical_power", "max_power", "height_units", "weight"):
            sums[name] += count * (getattr(switch, name) or 0.0)
        sums["low"] += count * switch.price.low
        sums["high"] += count * switch.price.high
        models[switch.id] = models.get(switch.id, 0) + count
        said = f"{switch.name} {switch.notes}".lower()
        bare |= "both without optics" in said or "power without optics" in said
    expected["power_typical"] = sums["typical_power"] + bill.at_switch + bill.at_node
    expected["power_max"] = sums["max_power"] + bill.at_node + (bill.at_switch if bare else 0.0)
    expected["capex_switches_low"], expected["capex_switches_high"] = sums["low"], sums["high"]
    expected["capex_links_low"], expected["capex_links_high"] = bill.low, bill.high
    expected["rack_units"], expected["weight"] = sums["height_units"], sums["weight"]
    expected["link_failure_rate"], expected["fibres"] = bill.failures, bill.fibres
    return FabricFacts(
        built.leaf, models, bill.ends, expected["power_max"], expected["power_typical"], expected["rack_units"],
        expected["weight"], expected["injection"], expected["bisection"],
        expected["injection"] * min(expected["taper_leaf"], expected["taper_spine"]), clos.leaf, clos.spine, clos.core,
        max(clos.leaf_ports_used), expected["links_node_leaf"], bill.node_failures,
    )  # fmt: skip
