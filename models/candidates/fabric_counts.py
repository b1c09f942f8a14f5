"""Exact switch, link and module counts of one group of blocks at every size, and the rules that refuse a size."""

from __future__ import annotations

from dataclasses import dataclass

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
    least_divisor,
    three_tier_groups,
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
    core_share: npt.NDArray[np.float64]


def _lookup(numbers: Ints, wanted: Ints) -> Ints:
    """Least divisor of ``numbers[i]`` that is >= ``wanted[i, :]``; 0 where there is none."""
    return np.stack([least_divisor(number, row) for number, row in zip(numbers, wanted, strict=True)])


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

    upper = _upper(
        group, *(rows(v) for v in (tiers, rails, leaf, groups, group_leaves, spines, uplinks, spine_down, spine_up))
    )
    wants_even = rows(column("even_core")).astype(bool)
    core, core_rule = _core(upper, rows(tiers) == 3, wants_even)
    rule[b, n] = core_rule
    kept = core_rule == 0
    b, n = b[kept], n[kept]
    counts = Counts(
        block=b, size=n, nodes=request.nodes[n].astype(np.int64), positions=request.positions[n], tiers=rows(tiers),
        railed=rows(railed).astype(bool), down=rows(down), up=rows(up), rails=rows(rails), leaf=rows(leaf),
        core=core[kept], core_share=_core_share(upper, core)[kept],
        **{name: values[kept] for name, values in upper.items() if name in Counts.__dataclass_fields__},
    )  # fmt: skip
    return counts, _refusals(group, request, rule)


def _upper(
    group: BlockGroup, tiers: Ints, rails: Ints, leaf: Ints, groups: Ints, group_leaves: Ints, spines: Ints, uplinks: Ints,
    spine_down: Ints, spine_up: Ints,
) -> dict[str, Ints]:  # fmt: skip
    """Spines and their links on legal rows. Groups of a rail differ by at most one leaf: ``large_groups`` have the larger size."""
    three = tiers == 3
    pair = np.where(tiers == 1, 0, uplinks // np.maximum(spines, 1))
    big = np.where(three, group_leaves, leaf)
    large = np.where(three, leaf // rails - (big - 1) * groups, 0)
    small = np.where(three, groups - large, 0)
    down_ports = np.maximum(spine_down, 1)
    down_used = np.where(tiers == 1, 0, big * pair)
    up_used = np.where(three, ceil_div(down_used * spine_up, down_ports), 0)
    small_up = np.where(three & (small > 0), ceil_div((big - 1) * pair * spine_up, down_ports), 0)
    links = np.where(three, rails * spines * (large * up_used + small * small_up), 0)
    return {
        "spine": np.where(three, rails * groups * spines, np.where(tiers == 2, spines, 0)),
        "groups": np.where(three, groups, 0), "group_leaves": big, "group_spines": spines, "large_groups": large,
        "links_per_pair": pair, "spine_down_used": down_used, "spine_up_used": up_used, "small_spine_up_used": small_up,
        "links_spine_core": links, "least_core": ceil_div(links, group.inter_ports),
        "large_links": spines * up_used, "small_links": np.where(small > 0, spines * small_up, spines * up_used),
    }  # fmt: skip


def _core(upper: dict[str, Ints], three: Bools, wants_even: Bools) -> tuple[Ints, npt.NDArray[np.int8]]:
    """Core switches, and the rule that refuses a row (0: none)."""
    least, large, small = upper["least_core"], upper["large_links"], upper["small_links"]
    together = np.gcd(large, small)
    uneven = three & (together % np.maximum(least, 1) != 0)
    core = least.copy()
    asked = three & wants_even & uneven
    core[asked] = even_core(least[asked], together[asked])
    rule = np.zeros(least.shape, dtype=np.int8)
    rule[three & wants_even & ~uneven] = 7
    rule[asked & (core == 0)] = 8
    rule[three & (rule == 0) & (small < core)] = 5
    return core, rule


def _core_share(upper: dict[str, Ints], core: Ints) -> npt.NDArray[np.float64]:
    shares = [guaranteed_share(upper[name], core) for name in ("large_links", "small_links")]
    return np.where(core > 0, np.minimum(*shares), 1.0)


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
