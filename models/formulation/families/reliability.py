"""Reliability: every pod in use keeps a stated share of its time useful.

    sum_{p: goodput[p] < floor}  use[c,p]  <=  0               for every cluster c

goodput [fraction]  from candidates (failures, checkpoints, restarts);  floor  limits.goodput.
Linear because which pods fall short is known beforehand.
"""

from __future__ import annotations

from models.formulation.core import Core
from models.formulation.family import BindingRow, family
from models.formulation.totals import violators
from models.instance import Instance


@family(reads=("use",))
def reliability(m: Core, inst: Instance) -> None:
    """Adds a row per cluster where a goodput floor is stated."""
    if inst.limits.goodput is None:
        return
    least = inst.limits.goodput.value - 1e-12
    for cluster in inst.workloads:
        short = violators(m, cluster, lambda p: p.of_pods(p.pods.goodput) >= least)
        m.at_most("goodput", (cluster,), short, 0, "pods below the floor", "limits.goodput")


@reliability.says
def _(row: BindingRow) -> str:
    return f"cluster {row.index[0]} may only use pods that meet the goodput floor"
