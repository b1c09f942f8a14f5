"""Units of a chain carry its load with their redundancy kept; shared by the power and the thermal family.

    load + cap * spare * option  <=  cap * units            n (spare 0) and n+1 (spare 1)
    load  <=  cap * units / 2                               2n: two complete systems, each carries the whole load

Units of a 2n part are bought in pairs: its column counts pairs.
"""

from __future__ import annotations

from math import ceil, floor

import numpy as np

from models.candidates.plant import PlantOption, PlantUnit
from models.formulation.core import POWER_QUANTUM, Core, units_per_column, up
from models.formulation.linear import Linear
from models.policy import PowerFigure
from models.rules import Measure
from models.site import Chain
from models.workload import Serving


def chain_capacity(m: Core, site: str, chain: Chain) -> None:
    """Two rows per option and part: capacity with spares kept, and no units where the option is not taken."""
    for option in m.candidates.options[site][chain]:
        load = chain_load(m, option)
        opened = m.option_is(option)
        for unit in option.units:
            capacity = quanta_of(unit)
            bought = m.units_of(option, unit)
            index = (site, option.id, unit.part)
            source = f"sites.{site}.{chain.value}.{option.id}"
            carrying = bought * (1.0 / units_per_column(unit))
            needed = load + opened * float(capacity * unit.spare)
            m.at_most(f"{chain.value}_units", index, needed - carrying * float(capacity), 0, "kW", source)
            most = float(most_units(m, option, unit))
            m.at_most(f"{chain.value}_open", index, bought - opened * most, 0, "units", source)


def quanta_of(unit: PlantUnit) -> int:
    """Capacity of a unit [kW], rounded down."""
    return floor(unit.capacity / POWER_QUANTUM + 1e-9)


def units_for(unit: PlantUnit, load: float) -> int:
    """Fewest units that carry ``load`` [whole kW] with the redundancy kept, by the rounding of the rows."""
    needed = ceil(load / quanta_of(unit))
    return 2 * needed if unit.doubled else needed + unit.spare


def chain_load(m: Core, option: PlantOption) -> Linear:
    """Load [kW, design] on an option's chain from the placements that use it."""
    return m.everywhere(
        lambda p: np.where(p.uses(option), up(p.chain_load(option.chain, PowerFigure.DESIGN), POWER_QUANTUM), 0.0),
        site=option.site,
    )


def most_units(m: Core, option: PlantOption, unit: PlantUnit) -> int:
    """Most units that could ever be needed: for the largest load the clusters could put on the option, with redundancy, or
    because a rule asks for so many."""
    most = 0.0
    for p in m.candidates.placements:
        if p.site == option.site and len(p):
            workload = m.instance.workloads[p.cluster]
            pods = workload.pods_at_most if isinstance(workload, Serving) else 1
            loads = np.where(p.uses(option), up(p.chain_load(option.chain, PowerFigure.DESIGN), POWER_QUANTUM), 0.0)
            most += float(loads.max()) * pods
    return max(units_for(unit, most), most_asked(m))


def most_asked(m: Core) -> int:
    """The largest number of units any rule asks for."""
    asked = [0.0]
    for rule in m.instance.rules.values():
        for held, selection in ((rule, rule.of), (rule.then, rule.then.of if rule.then is not None else None)):
            if held is not None and selection is not None and selection.counted is Measure.UNITS:
                asked += [held.at_least or 0.0, getattr(held, "fix", None) or 0.0]
        asked.append(1.0 if rule.require is not None else 0.0)
    return ceil(max(asked))
