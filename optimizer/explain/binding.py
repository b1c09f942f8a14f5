"""Which limits bind a design, by family and in its words, with the slack of the rest; and which weak inputs it leans on most.

An input is weak where its row is an analyst's estimate, stated without a source or unverified, where the very column behind the figure was not found in
the row's source, or, for money, where the price is an estimate; what is bought from a quote rests on the quote. Shares say how much of the design's cost, power and throughput
passes through each catalogue row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from models.candidates.rack_design import power_of
from models.instance import Instance
from models.parts.accelerator import Accelerator
from models.parts.part import Confidence, Part
from models.parts.system import System
from models.policy import PowerFigure
from optimizer.design import BomLine, Design, Margin
from optimizer.explain.groups import owner_of

if TYPE_CHECKING:
    import pandas as pd

WEAK = (Confidence.ANALYST_ESTIMATE, Confidence.STATED, Confidence.UNVERIFIED)
PRICE_COLUMNS = (
    "price_usd_low",
    "price_usd_high",
    "price_usd_per_kw_low",
    "price_usd_per_kw_high",
    "price_usd_low_per_end",
    "price_usd_high_per_end",
)
SPEED_COLUMNS = (
    "bf16_tflops_dense",
    "fp8_tflops_dense",
    "fp4_tflops_dense",
    "hbm_gb",
    "hbm_tb_s",
    "scaleup_gb_s_per_direction",
    "scaleup_domain_size",
)
POWER_COLUMNS = ("max_power_w", "typical_power_w", "power_max_w", "power_typical_w")


@dataclass(frozen=True)
class MetLimit:
    """A limit as the design meets it; ``slack`` in ``unit`` and as a share of the limit, zero where it binds.

    ``owner`` and ``reason`` are those of what states it, empty where nobody is named.
    """

    family: str
    row: str
    value: float
    limit: float
    unit: str
    slack: float
    slack_share: float
    binds: bool
    says: str
    source: str
    owner: str
    reason: str

    @property
    def spoken_for(self) -> str:
        """Owner and reason, as far as they are named."""
        return ": ".join(text for text in (self.owner, self.reason) if text)


@dataclass(frozen=True)
class Leaning:
    """A catalogue row the design leans on: shares (0 to 1) of cost, power and throughput through it, and what is weak about it."""

    part: str
    layer: str
    confidence: str
    cost_share: float
    power_share: float
    throughput_share: float
    weak_cost: bool
    weak_power: bool
    weak_throughput: bool
    unverified: str
    source: str
    where: str

    @property
    def weight(self) -> float:
        """The largest share that rests on something weak."""
        return max(
            self.cost_share * self.weak_cost,
            self.power_share * self.weak_power,
            self.throughput_share * self.weak_throughput,
        )


@dataclass(frozen=True)
class Binding:
    """Limits of a design, those that bind first, and its weak inputs by weight."""

    design_id: str
    limits: tuple[MetLimit, ...]
    leanings: tuple[Leaning, ...]

    @property
    def binding(self) -> tuple[MetLimit, ...]:
        """Limits at which the design stands."""
        return tuple(limit for limit in self.limits if limit.binds)

    def resting(self) -> dict[str, float]:
        """Shares of cost, power and throughput that rest on weak inputs."""
        return {
            "cost": sum(x.cost_share for x in self.leanings if x.weak_cost),
            "power": sum(x.power_share for x in self.leanings if x.weak_power),
            "throughput": max((x.throughput_share for x in self.leanings if x.weak_throughput), default=0.0),
        }

    def to_frame(self) -> pd.DataFrame:
        """One row per limit."""
        import pandas as pd

        return pd.DataFrame([asdict(limit) for limit in self.limits])

    def leanings_frame(self) -> pd.DataFrame:
        """One row per catalogue row the design uses."""
        import pandas as pd

        return pd.DataFrame([asdict(x) for x in self.leanings])

    def as_dict(self) -> dict[str, Any]:
        """Plain fields, for JSON."""
        return {
            "design_id": self.design_id,
            "binding": [asdict(x) for x in self.binding],
            "slack": [asdict(x) for x in self.limits if not x.binds],
            "resting_on_weak_inputs": self.resting(),
            "leans_on": [{**asdict(x), "weight": x.weight} for x in self.leanings],
        }


def explain_binding(instance: Instance, design: Design) -> Binding:
    """What binds ``design`` and what it leans on; figures are those stored with it, shares are worked out from its parts."""
    limits = [_met(instance, margin) for margin in design.margins]
    limits.sort(key=lambda x: (not x.binds, x.slack_share, x.row))
    leanings = sorted(_leanings(instance, design), key=lambda x: (-x.weight, -x.cost_share, x.part))
    return Binding(design.design_id, tuple(limits), tuple(leanings))


def _met(instance: Instance, margin: Margin) -> MetLimit:
    owner, reason = owner_of(instance, margin.source.partition(" (")[0])
    slack = 0.0 if margin.binding else abs(margin.limit - margin.value)
    share = slack / max(abs(margin.limit), 1e-12) if margin.limit else (0.0 if not slack else 1.0)
    return MetLimit(
        margin.family, margin.row, margin.value, margin.limit, margin.unit, slack, share, margin.binding, margin.says,
        margin.source, owner, reason,
    )  # fmt: skip


def _leanings(instance: Instance, design: Design) -> Iterator[Leaning]:
    lines: dict[str, list[BomLine]] = {}
    for line in design.bom:
        lines.setdefault(line.part, []).append(line)
    spent = sum(line.cost_usd for line in design.bom) or 1.0
    power, delivered = _power_shares(instance, design), _throughput_shares(design)
    parts: dict[str, Part] = {part.id: part for part in instance.catalogue}
    quoted = {part for order in design.orders if not order.price_is_estimate for part in order.contents}
    for name, bought in lines.items():
        if name not in parts:
            yield _bundle(name, bought, spent)
            continue
        part = parts[name]
        found = _leaning(
            instance, part, bought[0].layer, sum(line.cost_usd for line in bought) / spent,
            power.get(name, 0.0), 0.0, any(line.price_is_estimate for line in bought),
        )  # fmt: skip
        yield _by_quote(found, bought) if name in quoted else found
    for system, share in delivered.items():
        accelerator = instance.catalogue.get(System, system).accelerator
        if accelerator is not None:
            part = instance.catalogue.get(Accelerator, accelerator)
            yield _leaning(instance, part, "silicon", 0.0, 0.0, share, False)


def _bundle(name: str, bought: list[BomLine], spent: float) -> Leaning:
    """What is paid for a bundle, under the name of its quote."""
    first = bought[0]
    weak = any(Confidence(line.confidence) in WEAK for line in bought)
    share = sum(line.cost_usd for line in bought) / spent
    return Leaning(
        name, first.layer, first.confidence, share, 0.0, 0.0, weak, False, False, "", first.source, f"quotes.{name}"
    )


def _by_quote(leaning: Leaning, bought: list[BomLine]) -> Leaning:
    """The same where quotes say the price: what the row lacks about prices does not count."""
    weak = any(line.price_is_estimate or Confidence(line.confidence) in WEAK for line in bought)
    lacking = [column for column in leaning.unverified.split(";") if column and column not in PRICE_COLUMNS]
    return replace(leaning, weak_cost=bool(leaning.cost_share) and weak, unverified=";".join(lacking))


def _leaning(
    instance: Instance, part: Part, layer: str, cost: float, power: float, throughput: float, estimate: bool
) -> Leaning:
    weak = part.confidence in WEAK
    unverified = set(part.unverified)
    everything = "all" in unverified

    def any_of(columns: tuple[str, ...]) -> bool:
        return weak or everything or bool(unverified.intersection(columns))

    return Leaning(
        part=part.id,
        layer=layer,
        confidence=part.confidence.value,
        cost_share=cost,
        power_share=power,
        throughput_share=throughput,
        weak_cost=bool(cost) and (estimate or any_of(PRICE_COLUMNS)),
        weak_power=bool(power) and any_of(POWER_COLUMNS),
        weak_throughput=bool(throughput) and any_of(SPEED_COLUMNS),
        unverified=";".join(part.unverified),
        source=part.source,
        where=instance.catalogue.origins.get((part.file, part.id, "id"), part.file),
    )


def _power_shares(instance: Instance, design: Design) -> Mapping[str, float]:
    """Share of the sustained IT peak by system, the rest of each pod by its switch, which draws it with its modules."""
    share = instance.assumptions.design_power_share.value
    drawn: dict[str, float] = {}
    for pod in design.pods:
        system = instance.catalogue.get(System, pod.system)
        compute = min(pod.systems * power_of(system, PowerFigure.DESIGN, share), pod.it_w[1])
        drawn[pod.system] = drawn.get(pod.system, 0.0) + pod.count * compute
        switch = str(pod.fabric["switch"])
        drawn[switch] = drawn.get(switch, 0.0) + pod.count * (pod.it_w[1] - compute)
    total = sum(drawn.values()) or 1.0
    return {name: watts / total for name, watts in drawn.items()}


def _throughput_shares(design: Design) -> Mapping[str, float]:
    """Largest share of any cluster's tokens that comes from each system."""
    found: dict[str, float] = {}
    for cluster in {pod.cluster for pod in design.pods}:
        mine = [pod for pod in design.pods if pod.cluster == cluster]
        total = sum(p.count * p.throughput_tokens_s * p.goodput for p in mine) or 1.0
        for system in {p.system for p in mine}:
            part = sum(p.count * p.throughput_tokens_s * p.goodput for p in mine if p.system == system)
            found[system] = max(found.get(system, 0.0), part / total)
    return found
