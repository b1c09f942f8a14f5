"""How far each candidate goes beyond a filter: its date, its heat to the room, its load on the floor, its size, its quality."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from models.candidates.placement import Placements
from models.candidates.rack_design import RackDesign
from models.formulation.core import block_name
from models.instance import Instance
from models.parts.rack import Floor
from models.workload import SizeRange, Training
from optimizer.explain.asking import Program, column_of_placements
from optimizer.explain.groups import Group

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Extents:
    """What a filter measures, larger being further out; ``now`` is how far it reaches today.

    ``by_design``: the new value is read from the design that is found. ``floor``: the negative of a quality with a floor.
    """

    now: float
    by_design: bool
    floor: bool
    _of: Callable[[Placements], Floats] = field(repr=False)
    cluster: str | None = None
    site: str | None = None

    def columns(self, program: Program) -> Floats:
        """The extent of every column of a program; minus infinity where the filter does not apply."""
        assert program.formulation is not None and program.model is not None
        values = np.full(program.model.n_columns, -np.inf)
        columns = column_of_placements(program)
        for placements in program.formulation.candidates.placements:
            if self.cluster not in (None, placements.cluster) or self.site not in (None, placements.site):
                continue
            name = block_name(placements)
            mine = self._of(placements)[program.formulation.positions[name]]
            used = columns[name] >= 0
            values[columns[name][used]] = mine[used]
        return values


def extents_of(instance: Instance, group: Group) -> Extents | None:
    """What a group measures on candidates, None where it is no matter of more or less."""
    steps = group.name.split(".")
    last = steps[-1]
    if steps[0] == "sites" and last in ("needed_by", "air_per_rack", "floor"):
        place = instance.sites[steps[1]]
        if last == "needed_by":
            return Extents(float(place.needed_by.index), False, False, _by_rack(_date), site=steps[1])
        if last == "air_per_rack":
            return Extents(float(place.air_per_rack.value), False, False, _by_rack(lambda r: r.air_heat), site=steps[1])  # type: ignore[arg-type]
        carries = instance.catalogue.get(Floor, place.floor).uniform or 0.0
        return Extents(carries, False, False, _by_rack(lambda r: r.floor_load), site=steps[1])
    if steps[0] == "workloads" and last == "sizes":
        sizes = instance.workloads[steps[1]].design_space.sizes
        return Extents(1.0, True, False, _outside(sizes), cluster=steps[1])
    together = any(not w.one_pod for w in instance.workloads.values() if isinstance(w, Training))
    if group.name == "limits.goodput" and instance.limits.goodput is not None and not together:
        return Extents(-instance.limits.goodput.value, False, True, lambda p: -p.of_pods(p.pods.goodput))
    if steps[0] == "workloads" and last in ("injection_at_least", "bisection_at_least"):
        stated = getattr(instance.workloads[steps[1]], last)
        name = last.partition("_")[0]
        return Extents(-stated.value, False, True, lambda p: -p.of_pods(getattr(p.pods, name)), cluster=steps[1])
    return None


def _date(rack: RackDesign) -> float:
    return float("-inf") if rack.system.available is None else float(rack.system.available.index)


def _by_rack(value: Callable[[RackDesign], float]) -> Callable[[Placements], Floats]:
    def spread(placements: Placements) -> Floats:
        return placements.of_pods(np.array([value(r) for r in placements.pods.racks])[placements.pods.rack])

    return spread


def _outside(sizes: SizeRange) -> Callable[[Placements], Floats]:
    """How many times larger than the largest size, or smaller than the smallest; 1 within the range."""

    def spread(placements: Placements) -> Floats:
        counts = placements.of_pods(placements.pods.accelerators)
        each = placements.of_pods(placements.pods.accelerators / placements.pods.systems)
        # a size is answered with whole systems, so that the largest may be overshot by less than one
        return np.maximum(np.maximum((counts - each + 1) / sizes.largest, sizes.smallest / counts), 1.0)

    return spread
