"""The smallest delivered share of demand over all clusters: t <= delivered[c] / demand[c], t maximised."""

from __future__ import annotations

from functools import partial

import numpy as np

from models.candidates.placement import Placements
from models.formulation.core import Core, down
from models.formulation.family import Direction, objective
from models.formulation.linear import Block, Floats, Kind, Linear
from models.instance import Instance
from models.units import FRACTION

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
        share = m.everywhere(partial(_share, demand=workload.demand), cluster=cluster)
        m.at_most("least", (cluster,), least - share, 0, "1e-4 of demand", f"workloads.{cluster}")
    return least


def _share(placements: Placements, demand: float) -> Floats:
    return down(placements.of_pods(placements.pods.rate) / demand, QUANTUM)
