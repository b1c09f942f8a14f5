"""How large a fabric of the given switches can grow: most nodes, endpoints and accelerators."""

from __future__ import annotations

from optimizer.validation.architecture_clos import Shape
from optimizer.validation.architecture_facts import Facts


def largest_leaves(shape: Shape) -> int | None:
    """Most leaves of one plane that the tiers above can join; None where the ports are not known."""
    if shape.tiers == 1:
        return shape.rails
    if not shape.up or not shape.spine_ports or shape.tiers not in (2, 3):
        return None
    ports = (shape.spine_ports - shape.spine_up) * shape.breakout
    if shape.tiers == 2:
        return ports
    core = (shape.core_ports or shape.spine_ports) * shape.breakout
    return core * (ports // 2)


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
