"""What a hall asks of a layout beyond the ground each rack stands on: heights, feet, depths, panels of rows, units on the floor, price classes.

Taken again from the instance, the catalogue and the design; nothing of what made the layout is called.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from math import inf
from typing import Any

from models.candidates.fabric_summary import LENGTH_BANDS
from models.instance import Instance
from models.parts.cooling import Cooling
from models.parts.network_part import Link
from models.parts.power_component import PowerComponent
from models.parts.rack import Floor, Rack
from models.parts.storage import StorageNode
from models.parts.system import System
from models.site import Chain
from optimizer.design import Design, PodChoice
from optimizer.layout.plan import PhaseLoad, PlacedRack, SitePlan
from optimizer.verification.findings import Checks
from optimizer.verification.masses import high_of
from optimizer.verification.row_feeds import position_share

CLOSE = 1e-6
FEET = 4
UNITS_ON_FLOOR = ("cdu", "cdu_l2a")
PRICED_LEVELS = ("node_leaf", "leaf_spine", "spine_core")


def check_hall(checks: Checks, instance: Instance, design: Design, plan: SitePlan) -> None:
    """Adds everything that does not hold at one site."""
    pods = dict(_pods(design, plan.site))
    for rack in plan.racks:
        _check_frame(checks, instance, plan, rack)
    _check_panels(checks, instance, plan, pods)
    _check_units(checks, instance, design, plan)
    _check_price_classes(checks, instance, plan, pods)


def _pods(design: Design, site: str) -> Iterator[tuple[str, PodChoice]]:
    """Every single pod of a site, numbered by cluster over all sites."""
    seen: Counter[str] = Counter()
    for pod in design.pods:
        for _ in range(pod.count):
            seen[pod.cluster] += 1
            if pod.site == site:
                yield f"{pod.cluster}-{seen[pod.cluster]}", pod


def _check_frame(checks: Checks, instance: Instance, plan: SitePlan, rack: PlacedRack) -> None:
    """Height under the ceiling, mass on a foot, and every device short enough for the frame with its cables."""
    where, place = f"layout.{rack.id}", instance.sites[plan.site]
    frame = instance.catalogue.of(Rack).get(rack.frame)
    if frame is None:
        return
    high, clear = high_of(instance, frame), place.clear_height
    checks.rule(f"{where}.height", clear is None or high <= clear + CLOSE, high, clear, "m under the ceiling")
    foot = instance.catalogue.get(Floor, place.floor).concentrated
    each = rack.weight_kg / FEET
    checks.rule(f"{where}.feet", foot is None or each <= foot * (1 + CLOSE), each, foot, "kg on a foot")
    rows: dict[str, Any] = {}
    for kind in (System, PowerComponent, Cooling, StorageNode):
        rows |= instance.catalogue.of(kind)
    room = inf if frame.depth is None else frame.depth - instance.assumptions.cable_depth.value
    for device in rack.devices:
        deep = getattr(rows.get(device.part or ""), "depth", None) if device.unit_from else None
        checks.rule(
            f"{where}.{device.id}.depth", deep is None or deep <= room + CLOSE, deep, room, "m beside its cables"
        )


def _check_panels(checks: Checks, instance: Instance, plan: SitePlan, pods: Mapping[str, PodChoice]) -> None:
    """With either feed lost, each line of the other panel of a row carries what its racks put on it."""
    share = position_share(instance, plan.site)
    if share == inf:
        return
    most = share * plan.hall.per_row
    for feed in (0, 1):
        lines: dict[tuple[int, str], float] = {}
        for rack in plan.racks:
            told = pods.get(rack.pod)
            drawn = rack.power_w
            if rack.kind == "compute" and told is not None:
                drawn = float(told.rack.get("one_feed_w") or rack.power_w)
            for line, part in _parts(rack.phases[feed]).items():
                lines[rack.row, line] = lines.get((rack.row, line), 0.0) + drawn * part
        for (row, line), load in sorted(lines.items()):
            name = f"layout.{plan.site}.row {row}.{'AB'[feed]}.{line}"
            checks.rule(
                name, load <= most * (1 + CLOSE), load, most, "W on a line of the panel with the other feed lost"
            )


def _parts(feed: PhaseLoad) -> dict[str, float]:
    """Share of a feed on each of its lines."""
    whole = feed.l1 + feed.l2 + feed.l3
    return {
        line: load / whole if whole else 1 / 3 for line, load in (("L1", feed.l1), ("L2", feed.l2), ("L3", feed.l3))
    }


def _check_units(checks: Checks, instance: Instance, design: Design, plan: SitePlan) -> None:
    """Every coolant distribution unit bought stands on the floor, on its own ground and, within a row, on the positions its option states."""
    bought: Counter[str] = Counter()
    stated: dict[str, int] = {}
    for choice in design.plant:
        part = instance.catalogue.of(Cooling).get(choice.part)
        if choice.site != plan.site or choice.chain != Chain.LIQUID.value or part is None:
            continue
        if part.kind.value in UNITS_ON_FLOOR and part.footprint:
            bought[part.id] += choice.units
            option = instance.sites[plan.site].options(Chain.LIQUID)[choice.option]
            stated[part.id] = max((use.positions for use in option.equipment if use.part == part.id), default=0)
    placed = Counter(unit.part for unit in plan.equipment)
    checks.same(f"layout.{plan.site}.units", sorted(placed.items()), sorted(bought.items()), "units on the floor")
    for unit in plan.equipment:
        ground = getattr(instance.catalogue.of(Cooling).get(unit.part), "footprint", None) or 0.0
        covers = unit.width * unit.depth >= ground * (1 - CLOSE)
        checks.rule(f"layout.{unit.id}.ground", covers, unit.width * unit.depth, ground, "m2 of ground")
        asked = stated.get(unit.part, 0)
        checks.rule(
            f"layout.{unit.id}.positions",
            unit.slots == 0 or unit.slots >= asked,
            unit.slots,
            asked,
            "positions of its option",
        )


def _check_price_classes(checks: Checks, instance: Instance, plan: SitePlan, pods: Mapping[str, PodChoice]) -> None:
    """Cables of a level are of the medium, for the length and within the class of length that the design is priced for."""
    expected: dict[tuple[str, str], tuple[str, float, float]] = {}
    for name, pod in pods.items():
        for network, fabric in (("", pod.fabric), *pod.networks.items()):
            for level in PRICED_LEVELS:
                medium = fabric.get(f"medium_{level}")
                if not medium:
                    continue
                length = float(fabric[f"length_{level}"])
                reach = min(instance.catalogue.get(Link, part).reach or 0.0 for part in medium.split(" - "))
                ends = sorted(end for end in LENGTH_BANDS if end >= length)
                band = max(length, ends[0] if ends else reach)
                expected[name, f"{network} {level}".strip()] = (medium, length, band)
    for cable in plan.cables:
        told = expected.get((cable.id.split("/")[0], cable.level))
        checks.same(f"layout.{cable.id}.price", (cable.medium, cable.priced, cable.band), told)
