"""What the inputs of a published architecture say: names made canonical, counts carried through its hierarchy.

A record gives counts (``racks: 8``) and contents (``nodes_per_rack: 4``). Contents multiply along chains, totals follow from any
count and its contents, and where two ways to a total disagree the record contradicts itself.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from optimizer.validation.architecture_figures import edges, number, other_units

UNITS = (
    "accelerators",
    "nodes",
    "racks",
    "cabinets",
    "arrays",
    "sus",
    "pods",
    "groups",
    "segments",
    "stripes",
    "chassis",
)

_SINGULAR = {
    "accelerator": "accelerators", "gpu": "accelerators", "node": "nodes", "server": "nodes", "host": "nodes", "rack": "racks",
    "instance": "nodes", "cabinet": "cabinets", "array": "arrays", "su": "sus", "pod": "pods", "group": "groups",
    "segment": "segments", "stripe": "stripes", "chassis": "chassis",
}  # fmt: skip

SYNONYMS = {
    "servers": "nodes", "instances": "nodes", "hosts": "nodes", "gpus": "accelerators", "chips": "accelerators",
    "chips_per_server": "accelerators_per_node", "chips_per_instance": "accelerators_per_node",
    "gpus_per_node": "accelerators_per_node", "gpus_per_server": "accelerators_per_node",
    "accelerators_per_server": "accelerators_per_node", "gpus_per_rack": "accelerators_per_rack",
    "trays_per_rack": "nodes_per_rack", "compute_trays_per_rack": "nodes_per_rack", "servers_per_rack": "nodes_per_rack",
    "nodes_per_compute_rack": "nodes_per_rack", "servers_per_segment": "nodes_per_segment",
    "hosts_per_segment": "nodes_per_segment", "per_chassis": "accelerators_per_chassis",
    "compute_nic_ports_per_node": "nic_ports_per_node", "nic_ports_per_tray": "nic_ports_per_node",
    "spines": "spine", "spine_switches": "spine", "leaves": "leaf", "leaf_switches": "leaf", "tor_switches": "leaf",
    "uplinks_per_leaf": "uplinks", "links": "links_per_accelerator", "nvlinks_per_accelerator": "links_per_accelerator",
    "backup_nodes": "spare_nodes", "oversubscription": "leaf_oversubscription",
    "xpus": "accelerators", "tpus": "accelerators", "systems": "nodes", "scalable_units": "sus", "psus_per_shelf": "psu_per_shelf",
    "psu_rating_kw": "psu_kw", "shelves_per_rack": "shelves", "gpu_servers": "nodes", "gpu_nodes": "nodes",
    "compute_nodes": "nodes", "compute_servers": "nodes", "nic_speed_gbps": "nic_port_gbps", "nic_gbps": "nic_port_gbps",
    "ports_per_gpu": "nics_per_accelerator", "ports_per_accelerator": "nics_per_accelerator", "power_shelves_per_rack": "shelves", "power_shelves": "shelves",
}  # fmt: skip

_SPEED_SUFFIX = re.compile(r"^(?P<what>\w+?)_(?P<speed>\d+)g$")
_PORTS = {
    "switch_ports": "switch", "leaf_ports": "leaf", "tor_ports": "leaf", "spine_ports": "spine", "agg_switch_ports": "spine",
    "leaf_switch_ports": "leaf", "spine_switch_ports": "spine", "core_switch_ports": "core", "agg_ports": "spine", "core_ports": "core",
}  # fmt: skip


_UNIT_WORDS = {
    "system": "node",
    "vm": "node",
    "scalable_unit": "su",
    "chip": "accelerator",
    "xpu": "accelerator",
    "tpu": "accelerator",
}
_DIMENSIONAL = frozenset(
    {
        "node_max_power_w", "shelf_kw", "psu_kw", "rack_peak_kw", "gpu_w", "other_server_w_per_gpu", "it_power_mw", "nic_port_gbps",
        "switch_port_gbps", "leaf_port_gbps", "spine_port_gbps", "uplink_gbps", "tor_capacity_tbps", "cdu_kw", "liquid_kw", "psu_rating_kw", "rack_power_kw", "nic_speed_gbps", "nic_gbps",
    }
)  # fmt: skip
GEOMETRY = frozenset({"cube", "torus", "dimensions", "shape"})
MAY_BE_ZERO = frozenset(
    {
        "reserved_nodes", "spare_nodes", "backup_nodes", "ufm_ports", "agg_uplinks", "groups_other", "spine", "spines", "core",
        "uplinks", "uplinks_per_leaf", "tor_uplinks", "tor_uplinks_400g", "leaf_oversubscription", "local_ports_per_switch",
        "global_links_per_group_pair", "gpu_w", "other_server_w_per_gpu", "usd_per_kwh", "unexpected_interruptions", "liquid_fraction",
    }
)  # fmt: skip


@dataclass
class Facts:
    """Canonical names and their values; ``broken`` collects the rules that the inputs themselves break, in words; ``products``
    what multiplication alone gives for things no rule knows (``architecture_products``)."""

    topology: str
    values: dict[str, Any] = field(default_factory=dict)
    given: frozenset[str] = frozenset()
    broken: list[tuple[str, str]] = field(default_factory=list)
    products: dict[str, float] = field(default_factory=dict)

    @property
    def known(self) -> set[str]:
        """Names of everything known, by rules or by multiplication alone."""
        return self.values.keys() | self.products.keys()

    def get(self, *names: str) -> Any:
        """The first known of ``names``, or None."""
        return next((self.values[name] for name in names if self.values.get(name) is not None), None)

    def whole(self, *names: str) -> int | None:
        """The first known of ``names`` as a whole number, or None."""
        value = self.get(*names)
        if not isinstance(value, (int, float)):
            return None
        return max(round(value), 1) if value > 0 else round(value)

    def learn(self, name: str, value: Any) -> None:
        """Add a derived value; what is known stays."""
        if value is not None and self.values.get(name) is None:
            self.values[name] = value

    def breaks(self, rule: str, words: str) -> None:
        """Note a broken rule once."""
        if (rule, words) not in self.broken:
            self.broken.append((rule, words))


def read_inputs(topology: str, inputs: Mapping[str, Any]) -> Facts:
    """Canonical facts of ``inputs``; port counts become ``<tier>_ports`` with ``<tier>_port_gbps``."""
    values: dict[str, Any] = {}
    senseless: list[tuple[str, str]] = []
    for name, raw in flat(inputs):
        value = edges(raw) if name in GEOMETRY else number(raw, name)
        if value is None:
            continue
        if isinstance(value, (int, float)) and (value < 0 or (value == 0 and name not in MAY_BE_ZERO)):
            senseless.append(("input", f"{name} is {value:g}: a count or size of something is more than nothing"))
            continue
        key, value = _in_our_unit(_our_name(name), value)
        key = SYNONYMS.get(key, key)
        speed = _SPEED_SUFFIX.match(key)
        if speed:
            key = SYNONYMS.get(speed["what"], speed["what"])
            key = {"tor_uplinks": "uplinks"}.get(key, key)
            speed_name = "uplink_gbps" if key == "uplinks" else f"{_PORTS.get(key, key)}_port_gbps"
            values.setdefault(speed_name, int(speed["speed"]))
        elif key == "tor_uplinks":
            key = "uplinks"
        if key in _PORTS:
            key = f"{_PORTS[key]}_ports"
        values[key] = value
    if "segments" in values and "nodes_per_su" in values:
        values.setdefault("nodes_per_segment", values.pop("nodes_per_su"))
    if (
        "nics_per_accelerator" in values
        and "accelerators" in values
        and not {"nodes", "accelerators_per_node"} & set(values)
    ):
        values["accelerators_per_node"] = 1
    facts = Facts(topology, values, frozenset(values), senseless)
    _segments(facts)
    _hierarchy(facts)
    if facts.get("segments"):
        facts.learn("pods", 1)
        if facts.get("nodes"):
            facts.learn("nodes_per_segment", math.ceil(facts.values["nodes"] / facts.values["segments"]))
    return facts


def flat(inputs: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Names and values; a group of values, as ``leaf: {ports: 64}``, is read as ``leaf_ports: 64``, one of the fabric itself as it is."""
    for name, raw in inputs.items():
        if isinstance(raw, Mapping):
            prefix = "" if name in ("fabric", "compute", "compute_fabric", "network", "backend") else f"{name}_"
            yield from ((f"{prefix}{inner}", value) for inner, value in raw.items() if f"{prefix}{inner}" not in inputs)
        else:
            yield str(name), raw


def _our_name(name: str) -> str:
    """The project's word for an input; contents such as ``gpus_per_instance`` by the words on both sides of ``per``."""
    if name in SYNONYMS or name in ("chips_per_tray", "ports_per_chip"):
        return SYNONYMS.get(name, name)
    what, per, unit = name.partition("_per_")
    if not per or next(other_units(what), None) is not None:
        return name
    below = SYNONYMS.get(what, what) if SYNONYMS.get(what) in UNITS else what
    above = _SINGULAR.get(_UNIT_WORDS.get(unit, unit))
    if above is None:
        return name
    return f"{below}_per_{next(word for word, plural in _SINGULAR.items() if plural == above)}"


def _in_our_unit(name: str, value: Any) -> tuple[str, Any]:
    """Name and value in the unit this project reads the name in."""
    if name in _DIMENSIONAL or not isinstance(value, (int, float)):
        return name, value
    for other, scale in other_units(name):
        if other in _DIMENSIONAL:
            return other, float(f"{value / scale:.12g}")
    return name, value


def _segments(facts: Facts) -> None:
    """A node count beside segments is that of one segment when a leaf has room for no more than it."""
    segments, nodes = facts.get("segments"), facts.get("nodes")
    if not segments or not nodes or facts.get("nodes_per_segment"):
        return
    per_segment = nodes
    if nodes % segments == 0 and nodes >= segments:
        room = _segment_room(facts)
        if room is None or nodes + (facts.get("spare_nodes") or 0) > room:
            per_segment = nodes // segments
    spare, room = facts.whole("spare_nodes") or 0, _segment_room(facts)
    if room is not None and spare % segments == 0 and per_segment + spare > room >= per_segment + spare // segments:
        facts.values["spare_nodes"] = spare // segments
    facts.values["nodes_per_segment"] = per_segment
    facts.values["nodes"] = per_segment * segments


def _segment_room(facts: Facts) -> float | None:
    capacity, up, nic = facts.get("tor_capacity_tbps"), facts.get("uplinks"), facts.get("nic_port_gbps")
    if capacity is None or up is None or not nic:
        ports: float | None = facts.get("downlinks")
        return ports
    return float((capacity * 1000 - up * (facts.get("uplink_gbps") or 0)) / nic)


def _hierarchy(facts: Facts) -> None:
    contents = _contents(facts)
    counts = {unit: facts.values[unit] for unit in UNITS if isinstance(facts.get(unit), (int, float))}
    if "groups_gpu" in facts.values:
        counts["groups"] = facts.values["groups_gpu"]
    for below, above in sorted(contents, key=lambda pair: UNITS.index(pair[0]), reverse=True):
        per = contents[below, above]
        if above in counts and below not in counts:
            counts[below] = counts[above] * per
    _contradictions(facts, counts, contents)
    for below, above in sorted(contents, key=lambda pair: (UNITS.index(pair[0]), UNITS.index(pair[1]))):
        if below in counts and above not in counts:
            counts[above] = math.ceil(counts[below] / contents[below, above] - 1e-9)
    for unit, count in counts.items():
        if unit != "groups":
            facts.learn(unit, count)
    for (below, above), per in contents.items():
        facts.learn(f"{below}_per_{next(k for k, v in _SINGULAR.items() if v == above)}", per)
    if not facts.get("racks") and counts.get("cabinets"):
        facts.learn("racks", counts["cabinets"])


def _contents(facts: Facts) -> dict[tuple[str, str], float]:
    """``(below, above) -> how many``, closed under chains."""
    contents: dict[tuple[str, str], float] = {}
    for name, value in facts.values.items():
        parts = name.split("_per_")
        if len(parts) == 2 and parts[0] in UNITS and parts[1] in _SINGULAR and isinstance(value, (int, float)):
            contents[parts[0], _SINGULAR[parts[1]]] = value
    if ("accelerators", "nodes") not in contents:
        nics, share = facts.get("nics_per_node", "nic_ports_per_node"), facts.get("nics_per_accelerator")
        if nics and share:
            contents["accelerators", "nodes"] = nics / share
    for middle in UNITS:
        for (a, b), first in list(contents.items()):
            for (c, d), second in list(contents.items()):
                if b == middle == c and (a, d) not in contents:
                    contents[a, d] = first * second
                if (
                    a == c
                    and b != d
                    and (b, d) not in contents
                    and UNITS.index(b) < UNITS.index(d)
                    and second % first == 0
                ):
                    contents[b, d] = second / first if second % first else second // first
    if ("accelerators", "nodes") not in contents:
        total, nodes = facts.get("accelerators"), facts.get("nodes")
        if total and nodes and total % nodes == 0:
            contents["accelerators", "nodes"] = total // nodes
        for (a, b), value in list(contents.items()):
            per = contents.get(("nodes", b))
            if a == "accelerators" and per and value % per == 0:
                contents["accelerators", "nodes"] = value // per
    return contents


def _contradictions(facts: Facts, counts: Mapping[str, float], contents: Mapping[tuple[str, str], float]) -> None:
    for (below, above), per in contents.items():
        have, hold = counts.get(below), counts.get(above)
        if have is None or hold is None:
            continue
        if have > hold * per:
            facts.breaks(
                "contents", f"{hold:g} {above} of {per:g} {below} each hold {hold * per:g} {below}, not {have:g}"
            )
        elif (below, above) == ("accelerators", "nodes") and have <= (hold - 1) * per:
            facts.breaks("contents", f"{have:g} accelerators fill fewer than {hold:g} nodes of {per:g}")
