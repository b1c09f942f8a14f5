"""Lays out a design: every device at a position, every rack in the hall, every cable with its way; or says which rule forbids it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from models.candidates.rows_of_racks import positions_of
from models.instance import Instance
from models.units import Unlimited
from optimizer.design import Design, PodChoice
from optimizer.layout.contents import PodContent, UndecidedLayoutError, UnplaceableError, pod_content
from optimizer.layout.hall import Hall, bays_of
from optimizer.layout.in_row import Unit, left_free, places_for, slots_of, stand, units_of
from optimizer.layout.phases import phase_loads
from optimizer.layout.plan import CableRun, Layout, PlacedRack, SitePlan
from optimizer.layout.pods import Built, Effort, Types, build, items_of, place, region, too_few_places
from optimizer.layout.reach import prove_reachable
from optimizer.layout.routes import Port, Spot, ports_of, run_of, vertical

ROOM_FOR_UNLIMITED = 2


@dataclass(frozen=True)
class _Placed:
    """A pod at its positions."""

    built: Built
    positions: list[int]
    racks: tuple[PlacedRack, ...]
    cables: tuple[CableRun, ...]
    bound: float


def effort_of(seconds: float) -> Effort:
    """Effort that ends within about so many seconds on one core: construction takes a few of them, windows the rest."""
    return Effort(windows=min(int(seconds / 5), 40))


def lay_out(instance: Instance, design: Design, effort: Effort | None = None) -> Layout:
    """The layout of ``design``, one plan per site.

    Raises UnplaceableError where a rule proves that there is none, UndecidedLayoutError where none was found. Deterministic: effort is counted in
    solver steps, not in time.
    """
    started = time.perf_counter()
    sites = tuple(_site_plan(instance, design, site, effort or Effort()) for site in _sites(design))
    return Layout(design.design_id, instance.name, sites, time.perf_counter() - started)


def _sites(design: Design) -> list[str]:
    return list(dict.fromkeys(pod.site for pod in design.pods))


def pods_at(design: Design, site: str) -> Iterator[tuple[str, PodChoice]]:
    """Every single pod at a site under its name: cluster and number."""
    numbers: dict[str, int] = {}
    for pod in design.pods:
        for _ in range(pod.count):
            numbers[pod.cluster] = numbers.get(pod.cluster, 0) + 1
            if pod.site == site:
                yield f"{pod.cluster}-{numbers[pod.cluster]}", pod


def hall_for(instance: Instance, site: str, contents: Sequence[PodContent]) -> Hall:
    """The hall of a site; one without a limit on positions is twice as large as the pods need. Trays run above the tallest rack."""
    tallest = max(rack.units * (rack.frame.unit_pitch or 0.0) for content in contents for rack in content.racks)
    pitch = instance.sites[site].rows.rack_pitch
    wanted = [rack for content in contents for rack in content.racks]
    racks = sum(rack.slots or positions_of(rack.frame.width or pitch, pitch) for rack in wanted)
    place_, rows = instance.sites[site], instance.sites[site].rows
    positions = place_.rack_positions.value
    if isinstance(positions, Unlimited):
        positions = max(ROOM_FOR_UNLIMITED * racks, 1)
        positions = -(-positions // rows.racks_per_row) * rows.racks_per_row
    return Hall(positions, rows.racks_per_row, rows.rack_pitch, rows.row_pitch, max(rows.tray_height, tallest))


def _site_plan(instance: Instance, design: Design, site: str, effort: Effort) -> SitePlan:
    """The plan with distribution units in the rows; where cables are too long or positions too few then, with them at row ends."""
    contents = [pod_content(instance, pod, name) for name, pod in pods_at(design, site)]
    hall = hall_for(instance, site, contents)
    units = units_of(instance, design, site)
    widths = [hall.slots_of(rack.frame.width or hall.pitch) for content in contents for rack in content.racks]
    places = places_for(hall, units, sum(widths), len(widths), max(widths))
    if places:
        try:
            return _on_floor(hall, site, contents, units, places, effort)
        except UndecidedLayoutError:
            pass
    return _on_floor(hall, site, contents, units, [], effort)


def _on_floor(
    hall: Hall, site: str, contents: Sequence[PodContent], units: Sequence[Unit], places: Sequence[int], effort: Effort
) -> SitePlan:
    """Pods one after the other on the positions that ``places`` leave free, then the distribution units."""
    types = Types()
    free = left_free(hall, places, slots_of(hall, units))
    placed: list[_Placed] = []
    for content in contents:
        built = build(content, hall, types)
        one = _place_pod(hall, built, free, effort, alone=len(contents) == 1, known=placed)
        for position, slots in zip(one.positions, built.flows.slots, strict=True):
            free[position : position + slots] = False
        placed.append(one)
    racks = tuple(rack for one in placed for rack in one.racks)
    cables = tuple(cable for one in placed for cable in one.cables)
    liquid = {content.name for content in contents if content.pod.cooling == "liquid"}
    served = [rack for rack in racks if rack.pod in liquid and rack.kind == "compute"]
    return SitePlan(
        site=site,
        hall=hall,
        racks=racks,
        cables=cables,
        equipment=tuple(stand(hall, units, places, served, racks)),
        total_length=sum(cable.length for cable in cables),
        bound=sum(one.bound for one in placed),
    )


def prove_pod(hall: Hall, content: PodContent) -> None:
    """UnplaceableError where a rule forbids the pod even with the hall to itself."""
    built = build(content, hall, Types())
    prove_reachable(hall, built)
    items = items_of(built)
    bays = len(bays_of(hall, items.slots))
    if bays < len(items.members):
        raise UnplaceableError(too_few_places(content.name, len(items.members), items.slots, bays))


def _place_pod(
    hall: Hall, built: Built, free: npt.NDArray[np.bool_], effort: Effort, alone: bool, known: list[_Placed]
) -> _Placed:
    """A pod on free positions; UndecidedLayoutError where a cable comes out longer than its level allows."""
    items = items_of(built)
    bays = region(hall, items.slots, free, len(items.members), alone)
    prove_reachable(hall, built)
    twin = _twin(hall, built, bays.first, known)
    if twin is not None:
        return replace(_at(hall, built, twin[0], 0.0), bound=twin[1])
    if len(bays) < len(items.members):
        words = too_few_places(built.content.name, len(items.members), items.slots, len(bays))
        raise UnplaceableError(words) if alone else UndecidedLayoutError(words)
    positions, way = place(built, hall, bays, effort)
    one = _at(hall, built, positions, way)
    worst = max(one.cables, key=lambda c: c.length - min(c.band, c.reach), default=None)
    if worst is not None and worst.length > min(worst.band, worst.reach) + 1e-6:
        limit = min(worst.band, worst.reach)
        raise UndecidedLayoutError(
            f"{worst.id} of {worst.medium} runs {worst.length:.1f} m where {limit:g} m are priced and reached"
        )
    return one


def _twin(
    hall: Hall, built: Built, firsts: npt.NDArray[np.int64], known: list[_Placed]
) -> tuple[list[int], float] | None:
    """Positions of an equal pod laid out before, moved here by whole pairs of rows, where the free bays are the same there."""
    step = 2 * hall.per_row
    for other in known:
        if other.built.content.pod is not built.content.pod:
            continue
        moved = int(firsts.min()) - min(other.positions) if len(firsts) else 0
        if moved % step:
            continue
        shifted = [position + moved for position in other.positions]
        if set(shifted) <= {int(f) + s for f in firsts for s in range(max(built.flows.slots))}:
            return shifted, other.bound
    return None


def _at(hall: Hall, built: Built, positions: list[int], way: float) -> _Placed:
    """Racks and cables of a pod whose racks stand at ``positions``."""
    content = built.content
    racks, spots = [], []
    ports: dict[str, dict[int, Port]] = {}
    for number, rack in enumerate(content.racks):
        row, column = divmod(positions[number], hall.per_row)
        x, y = hall.middle(positions[number], built.flows.slots[number])
        frame = rack.frame
        assert frame.width is not None and frame.depth is not None and frame.unit_pitch is not None
        spot = Spot(rack.id, x, y, frame.width, frame.unit_pitch, hall.tray)
        spots.append(spot)
        for device in built.devices[number]:
            if device.part is not None and device.unit_from:
                ports[device.id] = ports_of(device, spot)
        racks.append(
            PlacedRack(
                id=rack.id,
                pod=content.name,
                kind=rack.kind,
                type=built.types[number],
                frame=frame.id,
                rack_units=rack.units,
                unit_pitch=frame.unit_pitch,
                width=frame.width,
                depth=frame.depth,
                row=row + 1,
                position=column + 1,
                slots=built.flows.slots[number],
                x=x,
                y=y,
                facing=hall.facing(row),
                weight_kg=rack.weight,
                power_w=rack.power,
                devices=built.devices[number],
                phases=phase_loads(rack.contents, column % 3),
            )
        )
    cables = tuple(
        run_of(n + 1, content.name, wire, ports, content.rules[wire.level]) for n, wire in enumerate(content.wires)
    )
    upright = sum(vertical(ports[w.lower].get(w.tray, ports[w.lower][-1]), ports[w.upper][-1]) for w in content.wires)
    return _Placed(built, positions, tuple(racks), cables, max(way + upright - built.slack, 0.0))
