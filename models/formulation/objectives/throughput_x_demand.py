"""The smallest delivered share of demand over all clusters: t <= rate[c,r] / demand[c] in every role r, t maximised."""

from __future__ import annotations

import numpy as np

from models.formulation.core import Core
from models.formulation.family import Direction, objective
from models.formulation.linear import Block, Kind, Linear
from models.formulation.totals import rate, roles
from models.instance import Instance
from models.units import FRACTION
from models.workload import ServingRole

QUANTUM = 1e-4


@objective(
    name="throughput_x_demand",
    direction=Direction.MAXIMISE,
    unit=FRACTION,
    quantum=QUANTUM,
    column="throughput_x_demand",
    title="smallest delivered share of demand",
)
def throughput_x_demand(m: Core, inst: Instance, which: str | None) -> Linear:
    """The variable t, in ten-thousandths of demand."""
    block = m.add_block(Block("least_share", ("t",), Kind.INTEGER, None))
    least = Linear({block.name: np.ones(1)})
    m.within("throughput_x_demand")
    for cluster, workload in inst.workloads.items():
        for role in roles(m, cluster):
            index = (cluster,) if role is ServingRole.MIXED else (cluster, role.value)
            share = rate(m, cluster, role, workload.demand, QUANTUM)
            m.at_most("least", index, least - share, 0, "1e-4 of demand", f"workloads.{cluster}")
    return least
