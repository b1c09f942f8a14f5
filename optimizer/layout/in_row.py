"""Coolant distribution units on the floor: in the rows, among the racks they serve; at the ends of rows where no position is left.

Places for them are kept free before racks are placed: as many racks between two of them as one unit has to serve, along the rows. Of
those places the ones nearest to racks with cold plates are taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.candidates.rows_of_racks import unit_ground
from models.instance import Instance
from models.parts.cooling import Cooling, CoolingKind
from models.site import Chain
from optimizer.design import Design
from optimizer.layout.hall import Hall, bays_of
from optimizer.layout.plan import FloorUnit, PlacedRack

APART = 0.1
FIRST_GAP = 0.6


@dataclass(frozen=True, slots=True)
class Unit:
    """A distribution unit before it stands anywhere: its id, part, ground [m], and the positions in a row that its site states, or 0."""

    id: str
    part: str
    width: float
    depth: float
    positions: int = 0


def units_of(instance: Instance, design: Design, site: str) -> list[Unit]:
    """The distribution units of a site that stand on the floor."""
    found: list[Unit] = []
    for choice in design.plant:
        part = instance.catalogue.of(Cooling).get(choice.part)
        if choice.site != site or choice.chain != Chain.LIQUID.value or part is None or not part.footprint:
            continue
        if part.kind in (CoolingKind.CDU, CoolingKind.CDU_TO_AIR):
            width, depth = unit_ground(part)
            option = instance.sites[site].options(Chain.LIQUID)[choice.option]
            stated = max((use.positions for use in option.equipment if use.part == part.id), default=0)
            for _ in range(choice.units):
                name = f"{site}/{part.id}-{len(found) + 1:03d}"
                found.append(Unit(name, part.id, width, depth, stated))
    return found


def slots_of(hall: Hall, units: Sequence[Unit]) -> int:
    """Positions that the widest of ``units`` takes in a row."""
    return max((max(hall.slots_of(unit.width), unit.positions) for unit in units), default=1)


def places_for(hall: Hall, units: Sequence[Unit], demand: int, bays: int, slots: int) -> list[int]:
    """First positions of places for ``units`` all over the hall, one for each share of the ``demand`` of racks in positions.

    None where the places would leave fewer than ``bays`` bays of ``slots`` positions.
    """
    wide = slots_of(hall, units)
    long = min(hall.per_row, hall.positions)
    if not units or wide >= long:
        return []
    share = demand / len(units) + wide
    found = []
    for number in range(int(hall.positions / share)):
        row, column = divmod(round((number + 0.5) * share - wide / 2), hall.per_row)
        position = row * hall.per_row + min(max(column, 0), long - wide)
        if position + wide <= hall.positions:
            found.append(position)
    return found if len(bays_of(hall, slots, left_free(hall, found, wide))) >= bays else []


def left_free(hall: Hall, places: Sequence[int], wide: int) -> npt.NDArray[np.bool_]:
    """Positions that are not kept for distribution units."""
    free = np.ones(hall.positions, dtype=np.bool_)
    for position in places:
        free[position : position + wide] = False
    return free


def stand(
    hall: Hall, units: Sequence[Unit], places: Sequence[int], served: Sequence[PlacedRack], racks: Sequence[PlacedRack]
) -> Iterator[FloorUnit]:
    """Every unit at one of ``places`` near the racks ``served``, each place once; what is left over at the ends of the rows in use."""
    wide = slots_of(hall, units)
    nearest = sorted(places, key=lambda place: (_way(hall, place, wide, served, len(units)), place))[: len(units)]
    for unit, place in zip(units, sorted(nearest), strict=False):
        x, y = hall.middle(place, wide)
        row, column = divmod(place, hall.per_row)
        yield FloorUnit(unit.id, unit.part, row + 1, x, y, unit.width, unit.depth, column + 1, wide)
    yield from _at_ends(hall, units[len(nearest) :], racks)


def _way(hall: Hall, place: int, wide: int, served: Sequence[PlacedRack], units: int) -> float:
    """Mean way [m] to as many racks as a unit serves."""
    x, y = hall.middle(place, wide)
    ways = sorted(abs(rack.x - x) + abs(rack.y - y) for rack in served)[: max(1, -(-len(served) // max(units, 1)))]
    return round(sum(ways) / len(ways), 6) if ways else 0.0


def _at_ends(hall: Hall, units: Sequence[Unit], racks: Sequence[PlacedRack]) -> Iterator[FloorUnit]:
    """In turn: left ends of the rows, right ends of the rows."""
    rows = sorted({rack.row for rack in racks})
    ends = [(row, side) for side in (0, 1) for row in rows]
    used: dict[tuple[int, int], float] = {}
    for number, unit in enumerate(units):
        row, side = ends[number % len(ends)]
        start = used.get((row, side), FIRST_GAP)
        used[row, side] = start + unit.width + APART
        left, right = -start - unit.width / 2, hall.per_row * hall.pitch + start + unit.width / 2
        y = (row - 1) * hall.row_pitch
        yield FloorUnit(unit.id, unit.part, row, left if side == 0 else right, y, unit.width, unit.depth)
