"""Power: the utility is never exceeded, and the power chain carries the load with its redundancy kept.

    sum_p  draw[p,o] * use[p,o]  <=  utility[s]                                     for every site s
    sum_p  it[p] * use[p,o]  +  cap[e] * spare[e] * option[s,o]  <=  cap[e] * units[s,o,e]

    sum_p drawn[p] * use[p,o]  >=  least * rating[e] * units[s,o,e]

draw [kW]  facility power of the placement by the figure the site states;  it [kW]  design power;  drawn [kW]  mean power in use;  cap [kW]  usable capacity of a
unit, half of it for 2n, spare 1 for n+1;  units, option  core. Linear because overheads of pod and option are data. Of blocks that
back each other up, cap is a ring's load with any one block lost and it what whole racks draw; that each of them finds its place is for
a row for each failed block on each survivor (``models.formulation.ring_rows``) or rows of whole rings, for any block lost
(``models.formulation.shared_rings``). The last line keeps units with a part-load curve above the least share of their rating for which
the option's losses are an upper bound; the most share is never exceeded, or the option is refused.
"""

from __future__ import annotations

from math import floor

import numpy as np

from models.candidates.placement import Placements
from models.candidates.plant import PlantOption, PlantUnit
from models.formulation.capacity import chain_capacity
from models.formulation.core import POWER_QUANTUM, Core, down
from models.formulation.family import BindingRow, family
from models.formulation.linear import Floats
from models.formulation.totals import facility_power
from models.instance import Instance
from models.policy import PowerFigure
from models.site import Chain
from models.units import Unlimited


@family(reads=("use", "option", "units"))
def power(m: Core, inst: Instance) -> None:
    """Adds the utility row of each site, the capacity rows of the power chain, and a limit on facility power."""
    for site, place in inst.sites.items():
        limit = place.utility.value
        kilowatts = limit if isinstance(limit, Unlimited) else floor(limit / POWER_QUANTUM + 1e-9)
        m.at_most(
            "utility", (site,), facility_power(m, place.utility_figure, site), kilowatts, "kW", f"sites.{site}.utility"
        )
        chain_capacity(m, site, Chain.POWER)
        for option in m.candidates.options[site][Chain.POWER]:
            _within_loading(m, option)
    if inst.limits.power is not None:
        kilowatts = floor(inst.limits.power.value / POWER_QUANTUM + 1e-9)
        m.at_most("limit", (), facility_power(m, PowerFigure.DESIGN), kilowatts, "kW", "limits.power")


def _within_loading(m: Core, option: PlantOption) -> None:
    """Units with a part-load curve run within the stated range: the losses are read there."""
    if option.loading is None:
        return
    least = option.loading[0]
    source = f"sites.{option.site}.power.{option.id}.loading_range"
    for unit in curved_units(option):
        rating = m.units_of(option, unit) * (unit.rating / POWER_QUANTUM)
        index = (option.site, option.id, unit.part)
        drawn = m.everywhere(lambda p: _drawn(p, option), site=option.site)
        m.at_least("least_loaded_units", index, drawn - rating * least, 0, "kW", source)


def curved_units(option: PlantOption) -> list[PlantUnit]:
    """Units with a part-load curve; of blocks only one of several parts of the same rating, which all run alike."""
    curved = [unit for unit in option.units if unit.curve is not None]
    if option.ring is None:
        return curved
    return list({unit.rating * unit.step: unit for unit in reversed(curved)}.values())


def _drawn(p: Placements, option: PlantOption) -> Floats:
    return np.where(p.uses(option), down(p.chain_load(Chain.POWER, PowerFigure.IN_USE), POWER_QUANTUM), 0.0)


@power.says
def _(row: BindingRow) -> str:
    if row.what == "utility":
        return f"site {row.index[0]} draws {row.value:,.0f} of {row.limit:,.0f} kW from the utility"
    if row.what == "limit":
        return f"facility power is at its limit: {row.value:,.0f} of {row.limit:,.0f} kW"
    if row.what == "least_loaded_units":
        return f"{row.index[-1]} of power option {row.index[1]} at {row.index[0]} runs at the least load its losses are stated for"
    option = f"power option {row.index[1]} at {row.index[0]}" if len(row.index) > 1 else ""
    if row.what == "survivors":
        ring, lost, left = (word.strip("abcdefghijklmnopqrstuvwxyz") for word in row.index[2:])
        return f"block {left} of ring {ring} of {option} carries all it may with block {lost} lost"
    if row.what in ("hung", "rings_for", "rings", "blocks", "rings_in_order", "places"):
        return f"the rings of {option} have no place left for another rack"
    if row.what.startswith("shared"):
        return f"rings of {option} with racks of several loads carry all they may with any block lost"
    return f"{row.index[-1]} of power option {row.index[1]} at {row.index[0]} is fully loaded with its redundancy kept"
