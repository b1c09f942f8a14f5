"""Goodput: share of useful time, of the worst training cluster where there are several; of the worst pod where many serve.

    t <= g_K - sum_{k<K} (g_{k+1} - g_k) * below[k],     sum_{p: goodput[p] <= g_k} pods[c,p] <= most[c] * below[k]

g_1 < ... < g_K [1e-6] are the goodputs of a serving cluster's pods; below[k] is one where a pod of level k or less is in use, so
that the right-hand side telescopes to the least goodput in use.
"""

from __future__ import annotations

import numpy as np

from models.formulation.core import GOODPUT_QUANTUM, Core, down
from models.formulation.family import Direction, objective
from models.formulation.linear import Block, Kind, Linear
from models.instance import Instance
from models.units import FRACTION
from models.workload import Serving, Training


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
    m.within("goodput")
    shares = {c: _share(m, inst, c) for c in clusters}
    if len(clusters) == 1:
        return shares[clusters[0]]
    block = m.add_block(Block("least_goodput", ("t",), Kind.INTEGER, 1.0 / GOODPUT_QUANTUM))
    least = Linear({block.name: np.ones(1)})
    for cluster, share in shares.items():
        m.at_most("least", (cluster,), least - share, 0, "1e-6", f"workloads.{cluster}")
    return least


def _share(m: Core, inst: Instance, cluster: str) -> Linear:
    """Goodput of the pod of a training cluster, at most that of the worst pod of a serving one [1e-6]."""
    workload = inst.workloads[cluster]
    if not isinstance(workload, Serving):
        return m.everywhere(lambda p: down(p.of_pods(p.pods.goodput), GOODPUT_QUANTUM), cluster=cluster)
    exact = [down(p.of_pods(p.pods.goodput), GOODPUT_QUANTUM) for p in m.candidates.of(cluster)]
    levels = np.unique(np.concatenate(exact))
    if len(levels) == 1:
        return Linear(constant=float(levels[0]))
    keys = tuple(f"{level:.0f}" for level in levels[:-1])
    below = m.add_block(Block(f"below_goodput[{cluster}]", keys, Kind.BINARY))
    for number, key in enumerate(keys):
        used = m.everywhere(
            lambda p, top=levels[number]: down(p.of_pods(p.pods.goodput), GOODPUT_QUANTUM) <= top,  # type: ignore[misc]
            cluster=cluster,
        )
        one = np.zeros(len(keys))
        one[number] = float(workload.pods_at_most)
        m.at_most("below", (cluster, key), used - Linear({below.name: one}), 0, "pods", f"workloads.{cluster}")
    return Linear({below.name: -np.diff(levels)}, float(levels[-1]))
