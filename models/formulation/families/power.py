"""Power: the utility is never exceeded, and the power chain carries the load with its redundancy kept.

    sum_p  draw[p,o] * use[p,o]  <=  utility[s]                                     for every site s
    sum_p  it[p] * use[p,o]  +  cap[e] * spare[e] * option[s,o]  <=  cap[e] * units[s,o,e]

draw [kW]  facility power of the placement by the figure the site states;  it [kW]  design power;  cap [kW]  usable capacity of a
unit, half of it for 2n, spare 1 for n+1;  units, option  core. Linear because overheads of pod and option are data.
"""

from __future__ import annotations

from math import floor

from models.formulation.capacity import chain_capacity
from models.formulation.core import POWER_QUANTUM, Core
from models.formulation.family import BindingRow, family
from models.formulation.totals import facility_power
from models.instance import Instance
from models.policy import PowerFigure
from models.site import Chain
from models.units import Unlimited


@family(reads=("use", "option", "units"))
def power(m: Core, inst: Instance) -> None:
    """Adds the utility row of each site, the capacity rows of the power chain, and a limit on facility power."""
    for site, place in inst.sites.items():
        limit = place.utility
        kilowatts = limit if isinstance(limit, Unlimited) else floor(limit / POWER_QUANTUM + 1e-9)
        m.at_most(
            "utility", (site,), facility_power(m, place.utility_figure, site), kilowatts, "kW", f"sites.{site}.utility"
        )
        chain_capacity(m, site, Chain.POWER)
    if inst.limits.power is not None:
        kilowatts = floor(inst.limits.power.value / POWER_QUANTUM + 1e-9)
        m.at_most("limit", (), facility_power(m, PowerFigure.DESIGN), kilowatts, "kW", "limits.power")


@power.says
def _(row: BindingRow) -> str:
    if row.what == "utility":
        return f"site {row.index[0]} draws {row.value:,.0f} of {row.limit:,.0f} kW from the utility"
    if row.what == "limit":
        return f"facility power is at its limit: {row.value:,.0f} of {row.limit:,.0f} kW"
    return f"{row.index[-1]} of power option {row.index[1]} at {row.index[0]} is fully loaded with its redundancy kept"
