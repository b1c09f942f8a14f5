"""Performance: every cluster delivers its demand in goodput.

    sum_p  rate[c,p] * use[c,p]  >=  demand[c]                                   for every cluster c
    sum_{p: r or mixed}  rate[c,p] * use[c,p]  >=  demand[c]                     for r in {prefill, decode} where pods have roles

rate [tokens/s of goodput, per pod]  from candidates, failures and communication included;  use  core;
demand [tokens/s]  training: tokens / deadline; serving: the stated rate. A prefill pod counts by the answers that follow its prompts,
so that prefill and decode pods balance.
Linear because rate is a datum of the chosen pod. A floor in ``limits.throughput`` is held against the sum of all clusters.
"""

from __future__ import annotations

from math import ceil

from models.formulation.core import Core
from models.formulation.family import BindingRow, family
from models.formulation.linear import Linear
from models.formulation.totals import delivered, rate, roles
from models.instance import Instance
from models.workload import ServingRole, Training


@family(reads=("use",))
def performance(m: Core, inst: Instance) -> None:
    """Adds one demand row per cluster, one per role where its pods have roles."""
    for cluster, workload in inst.workloads.items():
        source = f"workloads.{cluster}.{'deadline' if isinstance(workload, Training) else 'rate'}"
        for role in roles(m, cluster):
            index = (cluster,) if role is ServingRole.MIXED else (cluster, role.value)
            m.at_least("demand", index, rate(m, cluster, role), ceil(workload.demand - 1e-9), "tokens/s", source)
    if inst.limits.throughput is not None:
        total = Linear.total([delivered(m, cluster) for cluster in inst.workloads])
        m.at_least("limit", (), total, ceil(inst.limits.throughput.value - 1e-9), "tokens/s", "limits.throughput")


@performance.says
def _(row: BindingRow) -> str:
    who = f"cluster {row.index[0]}" if row.index else "all clusters together"
    who += f" in {row.index[1]}" if len(row.index) > 1 else ""
    return f"{who} just meets the demand: {row.value:,.0f} of {row.limit:,.0f} {row.unit}"
