"""What stands in each rack of a pod, and which device is joined to which: from the design, the catalogue and the wiring of its fabric."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import ceil, floor, inf

from models.candidates.fabric_parts import SwitchCard
from models.candidates.fabric_summary import LENGTH_BANDS
from models.candidates.network_rack import network_frame
from models.candidates.rack_mass import mass_of
from models.candidates.row_feed import small_rack_limit
from models.instance import Instance
from models.parts.cooling import Cooling
from models.parts.network_part import Link, ScaleupSwitch, Switch
from models.parts.power_component import PowerComponent, PowerKind
from models.parts.rack import Floor, Rack
from models.parts.storage import StorageNode
from models.parts.system import System, SystemKind
from models.physics.network.lengths import RackPlan
from models.physics.power_supplies import SupplyConfig, parse_supply
from optimizer.design import PodChoice
from optimizer.layout.plan import DeviceKind, Tray

IN_RACK = RackPlan.__dataclass_fields__["in_rack"].default


class UnplaceableError(Exception):
    """A pod whose devices have no legal place, however they are arranged; the text is the broken rule."""


class UndecidedLayoutError(Exception):
    """No layout was found, nor a proof that there is none; the text says what stands in the way."""


@dataclass(frozen=True, slots=True)
class Content:
    """A device before it has a position: ``units`` it takes, ``supplies`` on each feed (0: three lines evenly), weight [kg], nameplate [W]."""

    id: str
    part: str
    kind: DeviceKind
    role: str
    units: int
    weight: float | None
    power: float
    supplies: int = 1
    mount: str = "rack"
    feed: str = ""
    trays: tuple[tuple[str, str, int], ...] = ()


@dataclass
class RackContent:
    """A rack before it stands anywhere; ``reserved`` units are kept free for management and cables; ``slots`` positions it takes (None: by its width)."""

    id: str
    kind: str
    frame: Rack
    reserved: int
    contents: list[Content] = field(default_factory=list)
    base_weight: float = 0.0
    slots: int | None = None

    @property
    def units(self) -> int:
        """Rack units of the frame."""
        return floor((self.frame.rack_units or 0) + 1e-9)

    @property
    def used(self) -> int:
        """Units that devices and the reserve take."""
        return self.reserved + sum(item.units for item in self.contents)

    @property
    def weight(self) -> float:
        """Mass [kg] as far as the catalogue states it."""
        return self.base_weight + sum(item.weight or 0.0 for item in self.contents)

    @property
    def power(self) -> float:
        """Nameplate power [W]."""
        return sum(item.power for item in self.contents)


@dataclass(frozen=True, slots=True)
class Wire:
    """A link between two ends: (device, port word) below and above; ``tray`` tells which tray of a rack-scale system the lower end is."""

    lower: str
    lower_port: str
    tray: int
    upper: str
    upper_port: str
    level: str


@dataclass(frozen=True, slots=True)
class LevelRule:
    """What was priced for a level [m]: the longest run, the upper end of its reach class, and the reach of its medium."""

    medium: str
    priced: float
    band: float
    reach: float

    @property
    def longest(self) -> float:
        """No cable of the level may be longer."""
        return min(self.band, self.reach)


@dataclass(frozen=True)
class PodContent:
    """One pod: its racks, in the order of its nodes and switches, its links, and the rules of its levels."""

    name: str
    pod: PodChoice
    racks: list[RackContent]
    wires: list[Wire]
    rules: dict[str, LevelRule]


def pod_content(instance: Instance, pod: PodChoice, name: str) -> PodContent:
    """Racks, devices and links of one pod called ``name``; UnplaceableError where a rule leaves a device without a rack."""
    from optimizer.layout.wiring import fabric_wires
    from optimizer.layout.wiring_beside import network_wires

    system = instance.catalogue.get(System, pod.system)
    assert system.scaleout_nics and system.rails
    nodes_per_system = system.scaleout_nics // system.rails
    compute = list(_compute_racks(instance, pod, system, name, nodes_per_system))
    storage = list(_storage_racks(instance, pod, name))
    switches, wires = fabric_wires(instance, pod, system, name, compute)
    beside, more = network_wires(instance, pod, name, compute, storage, switches)
    switches, wires = switches + beside, wires + more
    # a leaf beside nodes would take of their share of the row's panel
    apart = instance.sites[pod.site].row_feed is not None
    leftover = switches if apart else _leaves_beside_nodes(compute + storage, switches, wires)
    network = _network_racks(instance, pod, name, leftover, compute + storage, wires)
    return PodContent(name, pod, compute + storage + network, wires, level_rules(instance, pod))


def level_rules(instance: Instance, pod: PodChoice) -> dict[str, LevelRule]:
    """What each level of the fabric was priced for."""
    rules = {}
    for network, fabric in (("", pod.fabric), *pod.networks.items()):
        for level in ("node_leaf", "leaf_spine", "spine_core"):
            medium = fabric.get(f"medium_{level}")
            if medium:
                reaches = [instance.catalogue.get(Link, part).reach for part in medium.split(" - ")]
                length = float(fabric[f"length_{level}"])
                reach = min(r for r in reaches if r is not None)
                band = next((b for b in LENGTH_BANDS if length <= b), reach)
                rules[f"{network} {level}".strip()] = LevelRule(medium, length, max(length, band), reach)
    return rules


def _storage_racks(instance: Instance, pod: PodChoice, name: str) -> Iterator[RackContent]:
    """Racks of storage nodes with their rack PDUs."""
    told = pod.storage
    if not told.get("nodes"):
        return
    part = instance.catalogue.get(StorageNode, told["node"])
    frame = instance.catalogue.get(Rack, told["frame"])
    supply = instance.catalogue.get(PowerComponent, told["distribution"])
    height = ceil((part.height_units or 1.0) - 1e-9)
    reserved = ceil(instance.assumptions.reserved_rack_units.value - 1e-9)
    strip = mass_of(instance, supply)
    for number in range(pod.storage_racks):
        rack = RackContent(f"{name}/S{number + 1:03d}", "storage", frame, reserved)
        rack.base_weight = frame.empty_weight or 0.0
        first = number * told["per_rack"]
        for index in range(first, min(first + told["per_rack"], told["nodes"])):
            serial = f"{name}/{part.id}-{index + 1:04d}"
            role = f"storage {index + 1}"
            rack.contents.append(
                Content(
                    serial, part.id, DeviceKind.STORAGE, role, height, mass_of(instance, part), part.max_power or 0.0
                )
            )
        rack.contents += _strips(rack.id, supply, strip, told["distribution_per_rack"])
        yield rack


def _strips(rack: str, supply: PowerComponent, mass: float, count: int) -> Iterator[Content]:
    """Upright rack PDUs of ``mass`` kg each, dealt to feeds A and B in turn."""
    for index in range(count):
        feed = "AB"[index % 2]
        label = f"{rack}/{supply.id}-{feed}{index // 2 + 1}"
        mount = f"rear {'left' if feed == 'A' else 'right'}"
        yield Content(label, supply.id, DeviceKind.PDU, f"feed {feed}", 0, mass, 0.0, 0, mount, feed)


def _compute_racks(
    instance: Instance, pod: PodChoice, system: System, name: str, nodes_per_system: int
) -> Iterator[RackContent]:
    frame = instance.catalogue.get(Rack, pod.frame)
    server = system.kind is SystemKind.SERVER
    supply = parse_supply(system.psu_config or "")
    reserved = ceil(instance.assumptions.reserved_rack_units.value - 1e-9) if server else 0
    trays = () if server else _trays(instance, system, nodes_per_system, supply)
    each = 0 if supply.shelves or not server else max((supply.modules or 0) // 2, 0)
    for number in range(pod.node_racks):
        rack = RackContent(f"{name}/C{number + 1:03d}", "compute", frame, reserved)
        rack.slots = pod.node_positions // pod.node_racks
        rack.base_weight = (frame.empty_weight or 0.0) if server else 0.0
        first = number * pod.systems_per_rack
        for index in range(first, min(first + pod.systems_per_rack, pod.systems)):
            serial = f"{name}/{system.id}-{index + 1:04d}"
            height = ceil((system.rack_units or 1.0) - 1e-9)
            power, weight = system.max_power or 0.0, system.weight
            role = f"system {index + 1}"
            rack.contents.append(
                Content(serial, system.id, DeviceKind.SYSTEM, role, height, weight, power, each, trays=trays)
            )
        rack.contents += _power_of_rack(instance, pod, rack.id)
        yield rack


def _power_of_rack(instance: Instance, pod: PodChoice, rack: str) -> list[Content]:
    """Rack PDUs or power shelves, dealt to feeds A and B in turn, and the rear door."""
    found = []
    if pod.distribution is not None:
        part = instance.catalogue.get(PowerComponent, pod.distribution)
        shelf = part.kind is PowerKind.POWER_SHELF
        height = ceil((part.height_units or (1.0 if shelf else 0.0)) - 1e-9)
        kind = DeviceKind.SHELF if shelf else DeviceKind.PDU
        for number in range(pod.distribution_per_rack):
            feed = "AB"[number % 2]
            mount = "rack" if height else f"rear {'left' if feed == 'A' else 'right'}"
            label = f"{rack}/{part.id}-{feed}{number // 2 + 1}"
            mass = mass_of(instance, part)
            found.append(Content(label, part.id, kind, f"feed {feed}", height, mass, 0.0, 0, mount, feed))
    battery = pod.rack.get("battery")
    if battery:
        held = instance.catalogue.get(PowerComponent, str(battery))
        height = ceil((held.height_units or 1.0) - 1e-9)
        for number in range(int(pod.rack["batteries"])):
            label = f"{rack}/{held.id}-{number + 1}"
            mass = mass_of(instance, held)
            found.append(Content(label, held.id, DeviceKind.BATTERY, "battery", height, mass, 0.0, 0))
    if pod.rack.get("cdu"):
        unit, number_of = instance.catalogue.get(Cooling, str(pod.rack["cdu"])), int(pod.rack["cdus"])
        height, mass = ceil((unit.height_units or 1.0) - 1e-9), mass_of(instance, unit)
        draws = float(pod.rack["cdu_power_w"]) / number_of
        for number in range(number_of):
            label = f"{rack}/{unit.id}-{number + 1}"
            found.append(Content(label, unit.id, DeviceKind.CDU, f"CDU {number + 1}", height, mass, draws, 0))
    if pod.rack.get("manifold"):
        pipe = instance.catalogue.get(Cooling, str(pod.rack["manifold"]))
        mass = mass_of(instance, pipe)
        found.append(
            Content(f"{rack}/{pipe.id}", pipe.id, DeviceKind.MANIFOLD, "manifold", 0, mass, 0.0, 0, "rear centre")
        )
    if pod.door is not None:
        mass = mass_of(instance, instance.catalogue.get(Cooling, pod.door))
        found.append(Content(f"{rack}/{pod.door}", pod.door, DeviceKind.DOOR, "rear door", 0, mass, 0.0, 0, "rear"))
    return found


def _trays(instance: Instance, system: System, nodes: int, supply: SupplyConfig) -> tuple[tuple[str, str, int], ...]:
    """What a rack-scale system is made of, bottom to top, as (id, kind, units): half the shelves, half the compute trays, switch trays
    in the middle so that no link inside is long, and the other halves. Trays are one unit high; a shelf as high as its catalogue row.
    """
    switches = 0
    for part in instance.catalogue.of(ScaleupSwitch).values():
        if part.trays_per_domain and part.domain_size == system.accelerators and part.vendor == system.vendor:
            switches = max(switches, part.trays_per_domain)
    shelves, height = supply.shelves or 0, 1
    for shelf in instance.catalogue.of(PowerComponent).values():
        if shelf.kind is PowerKind.POWER_SHELF and shelf.rated and abs(shelf.rated - (supply.shelf_w or 0)) < 1:
            height = ceil((shelf.height_units or 1) - 1e-9)
    room = floor((system.rack_units or 0) + 1e-9)
    if shelves * height + nodes + switches > room:
        height, shelves = 1, min(shelves, max(room - nodes - switches, 0))
    low, under = shelves - shelves // 2, nodes // 2
    order = [(f"shelf{i + 1}", "power shelf", height) for i in range(low)]
    order += [(f"tray{i + 1:02d}", "compute tray", 1) for i in range(under)]
    order += [(f"switch{i + 1}", "scale-up switch", 1) for i in range(switches)]
    order += [(f"tray{i + 1:02d}", "compute tray", 1) for i in range(under, nodes)]
    order += [(f"shelf{i + 1}", "power shelf", height) for i in range(low, shelves)]
    return tuple(order) if sum(units for _, _, units in order) <= room else ()


def placed_trays(device: str, trays: tuple[tuple[str, str, int], ...], first: int) -> tuple[Tray, ...]:
    """The trays of a system whose lowest unit is ``first``."""
    found, unit = [], first
    for name, kind, units in trays:
        found.append(Tray(f"{device}/{name}", kind, unit, unit + units - 1))
        unit += units
    return tuple(found)


def _leaves_beside_nodes(compute: list[RackContent], switches: list[Content], wires: list[Wire]) -> list[Content]:
    """Put each leaf whose nodes all share a rack into that rack, where there is room; what is left goes to racks of its own."""
    rack_of = {item.id: rack for rack in compute for item in rack.contents}
    below: dict[str, set[str]] = {}
    for wire in wires:
        if wire.level.endswith("node_leaf"):
            # a management port of a switch is in no rack yet
            below.setdefault(wire.upper, set()).add(rack_of[wire.lower].id if wire.lower in rack_of else "")
    by_id = {rack.id: rack for rack in compute}
    left = []
    for switch in switches:
        racks = below.get(switch.id, set())
        rack = by_id.get(next(iter(racks))) if len(racks) == 1 else None
        if rack is not None and rack.used + switch.units <= rack.units:
            rack.contents.append(switch)
        else:
            left.append(switch)
    return left


def _network_racks(
    instance: Instance, pod: PodChoice, name: str, switches: list[Content], served: list[RackContent], wires: list[Wire]
) -> list[RackContent]:
    from optimizer.layout.packing import Limits, anchors_of, pack

    told = pod.network_rack
    frame = instance.catalogue.get(Rack, told["frame"]) if told else network_frame(instance, pod.cluster)
    if frame is None:
        raise UnplaceableError("the catalogue has no 19-inch frame for switches")
    supply = instance.catalogue.get(PowerComponent, told["distribution"]) if told else None
    units, strip = (told["distribution_per_rack"], mass_of(instance, supply)) if supply is not None else (0, 0.0)
    reserved = ceil(instance.assumptions.reserved_rack_units.value - 1e-9)
    room = floor((frame.rack_units or 42.0) + 1e-9) - reserved
    limit = small_rack_limit(instance, pod.site)
    limits = [limit] if limit < inf else []
    heat = min(limits + ([float(told["feed_w"])] if told else []), default=None)
    load = _load(instance, pod.site, frame, units * strip)
    leaves = frozenset(wire.upper for wire in wires if wire.level.endswith("node_leaf"))
    groups = pack(switches, leaves, anchors_of(served, wires), pod.network_racks, Limits(room, heat, load))
    if groups is None:
        each = f"{room} units" + ("" if heat is None else f" and {heat / 1e3:g} kW")
        raise UnplaceableError(f"{len(switches)} switches do not fit into {pod.network_racks} racks of {each}")
    racks = []
    for number, group in enumerate(groups):
        rack = RackContent(f"{name}/N{number + 1:03d}", "network", frame, reserved, list(group))
        rack.base_weight = frame.empty_weight or 0.0
        if supply is not None:
            rack.contents += _strips(rack.id, supply, strip, units)
        racks.append(rack)
    return racks


def _load(instance: Instance, site: str, frame: Rack, strips: float) -> float | None:
    """Mass [kg] of devices that frame and floor carry beside rack PDUs of ``strips`` kg, or None where neither is stated."""
    floor_ = instance.catalogue.get(Floor, instance.sites[site].floor).uniform
    limits = [] if frame.static_load is None else [float(frame.static_load) - strips]
    if floor_ is not None:
        limits.append(floor_ * (frame.width or 0.0) * (frame.depth or 0.0) - (frame.empty_weight or 0.0) - strips)
    return min(limits, default=None)


def switch_power(instance: Instance, part: str, modules: float) -> float:
    """Nameplate power [W] of a switch; ``modules`` [W] of optics in its cages count where its figure leaves them out."""
    switch = instance.catalogue.get(Switch, part)
    card = SwitchCard.from_part(switch)
    held = card is not None and card.max_power_has_optics
    return (switch.max_power or switch.typical_power or 0.0) + (0.0 if held else modules)
