"""Placements: every pod of a cluster at a site under every combination of plant options it needs.

One row is one column of the program. Products of pod and option (overhead power, energy, carbon) are data here, so that
nothing non-linear is left: facility power = IT power + losses of the power chain + fans, pumps and compressors of its chains.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np
import numpy.typing as npt

from models.candidates.batch_split import Way, ways_of
from models.candidates.economics import Economics, economics_of
from models.candidates.offers import Offers, offers_of
from models.candidates.plant import Combination, PlantOption, combinations, plant_options
from models.candidates.pod import enumerate_pods
from models.candidates.pod_table import PodTable
from models.candidates.rack_design import RackDesign, enumerate_rack_designs
from models.candidates.rejection import Rejection, Stage
from models.candidates.ring_load import rack_loads
from models.candidates.throughput_table import Memo
from models.instance import Instance
from models.physics.cost import PriceBasis
from models.policy import PowerFigure
from models.site import Chain
from models.site_options import CoolantTo
from models.workload import RackCooling

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Placements:
    """Rows: ``pod`` (into ``pods``) and ``combination`` (into ``combinations``), sorted by pod size, then as enumerated."""

    pods: PodTable
    combinations: tuple[Combination, ...]
    pod: Ints
    combination: Ints

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
) -> Candidates:
    """All placements of all clusters at all sites they may stand at; ``memo`` keeps throughput tables by content.

    ``barred_too``: also those of pods that are barred for want of a layout. ``objectives``: those asked for; emptier racks are
    kept only where the largest loss at once counts. ``clusters``: only these (None: all).
    """
    rejections: list[Rejection] = []
    options: dict[str, dict[Chain, list[PlantOption]]] = {}
    for site in instance.sites:
        options[site], refused = plant_options(instance, site)
        rejections.extend(refused)
    placements: list[Placements] = []
    refusals = 0
    for cluster, workload in instance.workloads.items():
        if clusters is not None and cluster not in clusters:
            continue
        racks, illegal = enumerate_rack_designs(instance, cluster)
        rejections.extend(illegal)
        for site in workload.sites if workload.sites is not None else tuple(instance.sites):
            asked = _Asked(memo, barred_too, _losses_count(instance, objectives))
            made, unfit, count = _place(instance, cluster, site, racks, options[site], asked)
            rejections.extend(unfit)
            refusals += count
            if made is not None:
                placements.append(made)
    economics = {site: economics_of(instance, site) for site in instance.sites}
    offers = offers_of(instance)
    rejections.extend(offers.rejections)
    ways = {cluster: found for cluster in instance.workloads if (found := ways_of(instance, cluster))}
    return Candidates(tuple(placements), options, economics, tuple(dict.fromkeys(rejections)), refusals, offers, ways)


@dataclass(frozen=True)
class _Asked:
    """What every enumeration of pods is told beside the instance."""

    memo: Memo | None
    barred_too: bool
    every_rack: bool


def _losses_count(instance: Instance, objectives: Sequence[str]) -> bool:
    return instance.limits.blast_radius is not None or "blast_radius" in objectives


def _place(
    instance: Instance,
    cluster: str,
    site: str,
    racks: Sequence[RackDesign],
    options: dict[Chain, list[PlantOption]],
    asked: _Asked,
) -> tuple[Placements | None, tuple[Rejection, ...], int]:
    found = enumerate_pods(instance, cluster, site, racks, asked.memo, asked.barred_too, asked.every_rack)
    if found.pods is None:
        return None, found.rejections, len(found.refusals)
    pods = found.pods
    all_combinations: list[Combination] = []
    pod_rows: list[Ints] = []
    combination_rows: list[Ints] = []
    refused: list[Rejection] = []
    ways = {(r.cooling, _served(r)) for r in pods.racks}
    for cooling, served in product(RackCooling, CoolantTo):
        if (cooling, served) not in ways:
            continue
        mine = np.array([(r.cooling, _served(r)) == (cooling, served) for r in pods.racks])
        rows = np.flatnonzero(mine[pods.rack])
        if not len(rows):
            continue
        for chosen in combinations(options, cooling, served):
            cool = rows[_cool_enough(instance, pods, chosen)[rows]]
            if len(cool) < len(rows):
                refused.append(_too_warm(cluster, site, chosen, len(rows), len(cool)))
            held = cool[_on_blocks(instance, pods, chosen)[cool]]
            if len(held) < len(cool):
                refused.append(_unheld(cluster, site, chosen, len(cool), len(held)))
            pod_rows.append(held)
            combination_rows.append(np.full(len(held), len(all_combinations), dtype=np.int64))
            all_combinations.append(chosen)
    rejections = (*found.rejections, *refused)
    if not pod_rows:
        return None, rejections, len(found.refusals)
    pod, combination = np.concatenate(pod_rows), np.concatenate(combination_rows)
    order = np.lexsort((combination, pod, pods.accelerators[pod]))
    return (
        Placements(pods, tuple(all_combinations), pod[order], combination[order]),
        rejections,
        len(found.refusals),
    )


def _served(rack: RackDesign) -> CoolantTo:
    return CoolantTo.RACKS if rack.coolant.cdu is None else CoolantTo.RACK_CDUS


def _cool_enough(instance: Instance, pods: PodTable, chosen: Combination) -> npt.NDArray[np.bool_]:
    """Pods whose racks' own CDUs stand the facility water of the liquid option."""
    liquid = chosen.option(Chain.LIQUID)
    if liquid is None or liquid.supply is None:
        return np.ones(len(pods), dtype=np.bool_)
    loop = instance.workloads[pods.cluster].design_space.coolant.loop
    limits = [rack.coolant.warmest((loop.approach or 0.0) if loop is not None else 0.0) for rack in pods.racks]
    stands = np.array([limit is None or liquid.supply <= limit + 1e-9 for limit in limits])
    return np.asarray(stands[pods.rack], dtype=np.bool_)


def _too_warm(cluster: str, site: str, chosen: Combination, pods: int, held: int) -> Rejection:
    liquid = chosen.option(Chain.LIQUID)
    assert liquid is not None
    reason = (
        f"of {pods} pods {pods - held} have CDUs in their racks that do not stand its supply of {liquid.supply:g} degC"
    )
    return Rejection(f"liquid={liquid.id}", Stage.POD, reason, cluster, site)


def _on_blocks(instance: Instance, pods: PodTable, chosen: Combination) -> npt.NDArray[np.bool_]:
    """Pods whose racks, one by one, hang on the blocks of the power option."""
    power = chosen.option(Chain.POWER)
    if power is None or power.ring is None:
        return np.ones(len(pods), dtype=np.bool_)
    return rack_loads(instance, pods, power.ring).fits(power.ring)


def _unheld(cluster: str, site: str, chosen: Combination, pods: int, held: int) -> Rejection:
    power = chosen.option(Chain.POWER)
    assert power is not None and power.ring is not None
    reason = (
        f"of {pods} pods {pods - held} have a rack that its blocks of {power.ring.capacity} kW do not carry, or racks of switches "
        f"above {power.ring.largest_small} kW (small_racks)"
    )
    return Rejection(f"power={power.id}", Stage.POD, reason, cluster, site)
