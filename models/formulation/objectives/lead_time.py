"""Lead time: days from the order to the latest arrival, of orders by their quotes and of systems by their availability.

    t  >=  days[q] * used[q]                                                  quotes without supply by quarter
    t  >=  days[q,k] * late[q,k],    ordered[q]  <=  sum_k more[q,k] * late[q,k]     quotes whose units come quarter by quarter
    t  >=  sum_p days[p] * use[c,p]                                           training clusters
    t  >=  days[v] * later[c,v],     sum_{p: days[p] = days[v]} pods[c,p]  <=  most[c] * later[c,v]     serving clusters

days [whole days after money.order_date, half-open quarters counted to their end]; more [units that come in quarter k];
late, later [binary]. What states no lead time and no quarter counts as there when ordered.
"""

from __future__ import annotations

import numpy as np

from models.candidates.offers import Offer, order_date
from models.formulation.arrivals import arrival_steps, available_after, last_due
from models.formulation.core import Core
from models.formulation.family import Direction, objective
from models.formulation.linear import Block, Kind, Linear
from models.instance import Instance
from models.units import SECOND

DAY = 86400.0


@objective(
    name="lead_time",
    direction=Direction.MINIMISE,
    unit=SECOND,
    quantum=DAY,
    column="lead_time_days",
    scale=1.0 / DAY,
    title="days from order to latest arrival",
)
def lead_time(m: Core, inst: Instance, which: str | None) -> Linear:
    """The variable t [days]."""
    ordered = order_date(inst)
    steps = {offer.name: arrival_steps(offer.arrival, ordered, last_due(inst)) for offer in m.candidates.offers}
    days = [float(day) for found in steps.values() for day, _ in found]
    days += [float(available_after(m, p).max()) for p in m.candidates.placements if len(p)]
    block = m.add_block(Block("latest_arrival", ("t",), Kind.INTEGER, max([0.0, *days])))
    latest = Linear({block.name: np.ones(1)})
    m.within("lead_time")
    for offer in m.candidates.offers:
        _of_offer(m, offer, steps[offer.name], latest)
    for cluster in inst.workloads:
        _of_cluster(m, inst, cluster, latest)
    return latest


def _of_offer(m: Core, offer: Offer, steps: list[tuple[int, int | None]], latest: Linear) -> None:
    if len(steps) == 1 and steps[0][1] is None:
        if steps[0][0] > 0:
            m.at_least("offer", (offer.name,), latest - m.read(f"used[{offer.name}]") * float(steps[0][0]), 0, "", "")
        return
    if not steps:
        return  # nothing of it arrives in time: the supply family orders nothing
    late = m.add_block(Block(f"late[{offer.name}]", tuple(f"d{day}" for day, _ in steps), Kind.BINARY))
    come = np.array([float(units or 0) for _, units in steps])
    m.at_most(
        "come",
        (offer.name,),
        m.read(f"ordered[{offer.name}]") - Linear({late.name: np.diff(come, prepend=0.0)}),
        0,
        "",
        "",
    )
    for number, (day, _) in enumerate(steps):
        one = np.zeros(len(steps))
        one[number] = float(day)
        m.at_least("offer", (offer.name, late.keys[number]), latest - Linear({late.name: one}), 0, "", "")


def _of_cluster(m: Core, inst: Instance, cluster: str, latest: Linear) -> None:
    workload = inst.workloads[cluster]
    if workload.one_pod:
        after = m.everywhere(lambda p: available_after(m, p), cluster=cluster)
        m.at_least("system", (cluster,), latest - after, 0, "", "")
        return
    levels = np.unique(np.concatenate([np.zeros(0), *(available_after(m, p) for p in m.candidates.of(cluster))]))
    levels = levels[levels > 0]
    if not len(levels):
        return
    later = m.add_block(Block(f"later[{cluster}]", tuple(f"d{level:.0f}" for level in levels), Kind.BINARY))
    for number, level in enumerate(levels):
        one = np.zeros(len(levels))
        one[number] = 1.0
        used = m.everywhere(lambda p, at=level: available_after(m, p) == at, cluster=cluster)  # type: ignore[misc]
        opened = Linear({later.name: one})
        m.at_most("later", (cluster, later.keys[number]), used - opened * float(workload.most_pods), 0, "", "")
        m.at_least("system", (cluster, later.keys[number]), latest - opened * float(level), 0, "", "")
