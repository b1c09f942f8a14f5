"""Units of a chain carry its load with their redundancy kept; shared by the power and the thermal family."""

from __future__ import annotations

from math import floor

import numpy as np

from models.candidates.plant import PlantOption, PlantUnit
from models.formulation.core import POWER_QUANTUM, Core, up
from models.formulation.linear import Linear
from models.policy import PowerFigure
from models.site import Chain
from models.workload import Serving


def chain_capacity(m: Core, site: str, chain: Chain) -> None:
    """Two rows per option and part: capacity with spares kept, and no units where the option is not taken."""
    for option in m.candidates.options[site][chain]:
        load = chain_load(m, option)
        opened = m.option_is(option)
        for unit in option.units:
            capacity = floor(unit.capacity / POWER_QUANTUM + 1e-9)
            bought = m.units_of(option, unit)
            index = (site, option.id, unit.part)
            source = f"sites.{site}.{chain.value}.{option.id}"
            needed = load * (2.0 if unit.doubled else 1.0) + opened * float(capacity * unit.spare)
            m.at_most(f"{chain.value}_units", index, needed - bought * float(capacity), 0, "kW", source)
            m.at_most(
                f"{chain.value}_open", index, bought - opened * float(most_units(m, option, unit)), 0, "units", source
            )


def chain_load(m: Core, option: PlantOption) -> Linear:
    """Load [kW, design] on an option's chain from the placements that use it."""
    return m.everywhere(
        lambda p: np.where(p.uses(option), up(p.chain_load(option.chain, PowerFigure.DESIGN), POWER_QUANTUM), 0.0),
        site=option.site,
    )


def most_units(m: Core, option: PlantOption, unit: PlantUnit) -> int:
    """Most units that could ever be needed: the largest load the clusters could put on the option, with redundancy."""
    most = 0.0
    for p in m.candidates.placements:
        if p.site == option.site and len(p):
            workload = m.instance.workloads[p.cluster]
            pods = workload.pods_at_most if isinstance(workload, Serving) else 1
            loads = np.where(p.uses(option), up(p.chain_load(option.chain, PowerFigure.DESIGN), POWER_QUANTUM), 0.0)
            most += float(loads.max()) * pods
    return unit.units_for(most * POWER_QUANTUM) + 1
