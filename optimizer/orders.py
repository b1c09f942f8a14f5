"""Orders of a design: settled at least cost once its pods are known, and spread over the lines of its bill of materials."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from scipy import sparse

from models.candidates.offers import Offer, order_date
from models.candidates.priced_parts import PricedPart, priced_parts
from models.formulation.build import Formulation, column_name
from models.formulation.core import units_per_column
from models.instance import Instance
from models.physics.cost import PriceBasis, all_unit_cost, incremental_cost
from optimizer.compiled_model import CompiledModel, Floats, Sense
from optimizer.design import BomLine, Order

Bools = npt.NDArray[np.bool_]

FREE = ("bought", "tier", "paid", "shipped", "source", "late", "rule", "largest_spend", "latest_arrival")
"""Blocks that orders decide, once pods and plant are fixed."""

PLANT = ("units", "hung", "ring", "full", "shared", "rest")
"""Blocks that pods leave to the plant: units bought, and where racks hang."""

BUNDLE = "bundle"
SURPLUS = "surplus"


def settled(
    formulation: Formulation, model: CompiledModel, values: Mapping[str, Floats], plant_too: bool = False
) -> dict[str, Floats]:
    """The same decisions with the cheapest orders: pods and plant as they are, no objective worse, every row kept.

    A solver that was asked for other objectives, or stopped within its gap, may have ordered more than is needed. ``plant_too``
    settles the number of plant units as well, where a rule asks for more of them than the loads do.
    """
    offers = formulation.candidates.offers
    if not offers and not plant_too:
        return {}
    blocks = (*FREE, *PLANT) if plant_too else FREE
    position = {name: number for number, name in enumerate(model.column_keys)}
    x, free, cost = np.zeros(model.n_columns), np.zeros(model.n_columns, dtype=np.bool_), np.zeros(model.n_columns)
    for name, block in formulation.blocks.items():
        for key, value in zip(block.keys, values[name], strict=True):
            place = position.get(column_name(name, key))
            if place is not None:
                x[place] = value
                free[place] = name.partition("[")[0] in blocks
    basis = formulation.instance.money.price_basis
    for chains in formulation.candidates.options.values():
        for option in (one for options in chains.values() for one in options):
            for unit in option.units:
                place = position.get(f"units[{option.site},{option.chain.value},{option.id}.{unit.part}]")
                if place is not None:
                    cost[place] = round(unit.price.at(basis) * 100) * units_per_column(unit)
    for offer in offers:
        prices = offer.prices(basis)
        for number, key in enumerate(formulation.blocks[f"bought[{offer.name}]"].keys):
            place = position.get(f"bought[{offer.name},{key}]")
            if place is not None:
                cost[place] = round(prices[number] * 100)
            place = position.get(f"tier[{offer.name},{key}]")
            if place is not None and (number == 0 or not offer.incremental):
                cost[place] = round(offer.one_off * 100)
    found = _solved(model, x, free, cost)
    if found is None:
        return {}
    return {
        name: np.array(
            [found[position[column]] if (column := column_name(name, key)) in position else 0.0 for key in block.keys]
        )
        for name, block in formulation.blocks.items()
        if name.partition("[")[0] in blocks
    }


def _solved(model: CompiledModel, x: Floats, free: Bools, cost: Floats) -> Floats | None:
    """The cheapest ``x`` with all but the free columns fixed, or None where ``x`` itself breaks a row."""
    from optimizer.backends import create

    fixed = np.where(free, 0.0, x)
    rows = sparse.csr_array(model.matrix)
    held = rows @ fixed
    touched = np.flatnonzero(np.diff(sparse.csr_array(rows[:, free]).indptr)) if free.any() else np.zeros(0, dtype=int)
    reach = model.objectives @ x
    part = rows[touched][:, free]
    names = tuple(f"{number}" for number in range(len(model.objectives)))
    goals = sparse.csr_array(model.objectives[:, free])
    lower = np.concatenate([model.row_lower[touched] - held[touched], np.full(len(names), -np.inf)])
    upper = np.concatenate([model.row_upper[touched] - held[touched], reach - model.objectives @ fixed])
    small = dataclasses.replace(
        model,
        matrix=sparse.csc_array(sparse.vstack([part, goals])),
        row_lower=lower,
        row_upper=upper,
        lower=model.lower[free],
        upper=model.upper[free],
        integer=model.integer[free],
        objectives=cost[free][None, :],
        offsets=np.zeros(1),
        senses=(Sense.MINIMISE,),
        objective_names=("orders",),
        steps=(1.0,),
        row_keys=(*(model.row_keys[n] for n in touched), *(f"objective[{n}]" for n in names)),
        column_keys=tuple(key for key, kept in zip(model.column_keys, free, strict=True) if kept),
        choice_groups=(),
    )
    answer = create("auto", small).solve(weights=[1.0], step=1.0)
    if answer.x is None:
        return None
    whole = x.copy()
    whole[free] = np.rint(answer.x)
    return whole


def orders_of(formulation: Formulation, values: Mapping[str, Floats]) -> tuple[Order, ...]:
    """What is ordered, by first arrival and name."""
    if not formulation.candidates.offers.by_name:
        return ()
    ordered = order_date(formulation.instance)
    found = []
    for offer in formulation.candidates.offers:
        units = round(float(np.rint(values[f"bought[{offer.name}]"]).sum()))
        if units:
            found.append(order(offer, units, formulation.instance))
    return tuple(sorted(found, key=lambda one: (one.arrives or ordered.isoformat(), one.quote)))


def order(offer: Offer, units: int, instance: Instance) -> Order:
    """``units`` from an offer, priced by its tiers at the instance's basis and at both ends."""

    def goods(basis: PriceBasis) -> float:
        price = incremental_cost if offer.incremental else all_unit_cost
        return float(price(units, offer.starts, offer.prices(basis)))

    quote, first = offer.quote, offer.arrival.first
    return Order(
        quote=offer.name,
        vendor=offer.vendor,
        contents=dict(offer.contents),
        units=units,
        goods_usd=goods(instance.money.price_basis),
        goods_usd_low=goods(PriceBasis.LOW),
        goods_usd_high=goods(PriceBasis.HIGH),
        one_off_usd=offer.one_off,
        arrives=first.isoformat() if first is not None else "",
        valid_until=quote.valid_until.last.isoformat() if quote is not None and quote.valid_until is not None else "",
        price_is_estimate=quote is None,
        tiers=_tiers(offer, units, offer.prices(instance.money.price_basis)),
    )


def _tiers(offer: Offer, units: int, prices: Sequence[float]) -> tuple[tuple[int, float], ...]:
    """Units by the price of the tier they are bought at."""
    starts = [max(int(start), 1) for start in offer.starts]
    if not offer.incremental:
        reached = max((n for n, start in enumerate(starts) if start <= units), default=0)
        return ((units, float(prices[reached])),)
    ends = [*(start - 1 for start in starts[1:]), units]
    counts = [min(units, end) - start + 1 for start, end in zip(starts, ends, strict=True)]
    return tuple((count, float(price)) for count, price in zip(counts, prices, strict=True) if count > 0)


def with_orders(instance: Instance, lines: Sequence[BomLine], orders: Sequence[Order]) -> list[BomLine]:
    """The bill with every ordered part bought from its orders: sites that are needed first are served from what comes first.

    What a tier or minimum makes surplus, and the price of bundles, have lines of their own without cluster and site.
    """
    if not orders:
        return list(lines)
    known = priced_parts(instance.catalogue)
    left = {(number, part): n * one.units for number, one in enumerate(orders) for part, n in one.contents.items()}
    parts = {part for one in orders for part in one.contents}
    first = sorted(range(len(lines)), key=lambda n: (instance.sites[lines[n].site].needed_by.index, n))
    split: dict[int, list[BomLine]] = {}
    for place in first:
        line = lines[place]
        if line.part not in parts:
            split[place] = [line]
            continue
        split[place], wanted = [], line.quantity
        for number, one in enumerate(orders):
            taken = min(wanted, left.get((number, line.part), 0))
            if taken:
                left[number, line.part] -= taken
                wanted -= taken
                split[place].append(_from_order(instance, line, one, taken))
    whole = [line for place in range(len(lines)) for line in split[place]]
    for number, one in enumerate(orders):
        for part in one.contents:
            if left[number, part]:
                blank = _blank(known[part], SURPLUS)
                whole.append(_from_order(instance, blank, one, left[number, part]))
        if _is_bundle(one):
            whole.append(_bundle_line(instance, one))
    return whole


def _is_bundle(one: Order) -> bool:
    return len(one.contents) > 1 or set(one.contents.values()) != {1}


def _from_order(instance: Instance, line: BomLine, one: Order, quantity: int) -> BomLine:
    """A line at the order's average price; nothing where the order is a bundle, which is paid in one line."""
    each = 0.0 if _is_bundle(one) else 1.0 / one.units
    unit = one.goods_usd * each
    said = [column for column in line.unverified.split(";") if not column.startswith("price_")]
    line = line if one.price_is_estimate else dataclasses.replace(line, unverified=";".join(said))
    return dataclasses.replace(
        line,
        vendor=one.vendor,
        quantity=quantity,
        unit_price_low=one.goods_usd_low * each,
        unit_price_high=one.goods_usd_high * each,
        unit_price=unit,
        cost_usd=unit * quantity,
        price_is_estimate=one.price_is_estimate,
        confidence=line.confidence if one.price_is_estimate else instance.quotes[one.quote].confidence.value,
        source=line.source if one.price_is_estimate else f"{source_of(instance, one)}; figures: {_backed(line)}",
    )


def _backed(line: BomLine) -> str:
    """What backs the figures of a part beside its price."""
    return f"{line.source} ({line.confidence})"


def source_of(instance: Instance, one: Order) -> str:
    """Where an order's price comes from, in words."""
    if one.price_is_estimate:
        return ""
    until = f", valid until {one.valid_until}" if one.valid_until else ""
    said = instance.quotes[one.quote].source
    return f"quote {one.quote} of {one.vendor}{until}" + (f" ({said})" if said else "")


def _blank(part: PricedPart, layer: str) -> BomLine:
    row = part.part
    return BomLine(
        cluster="", site="", layer=layer, part=row.id, vendor=row.vendor, name=row.name, quantity=0, unit_price_low=0.0,
        unit_price_high=0.0, unit_price=0.0, cost_usd=0.0, price_is_estimate=False, preliminary=row.preliminary,
        confidence=row.confidence.value, unverified=";".join(row.unverified), source=row.source,
    )  # fmt: skip


def _bundle_line(instance: Instance, one: Order) -> BomLine:
    contents = " + ".join(f"{count} {part}" for part, count in one.contents.items())
    unit = one.goods_usd / one.units
    return BomLine(
        cluster="", site="", layer=BUNDLE, part=one.quote, vendor=one.vendor, name=contents, quantity=one.units,
        unit_price_low=unit, unit_price_high=unit, unit_price=unit, cost_usd=one.goods_usd, price_is_estimate=False,
        preliminary=False, confidence=instance.quotes[one.quote].confidence.value, unverified="",
        source=source_of(instance, one),
    )  # fmt: skip
