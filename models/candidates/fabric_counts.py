"""Exact switch, link and module counts of one group of blocks at every size, and the rules that refuse a size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.candidates.fabric_blocks import BlockGroup
from models.candidates.fabric_request import FabricRequest
from models.candidates.fabric_table import Refusal
from models.physics.network.clos import ceil_div, divisor_table, leaf_count, three_tier_groups

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

RULES = (
    "legal",
    "one tier joins no more nodes than one switch has ports",
    "a single leaf has nothing to join",
    "two tiers end here: no even spread of the uplinks over spines has enough spine ports",
    "two tiers already join all leaves of one group",
    "a core switch has too few ports to reach every group",
    "no leaf ports left for the fabric managers",
)


@dataclass(frozen=True)
class Counts:
    """Counts of the legal rows of a group, one plane; ``block`` and ``size`` say which shape and which size a row is."""

    block: Ints
    size: Ints
    nodes: Ints
    positions: Ints
    tiers: Ints
    railed: Bools
    down: Ints
    up: Ints
    rails: Ints
    leaf: Ints
    spine: Ints
    core: Ints
    groups: Ints
    group_leaves: Ints
    group_spines: Ints
    large_groups: Ints
    links_per_pair: Ints
    spine_down_used: Ints
    spine_up_used: Ints
    small_spine_up_used: Ints
    links_spine_core: Ints


def _lookup(numbers: Ints, wanted: Ints) -> Ints:
    """Least divisor of ``numbers[i]`` that is >= ``wanted[i, :]``; 0 where there is none."""
    longest = int(numbers.max(initial=0))
    table = np.zeros((len(numbers), longest + 2), dtype=np.int64)
    for i, number in enumerate(numbers):
        table[i, : number + 2] = divisor_table(int(number))
    return np.asarray(table[np.arange(len(numbers))[:, None], np.minimum(wanted, longest + 1)])


def _leaves(request: FabricRequest, down: Ints, railed: Bools) -> Ints:
    ports = request.ports_per_node
    positions = request.positions[None, :]
    if request.nodes_per_unit is None:
        return leaf_count(positions, ports, down, railed)
    units = ceil_div(positions, request.nodes_per_unit)
    return np.asarray(units * leaf_count(request.nodes_per_unit, ports, down, railed))


def _refusals(group: BlockGroup, request: FabricRequest, rule: npt.NDArray[np.int8]) -> list[Refusal]:
    out = []
    for index, block in enumerate(group.blocks):
        for code in np.unique(rule[index]):
            if code:
                hit = request.nodes[rule[index] == code]
                low, high = int(hit.min()), int(hit.max())
                out.append(Refusal(group.card.id, block.tiers, block.split, RULES[code], low, high, len(hit)))
    return out


def count_group(request: FabricRequest, group: BlockGroup) -> tuple[Counts, list[Refusal]]:
    """Counts for every block and size of ``group`` that is legal, and the rules that refuse the rest."""
    blocks = group.blocks

    def column(name: str) -> Ints:
        return np.array([getattr(b, name) for b in blocks], dtype=np.int64)[:, None]

    tiers, down, up, spine_down, spine_up = map(column, ("tiers", "down", "up", "spine_down", "spine_up"))
    railed = column("rail_optimised").astype(bool)
    rails = np.where(railed, request.ports_per_node, 1)
    leaf = _leaves(request, down, railed)
    rule = np.zeros(leaf.shape, dtype=np.int8)

    per_rail = ceil_div(leaf, rails)
    groups, group_leaves = three_tier_groups(per_rail, np.maximum(spine_down, 1))
    uplinks = up * group.breakout
    two_need = ceil_div(leaf * uplinks, max(group.inter_ports, 1))
    three_need = ceil_div(group_leaves * up, np.maximum(spine_down, 1))
    spines = _lookup(uplinks[:, 0], np.where(tiers == 2, two_need, three_need))

    positions = request.positions[None, :]
    spare = leaf * down - request.nodes[None, :] * request.ports_per_node
    rule[np.broadcast_to((tiers == 3) & (rails * groups > group.inter_ports), rule.shape)] = 5
    rule[np.broadcast_to((tiers == 3) & (groups == 1) & (rails == 1), rule.shape)] = 4
    rule[(tiers > 1) & (spines == 0)] = 3
    rule[(tiers == 2) & (leaf == 1)] = 2
    alone = np.where(railed, positions > down, leaf > 1)
    rule[(tiers == 1) & alone] = 1
    rule[spare < request.manager_ports] = 6
    b, n = np.nonzero(rule == 0)

    def rows(values: npt.NDArray[np.generic]) -> Ints:
        return np.broadcast_to(values, rule.shape)[b, n].astype(np.int64)

    three = rows(tiers) == 3
    spread = np.maximum(rows(spines), 1)
    pair = np.where(rows(tiers) == 1, 0, rows(uplinks) // spread)
    big_leaves = np.where(three, rows(group_leaves), rows(leaf))
    ratio_up, ratio_down = rows(spine_up), np.maximum(rows(spine_down), 1)
    large = np.where(three, rows(per_rail) - (big_leaves - 1) * rows(groups), 0)
    down_used = np.where(rows(tiers) == 1, 0, big_leaves * pair)
    up_used = np.where(three, ceil_div(down_used * ratio_up, ratio_down), 0)
    small_up = np.where(three, ceil_div((big_leaves - 1) * pair * ratio_up, ratio_down), 0)
    small = np.where(three, rows(groups) - large, 0)
    links_core = np.where(three, rows(rails) * rows(spines) * (large * up_used + small * small_up), 0)
    counts = Counts(
        block=b, size=n, nodes=request.nodes[n].astype(np.int64), positions=request.positions[n], tiers=rows(tiers),
        railed=rows(railed).astype(bool), down=rows(down), up=rows(up), rails=rows(rails), leaf=rows(leaf),
        spine=np.where(three, rows(rails * groups * spines), np.where(rows(tiers) == 2, rows(spines), 0)),
        core=ceil_div(links_core, group.inter_ports), groups=np.where(three, rows(groups), 0), group_leaves=big_leaves,
        group_spines=rows(spines), large_groups=large, links_per_pair=pair, spine_down_used=down_used,
        spine_up_used=up_used, small_spine_up_used=small_up, links_spine_core=links_core,
    )  # fmt: skip
    return counts, _refusals(group, request, rule)


def filled(links: Ints, width: Ints, together: int) -> Ints:
    """Units that serve ``links`` links on switches of ``width`` ports filled in order, ``together`` ports to a unit."""
    full, rest = np.divmod(links, width)
    return np.asarray(full * ceil_div(width, together) + ceil_div(rest, together))


def spread(links: Ints, switches: Ints, together: int) -> Ints:
    """Units that serve ``links`` links spread evenly over ``switches``, ``together`` ports to a unit."""
    each, more = np.divmod(links, np.maximum(switches, 1))
    return np.asarray(more * ceil_div(each + 1, together) + (switches - more) * ceil_div(each, together))


def leaf_units(request: FabricRequest, counts: Counts, together: int) -> Ints:
    """Units at the leaf end of the node links of one plane, leaves filled in order within each scalable unit."""
    ports, nodes = request.ports_per_node, counts.nodes

    def of(some: Ints) -> Ints:
        railed = counts.rails * filled(some, counts.down, together)
        return np.where(counts.railed, railed, filled(some * ports, counts.down, together))

    unit = request.nodes_per_unit
    if unit is None:
        return of(nodes)
    return nodes // unit * of(np.full_like(nodes, unit)) + of(nodes % unit)


def spine_units(counts: Counts, together: int) -> tuple[Ints, Ints]:
    """Units on spines of one plane towards leaves and towards the core."""
    three = counts.tiers == 3
    small = np.where(three, counts.groups - counts.large_groups, 0)
    per_group = np.where(three, counts.rails * counts.group_spines, counts.spine)
    small_down = (counts.group_leaves - 1) * counts.links_per_pair
    large = np.where(three, counts.large_groups, 1)
    down = per_group * (large * ceil_div(counts.spine_down_used, together) + small * ceil_div(small_down, together))
    up = per_group * (
        large * ceil_div(counts.spine_up_used, together) + small * ceil_div(counts.small_spine_up_used, together)
    )
    return down.astype(np.int64), up.astype(np.int64)
