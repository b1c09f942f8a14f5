"""How far each candidate goes beyond a filter: its date, its heat to the room, its load on the floor, its size, its quality."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from models.candidates.placement import Candidates, Placements
from models.candidates.rack_design import RackDesign
from models.candidates.rack_mass import frame_height
from models.formulation.core import block_name
from models.formulation.linear import Linear
from models.instance import Instance
from models.parts.rack import Floor, Rack
from models.parts.system import System
from models.site import Site
from models.workload import SizeRange, Training
from optimizer.explain.lifted import Program, column_of_placements

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

    def measure(self, candidates: Candidates) -> Linear:
        """The extent of every placement; where the filter does not apply, less than of any to which it does."""
        found = {block_name(p): self._of(p) for p in candidates.placements if self._applies(p) and len(p)}
        known = np.concatenate([v[np.isfinite(v)] for v in found.values()] or [np.zeros(0)])
        least = float(known.min(initial=0.0)) - 1.0
        return Linear(
            {
                block_name(p): np.where(np.isfinite(v := found.get(block_name(p), np.full(len(p), -np.inf))), v, least)
                for p in candidates.placements
            }
        )

    def _applies(self, placements: Placements) -> bool:
        return self.cluster in (None, placements.cluster) and self.site in (None, placements.site)

    def columns(self, program: Program) -> Floats:
        """The extent of every column of a program; minus infinity where the filter does not apply."""
        assert program.formulation is not None and program.model is not None
        values = np.full(program.model.n_columns, -np.inf)
        columns = column_of_placements(program)
        for placements in program.formulation.candidates.placements:
            if not self._applies(placements):
                continue
            name = block_name(placements)
            mine = self._of(placements)[program.formulation.positions[name]]
            used = columns[name] >= 0
            values[columns[name][used]] = mine[used]
        return values


def measure_of(instance: Instance, name: str, candidates: Candidates) -> Linear | None:
    """How far each candidate goes beyond a filter, as a measure of which less is better; None for a filter that measures nothing."""
    extents = extents_of(instance, name)
    return None if extents is None else extents.measure(candidates)


def extents_of(instance: Instance, name: str) -> Extents | None:
    """What a group measures on candidates, None where it is no matter of more or less."""
    steps = name.split(".")
    last = steps[-1]
    if name == "catalogue.racks.static_load_kg":
        return Extents(1.0, True, False, _by_rack(_carried(instance)))
    if steps[0] == "sites" and last in _STATED_BY and not _known(instance, _STATED_BY[last]):
        return None
    if steps[0] == "sites" and last in _OF_RACKS:
        now, of = _OF_RACKS[last](instance, instance.sites[steps[1]])
        return Extents(now, False, last == "supply_air", _by_rack(of), site=steps[1])
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
    if name == "limits.goodput" and instance.limits.goodput is not None and not together:
        return Extents(-instance.limits.goodput.value, False, True, lambda p: -p.of_pods(p.pods.goodput))
    if steps[0] == "workloads" and last in ("injection_at_least", "bisection_at_least"):
        stated = getattr(instance.workloads[steps[1]], last)
        name = last.partition("_")[0]
        return Extents(-stated.value, False, True, lambda p: -p.of_pods(getattr(p.pods, name)), cluster=steps[1])
    return None


Reach = tuple[float, Callable[[RackDesign], float]]
"""How far a filter of a site reaches, and what a rack asks of it."""

_OF_RACKS: dict[str, Callable[[Instance, Site], Reach]] = {
    "clear_height": lambda i, place: (place.clear_height or 0.0, lambda r: frame_height(i, r.frame)),
    "row_pitch": lambda _, place: (place.rows.row_pitch, lambda r: r.frame.depth or 0.0),
    "airflow_per_rack": lambda _, place: (
        place.airflow_per_rack or 0.0,
        lambda r: r.systems * (r.system.airflow or 0.0),
    ),
    "supply_air": lambda _, place: (
        -(place.supply_air or 0.0),
        lambda r: float("-inf") if r.system.inlet_maximum is None else -r.system.inlet_maximum,
    ),
}


_STATED_BY = {"airflow_per_rack": "airflow", "supply_air": "inlet_maximum"}


def _known(instance: Instance, name: str) -> bool:
    """Whether any system of the catalogue states a figure."""
    return any(getattr(system, name) is not None for system in instance.catalogue.of(System).values())


def _carried(instance: Instance) -> Callable[[RackDesign], float]:
    """What a frame has to carry as a share of what its sheet says it can."""
    frames = instance.catalogue.of(Rack)

    def share(rack: RackDesign) -> float:
        frame = frames[rack.frame.id]
        return (rack.weight - (frame.empty_weight or 0.0)) / frame.static_load if frame.static_load else float("-inf")

    return share


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
