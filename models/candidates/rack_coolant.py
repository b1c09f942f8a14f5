"""How coolant reaches the cold plates of a rack: CDUs of the site or of the rack, and the manifolds in it.

The CDUs of a rack carry its liquid heat at nameplate power, with one of them out where n+1 is asked for; what one carries ends at its
exchanger, its flow or its pump, as for CDUs of a hall.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

import numpy as np
import numpy.typing as npt

from models.candidates.coolant_loop import coolant_unit
from models.candidates.failures import OF_FABRIC, RACK_CDUS, Line, Span
from models.candidates.plant_availability import figures_of
from models.instance import Instance
from models.parts.cooling import Cooling, CoolingKind
from models.parts.failure_rate import FailureRate
from models.parts.system import System, SystemKind
from models.physics.reliability import availability_of, group_failure_rate, k_of_n_availability
from models.site_options import EquipmentUse, Redundancy
from models.workload import CoolantSource, CoolantSpace

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class CoolantKit:
    """``cdus`` units of ``cdu`` in a rack, W of pump power per W of heat, W of heat one unit carries, and the rack's manifold."""

    cdu: Cooling | None = None
    cdus: int = 0
    share: float = 0.0
    carries: float = 0.0
    manifold: Cooling | None = None

    @property
    def name(self) -> str:
        """What tells racks with CDUs of their own apart from others; empty without."""
        return f"+{self.cdus}x{self.cdu.id}" if self.cdu is not None else ""

    def warmest(self, approach: float) -> float | None:
        """Warmest facility water [degC] its CDU stands; None where nothing limits it."""
        if self.cdu is None or self.cdu.supply_maximum is None:
            return None
        return self.cdu.supply_maximum - approach


def coolant_kits(instance: Instance, cluster: str, system: System, heat: float) -> Iterator[CoolantKit | str]:
    """Every way to bring coolant to a rack of ``heat`` [W of liquid heat], or why one there is none."""
    space = instance.workloads[cluster].design_space.coolant
    manifold = None
    if space.manifolds is not None and system.kind is SystemKind.SERVER:
        manifold = _manifold(instance, space, heat)
        if manifold is None:
            yield f"no priced manifold carries {heat / 1e3:.1f} kW"
            return
    for source in space.sources:
        if source is CoolantSource.SITE:
            yield CoolantKit(manifold=manifold)
        else:
            yield from _in_rack(instance, space, heat, manifold)


def rack_units_allowed(instance: Instance, space: CoolantSpace) -> list[Cooling]:
    """CDUs that may stand in a rack."""
    return [
        part
        for part in instance.catalogue.of(Cooling).values()
        if part.kind is CoolingKind.CDU
        and part.height_units
        and part.price is not None
        and part.capacity
        and (space.units is None or part.id in space.units)
    ]


def coolant_span(instance: Instance, cluster: str) -> tuple[Span, float] | None:
    """Rate of one CDU in a rack [1/s, low to high] and its repair [s]; None where the instance states none."""
    space = instance.workloads[cluster].design_space.coolant
    if space.failures is not None:
        row = instance.catalogue.get(FailureRate, space.failures)
        return row.span, figures_of(instance, row)[1]
    if space.mtbf is None or space.mttr is None:
        return None
    return (1.0 / space.mtbf,) * 3, space.mttr


def coolant_failures(instance: Instance, cluster: str, kit: CoolantKit, racks: Ints) -> Line | None:
    """How often a rack of a pod is without coolant: more of its CDUs gone at once than it may lose."""
    found = coolant_span(instance, cluster)
    if found is None or kit.cdu is None:
        return None
    span, repair = found
    needed = kit.cdus - (1 if instance.workloads[cluster].design_space.coolant.redundancy == "n+1" else 0)
    groups = racks.astype(np.float64)
    rates = np.stack([groups * float(group_failure_rate(needed, kit.cdus, rate, repair)) for rate in span])
    return RACK_CDUS, groups * kit.cdus, rates, repair, OF_FABRIC


def coolant_standing(instance: Instance, cluster: str, kit: CoolantKit, racks: Ints) -> Floats:
    """Probability that every rack of a pod has coolant; 1 where no failures are stated."""
    found = coolant_span(instance, cluster)
    if found is None or kit.cdu is None:
        return np.ones(len(racks))
    needed = kit.cdus - (1 if instance.workloads[cluster].design_space.coolant.redundancy == "n+1" else 0)
    unit = availability_of(found[0][1], found[1])
    return np.asarray(float(k_of_n_availability(needed, kit.cdus, unit)) ** racks, dtype=np.float64)


def _in_rack(
    instance: Instance, space: CoolantSpace, heat: float, manifold: Cooling | None
) -> Iterator[CoolantKit | str]:
    found = False
    for part in rack_units_allowed(instance, space):
        use = EquipmentUse(part=part.id, redundancy=Redundancy(space.redundancy), loop=space.loop)
        if part.power_share is None and (space.loop is None or space.loop.pressure is None):
            continue
        carries, share = coolant_unit(part, use)
        if carries <= 0:
            continue
        found = True
        spare = 1 if space.redundancy == "n+1" else 0
        yield CoolantKit(part, max(ceil(heat / carries - 1e-9), 1) + spare, share, carries, manifold)
    if not found:
        yield "no priced CDU of the catalogue stands in a rack and carries heat in its loop"


def _manifold(instance: Instance, space: CoolantSpace, heat: float) -> Cooling | None:
    options = [
        (part.price.low + part.price.high, part.id, part)
        for part in instance.catalogue.of(Cooling).values()
        if part.kind is CoolingKind.MANIFOLD
        and part.id in (space.manifolds or ())
        and part.price is not None
        and part.capacity is not None
        and part.capacity >= heat
    ]
    best = min(options, key=lambda one: one[:2], default=None)
    return best[2] if best else None
