"""Finding a published name among derived facts, and comparing at the printed precision.

Sources call a leaf a ToR and a spine an aggregation switch; counts come per pod, plane or rack; figures come as bounds.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from typing import Any

from optimizer.validation.architecture_facts import UNITS, Facts
from optimizer.validation.architecture_figures import Bound, Figure, figure, number, other_units
from optimizer.validation.architecture_products import product_name

_TOKENS = {
    "tor": "leaf", "tors": "leaf", "leaves": "leaf", "leafs": "leaf", "t0": "leaf", "edge": "leaf", "spines": "spine",
    "agg": "spine", "aggs": "spine", "aggregation": "spine", "t1": "spine", "cores": "core", "superspine": "core",
    "superspines": "core", "t2": "core", "gpu": "accelerators", "gpus": "accelerators", "accelerator": "accelerators",
    "xpus": "accelerators", "tpus": "accelerators", "servers": "nodes", "server": "nodes", "host": "nodes", "hosts": "nodes",
    "instances": "nodes", "node": "nodes", "nic": "nodes", "links": "cables", "link": "cables", "cable": "cables",
    "switch": "switches", "rack": "racks", "trays": "trays", "tray": "trays", "pod": "pods", "su": "sus", "group": "groups",
    "segment": "segments", "array": "arrays", "cabinet": "cabinets", "stripe": "stripes", "plane": "planes", "rail": "rails",
    "endpoint": "endpoints",
}  # fmt: skip
_FILLERS = frozenset(
    {
        "switches",
        "count",
        "total",
        "number",
        "num",
        "n",
        "of",
        "compute",
        "needed",
        "required",
        "ib",
        "infiniband",
        "backend",
        "leaf_spine",
        "to",
        "between",
        "and",
    }
)

_ALIASES = {
    "switches": "total_switches", "switch_total": "total_switches", "fabric_switches": "total_switches",
    "links": "cables_switch_switch", "cables": "cables_total", "total_cables": "cables_total", "switch_count": "total_switches",
    "inter_switch_links": "cables_switch_switch", "switch_switch_links": "cables_switch_switch",
    "oversubscription": "tor_oversubscription", "leaf_oversubscription": "tor_oversubscription",
    "core_oversubscription": "agg_oversubscription", "spine_oversubscription": "agg_oversubscription",
    "agg_core_oversubscription": "agg_oversubscription", "oversubscription_t1_t2": "agg_oversubscription",
    "oversubscription_t0_t1": "tor_oversubscription", "efa_tbps": "injection_tbps", "network_tbps": "injection_tbps",
    "servers_per_tor_group": "nodes_per_leaf_group", "nodes_per_tor_group": "nodes_per_leaf_group",
    "optical_links": "optical_port_ends", "optical_ports": "optical_port_ends", "optical_transceivers": "optical_port_ends",
    "ocs_switches": "ocs", "ocs_count": "ocs", "ocs_ports": "ocs_ports_used", "ocs_ports_per_switch": "ocs_ports_used",
    "local_cables": "cables_local", "local_links": "cables_local", "links_local": "cables_local",
    "global_cables": "cables_global", "global_links": "cables_global", "links_global": "cables_global",
    "cables_local_per_group": "local_cables_per_group", "local_links_per_group": "local_cables_per_group",
    "global_oversubscription": "global_blocking", "endpoints": "endpoint_ports", "endpoints_per_group": "endpoint_ports_per_group",
    "nvswitches": "switch_chips", "chips": "accelerators", "l1_switch_chips": "l1_chips", "l2_switch_chips": "l2_chips",
    "l1_switch_trays": "l1_trays", "l2_switch_trays": "l2_trays", "l1_switches": "l1_trays", "l2_switches": "l2_trays", "l1": "l1_trays", "l2": "l2_trays",
    "nvlink_switches": "total_switch_trays", "nvlink_switch_trays": "total_switch_trays",
    "nvlinks": "scaleup_links", "scaleup_links_total": "scaleup_links", "tor_uplinks": "uplinks_per_leaf",
    "tor_downlinks": "downlinks_per_leaf", "leaf_downlinks": "downlinks_per_leaf", "leaf_uplinks": "uplinks_per_leaf",
    "gpu_nodes": "nodes", "compute_nodes": "nodes", "racks_total": "racks", "rack_kw": "rack_power_kw",
    "ici_links": "torus_links", "it_power_kw": "power_kw", "total_kw": "power_kw", "nodes_power_kw": "power_kw",
    "facility_power_mw": "facility_mw", "annual_energy_twh": "annual_twh", "cabinets": "racks", "compute_racks": "racks", "gpu_racks": "racks", "switches_compute": "switches_gpu",
    "gpu_switches": "switches_gpu", "max_gpus": "max_accelerators", "shelves_n": "min_shelves_n",
    "downlinks_per_tor": "downlinks_per_leaf", "uplinks_per_tor": "uplinks_per_leaf", "spine_downlinks": "agg_downlinks",
    "compute_trays": "nodes", "trays": "nodes", "compute_nic_ports": "nic_ports", "endpoint_links": "cables_node_leaf",
    "energy_twh": "it_energy_twh", "cost_musd": "it_energy_cost_musd", "mtti_hours": "mtti_h",
}  # fmt: skip

_RULED = frozenset({"leaf", "spine", "core", "tor", "agg", "cables", "links", "ports", "planes", "rails"})
"""Words of figures that rules of fabrics give, before multiplication may."""

_SPEED = re.compile(r"_\d+g$")
_BOUNDS = {
    "_more_than": "above", "_greater_than": "above", "_at_least": "least", "_min": "least", "_less_than": "below",
    "_at_most": "most", "_about": "about", "_approx": "about",
}  # fmt: skip


def split_bound(metric: str) -> tuple[str, Bound]:
    """The name without its bound, and the bound."""
    for suffix, bound in _BOUNDS.items():
        if metric.endswith(suffix):
            return metric[: -len(suffix)], Bound(bound)
    return metric, Bound.EQUAL


def _canonical(metric: str) -> str:
    tokens = [_TOKENS.get(token, token) for token in metric.split("_")]
    if "switches" in tokens and "trays" in tokens:
        return "switch_trays"
    kept = [token for token in tokens if token not in _FILLERS] or (["switches"] if "switches" in tokens else tokens)
    if "cables" in kept:
        ends = [tier for tier in ("nodes", "leaf", "spine", "core") if tier in kept]
        if len(kept) == 2 and ends == ["nodes"]:
            return "cables_node_leaf"
        if len(ends) == 2 and len(kept) == 3:
            return f"cables_{'node' if ends[0] == 'nodes' else ends[0]}_{ends[1]}"
    return "_".join(kept)


def canonical_name(metric: str, known: Collection[str] = ()) -> str:
    """The project's word for a published name; a name that is itself ``known`` stays."""
    if metric in known:
        return metric
    return _ALIASES.get(metric) or _ALIASES.get(_canonical(metric)) or _canonical(metric)


def shared_among(facts: Facts, metric: str) -> tuple[str, float] | None:
    """Name of the total and the factor from a share ``X_per_Y`` to it; None for a name that is no share of a derived total."""
    what, _, _ = metric.rpartition("_per_")
    total, share = lookup(facts, what) if what else None, lookup(facts, metric)
    if not isinstance(total, (int, float)) or not isinstance(share, (int, float)) or not share:
        return None
    return canonical_name(what, facts.values), total / share


def _per(facts: Facts, metric: str) -> Any:
    """``X_per_Y``: the total over the count of Y where that is whole; ``Y_X`` is read the same way."""
    what, _, unit = metric.rpartition("_per_")
    if not what:
        head, _, tail = metric.partition("_")
        if _TOKENS.get(head) in ("pods", "arrays", "sus", "segments", "racks") and tail:
            return lookup(facts, f"{tail}_per_{head}")
        return None
    times = 1
    if "_" in unit and unit.split("_")[0].isdigit():
        count, _, unit = unit.partition("_")
        times = int(count)
    plural = _TOKENS.get(unit, unit)
    total = lookup(facts, what)
    among = facts.get(plural, f"{plural}es")
    if plural == "planes":
        among = among or 1
    if not isinstance(total, (int, float)) or not isinstance(among, (int, float)) or not among:
        return None
    share = total * times / among
    return round(share) if abs(share - round(share)) < 1e-9 else share


def lookup(facts: Facts, metric: str) -> Any:
    """The derived value of a published name, or None where the inputs do not say."""
    name = _SPEED.sub("", split_bound(metric)[0])
    if "oversubscription" in name and facts.get("measured_oversubscription") is not None:
        return facts.get("measured_oversubscription")
    product = facts.products.get(product_name(name))
    if product is not None and name not in facts.values and name not in _ALIASES and not set(name.split("_")) & _RULED:
        return _whole(product)
    for candidate in (name, _ALIASES.get(name), _canonical(name), _ALIASES.get(_canonical(name))):
        if candidate is not None and facts.get(candidate) is not None:
            return facts.get(candidate)
    for shorter in (name.removeprefix("total_"), name.removesuffix("_total")):
        if shorter != name and facts.get(shorter) is not None:
            return facts.get(shorter)
    shared = _per(facts, name)
    return shared if shared is not None or product is None else _whole(product)


def _whole(value: float) -> float:
    return round(value) if abs(value - round(value)) < 1e-9 else value


def lookup_in_its_unit(facts: Facts, metric: str) -> Any:
    """``lookup``, also of a figure that is known in another multiple of its unit (``rack_power_w`` from kW)."""
    found = lookup(facts, metric)
    if found is not None:
        return found
    for other, scale in other_units(metric):
        known = lookup(facts, other)
        if isinstance(known, (int, float)):
            return float(f"{known * scale:.12g}")
    return None


def published_figure(metric: str, value: Any) -> tuple[Figure | None, Bound]:
    """What is printed, and how it is to be read: the bound of the name, else that of the text."""
    name, bound = split_bound(metric)
    found = figure(value, name)
    return found, (found.bound if found is not None and bound is Bound.EQUAL else bound)


def decimals(published: float) -> int:
    """Digits printed after the point."""
    text = repr(published)
    if "e" in text:
        return max(0, -math.floor(math.log10(abs(published)))) if published else 0
    return len(text.partition(".")[2].rstrip("0"))


def agrees(predicted: float, published: float, bound: Bound) -> bool:
    """True where the prediction equals the published figure at its printed precision, or satisfies its bound."""
    places = decimals(published)
    slack = 0.5 * 10.0**-places if places or not float(predicted).is_integer() else 0.0
    tolerance = slack * (1 + 1e-9) + 1e-9 * abs(published)
    return {
        Bound.EQUAL: abs(predicted - published) <= tolerance,
        Bound.ABOVE: predicted > published,
        Bound.LEAST: predicted >= published - tolerance,
        Bound.BELOW: predicted < published,
        Bound.MOST: predicted <= published + tolerance,
        Bound.ABOUT: abs(predicted - published) <= 0.05 * abs(published),
    }[bound]


def same(predicted: Any, published: Any, bound: Bound, metric: str = "") -> bool:
    """``agrees`` for numbers, ratios, ranges, lists and maps."""
    if isinstance(published, Mapping):
        return isinstance(predicted, Mapping) and all(
            same(predicted.get(k), v, bound, metric) for k, v in published.items()
        )
    left, printed = number(predicted), figure(published, metric)
    if isinstance(published, (list, tuple)) and (left is None or printed is None):
        pairs = zip(predicted, published, strict=False) if isinstance(predicted, (list, tuple)) else ()
        return (
            isinstance(predicted, (list, tuple))
            and len(predicted) == len(published)
            and all(same(a, b, bound, metric) for a, b in pairs)
        )
    if left is None or printed is None:
        return bool(predicted == published) and predicted is not None
    if printed.is_range:
        return agrees(left, printed.nearest(left), Bound.EQUAL)
    return agrees(left, printed.low, printed.bound if bound is Bound.EQUAL else bound)


__all__ = [
    "UNITS",
    "Bound",
    "agrees",
    "canonical_name",
    "lookup",
    "lookup_in_its_unit",
    "published_figure",
    "same",
    "shared_among",
    "split_bound",
]
