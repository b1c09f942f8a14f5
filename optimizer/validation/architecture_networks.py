"""Networks beside the one of the accelerators: storage, management and the like, each a fabric of its own over the same nodes.

Inputs and figures of such a network carry its name (``storage_ports_per_node``, ``storage_leaf``) or stand in a group of it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from optimizer.validation.architecture_facts import UNITS, flat
from optimizer.validation.architecture_figures import number

NETWORKS = ("storage", "management", "mgmt", "inband", "oob", "frontend", "converged")
_SHARED = frozenset(UNITS) | {
    "servers", "instances", "hosts", "gpus", "chips", "accelerators_per_node", "gpus_per_node", "gpus_per_server",
    "chips_per_server", "nodes_per_rack", "servers_per_rack", "spare_nodes",
}  # fmt: skip
_SPLIT = frozenset({"tiers", "downlinks", "uplinks", "leaf_oversubscription", "oversubscription"})
_OF_A_NODE = {
    "ports_per_node": "nic_ports_per_node",
    "ports_per_server": "nic_ports_per_node",
    "port_gbps": "nic_port_gbps",
}


_TARGETS = frozenset({"storage_nodes", "storage_servers", "storage_appliances", "storage_targets"})
_OF_A_TARGET = frozenset(
    {
        f"storage_ports_per_{one}"
        for one in ("storage_node", "storage_server", "appliance", "storage_appliance", "target")
    }
    | {f"ports_per_{one.removesuffix('s')}" for one in _TARGETS}
)


def network_of(metric: str) -> tuple[str, str] | None:
    """Network and figure that a published name speaks of (``storage_leaf``: storage, leaf); None for the accelerators' own."""
    network, _, rest = metric.partition("_")
    return (network, rest) if network in NETWORKS and rest else None


def inputs_of(network: str, inputs: Mapping[str, Any]) -> dict[str, Any] | None:
    """Inputs of ``network`` alone: its own without its name, and the counts all networks share; None where it has none."""
    own: dict[str, Any] = {}
    shared: dict[str, Any] = {}
    targets: dict[str, Any] = {}
    for name, value in flat(inputs):
        if name in _TARGETS or name in _OF_A_TARGET:
            targets["count" if name in _TARGETS else "ports"] = number(value, name)
            continue
        if name.startswith(f"{network}_"):
            rest = name.removeprefix(f"{network}_")
            own[_OF_A_NODE.get(rest, rest)] = value
        elif name in _SHARED:
            shared[name] = value
    if network == "storage" and targets.get("count"):
        # servers of storage take leaf ports as nodes do, and are no nodes
        per_node = number(own.get("nic_ports_per_node"), "nic_ports_per_node") or 1
        if targets.get("ports") is None:
            own = {name: value for name, value in own.items() if name not in ("switch_ports", "leaf_ports")}
        else:
            own["reserved_nodes"] = math.ceil(targets["count"] * targets["ports"] / per_node)
    if not _SPLIT & set(own):
        # whether its switches have a tier above them is not said, so only links of nodes follow
        own = {name: value for name, value in own.items() if name not in ("switch_ports", "leaf_ports")}
    return {**shared, **own} if own else None
