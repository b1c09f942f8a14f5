"""Exact switch, link and module counts of one group of blocks at every size, and the rules that refuse a size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.candidates.fabric_blocks import BlockGroup
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


Whole = int | Ints


@dataclass(frozen=True)
class _Rows:
    """Sizes of blocks that share tiers, rails and core rule. The splits are arrays, or one number where all rows are of one block."""

    tiers: int
    railed: bool
    even_core: bool
    block: Whole
    size: Ints
    down: Whole
    up: Whole
    spine_down: Whole
    spine_up: Whole

    def pick(self, kept: npt.NDArray[np.bool_]) -> _Rows:
        """Some of the rows."""

        def of(values: Whole) -> Whole:
            return values[kept] if isinstance(values, np.ndarray) else values

        return _Rows(
            self.tiers, self.railed, self.even_core, of(self.block), self.size[kept], of(self.down), of(self.up),
            of(self.spine_down), of(self.spine_up),
        )  # fmt: skip


def _chunks(group: BlockGroup, sizes: int) -> Iterator[_Rows]:
    """The rows of a group: block by block where there are many sizes (division by one number is fast), else all alike together."""
    names = ("down", "up", "spine_down", "spine_up")
    every = np.arange(sizes, dtype=np.int64)
    kinds: dict[tuple[int, bool, bool], list[int]] = {}
    for index, block in enumerate(group.blocks):
        kinds.setdefault((block.tiers, block.rail_optimised, block.even_core), []).append(index)
    for (tiers, railed, even), members in kinds.items():
        blocks = [group.blocks[index] for index in members]
        if sizes >= MANY_SIZES:
            for index, block in zip(members, blocks, strict=True):
                yield _Rows(tiers, railed, even, index, every, *(getattr(block, name) for name in names))
            continue
        splits = (np.repeat([getattr(block, name) for block in blocks], sizes).astype(np.int64) for name in names)
        yield _Rows(tiers, railed, even, np.repeat(members, sizes), np.tile(every, len(blocks)), *splits)


MANY_SIZES = 4000


def _leaves(request: FabricRequest, rows: _Rows, more: int = 0) -> Ints:
    """Leaves of one plane; ``more`` positions added."""
    positions = request.positions[rows.size] + more
    unit, ports = request.nodes_per_unit, request.ports_per_node
    if unit is None:
        return leaf_count(positions, ports, rows.down, rows.railed)
    return np.asarray(ceil_div(positions, unit) * leaf_count(unit, ports, rows.down, rows.railed))


def count_group(request: FabricRequest, group: BlockGroup) -> tuple[Counts, list[Refusal]]:
    """Counts for every block and size of ``group`` that is legal, and the rules that refuse the rest."""
    parts: list[dict[str, npt.NDArray[Any]]] = []
    refusals: list[Refusal] = []
    for rows in _chunks(group, len(request.nodes)):
        columns, rule = _count(request, group, rows)
        refusals += _refusals(request, group, rows, rule)
        parts.append(columns)
    names = Counts.__dataclass_fields__
    return Counts(**{name: np.concatenate([part[name] for part in parts]) for name in names}), refusals


def _refusals(request: FabricRequest, group: BlockGroup, rows: _Rows, rule: npt.NDArray[np.int8]) -> list[Refusal]:
    out = []
    hit = np.flatnonzero((rule != 0) & (rule != NOT_ASKED))
    key = (np.broadcast_to(rows.block, rule.shape)[hit] * len(RULES) + rule[hit]).astype(np.int64)
    for value in np.unique(key):
        nodes = request.nodes[rows.size[hit[key == value]]]
        block = group.blocks[int(value) // len(RULES)]
        words = RULES[int(value) % len(RULES)]
        low, high = int(nodes.min()), int(nodes.max())
        out.append(Refusal(group.name, block.tiers, block.split, words, low, high, len(nodes)))
    return out


def _count(
    request: FabricRequest, group: BlockGroup, rows: _Rows
) -> tuple[dict[str, npt.NDArray[Any]], npt.NDArray[np.int8]]:
    """Columns of the legal rows, and for every row the rule that refuses it (0: none)."""
    rails = request.ports_per_node if rows.railed else 1
    leaf = _leaves(request, rows)
    rule = np.zeros(leaf.shape, dtype=np.int8)
    if request.full_leaves_only:
        rule[_leaves(request, rows, more=1) == leaf] = NOT_ASKED
    spare = leaf * rows.down - request.nodes[rows.size] * request.ports_per_node
    rule[(rule == 0) & (spare < request.manager_ports)] = 6
    if rows.tiers == 1:
        alone = request.positions[rows.size] > rows.down if rows.railed else leaf > 1
        rule[(rule == 0) & alone] = 1
    elif rows.tiers == 2:
        rule[(rule == 0) & (leaf == 1)] = 2
    asked = rule == 0
    rest = rows.pick(asked)
    upper, refused = _upper(group, rest, rails, leaf[asked])
    rule[asked] = refused
    kept = refused == 0
    rest = rest.pick(kept)
    fixed = {"tiers": rows.tiers, "rails": rails, "block": rest.block, "down": rest.down, "up": rest.up}
    columns: dict[str, npt.NDArray[Any]] = {
        "size": rest.size, "nodes": request.nodes[rest.size].astype(np.int64), "positions": request.positions[rest.size],
        "railed": np.full(len(rest.size), rows.railed), "leaf": leaf[asked][kept],
    }  # fmt: skip
    columns |= {name: np.broadcast_to(value, rest.size.shape).astype(np.int64) for name, value in fixed.items()}
    return columns | {name: values[kept] for name, values in upper.items()}, rule


def _upper(
    group: BlockGroup, rows: _Rows, rails: int, leaf: Ints
) -> tuple[dict[str, npt.NDArray[Any]], npt.NDArray[np.int8]]:
    """Spines and core over every number of leaves, and the rule that refuses it."""
    nothing, rule = np.zeros(leaf.shape, dtype=np.int64), np.zeros(leaf.shape, dtype=np.int8)
    names = ("spine", "core", "groups", "group_spines", "large_groups", "links_per_pair", "spine_down_used", "spine_up_used",
             "small_spine_up_used", "links_spine_core")  # fmt: skip
    out: dict[str, npt.NDArray[Any]] = dict.fromkeys(names, nothing)
    out |= {"group_leaves": leaf, "core_share": np.ones(leaf.shape)}
    if rows.tiers == 3:
        return _three_tiers(group, rows, rails, leaf, out)
    if rows.tiers == 2:
        up = rows.up * group.breakout
        spine = two_tier_spines(leaf, up, group.inter_ports)
        rule[spine == 0] = 3
        pair = up // np.maximum(spine, 1)
        out |= {"spine": spine, "group_spines": spine, "links_per_pair": pair, "spine_down_used": leaf * pair}
    return out, rule


def _three_tiers(
    group: BlockGroup, rows: _Rows, rails: int, leaf: Ints, out: dict[str, npt.NDArray[Any]]
) -> tuple[dict[str, npt.NDArray[Any]], npt.NDArray[np.int8]]:
    """Groups of a rail differ by at most one leaf: ``large_groups`` have the larger size."""
    rule = np.zeros(leaf.shape, dtype=np.int8)
    per_rail = ceil_div(leaf, rails)
    groups, big = three_tier_groups(per_rail, rows.spine_down)
    spines = three_tier_spines(big, rows.up, rows.spine_down)
    pair = rows.up // np.maximum(spines, 1)
    large = per_rail - (big - 1) * groups
    small = groups - large
    up_used = ceil_div(big * pair * rows.spine_up, rows.spine_down)
    small_up = np.where(small > 0, ceil_div((big - 1) * pair * rows.spine_up, rows.spine_down), 0)
    links = rails * spines * (large * up_used + small * small_up)
    large_links, small_links = spines * up_used, spines * np.where(small > 0, small_up, up_used)
    core = ceil_div(links, group.inter_ports)
    together = np.gcd(large_links, small_links)
    uneven = together % np.maximum(core, 1) != 0
    if rows.even_core:
        rule[~uneven] = 7
        core[uneven] = even_core(core[uneven], together[uneven])
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
