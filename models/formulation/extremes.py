"""The least or the greatest of a figure over the pods in use: of one cluster, or of the worst of several.

A training cluster that may not be split is one pod, so its figure is linear. One that may be needs all of its pods: the least is
then 1 less what each pod falls short of it, which is linear, too. A serving cluster may use several kinds; with the levels v_1 < ... < v_K
of the figure over its pods,

    least     v_K - sum_{k<K} (v_{k+1} - v_k) * below[k],     sum_{p: v[p] <= v_k} pods[c,p] <= most[c] * below[k]
    greatest  v_1 + sum_{k<K} (v_{k+1} - v_k) * above[k],     sum_{p: v[p] >  v_k} pods[c,p] <= most[c] * above[k]

where below[k] and above[k] are binaries that the sense of the objective keeps as small as the rows allow.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from functools import partial

import numpy as np

from models.candidates.placement import Placements
from models.formulation.core import Core
from models.formulation.linear import Block, Floats, Kind, Linear
from models.formulation.pace import may_split, short_of_whole
from models.instance import Instance
from models.workload import Serving, Training

Values = Callable[[Placements], Floats]
AnyCluster = Training | Serving


class _End(Enum):
    """Which end is asked for; the name of its binaries and rows."""

    LEAST = "below"
    GREATEST = "above"

    def reached(self, values: Values, level: float, placements: Placements) -> Floats:
        """Which placements lie on the far side of a level."""
        figure = values(placements)
        return np.asarray(figure <= level if self is _End.LEAST else figure > level, dtype=np.float64)


def least(
    m: Core, inst: Instance, what: str, clusters: Sequence[str], values: Values, most: float | None, unit: str
) -> Linear:
    """The least of ``values`` (whole quanta) over the pods in use: a variable at most that of each, where clusters are several."""
    return _worst(m, inst, what, clusters, values, unit, _End.LEAST, most)


def greatest(m: Core, inst: Instance, what: str, clusters: Sequence[str], values: Values, unit: str) -> Linear:
    """The greatest of ``values`` (whole quanta) over the pods in use: a variable at least that of each."""
    return _worst(m, inst, what, clusters, values, unit, _End.GREATEST)


def _worst(
    m: Core,
    inst: Instance,
    what: str,
    clusters: Sequence[str],
    values: Values,
    unit: str,
    end: _End,
    most: float | None = None,
) -> Linear:
    """The extreme over one cluster as it is; over several a variable on the far side of that of each."""
    shares = {c: _extreme(m, what, c, values, inst.workloads[c], end, most) for c in clusters}
    if len(clusters) == 1:
        return shares[clusters[0]]
    name, bounded = ("least", m.at_most) if end is _End.LEAST else ("greatest", m.at_least)
    block = m.add_block(Block(f"{name}_{what}", ("t",), Kind.INTEGER, most))
    bound = Linear({block.name: np.ones(1)})
    for cluster, share in shares.items():
        bounded(name, (cluster,), bound - share, 0, unit, f"workloads.{cluster}")
    return bound


def _extreme(
    m: Core, what: str, cluster: str, values: Values, workload: AnyCluster, end: _End, most: float | None
) -> Linear:
    """Least or greatest over the pods of one cluster, by the formulas of this module."""
    if workload.one_pod:
        return m.everywhere(values, cluster=cluster)
    if end is _End.LEAST and most is not None and may_split(m, cluster):
        return -short_of_whole(m, cluster, {p.site: values(p) for p in m.candidates.of(cluster)}, most) + most
    levels = np.unique(np.concatenate([np.zeros(0), *(values(p) for p in m.candidates.of(cluster))]))
    if len(levels) < 2:
        return Linear(constant=float(levels.sum()))
    keys = tuple(f"{level:.0f}" for level in levels[:-1])
    steps = m.add_block(Block(f"{end.value}_{what}[{cluster}]", keys, Kind.BINARY))
    for number, key in enumerate(keys):
        beyond = partial(end.reached, values, levels[number])
        used = m.everywhere(beyond, cluster=cluster)
        m.at_most(end.value, (cluster, key), used - _times(steps, number, workload), 0, "pods", f"workloads.{cluster}")
    if end is _End.LEAST:
        return Linear({steps.name: -np.diff(levels)}, float(levels[-1]))
    return Linear({steps.name: np.diff(levels)}, float(levels[0]))


def _times(block: Block, number: int, workload: AnyCluster) -> Linear:
    one = np.zeros(len(block))
    one[number] = float(workload.most_pods)
    return Linear({block.name: one})
