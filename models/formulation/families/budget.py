"""Budget: ceilings on money and carbon.

    sum_p  capex[p] * use[p]  +  sum_e  price[e] * units[e]  +  sum_q  paid[q]  <=  ceiling        likewise opex, tco, carbon

capex, opex, tco [kUSD] and carbon [t]  of placements and plant units, each rounded once;  paid [kUSD]  orders, see sourcing;
ceiling  limits.<name>.
"""

from __future__ import annotations

from math import floor

from models.formulation.core import CARBON_QUANTUM, MONEY_QUANTUM, Core
from models.formulation.family import BindingRow, family
from models.formulation.totals import capex, carbon, opex, tco
from models.instance import Instance


@family(reads=("use", "units", "bought"))
def budget(m: Core, inst: Instance) -> None:
    """Adds a row per stated ceiling."""
    for name, total in (("capex", capex), ("opex", opex), ("tco", tco)):
        stated = getattr(inst.limits, name)
        if stated is not None:
            m.at_most(name, (), total(m), floor(stated.value / MONEY_QUANTUM + 1e-9), "kUSD", f"limits.{name}")
    if inst.limits.carbon is not None:
        m.at_most(
            "carbon", (), carbon(m, inst), floor(inst.limits.carbon.value / CARBON_QUANTUM + 1e-9), "t", "limits.carbon"
        )


@budget.says
def _(row: BindingRow) -> str:
    return f"{row.what} reaches its ceiling: {row.value:,.0f} of {row.limit:,.0f} {row.unit}"
