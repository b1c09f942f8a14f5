"""The way from one design's total cost to another's, in lines that sum to the difference to the cent."""

from __future__ import annotations

from dataclasses import dataclass

from models.candidates.economics import economics_of
from models.instance import Instance
from models.physics.ledger import spend_ledger, total_cents
from optimizer.design import Design
from optimizer.figures import DESIGN, IN_USE, facility_w

_LINE_OF = {
    "silicon": "hardware",
    "rack": "hardware",
    "rack power": "power",
    "rack cooling": "cooling",
    "power": "power",
    "cooling": "cooling",
    "network": "network",
    "optics and cables": "network",
    "storage": "storage",
    "storage racks": "storage",
    "storage rack power": "storage",
    **{
        f"{name} {layer}": "network"
        for name in ("storage", "front-end", "management")
        for layer in ("network", "optics and cables")
    },
}
ORDER = ("hardware", "network", "storage", "power", "cooling", "spares", "energy", "maintenance", "shell", "tiers lost")


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
    lines = dict.fromkeys(ORDER, 0.0)
    for line in design.bom:
        money = economics_of(instance, line.site)
        paid = line.cost_usd * money.charges
        label = "spares" if "spare" in line.layer else _LINE_OF.get(line.layer, line.layer)
        lines[label] = lines.get(label, 0.0) + paid
        lines["maintenance"] += paid * money.upkeep
    for pod in design.pods:
        money = economics_of(instance, pod.site)
        lines["shell"] += pod.count * pod.it_w[DESIGN] * money.shell
        lines["energy"] += pod.count * facility_w(instance, pod, IN_USE) * money.energy_cost
    rest = design.figures["tco_usd"] - sum(lines.values())
    if abs(rest) > 0.005:
        lines["other"] = lines.get("other", 0.0) + rest
    return lines


def bridge(instance: Instance, start: Design, end: Design) -> tuple[BridgeLine, ...]:
    """Lines from the total cost of ``start`` to that of ``end``; their cents sum to the difference of the two totals."""
    before, after = money_lines(instance, start), money_lines(instance, end)
    labels = list(dict.fromkeys([*before, *after]))
    booked = [
        spend_ledger(labels, [lines.get(label, 0.0) for label in labels], total_cents([design.figures["tco_usd"]]))
        for lines, design in ((before, start), (after, end))
    ]
    return tuple(
        BridgeLine(label, b.cents - a.cents)
        for label, a, b in zip(labels, booked[0].lines, booked[1].lines, strict=True)
        if b.cents != a.cents
    )
