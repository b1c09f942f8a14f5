"""Bandwidth: no pod in use falls below the per-accelerator floors of its workload.

    sum_{p: injection[p] < floor[c]}  use[c,p]  <=  0          for every cluster c with a floor; the same for bisection

injection, bisection [Gbit/s per accelerator, one direction]  from candidates;  floor  workloads.<c>.injection_at_least.
Linear because which pods fall short is known beforehand; the row stays, so that an explanation can name it.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import numpy.typing as npt

from models.candidates.placement import Placements
from models.formulation.core import Core
from models.formulation.family import BindingRow, family
from models.formulation.totals import violators
from models.instance import Instance

TOLERANCE = 1e-9


@family(reads=("use",))
def bandwidth(m: Core, inst: Instance) -> None:
    """Adds a row per cluster and stated floor."""
    for cluster, workload in inst.workloads.items():
        for what in ("injection", "bisection"):
            stated = getattr(workload, f"{what}_at_least")
            if stated is None:
                continue
            least = stated.value * (1.0 - TOLERANCE)
            short = violators(m, cluster, partial(_meets, what=what, least=least))
            m.at_most(what, (cluster,), short, 0, "pods below the floor", f"workloads.{cluster}.{what}_at_least")


def _meets(placements: Placements, what: str, least: float) -> npt.NDArray[np.bool_]:
    return np.asarray(placements.of_pods(getattr(placements.pods, what)) >= least)


@bandwidth.says
def _(row: BindingRow) -> str:
    return f"cluster {row.index[0]} may only use pods whose {row.what} meets the floor"
