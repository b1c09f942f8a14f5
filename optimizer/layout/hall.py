"""The hall as a grid: rows of positions, front facing front over cold aisles, cable trays over every row and across all of them.

Positions are numbered along the first row, then along the second. Rows 1 and 2 share a cold aisle, 2 and 3 a hot one, and so on. Trays
run over every row and across the rows at every position, so a run is the way along the axes (its Manhattan distance).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.candidates.rows_of_racks import positions_of

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Hall:
    """``positions`` of ``pitch`` [m] in rows of ``per_row``, rows ``row_pitch`` [m] apart; trays ``tray`` [m] above the lowest port."""

    positions: int
    per_row: int
    pitch: float
    row_pitch: float
    tray: float

    @property
    def rows(self) -> int:
        """Rows, the last of which may be short."""
        return -(-self.positions // self.per_row)

    def slots_of(self, width: float) -> int:
        """Positions that a frame of ``width`` [m] takes."""
        return positions_of(width, self.pitch)

    def facing(self, row: int) -> str:
        """Where the fronts of a row (from 0) look: rows 0 and 1 at each other."""
        return "+y" if row % 2 == 0 else "-y"

    def middle(self, position: int, slots: int = 1) -> tuple[float, float]:
        """Middle on the floor [m] of what begins at ``position`` (from 0) and takes ``slots``."""
        row, column = divmod(position, self.per_row)
        return (column + slots / 2) * self.pitch, row * self.row_pitch


@dataclass(frozen=True)
class Bays:
    """Equal places for what is arranged: ``first`` position of each bay, its middle ``x``, ``y`` [m]; ``slots`` positions wide."""

    slots: int
    first: Ints
    x: Floats
    y: Floats

    def __len__(self) -> int:
        return len(self.first)

    def distances(self) -> Floats:
        """Manhattan distance [m] between the middles of any two bays."""
        return np.asarray(np.abs(self.x[:, None] - self.x) + np.abs(self.y[:, None] - self.y))

    def take(self, chosen: Ints) -> Bays:
        """Some of the bays."""
        return Bays(self.slots, self.first[chosen], self.x[chosen], self.y[chosen])


def bays_of(hall: Hall, slots: int, free: npt.NDArray[np.bool_] | None = None) -> Bays:
    """Every bay of ``slots`` free positions next to each other in a row."""
    firsts: list[int] = []
    for row in range(hall.rows):
        start, end = row * hall.per_row, min((row + 1) * hall.per_row, hall.positions)
        position = start
        while position + slots <= end:
            if free is None or free[position : position + slots].all():
                firsts.append(position)
                position += slots
            else:
                position += 1
    first = np.array(firsts, dtype=np.int64)
    row_of, column = np.divmod(first, hall.per_row) if len(first) else (first, first)
    x = np.asarray((column + slots / 2) * hall.pitch, dtype=np.float64)
    return Bays(slots, first, x, np.asarray(row_of * hall.row_pitch, dtype=np.float64))


def slot_distances(hall: Hall) -> Floats:
    """Manhattan distance [m] between the middles of any two positions."""
    return bays_of(hall, 1).distances()
