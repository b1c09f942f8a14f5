"""Sums as the program counts them: every pod, unit and order rounded once to whole quanta."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from models.instance import Instance
from models.parts.part import PriceRange
from models.policy import PowerFigure
from models.site import Chain
from models.workload import Training
from optimizer.design import BomLine, SiteExchange
from optimizer.verification.bill import pod_lines
from optimizer.verification.counting import Book
from optimizer.verification.money import SiteMoney, pod_carbon, pod_money, site_money
from optimizer.verification.plant import Plant, positions_taken
from optimizer.verification.pods import PodFacts
from optimizer.verification.purchasing import largest_spend, latest_arrival, order_cost
from optimizer.verification.quanta import ZERO, Total, down, least, quanta, up
from optimizer.verification.split import link_costs, of_all, slowest, split_of
from optimizer.verification.standing import of_pod

ROLES = ("prefill", "decode")
MILLION = 1_000_000

Units = dict[tuple[str, Chain, str], tuple[int, ...]]


@dataclass(frozen=True)
class Sums:
    """The sums of one design in quanta."""

    instance: Instance
    facts: Sequence[PodFacts]
    units: Units
    plant: Plant
    book: Book
    exchanges: Sequence[SiteExchange] = ()

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
                if unit.part.id in self.book.bought.parts:
                    continue
                assert unit.part.price is not None
                total = total + quanta(paid(site, unit.part.price), 1e3, round).times(count)
        return total

    def _lines(self, facts: PodFacts) -> list[BomLine]:
        """Lines of a pod that are not ordered."""
        return [line for line in pod_lines(self.instance, facts) if line.part not in self.book.bought.parts]

    def money(self, capex: bool, opex: bool) -> Total:
        """Capital cost, cost of running, or the total cost of ownership [kUSD]: both, financing, less the residual value."""
        basis = self.instance.money.price_basis

        def per_dollar(at: SiteMoney) -> float:
            """What a dollar of price counts for."""
            owned = at.charges * at.financing - at.residual if capex and opex else 0.0
            return at.charges * ((1.0 if capex else 0.0) + (at.upkeep if opex else 0.0)) + owned

        def of_pod(one: PodFacts) -> Total:
            spent = pod_money(self.instance, one, self._lines(one), self.plant, basis)
            counted = (spent.capex if capex else 0.0) + (spent.opex if opex else 0.0)
            return quanta(counted + (spent.financing - spent.residual if capex and opex else 0.0), 1e3, round)

        def of_unit(site: str, price: PriceRange) -> float:
            return price.at(basis) * per_dollar(site_money(self.instance, site))

        at = site_money(self.instance, next(iter(self.instance.sites)))
        once = (1.0 if capex else 0.0) + (at.financing if capex and opex else 0.0)
        paid = self._over(of_pod) + self._bought(of_unit) + order_cost(self.book, per_dollar(at), once)
        return paid + self._links() if opex else paid

    def _links(self) -> Total:
        """Links between sites over the horizon [kUSD], each ring rounded once."""
        total = ZERO
        for one in self.exchanges:
            total = total + quanta(sum(usd for _, _, usd in link_costs(self.instance, [one])), 1e3, round)
        return total

    def concentration(self) -> Total:
        """Spend with the largest vendor [kUSD]."""
        return largest_spend(self.book)

    def lead_time(self) -> Total:
        """Days from the order to the latest arrival."""
        return latest_arrival(self.book)

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
        racks = self._over(lambda one: Total(one.floor, one.floor), lambda one: site in (None, one.pod.site))
        plant = positions_taken(self.plant, self.units, site)
        return racks + Total(plant, plant)

    def delivered(self, cluster: str, role: str | None = None) -> Total:
        """Tokens per second of goodput of a cluster: in one role, or the lesser of both."""
        if role is None:
            return least(self.delivered(cluster, one) for one in ROLES)
        if split_of(self.instance, cluster) is not None:
            return self._of_slowest(cluster, 1.0)
        return self._over(
            lambda one: quanta(one.rate, 1.0, down), lambda one: one.pod.cluster == cluster and one.able(role)
        )

    def share_of_demand(self) -> Total:
        """Smallest delivered share of demand over all clusters and roles [1e-4]."""
        demands = {cluster: workload.demand for cluster, workload in self.instance.workloads.items()}
        return least(self._share(cluster, demand, role) for cluster, demand in demands.items() for role in ROLES)

    def _of_slowest(self, cluster: str, quantum: float) -> Total:
        """What a job over several sites delivers, in quanta [tokens/s]."""
        mine = [one for one in self.facts if one.pod.cluster == cluster]
        nets = [quanta(one.pace * one.goodput, quantum, down) for one in mine]
        return slowest(nets, [quanta(one.pace * (1.0 - one.goodput), quantum, up) for one in mine])

    def _share(self, cluster: str, demand: float, role: str) -> Total:
        if split_of(self.instance, cluster) is not None:
            return self._of_slowest(cluster, demand * 1e-4)
        return self._over(
            lambda one: quanta(one.rate / demand, 1e-4, down),
            lambda one: one.pod.cluster == cluster and one.able(role),
        )

    def goodput(self, cluster: str | None = None) -> Total:
        """Goodput of a cluster, or of the worst training cluster [1e-6]."""
        training = [name for name, w in self.instance.workloads.items() if isinstance(w, Training)]
        wanted = [cluster] if cluster is not None else training or list(self.instance.workloads)
        return least(self._goodput(name) for name in wanted)

    def availability(self) -> Total:
        """Availability of the worst pod in use [1e-6]."""
        return self._worst(lambda one: of_pod(self.instance, self.plant, one), list(self.instance.workloads))

    def blast_radius(self) -> Total:
        """Accelerators that the worst single failure takes."""
        most = max((one.reliability.blast_radius for one in self.facts), default=0)
        return Total(most, most)

    def _goodput(self, cluster: str) -> Total:
        """Of the worst pod in use, or of all where the job needs all of them."""
        return self._worst(lambda one: one.goodput, [cluster])

    def _worst(self, share: Callable[[PodFacts], float], clusters: Sequence[str]) -> Total:
        found: list[Total] = []
        for cluster in clusters:
            mine = [quanta(share(one), 1e-6, down) for one in self.facts if one.pod.cluster == cluster]
            whole = mine and split_of(self.instance, cluster) is not None
            found += [of_all(mine, MILLION)] if whole else mine
        return Total(min((s.least for s in found), default=0), min((s.most for s in found), default=0))
