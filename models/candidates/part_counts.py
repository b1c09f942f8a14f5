"""Units of every catalogue part a pod buys: what prices, tiers, supply caps and rules count."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.candidates.fabric_units import units_per_fabric
from models.candidates.pod_table import PodTable
from models.candidates.rack_design import RackDesign
from models.parts.system import SystemKind

Ints = npt.NDArray[np.int64]


def parts_of(pods: PodTable) -> tuple[str, ...]:
    """Ids of all priced parts that some pod of the table may buy, each once, in order of first use."""
    found: dict[str, None] = {}
    for rack in pods.racks:
        found.update(dict.fromkeys(_per_rack(rack)))
        found[rack.system.id] = None
    for table in (*pods.fabrics, *pods.networks):
        found.update(dict.fromkeys(card.id for card in table.switches))
        found.update(dict.fromkeys(card.id for medium in table.media for card in (medium.near, medium.far)))
    for stored in pods.storages:
        found.update(dict.fromkeys((stored.part.id, stored.frame.id, stored.distribution.id)))
    return tuple(found)


def units_per_pod(pods: PodTable, part: str) -> Ints:
    """Units of ``part`` each pod buys (n); link modules and cables count by their ends, as they are priced."""
    counts = np.zeros(len(pods), dtype=np.int64)
    systems = np.array([rack.system.id == part for rack in pods.racks], dtype=np.int64)
    counts += systems[pods.rack] * pods.systems
    in_rack = np.array([_per_rack(rack).get(part, 0) for rack in pods.racks], dtype=np.int64)
    counts += in_rack[pods.rack] * pods.node_racks
    for number, table in enumerate(pods.fabrics):
        rows = np.flatnonzero(pods.table == number)
        if len(rows):
            counts[rows] += units_per_fabric(table, part)[pods.fabric[rows]]
    for at, row in zip(pods.network_table, pods.network_row, strict=True):
        for number, table in enumerate(pods.networks):
            rows = np.flatnonzero(at == number)
            if len(rows):
                counts[rows] += units_per_fabric(table, part)[row[rows]]
    return counts + _of_storage(pods, part)


def _of_storage(pods: PodTable, part: str) -> Ints:
    """Units in storage: nodes, and the frames and rack PDUs they stand in."""
    nodes = np.array([card.part.id == part for card in pods.storages] + [False], dtype=np.int64)
    racks = np.array(
        [(c.frame.id == part) + (c.distribution.id == part) * c.distribution_units for c in pods.storages] + [0],
        dtype=np.int64,
    )
    # no storage reads -1, the last entry, which counts nothing
    return np.asarray(nodes[pods.storage] * pods.storage_nodes + racks[pods.storage] * pods.storage_racks)


def _per_rack(rack: RackDesign) -> dict[str, int]:
    """Priced parts of one rack beside its systems; a rack-scale system comes with its own frame."""
    found: dict[str, int] = {}
    if rack.system.kind is SystemKind.SERVER:
        found[rack.frame.id] = 1
    for part, number in rack.parts:
        found[part.id] = found.get(part.id, 0) + number
    return found
