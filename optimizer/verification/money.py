"""What a design costs, draws and emits over the horizon, from its parts and the instance's money alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from models.instance import Instance
from models.parts.economics import Electricity
from models.physics.cost import PriceBasis, landed_cost
from models.physics.finance import annuity_factor, yearly_payment
from models.policy import PowerFigure
from models.site import Chain
from models.workload import ThroughputMethod, Training
from optimizer.design import BomLine, SiteExchange
from optimizer.verification.plant import Plant
from optimizer.verification.pods import PodFacts
from optimizer.verification.split import link_costs, share_of_all, split_of
from optimizer.verification.standing import of_pod

YEAR = 365.25 * 86400.0
KILO = 1e3
JOULES_PER_MWH = 3.6e9


@dataclass(frozen=True)
class SiteMoney:
    """Charges on a price, maintenance per dollar over the horizon, energy [USD/W], carbon [kg/W] and shell [USD/W] at a site;
    ``financing`` per dollar of capex, ``residual`` per dollar of price."""

    charges: float
    upkeep: float
    energy: float
    carbon: float
    shell: float
    financing: float
    residual: float


@dataclass(frozen=True)
class Spent:
    """Present values [USD] over the horizon."""

    capex: float
    opex: float
    financing: float
    residual: float


def site_money(instance: Instance, site: str) -> SiteMoney:
    """The money of one site from the instance and its electricity row."""
    place, money, given = instance.sites[site], instance.money, instance.assumptions
    row = instance.catalogue.of(Electricity).get(place.electricity or "")
    price = place.electricity_price.value if place.electricity_price is not None else (row.price if row else None)
    carbon = place.grid_carbon.value if place.grid_carbon is not None else (row.carbon if row else None)
    if price is None or carbon is None:
        raise ValueError(f"site {site} has no electricity price or carbon")
    years = money.horizon / YEAR
    dearer = (place.electricity_growth or money.energy_growth).value
    annuity = float(annuity_factor(given.discount_rate.value, years))
    landed = landed_cost(1.0, freight_share=money.freight.value, duty_share=money.duty.value, tax_share=money.tax.value)
    return SiteMoney(
        charges=float(landed.total),
        upkeep=given.maintenance_per_year.value
        * _yearly(annuity, given.discount_rate.value, money.maintenance_growth.value, years),
        energy=price * YEAR * _yearly(annuity, given.discount_rate.value, dearer, years),
        carbon=carbon * YEAR * years,
        shell=place.shell_cost.value if place.shell_cost is not None else 0.0,
        financing=_loan(instance, years),
        residual=_left(instance, years),
    )


def _yearly(level: float, rate: float, growth: float, years: float) -> float:
    """Present value of 1, 1+g, (1+g)^2, ... at the ends of the years, summed one by one; a part of a year by the closed form."""
    if not growth:
        return level
    if years == int(years):
        return sum((1.0 + growth) ** year / (1.0 + rate) ** (year + 1) for year in range(int(years)))
    ratio = (1.0 + growth) / (1.0 + rate)
    return years / (1.0 + rate) if ratio == 1.0 else (1.0 - ratio**years) / (rate - growth)


def _loan(instance: Instance, years: float) -> float:
    """Present value of the payments on a borrowed share, less the share itself, per dollar."""
    loan, discount = instance.money.financing, instance.assumptions.discount_rate.value
    if loan is None:
        return 0.0
    term = loan.term / YEAR if loan.term is not None else years
    payment = float(yearly_payment(loan.share, loan.rate, term))
    return payment * float(annuity_factor(discount, term)) - loan.share


def _left(instance: Instance, years: float) -> float:
    """Present value of what a dollar of equipment fetches at the end."""
    stated = instance.money.residual_value
    if stated is None:
        return 0.0
    kept = max((1.0 - stated.decline_per_year) ** years, stated.at_least)
    return float(kept / (1.0 + instance.assumptions.discount_rate.value) ** years)


def price_on(line: BomLine, basis: PriceBasis) -> float:
    """Unit price of a line on a basis."""
    if basis is PriceBasis.LOW:
        return line.unit_price_low
    return line.unit_price_high if basis is PriceBasis.HIGH else (line.unit_price_low + line.unit_price_high) / 2


def pod_money(instance: Instance, facts: PodFacts, lines: Sequence[BomLine], plant: Plant, basis: PriceBasis) -> Spent:
    """Money of one pod; ``lines`` are those of all its ``count`` pods."""
    at = site_money(instance, facts.pod.site)
    goods = sum(price_on(line, basis) * line.quantity for line in lines) / facts.count
    capex = goods * at.charges + facts.load(Chain.POWER, PowerFigure.DESIGN) * at.shell
    running = goods * at.charges * at.upkeep + plant.facility_w(facts, PowerFigure.IN_USE) * at.energy
    return Spent(capex, running, capex * at.financing, goods * at.residual)


def pod_carbon(instance: Instance, facts: PodFacts, plant: Plant) -> float:
    """Carbon [kg] of one pod over the horizon."""
    at = site_money(instance, facts.pod.site)
    embodied = instance.assumptions.embodied_carbon_per_accelerator.value
    return plant.facility_w(facts, PowerFigure.IN_USE) * at.carbon + facts.installed * embodied


def expected_figures(
    instance: Instance,
    facts: Sequence[PodFacts],
    lines: Sequence[BomLine],
    plant: Plant,
    one_off: float = 0.0,
    exchanges: Sequence[SiteExchange] = (),
) -> dict[str, float]:
    """Every exact figure of a design; ``one_off`` costs of its orders [USD], ``exchanges`` of jobs over several sites."""
    figures: dict[str, float] = {}
    at = {site: site_money(instance, site) for site in instance.sites}
    anywhere = next(iter(at.values()))
    shell = sum(f.count * f.load(Chain.POWER, PowerFigure.DESIGN) * at[f.pod.site].shell for f in facts)
    energy = sum(f.count * plant.facility_w(f, PowerFigure.IN_USE) * at[f.pod.site].energy for f in facts)
    energy += sum(usd for _, _, usd in link_costs(instance, exchanges))
    for basis, suffix in ((instance.money.price_basis, ""), (PriceBasis.LOW, "_low"), (PriceBasis.HIGH, "_high")):
        goods = [(price_on(line, basis) * line.quantity, at.get(line.site, anywhere)) for line in lines]
        capex = sum(amount * money.charges for amount, money in goods) + shell + one_off
        opex = sum(amount * money.charges * money.upkeep for amount, money in goods) + energy
        loan, left = capex * anywhere.financing, sum(amount * money.residual for amount, money in goods)
        figures |= {f"capex_usd{suffix}": capex, f"opex_usd{suffix}": opex}
        figures[f"tco_usd{suffix}"] = capex + opex + loan - left
        if instance.money.financing is not None:
            figures[f"financing_usd{suffix}"] = loan
        if instance.money.residual_value is not None:
            figures[f"residual_usd{suffix}"] = left
    drawn = {figure: sum(f.count * plant.facility_w(f, figure) for f in facts) for figure in PowerFigure}
    figures["power_kw"] = drawn[PowerFigure.DESIGN] / KILO
    figures["nameplate_kw"] = drawn[PowerFigure.NAMEPLATE] / KILO
    figures["in_use_kw"] = drawn[PowerFigure.IN_USE] / KILO
    figures["energy_mwh_per_year"] = drawn[PowerFigure.IN_USE] * YEAR / JOULES_PER_MWH
    figures["it_kw"] = sum(f.count * f.load(Chain.POWER, PowerFigure.DESIGN) for f in facts) / KILO
    figures["carbon_t"] = sum(f.count * pod_carbon(instance, f, plant) for f in facts) / KILO
    figures.update(_deliveries(instance, facts, plant))
    return figures


def _shares(
    instance: Instance, facts: Sequence[PodFacts], share: Callable[[PodFacts], float]
) -> list[tuple[str, float]]:  # fmt: skip
    """A share of the time by cluster: of every pod, or of all pods together where the job needs all of them."""
    found = []
    for cluster in instance.workloads:
        mine = [share(f) for f in facts if f.pod.cluster == cluster]
        if mine and split_of(instance, cluster) is not None:
            mine = [share_of_all(mine)]
        found += [(cluster, one) for one in mine]
    return found


def _deliveries(instance: Instance, facts: Sequence[PodFacts], plant: Plant) -> dict[str, float]:
    def rate(cluster: str, role: str) -> float:
        if split_of(instance, cluster) is not None:
            mine = [f for f in facts if f.pod.cluster == cluster]
            return min(f.pace for f in mine) * share_of_all(f.goodput for f in mine)
        return sum(f.count * f.rate for f in facts if f.pod.cluster == cluster and f.able(role))

    rates = {c: min(rate(c, "prefill"), rate(c, "decode")) for c in instance.workloads}
    figures = {f"{cluster}.tokens_per_s": rate for cluster, rate in rates.items()}
    for cluster, workload in instance.workloads.items():
        mine = [f for f in facts if f.pod.cluster == cluster]
        if workload.throughput is not ThroughputMethod.FIRST_ORDER:
            weighed = sum(f.count * f.rate * f.delivered.band for f in mine)
            figures[f"{cluster}.throughput_band"] = weighed / sum(f.count * f.rate for f in mine)
    figures["throughput_tokens_per_s"] = sum(rates.values())
    figures["throughput_x_demand"] = min(rate / instance.workloads[c].demand for c, rate in rates.items())
    useful = _shares(instance, facts, lambda f: f.goodput)
    training = [share for cluster, share in useful if isinstance(instance.workloads[cluster], Training)]
    figures["goodput_fraction"] = min(training or [share for _, share in useful], default=1.0)
    stands = _shares(instance, facts, lambda f: of_pod(instance, plant, f))
    figures["availability_fraction"] = min((share for _, share in stands), default=1.0)
    figures["blast_radius_accelerators"] = float(max((f.reliability.blast_radius for f in facts), default=0))
    return figures
