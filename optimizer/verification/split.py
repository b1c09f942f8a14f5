"""A training job over several sites: its parts of the batch, the ring of links, the time of an exchange, and what the whole delivers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from models.instance import Instance
from models.parts.model_card import ModelCard
from models.workload import BatchSplit, Training
from optimizer.design import Design, PodChoice, SiteExchange
from optimizer.verification.findings import Checks
from optimizer.verification.quanta import Total

YEAR = 365.25 * 86400.0


def split_of(instance: Instance, cluster: str) -> BatchSplit | None:
    """How a cluster may be split; None where it may not."""
    workload = instance.workloads[cluster]
    return workload.split if isinstance(workload, Training) else None


def share_of(pod: PodChoice) -> float:
    """The share of the batch that a pod says it takes."""
    return float(pod.batch["parts"] / pod.batch["of"]) if pod.batch else 1.0


def with_exchange(instance: Instance, pod: PodChoice, tokens_s: float) -> float:
    """Tokens per second of a pod's own part when every step ends with its share of the exchange it says it waits for."""
    workload, split = instance.workloads[pod.cluster], split_of(instance, pod.cluster)
    if split is None or not pod.batch or pod.batch["exchange_s"] == 0 or tokens_s <= 0:
        return tokens_s
    assert isinstance(workload, Training)
    step = share_of(pod) * workload.global_batch / tokens_s + pod.batch["exchange_s"] / split.sync_every
    return float(share_of(pod) * workload.global_batch / step)


def check_split(checks: Checks, instance: Instance, design: Design) -> None:
    """Every batch is dealt out once, to one pod a site, over links that join the sites; nothing is said of clusters that are not split."""
    for cluster in instance.workloads:
        mine = [pod for pod in design.pods if pod.cluster == cluster]
        told = [one for one in design.exchanges if one.cluster == cluster]
        split, where = split_of(instance, cluster), f"split.{cluster}"
        if split is None:
            checks.same(where, len(told), 0, "the cluster may not be split")
            checks.rule(where, not any(pod.batch for pod in mine), [dict(p.batch) for p in mine], "no part of a batch")
            continue
        checks.same(f"{where}.of", {pod.batch.get("of") for pod in mine}, {split.parts}, "parts of the batch")
        parts = [int(pod.batch.get("parts", 0)) for pod in mine]
        checks.rule(f"{where}.parts", sum(parts) == split.parts and min(parts) > 0, parts, split.parts, "all dealt out")
        sites = [pod.site for pod in mine]
        alone = len(set(sites)) == len(sites) and all(pod.count == 1 for pod in mine)
        checks.rule(f"{where}.sites", alone, sites, "one pod a site")
        checks.rule(f"{where}.sites", len(sites) <= split.sites_at_most, len(sites), split.sites_at_most, "at most")
        if not checks.same(f"{where}.exchanges", len(told), int(len(sites) > 1), "one ring where there are several"):
            continue
        took = _check_ring(checks, instance, told[0], sites, split, where) if told else 0.0
        for pod in mine:
            checks.same(f"{where}.exchange_s", pod.batch.get("exchange_s"), took, f"pod at {pod.site}")
    known = set(instance.workloads)
    checks.rule("split", all(one.cluster in known for one in design.exchanges), len(design.exchanges), "known clusters")


def _check_ring(
    checks: Checks, instance: Instance, told: SiteExchange, sites: Sequence[str], split: BatchSplit, where: str
) -> float:
    """Seconds of an exchange over the ring a design names, which must join exactly the sites of its pods."""
    checks.same(f"{where}.sites", sorted(told.sites), sorted(sites), "the sites of the ring are those of the pods")
    known = all(name in instance.links for name in told.links)
    if not checks.rule(f"{where}.links", known, list(told.links), list(instance.links), "links of the instance"):
        return told.exchange_s
    links = [instance.links[name] for name in told.links]
    pods = len(sites)
    ends = Counter(end for link in links for end in link.between)
    each = 1 if pods == 2 else 2
    closed = dict(ends) == dict.fromkeys(sites, each) and _joined([link.between for link in links])
    checks.rule(
        f"{where}.links", closed and len(set(told.links)) == len(links), list(told.links), "a ring of the sites"
    )
    shape = instance.catalogue.get(ModelCard, instance.workloads[told.cluster].model).shape()
    piece = shape.params() * split.bytes_per_parameter / pods
    took = 0.0
    for _ in range(2 * (pods - 1)):
        took += max(piece / link.bandwidth + link.latency for link in links)
    checks.same(f"{where}.exchange_s", told.exchange_s, took)
    checks.same(f"{where}.usd_per_s", told.usd_per_s, sum(link.price for link in links))
    return took


def _joined(pairs: Sequence[tuple[str, str]]) -> bool:
    """Whether every end can be reached from every other."""
    reached, left = set(pairs[0]), list(pairs)
    while any(reached & set(pair) and not reached >= set(pair) for pair in left):
        reached.update(end for pair in left if reached & set(pair) for end in pair)
    return all(reached >= set(pair) for pair in pairs)


def link_costs(instance: Instance, exchanges: Iterable[SiteExchange]) -> list[tuple[str, str, float]]:
    """Cluster, link and present value [USD] of every link in use: twelve months a year, paid for as the years go by."""
    years, rate = instance.money.horizon / YEAR, instance.assumptions.discount_rate.value
    worth = years if rate == 0 else (1.0 - (1.0 + rate) ** -years) / rate
    return [(one.cluster, name, instance.links[name].price * YEAR * worth) for one in exchanges for name in one.links]


def slowest(nets: Sequence[Total], losses: Sequence[Total]) -> Total:
    """What a job delivers: the net of its slowest pod less what every other one loses."""
    least = [n.least - sum(o.most for k, o in enumerate(losses) if k != i) for i, n in enumerate(nets)]
    most = [n.most - sum(o.least for k, o in enumerate(losses) if k != i) for i, n in enumerate(nets)]
    return Total(min(least, default=0), min(most, default=0))


def of_all(shares: Sequence[Total], whole: int) -> Total:
    """A quality of a job that needs all of its pods: ``whole`` less what each falls short of it."""
    return Total(whole - sum(whole - s.least for s in shares), whole - sum(whole - s.most for s in shares))


def share_of_all(shares: Iterable[float]) -> float:
    """The same without rounding, never below nothing; of one pod its own."""
    found = list(shares)
    return found[0] if len(found) == 1 else max(0.0, 1.0 - sum(1.0 - one for one in found))
