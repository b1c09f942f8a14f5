"""Thermal: heat to air, rear doors and liquid is carried by whole units with any one of them lost.

    sum_p  heat[h,p] * use[p,o]  +  cap[e] * spare[e] * option[s,o]  <=  cap[e] * units[s,o,e]

heat [kW, design]  of the placement to chain h;  cap [kW]  usable capacity of a unit, half of it
for 2n, spare 1 for n+1, of a group what it carries with its own spare out; where the site states its weather, as on the design day;
units, option  core. Limits per rack (heat to the room, door capacity) decide which rack designs a site accepts.
"""

from __future__ import annotations

from models.formulation.capacity import chain_capacity
from models.formulation.core import Core
from models.formulation.family import BindingRow, family
from models.instance import Instance
from models.site import Chain


@family(reads=("use", "option", "units"))
def thermal(m: Core, inst: Instance) -> None:
    """Adds the capacity rows of every cooling chain of every site."""
    for site in inst.sites:
        for chain in (Chain.AIR, Chain.REAR_DOOR, Chain.LIQUID):
            chain_capacity(m, site, chain)


@thermal.says
def _(row: BindingRow) -> str:
    return (
        f"{row.index[-1]} of cooling option {row.index[1]} at {row.index[0]} is fully loaded with its redundancy kept"
    )
