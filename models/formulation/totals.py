"""Sums that families and objectives share, in whole quanta: money, power, carbon, floor, delivered tokens."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from models.candidates.economics import Economics, lasting
from models.candidates.part_counts import units_per_pod
from models.candidates.placement import Placements
from models.candidates.plant import PlantOption, PlantUnit
from models.candidates.priced_parts import priced_parts
from models.formulation.core import CARBON_QUANTUM, MONEY_QUANTUM, POWER_QUANTUM, TOKEN_QUANTUM, Core, down, nearest, up
from models.formulation.linear import Block, Floats, Kind, Linear
from models.formulation.pace import may_split, paced, way_block
from models.formulation.purchases import Cost, paid
from models.instance import Instance
from models.policy import PowerFigure
from models.workload import Serving, ServingRole


def capex(m: Core, quantum: float = MONEY_QUANTUM) -> Linear:
    """Capital cost of all sites [``quantum`` USD]: equipment with charges, shell, plant units, orders with one-off costs."""
    placed = _money(m, lambda p, money, ordered: p.capex(money, ordered), lambda cash, _: cash, quantum)
    return placed + paid(m, Cost.CAPEX, quantum=quantum)


def opex(m: Core, quantum: float = MONEY_QUANTUM) -> Linear:
    """Present value of maintenance and energy over the horizon [``quantum`` USD]."""
    placed = _money(
        m, lambda p, money, ordered: p.opex(money, ordered), lambda cash, money: cash * money.upkeep, quantum
    )
    return placed + paid(m, Cost.OPEX, quantum=quantum) + linked(m, quantum)


def tco(m: Core, quantum: float = MONEY_QUANTUM) -> Linear:
    """Total cost of ownership over the horizon [``quantum`` USD]: capex, opex and financing less the residual value."""
    placed = _money(
        m, lambda p, money, ordered: p.tco(money, ordered), lambda cash, money: cash * money.ownership, quantum
    )
    return placed + paid(m, Cost.TCO, quantum=quantum) + linked(m, quantum)


def linked(m: Core, quantum: float) -> Linear:
    """Present value of the links between sites over the horizon [``quantum`` USD], of clusters that are split."""
    through = lasting(m.instance)
    return Linear(
        {
            way_block(cluster): nearest([way.price * through for way in ways], quantum)
            for cluster, ways in m.candidates.ways.items()
        }
    )


def _money(
    m: Core,
    placed: Callable[[Placements, Economics, Floats], Floats],
    bought: Callable[[float, Economics], float],
    quantum: float,
) -> Linear:
    offered = set(m.candidates.offers.parts)

    def unit(option: PlantOption, part: PlantUnit) -> float:
        money = m.candidates.economics[option.site]
        return 0.0 if part.part in offered else float(nearest(bought(money.paid(part.price), money), quantum))

    return m.everywhere(
        lambda p: nearest(placed(p, m.candidates.economics[p.site], ordered_price(m, p)), quantum)
    ) + m.plant(unit)


def ordered_price(m: Core, placements: Placements) -> Floats:
    """Catalogue price [USD, before charges] of what each placement leaves to orders."""
    total = np.zeros(len(placements))
    known = priced_parts(m.instance.catalogue) if m.candidates.offers else {}
    for part in m.candidates.offers.parts:
        price = known[part].price.at(m.instance.money.price_basis)
        total += placements.of_pods(units_per_pod(placements.pods, part)) * price
    return total


def facility_power(m: Core, figure: PowerFigure, site: str | None = None) -> Linear:
    """Power drawn from the utility [kW], of one site or all."""
    return m.everywhere(lambda p: up(p.facility_power(figure), POWER_QUANTUM), site=site)


def carbon(m: Core, instance: Instance) -> Linear:
    """Operational and embodied carbon over the horizon [t]."""
    embodied = instance.assumptions.embodied_carbon_per_accelerator.value
    return m.everywhere(lambda p: up(p.carbon(m.candidates.economics[p.site], embodied), CARBON_QUANTUM))


def floor(m: Core, site: str | None = None) -> Linear:
    """Rack positions, of one site or all: racks, and plant units that stand among them."""
    racks = m.everywhere(lambda p: p.of_pods(p.pods.floor), site=site)
    return Linear.total(
        [racks]
        + [
            m.units_of(option, unit) * float(unit.positions)
            for place, chains in m.candidates.options.items()
            for options in chains.values()
            for option in options
            for unit in option.units
            if unit.positions and site in (None, place)
        ]
    )


def roles(m: Core, cluster: str) -> tuple[ServingRole, ...]:
    """What a cluster must be able to do, each with a rate of its own: nothing but ``mixed`` where every pod does all of it."""
    workload = m.instance.workloads[cluster]
    divided = isinstance(workload, Serving) and workload.divided
    return (ServingRole.PREFILL, ServingRole.DECODE) if divided else (ServingRole.MIXED,)


def rate(m: Core, cluster: str, role: ServingRole, per: float = 1.0, quantum: float = TOKEN_QUANTUM) -> Linear:
    """What the pods of a cluster that can do ``role`` deliver [tokens/s of goodput, or multiples of ``per``], in quanta.

    Of a training cluster that may be split: a variable at most that (``models.formulation.pace``).
    """
    if may_split(m, cluster):
        return paced(m, cluster, per, quantum)
    return m.everywhere(lambda p: down(p.of_pods(p.pods.rate_as(role)) / per, quantum), cluster=cluster)


def delivered(m: Core, cluster: str) -> Linear:
    """Tokens per second of goodput of one cluster.

    Where prompts and answers are served by pods of their own: a variable at most the rate of either,
    ``t <= rate[prefill] + rate[mixed]`` and ``t <= rate[decode] + rate[mixed]``.
    """
    needed = roles(m, cluster)
    if len(needed) == 1:
        return rate(m, cluster, needed[0])
    name = f"served[{cluster}]"
    least = Linear({name: np.ones(1)})
    if name not in m.blocks:
        m.add_block(Block(name, ("t",), Kind.INTEGER, None))
        family = m.within("service")
        for role in needed:
            m.at_most(role.value, (cluster,), least - rate(m, cluster, role), 0, "tokens/s", f"workloads.{cluster}")
        m.within(family)
    return least


def violators(m: Core, cluster: str, legal: Callable[[Placements], npt.NDArray[np.bool_]]) -> Linear:
    """Number of pods in use for which ``legal(placements)`` is false."""
    return m.everywhere(lambda p: np.where(legal(p), 0.0, 1.0), cluster=cluster)
