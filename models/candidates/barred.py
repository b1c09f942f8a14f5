"""Pods that a workload bars because no layout holds them: left out, and what they would have replaced put back.

Early choices among fabrics and racks keep the best and drop what it beats; where the best may be barred, what it beats must stay.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.candidates.fabric_choice import unbeaten
from models.candidates.fabric_summary import name_of_row
from models.candidates.fabric_table import FabricTable
from models.candidates.pod_table import PodTable
from models.candidates.told_apart import Compare
from models.instance import Instance

Ints = npt.NDArray[np.int64]


def barred_pods(instance: Instance, cluster: str, site: str) -> frozenset[str]:
    """Ids of the pods of ``cluster`` that are barred at ``site``."""
    space = instance.workloads[cluster].design_space
    return frozenset(entry.pod for entry in space.without_layout if entry.site == site)


def barred_racks(barred: frozenset[str]) -> frozenset[str]:
    """Rack designs some pod of which is barred: none of them may stand in for another."""
    return frozenset(pod.split("|")[0] for pod in barred)


def kept_fabrics(
    table: FabricTable, rows: Ints, barred: frozenset[str], compare: Compare, losses: bool = False
) -> Ints:
    """``rows`` (the unbeaten of ``table``), every fabric called like that of a barred pod, and those that are unbeaten without them."""
    if not barred:
        return rows
    names = {pod.split("|")[1] for pod in barred}
    hit = np.array([row for row in range(len(table)) if name_of_row(table.row(row)) in names], dtype=np.int64)
    rest = np.setdiff1d(np.arange(len(table)), hit)
    again = rest[unbeaten(table.take(rest), compare, losses)] if len(rest) else rest
    return np.union1d(np.union1d(rows, hit), again)


def not_barred(pods: PodTable, barred: frozenset[str]) -> Ints:
    """Rows of ``pods`` that no entry bars."""
    if not barred:
        return np.arange(len(pods), dtype=np.int64)
    racks = barred_racks(barred)
    suspect = np.array([rack.id in racks for rack in pods.racks], dtype=np.bool_)[pods.rack]
    keep = ~suspect
    for row in np.flatnonzero(suspect):
        keep[row] = pods.pod_id(int(row)) not in barred
    return np.flatnonzero(keep)
