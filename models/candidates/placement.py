"""Placements: every pod of a cluster at a site under every combination of plant options it needs.

One row is one column of the program. Products of pod and option (overhead power, energy, carbon) are data here, so that
nothing non-linear is left: facility power = IT power + losses of the power chain + fans, pumps and compressors of its chains.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import numpy.typing as npt

from models.candidates.batch_split import Way, ways_of
from models.candidates.economics import Economics, economics_of
from models.candidates.offers import Offers, offers_of
from models.candidates.placing import Placed, Placing
from models.candidates.plant import PlantOption, plant_options
from models.candidates.pod import pod_source
from models.candidates.rack_design import enumerate_rack_designs
from models.candidates.rejection import Rejection
from models.candidates.throughput_table import Memo
from models.instance import Instance
from models.physics.cost import PriceBasis
from models.policy import PowerFigure
from models.site import Chain

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Placements(Placed):
    """Placed pods of one cluster at one site; a row is a placement."""

    def __len__(self) -> int:
        return len(self.pod)

    @property
    def cluster(self) -> str:
        """The cluster placed."""
        return self.pods.cluster

    @property
    def site(self) -> str:
        """The site it is placed at."""
        return self.pods.site

    def key(self, row: int) -> str:
        """Readable and unique: pod and combination."""
        return f"{self.pods.pod_id(int(self.pod[row]))}|{self.combinations[int(self.combination[row])].id}"

    def of_pods(self, values: npt.ArrayLike) -> Floats:
        """A per-pod column spread over the rows."""
        return np.asarray(values, dtype=np.float64)[self.pod]

    def uses(self, option: PlantOption) -> npt.NDArray[np.bool_]:
        """Rows whose combination contains ``option``."""
        member = np.array([option in c.options for c in self.combinations], dtype=np.bool_)
        return np.asarray(member[self.combination], dtype=np.bool_)

    def chain_load(self, chain: Chain, figure: PowerFigure) -> Floats:
        """Load [W] on one chain: IT power for the power chain, heat for the others."""
        column = {
            Chain.AIR: self.pods.air,
            Chain.REAR_DOOR: self.pods.rear_door,
            Chain.LIQUID: self.pods.liquid,
            Chain.POWER: self.pods.it,
        }
        return self.of_pods(self.pods.load(column[chain], figure))

    def facility_power(self, figure: PowerFigure) -> Floats:
        """Power [W] the site draws for each row: IT, and the electrical share of every chain it uses."""
        total = self.of_pods(self.pods.load(self.pods.it, figure))
        for chain in Chain:
            taken = [c.option(chain) for c in self.combinations]
            shares = np.array([0.0 if option is None else option.share(figure) for option in taken])
            total = total + self.chain_load(chain, figure) * shares[self.combination]
        return total

    def equipment_price(self, basis: PriceBasis) -> Floats:
        """Price of systems, racks, switches and links [USD] on a basis, before charges."""
        pods = self.pods
        low, high = pods.cost_low.sum(axis=0), pods.cost_high.sum(axis=0)
        weight = {PriceBasis.LOW: 0.0, PriceBasis.MID: 0.5, PriceBasis.HIGH: 1.0}[basis]
        return self.of_pods(low + weight * (high - low))

    @property
    def availability(self) -> Floats:
        """Probability that the pod of each row stands: its systems with their spares, its fabric, its storage."""
        plant = np.array([c.availability for c in self.combinations], dtype=np.float64)
        return self.of_pods(self.pods.availability) * plant[self.combination]

    def capex(self, money: Economics, ordered: Floats | float = 0.0) -> Floats:
        """Capital cost [USD] of each row without plant units: equipment with charges, and the shell.

        ``ordered`` is the price [USD] of what is bought through offers instead; so below.
        """
        return (self.equipment_price(money.basis) - ordered) * money.charges + self.of_pods(
            self.pods.load(self.pods.it, PowerFigure.DESIGN)
        ) * money.shell

    def opex(self, money: Economics, ordered: Floats | float = 0.0) -> Floats:
        """Present value [USD] of maintenance and energy of each row over the horizon."""
        upkeep = (
            (self.equipment_price(money.basis) - ordered) * money.charges * money.maintenance * money.upkeep_annuity
        )
        return upkeep + self.facility_power(PowerFigure.IN_USE) * money.energy_cost

    def tco(self, money: Economics, ordered: Floats | float = 0.0) -> Floats:
        """Capex, opex and financing less the residual value of equipment [USD] of each row over the horizon."""
        capex = self.capex(money, ordered)
        left = (self.equipment_price(money.basis) - ordered) * money.residual
        return capex + self.opex(money, ordered) + capex * money.financing - left

    def carbon(self, money: Economics, embodied_per_accelerator: float) -> Floats:
        """Carbon [kg] of each row over the horizon: operation and embodied."""
        return (
            self.facility_power(PowerFigure.IN_USE) * money.carbon_per_watt
            + self.of_pods(self.pods.installed) * embodied_per_accelerator
        )

    def take(self, rows: npt.ArrayLike) -> Placements:
        """The placements of some rows."""
        picked = np.asarray(rows)
        return Placements(self.pods, self.combinations, self.pod[picked], self.combination[picked])

    @property
    def considered(self) -> int:
        """How many placements were enumerated, those that were not gone on with included."""
        return len(self) if self.enumerated is None else self.enumerated


@dataclass(frozen=True)
class Candidates:
    """Everything the program may choose from, and everything that was turned down with its reason.

    ``ways``: how clusters that may be split can be, by cluster.
    """

    placements: tuple[Placements, ...]
    options: dict[str, dict[Chain, list[PlantOption]]]
    economics: dict[str, Economics]
    rejections: tuple[Rejection, ...]
    fabric_refusals: int
    offers: Offers = field(default_factory=Offers)
    ways: dict[str, tuple[Way, ...]] = field(default_factory=dict)

    def of(self, cluster: str) -> tuple[Placements, ...]:
        """Placements of one cluster, by site."""
        return tuple(p for p in self.placements if p.cluster == cluster)


def enumerate_candidates(
    instance: Instance,
    memo: Memo | None = None,
    barred_too: bool = False,
    objectives: Sequence[str] = (),
    clusters: Collection[str] | None = None,
    sift: Callable[[Candidates], Ints] | None = None,
) -> Candidates:
    """All placements of all clusters at all sites they may stand at; ``memo`` keeps throughput tables by content.

    ``barred_too``: also those of pods that are barred for want of a layout. ``objectives``: those asked for; emptier racks are
    kept only where the largest loss at once counts. ``clusters``: only these (None: all). ``sift``: shown some placements of one
    cluster at one site, says which rows to go on with; the rest is dropped before more are made (None: all are held together).
    """
    rejections: list[Rejection] = []
    options: dict[str, dict[Chain, list[PlantOption]]] = {}
    for site in instance.sites:
        options[site], refused = plant_options(instance, site)
        rejections.extend(refused)
    economics = {site: economics_of(instance, site) for site in instance.sites}
    offers = offers_of(instance)
    ways = {cluster: found for cluster in instance.workloads if (found := ways_of(instance, cluster))}
    nothing = Candidates((), options, economics, (), 0, offers, ways)
    shown = None if sift is None else partial(_shown, sift, nothing)
    every_rack = instance.limits.blast_radius is not None or "blast_radius" in objectives
    placements: list[Placements] = []
    refusals = 0
    for cluster, workload in instance.workloads.items():
        if clusters is not None and cluster not in clusters:
            continue
        racks, illegal = enumerate_rack_designs(instance, cluster)
        rejections.extend(illegal)
        for site in workload.sites if workload.sites is not None else tuple(instance.sites):
            source = pod_source(instance, cluster, site, racks, memo, barred_too, every_rack)
            placing = Placing(instance, source, options[site], shown)
            rejections.extend(source.rejections)
            for pods, rows, sources in source.tables(rejections):
                placing.add(pods, rows, sources)
            placed = placing.placed()
            rejections.extend(placing.rejections())
            refusals += len(source.refusals)
            if placed is not None:
                placements.append(_placements(placed))
    rejections.extend(offers.rejections)
    return replace(
        nothing, placements=tuple(placements), rejections=tuple(dict.fromkeys(rejections)), fabric_refusals=refusals
    )


def _placements(found: Placed) -> Placements:
    return Placements(found.pods, found.combinations, found.pod, found.combination, found.number, found.enumerated)


def _shown(sift: Callable[[Candidates], Ints], rest: Candidates, some: Placed) -> Ints:
    """What ``sift`` says of some placements beside options, money and offers."""
    return sift(replace(rest, placements=(_placements(some),)))
