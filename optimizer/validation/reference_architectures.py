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
from optimizer.validation.architecture_facts import GEOMETRY, Facts, number, read_inputs
from optimizer.validation.architecture_limits import derive_limits
from optimizer.validation.architecture_names import Bound, canonical_name, lookup, same, split_bound
from optimizer.validation.architecture_rules import broken_rule, contradictions
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

RACKS = ("rack", "power")
_CLOS = frozenset({"fat_tree", "rail_only", "dual_plane", "multi_plane", "clos", "rack_scale", "bom"})


def derive(topology: str, inputs: Mapping[str, Any]) -> tuple[Facts, Shape | None]:
    """Everything that follows from ``inputs``, and the shape of the fabric where it is a Clos."""
    facts = read_inputs(topology, inputs)
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
    return facts, shape


def _derive_metric(case: Mapping[str, Any], facts: Facts, metric: str, published: Any) -> Any:
    """The derived value of ``metric``: elementwise where an input is a list, by node count where the published figure is a map."""
    inputs = _mapping(case, "inputs")
    topology = str(case.get("topology") or "")
    if isinstance(published, Mapping):
        found = {}
        for key in published:
            count = number(key)
            if count is not None:
                found[key] = lookup(derive(topology, {**inputs, "nodes": count})[0], metric)
        return found if found and all(v is not None for v in found.values()) else None
    lists = [k for k, v in inputs.items() if isinstance(v, (list, tuple)) and v and k not in GEOMETRY]
    if lists:
        values = []
        for index in range(len(inputs[lists[0]])):
            chosen = {k: (v[index] if k in lists and index < len(v) else v) for k, v in inputs.items()}
            values.append(lookup(derive(topology, chosen)[0], metric))
        return values if all(v is not None for v in values) else None
    return lookup(facts, metric)


def _mapping(case: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    content = case.get(field)
    return content if isinstance(content, Mapping) else {}


def _error(predicted: Any, published: Any) -> float | None:
    ours, theirs = number(predicted), number(published)
    return None if ours is None or theirs is None or theirs == 0 else ours / theirs - 1


def _row(case: Mapping[str, Any], facts: Facts, shape: Shape | None, metric: str, figures: Mapping[str, float]) -> Row:
    published = _mapping(case, "published").get(metric)
    predicted = _derive_metric(case, facts, metric, published)
    name, bound = split_bound(metric)
    status, binding, note = RowStatus.INFO, None, "does not follow from the inputs"
    if predicted is not None and published is not None:
        if same(predicted, published, bound):
            status, note = RowStatus.MATCH, ""
        else:
            status, note = RowStatus.MISMATCH, "another legal design may have the published value"
            value = number(published)
            if value is not None and bound is not Bound.ABOUT:
                broken = broken_rule(facts, shape, canonical_name(name), value, figures)
                if broken is None and number(predicted) is not None and canonical_name(name) not in facts.values:
                    broken = ("arithmetic", f"the inputs give {predicted:.10g}, not {value:g}")
                if broken is not None:
                    status, binding, note = RowStatus.FLAGGED, broken[0], f"{broken[0]}: {broken[1]}"
            elif value is None and isinstance(published, (list, tuple, Mapping)):
                status, binding, note = RowStatus.FLAGGED, "arithmetic", f"arithmetic: the inputs give {predicted}"
            elif value is None:
                status, note = RowStatus.INFO, "the published value is no figure"
    elif published is None:
        note = "named checkable but not published"
    return Row(
        str(case.get("id", "")), str(case.get("family", "")), metric, predicted, published, _error(predicted, published),
        status, binding, note,
    )  # fmt: skip


def rack_rows(case: Mapping[str, Any]) -> list[Row]:
    """Published figures of a rack and its power that follow from the inputs, of a record that names none as checkable."""
    if case.get("topology") not in RACKS or case.get("checkable"):
        return []
    facts, shape = derive(str(case.get("topology")), _mapping(case, "inputs"))
    published = _mapping(case, "published")
    known = [str(m) for m, value in published.items() if _derive_metric(case, facts, str(m), value) is not None]
    figures = {canonical_name(split_bound(m)[0]): v for m in known if (v := number(published.get(m))) is not None}
    return [_row(case, facts, shape, metric, figures) for metric in known]


def evaluate_case(case: Mapping[str, Any]) -> list[Row]:
    """Rows of one record, one per checkable count.

    A record with nothing checkable yields no rows, unless its inputs break a ledger: then one flagged row per published figure.
    """
    inputs, published = _mapping(case, "inputs"), _mapping(case, "published")
    facts, shape = derive(str(case.get("topology") or ""), inputs)
    named = case.get("checkable")
    checkable: Sequence[str] = [str(name) for name in named] if isinstance(named, (list, tuple)) else []
    figures = {canonical_name(split_bound(m)[0]): v for m in checkable if (v := number(published.get(m))) is not None}
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
