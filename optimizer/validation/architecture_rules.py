"""Why a published figure that we do not derive is impossible: port, spread and link ledgers, and sums that contradict themselves.

Every rule takes the published figure as given and asks whether any legal fabric has it. A rule that answers names itself in words; a
figure that only costs more than it needs to is no broken rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.physics.network import clos
from optimizer.validation.architecture_facts import Facts
from optimizer.validation.architecture_shape import Shape

Broken = tuple[str, str]

# counts that a designer may exceed; everything else follows from the inputs by multiplication
DESIGN_FREEDOM = frozenset(
    {
        "leaf",
        "spine",
        "core",
        "total_switches",
        "racks",
        "switch_chips",
        "switch_trays",
        "min_shelves_n",
        "power_kw",
        "min_cdus_n",
        "groups",
    }
)


def broken_rule(
    facts: Facts, shape: Shape | None, name: str, published: float, all_published: Mapping[str, Any]
) -> Broken | None:
    """The rule that ``published`` breaks, or None where a legal, if wasteful, design could have it."""
    derived = facts.get(name)
    rules = {"leaf": _leaf, "spine": _spine, "core": _core, "total_switches": _total}
    if shape is not None and name in rules:
        return rules[name](facts, shape, published)
    if name == "shelves":
        return _shelves(facts, published)
    if name == "cdus":
        return _coolant_units(facts, published)
    if derived is not None and name in ("cables_node_leaf", "cables_node_leaf_plus_ufm"):
        return (
            "links and ports",
            f"every NIC port has one link: the inputs have {derived:g} node-leaf links, not {published:g}",
        )
    if name == "cables_leaf_spine" and shape is not None:
        return _leaf_spine_links(facts, shape, published)
    if name in DESIGN_FREEDOM:
        if derived is not None and published < derived:
            return "contents", f"{published:g} {name} hold too few: the inputs need {derived:g}"
        return None
    if derived is None:
        return None
    return "arithmetic", f"the inputs give {derived:.10g}, not {published:g}, and leave no freedom"


def _shelves(facts: Facts, published: float) -> Broken | None:
    """Shelves dealt over two feeds: what is left when one feed is lost."""
    shelf, peak = facts.get("shelf_kw"), facts.get("rack_peak_kw")
    left = (published - -(-published // 2)) * (shelf or 0.0)
    if shelf is None or peak is None or left >= peak:
        return None
    return (
        "feed loss",
        f"{published:g} shelves of {shelf:g} kW leave {left:g} of {peak:g} kW when a feed is lost: capping or battery",
    )


def _coolant_units(facts: Facts, published: float) -> Broken | None:
    """Coolant units of a group: what is left when one fails."""
    unit, heat = facts.get("cdu_kw"), facts.get("liquid_kw")
    left = (published - 1) * (unit or 0.0)
    if unit is None or heat is None or left >= heat - 1e-9:
        return None
    return "unit loss", f"{published:g} coolant units of {unit:g} kW leave {left:g} of {heat:g} kW when one fails"


def _endpoints(facts: Facts) -> int:
    links = facts.get("cables_node_leaf_plus_ufm", "cables_node_leaf")
    return round(links) if links else 0


def _leaf(facts: Facts, shape: Shape, published: float) -> Broken | None:
    derived, down = facts.get("leaf"), shape.down
    per_plane = published / shape.planes
    if published % shape.planes:
        return "planes", f"{published:g} leaves do not divide over {shape.planes} planes"
    if down and published * down < _endpoints(facts):
        return (
            "leaf ports",
            f"{published:g} leaves of {down} down ports take {published * down:g} node links; there are {_endpoints(facts)}",
        )
    if shape.railed and per_plane % shape.rails:
        return "rail rule", f"{per_plane:g} leaves do not divide over {shape.rails} rails"
    if derived is not None and published < derived:
        return "rail rule", f"a leaf serves one rail and one scalable unit: {derived:g} leaves, not {published:g}"
    if derived is not None and shape.asked is not None and "leaf" not in facts.given:
        ratio = shape.asked
        return (
            "stated oversubscription",
            f"{published:g} leaves leave each with fewer node links than the stated {ratio:g}:1 means; {derived:g} hold all",
        )
    return None


def _spread(shape: Shape) -> tuple[int, int] | None:
    if shape.up is None or shape.spine_ports is None:
        return None
    return shape.up * shape.breakout, (shape.spine_ports - shape.spine_up) * shape.breakout


def _spine(facts: Facts, shape: Shape, published: float) -> Broken | None:
    leaf, spread = facts.get("leaf"), _spread(shape)
    if leaf is None or spread is None:
        return None
    up, ports = spread
    spine, leaves = published / shape.planes, leaf / shape.planes
    three = shape.tiers == 3
    needed = leaves * up * (2 if three else 1)
    if spine and spine * ports < needed:
        return (
            "spine ports",
            f"{published:g} spines of {ports} ports have {spine * ports * shape.planes:g}; {needed * shape.planes:g} inter-switch links end on them",
        )
    if not spine:
        return "spine ports", f"{leaf:g} leaves have uplinks and no spine to end on"
    sets = _group_sets(facts, shape) if three else 1
    per_set = spine / sets
    if (per_set % 1 or up % per_set) and not (three and _in_mixed_pods(shape, leaves, spine)):
        words = f"each leaf spreads its {up} uplinks evenly, so the spines it reaches are a divisor of {up}; {per_set:g} is not"
        return "divisor rule", words
    return None


def _in_mixed_pods(shape: Shape, leaves: float, spine: float) -> bool:
    """True where ``spine`` is an even spread in three tiers over pods that hold leaves of every rail, instead of groups of one rail."""
    spread = _spread(shape)
    if spread is None or spine % 1 or not shape.core_ports:
        return False
    up, ports = spread
    for per_pod in clos.divisors(up)[:-1].tolist():
        pods, rest = divmod(int(spine), per_pod)
        if rest or pods > shape.core_ports * shape.breakout:
            continue
        if -(-int(leaves) // pods) * up <= per_pod * (ports // 2):
            return True
    return False


def _group_sets(facts: Facts, shape: Shape) -> int:
    """Independent groups of spines of one plane in three tiers: rails times groups of a rail."""
    return max(shape.rails * int(facts.get("leaf_groups") or 1), 1)


def _core(facts: Facts, shape: Shape, published: float) -> Broken | None:
    links, ports = facts.get("cables_spine_core"), shape.core_ports
    if links is None or not ports:
        return None
    ports *= shape.breakout
    links *= shape.breakout
    if published * ports < links:
        return (
            "core ports",
            f"{published:g} core switches of {ports} ports have {published * ports:g}; {links:g} links end on them",
        )
    if published == 0 or links % published:
        return "even spread", f"{links:g} spine-core links do not spread evenly over {published:g} core switches"
    return None


def _total(facts: Facts, shape: Shape, published: float) -> Broken | None:
    derived, ports = facts.get("total_switches"), shape.spine_ports
    leaf, spine, core = (facts.get(n) for n in ("leaf", "spine", "core"))
    if derived is None or leaf is None or spine is None or core is None:
        return None
    tiers = "three tiers" if core else "two tiers" if spine else "one tier"
    if published < derived:
        words = f"{tiers} of these switches need {derived:g} ({leaf:g} leaf, {spine:g} spine, {core:g} core), not {published:g}"
        if ports and shape.up:
            ends = facts.values.get("cables_total", 0) + facts.values.get("cables_switch_switch", 0)
            words += f": {ends:g} link ends, and {published:g} switches have {published * ports:g} ports"
        if core:
            words += f"; two tiers end at {clos.endpoint_limit(ports or 0, 2)} endpoints"
        return "port ledger", words
    rest = published - leaf
    spread = _spread(shape)
    if spine and spread is not None and rest > 0:
        if _legal_total(facts, shape, rest):
            return None
        return "divisor rule", f"{rest:g} switches above {leaf:g} leaves are no even spread of {spread[0]} uplinks"
    if not spine:
        return (
            "rail rule",
            f"one tier needs {derived:g} switches; {published - derived:g} more would have nothing to join",
        )
    return None


def _legal_total(facts: Facts, shape: Shape, upper: float) -> bool:
    """True where an even spread over ``upper`` switches above the leaves exists."""
    spread = _spread(shape)
    if spread is None:
        return True
    up, _ = spread
    three = bool(facts.get("core"))
    sets = (_group_sets(facts, shape) if three else 1) * shape.planes
    links = facts.get("cables_spine_core") or 0
    for per_set in clos.divisors(up)[:-1].tolist():
        spines = per_set * sets
        if _spine(facts, shape, spines) is not None:
            continue
        cores = upper - spines
        if (not three and cores == 0) or (
            three and cores > 0 and cores * (shape.core_ports or 0) >= links and links % cores == 0
        ):
            return True
    return False


def _leaf_spine_links(facts: Facts, shape: Shape, published: float) -> Broken | None:
    leaf = facts.get("leaf")
    if not leaf or shape.up is None:
        return None
    each = published / leaf
    words = f"{leaf:g} leaves of {shape.up} uplinks have {leaf * shape.up:g} links to spines, not {published:g}"
    if each > shape.up:
        return "leaf ports", words + ": more than their ports"
    return "bandwidth ledger", words + f": {each:g} uplinks a leaf would not keep the stated oversubscription"


def contradictions(published: Mapping[str, float]) -> list[Broken]:
    """Published figures that contradict one another, whatever the inputs."""
    out: list[Broken] = []
    parts = [published.get(name) for name in ("leaf", "spine", "core")]
    total = published.get("total_switches")
    if total is not None and parts[0] is not None and parts[1] is not None:
        added = sum(part or 0 for part in parts)
        if added > total or (parts[2] is not None and added != total):
            out.append(("sum of switches", f"{added:g} switches by tier, {total:g} in all"))
    for per, count, whole in (
        ("accelerators_per_node", "nodes", "accelerators"),
        ("accelerators_per_rack", "racks", "accelerators"),
        ("nodes_per_rack", "racks", "nodes"),
    ):
        if all(name in published for name in (per, count, whole)):
            holds = published[per] * published[count]
            if published[whole] > holds or published[whole] <= holds - published[per]:
                out.append(
                    (
                        "contents",
                        f"{published[count]:g} {count} of {published[per]:g} hold {holds:g}, not {published[whole]:g}",
                    )
                )
    return out
