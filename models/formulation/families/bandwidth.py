"""Bandwidth: no pod in use falls below the per-accelerator floors of its workload.

    sum_p  injection[p] * use[c,p]  >=  floor[c]                                for every training cluster c with a floor
    sum_{p: injection[p] < floor[c]}  use[c,p]  <=  0                           for every serving cluster c with a floor

injection [Mbit/s per accelerator, one direction]  from candidates;  floor  workloads.<c>.injection_at_least; bisection likewise,
and storage (read from storage through its network) and front_end (through the front-end network).
Linear because bandwidth is a datum of the chosen pod; a serving cluster may use several kinds, each of which must meet the floor.
"""

from __future__ import annotations

from functools import partial
from math import ceil

import numpy as np
import numpy.typing as npt

from models.candidates.placement import Placements
from models.formulation.core import Core, down
from models.formulation.family import BindingRow, family
from models.formulation.linear import Floats
from models.formulation.totals import violators
from models.instance import Instance

MEGABIT_PER_SECOND = 1e6 / 8
COLUMNS = {
    "injection": "injection",
    "bisection": "bisection",
    "storage": "storage_bandwidth",
    "front_end": "front_end_bandwidth",
}


@family(reads=("use",))
def bandwidth(m: Core, inst: Instance) -> None:
    """Adds a row per cluster and stated floor."""
    for cluster, workload in inst.workloads.items():
        for what in COLUMNS:
            stated = getattr(workload, f"{what}_at_least")
            if stated is None:
                continue
            least = ceil(stated.value / MEGABIT_PER_SECOND - 1e-6)
            source = f"workloads.{cluster}.{what}_at_least"
            if not workload.one_pod:
                short = violators(m, cluster, partial(_meets, what=what, least=least))
                m.at_most(f"{what}_of_each", (cluster,), short, 0, "pods below the floor", source)
            else:
                carried = m.everywhere(partial(_megabits, what=what), cluster=cluster)
                m.at_least(what, (cluster,), carried, least, "Mbit/s per accelerator", source)


def _megabits(placements: Placements, what: str) -> Floats:
    return down(placements.of_pods(getattr(placements.pods, COLUMNS[what])) * (1.0 + 1e-9), MEGABIT_PER_SECOND)


def _meets(placements: Placements, what: str, least: int) -> npt.NDArray[np.bool_]:
    return np.asarray(_megabits(placements, what) >= least)


@bandwidth.says
def _(row: BindingRow) -> str:
    if row.what.endswith("_of_each"):
        what = row.what.removesuffix("_of_each").replace("_", " ")
        return f"cluster {row.index[0]} may only use pods whose {what} bandwidth meets the floor"
    what = row.what.replace("_", " ")
    return f"cluster {row.index[0]} has {row.value / 1e3:,.3g} Gbit/s of {what} bandwidth per accelerator, at its floor"
