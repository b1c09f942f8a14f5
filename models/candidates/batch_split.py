"""A training job over several sites: the ways to join them, and the parts of the global batch a pod may take.

A *way* is a set of sites and the ring of links that joins them. With B tokens per optimizer step, of which pod p takes the share
s_p, its own step t_p(s_p B), and an exchange of X seconds every H steps,

    throughput = B / (max_p t_p(s_p B) + X / H) = min_p v_p,        v_p = B / (t_p(s_p B) + X / H),   sum_p s_p = 1

so the pace v_p of a pod at a share in a way is a datum of its own, whatever the other pods are. Shares are whole parts of the
batch; which pod takes how many is a choice of the program, and so is the way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise, permutations, product

from models.instance import Instance
from models.parts.model_card import ModelCard
from models.physics.network.site_exchange import exchange_time
from models.workload import Training


@dataclass(frozen=True)
class Way:
    """Sites that train together over a ring of ``links``: seconds of one exchange, and USD per second for the links."""

    sites: tuple[str, ...]
    links: tuple[str, ...]
    exchange: float
    price: float

    @property
    def id(self) -> str:
        """The links it uses, which name the sites."""
        return "+".join(self.links)


@dataclass(frozen=True, order=True)
class Part:
    """``parts`` of ``of`` equal parts of the global batch; ``exchange`` [s] with the other pods, ``pause`` [s] of it per step."""

    parts: int
    of: int
    exchange: float
    pause: float

    @property
    def share(self) -> float:
        """Share of the global batch."""
        return self.parts / self.of


WHOLE = Part(1, 1, 0.0, 0.0)
"""All of the batch in one pod of a cluster that may not be split."""


def exchanged_bytes(instance: Instance, cluster: str) -> float:
    """Bytes that every pod of a split cluster exchanges."""
    workload = instance.workloads[cluster]
    assert isinstance(workload, Training) and workload.split is not None
    return instance.catalogue.get(ModelCard, workload.model).shape().params() * workload.split.bytes_per_parameter


def ways_of(instance: Instance, cluster: str) -> tuple[Way, ...]:
    """Every set of sites a cluster may be split over, with each ring that none beats in both time and price; none unless it may be."""
    workload = instance.workloads[cluster]
    if not isinstance(workload, Training) or workload.split is None:
        return ()
    size = exchanged_bytes(instance, cluster)
    open_to = [s for s in instance.sites if workload.sites is None or s in workload.sites]
    found: list[Way] = []
    for pods in range(2, workload.split.sites_at_most + 1):
        for sites in combinations(open_to, pods):
            best: list[Way] = []
            for way in sorted(_rings(instance, sites, size), key=lambda w: (w.exchange, w.price, w.links)):
                if not best or way.price < best[-1].price:
                    best.append(way)
            found.extend(best)
    return tuple(found)


def _rings(instance: Instance, sites: Sequence[str], size: float) -> Iterator[Way]:
    between: dict[frozenset[str], list[str]] = {}
    for name, link in instance.links.items():
        between.setdefault(frozenset(link.between), []).append(name)
    first, *others = sites
    for order in permutations(others):
        if len(order) > 1 and order[0] > order[-1]:
            continue  # the same ring the other way round
        round_trip = (first, *order, first) if len(order) > 1 else (first, *order)
        hops = [between.get(frozenset(pair), []) for pair in pairwise(round_trip)]
        for links in product(*hops):
            used = [instance.links[name] for name in links]
            took = exchange_time(size, len(sites), [one.bandwidth for one in used], [one.latency for one in used])
            yield Way(tuple(sites), tuple(links), took, sum(one.price for one in used))


def parts_at(instance: Instance, cluster: str, site: str) -> tuple[Part, ...]:
    """What a pod of a cluster at a site may take of the batch: all of it, or some parts beside other sites."""
    workload = instance.workloads[cluster]
    if not isinstance(workload, Training) or workload.split is None:
        return (WHOLE,)
    of, every = workload.split.parts, workload.split.sync_every
    fewest: dict[float, int] = {}
    for way in ways_of(instance, cluster):
        if site in way.sites:
            fewest[way.exchange] = min(len(way.sites), fewest.get(way.exchange, len(way.sites)))
    found = [Part(of, of, 0.0, 0.0)]
    for exchange, sites in sorted(fewest.items()):
        found += [Part(parts, of, exchange, exchange / every) for parts in range(1, of - sites + 2)]
    return tuple(found)
