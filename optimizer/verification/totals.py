"""Sums as the program counts them: every pod and unit rounded once to whole quanta.

Money to the nearest kUSD, power and carbon up to whole kW and t, deliveries down to whole tokens per second. A value so close
to the middle (or to the edge) that the last digit decides may be rounded either way: a total is therefore a least and a most.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor

from models.instance import Instance
from models.parts.part import PriceRange
from models.policy import PowerFigure
from models.site import Chain
from models.workload import Training
from optimizer.design import BomLine
from optimizer.verification.bill import pod_lines
from optimizer.verification.money import pod_carbon, pod_money, site_money
from optimizer.verification.plant import Plant
from optimizer.verification.pods import PodFacts

EDGE = 1e-9
LAST_DIGITS = 1e-10
ROLES = ("prefill", "decode")

Units = dict[tuple[str, Chain, str], tuple[int, ...]]
Rounding = Callable[[float], int]


@dataclass(frozen=True)
class Total:
    """A sum of whole quanta: the same number twice, unless a term lay on the edge of rounding."""

    least: int
    most: int

    def __add__(self, other: Total) -> Total:
        return Total(self.least + other.least, self.most + other.most)

    def times(self, count: int) -> Total:
        """The sum of ``count`` equal terms."""
        return Total(self.least * count, self.most * count)

    def holds(self, value: float) -> bool:
        """Whether a reported sum is this one."""
        return self.least - 1e-6 <= value <= self.most + 1e-6


ZERO = Total(0, 0)


def least(totals: Iterable[Total]) -> Total:
    """The smallest of some totals."""
    found = list(totals)
    return Total(min(t.least for t in found), min(t.most for t in found))


def up(value: float) -> int:
    """Whole number at or above, with room for the last digits."""
    return ceil(value - EDGE)


def down(value: float) -> int:
    """Whole number at or below, with room for the last digits."""
    return floor(value + EDGE)


def quanta(value: float, quantum: float, how: Rounding) -> Total:
    """``value`` in whole quanta; both neighbours where the last digits decide."""
    exact = value / quantum
    room = LAST_DIGITS * max(1.0, abs(exact))
    return Total(how(exact - room), how(exact + room))


@dataclass(frozen=True)
class Sums:
    """The sums of one design in quanta."""

    instance: Instance
    facts: Sequence[PodFacts]
    units: Units
    plant: Plant

    def _over(self, term: Callable[[PodFacts], Total], chosen: Callable[[PodFacts], bool] = lambda _: True) -> Total:
        total = ZERO
        for one in self.facts:
            if chosen(one):
                total = total + term(one).times(one.count)
        return total

    def _bought(self, paid: Callable[[str, PriceRange], float]) -> Total:
        total = ZERO
        for (site, chain, name), counts in self.units.items():
            for unit, count in zip(self.plant.options[site, chain, name].units, counts, strict=True):
                assert unit.part.price is not None
                total = total + quanta(paid(site, unit.part.price), 1e3, round).times(count)
        return total

    def _lines(self, facts: PodFacts) -> list[BomLine]:
        return list(pod_lines(self.instance, facts))

    def money(self, capex: bool, opex: bool) -> Total:
        """Capital cost, cost of running, or both [kUSD]."""
        basis = self.instance.money.price_basis

        def of_pod(one: PodFacts) -> Total:
            spent = pod_money(self.instance, one, self._lines(one), self.plant, basis)
            return quanta((spent[0] if capex else 0.0) + (spent[1] if opex else 0.0), 1e3, round)

        def of_unit(site: str, price: PriceRange) -> float:
            at = site_money(self.instance, site)
            return price.at(basis) * at.charges * ((1.0 if capex else 0.0) + (at.upkeep if opex else 0.0))

        return self._over(of_pod) + self._bought(of_unit)

    def power(self, figure: PowerFigure, site: str | None = None) -> Total:
        """Power drawn from the utility [kW]."""
        return self._over(
            lambda one: quanta(self.plant.facility_w(one, figure), 1e3, up), lambda one: site in (None, one.pod.site)
        )

    def carbon(self) -> Total:
        """Carbon over the horizon [t]."""
        return self._over(lambda one: quanta(pod_carbon(self.instance, one, self.plant), 1e3, up))

    def floor(self, site: str | None = None) -> Total:
        """Rack positions."""
        return self._over(lambda one: Total(one.floor, one.floor), lambda one: site in (None, one.pod.site))

    def delivered(self, cluster: str, role: str | None = None) -> Total:
        """Tokens per second of goodput of a cluster: in one role, or the lesser of both."""
        if role is None:
            return least(self.delivered(cluster, one) for one in ROLES)
        return self._over(
            lambda one: quanta(one.rate, 1.0, down), lambda one: one.pod.cluster == cluster and one.able(role)
        )

    def share_of_demand(self) -> Total:
        """Smallest delivered share of demand over all clusters and roles [1e-4]."""
        demands = {cluster: workload.demand for cluster, workload in self.instance.workloads.items()}
        return least(self._share(cluster, demand, role) for cluster, demand in demands.items() for role in ROLES)

    def _share(self, cluster: str, demand: float, role: str) -> Total:
        return self._over(
            lambda one: quanta(one.rate / demand, 1e-4, down),
            lambda one: one.pod.cluster == cluster and one.able(role),
        )

    def goodput(self, cluster: str | None = None) -> Total:
        """Goodput of a cluster, or of the worst training cluster [1e-6]."""
        training = [name for name, w in self.instance.workloads.items() if isinstance(w, Training)]
        wanted = [cluster] if cluster is not None else training or list(self.instance.workloads)
        return least(self._goodput(name) for name in wanted)

    def _goodput(self, cluster: str) -> Total:
        """Of the worst pod in use."""
        shares = [quanta(one.goodput, 1e-6, down) for one in self.facts if one.pod.cluster == cluster]
        return Total(min((s.least for s in shares), default=0), min((s.most for s in shares), default=0))
