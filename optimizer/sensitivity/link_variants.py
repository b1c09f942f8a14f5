"""Which systems a better cable or module can matter to, so that only those are enumerated again for each of its fields.

A change of a link's price, power, reach or failures moves what networks cost and how much of the time pods run, nothing else. With
networks for nothing (links without price, power and failures that reach everywhere, switches without power, height and mass)
the cheapest design with a system is a bound from below of what it can cost under any such change.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from models.candidates.placement import enumerate_candidates
from models.errors import InfeasibleError
from models.instance import Instance
from models.parts.network_part import Link, Switch
from models.parts.system import System
from optimizer.performance_cache import PerformanceCache
from optimizer.sensitivity.effort import Effort
from optimizer.sensitivity.part_program import PartProgram, Requirement
from optimizer.sensitivity.part_variants import confined, with_parts
from optimizer.sensitivity.repricing import with_part

FAR = 1e6
"""A reach [m] beyond that of any hall."""
SLIGHT = 1e-3
"""A height [rack units] that asks for no rack of its own."""


def with_free_networks(instance: Instance) -> Instance:
    """The instance with links and switches that take nothing but the price of the switches."""
    for link in instance.catalogue.of(Link).values():
        instance = with_part(instance, at_its_best(link))
    for switch in instance.catalogue.of(Switch).values():
        free = {"typical_power": 0.0, "max_power": 0.0, "height_units": SLIGHT, "weight": 0.0}
        known = {name: value for name, value in free.items() if getattr(switch, name) is not None}
        instance = with_part(instance, switch.model_copy(update=known))
    return instance


def at_its_best(link: Link) -> Link:
    """The link for nothing, without failures, as far as any run."""
    free = {"power_per_end": 0.0, "price_low_per_end": 0.0, "price_high_per_end": 0.0, "reach": FAR}
    known = {name: value for name, value in free.items() if getattr(link, name) is not None}
    return link.model_copy(update={**known, "failure_rate": 0.0})


@dataclass(frozen=True)
class Found:
    """The least cost [USD] of a design with a changed link, ``bound`` from below; ``value`` None where none was found up to ``bound``."""

    value: float | None
    bound: float
    exact: bool


class NearSystems:
    """Systems of a lone cluster by the least they can cost with networks for nothing, those first that a link may matter to."""

    def __init__(self, instance: Instance, objective: str, wanted: Requirement, effort: Effort) -> None:
        self._objective, self._wanted = objective, wanted
        self._memo = PerformanceCache()
        free = with_free_networks(instance)
        bounds = {system: self._least(free, system, None, effort).bound for system in _systems(instance)}
        self.bounds = {
            system: bound for system, bound in sorted(bounds.items(), key=lambda b: b[1]) if bound < math.inf
        }

    def least(self, changed: Instance, link: str, enough: float, effort: Effort) -> Found:
        """The cheapest design of the changed instance that has the link; looked for up to a cost of ``enough``."""
        best, lower, exact = math.inf, math.inf, True
        for system, bound in self.bounds.items():
            if bound >= min(best, enough) or effort.over:
                return _told(best, min(lower, bound), exact and not effort.over)
            found = self._least(changed, system, link, effort)
            best, lower = min(best, math.inf if found.value is None else found.value), min(lower, found.bound)
            exact = exact and found.exact
        return _told(best, lower, exact)

    def _least(self, instance: Instance, system: str, link: str | None, effort: Effort) -> Found:
        made = enumerate_candidates(confined(instance, (system,), instance.catalogue.get(System, system)), self._memo)
        made = with_parts(made, (link or system,))
        try:
            program = PartProgram.of(
                instance, link or system, self._objective, tuple(self._wanted.values), (instance, made)
            )
        except InfeasibleError:
            return Found(None, math.inf, True)
        if effort.over:
            return Found(None, -math.inf, False)
        price = program.list_price or 0.0
        limits = [*self._wanted.limits(program.dear), *program.ceilings(price)]
        answer = program.dear.least({"rest": 1.0, "paid": price}, effort, limits)
        return Found(answer.value, answer.bound, answer.exact)


def _told(best: float, lower: float, exact: bool) -> Found:
    """Exact where nothing that was not looked at can be cheaper."""
    if best == math.inf:
        return Found(None, lower, exact and lower == math.inf)
    return Found(best, min(best, lower), exact)


def _systems(instance: Instance) -> list[str]:
    """Systems that some design space allows."""
    spaces = [w.design_space.systems for w in instance.workloads.values()]
    return [s for s in instance.catalogue.of(System) if any(known is None or s in known for known in spaces)]
