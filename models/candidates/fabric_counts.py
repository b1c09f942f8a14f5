"""Exact switch, link and module counts of one group of blocks at every size, and the rules that refuse a size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.candidates.fabric_blocks import Block, BlockGroup
from models.candidates.fabric_request import FabricRequest
from models.candidates.fabric_table import Refusal
from models.physics.network.clos import (
    ceil_div,
    even_core,
    guaranteed_share,
    leaf_count,
    three_tier_groups,
    three_tier_spines,
    two_tier_spines,
)

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

RULES = (
    "legal",
    "one tier joins no more nodes than one switch has ports",
    "a single leaf has nothing to join",
    "two tiers end here: no even spread of the uplinks over spines has enough spine ports",
    "two tiers already join all leaves of one group",
    "the uplinks of a group do not reach every core switch",
    "no leaf ports left for the fabric managers",
    "the least number of core switches already spreads evenly",
    "no even spread of a group's uplinks over core switches",
    "a larger size has the same leaves",
)
NOT_ASKED = 9


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
    core_share: npt.NDArray[np.float64]


def _leaves(request: FabricRequest, block: Block, more: int = 0) -> Ints:
    """Leaves of one plane at every size; ``more`` positions added."""
    positions = request.positions + more
    unit, ports = request.nodes_per_unit, request.ports_per_node
    if unit is None:
        return leaf_count(positions, ports, block.down, block.rail_optimised)
    return np.asarray(ceil_div(positions, unit) * leaf_count(unit, ports, block.down, block.rail_optimised))


def count_group(request: FabricRequest, group: BlockGroup) -> tuple[Counts, list[Refusal]]:
    """Counts for every block and size of ``group`` that is legal, and the rules that refuse the rest."""
    parts: list[dict[str, npt.NDArray[Any]]] = []
    refusals: list[Refusal] = []
    for index, block in enumerate(group.blocks):
        columns, rule = _count_block(request, group, block)
        refusals += _refusals(request, group, block, rule)
        rows = len(columns["size"])
        fixed = {"block": index, "tiers": block.tiers, "down": block.down, "up": block.up}
        parts.append({name: np.full(rows, value, dtype=np.int64) for name, value in fixed.items()} | columns)
    return Counts(
        **{name: np.concatenate([part[name] for part in parts]) for name in Counts.__dataclass_fields__}
    ), refusals


def _refusals(request: FabricRequest, group: BlockGroup, block: Block, rule: npt.NDArray[np.int8]) -> list[Refusal]:
    out = []
    for code in np.flatnonzero(np.bincount(rule, minlength=len(RULES))):
        if code and code != NOT_ASKED:
            hit = request.nodes[rule == code]
            low, high = int(hit.min()), int(hit.max())
            out.append(Refusal(group.name, block.tiers, block.split, RULES[code], low, high, len(hit)))
    return out


def _count_block(
    request: FabricRequest, group: BlockGroup, block: Block
) -> tuple[dict[str, npt.NDArray[Any]], npt.NDArray[np.int8]]:
    """Columns of the legal sizes of one block, and for every size the rule that refuses it (0: none)."""
    rails = request.ports_per_node if block.rail_optimised else 1
    leaf = _leaves(request, block)
    rule = np.zeros(leaf.shape, dtype=np.int8)
    if request.full_leaves_only:
        rule[_leaves(request, block, more=1) == leaf] = NOT_ASKED
    rule[(rule == 0) & (leaf * block.down - request.nodes * request.ports_per_node < request.manager_ports)] = 6
    if block.tiers == 1:
        alone = request.positions > block.down if block.rail_optimised else leaf > 1
        rule[(rule == 0) & alone] = 1
    elif block.tiers == 2:
        rule[(rule == 0) & (leaf == 1)] = 2
    size = np.flatnonzero(rule == 0)
    upper, refused = _upper(group, block, rails, leaf[size])
    rule[size] = refused
    kept = refused == 0
    size = size[kept]
    columns: dict[str, npt.NDArray[Any]] = {
        "size": size, "nodes": request.nodes[size].astype(np.int64), "positions": request.positions[size],
        "railed": np.full(len(size), block.rail_optimised), "rails": np.full(len(size), rails, dtype=np.int64),
        "leaf": leaf[size],
    }  # fmt: skip
    return columns | {name: values[kept] for name, values in upper.items()}, rule


def _upper(
    group: BlockGroup, block: Block, rails: int, leaf: Ints
) -> tuple[dict[str, npt.NDArray[Any]], npt.NDArray[np.int8]]:
    """Spines and core over every number of leaves, and the rule that refuses it."""
    nothing, rule = np.zeros(leaf.shape, dtype=np.int64), np.zeros(leaf.shape, dtype=np.int8)
    names = ("spine", "core", "groups", "group_spines", "large_groups", "links_per_pair", "spine_down_used", "spine_up_used",
             "small_spine_up_used", "links_spine_core")  # fmt: skip
    out: dict[str, npt.NDArray[Any]] = dict.fromkeys(names, nothing)
    out |= {"group_leaves": leaf, "core_share": np.ones(leaf.shape)}
    if block.tiers == 3:
        return _three_tiers(group, block, rails, leaf, out)
    if block.tiers == 2:
        up = block.up * group.breakout
        spine = two_tier_spines(leaf, up, group.inter_ports)
        rule[spine == 0] = 3
        pair = up // np.maximum(spine, 1)
        out |= {"spine": spine, "group_spines": spine, "links_per_pair": pair, "spine_down_used": leaf * pair}
    return out, rule


def _three_tiers(
    group: BlockGroup, block: Block, rails: int, leaf: Ints, out: dict[str, npt.NDArray[Any]]
) -> tuple[dict[str, npt.NDArray[Any]], npt.NDArray[np.int8]]:
    """Groups of a rail differ by at most one leaf: ``large_groups`` have the larger size."""
    rule = np.zeros(leaf.shape, dtype=np.int8)
    per_rail = ceil_div(leaf, rails)
    groups, big = three_tier_groups(per_rail, block.spine_down)
    spines = three_tier_spines(big, block.up, block.spine_down)
    pair = block.up // np.maximum(spines, 1)
    large = per_rail - (big - 1) * groups
    small = groups - large
    up_used = ceil_div(big * pair * block.spine_up, block.spine_down)
    small_up = np.where(small > 0, ceil_div((big - 1) * pair * block.spine_up, block.spine_down), 0)
    links = rails * spines * (large * up_used + small * small_up)
    large_links, small_links = spines * up_used, spines * np.where(small > 0, small_up, up_used)
    core = ceil_div(links, group.inter_ports)
    together = np.gcd(large_links, small_links)
    uneven = together % np.maximum(core, 1) != 0
    if block.even_core:
        core = np.where(uneven, even_core(core, together), core)
        rule[~uneven] = 7
        rule[uneven & (core == 0)] = 8
    rule[(rule == 0) & (small_links < core)] = 5
    rule[(groups == 1) & (rails == 1)] = 4
    rule[spines == 0] = 3
    share = np.minimum(guaranteed_share(large_links, core), guaranteed_share(small_links, core))
    return out | {
        "spine": rails * groups * spines, "core": core, "groups": groups, "group_leaves": big, "group_spines": spines,
        "large_groups": large, "links_per_pair": pair, "spine_down_used": big * pair, "spine_up_used": up_used,
        "small_spine_up_used": small_up, "links_spine_core": links, "core_share": share,
    }, rule  # fmt: skip


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
