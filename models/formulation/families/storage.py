"""Storage: clusters that share the storage of their site take no more of it than it has.

    sum_p  write[p] * use[p]   <=  write[s]         checkpoint entitlements [MB/s]              for every site s with storage
    sum_p  ingest[p] * use[p]  <=  read[s]          what the jobs read all the time [MB/s]
    sum_p  need[p] * use[p]    <=  capacity[s]      datasets and kept checkpoints [TB]

write, ingest, need  of pods whose workload says ``storage: {shared: true}``, rounded up;  write[s], read[s], capacity[s]  sites.<s>.storage. A cluster that buys its own nodes is sized for its needs when it is enumerated.
Linear because entitlement and ingest are data of the chosen pod: storage given to one cluster is missing in another's goodput.
"""

from __future__ import annotations

from math import floor

import numpy as np

from models.candidates.placement import Placements
from models.candidates.pod_storage import needed_capacity
from models.formulation.core import Core, up
from models.formulation.family import BindingRow, family
from models.formulation.linear import Floats, Linear
from models.instance import Instance

MEGABYTE = 1e6
TERABYTE = 1e12


@family(reads=("use",))
def storage(m: Core, inst: Instance) -> None:
    """Adds up to three rows per site whose storage some cluster may share."""
    for site, place in inst.sites.items():
        sharing = [c for c, w in inst.workloads.items() if w.storage is not None and w.storage.shared]
        mine = [p for p in m.candidates.placements if p.site == site and p.cluster in sharing and len(p)]
        if place.storage is None or not mine:
            continue
        source = f"sites.{site}.storage"
        for what, column in (("write", "write_bandwidth"), ("read", "ingest")):
            limit = floor(getattr(place.storage, what) / MEGABYTE + 1e-9)
            taken = Linear.total([m.each(p, _taken(p, column)) for p in mine])
            m.at_most(f"{what}_bandwidth", (site,), taken, limit, "MB/s", f"{source}.{what}")
        held = Linear.total([m.each(p, _held(inst, p)) for p in mine])
        limit = floor(place.storage.capacity / TERABYTE + 1e-9)
        m.at_most("capacity", (site,), held, limit, "TB", f"{source}.capacity")


def _taken(placements: Placements, column: str) -> Floats:
    return up(placements.of_pods(getattr(placements.pods, column)), MEGABYTE)


def _held(inst: Instance, placements: Placements) -> Floats:
    """Capacity [TB] that every pod takes; one that serves keeps its own copy."""
    need = float(up(needed_capacity(inst, placements.cluster), TERABYTE))
    return np.full(len(placements), need)


@storage.says
def _(row: BindingRow) -> str:
    what = row.what.replace("_", " ")
    return f"storage of site {row.index[0]} gives all its {what}: {row.value:,.0f} of {row.limit:,.0f} {row.unit}"
