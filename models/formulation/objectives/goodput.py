"""Goodput: share of useful time, of the worst training cluster where there are several."""

from __future__ import annotations

import numpy as np

from models.formulation.core import GOODPUT_QUANTUM, Core, down
from models.formulation.family import Direction, objective
from models.formulation.linear import Block, Kind, Linear
from models.instance import Instance
from models.units import FRACTION
from models.workload import Training


@objective(
    name="goodput",
    direction=Direction.MAXIMISE,
    unit=FRACTION,
    quantum=GOODPUT_QUANTUM,
    column="goodput_fraction",
    title="share of useful time",
)
def goodput(m: Core, inst: Instance, which: str | None) -> Linear:
    """Of the only training cluster, or a variable at most that of each (in millionths)."""
    clusters = [which] if which else [name for name, w in inst.workloads.items() if isinstance(w, Training)]
    clusters = clusters or list(inst.workloads)
    shares = {c: m.everywhere(lambda p: down(p.of_pods(p.pods.goodput), GOODPUT_QUANTUM), cluster=c) for c in clusters}
    if len(clusters) == 1:
        return shares[clusters[0]]
    block = m.add_block(Block("least_goodput", ("t",), Kind.INTEGER, 1.0 / GOODPUT_QUANTUM))
    least = Linear({block.name: np.ones(1)})
    m.within("goodput")
    for cluster, share in shares.items():
        m.at_most("least", (cluster,), least - share, 0, "1e-6", f"workloads.{cluster}")
    return least
