"""Units of every catalogue part a pod buys: what prices, tiers, supply caps and rules count."""

from __future__ import annotations

from collections.abc import Sequence

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
    for stand in pods.network_cards:
        found.update(dict.fromkeys((stand.frame.id, stand.distribution.id)))
    return tuple(found)


FabricUnits = dict[tuple[int, str], Ints | None]
"""Units each fabric of a table buys, by the table's ``id`` and the part; None where none of them buys any."""


def units_per_pod(pods: PodTable, part: str) -> Ints:
    """Units of ``part`` each pod buys (n); link modules and cables count by their ends, as they are priced."""
    return units_of_parts(pods, (part,))[part]


def units_of_parts(pods: PodTable, parts: Sequence[str], known: FabricUnits | None = None) -> dict[str, Ints]:
    """Units of each of several parts every pod buys.

    ``known`` keeps what fabrics buy for other tables of pods over the same fabrics, which must outlive it.
    """
    known = {} if known is None else known
    found = {part: _beside_fabrics(pods, part) for part in parts}
    layers = [(pods.table, pods.fabric, pods.fabrics)]
    layers += [(t, r, pods.networks) for t, r in zip(pods.network_table, pods.network_row, strict=True)]
    for at, row, tables in layers:
        for number, table in enumerate(tables):
            here = np.flatnonzero(at == number)
            for part in parts if len(here) else ():
                if (id(table), part) not in known:
                    units = units_per_fabric(table, part)
                    known[id(table), part] = units if units.any() else None
                bought = known[id(table), part]
                if bought is not None:
                    found[part][here] += bought[row[here]]
    return found


def _beside_fabrics(pods: PodTable, part: str) -> Ints:
    systems = np.array([rack.system.id == part for rack in pods.racks], dtype=np.int64)
    in_rack = np.array([_per_rack(rack).get(part, 0) for rack in pods.racks], dtype=np.int64)
    counts = systems[pods.rack] * pods.systems + in_rack[pods.rack] * pods.node_racks
    return np.asarray(counts + _of_storage(pods, part) + _of_network_racks(pods, part))


def _of_storage(pods: PodTable, part: str) -> Ints:
    """Units in storage: nodes, and the frames and rack PDUs they stand in."""
    nodes = np.array([card.part.id == part for card in pods.storages] + [False], dtype=np.int64)
    racks = np.array(
        [(c.frame.id == part) + (c.distribution.id == part) * c.distribution_units for c in pods.storages] + [0],
        dtype=np.int64,
    )
    # no storage reads -1, the last entry, which counts nothing
    return np.asarray(nodes[pods.storage] * pods.storage_nodes + racks[pods.storage] * pods.storage_racks)


def _of_network_racks(pods: PodTable, part: str) -> Ints:
    """Units in racks of switches: frames and rack PDUs."""
    each = np.array(
        [(card.frame.id == part) + (card.distribution.id == part) * card.units for card in pods.network_cards] + [0],
        dtype=np.int64,
    )
    return np.asarray(each[pods.network_card] * pods.network_racks)


def _per_rack(rack: RackDesign) -> dict[str, int]:
    """Priced parts of one rack beside its systems; a rack-scale system comes with its own frame."""
    found: dict[str, int] = {}
    if rack.system.kind is SystemKind.SERVER:
        found[rack.frame.id] = 1
    for part, number in rack.parts:
        found[part.id] = found.get(part.id, 0) + number
    return found
