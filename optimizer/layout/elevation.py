"""Positions inside a rack, by CP-SAT: no overlap, heavy low, light devices where their cables are shortest.

What one person may not lift (ISO 11228-1: 25 kg) is stacked from the bottom, heaviest first, without an empty unit below any of it; lighter
devices stand above, or between where a cable inside the rack would be too long. Below the top reserve they are free: power shelves as low as they can be, switches where the sum over their cables of the way to the tray, and to the devices of their
own rack, is least. Devices alike keep their order, so that no two positions of a rack are the same plan twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from optimizer.layout.contents import Content, RackContent, UndecidedLayoutError, UnplaceableError, placed_trays
from optimizer.layout.plan import Device, DeviceKind

ONE_PERSON_KG = 25.0
CABLE = 256  # half a unit of one cable outweighs every position of what has none

EFFORT = 0.3  # deterministic time


@dataclass(frozen=True)
class Pull:
    """Cables of one rack: how many leave it per device, and how many join two of its devices; keys are positions in ``contents``."""

    leaving: Mapping[int, int]
    inside: Mapping[tuple[int, int], int]


@dataclass(frozen=True)
class Elevation:
    """First unit of each content (0 for what takes none); ``slack`` [units of cable] the best may be shorter, 0 where proven."""

    starts: tuple[int, ...]
    slack: float


def elevation(rack: RackContent, pull: Pull, longest_inside_units: float | None = None) -> Elevation:
    """Where each content of ``rack`` stands; UnplaceableError where they do not fit.

    ``longest_inside_units`` bounds the height between the middles of two devices that are joined inside the rack.
    """
    items = rack.contents
    if rack.used > rack.units:
        raise UnplaceableError(f"{rack.id}: {rack.used} units in a frame of {rack.units}")
    starts = [0] * len(items)
    unit = 1
    mixed = longest_inside_units is not None and longest_inside_units < rack.units
    if mixed and len(heavy_of(rack)) < sum(1 for item in items if item.units):
        return _solve(rack, starts, [i for i, item in enumerate(items) if item.units], 1, pull, longest_inside_units)
    heavy = heavy_of(rack)
    for i in heavy:
        starts[i], unit = unit, unit + items[i].units
    free = [i for i, item in enumerate(items) if item.units and i not in set(heavy)]
    if not free:
        _check_inside(rack, starts, pull, longest_inside_units)
        return Elevation(tuple(starts), 0.0)
    return _solve(rack, starts, free, unit, pull, longest_inside_units)


def heavy_of(rack: RackContent) -> list[int]:
    """Contents that one person may not lift, heaviest first."""
    heavy = [i for i, item in enumerate(rack.contents) if item.units and (item.weight or 0.0) > ONE_PERSON_KG]
    return sorted(heavy, key=lambda i: (-(rack.contents[i].weight or 0.0), i))


def _middle(items: list[Content], starts: list[int], i: int) -> float:
    return starts[i] - 1 + items[i].units / 2


def _check_inside(rack: RackContent, starts: list[int], pull: Pull, longest: float | None) -> None:
    for a, b in pull.inside:
        if longest is not None and abs(_middle(rack.contents, starts, a) - _middle(rack.contents, starts, b)) > longest:
            raise UnplaceableError(f"{rack.id}: a cable inside the rack is longer than its medium reaches")


def _solve(
    rack: RackContent, starts: list[int], free: list[int], first: int, pull: Pull, longest: float | None
) -> Elevation:
    from ortools.sat.python import cp_model

    items, top = rack.contents, rack.units - rack.reserved
    model = cp_model.CpModel()
    begin: dict[int, Any] = {i: model.new_int_var(first, top - items[i].units + 1, "") for i in free}
    model.add_no_overlap([model.new_fixed_size_interval_var(begin[i], items[i].units, "") for i in free])
    twice = {
        i: 2 * begin[i] + items[i].units - 2 if i in begin else round(2 * _middle(items, starts, i))
        for i in range(len(items))
    }
    _keep_order(model, items, free, begin, pull)
    _heavy_low(model, rack, begin)
    cost = []
    for i in free:
        leaving = pull.leaving.get(i, 0)
        # what has no cable sinks, as far as that costs no cable
        cost.append(-CABLE * leaving * twice[i] if leaving else begin[i])
    for (a, b), count in pull.inside.items():
        if a not in begin and b not in begin:
            continue
        apart = model.new_int_var(0, 2 * rack.units, "")
        model.add_abs_equality(apart, twice[a] - twice[b])
        if longest is not None and longest < rack.units:
            model.add(apart <= int(2 * longest))
        cost.append(CABLE * count * apart)
    model.minimize(sum(cost))
    stacked = _stacked(items, starts, free, top)
    for i in free:
        model.add_hint(begin[i], stacked[i])
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 0
    solver.parameters.max_deterministic_time = EFFORT
    status = solver.solve(model)
    if status == cp_model.INFEASIBLE:
        raise UnplaceableError(f"{rack.id}: no position of its devices keeps the cables inside it within reach")
    if status in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        found = [solver.value(begin[i]) if i in begin else start for i, start in enumerate(starts)]
    else:
        found = stacked
        if any(i in begin for i in heavy_of(rack)):
            raise UndecidedLayoutError(f"{rack.id}: no elevation found within the time")
        try:
            _check_inside(rack, found, pull, longest)
        except UnplaceableError as error:
            raise UndecidedLayoutError(str(error)) from None
    slack = _cost(items, found, free, pull) - solver.best_objective_bound
    return Elevation(tuple(found), max(slack, 0.0) / (2 * CABLE))


def _stacked(items: list[Content], starts: list[int], free: list[int], top: int) -> list[int]:
    """The free devices in their order right below the top reserve."""
    found = list(starts)
    unit = top - sum(items[i].units for i in free) + 1
    for i in free:
        found[i], unit = unit, unit + items[i].units
    return found


def _cost(items: list[Content], starts: list[int], free: Sequence[int], pull: Pull) -> float:
    """What the solver minimises, of given positions."""
    total = 0.0
    for i in free:
        leaving = pull.leaving.get(i, 0)
        if items[i].units:
            total += -2 * CABLE * leaving * _middle(items, starts, i) if leaving else starts[i]
    for (a, b), count in pull.inside.items():
        if a in free or b in free:
            total += 2 * CABLE * count * abs(_middle(items, starts, a) - _middle(items, starts, b))
    return total


def _heavy_low(model: Any, rack: RackContent, begin: Mapping[int, Any]) -> None:
    """Where heavy devices are free: heaviest lowest, and no empty unit below the highest of them."""
    items, heavy = rack.contents, [i for i in heavy_of(rack) if i in begin]
    for lower, upper in pairwise(heavy):
        model.add(begin[lower] + items[lower].units <= begin[upper])
    if heavy:
        last, below = heavy[-1], []
        for i in begin:
            if i in heavy:
                continue
            under = model.new_bool_var("")
            model.add(begin[i] < begin[last]).only_enforce_if(under)
            model.add(begin[i] > begin[last]).only_enforce_if(~under)
            below.append(items[i].units * under)
        model.add(begin[last] - 1 + items[last].units == sum(items[i].units for i in heavy) + sum(below))


def _keep_order(model: Any, items: list[Content], free: list[int], begin: Mapping[int, Any], pull: Pull) -> None:
    """Devices that are alike in every respect stand in the order of their ids."""
    inside: dict[int, list[tuple[int, int]]] = {}
    for (a, b), count in pull.inside.items():
        inside.setdefault(a, []).append((b, count))
        inside.setdefault(b, []).append((a, count))
    last: dict[Any, int] = {}
    for i in free:
        joined = tuple(sorted(inside.get(i, [])))
        key = (items[i].part, items[i].units, items[i].kind, pull.leaving.get(i, 0), joined)
        if key in last:
            model.add(begin[last[key]] + items[last[key]].units <= begin[i])
        last[key] = i


def devices_of(rack: RackContent, starts: tuple[int, ...]) -> tuple[Device, ...]:
    """Devices at their units, then the reserve at the top, then a blank panel over every gap."""
    found = []
    taken: set[int] = set()
    for item, start in zip(rack.contents, starts, strict=True):
        end = start + item.units - 1 if start else 0
        taken.update(range(start, end + 1) if start else ())
        trays = placed_trays(item.id, item.trays, start)
        found.append(
            Device(
                item.id,
                item.part,
                item.kind,
                item.role,
                start,
                end,
                item.weight,
                item.power,
                item.mount,
                item.feed,
                trays,
            )
        )
    if rack.reserved:
        low = rack.units - rack.reserved + 1
        name = f"{rack.id}/reserved"
        found.append(Device(name, None, DeviceKind.RESERVED, "management and cables", low, rack.units, None, 0.0))
        taken.update(range(low, rack.units + 1))
    unit = 1
    while unit <= rack.units:
        if unit in taken:
            unit += 1
            continue
        end = unit
        while end < rack.units and end + 1 not in taken:
            end += 1
        found.append(Device(f"{rack.id}/blank-{unit:02d}", None, DeviceKind.BLANK, "blank", unit, end, None, 0.0))
        unit = end + 1
    return tuple(found)
