"""How much of the time the plant of a site carries its load: binomial sums over the units of each option."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from models.instance import Instance
from models.site import Chain, Topology
from models.units import Unlimited
from optimizer.verification.plant import Option, Plant
from optimizer.verification.pods import PodFacts


def stands(option: Option, steps: Sequence[int]) -> float:
    """Share of the time an option carries its load with so many carrying steps of each unit."""
    if option.blocks is not None:
        blocks = option.blocks
        block = math.prod((u.stands if u.stands is not None else 1.0) ** (u.sets // blocks.count) for u in option.units)
        if blocks.topology is not Topology.BLOCK_REDUNDANT:
            return at_least(blocks.count - 1, blocks.count, block) ** steps[0]
        reserves = blocks.count - blocks.needed
        behind = [len(range(first, blocks.needed, reserves)) for first in range(reserves)]
        return math.prod(at_least(n, n + 1, block) for n in behind if n) ** steps[0]
    share = 1.0
    for unit, count in zip(option.units, steps, strict=True):
        if unit.stands is None:
            continue
        if unit.systems == 2:
            share *= 1.0 - (1.0 - unit.stands**count) ** 2
        elif unit.sets == 1:
            share *= at_least(count, count + unit.spare, unit.stands)
        else:
            share *= at_least(unit.carrying, unit.sets, unit.stands) ** count
    return share


def at_least(needed: int, of: int, share: float) -> float:
    """Probability that at least ``needed`` of ``of`` units stand."""
    return sum(math.comb(of, k) * share**k * (1.0 - share) ** (of - k) for k in range(needed, of + 1))


def bought(option: Option, units: Sequence[int]) -> float:
    """With the units a design lists."""
    return stands(option, [(n - u.spare) // u.sets for u, n in zip(option.units, units, strict=True)])


def at_utility(instance: Instance, site: str, option: Option) -> float:
    """With the most units the utility could ever feed; one that carries where it is unlimited."""
    utility = instance.sites[site].utility.value
    load = 1.0 if isinstance(utility, Unlimited) else utility / 1e3
    return stands(option, [math.ceil(load / unit.capacity_kw - 1e-9) for unit in option.units])


def of_pod(instance: Instance, plant: Plant, one: PodFacts) -> float:
    """Probability that a pod stands and the plant it needs, however large that grows."""
    return one.reliability.availability * math.prod(
        at_utility(instance, one.pod.site, plant.options[one.pod.site, Chain(chain), name])
        for chain, name in one.pod.options.items()
    )


def stated(options: Iterable[Option]) -> bool:
    """Whether the failures of any part are."""
    return any(unit.stands is not None for option in options for unit in option.units)
