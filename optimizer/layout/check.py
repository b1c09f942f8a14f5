"""A layout held against geometry and the bill of materials alone: it calls nothing of what it checks.

Every rack is within the hall and off every other; every device within its frame and off every other, heavy ones low; masses, counts,
loads by line and cable lengths are taken again from coordinates, catalogue and design.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from models.instance import Instance
from models.parts.cooling import Cooling
from models.parts.network_part import Link
from models.parts.power_component import PowerComponent
from models.parts.rack import Floor, Rack
from models.parts.storage import StorageNode
from models.parts.system import System, SystemKind
from models.units import Unlimited
from optimizer.design import Design, PodChoice
from optimizer.layout.check_hall import check_hall
from optimizer.layout.plan import Device, DeviceKind, Layout, PlacedRack, SitePlan
from optimizer.verification.findings import Checks, Finding
from optimizer.verification.masses import kilograms

CLOSE = 1e-6
LIFT_KG = 25.0
COUNTED = ("silicon", "spares", "rack", "rack power", "rack cooling", "storage", "storage racks", "storage rack power")
EMPTY: Mapping[str, Any] = {}
LEVELS = {"node_leaf": "links_node_leaf", "leaf_spine": "logical_leaf_spine", "spine_core": "links_spine_core"}


def check_layout(instance: Instance, design: Design, layout: Layout) -> list[Finding]:
    """Everything that does not hold; an empty list where all does."""
    checks = Checks(design.design_id)
    checks.same("design", layout.design_id, design.design_id)
    sites = sorted({pod.site for pod in design.pods})
    checks.same("sites", sorted(plan.site for plan in layout.sites), sites)
    for plan in layout.sites:
        _check_floor(checks, instance, plan)
        for rack in plan.racks:
            _check_rack(checks, instance, plan, rack)
            _check_phases(checks, rack)
        _check_counts(checks, instance, design, plan)
        _check_cables(checks, instance, plan)
        check_hall(checks, instance, design, plan)
    return checks.findings


def _check_floor(checks: Checks, instance: Instance, plan: SitePlan) -> None:
    """Positions, rows, aisles; no two frames on the same ground."""
    where, rows, hall = f"layout.{plan.site}", instance.sites[plan.site].rows, plan.hall
    positions = instance.sites[plan.site].rack_positions.value
    checks.same(f"{where}.hall.per_row", hall.per_row, rows.racks_per_row)
    checks.same(f"{where}.hall.pitch", hall.pitch, rows.rack_pitch)
    checks.same(f"{where}.hall.row_pitch", hall.row_pitch, rows.row_pitch)
    if not isinstance(positions, Unlimited):
        checks.same(f"{where}.hall.positions", hall.positions, positions)
    tallest = max((rack.rack_units * rack.unit_pitch for rack in plan.racks), default=0.0)
    checks.same(f"{where}.hall.tray", hall.tray, max(rows.tray_height, tallest))
    taken: dict[tuple[int, int], str] = {}
    for rack in plan.racks:
        last = rack.position + rack.slots - 1
        number = (rack.row - 1) * hall.per_row + last
        inside = rack.row >= 1 and rack.position >= 1 and last <= hall.per_row and number <= hall.positions
        checks.rule(f"{where}.{rack.id}", inside, (rack.row, rack.position), "a position of the hall")
        fits = rack.width <= rack.slots * hall.pitch + CLOSE
        checks.rule(f"{where}.{rack.id}.width", fits, rack.width, rack.slots * hall.pitch, "m of positions")
        checks.rule(
            f"{where}.{rack.id}.depth", rack.depth <= hall.row_pitch, rack.depth, hall.row_pitch, "m between rows"
        )
        for column in range(rack.position, last + 1):
            other = taken.setdefault((rack.row, column), rack.id)
            checks.rule(f"{where}.{rack.id}", other == rack.id, other, "a position of its own")
        x = (rack.position - 1 + rack.slots / 2) * rows.rack_pitch
        checks.same(f"{where}.{rack.id}.x", rack.x, x)
        checks.same(f"{where}.{rack.id}.y", rack.y, (rack.row - 1) * rows.row_pitch)
        checks.same(f"{where}.{rack.id}.facing", rack.facing, "+y" if rack.row % 2 else "-y", "fronts face fronts")
    _check_equipment(checks, plan, taken)


def _check_equipment(checks: Checks, plan: SitePlan, taken: dict[tuple[int, int], str]) -> None:
    """Units on positions of their own within a row, or beyond its ends and off each other."""
    where, hall = f"layout.{plan.site}", plan.hall
    for unit in plan.equipment:
        low, high = unit.x - unit.width / 2, unit.x + unit.width / 2
        checks.same(f"{where}.{unit.id}.y", unit.y, (unit.row - 1) * hall.row_pitch)
        checks.rule(
            f"{where}.{unit.id}.depth", unit.depth <= hall.row_pitch, unit.depth, hall.row_pitch, "m between rows"
        )
        if not unit.slots:
            clear = high <= CLOSE or low >= hall.per_row * hall.pitch - CLOSE
            checks.rule(f"{where}.{unit.id}", clear, unit.x, "beside the rack positions")
            for other in plan.equipment:
                off = (
                    other is unit
                    or other.row != unit.row
                    or abs(other.x - unit.x) >= (other.width + unit.width) / 2 - CLOSE
                )
                checks.rule(f"{where}.{unit.id}", off, other.id, "ground of its own")
            continue
        start, end = (unit.position - 1) * hall.pitch, (unit.position - 1 + unit.slots) * hall.pitch
        checks.rule(f"{where}.{unit.id}", start - CLOSE <= low and high <= end + CLOSE, unit.x, "m on its positions")
        last = unit.position + unit.slots - 1
        inside = unit.row >= 1 and unit.position >= 1 and last <= hall.per_row
        inside = inside and (unit.row - 1) * hall.per_row + last <= hall.positions
        checks.rule(f"{where}.{unit.id}", inside, (unit.row, unit.position), "positions of the hall")
        for column in range(unit.position, last + 1):
            other_id = taken.setdefault((unit.row, column), unit.id)
            checks.rule(f"{where}.{unit.id}", other_id == unit.id, other_id, "a position of its own")


def _units(device: Device) -> range:
    return range(device.unit_from, device.unit_to + 1) if device.unit_from else range(0)


def _check_rack(checks: Checks, instance: Instance, plan: SitePlan, rack: PlacedRack) -> None:
    """Frame, units, order of masses, mass, floor."""
    where = f"layout.{rack.id}"
    frame = instance.catalogue.of(Rack).get(rack.frame)
    if not checks.rule(f"{where}.frame", frame is not None, rack.frame, "a frame of the catalogue") or frame is None:
        return
    checks.same(
        f"{where}.frame", (rack.width, rack.depth, rack.unit_pitch), (frame.width, frame.depth, frame.unit_pitch)
    )
    checks.rule(f"{where}.units", rack.rack_units <= (frame.rack_units or 0), rack.rack_units, frame.rack_units)
    taken: dict[int, str] = {}
    for device in rack.devices:
        for unit in _units(device):
            checks.rule(f"{where}.{device.id}", 1 <= unit <= rack.rack_units, unit, f"1 to {rack.rack_units}")
            other = taken.setdefault(unit, device.id)
            checks.rule(f"{where}.{device.id}", other == device.id, other, f"unit {unit} to itself")
        trays = [unit for tray in device.trays for unit in range(tray.unit_from, tray.unit_to + 1)]
        within = len(trays) == len(set(trays)) and set(trays) <= set(_units(device))
        checks.rule(f"{where}.{device.id}.trays", within, trays, "units of the device, each once")
    covered = set(taken) == set(range(1, rack.rack_units + 1))
    checks.rule(
        f"{where}.blanks", covered, len(taken), rack.rack_units, "every unit holds a device, a reserve or a blank panel"
    )
    kept = sum(len(_units(d)) for d in rack.devices if d.kind is DeviceKind.RESERVED)
    system = next((d.part for d in rack.devices if d.kind is DeviceKind.SYSTEM and d.part), None)
    whole = system is not None and instance.catalogue.get(System, system).kind is SystemKind.RACK
    asked = 0.0 if whole else instance.assumptions.reserved_rack_units.value
    checks.rule(f"{where}.reserved", kept >= asked, kept, asked, "units kept free")
    heavy = sorted(
        (d for d in rack.devices if d.unit_from and (d.weight_kg or 0.0) > LIFT_KG), key=lambda d: d.unit_from
    )
    empty = {u for d in rack.devices if d.kind in (DeviceKind.BLANK, DeviceKind.RESERVED) for u in _units(d)}
    highest = heavy[-1].unit_to if heavy else 0
    sunk = not any(unit < highest for unit in empty)
    checks.rule(
        f"{where}.heavy", sunk, sorted(empty), f"no empty unit below unit {highest}, where something heavy stands"
    )
    for lower, upper in zip([None, *heavy], heavy, strict=False):
        if lower is not None:
            lighter = (upper.weight_kg or 0.0) <= (lower.weight_kg or 0.0)
            checks.rule(f"{where}.{upper.id}", lighter, upper.weight_kg, lower.weight_kg, "nothing heavier above")
    _check_masses(checks, instance, rack)
    mass = sum(d.weight_kg or 0.0 for d in rack.devices)
    own = 0.0 if whole else frame.empty_weight or 0.0
    checks.same(f"{where}.weight_kg", rack.weight_kg, mass + own)
    checks.rule(f"{where}.weight_kg", mass <= (frame.static_load or mass), mass, frame.static_load, "kg in the frame")
    floor = instance.catalogue.get(Floor, instance.sites[plan.site].floor)
    load = (mass + own) / (rack.width * rack.depth)
    checks.rule(
        f"{where}.floor", floor.uniform is None or load <= floor.uniform * (1 + CLOSE), load, floor.uniform, "kg/m2"
    )


def _check_masses(checks: Checks, instance: Instance, rack: PlacedRack) -> None:
    """Every part weighs what its row says, or what is assumed where it says nothing."""
    rows: dict[str, Any] = {}
    for kind in (PowerComponent, Cooling, StorageNode):
        rows |= instance.catalogue.of(kind)
    for device in rack.devices:
        if device.part in rows:
            wanted = kilograms(instance, rows[device.part])
            checks.same(f"layout.{rack.id}.{device.id}.weight_kg", device.weight_kg, wanted)


def _check_phases(checks: Checks, rack: PlacedRack) -> None:
    """Each feed carries half of every device, each device on both feeds, lines as even as single supplies allow."""
    where = f"layout.{rack.id}.phases"
    consumers = [d for d in rack.devices if d.power_w > 0]
    checks.same(f"{where}.feeds", [feed.feed for feed in rack.phases], ["A", "B"])
    checks.same(f"{where}.power", rack.power_w, sum(d.power_w for d in consumers))
    for feed in rack.phases:
        checks.same(f"{where}.{feed.feed}", feed.l1 + feed.l2 + feed.l3, rack.power_w / 2)
        counts = Counter(supply.split(":")[0] for supply, _ in feed.supplies)
        checks.same(f"{where}.{feed.feed}.devices", sorted(counts), sorted(d.id for d in consumers))
        lines = dict.fromkeys(("L1", "L2", "L3"), 0.0)
        largest = 0.0
        for device in consumers:
            on = [line for supply, line in feed.supplies if supply.split(":")[0] == device.id]
            share = device.power_w / 2 / max(len(on), 1)
            for line in on:
                parts = line.split("+")
                largest = max(largest, share / len(parts))
                for part in parts:
                    lines[part] = lines.get(part, 0.0) + share / len(parts)
        for line, given in (("L1", feed.l1), ("L2", feed.l2), ("L3", feed.l3)):
            checks.same(f"{where}.{feed.feed}.{line}", given, lines[line])
        spread = max(lines.values()) - min(lines.values())
        checks.rule(
            f"{where}.{feed.feed}",
            spread <= largest * (1 + CLOSE) + CLOSE,
            spread,
            largest,
            "W between lines at most one supply",
        )


def _check_counts(checks: Checks, instance: Instance, design: Design, plan: SitePlan) -> None:
    """Devices and frames by part, as the bill of materials has them; ids and racks once."""
    pods = [pod for pod in design.pods if pod.site == plan.site]
    ids = [d.id for rack in plan.racks for d in rack.devices]
    checks.same(f"layout.{plan.site}.ids", len(ids), len(set(ids)), "devices once each")
    checks.same(f"layout.{plan.site}.racks", len(plan.racks), len({rack.id for rack in plan.racks}))
    compute = [rack for rack in plan.racks if rack.kind == "compute"]
    checks.same(f"layout.{plan.site}.compute", len(compute), sum(pod.count * pod.node_racks for pod in pods))
    storage = [rack for rack in plan.racks if rack.kind == "storage"]
    checks.same(f"layout.{plan.site}.storage", len(storage), sum(pod.count * pod.storage_racks for pod in pods))
    network = [rack for rack in plan.racks if rack.kind not in ("compute", "storage")]
    _check_network_racks(checks, plan, pods, network)
    strips = {id(d) for rack in network for d in rack.devices if d.kind is DeviceKind.PDU}
    placed = Counter(d.part for rack in plan.racks for d in rack.devices if d.part is not None and id(d) not in strips)
    frames = Counter(rack.frame for rack in compute if any(_is_server(instance, d) for d in rack.devices))
    frames.update(rack.frame for rack in storage)
    systems = {pod.system for pod in pods}
    served = set(frames)
    billed: Counter[str] = Counter()
    for line in design.bom:
        if (
            line.site == plan.site
            and line.cluster
            and (line.layer in COUNTED or line.layer.endswith("network") or line.part in {pod.door for pod in pods})
        ):
            billed[line.part] += line.quantity
    for part, quantity in sorted(billed.items()):
        found = frames[part] if part in served else placed[part]
        checks.same(f"layout.{plan.site}.count.{part}", found, quantity, "as in the bill of materials")
    extra = set(placed) - set(billed)
    checks.rule(
        f"layout.{plan.site}.count",
        not extra and systems <= set(placed),
        sorted(extra),
        "parts of the bill of materials",
    )
    for level, column in LEVELS.items():
        for beside in ("", *sorted({name for pod in pods for name in pod.networks})):
            name = f"{beside} {level}".strip()
            links = 0
            for pod in pods:
                row: Mapping[str, Any] = (pod.networks.get(beside) or EMPTY) if beside else pod.fabric
                links += pod.count * int(row.get(column) or 0)
            found = sum(1 for cable in plan.cables if cable.level == name)
            checks.same(f"layout.{plan.site}.cables.{name}", found, links)


def _check_network_racks(checks: Checks, plan: SitePlan, pods: list[PodChoice], racks: list[PlacedRack]) -> None:
    """No more racks of switches than are bought (leaves may stand beside their nodes), each with the rack PDUs of a pod, which carry it."""
    most = sum(pod.count * pod.network_racks for pod in pods)
    checks.rule(f"layout.{plan.site}.network", len(racks) <= most, len(racks), most, "racks of switches")
    bought: Counter[tuple[Any, ...]] = Counter()
    carried: dict[tuple[Any, ...], float] = {}
    for pod in pods:
        if pod.network_rack:
            told = pod.network_rack
            kind = (told["frame"], *[told["distribution"]] * told["distribution_per_rack"])
            bought[kind] += pod.count * pod.network_racks
            carried[kind] = max(carried.get(kind, 0.0), float(told["feed_w"]))
    for rack in racks if bought else []:
        kind = (rack.frame, *[d.part for d in rack.devices if d.kind is DeviceKind.PDU])
        bought[kind] -= 1
        checks.rule(
            f"layout.{rack.id}.network", bought[kind] >= 0, kind, sorted(carried), "a rack of the bill of materials"
        )
        most_w = carried.get(kind, 0.0)
        checks.rule(
            f"layout.{rack.id}.feed", rack.power_w <= most_w * (1 + CLOSE), rack.power_w, most_w, "W on one feed"
        )


def _is_server(instance: Instance, device: Device) -> bool:
    """True for a system that was put into a frame bought for it."""
    systems = instance.catalogue.of(System)
    system = systems.get(device.part or "")
    return system is not None and system.kind is SystemKind.SERVER


def _check_cables(checks: Checks, instance: Instance, plan: SitePlan) -> None:
    """Every cable from coordinates: up, along, down; within reach and within what was priced; every port once."""
    where = f"layout.{plan.site}.cables"
    spots: dict[str, tuple[PlacedRack, float]] = {}
    for rack in plan.racks:
        for device in rack.devices:
            spots[device.id] = (rack, (device.unit_from - 1 + device.unit_to) / 2 * rack.unit_pitch)
            for tray in device.trays:
                spots[tray.id] = (rack, (tray.unit_from - 1 + tray.unit_to) / 2 * rack.unit_pitch)
    total, longest = 0.0, 0.0
    for cable in plan.cables:
        a, b = (
            spots.get(_device(end)) or spots.get(_device(end).rsplit("/tray", 1)[0])
            for end in (cable.a_end, cable.b_end)
        )
        if a is None or b is None:
            checks.rule(f"{where}.{cable.id}", False, (cable.a_end, cable.b_end), "devices of the layout")
            continue
        checks.same(f"{where}.{cable.id}.racks", (cable.a_rack, cable.b_rack), (a[0].id, b[0].id))
        length = _length(plan, a, b)
        checks.same(f"{where}.{cable.id}.length", cable.length, length)
        reaches = [instance.catalogue.get(Link, part).reach or 0.0 for part in cable.medium.split(" - ")]
        checks.same(f"{where}.{cable.id}.reach", cable.reach, min(reaches))
        checks.rule(
            f"{where}.{cable.id}",
            length <= min(cable.reach, cable.band) + CLOSE,
            length,
            min(cable.reach, cable.band),
            "m",
        )
        total, longest = total + length, max(longest, length)
    ends = [end for cable in plan.cables for end in (cable.a_end, cable.b_end)]
    checks.same(f"{where}.ports", len(ends), len(set(ends)), "each port once")
    checks.same(f"{where}.total_length", plan.total_length, total)
    checks.rule(f"{where}.bound", plan.bound <= total * (1 + CLOSE), plan.bound, total, "a bound below the length")


def _device(end: str) -> str:
    return end.rsplit(":", 1)[0]


def _length(plan: SitePlan, a: tuple[PlacedRack, float], b: tuple[PlacedRack, float]) -> float:
    (one, low), (other, high) = a, b
    if one.id == other.id:
        return abs(low - high) + one.width
    return 2 * plan.hall.tray - low - high + abs(one.x - other.x) + abs(one.y - other.y)
