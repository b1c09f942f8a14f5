"""Which architecture is best where, over two fields: the best design at every cell of a grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from models.candidates.placement import Candidates
from models.instance import Instance
from optimizer.sensitivity.field_program import FieldProgram, architecture
from optimizer.sensitivity.instance_field import InstanceField, find_field
from optimizer.sensitivity.program import Effort
from optimizer.sensitivity.switch_points import span

if TYPE_CHECKING:
    import pandas as pd

STEPS = 7


@dataclass(frozen=True, slots=True)
class Cell:
    """The best design at one pair of values (``design_id`` empty: nothing is legal); ``objective`` as the measure is minimised."""

    x: float
    y: float
    design_id: str
    architecture: str
    cost: float | None
    proven: bool


@dataclass(frozen=True)
class RegimeMap:
    """Cells of a grid, row by row of ``y``; ``architectures`` in order of first appearance."""

    x: InstanceField
    y: InstanceField
    objective: str
    cells: tuple[Cell, ...]
    proven: bool
    solves: int
    seconds: float

    @property
    def architectures(self) -> tuple[str, ...]:
        """Every architecture that is best somewhere."""
        return tuple(dict.fromkeys(cell.architecture for cell in self.cells if cell.design_id))

    def to_frame(self) -> pd.DataFrame:
        """One row per cell."""
        import pandas as pd

        rows = [(c.x, c.y, c.design_id, c.architecture, c.cost, c.proven) for c in self.cells]
        return pd.DataFrame(rows, columns=[self.x.name, self.y.name, "design_id", "architecture", "cost", "proven"])


def regime_map(
    instance: Instance,
    x: str,
    y: str,
    *,
    x_range: tuple[float | None, float | None] = (None, None),
    y_range: tuple[float | None, float | None] = (None, None),
    objective: str = "tco",
    steps: int = STEPS,
    time_limit: float | None = None,
    backend: str = "auto",
    candidates: Candidates | None = None,
    effort: Effort | None = None,
) -> RegimeMap:
    """The best design at ``steps`` x ``steps`` pairs of values of two fields; ranges as for ``switch_points``. ``effort`` goes before time and backend."""
    fields = [find_field(instance, x), find_field(instance, y)]
    ranges = [span(field, *given) for field, given in zip(fields, (x_range, y_range), strict=True)]
    effort = effort or Effort(time_limit, backend)
    program = FieldProgram(instance, fields, ranges, objective, candidates)
    axes = [np.linspace(low, high, steps) for low, high in ranges]
    axes = [np.unique(np.rint(a)) if f.whole else a for a, f in zip(axes, fields, strict=True)]
    places = [(x, y) for y in axes[1].tolist() for x in axes[0].tolist()]
    cells = list(effort.each(_cell, program, places))
    return RegimeMap(
        fields[0],
        fields[1],
        objective,
        tuple(cells),
        all(c.proven for c in cells),
        effort.solves,
        round(effort.spent, 3),
    )


def _cell(program: FieldProgram, place: tuple[float, float], effort: Effort) -> Cell:
    if effort.over:
        return Cell(*place, "", "", None, False)
    answer = program.least(place, effort)
    made = answer.design if answer.found else None
    name = made.design_id if made is not None else ""
    kind = architecture(made) if made is not None else ""
    return Cell(*place, name, kind, answer.value, answer.exact)
