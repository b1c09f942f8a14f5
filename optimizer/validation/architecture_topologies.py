"""Counts of tori, dragonflies, scale-up domains, racks and power chains of a published architecture, and the ledgers they break."""

from __future__ import annotations

import math

from models.physics.network.dragonfly import Dragonfly, DragonflyPlus
from models.physics.network.scaleup import ScaleUp
from models.physics.network.torus import CubeTorus, torus_links
from optimizer.validation.architecture_facts import Facts


def _by(edges: tuple[int, ...]) -> str:
    return "x".join(map(str, edges))


def derive_torus(facts: Facts) -> None:
    """Chips, optical switches and port ends of a torus, of cubes joined by optical switches where the record has a cube."""
    edges = facts.get("cube", "torus", "dimensions", "shape")
    if not isinstance(edges, tuple) or not edges:
        return
    edges = tuple(int(edge) for edge in edges)
    cubes = facts.whole("cubes")
    whole = facts.get("torus", "dimensions", "shape")
    if cubes is None and facts.get("cube") and isinstance(whole, tuple):
        if len(whole) != len(edges) or any(long % short for long, short in zip(whole, edges, strict=False)):
            facts.breaks("contents", f"cubes of {_by(edges)} do not fill a torus of {_by(whole)}")
            return
        cubes = math.prod(whole) // math.prod(edges)
    if cubes is None and facts.get("accelerators"):
        cubes = math.ceil(facts.values["accelerators"] / math.prod(edges))
        if cubes * math.prod(edges) != facts.values["accelerators"]:
            words = f"{facts.values['accelerators']:g} chips are no whole number of cubes of {math.prod(edges)}"
            facts.breaks("contents", words)
    if facts.topology == "torus" and (cubes or 1) == 1:
        facts.learn("accelerators", math.prod(edges))
        facts.learn("torus_links", torus_links(edges))
        return
    torus = CubeTorus(cubes or 1, edges)
    facts.learn("chips_per_cube", torus.chips_per_cube)
    facts.learn("optical_ports_per_cube", torus.ports_per_cube)
    facts.learn("ocs", torus.switches)
    facts.learn("transceivers_per_chip", torus.ports_per_chip)
    if cubes is None:
        return
    facts.learn("cubes", cubes)
    facts.learn("ocs_ports_used", torus.ports_per_switch)
    facts.learn("optical_port_ends", torus.port_ends)
    facts.learn("copper_links", torus.copper_links)
    if facts.get("accelerators") not in (None, torus.chips):
        facts.breaks(
            "contents",
            f"{cubes} cubes of {torus.chips_per_cube} chips are {torus.chips} chips, not {facts.values['accelerators']:g}",
        )
    facts.learn("accelerators", torus.chips)
    ports = facts.whole("ocs_ports", "switch_ports")
    if ports is not None and torus.ports_per_switch > ports:
        words = f"an optical switch takes 2 ports of each of {cubes} cubes, {torus.ports_per_switch} in all, but has {ports}"
        facts.breaks("optical switch ports", words)


def _groups(facts: Facts) -> int | None:
    gpu, other = facts.whole("groups_gpu"), facts.whole("groups_other")
    stated = facts.whole("groups")
    parts = None if gpu is None else gpu + (other or 0)
    if stated is not None and parts is not None and other is not None and stated != parts:
        facts.breaks("contents", f"{gpu} groups of accelerators and {other} others are {parts} groups, not {stated}")
    groups = stated if stated is not None else parts
    nodes, each = facts.whole("nodes"), facts.whole("nodes_per_group")
    if groups is None and nodes and each:
        groups = math.ceil(nodes / each) + (other or 0)
    facts.learn("groups", groups)
    return groups


def _endpoints(facts: Facts, per_group: int | None) -> None:
    """The node ports that groups offer against those their nodes need."""
    nics = facts.get("nic_ports_per_node", "nics_per_node")
    if nics is None and facts.get("nics_per_accelerator") and facts.get("accelerators_per_node"):
        nics = facts.values["nics_per_accelerator"] * facts.values["accelerators_per_node"]
    nodes, in_group = facts.whole("nodes"), facts.whole("nodes_per_group")
    if nics and nodes:
        facts.learn("nic_ports", round(nodes * nics))
        facts.learn("cables_node_leaf", round(nodes * nics))
    if per_group is None or not nics:
        return
    if in_group and in_group * nics > per_group:
        words = f"{in_group} nodes of {nics:g} ports need {in_group * nics:g} endpoint ports in a group that has {per_group}"
        facts.breaks("endpoint ports", words)
    groups = facts.whole("groups_gpu", "groups")
    if nodes and groups and nodes * nics > groups * per_group:
        facts.breaks(
            "endpoint ports",
            f"{nodes} nodes of {nics:g} ports need more than the {groups * per_group} endpoint ports of {groups} groups",
        )


def derive_dragonfly(facts: Facts) -> None:
    """Switches, local and global cables and global blocking of a dragonfly; the port ledger of its switches."""
    groups, a = _groups(facts), facts.whole("switches_per_group")
    p, local = facts.whole("endpoint_ports_per_switch"), facts.whole("local_ports_per_switch")
    pair, ports = facts.whole("global_links_per_group_pair"), facts.whole("switch_ports")
    if a is None:
        return
    if local is not None and a > 1 and local % (a - 1):
        words = f"{local} local ports do not spread evenly over the {a - 1} other switches of a group"
        facts.breaks("local all-to-all", words + ("" if local >= a - 1 else ": too few for all-to-all"))
    between = local // (a - 1) if local and a > 1 else 1
    nics, in_group = facts.get("nic_ports_per_node", "nics_per_node"), facts.whole("nodes_per_group")
    if p is None and nics and in_group:
        p = math.ceil(in_group * nics / a)
    fly = Dragonfly(groups or 1, a, p or 0, max(between, 1), pair or 0)
    facts.learn("local_cables_per_group", fly.local_cables // fly.groups)
    if p is not None:
        facts.learn("endpoint_ports_per_group", fly.endpoints_per_group)
        _endpoints(facts, fly.endpoints_per_group)
        if ports is not None:
            facts.learn("global_ports_per_switch", ports - p - fly.local_ports)
            if pair and ports - p - fly.local_ports >= 0:
                facts.learn("max_groups", a * (ports - p - fly.local_ports) // pair + 1)
    if groups is None:
        return
    facts.learn("total_switches", fly.switches)
    facts.learn("switches_gpu", (facts.whole("groups_gpu") or groups) * a)
    facts.learn("cables_local", fly.local_cables)
    if p is not None:
        facts.learn("endpoint_ports", groups * fly.endpoints_per_group)
    if pair is None:
        return
    facts.learn("cables_global", fly.global_cables)
    facts.learn("global_links_per_group", fly.global_links_per_group)
    if p is not None:
        facts.learn("global_blocking", fly.global_blocking)
        facts.learn("cables_switch_switch", fly.local_cables + fly.global_cables)
    if ports is not None and p is not None and p + fly.local_ports + fly.global_ports > ports:
        free = ports - p - fly.local_ports
        words = (
            f"a group sends {pair} links to each of {groups - 1} others, {fly.global_links_per_group} in all, but {a} switches of {ports} ports"
            f" with {p} endpoint and {fly.local_ports} local ports leave {max(free, 0) * a}"
        )
        facts.breaks("global ports", words)


def derive_dragonfly_plus(facts: Facts) -> None:
    """Leaf-spine groups: global ports of a spine, links of a group pair, switches; the port ledger of leaf and spine."""
    groups, ports = _groups(facts), facts.whole("switch_ports", "leaf_ports")
    leaves, spines = facts.whole("leaf", "leaves_per_group"), facts.whole("spine", "spines_per_group")
    both = facts.whole("switches_per_group")
    if both is not None:
        leaves = both - spines if leaves is None and spines is not None else leaves
        spines = both - leaves if spines is None and leaves is not None else spines
        leaves, spines = leaves or both // 2, spines or both - both // 2
    if not ports or not leaves or not spines:
        return
    if groups and leaves > ports and leaves % groups == 0 and spines % groups == 0:
        leaves, spines = leaves // groups, spines // groups
    split = facts.whole("downlink_split") or 1
    down = facts.whole("endpoint_ports_per_switch", "downlinks")
    between = _links_between(facts, ports, leaves, spines, down, split)
    fly = DragonflyPlus(groups or 1, leaves, spines, ports, between)
    if down is not None and down + spines * between > ports:
        facts.breaks(
            "leaf ports", f"{down} endpoint ports and {spines * between} uplinks exceed the {ports} ports of a leaf"
        )
    offered = leaves * (down if down is not None else max(fly.leaf_down, 0)) * split
    pair = facts.whole("global_links_per_group_pair")
    if fly.spine_global_ports < 0:
        facts.breaks("spine ports", f"{leaves * between} links to leaves exceed the {ports} ports of a spine")
    elif pair and groups and pair * (groups - 1) > spines * fly.spine_global_ports:
        words = f"{pair} links to each of {groups - 1} groups need {pair * (groups - 1)} global ports; {spines} spines have {spines * fly.spine_global_ports}"
        facts.breaks("global ports", words)
    facts.learn("spine_global_ports", fly.spine_global_ports)
    facts.learn("leaf_per_group", leaves)
    facts.learn("spine_per_group", spines)
    nics, in_group = facts.get("nic_ports_per_node", "nics_per_node"), facts.whole("nodes_per_group")
    endpoints = round(in_group * nics) if in_group and nics and down is None else offered
    facts.learn("endpoint_ports_per_group", endpoints)
    _endpoints(facts, offered)
    facts.learn("cables_leaf_spine_per_group", leaves * spines * between)
    if not groups:
        return
    pair = pair or fly.links_per_group_pair
    facts.values.update(leaf=groups * leaves, spine=groups * spines)
    facts.learn("core", 0)
    facts.learn("total_switches", fly.switches)
    facts.learn("cables_leaf_spine", groups * leaves * spines * between)
    facts.learn("global_links_per_group_pair", pair)
    facts.learn("global_links_per_group", pair * (groups - 1))
    facts.learn("cables_global", groups * (groups - 1) // 2 * pair)
    if groups > 1 and pair:
        facts.learn("global_blocking", endpoints / (pair * (groups - 1)))


def _links_between(facts: Facts, ports: int, leaves: int, spines: int, down: int | None, split: int) -> int:
    """Links of a leaf to each spine of its group: as given, or what the ports left by the nodes allow."""
    uplinks = facts.whole("uplinks")
    if uplinks is not None:
        if uplinks % spines:
            facts.breaks("even spread", f"{uplinks} uplinks of a leaf do not spread evenly over {spines} spines")
        return max(uplinks // spines, 1)
    nics, in_group = facts.get("nic_ports_per_node", "nics_per_node"), facts.whole("nodes_per_group")
    if down is None and nics and in_group:
        down = math.ceil(in_group * nics / leaves / split)
    return max(min((ports - down) // spines, ports // leaves), 1) if down is not None else 1


def derive_scaleup(facts: Facts) -> None:
    """Switch chips and trays of one level, or of two; the port ledger of each level."""
    total, links, ports = (
        facts.whole("accelerators"),
        facts.whole("links_per_accelerator"),
        facts.whole("ports_per_chip"),
    )
    per_tray, trays = facts.whole("chips_per_tray"), facts.whole("switch_trays")
    outside, tray_ports = facts.whole("external_links_per_node"), facts.whole("ports_per_tray")
    if outside and tray_ports and facts.get("nodes"):
        needed = math.ceil(facts.values["nodes"] * outside / tray_ports)
        if trays is not None and trays < needed:
            facts.breaks(
                "switch ports",
                f"{facts.values['nodes']:g} nodes of {outside} links need {needed} trays of {tray_ports} ports, not {trays}",
            )
        facts.learn("switch_trays", needed)
        facts.learn("external_links", facts.values["nodes"] * outside)
        per_node = facts.whole("accelerators_per_node")
        if links and per_node:
            facts.learn("taper", per_node * links / outside)
    if total is None or links is None:
        return
    facts.learn("scaleup_links", total * links)
    per_chassis, l1_trays = facts.whole("accelerators_per_chassis"), facts.whole("l1_per_chassis")
    two_levels = per_chassis is not None and (l1_trays is not None or per_chassis < total)
    if ports is None and tray_ports:
        ports, per_tray = (tray_ports // per_tray, per_tray) if per_tray else (tray_ports, 1)
    if ports is None:
        if trays and per_tray:
            facts.learn("switch_chips", trays * per_tray)
        return
    if two_levels and per_chassis:
        _two_levels(
            facts, ScaleUp(total, links, ports, math.ceil(total / per_chassis)), per_chassis, l1_trays, per_tray
        )
        return
    boards = facts.whole("boards", "baseboards") or 1
    if boards > 1:
        _boards(facts, total, links, ports, boards)
        return
    domain = ScaleUp(total, links, ports)
    chips = trays * per_tray if trays and per_tray else domain.chips
    if chips is None:
        facts.breaks(
            "switch ports",
            f"{domain.total_links} links spread evenly over at most {links} chips of {ports} ports do not fit",
        )
        return
    if chips * ports < domain.total_links:
        words = f"{total} accelerators of {links} links need {domain.total_links} ports; {chips} chips of {ports} have {chips * ports}"
        facts.breaks("switch ports", words)
    facts.learn("switch_chips", chips)
    facts.learn("total_switches", math.ceil(chips / per_tray) if per_tray else chips)
    if per_tray:
        facts.learn("switch_trays", math.ceil(chips / per_tray))
        facts.learn("total_switch_trays", facts.get("switch_trays"))


def _boards(facts: Facts, total: int, links: int, ports: int, boards: int) -> None:
    """Two boards whose chips pass every link of their accelerators on to the other board's (DGX-2: six chips a board, 16 of 18 ports used)."""
    each = ScaleUp(math.ceil(total / boards), links, ports // 2)
    if boards != 2 or total % boards:
        return
    if each.chips is None:
        words = f"chips of {ports} ports cannot take {each.total_links} links of a board and pass as many on"
        facts.breaks("switch ports", words)
        return
    facts.learn("switch_chips", boards * each.chips)
    facts.learn("total_switches", boards * each.chips)
    facts.learn("chips_per_board", each.chips)
    facts.learn("links_between_boards", each.total_links)


def _two_levels(facts: Facts, domain: ScaleUp, per_chassis: int, l1_trays: int | None, per_tray: int | None) -> None:
    chassis, tray_chips = domain.chassis, per_tray or 1
    if domain.accelerators % per_chassis:
        facts.breaks("contents", f"{domain.accelerators} accelerators fill no whole number of chassis of {per_chassis}")
    l1_chips = chassis * l1_trays * tray_chips if l1_trays else domain.first_level_chips
    if l1_chips * domain.ports_per_chip < domain.total_links + domain.second_level_links:
        words = (
            f"first-level chips need ports for {domain.total_links} links below and {domain.second_level_links} above;"
            f" {l1_chips} chips of {domain.ports_per_chip} have {l1_chips * domain.ports_per_chip}"
        )
        facts.breaks("first-level ports", words)
    facts.learn("chassis", chassis)
    facts.learn("l1_chips", l1_chips)
    facts.learn("l2_chips", domain.second_level_chips)
    facts.learn("l1_trays", chassis * l1_trays if l1_trays else math.ceil(l1_chips / tray_chips))
    facts.learn("l2_trays", math.ceil(domain.second_level_chips / tray_chips))
    facts.learn("l2_ports", domain.second_level_links)
    facts.learn("switch_chips", l1_chips + domain.second_level_chips)
    facts.learn("total_switch_trays", facts.values["l1_trays"] + facts.values["l2_trays"])
    facts.learn("switch_trays", facts.values["total_switch_trays"])
    facts.learn("total_switches", facts.values["total_switch_trays"])


def derive_power(facts: Facts) -> None:
    """Rack and shelf power, energy and exposure: what follows from the inputs by multiplication."""
    per_rack, node_w = facts.get("nodes_per_rack"), facts.get("node_max_power_w")
    if per_rack and node_w:
        facts.learn("rack_power_kw", per_rack * node_w / 1000)
        if facts.get("rack_pdus"):
            facts.learn("rack_power_kw_per_pdu", per_rack * node_w / 1000 / facts.values["rack_pdus"])
    shelf, count, unit = facts.get("shelf_kw"), facts.get("psu_per_shelf"), facts.get("psu_kw")
    if count and unit:
        if shelf and shelf > count * unit * 1.005:
            facts.breaks(
                "shelf power",
                f"{count:g} supplies of {unit:g} kW are {count * unit:g} kW, less than the shelf's {shelf:g} kW",
            )
        shelf = shelf or (count - (facts.get("psu_spares") or 0)) * unit
        facts.learn("shelf_kw", shelf)
    peak = facts.get("rack_peak_kw") or (facts.get("rack_power_kw") if "rack_power_kw" in facts.given else None)
    if shelf and peak:
        facts.learn("min_shelves_n", math.ceil(peak / shelf - 1e-9))
        facts.learn("min_shelves_n_plus_1", math.ceil(peak / shelf - 1e-9) + 1)
        facts.learn("min_shelves_two_feeds", 2 * math.ceil(peak / shelf - 1e-9))
    if shelf and facts.get("shelves"):
        facts.learn("installed_kw", shelf * facts.values["shelves"])
        # an odd shelf hangs on one feed, and that feed may be the one lost
        facts.learn("one_feed_lost_kw", shelf * (facts.values["shelves"] // 2))
        facts.learn("one_shelf_lost_kw", shelf * (facts.values["shelves"] - 1))
    if shelf and peak:
        facts.learn("shelves", 2 * math.ceil(peak / shelf - 1e-9))
    accelerators, days = facts.get("accelerators"), facts.get("days")
    if accelerators:
        watts = (facts.get("gpu_w") or 0) + (facts.get("other_server_w_per_gpu") or 0)
        facts.learn("servers_mw", accelerators * watts / 1e6 or None)
        facts.learn("accelerator_hours", accelerators * days * 24 if days else None)
    _coolant_units(facts)
    nodes, racks = facts.get("nodes"), facts.get("racks")
    if nodes and node_w:
        facts.learn("power_kw", nodes * node_w / 1000)
    elif racks and peak:
        facts.learn("power_kw", racks * peak)
    if facts.get("pue") and facts.get("power_kw"):
        facts.learn("facility_power_kw", facts.values["power_kw"] * facts.values["pue"])
    power, price = facts.get("it_power_mw"), facts.get("usd_per_kwh")
    if power:
        hours = days * 24 if days else 8760
        facts.learn("it_energy_twh", power * hours / 1e6)
        if facts.get("pue"):
            facts.learn("facility_mw", power * facts.values["pue"])
            facts.learn("annual_twh", power * facts.values["pue"] * 8760 / 1e6)
            facts.learn("annual_cost_musd", power * facts.values["pue"] * 8.760 * price if price else None)
        if price:
            facts.learn("it_energy_cost_musd", power * hours * price / 1000)
    stops = facts.get("unexpected_interruptions", "interruptions")
    if stops and days:
        facts.learn("mtti_h", days * 24 / stops)
        if accelerators:
            facts.learn("rate_per_million_gpu_h", stops / (accelerators * days * 24) * 1e6)


def _coolant_units(facts: Facts) -> None:
    """Coolant units of a group of racks: those that carry its liquid heat, and one more so that any may fail."""
    unit, racks, peak = facts.get("cdu_kw"), facts.get("racks"), facts.get("rack_peak_kw")
    if peak is None and "rack_power_kw" in facts.given:
        peak = facts.values["rack_power_kw"]
    share, heat = facts.get("liquid_fraction"), facts.get("liquid_kw")
    if heat is None and racks and peak and share:
        heat = racks * peak * share
    if unit and heat:
        needed = math.ceil(heat / unit - 1e-9)
        facts.learn("liquid_kw", heat)
        facts.learn("min_cdus_n", needed)
        facts.learn("cdus", needed + 1)


def derive_bandwidth(facts: Facts) -> None:
    """Injection of a node, an accelerator and the whole."""
    nic, per_node = facts.get("nic_port_gbps"), facts.get("nics_per_node", "nic_ports_per_node")
    share, inside = facts.get("nics_per_accelerator"), facts.get("accelerators_per_node")
    if per_node is None and share and inside:
        per_node = share * inside
    if nic and per_node:
        whole = (
            facts.get("nic_ports_per_node") is not None and facts.get("nics_per_node", "nics_per_accelerator") is None
        )
        stated_whole = (facts.get("switch_port_gbps") or nic) < nic
        planes = 1 if stated_whole else facts.get("planes") or 1
        each = 1 if whole else facts.get("ports_per_nic") or planes
        facts.learn("node_bandwidth_tbps", per_node * each * nic / 1000)
        if inside:
            facts.learn("injection_gbps_per_accelerator", per_node * each * nic / inside)
        if facts.get("nodes"):
            facts.learn("nic_ports", round(facts.values["nodes"] * per_node * each))
            facts.learn("injection_tbps", facts.values["nodes"] * per_node * each * nic / 1000)
    elif nic and share and facts.get("accelerators"):
        facts.learn("injection_tbps", facts.values["accelerators"] * share * nic / 1000)
