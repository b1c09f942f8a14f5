"""Space: racks in use fit the positions of their site.

    sum_p  racks[p] * use[p]  +  sum_e  takes[e] * units[e]  <=  positions[s]                 for every site s

racks [count, node and network racks]  from candidates;  takes [positions a plant unit in the rows takes]  sites.<s>.*.equipment;
positions  sites.<s>.rack_positions. Rack units, weight on the frame
and on the floor decide which rack designs are legal and which a site accepts.
"""

from __future__ import annotations

from models.formulation.core import Core
from models.formulation.family import BindingRow, family
from models.formulation.totals import floor
from models.instance import Instance


@family(reads=("use",))
def space(m: Core, inst: Instance) -> None:
    """Adds a row per site, and a limit on all rack positions."""
    for site, place in inst.sites.items():
        m.at_most(
            "positions", (site,), floor(m, site), place.rack_positions.value, "racks", f"sites.{site}.rack_positions"
        )
    if inst.limits.floor is not None:
        m.at_most("limit", (), floor(m), inst.limits.floor.value, "racks", "limits.floor")


@space.says
def _(row: BindingRow) -> str:
    where = f"site {row.index[0]}" if row.index else "the floor limit"
    return f"{where} is full: {row.value:,.0f} of {row.limit:,.0f} rack positions"
