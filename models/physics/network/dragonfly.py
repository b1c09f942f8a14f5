"""Dragonflies: all-to-all groups of switches joined all-to-all, and the leaf-spine variant.

switches = groups * a          local  = groups * a(a-1)/2 * links per switch pair
global   = groups(groups-1)/2 * links per group pair
global blocking = endpoint ports of a group / (links per pair * (groups-1))
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Dragonfly:
    """``groups`` groups of ``switches_per_group`` switches, each with ``endpoint_ports`` to nodes and ``local_links`` to every other of its group."""

    groups: int
    switches_per_group: int
    endpoint_ports: int
    local_links: int = 1
    links_per_pair: int = 1

    @property
    def switches(self) -> int:
        """Switches of all groups."""
        return self.groups * self.switches_per_group

    @property
    def endpoints_per_group(self) -> int:
        """Node ports of a group."""
        return self.switches_per_group * self.endpoint_ports

    @property
    def local_ports(self) -> int:
        """Ports of a switch that face its own group."""
        return self.local_links * (self.switches_per_group - 1)

    @property
    def local_cables(self) -> int:
        """Links inside groups."""
        return self.switches * self.local_ports // 2

    @property
    def global_links_per_group(self) -> int:
        """Links that leave a group."""
        return self.links_per_pair * (self.groups - 1)

    @property
    def global_cables(self) -> int:
        """Links between groups."""
        return self.groups * self.global_links_per_group // 2

    @property
    def global_ports(self) -> int:
        """Most ports a switch of a group needs for global links, spread evenly."""
        return -(-self.global_links_per_group // self.switches_per_group)

    @property
    def ports(self) -> int:
        """Ports the busiest switch needs."""
        return self.endpoint_ports + self.local_ports + self.global_ports

    @property
    def global_blocking(self) -> float | None:
        """Node bandwidth over global bandwidth of a group; None for a single group."""
        out = self.global_links_per_group
        return self.endpoints_per_group / out if out else None


@dataclass(frozen=True, slots=True)
class DragonflyPlus:
    """Leaf-spine groups: every leaf of a group has ``links_per_pair_of_switches`` links to every spine; spine ports left over are global."""

    groups: int
    leaves: int
    spines: int
    ports: int
    links_between: int = 1

    @property
    def switches(self) -> int:
        """Switches of all groups."""
        return self.groups * (self.leaves + self.spines)

    @property
    def leaf_down(self) -> int:
        """Ports of a leaf left for nodes."""
        return self.ports - self.spines * self.links_between

    @property
    def spine_global_ports(self) -> int:
        """Ports of a spine left for other groups."""
        return self.ports - self.leaves * self.links_between

    @property
    def links_per_group_pair(self) -> int:
        """Global links between two groups when they are spread evenly."""
        return self.spines * self.spine_global_ports // (self.groups - 1) if self.groups > 1 else 0
