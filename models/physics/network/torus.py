"""Tori, alone and cut into cubes that optical circuit switches join.

A cube of edges e_1 x ... x e_k has prod(e) chips. Axis i has 2 * prod(e) / e_i faces' positions, each an optical port. One switch joins
one position of one axis: it takes two ports of every cube, so there are sum_i prod(e) / e_i switches of at least 2 * cubes ports.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CubeTorus:
    """``cubes`` cubes of chip counts ``edges`` per axis, joined by optical circuit switches."""

    cubes: int
    edges: tuple[int, ...]

    @property
    def chips_per_cube(self) -> int:
        """Chips in a cube."""
        return math.prod(self.edges)

    @property
    def chips(self) -> int:
        """Chips in all cubes."""
        return self.cubes * self.chips_per_cube

    @property
    def ports_per_cube(self) -> int:
        """Optical ports on the faces of a cube."""
        return sum(2 * self.chips_per_cube // edge for edge in self.edges)

    @property
    def switches(self) -> int:
        """Optical circuit switches: one per axis and face position."""
        return self.ports_per_cube // 2

    @property
    def ports_per_switch(self) -> int:
        """Ports in use on every optical switch."""
        return 2 * self.cubes

    @property
    def port_ends(self) -> int:
        """Optical ports of all cubes, hence modules and fibres from cubes to switches."""
        return self.cubes * self.ports_per_cube

    @property
    def ports_per_chip(self) -> float:
        """Optical modules per chip."""
        return self.ports_per_cube / self.chips_per_cube

    @property
    def copper_links(self) -> int:
        """Links inside cubes: an axis of edge e has e - 1 of them on every line of chips."""
        return self.cubes * sum(self.chips_per_cube // edge * (edge - 1) for edge in self.edges)


def torus_links(edges: Sequence[int]) -> int:
    """Links of a torus: one per chip and axis, half of that on an axis of two, none on an axis of one."""
    chips = math.prod(edges)
    return sum(chips if edge > 2 else chips // 2 if edge == 2 else 0 for edge in edges)


def torus_bisection_links(edges: Sequence[int]) -> int:
    """Links cut when an even longest axis is halved: two per line of chips, one where the axis has two."""
    longest = max(edges)
    lines = math.prod(edges) // longest
    return lines * (2 if longest > 2 else 1)


def torus_diameter(edges: Sequence[int]) -> int:
    """Hops between the farthest chips."""
    return sum(edge // 2 for edge in edges)
