"""What a training cluster delivers that may be split over sites: the pace of its slowest pod, less what any pod loses.

All pods wait for the slowest, and time that one pod loses to failures is lost to all. With the pace v[p] of the whole job where pod p
is the slowest (``models.candidates.batch_split``) and its useful share g[p], and pods P in use, one per site,

    rate = min_P v * (1 - sum_P (1 - g))  >=  min_P v - sum_P v (1 - g)

since min_P v is at most each v[p]. The right side is linear, and exact for a pod that trains alone. With net[p] = v g rounded down and
loss[p] = v (1 - g) rounded up, t is at most, for every site s of the cluster,

    sum_{p at s} net[p] use[p] - sum_{p not at s} loss[p] use[p] + most * (1 - sum_{p at s} use[p])

``most`` being the largest net with the largest loss of every site. Weighed by the shares of the batch, which sum to one, these say

    t <= sum_p (share[p] (net[p] + loss[p]) - loss[p]) use[p]

which is added (rounded up) because it is far tighter where choices are fractions.
"""

from __future__ import annotations

import numpy as np

from models.candidates.placement import Placements
from models.formulation.core import TOKEN_QUANTUM, Core, block_name, down, up
from models.formulation.linear import Block, Floats, Kind, Linear
from models.workload import Training


def may_split(m: Core, cluster: str) -> bool:
    """Whether a cluster trains and may be split over sites."""
    workload = m.instance.workloads[cluster]
    return isinstance(workload, Training) and not workload.one_pod


def way_block(cluster: str) -> str:
    """Name of the decision how a cluster is split."""
    return f"way[{cluster}]"


def paced(m: Core, cluster: str, per: float = 1.0, quantum: float = TOKEN_QUANTUM) -> Linear:
    """The variable t [tokens/s of goodput, or multiples of ``per``], in quanta; added with its rows where it is first asked for."""
    share = "" if (per, quantum) == (1.0, TOKEN_QUANTUM) else "_share"
    name = f"paced{share}[{cluster}]"
    reached = Linear({name: np.ones(1)})
    if name in m.blocks:
        return reached
    placed = [p for p in m.candidates.of(cluster) if len(p)]
    nets = {p.site: down(p.of_pods(p.pods.pace * p.pods.goodput) / per, quantum) for p in placed}
    losses = {p.site: up(p.of_pods(p.pods.pace * (1.0 - p.pods.goodput)) / per, quantum) for p in placed}
    greatest = max(float(net.max()) for net in nets.values())
    most = greatest + sum(float(loss.max()) for loss in losses.values())
    m.add_block(Block(name, ("t",), Kind.INTEGER, greatest))
    with m.on_behalf_of("split"):
        for here in placed:
            others = [m.each(p, losses[p.site]) for p in placed if p is not here]
            left = reached + m.each(here, most - nets[here.site]) + Linear.total(others)
            m.at_most(f"slowest{share}", (cluster, here.site), left, most, "", "")
        mean = Linear({block_name(p): _weighed(p, nets[p.site], losses[p.site]) for p in placed})
        m.at_most(f"mean{share}", (cluster,), reached - mean, 0, "", "")
    return reached


def _weighed(p: Placements, net: Floats, loss: Floats) -> Floats:
    weight = p.of_pods(p.pods.parts) / p.pods.batch_parts
    return up(weight * (net + loss), 1.0) - loss


def short_of_whole(m: Core, cluster: str, values: dict[str, Floats], whole: float) -> Linear:
    """What all pods in use fall short of ``whole`` together: what a job that needs all of them lacks in a quality (``values`` by site)."""
    return Linear.total([m.each(p, whole - values[p.site]) for p in m.candidates.of(cluster)])
