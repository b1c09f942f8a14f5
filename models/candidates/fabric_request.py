"""What is asked of a fabric: sizes, ports, tiers, oversubscription, rules on media, and the plan of the racks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from models.physics.network.lengths import RackPlan


class Level(StrEnum):
    """Between which tiers a link runs."""

    NODE_LEAF = "node_leaf"
    LEAF_SPINE = "leaf_spine"
    SPINE_CORE = "spine_core"


class Taper(StrEnum):
    """Which tier of a three-tier fabric carries the oversubscription."""

    LEAF = "leaf"
    SPINE = "spine"


@dataclass(frozen=True)
class FabricRequest:
    """A question to the fabric enumeration.

    ``nodes``: node counts, any number at once. Every node has ``ports_per_node`` ports in each of ``planes`` independent planes,
    on distinct rails where rail-optimised, each of ``port_speed`` [B/s]. ``tiers``: 1 (rail-only, or one switch), 2, 3.
    ``uplink_speeds`` [B/s]: inter-switch speeds, None for the port speed. ``breakouts``: parts an inter-switch port may be split into.
    ``reserved_nodes`` and ``manager_ports``: node positions and leaf ports given up to fabric managers.
    ``nic_ports_per_cage`` and ``nic_cage_speed`` describe the node side cage; ``pairs`` adds fabrics of two switch models
    (id of the leaf, id of spine and core) to those of one; ``full_leaves_only`` keeps, of the sizes that
    need the same leaves, the largest: every distinct design once; ``media`` fixes the kinds or ids allowed at a level.
    """

    nodes: npt.NDArray[np.int64]
    rack_plan: RackPlan
    port_speed: float
    accelerators_per_node: int = 8
    ports_per_node: int = 8
    planes: int = 1
    tiers: tuple[int, ...] = (1, 2, 3)
    oversubscriptions: tuple[float, ...] = (1.0,)
    taper_at: tuple[Taper, ...] = (Taper.LEAF,)
    rail_optimised: tuple[bool, ...] = (True,)
    uplink_speeds: tuple[float, ...] | None = None
    breakouts: tuple[int, ...] = (1,)
    protocols: frozenset[str] | None = None
    reserved_nodes: int = 0
    manager_ports: int = 0
    max_waste: float = 0.02
    nodes_per_unit: int | None = None
    nic_ports_per_cage: int = 1
    nic_cage_speed: float | None = None
    pairs: tuple[tuple[str, str], ...] = ()
    full_leaves_only: bool = False
    media: Mapping[Level, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if np.any(np.asarray(self.nodes) < 1):
            raise ValueError("a fabric joins at least one node")
        if self.port_speed <= 0 or self.ports_per_node < 1 or self.planes < 1:
            raise ValueError("a node has at least one port of positive speed in at least one plane")
        if any(o < 1 for o in self.oversubscriptions):
            raise ValueError("an oversubscription is at least 1")

    @property
    def positions(self) -> npt.NDArray[np.int64]:
        """Node positions the fabric is sized for: nodes and those given up to fabric managers."""
        return np.asarray(self.nodes, dtype=np.int64) + self.reserved_nodes
