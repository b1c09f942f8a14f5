"""Racks of a site's placements on an option whose blocks back each other up, by load: what the rows of its rings count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.candidates.placement import Placements
from models.candidates.plant import PlantOption
from models.candidates.ring_load import RackLoads, rack_loads
from models.formulation.core import Core
from models.formulation.linear import Floats


@dataclass(frozen=True)
class RacksOn:
    """Racks of every placement of a cluster: ``loads`` by pod, ``used`` by placement, whether it uses the option."""

    placements: Placements
    used: npt.NDArray[np.bool_]
    loads: RackLoads

    def sizes(self, *, small: bool) -> set[int]:
        """Loads [kW] above zero of node racks that may hang on the option, and of the other racks where ``small`` ones count."""
        pods = np.unique(self.placements.pod[self.used])
        found = set(self.loads.load[pods][self.loads.racks[pods] > 0].tolist())
        if small:
            found.update(self.loads.small[pods][self.loads.smalls[pods] > 0].tolist())
        return {load for load in found if load > 0}

    def racks_from(self, load: int, *, small: bool) -> Floats:
        """Node racks of at least ``load`` kW of every placement that uses the option, and other racks where ``small`` ones count."""
        counted = self.loads.racks * (self.loads.load >= load)
        if small:
            counted = counted + self.loads.smalls * (self.loads.small >= load)
        return np.where(self.used, counted[self.placements.pod], 0.0)

    @property
    def small_load(self) -> Floats:
        """Load [kW] of the other racks of every placement that uses the option."""
        return np.where(self.used, (self.loads.smalls * self.loads.small)[self.placements.pod], 0.0)


def racks_on(m: Core, option: PlantOption) -> list[RacksOn]:
    """Racks of every cluster with placements that use the option, which has a ring."""
    assert option.ring is not None
    return [
        RacksOn(p, used, rack_loads(m.instance, p.pods, option.ring))
        for p in m.candidates.placements
        if p.site == option.site and (used := p.uses(option)).any()
    ]


def sizes_on(racks: Sequence[RacksOn], *, small: bool) -> list[int]:
    """Loads [kW] of racks of all clusters, in rising order; see ``RacksOn.sizes``."""
    return sorted({load for one in racks for load in one.sizes(small=small)})
