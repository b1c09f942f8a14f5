"""A design: one point of a frontier with everything needed to build, check and negotiate it. Immutable, plain values."""

from __future__ import annotations

import dataclasses
import hashlib
import html
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Watts4 = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class PodChoice:
    """``count`` equal pods of one cluster at one site; powers and heats [W] of one pod by figure (nameplate, design, typical, in
    use).

    ``role``: what the pod does, ``mixed`` for all of its work. ``performance``: the mapping behind the throughput, its runner-up
    and the term that binds (empty where throughput is a stated share of peak); ``throughput_band`` its relative error.
    ``systems`` counts ``spares``; ``accelerators`` are those of the job. ``reliability``: causes of failures with rate and loss,
    times, ranges, and what spares give. ``storage``: node type, counts and bandwidths (empty where the checkpoint time is stated);
    ``networks``: the fabrics beside scale-out by name; ``storage_b_s``, ``front_end_b_s`` per accelerator.
    ``network_rack``: frame and rack PDUs of each rack that holds only switches; empty where there is none.
    ``batch``: which part of the batch it takes where its cluster may be split over sites, and the exchange with the others; ``throughput_tokens_s``
    is then that of its own part where it sets the pace.
    """

    cluster: str
    site: str
    count: int
    pod_id: str
    system: str
    vendor: str
    frame: str
    cooling: str
    systems_per_rack: int
    systems: int
    accelerators: int
    node_racks: int
    node_positions: int
    network_racks: int
    distribution: str | None
    distribution_per_rack: int
    door: str | None
    feed_loss: str
    rack: Mapping[str, Any]
    fabric: Mapping[str, Any]
    options: Mapping[str, str]
    it_w: Watts4
    air_w: Watts4
    rear_door_w: Watts4
    liquid_w: Watts4
    weight_kg: float
    injection_b_s: float
    bisection_b_s: float
    throughput_tokens_s: float
    throughput_band: float
    performance: Mapping[str, Any]
    failure_rate_per_s: float
    goodput: float
    role: str = "mixed"
    spares: int = 0
    availability: float = 1.0
    blast_radius: int = 0
    reliability: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    storage: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    storage_racks: int = 0
    networks: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)
    storage_b_s: float = 0.0
    front_end_b_s: float = 0.0
    network_rack: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    batch: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlantChoice:
    """Units of one part bought for a chain's option at a site."""

    site: str
    chain: str
    option: str
    part: str
    units: int


@dataclass(frozen=True, slots=True)
class RackGroup:
    """``racks`` racks of a cluster's pods on the blocks ``first`` and ``second``: ``kind`` is nodes or others (switches).

    ``load_kw``: design power of a full rack, rounded up, enlarged where short peaks of training fill a block first.
    """

    first: int
    second: int
    cluster: str
    pod_id: str
    kind: str
    racks: int
    load_kw: int


@dataclass(frozen=True, slots=True)
class RingChoice:
    """``count`` rings of a site's power topology that carry the same racks."""

    site: str
    option: str
    count: int
    racks: tuple[RackGroup, ...]


@dataclass(frozen=True, slots=True)
class SiteExchange:
    """A training cluster over several ``sites``: the ``links`` of its ring, seconds of one exchange, USD per second for the links."""

    cluster: str
    sites: tuple[str, ...]
    links: tuple[str, ...]
    exchange_s: float
    usd_per_s: float


@dataclass(frozen=True, slots=True)
class BomLine:
    """A line of the bill of materials; prices [USD] before charges, with the source behind them."""

    cluster: str
    site: str
    layer: str
    part: str
    vendor: str
    name: str
    quantity: int
    unit_price_low: float
    unit_price_high: float
    unit_price: float
    cost_usd: float
    price_is_estimate: bool
    preliminary: bool
    confidence: str
    unverified: str
    source: str


@dataclass(frozen=True, slots=True)
class Order:
    """``units`` (sets, of a bundle) ordered from a quote; ``contents`` units of each part in one; prices [USD] before charges.

    ``arrives`` is the day of the first arrival, empty where the quote states no lead time; ``tiers`` are units and the price [USD]
    of each that they are bought at, all at that of the tier reached, or tier by tier where tiers are incremental.
    """

    quote: str
    vendor: str
    contents: Mapping[str, int]
    units: int
    goods_usd: float
    goods_usd_low: float
    goods_usd_high: float
    one_off_usd: float
    arrives: str
    valid_until: str
    price_is_estimate: bool
    tiers: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True, slots=True)
class SpendLine:
    """A line of the spend ledger: what for, in whole cents over the horizon at present value, and the carbon [kg] beside it."""

    category: str
    item: str
    site: str
    cluster: str
    layer: str
    part: str
    vendor: str
    quantity: int
    cents: int
    carbon_kg: float

    def row(self, design: str) -> dict[str, Any]:
        """The line as a row of ``spend.csv``."""
        fields = {name: getattr(self, name) for name in self.__slots__ if name not in ("cents", "carbon_kg")}
        return {"design_id": design, **fields, "amount_usd": self.cents / 100, "carbon_kg": self.carbon_kg}


@dataclass(frozen=True, slots=True)
class Margin:
    """How far a limit is from binding: both sides in ``unit``, and the file and line the limit came from."""

    row: str
    family: str
    value: float
    limit: float
    unit: str
    binding: bool
    says: str
    source: str


@dataclass(frozen=True)
class Design:
    """One point of a frontier.

    ``objectives``: column -> value as the program counts it (whole quanta); ``bounds``: column -> certified bound where the
    value is not proven; ``figures``: exact figures recomputed without rounding; ``choices``: readable decisions; ``spend``: the
    ledger, whose cents sum to the total cost of ownership.
    """

    design_id: str
    objectives: Mapping[str, float]
    bounds: Mapping[str, float]
    figures: Mapping[str, float]
    choices: Mapping[str, Any]
    pods: tuple[PodChoice, ...]
    plant: tuple[PlantChoice, ...]
    rings: tuple[RingChoice, ...]
    bom: tuple[BomLine, ...]
    margins: tuple[Margin, ...]
    preliminary: tuple[str, ...]
    orders: tuple[Order, ...] = ()
    spend: tuple[SpendLine, ...] = ()
    exchanges: tuple[SiteExchange, ...] = ()

    def to_json(self) -> str:
        """One line of JSON; every mapping keeps its order, which is that of the tables. Nothing is said of splits where there is none."""
        data = dataclasses.asdict(self)
        if not self.exchanges:
            del data["exchanges"]
        for pod in data["pods"]:
            if not pod["batch"]:
                del pod["batch"]
        return json.dumps(data, separators=(",", ":"), allow_nan=False)

    @staticmethod
    def from_json(text: str) -> Design:
        """The design behind a line written by ``to_json``."""
        data = json.loads(text)
        data["pods"] = tuple(_pod(p) for p in data["pods"])
        data["plant"] = tuple(PlantChoice(**p) for p in data["plant"])
        data["rings"] = tuple(_ring(r) for r in data["rings"])
        data["bom"] = tuple(BomLine(**line) for line in data["bom"])
        data["margins"] = tuple(Margin(**m) for m in data["margins"])
        data["preliminary"] = tuple(data["preliminary"])
        data["orders"] = tuple(
            Order(**{**order, "tiers": tuple((count, price) for count, price in order.get("tiers", ()))})
            for order in data.get("orders", ())
        )
        data["spend"] = tuple(SpendLine(**line) for line in data.get("spend", ()))
        data["exchanges"] = tuple(
            SiteExchange(**{**one, "sites": tuple(one["sites"]), "links": tuple(one["links"])})
            for one in data.get("exchanges", ())
        )
        return Design(**data)

    def _repr_html_(self) -> str:
        cells = {**self.objectives, **self.choices}
        rows = "".join(
            f"<tr><th align=left>{html.escape(str(k))}</th><td>{html.escape(str(v))}</td></tr>"
            for k, v in cells.items()
        )
        return f"<table><caption>design {html.escape(self.design_id)}</caption>{rows}</table>"


def _pod(data: dict[str, Any]) -> PodChoice:
    for name in ("it_w", "air_w", "rear_door_w", "liquid_w"):
        data[name] = tuple(data[name])
    return PodChoice(**data)


def served(pods: Sequence[PodChoice], cluster: str) -> float:
    """Tokens per second of goodput of a cluster: the lesser of what its pods prefill and decode; mixed ones do both.

    One that trains over several sites runs at the pace of its slowest pod, and what any pod loses is lost to all.
    """
    apart = [p for p in pods if p.cluster == cluster and p.batch]
    if apart:
        pace = min(p.throughput_tokens_s * p.batch["of"] / p.batch["parts"] for p in apart)
        return float(pace * whole_share(p.goodput for p in apart))
    mine = [(p.role, p.count * p.throughput_tokens_s * p.goodput) for p in pods if p.cluster == cluster]
    return min(sum(rate for role, rate in mine if role in ("mixed", needed)) for needed in ("prefill", "decode"))


def whole_share(shares: Iterable[float]) -> float:
    """Share of the time of a job that loses whatever any of its pods loses; of one pod its own, to the last digit."""
    found = list(shares)
    return found[0] if len(found) == 1 else max(0.0, 1.0 - sum(1.0 - share for share in found))


def _ring(data: dict[str, Any]) -> RingChoice:
    return RingChoice(**{**data, "racks": tuple(RackGroup(**r) for r in data["racks"])})


def throughput_band(pods: Sequence[PodChoice], cluster: str) -> float:
    """Relative error band of a cluster's throughput: that of its pods, weighed by what they deliver, errors taken as common."""
    mine = [(p.count * p.throughput_tokens_s * p.goodput, p.throughput_band) for p in pods if p.cluster == cluster]
    total = sum(rate for rate, _ in mine)
    return sum(rate * band for rate, band in mine) / total if total else 0.0


def behind_throughput(pods: Sequence[PodChoice]) -> dict[str, str]:
    """What stands behind the throughput of every cluster by dotted name: mapping (or replicas), runner-up, and the term that binds.

    Several kinds of pods of one cluster are joined with ``+``; nothing where throughput is a stated share of peak.
    """
    found: dict[str, list[str]] = {}
    for pod in pods:
        told = pod.performance
        if "mapping" in told:
            found.setdefault(f"{pod.cluster}.mapping", []).append(told["mapping"])
        elif "replica" in told:
            replicas = (
                f"{told['role']} {told['replicas']} x {told['replica']}, tensor {told['tensor']}, batch {told['batch']}"
            )
            found.setdefault(f"{pod.cluster}.mapping", []).append(replicas)
        elif "source" in told:
            found.setdefault(f"{pod.cluster}.mapping", []).append(f"from {told['source']}")
        if told.get("runner_up"):
            second = f"{told['runner_up']} ({told['runner_up_share']:.1%})"
            found.setdefault(f"{pod.cluster}.runner_up", []).append(second)
        if "binding" in told:
            found.setdefault(f"{pod.cluster}.binding", []).append(told["binding"])
    return {name: " + ".join(dict.fromkeys(words)) for name, words in found.items()}


def design_id(
    pods: tuple[PodChoice, ...],
    plant: tuple[PlantChoice, ...],
    orders: tuple[Order, ...] = (),
    exchanges: tuple[SiteExchange, ...] = (),
) -> str:
    """Hash of the decisions alone: the same choices have the same id in every run."""
    decisions: list[Any] = [
        sorted([p.cluster, p.site, p.count, p.pod_id, sorted(p.options.items())] for p in pods),
        sorted([p.site, p.chain, p.option, p.part, p.units] for p in plant),
    ]
    if orders:
        decisions.append(sorted([one.quote, one.units] for one in orders))
    if exchanges:
        decisions.append(sorted([one.cluster, list(one.links)] for one in exchanges))
    return hashlib.sha256(json.dumps(decisions).encode()).hexdigest()[:12]
