"""Reliability: every pod in use keeps its time, stands, and loses no more at once than is stated.

    sum_p  value[p] * use[c,p]  >=  floor                                       for every training cluster c
    sum_p  (1 - value[p]) * use[c,p]  <=  1 - floor                             for every training cluster c that may be split
    sum_{p: value[p] < floor}  use[c,p]  <=  0                                  for every serving cluster c

value: goodput and availability [fractions, in millionths], and with the other sense accelerators lost in the worst single failure;
from candidates (failures, checkpoints, spares, redundancy of the fabric).  floor: limits.goodput, limits.availability,
limits.blast_radius. Linear because the values are data of the chosen pod; a serving cluster may use several kinds, each of which
must meet the limit.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

import numpy as np

from models.candidates.placement import Placements
from models.formulation.core import AVAILABILITY_QUANTUM, GOODPUT_QUANTUM, Core, down
from models.formulation.family import BindingRow, family
from models.formulation.linear import Floats
from models.formulation.pace import may_split, short_of_whole
from models.formulation.totals import violators
from models.instance import Instance

WORDS = {"goodput": "of its time useful", "availability": "of its time standing"}


@family(reads=("use",))
def reliability(m: Core, inst: Instance) -> None:
    """Adds a row per cluster and stated limit."""
    limits = inst.limits
    for cluster in inst.workloads:
        if limits.goodput is not None:
            least = ceil(limits.goodput.value / GOODPUT_QUANTUM - 1e-9)
            _floor(m, inst, cluster, "goodput", least, lambda p: down(p.of_pods(p.pods.goodput), GOODPUT_QUANTUM))
        if limits.availability is not None:
            least = ceil(limits.availability.value / AVAILABILITY_QUANTUM - 1e-9)
            _floor(m, inst, cluster, "availability", least, lambda p: down(p.availability, AVAILABILITY_QUANTUM))
        if limits.blast_radius is not None:
            _ceiling(m, inst, cluster, limits.blast_radius.value)


def _floor(
    m: Core, inst: Instance, cluster: str, what: str, least: int, value: Callable[[Placements], Floats]
) -> None:  # fmt: skip
    if may_split(m, cluster):
        whole = 1.0 / GOODPUT_QUANTUM
        lost = short_of_whole(m, cluster, {p.site: value(p) for p in m.candidates.of(cluster)}, whole)
        unit, source = "millionths of the time lost", f"limits.{what}"
        m.at_most(f"{what}_of_all", (cluster,), lost, whole - least, unit, source)
    elif not inst.workloads[cluster].one_pod:
        short = violators(m, cluster, lambda p: np.asarray(value(p) >= least))
        m.at_most(f"{what}_of_each", (cluster,), short, 0, "pods below the floor", f"limits.{what}")
    else:
        share = m.everywhere(value, cluster=cluster)
        m.at_least(what, (cluster,), share, least, "millionths of the time", f"limits.{what}")


def _ceiling(m: Core, inst: Instance, cluster: str, most: int) -> None:
    source = "limits.blast_radius"
    if not inst.workloads[cluster].one_pod:
        over = violators(m, cluster, lambda p: np.asarray(p.of_pods(p.pods.blast_radius) <= most))
        m.at_most("blast_radius_of_each", (cluster,), over, 0, "pods above the ceiling", source)
    else:
        lost = m.everywhere(lambda p: p.of_pods(p.pods.blast_radius), cluster=cluster)
        m.at_most("blast_radius", (cluster,), lost, most, "accelerators", source)


@reliability.says
def _(row: BindingRow) -> str:
    who = f"cluster {row.index[0]}"
    if row.what.endswith("_of_each"):
        return f"{who} may only use pods that meet the limit on {row.what.removesuffix('_of_each').replace('_', ' ')}"
    if row.what.endswith("_of_all"):
        word = WORDS[row.what.removesuffix("_of_all")]
        lost, most = row.value / 1e4, 100 - row.limit / 1e4
        return f"{who} loses {lost:.2f} % of its time in all its pods together, at the floor of {most:.2f} % {word}"
    if row.what == "blast_radius":
        return f"{who} loses {row.value:,.0f} of {row.limit:,.0f} accelerators at once at most"
    return f"{who} keeps {row.value / 1e4:.2f} % {WORDS[row.what]}, at the floor of {row.limit / 1e4:.2f} %"
