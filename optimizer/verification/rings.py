"""Blocks that back each other up: every rack on its pair of blocks, and every single block lost in turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor

from models.instance import Instance
from models.parts.power_component import PowerComponent
from models.site import SiteOption, Topology
from models.units import Unlimited
from models.workload import Training
from optimizer.design import Design, RingChoice
from optimizer.verification.findings import Checks
from optimizer.verification.pods import PodFacts, idle_w
from optimizer.verification.rack_coolant import pump_share

KILOWATT = 1e3


@dataclass(frozen=True)
class Blocks:
    """Rings of a power option: ``count`` blocks of ``capacity_kw``, ``needed`` of them carrying, the others in reserve.

    ``small_kw``: most a rack without systems draws; ``swing``: what training's racks are enlarged by.
    """

    topology: Topology
    count: int
    needed: int
    capacity_kw: int
    small_kw: int
    swing: float

    @property
    def usable_kw(self) -> int:
        """Load of a ring with any block lost."""
        return self.needed * self.capacity_kw

    def full_of(self, load_kw: int) -> int:
        """Most racks of one load in a ring, counted up from none."""
        if self.topology is Topology.BLOCK_REDUNDANT:
            return self.needed * (self.capacity_kw // load_kw)
        on_block, halves = 0, 2 * self.capacity_kw // load_kw
        while on_block + 1 + -(-(on_block + 1) // (self.count - 1)) <= halves:
            on_block += 1
        return self.count * on_block // 2

    @property
    def holds_small(self) -> bool:
        """Whether racks without systems find a place in a ring however they come to hang."""
        if self.topology is Topology.BLOCK_REDUNDANT:
            return self.usable_kw > self.needed * self.small_kw
        return self.usable_kw > ((self.count - 1) * (self.count - 2) / 2 + 1) * self.small_kw


def blocks_of(instance: Instance, site: str, option: SiteOption) -> Blocks | None:
    """The rings of an option, from the ratings of the parts of a block; None where one has no rating."""
    assert option.topology is not None
    rated, loaded = [], []
    for use in option.block:
        part = instance.catalogue.get(PowerComponent, use.part)
        if part.rated is None or part.price is None:
            return None
        rated.append(part.rated * use.count)
        loaded.append(part.rated * use.count * use.loading)
    capacity = floor(min(loaded) / KILOWATT + 1e-9)
    peaks = instance.assumptions.training_transient
    swing = 1.0 if peaks is None else max(1.0, peaks.value * min(loaded) / (option.overload * min(rated)))
    small = option.small_racks if option.small_racks is not None else instance.sites[site].air_per_rack.value
    small_kw = capacity // 8 if isinstance(small, Unlimited) else ceil(small * swing / KILOWATT - 1e-9)
    needed = option.needed if option.needed is not None else 1
    of = option.of if option.of is not None else 2
    blocks = Blocks(option.topology, of, needed, capacity, small_kw, swing)
    return blocks if capacity >= 1 and blocks.holds_small else None


@dataclass(frozen=True)
class Racks:
    """Racks of one pod as blocks see them: node racks and the others, each with its load [whole kW]."""

    cluster: str
    pod_id: str
    nodes: int
    node_kw: int
    others: int
    other_kw: int


def racks_of(instance: Instance, facts: PodFacts, blocks: Blocks) -> Racks:
    """Full racks by design power; what the systems do not draw is spread over the other racks."""
    system, share = facts.parts.system, instance.assumptions.design_power_share.value
    assert system.max_power is not None and system.typical_power is not None
    door = 0.0 if facts.parts.door is None else facts.parts.door.power_share or 0.0
    door += pump_share(instance, facts.pod) * (system.liquid_fraction or 0.0)
    bare = system.typical_power + share * (system.max_power - system.typical_power)
    one, idle = bare * (1.0 + door), min(bare, idle_w(facts.parts, bare)) * (1.0 + door)
    swing = blocks.swing if isinstance(instance.workloads[facts.pod.cluster], Training) else 1.0
    others = facts.floor - facts.node_racks
    rest = (
        max(facts.design_w - (facts.pod.systems - facts.pod.spares) * one - facts.pod.spares * idle, 0.0) / others
        if others
        else 0.0
    )
    return Racks(
        facts.pod.cluster,
        facts.pod.pod_id,
        facts.node_racks,
        _kilowatts(facts.pod.systems_per_rack * one * swing),
        others,
        _kilowatts(rest * swing),
    )


def _kilowatts(watts: float) -> int:
    return ceil(watts / KILOWATT - 1e-6)


def ring_load(instance: Instance, facts: Sequence[PodFacts], blocks: Blocks) -> int:
    """Whole kW that the racks of the pods of a site draw on its blocks."""
    found = [(one.count, racks_of(instance, one, blocks)) for one in facts]
    return sum(count * (r.nodes * r.node_kw + r.others * r.other_kw) for count, r in found)


def rings_needed(rings: Sequence[RingChoice], blocks: Blocks) -> int:
    """The fewest rings for the racks that hang on ``rings``, rack after rack from the largest: a place each among as many of its load, and the load of all."""
    racks = sorted(
        (g.load_kw for r in rings for g in r.racks for _ in range(r.count * g.racks) if g.load_kw), reverse=True
    )
    places = [-(-number // blocks.full_of(load)) for number, load in enumerate(racks, start=1)]
    return max([*places, -(-sum(racks) // blocks.usable_kw)])


def check_rings(
    checks: Checks, instance: Instance, design: Design, facts: Sequence[PodFacts], found: Mapping[tuple[str, str], Blocks]
) -> None:  # fmt: skip
    """Every rack of every pod hangs on two blocks of a ring, and no block is overloaded whichever other one fails."""
    for (site, option), blocks in found.items():
        rings = [ring for ring in design.rings if (ring.site, ring.option) == (site, option)]
        where = f"rings.{site}.{option}"
        expected: dict[tuple[str, str, str, int], int] = {}
        for one in facts:
            if one.pod.site == site and one.pod.options.get("power") == option:
                racks = racks_of(instance, one, blocks)
                for kind, count, load in (
                    ("nodes", racks.nodes, racks.node_kw),
                    ("others", racks.others, racks.other_kw),
                ):
                    if count:
                        key = (racks.cluster, racks.pod_id, kind, load)
                        expected[key] = expected.get(key, 0) + count * one.count
        hung: dict[tuple[str, str, str, int], int] = {}
        for ring in rings:
            for group in ring.racks:
                key = (group.cluster, group.pod_id, group.kind, group.load_kw)
                hung[key] = hung.get(key, 0) + ring.count * group.racks
        checks.same(where, sorted(hung.items()), sorted(expected.items()), "racks on blocks, by pod and load")
        _replay(checks, where, rings, blocks)
    known = set(found)
    for ring in design.rings:
        checks.rule("rings", (ring.site, ring.option) in known, (ring.site, ring.option), "a topology in use")


def _replay(checks: Checks, where: str, rings: Sequence[RingChoice], blocks: Blocks) -> None:
    """Each block of each ring fails once; each survivor is held against its capacity."""
    active = range(blocks.needed if blocks.topology is Topology.BLOCK_REDUNDANT else blocks.count)
    reserve = range(blocks.needed, blocks.count)
    for number, ring in enumerate(rings):
        checks.rule(f"{where}[{number}].count", ring.count >= 1, ring.count, "at least one ring")
        pairs: dict[tuple[int, int], int] = {}
        for group in ring.racks:
            pair = (group.first, group.second)
            if blocks.topology is Topology.BLOCK_REDUNDANT:
                legal = group.first in active and group.second in reserve
            else:
                legal = group.first in active and group.second in active and group.first < group.second
            checks.rule(
                f"{where}[{number}].pair", legal and group.racks > 0, pair, "two blocks that back each other up"
            )
            pairs[pair] = pairs.get(pair, 0) + group.racks * group.load_kw
        for failed in range(blocks.count):
            for survivor, load in _after(blocks, pairs, failed).items():
                held = load <= blocks.capacity_kw + 1e-9
                name = f"{where}[{number}].block {failed} lost"
                checks.rule(name, held, f"block {survivor} carries {load:g} kW", f"at most {blocks.capacity_kw} kW")


def _after(blocks: Blocks, pairs: Mapping[tuple[int, int], int], failed: int) -> dict[int, float]:
    """Load [kW] of every block that is left once ``failed`` is gone."""
    loads = dict.fromkeys((block for block in range(blocks.count) if block != failed), 0.0)
    first_share = 1.0 if blocks.topology is Topology.BLOCK_REDUNDANT else 0.5
    for (first, second), load in pairs.items():
        if failed == first:
            loads[second] += load
        elif failed == second:
            loads[first] += load
        else:
            loads[first] += first_share * load
            loads[second] += (1.0 - first_share) * load
    return loads
