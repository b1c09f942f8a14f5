"""Units of a chain carry its load with their redundancy kept; shared by the power and the thermal family.

    load + cap * spare * option  <=  cap * units / step

step is 1 for n (spare 0) and n+1 (spare 1), 2 for 2n (two complete systems, each carries the whole load), the size of a group, or
a part's units in a ring of blocks. Columns count steps. Of a ring, cap is what it carries with any one block lost, and load what whole
racks draw; how many rings have room for them, whichever block fails, is for rows of their own: racks hung on pairs of blocks
(``models.formulation.ring_rows``), or whole rings (``models.formulation.shared_rings``).
"""

from __future__ import annotations

from math import ceil, floor

import numpy as np

from models.candidates.placement import Placements
from models.candidates.plant import PlantOption, PlantUnit
from models.candidates.ring_load import RackLoads, rack_loads
from models.formulation.core import POWER_QUANTUM, Core, units_per_column, up
from models.formulation.linear import Floats, Linear
from models.formulation.ring_rows import hang_racks
from models.formulation.shared_rings import share_rings
from models.instance import Instance
from models.policy import PowerFigure
from models.rules import Measure
from models.site import Chain
from models.workload import Serving


def chain_capacity(m: Core, site: str, chain: Chain) -> None:
    """Two rows per option and part: capacity with spares kept, and no units where the option is not taken.

    Of blocks the first part has these rows; the others come in as many rings.
    """
    for option in m.candidates.options[site][chain]:
        load = chain_load(m, option)
        opened = m.option_is(option)
        greatest = greatest_load(m, option)
        if option.ring is not None:
            part = option.units[0]
            rings = most_units(m, part, greatest) // units_per_column(part)
            place = hang_racks if option.ring.explicit else share_rings
            place(m, option, rings, m.units_of(option, part) * (1.0 / units_per_column(part)))
        for unit in option.units:
            capacity = quanta_of(unit)
            bought = m.units_of(option, unit)
            index = (site, option.id, unit.part)
            source = f"sites.{site}.{chain.value}.{option.id}"
            carrying = bought * (1.0 / units_per_column(unit))
            first = option.units[0]
            if option.ring is not None and unit is not first:
                same = carrying - m.units_of(option, first) * (1.0 / units_per_column(first))
                m.equals(f"{chain.value}_blocks_open", index, same, 0, "rings", source)
                continue
            needed = load + opened * float(capacity * unit.spare)
            m.at_most(f"{chain.value}_units", index, needed - carrying * float(capacity), 0, "kW", source)
            most = float(most_units(m, unit, greatest))
            m.at_most(f"{chain.value}_open", index, bought - opened * most, 0, "units", source)


def quanta_of(unit: PlantUnit) -> int:
    """Capacity of one step of a unit [kW], rounded down."""
    return floor(unit.capacity / POWER_QUANTUM + 1e-9)


def units_for(unit: PlantUnit, load: float) -> int:
    """Fewest units that carry ``load`` [whole kW] with the redundancy kept, by the rounding of the rows."""
    return ceil(load / quanta_of(unit) - 1e-12) * unit.step + unit.spare


def column_load(
    instance: Instance, placements: Placements, option: PlantOption, effective: bool = False
) -> Floats:  # fmt: skip
    """Load [whole kW, design] of every placement that uses ``option`` on its units; zero for the others.

    On blocks what whole racks draw, and their ``effective`` load, which bounds the rings they need, where that is asked for.
    """
    used = placements.uses(option)
    if option.ring is not None and not effective:
        load = rack_loads(instance, placements.pods, option.ring).drawn[placements.pod]
    elif option.ring is None:
        load = up(placements.chain_load(option.chain, PowerFigure.DESIGN), POWER_QUANTUM)
    else:
        alone = not isinstance(instance.workloads[placements.cluster], Serving)
        load = rack_loads(instance, placements.pods, option.ring).effective(option.ring, alone)[placements.pod]
    return np.where(used, load, 0.0)


def _kinds_on(instance: Instance, placements: Placements, option: PlantOption) -> dict[int, Floats]:
    if option.ring is None or not isinstance(instance.workloads[placements.cluster], Serving):
        return {}
    loads: RackLoads = rack_loads(instance, placements.pods, option.ring)
    kind, used = loads.load[placements.pod], placements.uses(option)
    return {int(w): np.asarray(used & (kind == w), dtype=np.float64) for w in np.unique(kind[used])}


def chain_load(m: Core, option: PlantOption) -> Linear:
    """Load [kW, design] on an option's units from the placements that use it."""
    return m.everywhere(lambda p: column_load(m.instance, p, option), site=option.site)


def greatest_load(m: Core, option: PlantOption) -> float:
    """The largest load [whole kW] the clusters could put on the option together, effective load on blocks."""
    most = 0.0
    for p in m.candidates.placements:
        if p.site == option.site and len(p):
            pods = m.instance.workloads[p.cluster].most_at_a_site
            most += float(column_load(m.instance, p, option, effective=True).max()) * pods
            for w in _kinds_on(m.instance, p, option):
                assert option.ring is not None
                most += float(np.ceil(option.ring.per_kind(w) - 1e-6))
    return most


def most_units(m: Core, unit: PlantUnit, greatest: float) -> int:
    """Most units that could ever be needed: for the greatest load of their option [whole kW], with redundancy, or because a
    rule asks for so many."""
    return max(units_for(unit, greatest), most_asked(m))


def most_asked(m: Core) -> int:
    """The largest number of units any rule asks for."""
    asked = [0.0]
    for rule in m.instance.rules.values():
        for held, selection in ((rule, rule.of), (rule.then, rule.then.of if rule.then is not None else None)):
            if held is not None and selection is not None and selection.counted is Measure.UNITS:
                asked += [held.at_least or 0.0, getattr(held, "fix", None) or 0.0]
        asked.append(1.0 if rule.require is not None else 0.0)
    return ceil(max(asked))
