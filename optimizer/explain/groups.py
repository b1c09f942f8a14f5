"""Named groups of an instance: what somebody stated that can clash, with its owner and its place in a file.

A group is a requirement, a site fact, a catalogue fact, a policy, a bound, a date or an assumption. It acts as rows of the
program, as a filter on candidates, or as both; lifting it frees the rows and widens the candidates.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from models.formulation.core import Row
from models.instance import Instance
from optimizer.explain.purchases import purchase_of
from optimizer.explain.widening import Widening


class GroupKind(StrEnum):
    """What sort of statement a group is; in the order in which a conflict is looked for without it."""

    POLICY = "policy"
    ASSUMPTION = "assumption"
    CATALOGUE = "catalogue fact"
    BOUND = "bound"
    DATE = "date"
    SITE = "site fact"
    LIMIT = "limit"
    REQUIREMENT = "requirement"


@dataclass(frozen=True)
class Group:
    """A statement of the instance: dotted ``name``, what it ``asks``, who owns it, where it stands.

    ``widening`` says how candidates change without it (None: they do not), ``rows`` the rows of the program it puts.
    """

    name: str
    kind: GroupKind
    asks: str
    owner: str
    reason: str
    where: str
    widening: Widening | None = field(default=None, compare=False, repr=False)
    rows: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain fields, for JSON."""
        return {
            "name": self.name,
            "kind": self.kind.value,
            "asks": self.asks,
            "owner": self.owner or None,
            "reason": self.reason or None,
            "where": self.where,
        }


def groups_of(instance: Instance, rows: Sequence[Row], wide: Mapping[str, Widening]) -> dict[str, Group]:
    """Every group of an instance by name, those first that a conflict should rather do without.

    ``rows``: the limits of the program when all candidates are let in; ``wide``: the filters that may be lifted.
    """
    by_source: dict[str, list[Row]] = {}
    for row in rows:
        by_source.setdefault(row.source, []).append(row)
    found = [_group(instance, name, wide.get(name), by_source.get(name, [])) for name in {**by_source, **wide}]
    order = list(GroupKind)
    return {g.name: g for g in sorted(found, key=lambda g: (order.index(g.kind), g.name))}


def _group(instance: Instance, name: str, widening: Widening | None, rows: Sequence[Row]) -> Group:
    owner, reason = owner_of(instance, name)
    where = widening.where if widening is not None and widening.where else instance.origin(name)
    return Group(
        name=name,
        kind=_kind(name),
        asks=_asks(instance, name, widening, rows),
        owner=owner,
        reason=reason,
        where=where,
        widening=widening,
        rows=tuple(row_key(row) for row in rows),
    )


def row_key(row: Row) -> str:
    """The name of a row in the compiled program."""
    return row.name if row.index else f"{row.family}.{row.what}[all]"


_BOUNDS = ("sizes", "pods_at_most", "wasted_ports_at_most")
_DATES = ("needed_by", "available_quarter")


def _kind(name: str) -> GroupKind:
    head, last = name.partition(".")[0], name.rpartition(".")[2]
    if last in _DATES:
        return GroupKind.DATE
    if last in _BOUNDS:
        return GroupKind.BOUND
    if head == "workloads" and (".design_space" in name or last == "sites"):
        return GroupKind.POLICY
    by_head = {
        "catalogue": GroupKind.CATALOGUE,
        "assumptions": GroupKind.ASSUMPTION,
        "workloads": GroupKind.REQUIREMENT,
        "sites": GroupKind.SITE,
        "limits": GroupKind.LIMIT,
    }
    return by_head.get(head, GroupKind.POLICY)


def owner_of(instance: Instance, name: str) -> tuple[str, str]:
    """Owner and reason of a dotted path: its own, else those of the nearest thing around it that names any."""
    owner = reason = ""
    for node in _nodes(instance, name):
        found = getattr(node, "owner", "") or ""
        if found:
            owner, reason = str(found), str(getattr(node, "reason", "") or "")
    return owner, reason


def _nodes(instance: Instance, name: str) -> Iterator[Any]:
    node: Any = instance.document
    for step in name.split("."):
        if isinstance(node, Mapping):
            node = node.get(step)
        elif isinstance(node, list | tuple):
            node = node[int(step)] if step.isdigit() and int(step) < len(node) else None
        else:
            node = getattr(node, step, None)
        if node is None:
            return
        yield node


def written(instance: Instance, name: str) -> Any:
    """A field as its author wrote it, None where the document does not say."""
    node: Any = instance.raw
    for step in name.split("."):
        if isinstance(node, Mapping):
            node = node.get(step)
        elif isinstance(node, list | tuple) and step.isdigit() and int(step) < len(node):
            node = node[int(step)]
        else:
            return None
    return node.get("value", node) if isinstance(node, Mapping) else node


def _asks(instance: Instance, name: str, widening: Widening | None, rows: Sequence[Row]) -> str:
    if widening is not None and widening.says:
        return widening.says
    moved = purchase_of(instance, name) if name.startswith(("sourcing.", "quotes.")) else None
    if moved is not None and moved.steps:
        return moved.told(moved.now).before
    value = written(instance, name)
    last = name.rpartition(".")[2]
    said = f"{last}: {plain(value)}" if value is not None else last
    if name.endswith(".deadline"):
        tokens = written(instance, f"{name.rpartition('.')[0]}.tokens")
        said = f"{tokens} within {value}"
    if len(rows) == 1 and rows[0].unit:
        row = rows[0]
        side, limit = ("at most", row.upper) if row.upper is not None else ("at least", row.lower)
        side = "exactly" if row.lower == row.upper else side
        said += f" ({side} {limit:,.7g} {row.unit})"
    return said


def plain(value: Any) -> str:
    """A value of a document in one line."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {plain(item)}" for key, item in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
