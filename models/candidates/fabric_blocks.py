"""Which combinations of switch, speed, tiers, split and breakout are worth counting, and why the others are not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from models.candidates.fabric_parts import SwitchCard
from models.candidates.fabric_request import FabricRequest, Taper
from models.candidates.fabric_table import Refusal
from models.physics.network.ports import LeafSplit, leaf_splits


@dataclass(frozen=True, slots=True)
class Block:
    """One shape of fabric, to be counted at every size: tiers, rail or plain, leaf split, spine split.

    ``even_core``: three tiers with as many core switches as spread the uplinks of a group evenly, where the least number does not.
    """

    tiers: int
    rail_optimised: bool
    down: int
    up: int
    asked: float
    ratio: float
    spine_down: int
    spine_up: int
    even_core: bool = False

    @property
    def split(self) -> str:
        """The splits in words."""
        text = f"leaf {self.down}:{self.up}"
        return text + f", spine {self.spine_down}:{self.spine_up}" if self.tiers == 3 else text


@dataclass(frozen=True, slots=True)
class BlockGroup:
    """Blocks that share their switches (``card`` is the leaf, ``spine_card`` spine and core), an inter-switch speed and a breakout, and so the same legal media.

    ``inter_ports`` is the number of inter-switch ports of one spine at the split speed.
    """

    index: int
    card: SwitchCard
    spine_index: int
    spine_card: SwitchCard
    up_speed: float
    breakout: int
    inter_ports: int
    blocks: tuple[Block, ...]

    @property
    def name(self) -> str:
        """The switch, or both where they differ."""
        return self.card.id if self.index == self.spine_index else f"{self.card.id} under {self.spine_card.id}"

    @property
    def inter_speed(self) -> float:
        """Speed of one inter-switch link after breakout [B/s]."""
        return self.up_speed / self.breakout


def _refusal(request: FabricRequest, name: str, rule: str) -> Refusal:
    nodes = request.nodes
    return Refusal(name, 0, "all", rule, int(nodes.min()), int(nodes.max()), len(nodes))


def _usable(request: FabricRequest, leaf: SwitchCard, spine: SwitchCard) -> str | None:
    """Why no fabric is built of these switches, or None."""
    for card in (leaf, spine):
        missing = card.missing()
        if missing:
            return f"the catalogue row lacks {', '.join(missing)}"
        if request.protocols is not None and card.protocol not in request.protocols:
            return f"protocol {card.protocol} is not among those asked for"
    if leaf.protocol != spine.protocol:
        return f"a leaf of protocol {leaf.protocol} does not talk to a spine of {spine.protocol}"
    if leaf is spine and leaf.cell_based:
        return "a cell-based switch is a leaf or a fabric element, not both: name a pair"
    if leaf.cell_based and (not leaf.ports.uplink_ports or spine.ports.uplink_ports):
        return "a cell-based fabric has a leaf with fabric ports below and a fabric element above"
    if not leaf.ports.radix(request.port_speed):
        return f"no port of {request.port_speed * 8e-9:g} Gbit/s"
    return None


def _two_tier(splits: Sequence[LeafSplit], railed: bool, spine_ports: int) -> list[Block]:
    return [Block(2, railed, s.down, s.up, s.asked, s.ratio, spine_ports, 0) for s in splits]


def _three_tier(request: FabricRequest, splits: Sequence[LeafSplit], railed: bool, spine_ports: int) -> list[Block]:
    half = spine_ports // 2
    blocks = []
    if Taper.LEAF in request.taper_at:
        tapered = [s for s in splits if s.asked in request.oversubscriptions]
        blocks += [Block(3, railed, s.down, s.up, s.asked, s.ratio, half, half) for s in tapered]
    if Taper.SPINE in request.taper_at:
        flat = [s for s in splits if s.asked == 1]
        for asked in sorted(request.oversubscriptions):
            down = int(spine_ports * asked / (1 + asked) + 1e-9)
            if 0 < down < spine_ports:
                blocks += [Block(3, railed, s.down, s.up, asked, s.ratio, down, spine_ports - down) for s in flat]
    apart: dict[tuple[int, ...], Block] = {}
    for block in blocks:
        apart.setdefault((block.down, block.up, block.spine_down, block.spine_up), block)
    return [replace(block, even_core=even) for even in (False, True) for block in apart.values()]


def _blocks(request: FabricRequest, card: SwitchCard, up_speed: float, breakout: int, inter_ports: int) -> list[Block]:
    asked = set(request.oversubscriptions) | ({1.0} if Taper.SPINE in request.taper_at else set())
    splits = leaf_splits(card.ports, request.port_speed, up_speed, asked, request.max_waste)
    leaf_tapers = [s for s in splits if s.asked in request.oversubscriptions]
    blocks: list[Block] = []
    for railed in request.rail_optimised:
        if 2 in request.tiers and Taper.LEAF in request.taper_at:
            most = card.ports.logical_ports + card.ports.uplink_ports
            blocks += _two_tier([s for s in leaf_tapers if s.down + s.up * breakout <= most], railed, inter_ports)
        if 3 in request.tiers and breakout == 1:
            blocks += _three_tier(request, splits, railed, inter_ports)
    return blocks


def _pairs(request: FabricRequest, switches: Sequence[SwitchCard]) -> list[tuple[int, int]]:
    """Positions of leaf and spine: every switch with itself, then the pairs asked for."""
    place = {card.id: index for index, card in enumerate(switches)}
    named = [(place[a], place[b]) for a, b in request.pairs if a in place and b in place and a != b]
    return [(index, index) for index in range(len(switches))] + named


def block_groups(request: FabricRequest, switches: Sequence[SwitchCard]) -> tuple[list[BlockGroup], list[Refusal]]:
    """The combinations to count, grouped by what decides their media, and the refusals known before any size is looked at."""
    groups: list[BlockGroup] = []
    refusals: list[Refusal] = []
    for low, high in _pairs(request, switches):
        leaf, spine = switches[low], switches[high]
        name = leaf.id if low == high else f"{leaf.id} under {spine.id}"
        reason = _usable(request, leaf, spine)
        if reason is not None:
            refusals.append(_refusal(request, name, reason))
            continue
        if 1 in request.tiers and low == high:
            ports = leaf.ports.radix(request.port_speed)
            single = tuple(Block(1, railed, ports, 0, 1.0, 1.0, 0, 0) for railed in request.rail_optimised)
            groups.append(BlockGroup(low, leaf, high, spine, request.port_speed, 1, ports, single))
        for up_speed in request.uplink_speeds or (request.port_speed,):
            whole = spine.ports.radix(up_speed)
            dedicated = leaf.ports.uplink_ports and leaf.ports.uplink_speed == up_speed
            if not whole or not (leaf.ports.radix(up_speed) or dedicated):
                refusals.append(_refusal(request, name, f"no inter-switch port of {up_speed * 8e-9:g} Gbit/s"))
                continue
            for breakout in request.breakouts:
                if any(
                    card.ports.radix(up_speed / breakout) < card.ports.radix(up_speed) * breakout
                    for card in (leaf, spine)
                ):
                    rule = f"a port of {up_speed * 8e-9:g} Gbit/s does not split into {breakout}"
                    refusals.append(_refusal(request, name, rule))
                    continue
                blocks = _blocks(request, leaf, up_speed, breakout, whole * breakout)
                if blocks:
                    group = BlockGroup(low, leaf, high, spine, up_speed, breakout, whole * breakout, tuple(blocks))
                    groups.append(group)
    return groups, refusals
