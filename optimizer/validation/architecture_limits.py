"""How large a fabric of the given switches can grow: most nodes, endpoints and accelerators."""

from __future__ import annotations

from optimizer.validation.architecture_clos import largest_leaves
from optimizer.validation.architecture_facts import Facts
from optimizer.validation.architecture_shape import Shape


def derive_limits(facts: Facts, shape: Shape) -> None:
    """Learn ``max_endpoints``, ``max_nodes`` and ``max_accelerators`` where switches and tiers are given."""
    leaves = largest_leaves(shape)
    if leaves is None or not shape.down:
        return
    nodes = (
        leaves // shape.rails * shape.down // shape.per_rail if shape.railed else leaves * shape.down // shape.per_rail
    )
    facts.learn("max_leaf", leaves)
    facts.learn("max_endpoints", leaves * shape.down * shape.planes)
    facts.learn("max_nodes", nodes)
    share = facts.get("nics_per_accelerator")
    inside = facts.get("accelerators_per_node") or (shape.ports_per_node / share if share else None)
    if inside:
        facts.learn("max_accelerators", round(nodes * inside))
    if facts.get("nodes") is None and facts.get("accelerators") is None:
        facts.learn("max_accelerators", leaves * shape.down)
        facts.learn("accelerators", facts.get("max_accelerators"))
        facts.learn("endpoints", leaves * shape.down * shape.planes)
