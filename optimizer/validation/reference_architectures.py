"""Published reference architectures: every checkable count, derived from the inputs of the record alone.

A row is a ``match`` where our count equals the published one at its printed precision, a ``mismatch`` where we derive another and a
legal, if wasteful, design could have the published one, ``flagged`` where none can (the note names the broken rule), ``info`` where
the inputs do not say (predicted is None). A published set stands or falls together: where its inputs break a ledger, or one of its figures
is impossible, no legal fabric has all its figures, and the rows that would agree are flagged with that reason.
Only ``id``, ``family``, ``topology``, ``inputs``, ``published`` and ``checkable`` are read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from optimizer.validation.architecture_clos import derive_clos
from optimizer.validation.architecture_facts import GEOMETRY, Facts, flat, read_inputs
from optimizer.validation.architecture_figures import Figure, number
from optimizer.validation.architecture_limits import derive_limits
from optimizer.validation.architecture_names import (
    Bound,
    canonical_name,
    lookup_in_its_unit,
    published_figure,
    same,
    shared_among,
    split_bound,
)
from optimizer.validation.architecture_networks import inputs_of, network_of
from optimizer.validation.architecture_products import counted, derive_products, spare_supplies
from optimizer.validation.architecture_rules import DESIGN_FREEDOM, broken_rule, contradictions
from optimizer.validation.architecture_shape import Shape
from optimizer.validation.architecture_topologies import (
    derive_bandwidth,
    derive_dragonfly,
    derive_dragonfly_plus,
    derive_power,
    derive_scaleup,
    derive_torus,
)
from optimizer.validation.records import Row, RowStatus

_CLOS = frozenset({"fat_tree", "rail_only", "dual_plane", "multi_plane", "clos", "rack_scale", "bom"})


KNOWN_TOPOLOGIES = _CLOS | {
    "torus", "torus3d_ocs", "dragonfly", "dragonfly_plus", "scaleup_switch", "rack", "power", "reliability",
}  # fmt: skip
_ALSO_CALLED = {
    "leaf_spine": "fat_tree", "spine_leaf": "fat_tree", "folded_clos": "fat_tree", "fattree": "fat_tree",
    "rail_optimized": "fat_tree", "rail_optimised": "fat_tree", "rail_aligned": "fat_tree", "dualplane": "dual_plane",
    "multiplane": "multi_plane", "3d_torus": "torus", "2d_torus": "torus", "torus3d": "torus", "torus2d": "torus",
    "torus_ocs": "torus3d_ocs", "dragonfly+": "dragonfly_plus", "dragonflyplus": "dragonfly_plus", "scale_up": "scaleup_switch",
    "nvlink": "scaleup_switch", "scaleup": "scaleup_switch", "bill_of_materials": "bom",
}  # fmt: skip


def topology_name(topology: str) -> str:
    """The project's word for a topology, however it is spelt."""
    plain = topology.strip().lower().replace("-", "_").replace(" ", "_")
    return _ALSO_CALLED.get(plain, plain)


def derive(topology: str, inputs: Mapping[str, Any]) -> tuple[Facts, Shape | None]:
    """Everything that follows from ``inputs``, and the shape of the fabric where it is a Clos."""
    topology = topology_name(topology)
    stated = dict(flat(inputs))
    facts = read_inputs(topology, _with_products(stated))
    shape: Shape | None = None
    if topology in ("torus", "torus3d_ocs") or "cube" in inputs:
        derive_torus(facts)
    if topology == "dragonfly":
        derive_dragonfly(facts)
    elif topology == "dragonfly_plus":
        derive_dragonfly_plus(facts)
    if topology == "scaleup_switch" or facts.get("links_per_accelerator") or facts.get("external_links_per_node"):
        derive_scaleup(facts)
    if topology in _CLOS:
        shape = derive_clos(facts)
        derive_limits(facts, shape)
    derive_power(facts)
    derive_bandwidth(facts)
    derive_products(facts, stated)
    return facts, shape


def _with_products(stated: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs with what follows for nodes from contents of things the fabric's rules do not know."""
    found, known = counted(stated), read_inputs("", stated)
    more = {"nodes": found.get("nodes"), "accelerators_per_node": found.get("accelerators_per_nodes")}
    more["psu_spares"] = spare_supplies(stated)
    return {**stated, **{name: value for name, value in more.items() if value is not None and known.get(name) is None}}


def _derive_metric(case: Mapping[str, Any], facts: Facts, metric: str, published: Any) -> Any:
    """The derived value of ``metric``: elementwise where an input is a list, by node count where the published figure is a map."""
    inputs = dict(flat(_mapping(case, "inputs")))
    topology = str(case.get("topology") or "")
    if isinstance(published, Mapping):
        found = {}
        for key in published:
            count = number(key)
            if count is not None:
                found[key] = lookup_in_its_unit(derive(topology, {**inputs, "nodes": count})[0], metric)
            else:
                # figures of several tiers or kinds in one group, as ``switches: {leaf: 8, spine: 4}``
                other = _other_network(case, f"{metric}_{key}")
                found[key] = (
                    lookup_in_its_unit(facts, f"{metric}_{key}")
                    if other is None
                    else lookup_in_its_unit(derive(*_read(other[0]))[0], other[1])
                )
        return found if found and all(v is not None for v in found.values()) else None
    lists = [
        k
        for k, v in inputs.items()
        if isinstance(v, (list, tuple)) and k not in GEOMETRY and any(number(item, k) is not None for item in v)
    ]
    if lists:
        values = []
        for index in range(len(inputs[lists[0]])):
            chosen = {k: (v[index] if k in lists and index < len(v) else v) for k, v in inputs.items()}
            values.append(lookup_in_its_unit(derive(topology, chosen)[0], metric))
        if not isinstance(published, (list, tuple)) and all(value == values[0] for value in values):
            return values[0]  # the list has no part in it
        return values if all(v is not None for v in values) else None
    return lookup_in_its_unit(facts, metric)


def _read(case: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """Topology and inputs of a record."""
    return str(case.get("topology") or ""), _mapping(case, "inputs")


def _other_network(case: Mapping[str, Any], metric: str) -> tuple[dict[str, Any], str] | None:
    """The record of the storage, management or like network that ``metric`` speaks of, and its figure; None for the fabric itself."""
    named = network_of(metric)
    inputs = None if named is None else inputs_of(named[0], _mapping(case, "inputs"))
    if named is None or inputs is None:
        return None
    published = {named[1]: _mapping(case, "published").get(metric)}
    return {**case, "topology": "fat_tree", "inputs": inputs, "published": published}, named[1]


def _mapping(case: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    content = case.get(field)
    return content if isinstance(content, Mapping) else {}


def _error(predicted: Any, published: Any, metric: str) -> float | None:
    """Signed and relative; towards the nearest end of a range, 0 inside it; of a list or map the worst of its figures."""
    if isinstance(predicted, Mapping) and isinstance(published, Mapping):
        errors = [_error(predicted.get(key), value, metric) for key, value in published.items()]
    elif isinstance(predicted, (list, tuple)) and isinstance(published, (list, tuple)):
        errors = [_error(ours, theirs, metric) for ours, theirs in zip(predicted, published, strict=False)]
    else:
        return _error_of_one(predicted, published_figure(metric, published)[0])
    return max((error for error in errors if error is not None), key=abs, default=None)


def _error_of_one(predicted: Any, printed: Figure | None) -> float | None:
    ours = number(predicted)
    theirs = None if ours is None or printed is None else printed.nearest(ours)
    return None if ours is None or not theirs else ours / theirs - 1


def _judged(
    facts: Facts, shape: Shape | None, metric: str, predicted: Any, published: Any, figures: Mapping[str, float]
) -> tuple[RowStatus, str | None, str]:
    """Status, broken rule and note of a published figure beside ours, neither of them absent."""
    printed, bound = published_figure(metric, published)
    name = canonical_name(split_bound(metric)[0], facts.known)
    if same(predicted, published, bound, metric):
        return RowStatus.MATCH, None, ""
    if printed is None and not isinstance(published, (list, tuple, Mapping)):
        return RowStatus.INFO, None, "the published value is no figure"
    ours = number(predicted)
    if printed is None or ours is None:
        return RowStatus.FLAGGED, "arithmetic", f"arithmetic: the inputs give {predicted}"
    if bound is not Bound.ABOUT:
        value = printed.nearest(ours)
        shared = None if name in facts.values else shared_among(facts, name)
        if shared is None:
            broken = broken_rule(facts, shape, name, value, figures)
        else:
            # a share of a count that has freedom has it too
            broken = broken_rule(facts, shape, shared[0], value * shared[1], figures)
        if broken is None and shared is None and name not in facts.values and name not in DESIGN_FREEDOM:
            broken = ("arithmetic", f"the inputs give {ours:.10g}, not {value:g}")
        if broken is not None:
            return RowStatus.FLAGGED, broken[0], f"{broken[0]}: {broken[1]}"
    return RowStatus.MISMATCH, None, "another legal design may have the published value"


def _row(case: Mapping[str, Any], facts: Facts, shape: Shape | None, metric: str, figures: Mapping[str, float]) -> Row:
    other = _other_network(case, metric)
    if other is not None:
        beside, rest = other
        return replace(_row(beside, *derive(*_read(beside)), rest, {}), metric=metric)
    published = _mapping(case, "published").get(metric)
    predicted = _derive_metric(case, facts, metric, published)
    status, binding, note = RowStatus.INFO, None, "does not follow from the inputs"
    if topology_name(str(case.get("topology") or "")) not in KNOWN_TOPOLOGIES:
        note += f": topology {case.get('topology')!s} is none of {', '.join(sorted(KNOWN_TOPOLOGIES))}"
    if predicted is not None and published is not None:
        status, binding, note = _judged(facts, shape, metric, predicted, published, figures)
    elif published is None:
        note = "named checkable but not published"
    error = None if published is None else _error(predicted, published, metric)
    return Row(
        str(case.get("id", "")), str(case.get("family", "")), metric, predicted, published, error, status, binding, note
    )


def context_rows(case: Mapping[str, Any]) -> list[Row]:
    """Every published figure of a record that names none as checkable, judged all the same."""
    if _named(case):
        return []
    facts, shape = derive(*_read(case))
    published = {str(metric): value for metric, value in _mapping(case, "published").items()}
    figures = _figures(facts, published, list(published))
    return [_row(case, facts, shape, metric, figures) for metric in published]


def _named(case: Mapping[str, Any]) -> list[str]:
    """What the record names as checkable: a list, or one name alone."""
    named = case.get("checkable")
    if isinstance(named, str):
        return [named]
    return [str(name) for name in named] if isinstance(named, (list, tuple)) else []


def _figures(facts: Facts, published: Mapping[str, Any], metrics: Sequence[str]) -> dict[str, float]:
    """Published single figures by the project's names, of those that are no bounds."""
    found = {}
    for metric in metrics:
        value = number(published.get(metric), metric)
        if value is not None and split_bound(metric)[1] is Bound.EQUAL:
            found[canonical_name(metric, facts.known)] = value
    return found


def evaluate_case(case: Mapping[str, Any]) -> list[Row]:
    """Rows of one record, one per checkable count.

    A record with nothing checkable yields no rows, unless its inputs break a ledger: then one flagged row per published figure.
    """
    published = _mapping(case, "published")
    facts, shape = derive(*_read(case))
    checkable = _named(case)
    figures = _figures(facts, published, checkable)
    against = list(facts.broken) + contradictions(figures)
    if not checkable:
        checkable = [str(name) for name in published] if facts.broken else []
    rows = [_row(case, facts, shape, metric, figures) for metric in checkable]
    reason = "; ".join(f"{rule}: {words}" for rule, words in against)
    rule: str | None = against[0][0] if against else None
    if not against:
        first = next((row for row in rows if row.status is RowStatus.FLAGGED), None)
        if first is None:
            return rows
        rule = first.binding
        reason = f"agrees with the inputs, but no legal design has all published figures: {first.metric}: {first.note}"
    return [
        row if row.status is RowStatus.FLAGGED else replace(row, status=RowStatus.FLAGGED, binding=rule, note=reason)
        for row in rows
    ]
