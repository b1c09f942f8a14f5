"""Switch, port and link counts of a stated leaf split, built up rail by rail and group by group in whole numbers."""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd

from models.physics.network.clos import least_divisor


@dataclass(frozen=True)
class Group:
    """A group of leaves and the spines that join them; in two tiers the whole fabric is one group.

    ``down`` and ``up`` are ports in use on each of its ``spines``.
    """

    leaves: int
    spines: int
    links_per_pair: int
    down: int
    up: int


@dataclass(frozen=True)
class Clos:
    """The switches of one plane. ``leaf_ports_used`` lists the node ports in use on each leaf; groups of all rails in order."""

    rails: int
    leaf_ports_used: tuple[int, ...]
    groups: tuple[Group, ...]
    groups_per_rail: int
    core: int
    least_core: int
    even_core: int
    problem: str | None = None

    @property
    def leaf(self) -> int:
        """Leaf switches."""
        return len(self.leaf_ports_used)

    @property
    def spine(self) -> int:
        """Spine switches."""
        return sum(group.spines for group in self.groups)

    @property
    def core_links(self) -> int:
        """Links between spines and core."""
        return sum(group.spines * group.up for group in self.groups)

    @property
    def core_share(self) -> float:
        """Share of the uplinks of the worst group that any other group can match core by core."""
        if not self.core:
            return 1.0
        totals = [group.spines * group.up for group in self.groups]
        return min((total // self.core) * self.core / total for total in totals)


def ceil_div(number: int, by: int) -> int:
    """Whole number at or above ``number / by``."""
    return -(-number // by)


def build(
    *, nodes: int, ports: int, railed: bool, tiers: int, radix: int, down: int, up: int, spine_split: int, core: int
) -> Clos:
    """The fabric of ``nodes`` nodes with ``ports`` ports each, leaves split ``down``:``up``, on switches of ``radix`` ports.

    ``spine_split``: ports of a spine that face leaves (three tiers). ``problem`` names the rule that the split breaks.
    """
    rails = ports if railed else 1
    leaves = _leaves(nodes if railed else nodes * ports, down) * rails
    per_rail = len(leaves) // rails
    if tiers == 1:
        alone = per_rail == 1
        problem = None if alone else "one tier joins no more nodes than one switch has ports"
        return Clos(rails, tuple(leaves), (), 0, 0, 0, 0, problem)
    if tiers == 2:
        spines = int(least_divisor(up, ceil_div(len(leaves) * up, radix)))
        problem = "no even spread of the uplinks has spine ports enough" if not spines else None
        problem = "a single leaf has nothing to join" if len(leaves) == 1 else problem
        pair = up // spines if spines else 0
        group = Group(len(leaves), spines, pair, len(leaves) * pair, 0)
        return Clos(rails, tuple(leaves), (group,), 0, 0, 0, 0, problem)
    return _three_tiers(rails, leaves, per_rail, radix, up, spine_split, core)


def _leaves(links: int, down: int) -> list[int]:
    """Node ports in use on each leaf, filled in order."""
    return [min(down, links - first) for first in range(0, links, down)]


def _three_tiers(
    rails: int, leaves: list[int], per_rail: int, radix: int, up: int, spine_split: int, core: int
) -> Clos:
    number = ceil_div(per_rail, spine_split)
    largest = ceil_div(per_rail, number)
    larger = per_rail - (largest - 1) * number
    spines = int(least_divisor(up, ceil_div(largest * up, spine_split)))
    if not spines:
        return Clos(rails, tuple(leaves), (), number, core, 0, 0, "no even spread of the uplinks over spines")
    pair = up // spines
    one_rail = []
    for position in range(number):
        size = largest if position < larger else largest - 1
        below = size * pair
        above = ceil_div(below * (radix - spine_split), spine_split)
        one_rail.append(Group(size, spines, pair, below, above))
    groups = tuple(one_rail * rails)
    links = sum(group.spines * group.up for group in groups)
    least = ceil_div(links, radix)
    together = gcd(*(group.spines * group.up for group in groups))
    even = least if together % least == 0 else int(least_divisor(together, least))
    problem = None
    if number == 1 and rails == 1:
        problem = "two tiers already join all leaves of one group"
    elif rails * number > radix:
        problem = "more groups than a core switch has ports"
    elif min(group.spines * group.up for group in groups) < core:
        problem = "the uplinks of a group do not reach every core switch"
    return Clos(rails, tuple(leaves), groups, number, core, least, even, problem)
