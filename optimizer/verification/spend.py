"""The spend ledger of a design, line by line, and its sums to the cent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from models.instance import Instance
from models.policy import PowerFigure
from models.site import Chain
from optimizer.design import BomLine, Design, SpendLine
from optimizer.verification.findings import Checks
from optimizer.verification.money import price_on, site_money
from optimizer.verification.orders import Purchases
from optimizer.verification.plant import Plant
from optimizer.verification.pods import PodFacts
from optimizer.verification.split import link_costs

Key = tuple[str, str, str, str, str, str, str, int]
CENT = Fraction(1, 100)


def check_spend(
    checks: Checks, instance: Instance, design: Design, facts: Sequence[PodFacts], lines: Sequence[BomLine],
    bought: Purchases, plant: Plant,
) -> None:  # fmt: skip
    """Every line within a cent of what it is for, none missing or invented, all together exactly the total cost."""
    wanted = sorted(
        [*_amounts(instance, facts, lines, bought, plant), *_links(instance, design)],
        key=lambda entry: (entry[0], entry[1], entry[2]),
    )
    listed = [line for line in design.spend if line.category != "rounding"]
    told = sorted(listed, key=lambda line: (_key(line), line.cents, line.carbon_kg))
    if not checks.same("spend", [_key(line) for line in told], [key for key, _, _ in wanted], "lines of the ledger"):
        return
    for line, (key, usd, carbon) in zip(told, wanted, strict=True):
        where = f"spend.{'.'.join(filter(None, key[:6]))}"
        near = abs(line.cents - usd * 100) < 1 + 1e-6 * max(1.0, abs(usd) * 1e-4)
        checks.rule(where, near and isinstance(line.cents, int), line.cents, usd * 100, "cents")
        checks.same(f"{where}.carbon_kg", line.carbon_kg, carbon)
    total = sum(line.cents for line in listed)
    exact = sum((Fraction(usd) for _, usd, _ in wanted), Fraction(0))
    checks.rule(
        "spend.total",
        abs(total * CENT - exact) <= CENT / 2 + Fraction(1, 10**5),
        total / 100,
        float(exact),
        "to the cent",
    )
    rounding = [line for line in design.spend if line.category == "rounding"]
    if "tco_usd" in design.objectives:
        whole = total + sum(line.cents for line in rounding)
        checks.rule("spend.rounding", len(rounding) == 1, len(rounding), 1, "one line")
        checks.same(
            "spend.rounding", whole, round(design.objectives["tco_usd"] * 100), "the ledger sums to the objective"
        )
    else:
        checks.same("spend.rounding", len(rounding), 0, "nothing to reconcile")


def _links(instance: Instance, design: Design) -> Iterator[tuple[Key, float, float]]:
    for cluster, name, usd in link_costs(instance, design.exchanges):
        yield ("opex", "link", "", cluster, "", name, "", 1), usd, 0.0


def _key(line: SpendLine) -> Key:
    return (line.category, line.item, line.site, line.cluster, line.layer, line.part, line.vendor, line.quantity)


def _plain(category: str, item: str, site: str = "", cluster: str = "") -> Key:
    return (category, item, site, cluster, "", "", "", 0)


def _amounts(
    instance: Instance, facts: Sequence[PodFacts], lines: Sequence[BomLine], bought: Purchases, plant: Plant
) -> Iterator[tuple[Key, float, float]]:
    """Key, USD and kg of carbon of every line."""
    money = {site: site_money(instance, site) for site in instance.sites}
    anywhere, terms = next(iter(money.values())), instance.money
    goods: dict[str, float] = {}
    for line in lines:
        amount = price_on(line, terms.price_basis) * line.quantity
        goods[line.site] = goods.get(line.site, 0.0) + amount
        key = ("capex", "hardware", line.site, line.cluster, line.layer, line.part, line.vendor, line.quantity)
        yield key, amount, 0.0
    for asked, _ in bought.orders:
        if asked.one_off:
            yield ("capex", "one-off cost", "", "", "", asked.name, asked.vendor, 1), asked.one_off, 0.0
    for site, amount in goods.items():
        freight = amount * terms.freight.value
        duty = (amount + freight) * terms.duty.value
        tax = (amount + freight + duty) * terms.tax.value
        for item, charge in (("freight", freight), ("duty", duty), ("tax", tax)):
            if charge:
                yield _plain("capex", item, site), charge, 0.0
        at = money.get(site, anywhere)
        yield _plain("opex", "maintenance", site), amount * at.charges * at.upkeep, 0.0
    shells = 0.0
    for one in facts:
        at, here = money[one.pod.site], (one.pod.site, one.pod.cluster)
        shell = one.count * one.load(Chain.POWER, PowerFigure.DESIGN) * at.shell
        drawn = one.count * plant.facility_w(one, PowerFigure.IN_USE)
        built = one.count * one.accelerators * instance.assumptions.embodied_carbon_per_accelerator.value
        shells += shell
        yield _plain("capex", "shell", *here), shell, 0.0
        yield _plain("opex", "energy", *here), drawn * at.energy, drawn * at.carbon
        yield _plain("carbon", "embodied", *here), 0.0, built
    capex = sum(goods.values()) * anywhere.charges + shells + bought.one_off
    if terms.financing is not None and anywhere.financing:
        yield _plain("financing", "loan payments less principal"), capex * anywhere.financing, 0.0
    if terms.residual_value is not None and anywhere.residual:
        yield _plain("residual", "value of equipment at the end"), -sum(goods.values()) * anywhere.residual, 0.0
