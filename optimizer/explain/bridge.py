"""The way from one design's total cost to another's, in lines of whole cents that sum to the difference.

The lines are those of the design's spend ledger, by what they are for. Goods bought from a quote stand at the quote's best unit price;
what is paid beyond it, because too few are ordered for its last tier, is a line of its own: the tiers lost.
"""

from __future__ import annotations

from dataclasses import dataclass

from models.candidates.offers import offers_of
from models.instance import Instance
from models.physics.ledger import total_cents
from optimizer.design import Design, SpendLine
from optimizer.spend import FINANCING, RESIDUAL, ROUNDING

_LINE_OF = {
    "silicon": "hardware",
    "rack": "hardware",
    "rack power": "power",
    "power": "power",
    "cooling": "cooling",
    "network": "network",
    "optics and cables": "network",
    "network racks": "network",
    "network rack power": "network",
    "storage": "storage",
    "storage racks": "storage",
    "storage rack power": "storage",
    "bundle": "bundles",
    "surplus": "bought beyond need",
    **{
        f"{name} {layer}": "network"
        for name in ("storage", "front-end", "management")
        for layer in ("network", "optics and cables")
    },
}
_CHARGES = ("freight", "duty", "tax")
TIERS = "tiers lost"
ORDER = ("hardware", "network", "storage", "power", "cooling", "spares", "bundles", "bought beyond need", TIERS, "one-off cost",
         "freight, duty, tax", "energy", "maintenance", "shell", "financing", "residual value")  # fmt: skip


@dataclass(frozen=True, slots=True)
class BridgeLine:
    """``usd`` more (less below zero) is spent on ``label`` by the second design."""

    label: str
    cents: int

    @property
    def usd(self) -> float:
        """The difference in dollars."""
        return self.cents / 100


def money_lines(instance: Instance, design: Design) -> dict[str, float]:
    """Total cost [USD] of a design by what it is spent on; parts of other layers keep the name of their layer."""
    return {label: cents / 100 for label, cents in _cents(instance, design).items()}


def bridge(instance: Instance, start: Design, end: Design) -> tuple[BridgeLine, ...]:
    """Lines from the total cost of ``start`` to that of ``end``; their cents sum to the difference of the two totals."""
    before, after = _cents(instance, start), _cents(instance, end)
    labels = dict.fromkeys([*ORDER, *before, *after])
    steps = ((label, after.get(label, 0) - before.get(label, 0)) for label in labels)
    return tuple(BridgeLine(label, cents) for label, cents in steps if cents)


def _cents(instance: Instance, design: Design) -> dict[str, int]:
    found: dict[str, int] = {}
    for line in design.spend:
        if line.category != ROUNDING:
            label = _label(line)
            found[label] = found.get(label, 0) + line.cents
    for label, premium in _premiums(instance, design).items():
        found[label] -= premium
        found[TIERS] = found.get(TIERS, 0) + premium
    # the ledger rounds each category, the figure is rounded as a whole: at most a cent or two apart
    apart = total_cents([design.figures["tco_usd"]]) - sum(found.values())
    if apart:
        largest = max(found, key=lambda label: (abs(found[label]), label))
        found[largest] += apart
    return found


def _label(line: SpendLine) -> str:
    if line.category == FINANCING:
        return "financing"
    if line.category == RESIDUAL:
        return "residual value"
    if line.item in _CHARGES:
        return "freight, duty, tax"
    if line.item != "hardware":
        return line.item
    return "spares" if "spare" in line.layer else _LINE_OF.get(line.layer, line.layer)


def _premiums(instance: Instance, design: Design) -> dict[str, int]:
    """What each sort of goods costs [cents] beyond the best unit price of the quotes it is bought from."""
    offers, basis = offers_of(instance).by_name, instance.money.price_basis
    found: dict[str, int] = {}
    for order in design.orders:
        offer = offers.get(order.quote)
        if offer is None or len(offer.starts) < 2:
            continue
        premium = total_cents([order.goods_usd - order.units * min(offer.prices(basis))])
        label = next(
            (_label(line) for line in design.spend if line.part in (order.quote, *order.contents) and line.item == "hardware"
             and line.vendor == order.vendor and (len(order.contents) == 1) == (line.layer != "bundle")), None,
        )  # fmt: skip
        if premium > 0 and label is not None:
            found[label] = found.get(label, 0) + premium
    return found
