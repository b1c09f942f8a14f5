"""Racks of pods as the blocks of a power topology see them: whole racks of whole kW, each on two blocks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.candidates.block_rings import Ring
from models.candidates.pod_table import PodTable
from models.candidates.rack_design import RackDesign, power_of
from models.instance import Instance
from models.parts.accelerator import Accelerator
from models.physics.node_power import idle_power
from models.policy import PowerFigure
from models.workload import Training

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

KILOWATT = 1e3


@dataclass(frozen=True)
class RackLoads:
    """Per pod: ``racks`` node racks of ``load`` kW and ``smalls`` other racks of ``small`` kW, in whole kW of design power."""

    load: Ints
    racks: Ints
    small: Ints
    smalls: Ints

    def effective(self, ring: Ring, alone: bool) -> Floats:
        """Whole kW of a ring's usable power by pod; ``alone`` charges each pod the ring its racks share with other kinds."""
        kind = ring.per_kind(self.load) if alone else 0.0
        whole = ring.effective(self.load, self.racks, self.small, self.smalls) + kind
        return np.asarray(np.ceil(whole - 1e-6), dtype=np.float64)

    @property
    def drawn(self) -> Floats:
        """Whole kW of all racks by pod."""
        return np.asarray(self.racks * self.load + self.smalls * self.small, dtype=np.float64)

    def fits(self, ring: Ring) -> npt.NDArray[np.bool_]:
        """Pods whose racks a ring can hold one by one."""
        return ring.carries(self.load, self.small)


def rack_loads(instance: Instance, pods: PodTable, ring: Ring) -> RackLoads:
    """Racks of every pod by design power, a full rack each, enlarged by the ring's swing where a cluster trains.

    What systems do not draw (switches, storage) is spread evenly over the other racks.
    """
    share = instance.assumptions.design_power_share.value
    swing = ring.swing if isinstance(instance.workloads[pods.cluster], Training) else 1.0
    one = np.array([power_of(r.system, PowerFigure.DESIGN, share) for r in pods.racks])
    idle = np.array([_idle(instance, r, each) for r, each in zip(pods.racks, one, strict=True)])
    door = np.array([1.0 + r.moving for r in pods.racks])
    full = np.array([r.systems for r in pods.racks]) * one * door
    nodes = ((pods.systems - pods.spares) * one[pods.rack] + pods.spares * idle[pods.rack]) * door[pods.rack]
    rest = np.maximum(pods.load(pods.it, PowerFigure.DESIGN) - nodes, 0.0)
    smalls = pods.network_racks + pods.storage_racks
    small = np.where(smalls > 0, rest / np.maximum(smalls, 1), 0.0)
    return RackLoads(
        load=_kilowatts(full * swing)[pods.rack],
        racks=np.asarray(pods.node_racks, dtype=np.int64),
        small=_kilowatts(small * swing),
        smalls=np.asarray(smalls, dtype=np.int64),
    )


def _idle(instance: Instance, rack: RackDesign, otherwise: float) -> float:
    """Power of a spare system [W]: its accelerators idle, the rest of it running."""
    system = rack.system
    rating = instance.catalogue.get(Accelerator, system.accelerator or "").tdp
    if rating is None or system.max_power is None:
        return otherwise
    idle = idle_power(system.max_power, system.accelerators or 0, rating, steady=system.steady_power or 0.0)
    return min(otherwise, float(idle))


def _kilowatts(watts: npt.ArrayLike) -> Ints:
    return np.asarray(np.ceil(np.asarray(watts, dtype=np.float64) / KILOWATT - 1e-6), dtype=np.int64)
