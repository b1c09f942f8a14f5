"""Fabric designs: every legal Clos fabric for every size asked, with exact counts, media, power, price and bandwidth.

``enumerate_fabrics`` crosses switches, tiers, leaf and spine splits and breakouts with the node counts, keeps what port, cage and
ASIC ledgers and the reach of the media allow, and says which rule refused the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from operator import attrgetter
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
    """The fabrics of a request before their media: counts and count columns of every group, and what is refused before and amid counting."""

    groups: tuple[tuple[BlockGroup, Counts, Columns, list[Refusal]], ...]
    refusals: tuple[Refusal, ...]


def count_fabrics(request: FabricRequest, switches: Sequence[SwitchCard]) -> Counted:
    """Counts of every fabric of ``request`` that ports allow; the same for all plans of the racks."""
    groups, refusals = block_groups(request, switches)
    found = []
    for group in groups:
        counts, refused = count_group(request, group)
        found.append((group, counts, _count_columns(request, group, counts) if len(counts.block) else {}, refused))
    return Counted(tuple(found), tuple(refusals))


def enumerate_fabrics(
    request: FabricRequest,
    switches: Sequence[SwitchCard],
    media: Sequence[LinkCard],
    counted: Counted | None = None,
    keep: Callable[[FabricTable], Ints] | None = None,
) -> FabricTable:
    """Every legal fabric of ``request`` built of ``switches`` and lit by the cheapest legal ``media``.

    One row per node count, switch, tiers, split and breakout; the refusals say which combinations are not legal and why. ``counted``
    may be handed in where a request that differs in the plan of the racks alone was counted before. ``keep`` is shown the fabrics of
    each pair of switches and says which rows to go on with (None: all).
    """
    counted = counted if counted is not None else count_fabrics(request, switches)
    refusals = list(counted.refusals)
    known: list[LinkMedium] = []
    parts: list[Columns] = []
    for _, groups in groupby(counted.groups, key=lambda entry: (entry[0].index, entry[0].spine_index)):
        lit: list[Columns] = []
        for group, counts, columns, refused in groups:
            refusals += refused
            if len(counts.block):
                found, refused = _light(request, group, counts, columns, media, known)
                refusals += refused
                if len(found["size"]):
                    lit.append(found)
        if keep is None or not lit:
            parts += lit
            continue
        table = FabricTable(tuple(switches), tuple(known), (), **_joined(lit))
        rows = keep(table)
        parts.append({name: getattr(table, name)[rows] for name in FabricTable.column_names()})
    return FabricTable(tuple(switches), tuple(known), tuple(refusals), **_joined(parts))


def _joined(parts: list[Columns]) -> Columns:
    names = FabricTable.column_names()
    if len(parts) == 1:
        return {name: parts[0][name] for name in names}
    empty = {"rail_optimised": bool}
    return {
        name: np.concatenate([p[name] for p in parts]) if parts else np.zeros(0, dtype=empty.get(name, np.int64))
        for name in names
    }


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
    request: FabricRequest,
    group: BlockGroup,
    counts: Counts,
    columns: Columns,
    cards: Sequence[LinkCard],
    known: list[LinkMedium],
) -> tuple[Columns, list[Refusal]]:
    """Choose media, drop rows that have none, and add the columns of media and figures to those of counts."""
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
    columns = dict(columns)
    if not alive.all():
        counts = Counts(**{name: getattr(counts, name)[alive] for name in Counts.__dataclass_fields__})
        lengths = {level: run[alive] for level, run in lengths.items()}
        chosen = {level: pick[alive] for level, pick in chosen.items()}
        columns = {name: values[alive] for name, values in columns.items()}
    _media_columns(request, counts, columns, lengths, chosen, options, known)
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
    bills = ("capex_links_low", "capex_links_high", "near_power", "nic_power", "link_failure_rate")
    columns.update({name: np.zeros(size) for name in bills})
    columns["fibres"] = np.zeros(size, dtype=np.int64)
    link_names = ("links_node_leaf", "logical_leaf_spine", "links_spine_core")
    for level, links_name in zip(Level, link_names, strict=True):
        links, picked = columns[links_name], chosen[level]
        used = np.flatnonzero(np.bincount(picked + 1, minlength=1)[1:]).tolist()
        _make_known(known, [options[level][position] for position in used])
        near, far = _level_units(request, counts, level, options[level], picked, used, links)
        columns[f"near_units_{level}"], columns[f"far_units_{level}"] = near, far
        # no such level reads -1, the last entry, which costs nothing
        of = partial(_by_row, options[level], picked, used)
        columns[f"medium_{level}"] = of(known.index, -1)
        columns[f"length_{level}"] = np.where(picked >= 0, lengths[level], 0.0)
        if not used:
            continue
        near_power, far_power = near * of(lambda m: m.near.power_per_end), far * of(lambda m: m.far.power_per_end)
        columns["near_power"] += near_power if level is Level.NODE_LEAF else near_power + far_power
        if level is Level.NODE_LEAF:
            columns["nic_power"] += far_power
        for end in ("low", "high"):
            at_near, at_far = of(attrgetter(f"near.price_{end}_per_end")), of(attrgetter(f"far.price_{end}_per_end"))
            columns[f"capex_links_{end}"] += near * at_near + far * at_far
        columns["link_failure_rate"] += links * of(lambda m: m.failure_rate)
        columns["fibres"] += links * of(lambda m: m.fibres, 0)


def _make_known(known: list[LinkMedium], media: Sequence[LinkMedium]) -> None:
    known.extend(medium for medium in dict.fromkeys(media) if medium not in known)


def _by_row(
    options: tuple[LinkMedium, ...],
    picked: Ints,
    used: list[int],
    figure: Callable[[LinkMedium], float],
    absent: float = 0.0,
) -> npt.NDArray[Any]:
    """A figure of the medium of every row; ``absent`` where there is none."""
    figures = np.full(len(options) + 1, absent)
    figures[used] = [figure(options[position]) for position in used]
    return figures[picked]


def _level_units(
    request: FabricRequest,
    counts: Counts,
    level: Level,
    options: tuple[LinkMedium, ...],
    picked: Ints,
    used: list[int],
    links: Ints,
) -> tuple[Ints, Ints]:
    """Modules or cable ends at both ends of a level, by the medium of every row; media of equal units together."""
    alike: dict[tuple[bool, int, int], list[int]] = {}
    for position in used:
        medium = options[position]
        alike.setdefault((medium.near.is_cable, medium.near_ports, medium.far_ports), []).append(position)
    near_units, far_units = np.zeros(len(picked), dtype=np.int64), np.zeros(len(picked), dtype=np.int64)
    for members in alike.values():
        near, far = _units(request, counts, level, options[members[0]], links)
        # entry -1 is that of rows without this level
        alike_it = np.zeros(len(options) + 1, dtype=np.int64)
        alike_it[members] = 1
        here = alike_it[picked]
        near_units += near * here
        far_units += far * here
    return near_units, far_units


def _figure_columns(request: FabricRequest, group: BlockGroup, columns: Columns) -> None:
    low, high = columns["leaf"], columns["spine"] + columns["core"]

    def of_switches(name: str) -> npt.NDArray[np.float64]:
        lower, upper = getattr(group.card, name), getattr(group.spine_card, name)
        return np.asarray(low * lower + high * upper, dtype=float)

    at_switch, at_nic = columns.pop("near_power"), columns.pop("nic_power")
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
