"""Orders as decisions: units bought from each quote at each price tier, and what they cost in whole kUSD.

    sum_k tier[q,k]  <=  1                                                    all-unit: one tier per quote
    start[q,k] * tier[q,k]  <=  bought[q,k]  <=  end[q,k] * tier[q,k]
    width[q,k] * tier[q,k+1]  <=  bought[q,k]  <=  width[q,k] * tier[q,k]     incremental: a tier is full before the next
    sum_k bought[q,k]  >=  minimum[q] * used[q]
    sum_k bought[q,k]  <=  most[q] * pods and plant units with a part of q    what a design has nothing of is not bought
    -K[q]/2  <=  sum_k c[q,k] * bought[q,k] + f[q] * used[q] - K[q] * paid[q]  <  K[q]/2

bought [integer units, or sets of a bundle], tier [binary], used[q] the sum of its tiers (the first tier where they are
incremental); paid [integer kUSD]. Prices c and one-off costs f are rounded once, to six digits of the dearest of them (whole
cents at the finest), K being a kUSD in that step; so ``paid`` is the cost of the whole order rounded to the nearest kUSD, and
objectives stay whole however small a unit price is. The hull is disaggregated: no big-M beside most[q], the largest need of a part
or the last tier. The last row stands where shares or rules count what is ordered: idle parts of another vendor do not meet them.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from math import ceil, floor, log10

import numpy as np

from models.candidates.offers import Offer
from models.candidates.part_counts import units_per_pod
from models.candidates.placement import Placements
from models.formulation.bounds import most_of
from models.formulation.core import MONEY_QUANTUM, Core, nearest
from models.formulation.counts import units
from models.formulation.linear import Block, Floats, Kind, Linear
from models.instance import Instance

DIGITS = 6
FINEST = -2
COARSEST = 3


class Cost(StrEnum):
    """Which cost of an order is counted: the price itself, with charges, upkeep, or everything over the horizon."""

    GOODS = "goods"
    CAPEX = "capex"
    OPEX = "opex"
    TCO = "tco"


def add_orders(m: Core) -> None:
    """Blocks and rows of every offer; expressions ``ordered[q]`` (units) and ``used[q]`` for other families."""
    needs = {part: most_of(m, units(m, part)) for part in m.candidates.offers.parts}
    for offer in m.candidates.offers:
        most = max(ceil(needs[part] / count - 1e-9) for part, count in offer.contents.items())
        most = max(most, offer.starts[-1], offer.minimum, 1)
        _add_offer(m, offer, most)
        if surplus_may_serve(m.instance):
            wanted = made_of(m, tuple(offer.contents))
            m.at_most("needed", (offer.name,), m.read(f"ordered[{offer.name}]") - wanted * float(most), 0, "", "")
    for part in m.candidates.offers.parts:
        supplied = Linear.total(
            [m.read(f"ordered[{o.name}]") * o.contents[part] for o in m.candidates.offers.selling(part)]
        )
        m.at_least("balance", (part,), supplied - units(m, part), 0, "", "")


def surplus_may_serve(instance: Instance) -> bool:
    """Whether shares, second sources of a layer or rules count what is ordered, so that idle parts could be bought to meet them."""
    layers = any(source.layer is not None for source in instance.sourcing.second_sources.values())
    return bool(instance.sourcing.shares or instance.rules or layers)


def made_of(m: Core, parts: tuple[str, ...]) -> Linear:
    """Pods that contain any of ``parts``, and plant units that are one: nothing where a design has none of them."""

    def contains(p: Placements) -> Floats:
        found = np.zeros(len(p.pods), dtype=np.bool_)
        for part in parts:
            found |= units_per_pod(p.pods, part) > 0
        return p.of_pods(found.astype(np.float64))

    return m.everywhere(contains) + m.plant(lambda _, unit: float(unit.part in parts))


def _add_offer(m: Core, offer: Offer, most: int) -> None:
    keys = tuple(f"from{start}" for start in offer.starts)
    bought = m.add_block(Block(f"bought[{offer.name}]", keys, Kind.INTEGER, float(most)))
    tier = m.add_block(Block(f"tier[{offer.name}]", keys, Kind.BINARY))
    count, chosen = [_column(bought, k) for k in range(len(keys))], [_column(tier, k) for k in range(len(keys))]
    for k, key in enumerate(keys):
        last = offer.last_of(k)
        top = most if last is None else last
        if offer.incremental:
            width = top - offer.starts[k] + 1
            m.at_most("tier_to", (offer.name, key), count[k] - chosen[k] * float(width), 0, "", "")
            if k + 1 < len(keys):
                m.at_least("tier_full", (offer.name, key), count[k] - chosen[k + 1] * float(width), 0, "", "")
        else:
            m.at_most("tier_to", (offer.name, key), count[k] - chosen[k] * float(top), 0, "", "")
            if offer.starts[k] > 1:
                least = count[k] - chosen[k] * float(offer.starts[k])
                m.at_least("tier_from", (offer.name, key), least, 0, "", "")
    if not offer.incremental and len(keys) > 1:
        m.at_most("one_tier", (offer.name,), Linear.total(chosen), 1, "", "")
    ordered = m.express(f"ordered[{offer.name}]", Linear.total(count))
    used = m.express(f"used[{offer.name}]", chosen[0] if offer.incremental else Linear.total(chosen))
    if offer.minimum > 1:
        m.at_least(
            "minimum",
            (offer.name,),
            ordered - used * float(offer.minimum),
            0,
            "",
            f"{offer.source_field}.minimum_order",
        )


def _column(block: Block, number: int) -> Linear:
    one = np.zeros(len(block))
    one[number] = 1.0
    return Linear({block.name: one})


def factors(m: Core, cost: Cost) -> tuple[float, float]:
    """What a dollar of goods and a dollar of one-off cost count for; charges and upkeep are the same at every site."""
    money = next(iter(m.candidates.economics.values()))
    return {
        Cost.GOODS: (1.0, 1.0),
        Cost.CAPEX: (money.charges, 1.0),
        Cost.OPEX: (money.charges * money.upkeep, 0.0),
        Cost.TCO: (money.charges * money.ownership, 1.0 + money.financing),
    }[cost]


def paid(
    m: Core, cost: Cost, wanted: Callable[[Offer], bool] = lambda _: True, quantum: float = MONEY_QUANTUM
) -> Linear:
    """Cost of all orders from the wanted offers [``quantum`` USD], kUSD in whole ones by columns and rows that come with the
    first use. A finer quantum needs none: every unit is then counted at its own rounded price."""
    offers = list(m.candidates.offers)
    if not offers:
        return Linear()
    if quantum != MONEY_QUANTUM:
        return Linear.total([_at_unit_prices(m, cost, offer, quantum) for offer in offers if wanted(offer)])
    name = f"paid[{cost.value}]"
    if name not in m.blocks:
        _add_paid(m, cost, name, offers)
    return Linear({name: np.array([float(wanted(offer)) for offer in offers])})


def _at_unit_prices(m: Core, cost: Cost, offer: Offer, quantum: float) -> Linear:
    per_dollar, per_one_off = factors(m, cost)
    prices = np.array(offer.prices(m.instance.money.price_basis)) * per_dollar
    once = float(nearest(offer.one_off * per_one_off, quantum))
    return Linear({f"bought[{offer.name}]": nearest(prices, quantum)}) + m.read(f"used[{offer.name}]") * once


def _add_paid(m: Core, cost: Cost, name: str, offers: list[Offer]) -> None:
    per_dollar, per_one_off = factors(m, cost)
    basis = m.instance.money.price_basis
    spent, kilo = [], []
    for offer in offers:
        prices = [price * per_dollar for price in offer.prices(basis)]
        step = price_step(max([*prices, offer.one_off * per_one_off]))
        coefficients = np.array([float(round(price / step)) for price in prices])
        once = float(round(offer.one_off * per_one_off / step))
        spent.append(Linear({f"bought[{offer.name}]": coefficients}) + m.read(f"used[{offer.name}]") * once)
        kilo.append(round(MONEY_QUANTUM / step))
    most = max(most_of(m, total) / k for total, k in zip(spent, kilo, strict=True))
    block = m.add_block(Block(name, tuple(o.name for o in offers), Kind.INTEGER, float(ceil(most) + 1)))
    with m.on_behalf_of("sourcing"):
        for number, (offer, total, k) in enumerate(zip(offers, spent, kilo, strict=True)):
            difference = total - _column(block, number) * float(k)
            index = (cost.value, offer.name)
            m.at_least("paid_least", index, difference, -(k // 2), "", "")
            m.at_most("paid_most", index, difference, k - 1 - k // 2, "", "")


def price_step(dearest: float) -> float:
    """Step [USD] that prices of an offer are rounded to: six digits of the dearest, at least a cent, at most a kUSD."""
    if dearest <= 0:
        return MONEY_QUANTUM
    return float(10.0 ** min(COARSEST, max(FINEST, floor(log10(dearest)) + 1 - DIGITS)))
