"""Exact money of every legal design of a small instance, with the units of one part apart: what prices are held against.

Legal designs come from the brute force of the formulation's tests; money is added up again here from pods, options and prices,
without rounding, and without any expression of the program.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from models.candidates.part_counts import units_per_pod
from models.candidates.placement import Candidates
from models.instance import Instance
from tests.formulation.brute_force import Choice, Money, choices, fewest, figures, legal, plant_of, value

NO_MONEY = {"capex": None, "opex": None, "tco": None}


@dataclass(frozen=True)
class Known:
    """A legal design: money [USD] and its share per dollar of the part's price, by objective; units; the choice itself."""

    rest: dict[str, float]
    paid: dict[str, float]
    units: int
    choice: Choice
    throughput: int
    power: int

    def cost(self, price: float, objective: str = "tco") -> float:
        return self.rest[objective] + price * self.paid[objective]

    def affordable(self, inst: Instance, price: float) -> bool:
        ceilings = {name: getattr(inst.limits, name) for name in NO_MONEY}
        return all(c is None or self.cost(price, name) <= c.value + 1e-6 for name, c in ceilings.items())


def known_designs(inst: Instance, found: Candidates, part: str, price: float) -> list[Known]:
    """Every design that meets all limits but those on money, at the list ``price`` of ``part``."""
    free = replace(inst, document=inst.document.model_copy(update={"limits": inst.limits.model_copy(update=NO_MONEY)}))
    money = {site: Money.at(free, site) for site in free.sites}
    of_cluster: dict[str, list] = {}
    exact: dict[int, tuple[dict[str, float], int]] = {}
    for table in found.placements:
        rows = figures(free, table, money[table.site])
        counts = units_per_pod(table.pods, part)
        for row, made in enumerate(rows):
            exact[id(made)] = (_pod_money(free, table, row, money[table.site]), int(counts[int(table.pod[row])]))
        of_cluster.setdefault(table.cluster, []).extend(rows)
    designs = []
    for choice in choices(free, of_cluster):
        plant = plant_of(choice, money)
        if plant is None or not legal(free, choice, plant):
            continue
        designs.append(_design(free, choice, exact, money, part, price))
    return designs


def _pod_money(inst: Instance, table, row: int, cash: Money) -> dict[str, float]:
    pod, combination = int(table.pod[row]), table.combinations[int(table.combination[row])]
    pods = table.pods
    loads = {"power": pods.it, "air": pods.air, "rear_door": pods.rear_door, "liquid": pods.liquid}
    in_use = float(pods.it[3, pod]) + sum(
        float(loads[o.chain.value][3, pod]) * o.shares[3] for o in combination.options
    )
    low, high = float(pods.cost_low[:, pod].sum()), float(pods.cost_high[:, pod].sum())
    goods = (low + cash.basis * (high - low)) * cash.charges
    return {"capex": goods + float(pods.it[1, pod]) * cash.shell, "opex": goods * cash.upkeep + in_use * cash.watt}


def _design(inst: Instance, choice: Choice, exact, money: dict[str, Money], part: str, price: float) -> Known:
    capex = opex = paid_capex = paid_opex = 0.0
    units = 0
    for row in choice:
        own, count = exact[id(row)]
        cash = money[row.site]
        capex, opex, units = capex + own["capex"], opex + own["opex"], units + count
        paid_capex += count * cash.charges
        paid_opex += count * cash.charges * cash.upkeep
    for (site, _), (option, load) in _plant(choice).items():
        cash = money[site]
        for unit in option.units:
            count = fewest(unit, load)
            goods = (unit.price.low + cash.basis * (unit.price.high - unit.price.low)) * cash.charges * count
            capex, opex = capex + goods, opex + goods * cash.upkeep
            if unit.part == part:
                units += count
                paid_capex += count * cash.charges
                paid_opex += count * cash.charges * cash.upkeep
    paid = {"capex": paid_capex, "opex": paid_opex, "tco": paid_capex + paid_opex}
    whole = {"capex": capex, "opex": opex, "tco": capex + opex}
    rest = {name: whole[name] - price * paid[name] for name in whole}
    delivered = sum(row.rate for row in choice)
    return Known(rest, paid, units, choice, delivered, sum(row.draw for row in choice))


def _plant(choice: Choice) -> dict:
    taken: dict = {}
    for row in choice:
        for chain, option in row.options.items():
            at = (row.site, chain)
            taken[at] = (option, taken.get(at, (option, 0))[1] + row.loads[chain])
    return taken


def cheapest(inst: Instance, designs: Sequence[Known], price: float, objective: str = "tco") -> list[Known]:
    """All designs within what rounding each line to cents can hide of the least cost at a unit price."""
    open_to = [d for d in designs if d.affordable(inst, price)]
    least = min((d.cost(price, objective) for d in open_to), default=math.inf)
    return [d for d in open_to if d.cost(price, objective) <= least + 0.25 + 1e-9 * abs(least)]


def price_to_enter(designs: Sequence[Known], volume: int = 1) -> float | None:
    """The highest price at which ``volume`` units are in a cheapest design, by trying all pairs; inf where nothing else is legal."""
    many = [d for d in designs if d.units >= volume]
    few = [d for d in designs if d.units < volume]
    if not many:
        return None
    if not few:
        return math.inf
    return max(
        min(
            ((f.rest["tco"] - m.rest["tco"]) / (m.paid["tco"] - f.paid["tco"]) for f in few),
            default=math.inf,
        )
        for m in many
    )


__all__ = ["Known", "cheapest", "known_designs", "price_to_enter", "value"]
