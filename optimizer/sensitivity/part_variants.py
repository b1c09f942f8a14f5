"""Candidates of an instance when one part changes: only what the part can be in is enumerated again.

Systems, accelerators and switches: the rest is enumerated once without the part and cut to what can be the cheapest beside it;
plant equipment: pods stay, the options of the sites are made again; anything else: everything is enumerated again.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

import numpy as np

from models.candidates.part_counts import units_of_parts
from models.candidates.placement import Candidates, Placements, enumerate_candidates
from models.errors import InfeasibleError
from models.formulation.build import Formulation
from models.instance import Instance
from models.parts.accelerator import Accelerator
from models.parts.cooling import Cooling
from models.parts.network_part import Switch
from models.parts.part import Part
from models.parts.power_component import PowerComponent
from models.parts.system import System
from optimizer.performance_cache import PerformanceCache
from optimizer.sensitivity.plant_variants import replanted
from optimizer.sensitivity.pool import compacted, lone, worthwhile
from optimizer.sensitivity.program import Program, assemble
from optimizer.sensitivity.repricing import joined, picked_by_price


class Variants:
    """Candidates with variants of one part. ``base``: the instance with the part as it is; ``found`` its candidates, where known;
    ``goals``: objectives that are minimised or held, so that nothing is cut that one of them needs.
    """

    def __init__(
        self, base: Instance, part: Part, found: Candidates | None = None, goals: Sequence[str] = ("tco",)
    ) -> None:
        self.base, self.part, self._goals = base, part, tuple(dict.fromkeys(goals))
        self._memo = PerformanceCache()
        self._found = found
        self._rest: Candidates | None = None

    @property
    def all(self) -> Candidates:
        """Candidates with the part as it is."""
        if self._found is None:
            self._found = enumerate_candidates(self.base, self._memo)
        return self._found

    def at(self, changed: Instance) -> Candidates:
        """Candidates of the base with something about the part changed."""
        if isinstance(self.part, System | Accelerator | Switch):
            return self._renewed(changed)
        if isinstance(self.part, PowerComponent | Cooling) and not picked_by_price(self.part):
            return replanted(changed, self.all)
        return enumerate_candidates(changed, self._memo)

    def having(self, changed: Instance) -> Candidates:
        """Candidates among which every design that has the part is: those that buy it alone, where there is one pod to choose."""
        if not lone(changed) or not isinstance(self.part, System | Accelerator | Switch):
            return self.at(changed)
        if changed is self.base:
            return with_parts(self.all, self.ids)
        made = enumerate_candidates(confined(changed, self._systems(), self.part), self._memo)
        return with_parts(made, self.ids)

    @property
    def ids(self) -> tuple[str, ...]:
        """Parts that are counted: the systems of an accelerator, else the part itself."""
        systems = self._systems()
        return systems if systems is not None else (self.part.id,)

    def _systems(self) -> tuple[str, ...] | None:
        """Systems the part is or sits in; None for a switch."""
        if isinstance(self.part, System):
            return (self.part.id,)
        if isinstance(self.part, Accelerator):
            return tuple(s.id for s in self.base.catalogue.of(System).values() if s.accelerator == self.part.id)
        return None

    def _renewed(self, changed: Instance) -> Candidates:
        made = enumerate_candidates(confined(changed, self._systems(), self.part), self._memo)
        rest = self.rest
        keys = dict.fromkeys((p.cluster, p.site) for p in (*rest.placements, *made.placements))
        placements = tuple(
            joined([p for p in (*rest.placements, *made.placements) if (p.cluster, p.site) == key]) for key in keys
        )
        rejections = tuple(dict.fromkeys((*made.rejections,)))
        return dataclasses.replace(made, placements=placements, rejections=rejections)

    @property
    def rest(self) -> Candidates:
        """Candidates without the part, cut to those that can be the cheapest whatever stands beside them."""
        if self._rest is None:
            self._rest = cheapest_of(self.base, without_parts(self.all, self.ids), self._goals)
        return self._rest


def confined(instance: Instance, systems: tuple[str, ...] | None, part: Part) -> Instance:
    """The instance with nothing but the part's systems, or its switch, in every design space that allows them."""
    workloads = {}
    for name, workload in instance.workloads.items():
        space = workload.design_space
        if systems is not None:
            wanted = tuple(s for s in systems if space.systems is None or s in space.systems)
            space = space.model_copy(update={"systems": wanted})
        else:
            fabric = space.fabric
            allowed = fabric.switches is None or part.id in fabric.switches
            fabric = fabric.model_copy(update={"switches": (part.id,) if allowed else ()})
            space = space.model_copy(update={"fabric": fabric})
        workloads[name] = workload.model_copy(update={"design_space": space})
    return dataclasses.replace(instance, document=instance.document.model_copy(update={"workloads": workloads}))


def without_parts(found: Candidates, parts: Iterable[str]) -> Candidates:
    """Candidates none of which buys any of the parts."""
    return _parted(found, tuple(parts), False)


def with_parts(found: Candidates, parts: Iterable[str]) -> Candidates:
    """Candidates each of which buys some of the parts."""
    return _parted(found, tuple(parts), True)


def _parted(found: Candidates, parts: Sequence[str], having: bool) -> Candidates:
    kept: list[Placements] = []
    for placements in found.placements:
        counts = sum(units_of_parts(placements.pods, parts).values(), np.zeros(len(placements.pods), dtype=np.int64))
        rows = np.flatnonzero((counts[placements.pod] > 0) == having)
        kept.append(compacted(placements, rows) if having else placements.take(rows))
    return dataclasses.replace(found, placements=tuple(p for p in kept if len(p)))


def cheapest_of(instance: Instance, found: Candidates, goals: Sequence[str] = ("tco",)) -> Candidates:
    """Candidates that can be in a best design by any of ``goals``, whatever of another part stands beside them; all where a cluster has none."""

    def judge(part: Candidates, _: bool) -> tuple[Formulation]:
        core, made = assemble(instance, part, goals)
        criteria = [(goal.expression, goal.objective.direction) for goal in made]
        return (Program.of(core, {}, made).narrowed(criteria, relaxable=True).formulation,)

    try:
        return worthwhile(instance, found, judge)
    except InfeasibleError:
        return found
