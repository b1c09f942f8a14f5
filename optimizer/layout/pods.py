"""One pod on the floor: its elevations, then bays for its racks, with a bound on its cables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from optimizer.layout.arrange import Layer, arrange, capped, improve, total_cost
from optimizer.layout.bound import Flows, least_way
from optimizer.layout.contents import PodContent, RackContent, UndecidedLayoutError, UnplaceableError
from optimizer.layout.elevation import Elevation, Pull, devices_of, elevation
from optimizer.layout.exact import solve_window
from optimizer.layout.hall import Bays, Hall, bays_of
from optimizer.layout.plan import Device, DeviceKind

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

ALONE = 9  # racks that CP-SAT takes as a whole
FREE_BAYS = 24
WINDOW = 6
PENALTIES = (50.0, 1e3, 1e5)
"""How many times a metre beyond what a level allows counts: at first, and where some cable stays too long."""


@dataclass(frozen=True)
class Effort:
    """How much the solver may do, in deterministic time: per window, and windows in all."""

    window: float = 1.0
    windows: int = 12


@dataclass(frozen=True)
class Built:
    """A pod with its racks built: devices and elevation type of each rack, and by how much [m] better elevations could shorten cables."""

    content: PodContent
    devices: tuple[tuple[Device, ...], ...]
    types: tuple[str, ...]
    slack: float
    flows: Flows
    rises: dict[str, float]


@dataclass
class Types:
    """Elevations by what stands in a rack, so that racks alike are built alike and solved once."""

    known: dict[tuple[object, ...], tuple[str, Elevation]] = field(default_factory=dict)

    def of(self, rack: RackContent, pull: Pull, longest: float | None) -> tuple[str, Elevation]:
        """Name and elevation of the type of a rack."""
        items = tuple((c.part, c.kind, c.units, c.weight, c.power, c.mount, c.feed, c.trays) for c in rack.contents)
        key = (
            rack.frame.id, rack.reserved, items, tuple(sorted(pull.leaving.items())), tuple(sorted(pull.inside.items())), longest
        )  # fmt: skip
        if key not in self.known:
            count = sum(1 for name, _ in self.known.values() if name.startswith(rack.kind)) + 1
            self.known[key] = (f"{rack.kind} {count}", elevation(rack, pull, longest))
        return self.known[key]


def build(content: PodContent, hall: Hall, types: Types) -> Built:
    """Elevations of all racks of a pod; UnplaceableError where one has none."""
    racks = content.racks
    home = {item.id: number for number, rack in enumerate(racks) for item in rack.contents}
    links = Counter((wire.lower, wire.upper) for wire in content.wires)
    place = {item.id: i for rack in racks for i, item in enumerate(rack.contents)}
    leaving: list[dict[int, int]] = [{} for _ in racks]
    inside: list[dict[tuple[int, int], int]] = [{} for _ in racks]
    longest: list[float | None] = [None] * len(racks)
    level_of = {(wire.lower, wire.upper): wire.level for wire in content.wires}
    for (lower, upper), count in links.items():
        a, b = home[lower], home[upper]
        if a == b:
            key = (min(place[lower], place[upper]), max(place[lower], place[upper]))
            inside[a][key] = inside[a].get(key, 0) + count
            frame = racks[a].frame
            room = (content.rules[level_of[lower, upper]].longest - (frame.width or 0.0)) / (frame.unit_pitch or 1.0)
            known = longest[a]
            longest[a] = room if known is None else min(known, room)
            continue
        for number, device in ((a, lower), (b, upper)):
            leaving[number][place[device]] = leaving[number].get(place[device], 0) + count
    devices, names, slack = [], [], 0.0
    for number, rack in enumerate(racks):
        name, found = _typed(types, rack, Pull(leaving[number], inside[number]), longest[number], hall, content)
        devices.append(devices_of(rack, found.starts))
        names.append(name)
        slack += found.slack * (rack.frame.unit_pitch or 0.0)
    slots = [rack.slots or hall.slots_of(rack.frame.width or hall.pitch) for rack in racks]
    flows = Flows(dict(links), home, _tiers(content), slots)
    return Built(content, tuple(devices), tuple(names), slack, flows, _rises(content, devices, home, hall.tray))


def _typed(
    types: Types, rack: RackContent, pull: Pull, longest: float | None, hall: Hall, content: PodContent
) -> tuple[str, Elevation]:
    """The type of a rack; UndecidedLayoutError where it has none only because of a leaf that might stand outside."""
    try:
        return types.of(rack, pull, longest)
    except UnplaceableError as error:
        if longest is not None and reaches_outside(hall, content):
            raise UndecidedLayoutError(str(error)) from None
        raise


def reaches_outside(hall: Hall, content: PodContent) -> bool:
    """True where a leaf may stand in another rack than all its nodes: the shortest way over the tray is within the run of their level."""
    rule = content.rules.get("node_leaf")
    top = max(rack.units * (rack.frame.unit_pitch or 0.0) for rack in content.racks)
    return rule is None or 2 * (hall.tray - top) + hall.pitch <= rule.longest + 1e-9


def _rises(
    content: PodContent, devices: Sequence[Sequence[Device]], home: Mapping[str, int], tray: float
) -> dict[str, float]:
    """The longest way up and down [m] of a cable of each level that leaves its rack."""
    height: dict[str, float] = {}
    for number, rack in enumerate(content.racks):
        for device in devices[number]:
            lowest = min((t.unit_from + t.unit_to - 1 for t in device.trays if t.kind == "compute tray"), default=None)
            middle = device.middle if lowest is None else lowest / 2
            height[device.id] = middle * (rack.frame.unit_pitch or 0.0)
    found = dict.fromkeys(content.rules, 0.0)
    for wire in content.wires:
        if home[wire.lower] != home[wire.upper]:
            found[wire.level] = max(found[wire.level], 2 * tray - height[wire.lower] - height[wire.upper])
    return found


def _tiers(content: PodContent) -> list[list[str]]:
    """Switches by tier, leaves first, from the levels they are the upper end of."""
    tier = {
        wire.upper: ("node_leaf", "leaf_spine", "spine_core").index(wire.level.split()[-1]) for wire in content.wires
    }
    switches = [item.id for rack in content.racks for item in rack.contents if item.kind is DeviceKind.SWITCH]
    return [[s for s in switches if tier.get(s, 0) == level] for level in range(3)]


@dataclass(frozen=True)
class Items:
    """What is arranged: groups of racks that share a bay, the cables between groups by level, and which are racks of nodes only."""

    members: tuple[tuple[int, ...], ...]
    flow: dict[str, Floats]
    leaves: npt.NDArray[np.bool_]
    slots: int


def items_of(built: Built) -> Items:
    """Racks grouped into bays as wide as the widest: a wide rack alone, narrow ones side by side."""
    slots = built.flows.slots
    wide = max(slots)
    kinds = [rack.kind for rack in built.content.racks]
    members: list[tuple[int, ...]] = []
    for kind in ("compute", "storage", "network"):
        numbers = [n for n in range(len(slots)) if kinds[n] == kind]
        while numbers:
            fit = max(1, wide // slots[numbers[0]])
            members.append(tuple(numbers[:fit]))
            numbers = numbers[fit:]
    group = {number: g for g, numbers in enumerate(members) for number in numbers}
    flow = {level: np.zeros((len(members), len(members))) for level in built.content.rules}
    for wire in built.content.wires:
        a, b = group[built.flows.home[wire.lower]], group[built.flows.home[wire.upper]]
        if a != b:
            flow[wire.level][a, b] += 1
            flow[wire.level][b, a] += 1
    leaves = np.array([all(kinds[n] != "network" for n in numbers) for numbers in members])
    whole = np.asarray(sum(flow.values(), np.zeros((len(members), len(members)))))
    leaves &= ~(whole[:, leaves] > 0).any(axis=1)
    return Items(tuple(members), flow, leaves, wide)


def too_few_places(pod: str, needed: int, slots: int, places: int) -> str:
    """The broken rule in words."""
    beside = f" of {slots} positions side by side" if slots > 1 else ""
    return f"{pod} needs {needed} places{beside}, and the hall has {places}"


def place(built: Built, hall: Hall, bays: Bays, effort: Effort) -> tuple[list[int], float]:
    """First position of every rack, and a lower bound [m] on the way of the cables.

    A cable longer than its level allows counts many times over, so that it comes out only where nothing else is found.
    """
    items = items_of(built)
    distance = bays.distances()
    layers = _layers(built, items, distance, PENALTIES[0])
    at = arrange(layers, distance, items.leaves, bays.x, bays.y)
    bound = least_way(hall, built.flows, np.ones(hall.positions, dtype=np.bool_))
    if effort.windows:
        at, proven = _polish(layers, bays, distance, items, at, effort, bound)
        if proven is not None and items.slots == 1:
            bound = max(bound, proven)
    at = _within_reach(built, items, bays, distance, at)
    positions = [0] * len(built.content.racks)
    for group, numbers in enumerate(items.members):
        start = int(bays.first[at[group]])
        for number in numbers:
            positions[number] = start
            start += built.flows.slots[number]
    return positions, bound


def _layers(built: Built, items: Items, distance: Floats, penalty: float) -> list[Layer]:
    """The cables of each level, and what a way counts for them."""
    rules = built.content.rules
    return [
        Layer(flow, capped(distance, rules[level].longest - built.rises[level], penalty))
        for level, flow in items.flow.items()
    ]


def _within_reach(built: Built, items: Items, bays: Bays, distance: Floats, at: Ints) -> Ints:
    """``at``, or where a cable there is longer than its level allows, the first arrangement found in which none is."""
    if not _too_long(built, items, distance, at):
        return at
    for penalty in PENALTIES[1:]:
        layers = _layers(built, items, distance, penalty)
        for found in (improve(layers, items.leaves, at), arrange(layers, distance, items.leaves, bays.x, bays.y)):
            if not _too_long(built, items, distance, found):
                return found
    return at


def _too_long(built: Built, items: Items, distance: Floats, at: Ints) -> bool:
    """True where a cable may be longer than its level allows."""
    way = distance[np.ix_(at, at)]
    rules = built.content.rules
    return any(
        bool((way[flow > 0] > rules[level].longest - built.rises[level] + 1e-9).any())
        for level, flow in items.flow.items()
    )


def _polish(
    layers: list[Layer], bays: Bays, distance: Floats, items: Items, at: Ints, effort: Effort, bound: float
) -> tuple[Ints, float | None]:
    """Windows of racks of switches and their nearest empty bays by CP-SAT; everything at once where the pod is small."""
    count = len(at)
    flow = np.asarray(sum(layer.flow for layer in layers))
    if count <= ALONE and len(bays) <= FREE_BAYS:
        window = solve_window(flow, bays.x, bays.y, at, range(count), range(len(bays)), 4 * effort.window, bound)
        return (window.at if total_cost(layers, window.at) <= total_cost(layers, at) else at), window.bound
    hubs = np.flatnonzero(~items.leaves)
    turns = min(effort.windows, len(hubs))
    for turn in range(turns):
        if total_cost(layers, at) <= bound * (1 + 1e-6):
            break
        hub = int(hubs[turn * len(hubs) // turns])
        near = np.argsort(distance[at[hub]][at], kind="stable")
        chosen = sorted(int(i) for i in near[:WINDOW])
        empty = np.setdiff1d(np.arange(len(bays)), at)
        close = empty[np.argsort(distance[at[hub]][empty], kind="stable")][:4]
        spots = sorted({int(at[i]) for i in chosen} | {int(b) for b in close})
        window = solve_window(flow, bays.x, bays.y, at, chosen, spots, effort.window)
        if total_cost(layers, window.at) < total_cost(layers, at) - 1e-6:
            at = improve(layers, items.leaves, window.at)
    return at, None


def region(hall: Hall, slots: int, free: npt.NDArray[np.bool_], needed: int, alone: bool) -> Bays:
    """Bays for a pod: all free ones where it is ``alone`` at the site, otherwise the next ``needed`` along the rows."""
    bays = bays_of(hall, slots, free)
    return bays if alone else bays.take(np.arange(min(needed, len(bays))))
