"""Failures, recovery, goodput, availability and worst loss of a pod, worked out again from parts, scalar by scalar."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, isinf
from typing import Any

from scipy.stats import binom, poisson

from models.instance import Instance
from models.parts.failure_rate import FailureRate, Interruption
from models.parts.system import System
from models.physics.checkpointing import plan_checkpoints, time_shares
from models.physics.power_supplies import parse_supply, supply_capacity
from models.workload import Serving
from optimizer.design import PodChoice
from optimizer.verification.fabric import FabricFacts
from optimizer.verification.rack_coolant import cooled
from optimizer.verification.racks import RackParts

FIT = 1e-9 / 3600.0
Span = tuple[float, float, float]
SYSTEM, NODE_LINKS, SWITCHES, OTHER = "system", "node links", "leaf switches", "other"


@dataclass(frozen=True)
class Cause:
    """Parts of one kind, the rate of all of them together [1/s, low to high], their repair [s], and what a failure does."""

    name: str
    count: float
    rates: Span
    repair: float
    kind: str


@dataclass(frozen=True)
class Reliability:
    """What a pod's failures come to; ``told`` is what a design reports of them."""

    failure_rate: float
    goodput: float
    availability: float
    blast_radius: int
    spares: int
    told: dict[str, Any]


@dataclass(frozen=True)
class Writing:
    """Seconds to write a checkpoint and to read it back."""

    write: float
    load: float


def _row(instance: Instance, kind: str, part: str = "") -> FailureRate:
    rows = instance.catalogue.of(FailureRate)
    found = rows[part] if part in rows else rows[getattr(instance.components, kind)]
    if found.rate is None:
        raise ValueError(f"failure_rates.csv has no rate {found.id}")
    return found


def _mended(row: FailureRate) -> float:
    """Time until a part is back [s]."""
    if row.repair is None:
        raise ValueError(f"failure_rates.csv has no mttr_h of {row.id}")
    return row.repair


def _span(row: FailureRate) -> Span:
    assert row.rate is not None
    low = row.rate_low if row.rate_low is not None else row.rate
    return low, row.rate, row.rate_high if row.rate_high is not None else row.rate


def _times(span: Span, count: float) -> Span:
    return span[0] * count, span[1] * count, span[2] * count


def _system_causes(instance: Instance, system: System, jobs: int) -> list[Cause]:
    """Causes that take a system out of the job, for all ``jobs`` systems."""
    given, using = instance.assumptions, instance.components
    assert system.accelerators is not None and system.scaleout_nics is not None and system.rails is not None
    if given.node_failure_rate is None and system.cpus is None:
        raise ValueError(f"systems.csv does not say how many processors {system.id} has")
    accelerators, nodes = system.accelerators, system.scaleout_nics // system.rails
    causes: list[Cause] = []

    def add(name: str, each: float, span: Span, repair: float) -> None:
        causes.append(Cause(name, jobs * each, _times(span, jobs * each), repair, SYSTEM))

    if given.accelerator_failure_rate is not None:
        add("accelerators", accelerators, (given.accelerator_failure_rate.value,) * 3, 0.0)
    else:
        whole, memory = _row(instance, "accelerator", system.accelerator or ""), _row(instance, "memory")
        apart = [max(a - m, 0.0) for a, m in zip(_span(whole), _span(memory), strict=True)]
        add("accelerators", accelerators, (apart[0], apart[1], apart[2]), _mended(whole))
        add("accelerator memory", accelerators, _span(memory), _mended(memory))
    if given.node_failure_rate is not None:
        add("nodes", nodes, (given.node_failure_rate.value,) * 3, 0.0)
        return causes
    supply = parse_supply(system.psu_config or "")
    modules = (supply.modules or 0) * (supply.shelves or 1)
    for name, kind, each in (
        ("NICs", "nic", system.scaleout_nics),
        ("processors", "cpu", system.cpus or 0),
        ("host memory", "dimm", (system.cpus or 0) * using.dimms_per_cpu),
        ("local disks", "disk", accelerators * using.disks_per_accelerator),
        ("power supplies", "psu", modules if modules else using.psus_per_node * nodes),
    ):
        row = _row(instance, kind)
        add(name, each, _span(row), _mended(row))
    if using.fans_per_node and (system.liquid_fraction or 0.0) < 1.0:
        row = _row(instance, "fan")
        low, typical, high = (_two_fans(using.fans_per_node, rate, _mended(row)) for rate in _span(row))
        add("fans", nodes, (low, typical, high), _mended(row))
    return causes


def _two_fans(fans: int, rate: float, repair: float) -> float:
    """How often a second of ``fans`` fans fails while the first is being mended [1/s]."""
    up = 1.0 / (1.0 + rate * repair)
    return float(fans * up ** (fans - 1) * (1.0 - up) * (fans - 1) * rate)


@dataclass(frozen=True)
class Stored:
    """Storage nodes of a pod: their part, how many, the ports of one, and how many may be lost."""

    part: str
    nodes: int
    ports: int
    lost: int


def _node_span(instance: Instance, stored: Stored) -> Span:
    """Rate of one storage node [1/s]: its own row, or two processors with memory, two supplies and its ports."""
    if stored.part in instance.catalogue.of(FailureRate):
        return _span(instance.catalogue.get(FailureRate, stored.part))
    total = [0.0, 0.0, 0.0]
    dimms = 2 * instance.components.dimms_per_cpu
    for kind, count in (("cpu", 2), ("dimm", dimms), ("psu", 2), ("nic", stored.ports)):
        for end, rate in enumerate(_span(_row(instance, kind))):
            total[end] += count * rate
    return total[0], total[1], total[2]


def _storage_cause(instance: Instance, stored: Stored) -> Cause:
    """Storage stops the job when one node more is gone than it may lose."""
    repair = _mended(_row(instance, "cpu"))
    needed = max(stored.nodes - stored.lost, 0)
    low, typical, high = (
        float(binom.pmf(needed, stored.nodes, 1.0 / (1.0 + rate * repair))) * needed * rate
        for rate in _node_span(instance, stored)
    )
    return Cause("storage", float(stored.nodes), (low, typical, high), repair, SWITCHES)


def causes_of(
    instance: Instance, system: System, jobs: int, fabric: FabricFacts, stored: Stored | None
) -> list[Cause]:  # fmt: skip
    """Every cause of a stop, in the order a design lists them."""
    given = instance.assumptions
    causes = _system_causes(instance, system, jobs)
    whole = given.accelerator_failure_rate is not None and given.node_failure_rate is not None
    if not whole:
        rows = instance.catalogue.of(Interruption)
        events = [rows[name].per_million_hours for name in instance.components.software]
        if None in events:
            raise ValueError("interruptions.csv does not say how often software stops a job")
        count = jobs * float(system.accelerators or 0)
        rate = sum(often for often in events if often is not None) * 1e3 * FIT * count
        causes.append(Cause("software and maintenance", count, (rate, rate, rate), 0.0, OTHER))
    if given.node_failure_rate is None:
        links = fabric.node_link_failures
        causes.append(Cause(NODE_LINKS, float(fabric.node_links), (links, links, links), 0.0, NODE_LINKS))
    if not whole:
        row = _row(instance, "switch", fabric.switch.id)
        spans = _times(_span(row), fabric.leaf)
        causes.append(Cause(SWITCHES, float(fabric.leaf), spans, _mended(_row(instance, "switch")), SWITCHES))
        if stored is not None:
            causes.append(_storage_cause(instance, stored))
    return causes


def _downs(instance: Instance, cluster: str, causes: list[Cause], spares: int, end: int) -> list[float]:
    """Down time before the restart after each cause [s]."""
    stated, detection = instance.workloads[cluster].spares, instance.assumptions.detection
    seen = 0.0 if detection is None else detection.value
    wait = swap = 0.0
    if stated is not None:
        rate = sum(c.rates[end] for c in causes if c.kind == SYSTEM) * stated.leaving
        away = rate * stated.replacement
        backorders = away * poisson.sf(spares - 1, away) - spares * poisson.sf(spares, away)
        wait = max(float(backorders), 0.0) / rate if rate > 0 else 0.0
        swap = stated.swap
    found = []
    for cause in causes:
        more = 0.0
        if cause.kind == SYSTEM:
            more = cause.repair if stated is None else stated.leaving * (swap + wait)
        elif cause.kind == SWITCHES:
            more = cause.repair
        elif cause.kind == NODE_LINKS:
            more = swap
        found.append(seen + more)
    return found


def _stands(instance: Instance, cluster: str, causes: list[Cause], jobs: int) -> float:
    """Probability that one system stands."""
    stated = instance.workloads[cluster].spares
    mine = [c for c in causes if c.kind == SYSTEM]
    rate = sum(c.rates[1] for c in mine) / jobs
    if stated is not None:
        return 1.0 / (1.0 + rate * stated.leaving * stated.replacement)
    repair = sum(c.rates[1] * c.repair for c in mine) / (rate * jobs) if rate > 0 else 0.0
    return 1.0 / (1.0 + rate * (repair or instance.assumptions.restart.value))


def _fewest_spares(instance: Instance, cluster: str, stands: float, jobs: int) -> int:
    stated = instance.workloads[cluster].spares
    spares = 0
    while stated is not None and binom.sf(jobs - 1, jobs + spares, stands) < stated.confidence:
        spares += 1
    return spares


def reliability_of(
    instance: Instance, pod: PodChoice, parts: RackParts, fabric: FabricFacts, writing: Writing, stored: Stored | None
) -> Reliability:
    """Everything a pod's failures come to, for the systems and spares the design states."""
    cluster, workload = pod.cluster, instance.workloads[pod.cluster]
    jobs = pod.systems - pod.spares
    causes = causes_of(instance, parts.system, jobs, fabric, stored)
    own = cooled(instance, pod)
    if own is not None:
        causes.append(Cause("CDUs in racks", float(own.count), own.rates, own.repair, SWITCHES))
    stands = _stands(instance, cluster, causes, jobs)
    restart = instance.assumptions.restart.value + writing.load
    ends = [_useful(instance, cluster, causes, pod.spares, restart, writing.write, end) for end in range(3)]
    typical = ends[1]
    rate = sum(c.rates[1] for c in causes)
    downs = _downs(instance, cluster, causes, pod.spares, 1)
    told = {
        "causes": [
            {
                "cause": cause.name, "count": cause.count, "rate_low": cause.rates[0], "rate": cause.rates[1],
                "rate_high": cause.rates[2], "down_s": down, "loss": loss,
            }
            for cause, down, loss in zip(causes, downs, typical.losses(causes, downs, restart), strict=True)
        ],
        "failure_low": sum(c.rates[0] for c in causes), "failure_high": sum(c.rates[2] for c in causes),
        "goodput_low": ends[2].goodput, "goodput_high": ends[0].goodput, "down_s": typical.down, "restart_s": restart,
        "interval_s": None if isinf(typical.interval) else typical.interval, "blocking_s": typical.blocking,
        "checkpoint_loss": typical.checkpoint,
        "spares": [] if workload.spares is None else [
            {"spares": n, "probability": float(binom.sf(jobs - 1, jobs + n, stands))} for n in range(pod.spares + 3)
        ],
    }  # fmt: skip
    return Reliability(
        rate, typical.goodput, _availability(instance, fabric, stands, jobs, pod.spares) * _storage_stands(instance, stored)
        * (1.0 if own is None else own.stands),
        _worst(instance, pod, parts, fabric, jobs), _fewest_spares(instance, cluster, stands, jobs), told,
    )  # fmt: skip


@dataclass(frozen=True)
class _Useful:
    goodput: float
    down: float
    interval: float
    blocking: float
    lag: float
    checkpoint: float
    serving: bool

    def losses(self, causes: list[Cause], downs: list[float], restart: float) -> list[float]:
        """Share of time each cause takes: its own waiting, and its share of lost work and restarts."""
        rates = [cause.rates[1] for cause in causes]
        if self.serving:
            return [rate * (restart + down) * self.goodput for rate, down in zip(rates, downs, strict=True)]
        total = sum(rates)
        if total <= 0:
            return [0.0] * len(rates)
        shares = time_shares(self.interval, self.blocking, total, self.down, restart, self.lag)
        waiting = sum(rate * down for rate, down in zip(rates, downs, strict=True))
        again = float(shares.lost_work + shares.restart)
        return [
            (float(shares.down) * rate * down / waiting if waiting > 0 else 0.0) + again * rate / total
            for rate, down in zip(rates, downs, strict=True)
        ]


def _useful(
    instance: Instance, cluster: str, causes: list[Cause], spares: int, restart: float, write: float, end: int
) -> _Useful:  # fmt: skip
    workload = instance.workloads[cluster]
    rate = sum(c.rates[end] for c in causes)
    downs = _downs(instance, cluster, causes, spares, end)
    down = sum(c.rates[end] * d for c, d in zip(causes, downs, strict=True)) / rate if rate > 0 else 0.0
    if isinstance(workload, Serving):
        return _Useful(1.0 / (1.0 + rate * (restart + down)), down, 0.0, 0.0, 0.0, 0.0, True)
    snapshot = workload.storage.snapshot if workload.storage is not None else None
    plan = plan_checkpoints(write, rate, down, restart, snapshot)
    interval, blocking, lag = float(plan.interval), float(plan.blocking), float(plan.commit_lag)
    if isinf(interval):
        return _Useful(1.0, down, interval, blocking, lag, 0.0, False)
    window = rate * (interval + blocking)
    useful = interval * rate * exp(-rate * (lag + restart)) / (1.0 + rate * down) / (exp(window) - 1.0)
    return _Useful(useful, down, interval, blocking, lag, useful * blocking / interval, False)


def _availability(instance: Instance, fabric: FabricFacts, stands: float, jobs: int, spares: int) -> float:
    row = _row(instance, "switch", fabric.switch.id)
    repair = _mended(_row(instance, "switch"))
    up = 1.0 / (1.0 + (row.rate or 0.0) * repair)
    whole = float(binom.sf(jobs - 1, jobs + spares, stands)) * up**fabric.leaf
    for count in (fabric.spine, fabric.core):
        if count == 1:
            whole *= up
        elif count > 1:
            whole *= up**count + count * up ** (count - 1) * (1.0 - up)
    return whole


def _storage_stands(instance: Instance, stored: Stored | None) -> float:
    if stored is None:
        return 1.0
    unit = 1.0 / (1.0 + _node_span(instance, stored)[1] * _mended(_row(instance, "cpu")))
    return float(binom.sf(max(stored.nodes - stored.lost, 0) - 1, stored.nodes, unit))


def _worst(instance: Instance, pod: PodChoice, parts: RackParts, fabric: FabricFacts, jobs: int) -> int:
    """Accelerators that the worst single failure takes: a leaf, a rack, or all where a feed or a storage node is needed."""
    each = parts.system.accelerators or 0
    need = instance.workloads[pod.cluster].storage
    supply = supply_capacity(parse_supply(parts.system.psu_config or "")).feed_lost_w
    units = pod.systems_per_rack if parts.is_server else 1
    carried = supply is not None and supply * units >= (parts.system.typical_power or 0.0) * pod.systems_per_rack
    if not carried or (need is not None and not need.shared and need.lost == 0):
        return jobs * each
    per_link = pod.systems * each / fabric.node_links
    behind = -int(-fabric.fullest_leaf * per_link * (1 - 1e-12) // 1)
    return min(max(behind, pod.systems_per_rack * each), jobs * each)
