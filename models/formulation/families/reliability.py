"""Reliability: every pod in use keeps a stated share of its time useful.

    sum_p  goodput[p] * use[c,p]  >=  floor                                     for every training cluster c
    sum_{p: goodput[p] < floor}  use[c,p]  <=  0                                for every serving cluster c

goodput [fraction, in millionths]  from candidates (failures, checkpoints, restarts);  floor  limits.goodput.
Linear because goodput is a datum of the chosen pod; a serving cluster may use several kinds, each of which must meet the floor.
"""

from __future__ import annotations

from math import ceil

from models.formulation.core import GOODPUT_QUANTUM, Core, down
from models.formulation.family import BindingRow, family
from models.formulation.totals import violators
from models.instance import Instance
from models.workload import Serving


@family(reads=("use",))
def reliability(m: Core, inst: Instance) -> None:
    """Adds a row per cluster where a goodput floor is stated."""
    if inst.limits.goodput is None:
        return
    least = ceil(inst.limits.goodput.value / GOODPUT_QUANTUM - 1e-9)
    for cluster, workload in inst.workloads.items():
        if isinstance(workload, Serving):
            short = violators(m, cluster, lambda p: down(p.of_pods(p.pods.goodput), GOODPUT_QUANTUM) >= least)
            m.at_most("goodput_of_each", (cluster,), short, 0, "pods below the floor", "limits.goodput")
        else:
            share = m.everywhere(lambda p: down(p.of_pods(p.pods.goodput), GOODPUT_QUANTUM), cluster=cluster)
            m.at_least("goodput", (cluster,), share, least, "millionths of the time", "limits.goodput")


@reliability.says
def _(row: BindingRow) -> str:
    if row.what == "goodput_of_each":
        return f"cluster {row.index[0]} may only use pods that meet the goodput floor"
    return f"cluster {row.index[0]} keeps {row.value / 1e4:.2f} % of its time useful, at the floor of {row.limit / 1e4:.2f} %"
