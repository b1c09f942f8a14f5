"""The least or the greatest of a figure over the pods in use: of one cluster, or of the worst of several.

A training cluster is one pod, so its figure is linear. A serving cluster may use several kinds; with the levels v_1 < ... < v_K
of the figure over its pods,

    least     v_K - sum_{k<K} (v_{k+1} - v_k) * below[k],     sum_{p: v[p] <= v_k} pods[c,p] <= most[c] * below[k]
    greatest  v_1 + sum_{k<K} (v_{k+1} - v_k) * above[k],     sum_{p: v[p] >  v_k} pods[c,p] <= most[c] * above[k]

where below[k] and above[k] are binaries that the sense of the objective keeps as small as the rows allow.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from models.candidates.placement import Placements
from models.formulation.core import Core
from models.formulation.linear import Block, Floats, Kind, Linear
from models.instance import Instance
from models.workload import Serving

Values = Callable[[Placements], Floats]


def least(
    m: Core, inst: Instance, what: str, clusters: Sequence[str], values: Values, most: float | None, unit: str
) -> Linear:
    """The least of ``values`` (whole quanta) over the pods in use: a variable at most that of each, where clusters are several."""
    shares = {c: _least_of(m, inst, what, c, values) for c in clusters}
    if len(clusters) == 1:
        return shares[clusters[0]]
    block = m.add_block(Block(f"least_{what}", ("t",), Kind.INTEGER, most))
    bound = Linear({block.name: np.ones(1)})
    for cluster, share in shares.items():
        m.at_most("least", (cluster,), bound - share, 0, unit, f"workloads.{cluster}")
    return bound


def greatest(m: Core, inst: Instance, what: str, clusters: Sequence[str], values: Values, unit: str) -> Linear:
    """The greatest of ``values`` (whole quanta) over the pods in use: a variable at least that of each."""
    shares = {c: _greatest_of(m, inst, what, c, values) for c in clusters}
    if len(clusters) == 1:
        return shares[clusters[0]]
    block = m.add_block(Block(f"greatest_{what}", ("t",), Kind.INTEGER, None))
    bound = Linear({block.name: np.ones(1)})
    for cluster, share in shares.items():
        m.at_least("greatest", (cluster,), bound - share, 0, unit, f"workloads.{cluster}")
    return bound


def _levels(m: Core, cluster: str, values: Values) -> Floats:
    return np.unique(np.concatenate([values(p) for p in m.candidates.of(cluster)]))


def _least_of(m: Core, inst: Instance, what: str, cluster: str, values: Values) -> Linear:
    workload = inst.workloads[cluster]
    if not isinstance(workload, Serving):
        return m.everywhere(values, cluster=cluster)
    levels = _levels(m, cluster, values)
    if len(levels) == 1:
        return Linear(constant=float(levels[0]))
    keys = tuple(f"{level:.0f}" for level in levels[:-1])
    below = m.add_block(Block(f"below_{what}[{cluster}]", keys, Kind.BINARY))
    for number, key in enumerate(keys):
        used = m.everywhere(lambda p, top=levels[number]: values(p) <= top, cluster=cluster)  # type: ignore[misc]
        m.at_most("below", (cluster, key), used - _times(below, number, workload), 0, "pods", f"workloads.{cluster}")
    return Linear({below.name: -np.diff(levels)}, float(levels[-1]))


def _greatest_of(m: Core, inst: Instance, what: str, cluster: str, values: Values) -> Linear:
    workload = inst.workloads[cluster]
    if not isinstance(workload, Serving):
        return m.everywhere(values, cluster=cluster)
    levels = _levels(m, cluster, values)
    if len(levels) == 1:
        return Linear(constant=float(levels[0]))
    keys = tuple(f"{level:.0f}" for level in levels[:-1])
    above = m.add_block(Block(f"above_{what}[{cluster}]", keys, Kind.BINARY))
    for number, key in enumerate(keys):
        used = m.everywhere(lambda p, base=levels[number]: values(p) > base, cluster=cluster)  # type: ignore[misc]
        m.at_most("above", (cluster, key), used - _times(above, number, workload), 0, "pods", f"workloads.{cluster}")
    return Linear({above.name: np.diff(levels)}, float(levels[0]))


def _times(block: Block, number: int, workload: Serving) -> Linear:
    one = np.zeros(len(block))
    one[number] = float(workload.pods_at_most)
    return Linear({block.name: one})
