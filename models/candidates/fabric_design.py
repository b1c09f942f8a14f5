"""Fabric designs: every legal Clos fabric for every size asked, with exact counts, media, power, price and bandwidth.

``enumerate_fabrics`` crosses switches, tiers, leaf and spine splits and breakouts with the node counts, keeps what port, cage and
ASIC ledgers and the reach of the media allow, and says which rule refused the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.candidates.fabric_blocks import BlockGroup, block_groups
from models.candidates.fabric_counts import Counts, count_group, leaf_units, spine_units, spread
from models.candidates.fabric_media import CageEnd, LinkMedium, cheapest_for, legal_media
from models.candidates.fabric_parts import LinkCard, SwitchCard
from models.candidates.fabric_request import FabricRequest, Level
from models.candidates.fabric_runs import runs
from models.candidates.fabric_table import FabricTable, Refusal
from models.physics.network.clos import ceil_div

Ints = npt.NDArray[np.int64]
Columns = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Counted:
    """The fabrics of a request before their media: the counts of every group, and what is refused before and amid counting."""

    groups: tuple[tuple[BlockGroup, Counts, list[Refusal]], ...]
    refusals: tuple[Refusal, ...]


def count_fabrics(request: FabricRequest, switches: Sequence[SwitchCard]) -> Counted:
    """Counts of every fabric of ``request`` that ports allow; the same for all plans of the racks."""
    groups, refusals = block_groups(request, switches)
    return Counted(tuple((group, *count_group(request, group)) for group in groups), tuple(refusals))


def enumerate_fabrics(
    request: FabricRequest,
    switches: Sequence[SwitchCard],
    media: Sequence[LinkCard],
    counted: Counted | None = None,
) -> FabricTable:
    """Every legal fabric of ``request`` built of ``switches`` and lit by the cheapest legal ``media``.

    One row per node count, switch, tiers, split and breakout; the refusals say which combinations are not legal and why. ``counted``
    may be handed in where a request that differs in the plan of the racks alone was counted before.
    """
    counted = counted if counted is not None else count_fabrics(request, switches)
    refusals = list(counted.refusals)
    known: list[LinkMedium] = []
    parts: list[Columns] = []
    for group, counts, refused in counted.groups:
        refusals += refused
        if len(counts.block):
            columns, refused = _light(request, group, counts, media, known)
            refusals += refused
            if len(columns["size"]):
                parts.append(columns)
    names = FabricTable.column_names()
    empty = {"rail_optimised": bool}
    joined = {
        name: np.concatenate([p[name] for p in parts]) if parts else np.zeros(0, dtype=empty.get(name, np.int64))
        for name in names
    }
    return FabricTable(tuple(switches), tuple(known), tuple(refusals), **joined)


def _cage(card: SwitchCard, speed: float) -> CageEnd:
    # a cage has eight lanes at its native speed, a node port four
    plan = card.ports
    if plan.uplink_ports and plan.uplink_speed == speed:
        return CageEnd(1, speed, speed / 4)
    return CageEnd(
        plan.ports_per_cage(speed), plan.cage_speed, plan.cage_speed / 8, card.co_packaged, card.linear_optics
    )


def _ends(request: FabricRequest, group: BlockGroup) -> dict[Level, tuple[float, CageEnd, CageEnd]]:
    """Speed, upper and lower cage of every level."""
    speed, inter = request.port_speed, group.inter_speed
    per_cage = request.nic_ports_per_cage
    nic = CageEnd(per_cage, request.nic_cage_speed or speed * per_cage, speed / 4)
    leaf, spine = _cage(group.card, inter), _cage(group.spine_card, inter)
    return {
        Level.NODE_LEAF: (speed, _cage(group.card, speed), nic),
        Level.LEAF_SPINE: (inter, spine, leaf),
        Level.SPINE_CORE: (inter, spine, spine),
    }


def _together(request: FabricRequest, counts: Counts, level: Level) -> Ints:
    """Links that run between the same pair of far ends at a level."""
    if level is Level.NODE_LEAF:
        ports = request.ports_per_node
        return np.where(~counts.railed & (counts.down % ports == 0), ports, 1).astype(np.int64)
    if level is Level.LEAF_SPINE:
        return counts.links_per_pair
    return np.ones_like(counts.leaf)


def _light(
    request: FabricRequest, group: BlockGroup, counts: Counts, cards: Sequence[LinkCard], known: list[LinkMedium]
) -> tuple[Columns, list[Refusal]]:
    """Choose media, drop rows that have none, and work out every column."""
    lengths = runs(request, group, counts)
    chosen: dict[Level, Ints] = {}
    options: dict[Level, tuple[LinkMedium, ...]] = {}
    alive = np.ones(len(counts.block), dtype=bool)
    refusals: list[Refusal] = []
    for order, (level, (speed, near, far)) in enumerate(_ends(request, group).items()):
        present = counts.tiers > order
        splits = level is not Level.NODE_LEAF and group.breakout > 1
        options[level] = legal_media(cards, speed, near, far, request.media.get(level), splits)
        pick = cheapest_for(options[level], lengths[level], _together(request, counts, level))
        chosen[level] = np.where(present, pick, -1)
        dark = alive & present & (pick < 0)
        refusals += _dark(request, group, counts, dark, level, lengths[level])
        alive &= ~dark
    kept = Counts(**{name: getattr(counts, name)[alive] for name in Counts.__dataclass_fields__})
    lengths = {level: run[alive] for level, run in lengths.items()}
    chosen = {level: pick[alive] for level, pick in chosen.items()}
    columns = _count_columns(request, group, kept)
    _media_columns(request, kept, columns, lengths, chosen, options, known)
    _figure_columns(request, group, columns)
    return columns, refusals


def _dark(
    request: FabricRequest,
    group: BlockGroup,
    counts: Counts,
    dark: npt.NDArray[np.bool_],
    level: Level,
    length: npt.NDArray[np.float64],
) -> list[Refusal]:
    out = []
    speed = group.inter_speed if level is not Level.NODE_LEAF else request.port_speed
    for index in np.unique(counts.block[dark]):
        hit = dark & (counts.block == index)
        block = group.blocks[index]
        nodes = counts.nodes[hit]
        words = f"no medium of {speed * 8e-9:g} Gbit/s reaches {length[hit].min():.3g} m between {level.value.replace('_', ' and ')} and fits both cages"
        out.append(Refusal(group.name, block.tiers, block.split, words, int(nodes.min()), int(nodes.max()), len(nodes)))
    return out


def _count_columns(request: FabricRequest, group: BlockGroup, c: Counts) -> Columns:
    planes, ports = request.planes, request.ports_per_node
    b = group.blocks

    def of_block(name: str, kind: type) -> npt.NDArray[Any]:
        return np.array([getattr(block, name) for block in b], dtype=kind)[c.block]

    plan = group.card.ports
    down_radix = plan.radix(request.port_speed)
    dedicated = plan.uplink_ports if plan.uplink_speed == group.up_speed else 0
    up_radix = max(plan.radix(group.up_speed), 1)
    node_links = c.nodes * ports * planes
    reserved = np.full_like(c.nodes, request.manager_ports)
    # inter-switch ports in units of node ports, so that a leaf's ledger closes at two speeds as well
    up_as_down = c.up if dedicated else c.up * down_radix // up_radix
    all_ports = down_radix + dedicated
    leaf, spine, core = c.leaf * planes, c.spine * planes, c.core * planes
    links = leaf * c.up
    logical = links * group.breakout
    core_links = c.links_spine_core * planes
    spine_ports, core_ports = spine * group.inter_ports, core * group.inter_ports
    logical = np.where(c.tiers == 1, 0, logical)
    links = np.where(c.tiers == 1, 0, links)
    return {
        "size": c.size, "nodes": c.nodes, "accelerators": c.nodes * request.accelerators_per_node,
        "switch": np.full_like(c.nodes, group.index), "spine_switch": np.full_like(c.nodes, group.spine_index), "tiers": c.tiers, "rail_optimised": c.railed,
        "planes": np.full_like(c.nodes, planes), "asked_oversubscription": of_block("asked", float),
        "oversubscription": of_block("ratio", float),
        "spine_oversubscription": np.where(c.tiers == 3, c.spine_down_used / np.maximum(c.spine_up_used, 1), 1.0),
        "uplink_speed": np.full(len(c.nodes), group.up_speed), "breakout": np.full_like(c.nodes, group.breakout),
        "down": c.down, "up": c.up,
        "spine_split_down": np.where(c.tiers == 3, of_block("spine_down", int), 0),
        "spine_split_up": of_block("spine_up", int), "spine_down": c.spine_down_used, "spine_up": c.spine_up_used,
        "leaf": leaf, "spine": spine, "core": core, "groups": c.groups,
        "links_node_leaf": node_links + reserved, "links_leaf_spine": links, "links_spine_core": core_links,
        "logical_leaf_spine": logical, "leaf_ports": leaf * all_ports, "leaf_down_used": node_links,
        "leaf_up_used": leaf * up_as_down, "leaf_reserved": reserved,
        "leaf_spare": leaf * (all_ports - up_as_down) - node_links - reserved,
        "spine_ports": spine_ports, "spine_down_used": logical, "spine_up_used": core_links,
        "spine_spare": spine_ports - logical - core_links,
        "core_ports": core_ports, "core_used": core_links, "core_spare": core_ports - core_links,
        "taper_leaf": _leaf_taper(request, group, c),
        "taper_spine": np.where(c.tiers == 3, _spine_taper(c), 1.0),
    }  # fmt: skip


def _leaf_taper(request: FabricRequest, group: BlockGroup, c: Counts) -> npt.NDArray[np.float64]:
    used = np.minimum(c.down, np.where(c.railed, c.nodes, c.nodes * request.ports_per_node))
    passed = c.up * group.up_speed / (used * request.port_speed)
    return np.where(c.tiers == 1, 1.0, np.minimum(1.0, passed))


def _spine_taper(c: Counts) -> npt.NDArray[np.float64]:
    """Share of a group's leaf bandwidth that is sure to reach any other group."""
    return np.minimum(1.0, c.spine_up_used / np.maximum(c.spine_down_used, 1)) * c.core_share


def _units(request: FabricRequest, c: Counts, level: Level, medium: LinkMedium, links: Ints) -> tuple[Ints, Ints]:
    """Modules or cable ends at the upper and the lower end of a level, all planes."""
    planes = request.planes
    if medium.near.is_cable:
        cables = ceil_div(links, medium.near_ports)
        return cables, cables
    near, far = medium.near_ports, medium.far_ports
    if level is Level.NODE_LEAF:
        managers = request.manager_ports
        at_leaf = leaf_units(request, c, near) * planes + ceil_div(managers, near)
        return at_leaf, c.nodes * ceil_div(request.ports_per_node * planes, far) + ceil_div(managers, far)
    if level is Level.LEAF_SPINE:
        per_leaf = c.links_per_pair * np.where(c.tiers == 3, c.group_spines, c.spine)
        return spine_units(c, near)[0] * planes, c.leaf * ceil_div(per_leaf, far) * planes
    return spread(c.links_spine_core, c.core, near) * planes, spine_units(c, far)[1] * planes


def _media_columns(
    request: FabricRequest,
    counts: Counts,
    columns: Columns,
    lengths: dict[Level, npt.NDArray[np.float64]],
    chosen: dict[Level, Ints],
    options: dict[Level, tuple[LinkMedium, ...]],
    known: list[LinkMedium],
) -> None:
    size = len(counts.nodes)
    floats = ("capex_links_low", "capex_links_high", "near_power", "far_power", "nic_power", "link_failure_rate")
    columns.update({name: np.zeros(size) for name in floats})
    columns["fibres"] = np.zeros(size, dtype=np.int64)
    link_names = ("links_node_leaf", "logical_leaf_spine", "links_spine_core")
    for level, links_name in zip(Level, link_names, strict=True):
        links = columns[links_name]
        index = np.full(size, -1, dtype=np.int64)
        near_units, far_units = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
        for position in np.unique(chosen[level][chosen[level] >= 0]):
            medium = options[level][position]
            if medium not in known:
                known.append(medium)
            here = chosen[level] == position
            everywhere = bool(here.all())
            near, far = _units(request, counts, level, medium, links)
            index[here] = known.index(medium)
            near_units += near * here
            far_units += far * here
            near_power, far_power = near * medium.near.power_per_end, far * medium.far.power_per_end
            bill = {
                "capex_links_low": near * medium.near.price_low_per_end + far * medium.far.price_low_per_end,
                "capex_links_high": near * medium.near.price_high_per_end + far * medium.far.price_high_per_end,
                "near_power": near_power if level is Level.NODE_LEAF else near_power + far_power,
                "nic_power": far_power if level is Level.NODE_LEAF else 0.0 * far_power,
                "link_failure_rate": links * medium.failure_rate,
                "fibres": links * medium.fibres,
            }
            for name, value in bill.items():
                columns[name] += value if everywhere else value * here
        columns[f"medium_{level}"], columns[f"length_{level}"] = index, np.where(index >= 0, lengths[level], 0.0)
        columns[f"near_units_{level}"], columns[f"far_units_{level}"] = near_units, far_units


def _figure_columns(request: FabricRequest, group: BlockGroup, columns: Columns) -> None:
    low, high = columns["leaf"], columns["spine"] + columns["core"]

    def of_switches(name: str) -> npt.NDArray[np.float64]:
        lower, upper = getattr(group.card, name), getattr(group.spine_card, name)
        return np.asarray(low * lower + high * upper, dtype=float)

    at_switch, at_nic = columns.pop("near_power"), columns.pop("nic_power")
    columns.pop("far_power")
    held = group.card.max_power_has_optics and group.spine_card.max_power_has_optics
    columns["power_typical"] = of_switches("typical_power") + at_switch + at_nic
    columns["power_max"] = of_switches("max_power") + at_nic + (0.0 if held else 1.0) * at_switch
    columns["capex_switches_low"] = of_switches("price_low")
    columns["capex_switches_high"] = of_switches("price_high")
    columns["rack_units"] = of_switches("height")
    columns["weight"] = of_switches("weight")
    ports = request.ports_per_node * request.planes
    injection = ports * request.port_speed / request.accelerators_per_node
    columns["injection"] = np.full(len(low), injection)
    columns["bisection"] = injection * columns["taper_leaf"] * columns["taper_spine"]
