"""Training jobs over several sites for the brute force: which pods go together, what the whole delivers, and its links."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations, product
from typing import TYPE_CHECKING

from models.instance import Instance
from models.parts.model_card import ModelCard
from models.workload import Training

if TYPE_CHECKING:
    from .brute_force import Choice, Figures

YEAR = 365.25 * 86400.0


def whole_batch(pods: Sequence[Figures]) -> bool:
    """Whether pods deal out the batch, each at a site of its own, with the same exchange; one pod has none."""
    apart = len({row.site for row in pods}) == len(pods) and len({row.exchange for row in pods}) == 1
    return apart and sum(row.part for row in pods) == 1 and (len(pods) == 1) == (pods[0].exchange == 0)


def groups(inst: Instance, cluster: str, rows: Sequence[Figures]) -> list[Choice]:
    """Every set of pods that trains together."""
    workload = inst.workloads[cluster]
    assert isinstance(workload, Training)
    assert workload.split is not None
    counts = range(1, workload.split.sites_at_most + 1)
    return [c for n in counts for c in combinations(rows, n) if whole_batch(c)]


def of_slowest(pods: Sequence[Figures], net: Callable[[Figures], int], lost: Callable[[Figures], int]) -> int:
    """The slowest pod's net less what the others lose."""
    return min(net(row) - sum(lost(other) for other in pods if other is not row) for row in pods)


def links(inst: Instance, choice: Choice) -> Iterator[int]:
    """What the links cost [kUSD], for every ring that joins the pods of each split cluster in the time they were enumerated for."""
    years, rate = inst.money.horizon / YEAR, inst.assumptions.discount_rate.value
    annuity = (1 - (1 + rate) ** -years) / rate
    ways: list[list[int]] = []
    for cluster, workload in inst.workloads.items():
        mine = [row for row in choice if row.cluster == cluster]
        if not isinstance(workload, Training) or len(mine) < 2:
            continue
        assert workload.split is not None
        size = inst.catalogue.get(ModelCard, workload.model).shape().params() * workload.split.bytes_per_parameter
        pods, twice = len(mine), 1 if len(mine) == 2 else 2
        ways.append([])
        for used in combinations(inst.links.values(), 1 if pods == 2 else pods):
            ends = sorted(end for link in used for end in link.between)
            step = max(size / pods / link.bandwidth + link.latency for link in used)
            same = abs(2 * (pods - 1) * step - mine[0].exchange) < 1e-12
            if same and ends == sorted([row.site for row in mine] * twice):
                ways[-1].append(round(sum(link.price for link in used) * YEAR * annuity / 1e3))
    for paid in product(*ways):
        yield sum(paid)
