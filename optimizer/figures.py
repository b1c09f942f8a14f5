"""Exact figures of a design from its decisions and bill of materials, without the program's rounding."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod

from models.candidates.economics import SECONDS_PER_YEAR, Economics, economics_of, lasting
from models.candidates.plant import PlantOption, plant_options
from models.instance import Instance
from models.physics.cost import PriceBasis
from models.site import Chain
from models.workload import ThroughputMethod, Training
from optimizer.design import (
    BomLine,
    Order,
    PlantChoice,
    PodChoice,
    RingChoice,
    SiteExchange,
    served,
    throughput_band,
    whole_share,
)
from optimizer.ring_figures import ring_figures
from optimizer.site_energy import energy_figures, positions_of, standing_figures
from optimizer.stranding import stranding_figures

NAMEPLATE, DESIGN, TYPICAL, IN_USE = 0, 1, 2, 3


def figures_of(
    instance: Instance,
    pods: tuple[PodChoice, ...],
    plant: tuple[PlantChoice, ...],
    rings: tuple[RingChoice, ...],
    bom: tuple[BomLine, ...],
    orders: tuple[Order, ...] = (),
    exchanges: tuple[SiteExchange, ...] = (),
) -> dict[str, float]:
    """Money at the instance's basis and at both ends of the price ranges, power, energy, carbon, floor, delivery, goodput.

    Then water and effectiveness, where each site's installed power goes, and its rings of blocks.
    """
    figures: dict[str, float] = {}
    for basis, suffix in ((instance.money.price_basis, ""), (PriceBasis.LOW, "_low"), (PriceBasis.HIGH, "_high")):
        spent = _money(instance, pods, bom, orders, basis, sum(one.usd_per_s for one in exchanges) * lasting(instance))
        figures[f"capex_usd{suffix}"] = spent.capex
        figures[f"opex_usd{suffix}"] = spent.opex
        figures[f"tco_usd{suffix}"] = spent.capex + spent.opex + spent.financing - spent.residual
        if instance.money.financing is not None:
            figures[f"financing_usd{suffix}"] = spent.financing
        if instance.money.residual_value is not None:
            figures[f"residual_usd{suffix}"] = spent.residual
    figures["power_kw"] = sum(p.count * facility_w(instance, p, DESIGN) for p in pods) / 1e3
    figures["nameplate_kw"] = sum(p.count * facility_w(instance, p, NAMEPLATE) for p in pods) / 1e3
    in_use = sum(p.count * facility_w(instance, p, IN_USE) for p in pods)
    figures["in_use_kw"] = in_use / 1e3
    figures["energy_mwh_per_year"] = in_use * SECONDS_PER_YEAR / 3.6e9
    figures["it_kw"] = sum(p.count * p.it_w[DESIGN] for p in pods) / 1e3
    figures["carbon_t"] = _carbon(instance, pods)
    figures["floor_racks"] = float(sum(p.count * (p.node_positions + p.network_racks + p.storage_racks) for p in pods))
    figures["floor_racks"] += sum(choice.units * positions_of(instance, choice) for choice in plant)
    shares, rates = [], []
    for cluster, workload in instance.workloads.items():
        rate = served(pods, cluster)
        figures[f"{cluster}.tokens_per_s"] = rate
        if workload.throughput is not ThroughputMethod.FIRST_ORDER:
            figures[f"{cluster}.throughput_band"] = throughput_band(pods, cluster)
        shares.append(rate / workload.demand)
        rates.append(rate)
    figures["throughput_tokens_per_s"] = rates[0] if len(rates) == 1 else sum(rates)
    figures["throughput_x_demand"] = min(shares)
    useful = _qualities(pods, lambda p: p.goodput)
    trained = [share for cluster, share in useful if isinstance(instance.workloads[cluster], Training)]
    figures["goodput_fraction"] = min(trained or [share for _, share in useful], default=1.0)
    stands = _qualities(pods, lambda p: p.availability * plant_standing(instance, p))
    figures["availability_fraction"] = min((share for _, share in stands), default=1.0)
    figures["blast_radius_accelerators"] = float(max((p.blast_radius for p in pods), default=0))
    figures.update(energy_figures(instance, pods, plant))
    figures.update(standing_figures(instance, pods, plant))
    figures.update(stranding_figures(instance, pods, plant, rings))
    figures.update(ring_figures(instance, plant, rings))
    return figures


def _qualities(pods: tuple[PodChoice, ...], quality: Callable[[PodChoice], float]) -> list[tuple[str, float]]:
    """A share of the time of every pod with its cluster; of a job over several sites that of the whole."""
    found = [(p.cluster, quality(p)) for p in pods if not p.batch]
    apart = dict.fromkeys(p.cluster for p in pods if p.batch)
    return found + [(c, whole_share(quality(p) for p in pods if p.cluster == c)) for c in apart]


def _options(instance: Instance, site: str) -> dict[tuple[str, str], PlantOption]:
    options, _ = plant_options(instance, site)
    return {(o.chain.value, o.id): o for chain in options.values() for o in chain}


def plant_standing(instance: Instance, pod: PodChoice) -> float:
    """Share of the time that the plant options of a pod carry their load, however large the plant grows."""
    options = _options(instance, pod.site)
    return prod(options[chain, name].availability for chain, name in pod.options.items())


def facility_w(instance: Instance, pod: PodChoice, figure: int) -> float:
    """Power one pod draws from the utility [W]: IT, and the electrical share of every chain it uses."""
    options = _options(instance, pod.site)
    loads = {Chain.POWER: pod.it_w, Chain.AIR: pod.air_w, Chain.REAR_DOOR: pod.rear_door_w, Chain.LIQUID: pod.liquid_w}
    total = pod.it_w[figure]
    for chain, load in loads.items():
        if chain.value in pod.options:
            total += load[figure] * options[chain.value, pod.options[chain.value]].shares[figure]
    return total


@dataclass(frozen=True)
class Spent:
    """Present values [USD] over the horizon."""

    capex: float
    opex: float
    financing: float
    residual: float


def _money(
    instance: Instance,
    pods: tuple[PodChoice, ...],
    bom: tuple[BomLine, ...],
    orders: tuple[Order, ...],
    basis: PriceBasis,
    links: float = 0.0,
) -> Spent:
    """Money of a design on a price basis; charges and upkeep of what is bought for no one site are those of all sites.

    ``links``: present value [USD] of links between sites.
    """
    by_site: dict[str, Economics] = {site: economics_of(instance, site, basis) for site in instance.sites}
    anywhere = next(iter(by_site.values()))
    capex = opex = left = 0.0
    for line in bom:
        money = by_site.get(line.site, anywhere)
        goods = price_at(line, basis) * line.quantity
        capex += goods * money.charges
        opex += goods * money.charges * money.upkeep
        left += goods * money.residual
    for pod in pods:
        money = by_site[pod.site]
        capex += pod.count * pod.it_w[DESIGN] * money.shell
        opex += pod.count * facility_w(instance, pod, IN_USE) * money.energy_cost
    capex += sum(one.one_off_usd for one in orders)
    return Spent(capex, opex + links, capex * anywhere.financing, left)


def price_at(line: BomLine, basis: PriceBasis) -> float:
    """Unit price of a line [USD] on a basis."""
    low, high = line.unit_price_low, line.unit_price_high
    return {PriceBasis.LOW: low, PriceBasis.MID: (low + high) / 2, PriceBasis.HIGH: high}[basis]


def _carbon(instance: Instance, pods: tuple[PodChoice, ...]) -> float:
    embodied = instance.assumptions.embodied_carbon_per_accelerator.value
    total = 0.0
    for pod in pods:
        money = economics_of(instance, pod.site)
        installed = pod.accelerators // (pod.systems - pod.spares) * pod.systems
        total += pod.count * (facility_w(instance, pod, IN_USE) * money.carbon_per_watt + installed * embodied)
    return total / 1e3
