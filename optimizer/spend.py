"""The spend ledger of a design: lines in whole cents that sum to its total cost of ownership, with the carbon beside them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from models.candidates.economics import Economics, economics_of, lasting
from models.instance import Instance
from models.physics.cost import landed_cost
from models.physics.ledger import round_to_cents, total_cents
from optimizer.design import BomLine, Order, PodChoice, SiteExchange, SpendLine
from optimizer.figures import DESIGN, IN_USE, facility_w, price_at

CAPEX, OPEX, FINANCING, RESIDUAL = "capex", "opex", "financing", "residual"
CARBON, ROUNDING = "carbon", "rounding"


@dataclass(frozen=True)
class _Amount:
    line: SpendLine
    usd: float


def spend_of(
    instance: Instance,
    pods: Sequence[PodChoice],
    bom: Sequence[BomLine],
    orders: Sequence[Order],
    objectives: Mapping[str, float],
    exchanges: Sequence[SiteExchange] = (),
) -> tuple[SpendLine, ...]:
    """Every line of the ledger.

    Each category is rounded to the cent as a whole, then its lines within it, by largest remainder. Where total cost is an
    objective, a last line states what the program's rounding to whole kUSD adds, so that all lines sum to the objective.
    """
    amounts = [*_amounts(instance, pods, bom, orders), *_links(instance, exchanges)]
    categories = list(dict.fromkeys(one.line.category for one in amounts))
    totals = [sum(one.usd for one in amounts if one.line.category == name) for name in categories]
    lines: list[SpendLine] = []
    for name, cents in zip(categories, round_to_cents(totals).tolist(), strict=True):
        mine = [one for one in amounts if one.line.category == name]
        parts = round_to_cents([one.usd for one in mine], cents)
        lines += [replace(one.line, cents=int(part)) for one, part in zip(mine, parts, strict=True)]
    if "tco_usd" in objectives:
        counted = total_cents([objectives["tco_usd"]])
        lines.append(replace(_line(ROUNDING, "to whole kUSD"), cents=counted - sum(line.cents for line in lines)))
    return tuple(lines)


def _line(
    category: str, item: str, *, site: str = "", cluster: str = "", carbon: float = 0.0, source: BomLine | None = None
) -> SpendLine:
    if source is None:
        return SpendLine(category, item, site, cluster, "", "", "", 0, 0, carbon)
    bought = (source.layer, source.part, source.vendor, source.quantity)
    return SpendLine(category, item, source.site, source.cluster, *bought, 0, carbon)


def _amounts(
    instance: Instance, pods: Sequence[PodChoice], bom: Sequence[BomLine], orders: Sequence[Order]
) -> Iterator[_Amount]:
    money = {site: economics_of(instance, site) for site in instance.sites}
    anywhere = next(iter(money.values()))
    goods: dict[str, float] = {}
    for line in bom:
        paid = price_at(line, anywhere.basis) * line.quantity
        goods[line.site] = goods.get(line.site, 0.0) + paid
        yield _Amount(_line(CAPEX, "hardware", source=line), paid)
    for one in orders:
        if one.one_off_usd:
            item = SpendLine(CAPEX, "one-off cost", "", "", "", one.quote, one.vendor, 1, 0, 0.0)
            yield _Amount(item, one.one_off_usd)
    for site, paid in goods.items():
        yield from _charges(instance, site, paid)
    capex = sum(goods.values()) * anywhere.charges + sum(one.one_off_usd for one in orders)
    for pod in pods:
        shell = pod.count * pod.it_w[DESIGN] * money[pod.site].shell
        capex += shell
        yield _Amount(_line(CAPEX, "shell", site=pod.site, cluster=pod.cluster), shell)
    yield from _running(instance, pods, goods, money)
    if anywhere.financing:
        yield _Amount(_line(FINANCING, "loan payments less principal"), capex * anywhere.financing)
    if anywhere.residual:
        yield _Amount(_line(RESIDUAL, "value of equipment at the end"), -sum(goods.values()) * anywhere.residual)


def _links(instance: Instance, exchanges: Sequence[SiteExchange]) -> Iterator[_Amount]:
    through = lasting(instance)
    for one in exchanges:
        for name in one.links:
            line = SpendLine(OPEX, "link", "", one.cluster, "", name, "", 1, 0, 0.0)
            yield _Amount(line, instance.links[name].price * through)


def _charges(instance: Instance, site: str, goods: float) -> Iterator[_Amount]:
    terms = instance.money
    landed = landed_cost(
        goods, freight_share=terms.freight.value, duty_share=terms.duty.value, tax_share=terms.tax.value
    )
    for item in ("freight", "duty", "tax"):
        amount = float(getattr(landed, item))
        if amount:
            yield _Amount(_line(CAPEX, item, site=site), amount)


def _running(
    instance: Instance, pods: Sequence[PodChoice], goods: Mapping[str, float], money: Mapping[str, Economics]
) -> Iterator[_Amount]:
    anywhere = next(iter(money.values()))
    embodied = instance.assumptions.embodied_carbon_per_accelerator.value
    for site, paid in goods.items():
        at = money.get(site, anywhere)
        yield _Amount(_line(OPEX, "maintenance", site=site), paid * at.charges * at.upkeep)
    for pod in pods:
        drawn = pod.count * facility_w(instance, pod, IN_USE)
        burnt = drawn * money[pod.site].carbon_per_watt
        yield _Amount(
            _line(OPEX, "energy", site=pod.site, cluster=pod.cluster, carbon=burnt), drawn * money[pod.site].energy_cost
        )
        built = pod.count * pod.accelerators * embodied
        yield _Amount(_line(CARBON, "embodied", site=pod.site, cluster=pod.cluster, carbon=built), 0.0)
