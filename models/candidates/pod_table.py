"""The table of pods of one cluster at one site: exact figures of each, as numpy columns, and which were set aside and why.

A pod is racks of one rack design behind one scale-out fabric, at one size. Every non-linear figure is computed here; the
program only adds up what it selects.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from models.candidates.fabric_summary import name_of_row
from models.candidates.fabric_table import FabricTable
from models.candidates.network_plan import Network
from models.candidates.network_rack import NetworkCard
from models.candidates.pod_networks import BESIDE
from models.candidates.pod_storage import StorageCard
from models.candidates.rack_design import RackDesign
from models.candidates.throughput_table import Profile
from models.policy import PowerFigure
from models.workload import ServingRole

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

FIGURES = (PowerFigure.NAMEPLATE, PowerFigure.DESIGN, PowerFigure.TYPICAL, PowerFigure.IN_USE)
_SHARED = ("cluster", "site", "racks", "fabrics", "profiles", "storages", "network_cards", "networks", "batch_parts")
COST_LINES = ("systems", "racks", "switches", "links", "storage")
ROLES = tuple(ServingRole)


@dataclass(frozen=True)
class PodTable:
    """One row per pod; ``n`` rows.

    ``rack`` indexes ``racks``; ``table`` and ``fabric`` name a row of ``fabrics[table]``. ``systems``, ``accelerators``,
    ``node_racks``, the ``node_positions`` they take and ``network_racks`` are counts. ``it``, ``air``, ``rear_door``, ``liquid`` (4 x n) [W]: electrical load and
    the heat given to each chain, by ``FIGURES``. ``cost_low``, ``cost_high`` (5 x n) [USD] by ``COST_LINES``, before charges.
    ``injection``, ``bisection`` [B/s per accelerator]; ``throughput`` tokens/s without failures, within the relative ``band``; ``profile`` names the
    search of mappings behind it (into ``profiles``, -1 for none), ``role`` what the pod does (into ``ROLES``; a pod that
    trains is ``mixed``); ``write`` and ``load_time`` [s] of a checkpoint; ``failure_rate`` [1/s]; ``goodput`` fraction;
    ``availability`` the probability that the whole pod stands; ``blast_radius`` accelerators the worst single failure takes;
    ``weight`` [kg]. ``storage`` indexes ``storages`` (-1: none bought), ``storage_nodes`` and ``storage_racks`` are counts,
    ``write_bandwidth`` and ``ingest`` [B/s] what it writes and must read; ``network_table``, ``network_row`` (3 x n) name rows of
    ``networks`` by ``pod_networks.BESIDE`` (-1: none); ``storage_bandwidth``, ``front_end_bandwidth`` [B/s per accelerator].
    ``network_card`` indexes ``network_cards``, the frame and rack PDUs of every network rack (-1: no such rack).
    ``systems`` counts spares, of which there are ``spares``; ``accelerators`` are those of the job. Of ``batch_parts`` equal parts of a
    training job's batch a pod takes ``parts``, and its ``throughput`` is that of its own parts; ``exchange`` [s] with pods at other sites, 0 where it trains alone.
    """

    cluster: str
    site: str
    racks: tuple[RackDesign, ...]
    fabrics: tuple[FabricTable, ...]
    profiles: tuple[Profile, ...]
    storages: tuple[StorageCard, ...]
    networks: tuple[FabricTable, ...]
    network_cards: tuple[NetworkCard, ...]
    batch_parts: int

    rack: Ints
    table: Ints
    fabric: Ints
    systems: Ints
    spares: Ints
    accelerators: Ints
    node_racks: Ints
    node_positions: Ints
    network_racks: Ints
    network_card: Ints
    storage: Ints
    storage_nodes: Ints
    storage_racks: Ints
    write_bandwidth: Floats
    ingest: Floats
    network_table: Ints
    network_row: Ints
    it: Floats
    air: Floats
    rear_door: Floats
    liquid: Floats
    cost_low: Floats
    cost_high: Floats
    injection: Floats
    bisection: Floats
    storage_bandwidth: Floats
    front_end_bandwidth: Floats
    throughput: Floats
    band: Floats
    profile: Ints
    role: Ints
    write: Floats
    load_time: Floats
    failure_rate: Floats
    goodput: Floats
    availability: Floats
    blast_radius: Ints
    weight: Floats
    parts: Ints
    exchange: Floats

    def __len__(self) -> int:
        return len(self.rack)

    @classmethod
    def column_names(cls) -> tuple[str, ...]:
        """Names of the array columns."""
        return tuple(f.name for f in fields(cls) if f.name not in _SHARED)

    def take(self, rows: npt.ArrayLike) -> PodTable:
        """The table of some rows: a mask or row numbers."""
        picked = np.asarray(rows)
        if len(picked) == len(self) and (picked.all() if picked.dtype == np.bool_ else (np.diff(picked) == 1).all()):
            return self
        columns: dict[str, Any] = {name: getattr(self, name)[..., picked] for name in self.column_names()}
        return replace(self, **columns)

    @staticmethod
    def join(parts: list[PodTable]) -> PodTable:
        """Tables of one cluster and site one after the other; they share ``racks``, ``fabrics`` and ``profiles``."""
        first = parts[0]
        columns: dict[str, Any] = {
            name: np.concatenate([getattr(p, name) for p in parts], axis=-1) for name in PodTable.column_names()
        }
        return replace(first, **columns)

    @property
    def rate(self) -> Floats:
        """Tokens per second of goodput."""
        return self.throughput * self.goodput

    @property
    def pace(self) -> Floats:
        """Tokens per second without failures of the whole job where the pod is the slowest of it."""
        return self.throughput if self.batch_parts == 1 else self.throughput * self.batch_parts / self.parts

    def rate_as(self, role: ServingRole) -> Floats:
        """Tokens per second of goodput that a pod adds to what prefill (or decode) delivers; a mixed pod does both."""
        able = (self.role == ROLES.index(role)) | (self.role == ROLES.index(ServingRole.MIXED))
        return np.where(able, self.rate, 0.0)

    @property
    def installed(self) -> Ints:
        """Accelerators bought: those of the job and those of the spares."""
        return np.asarray(self.accelerators // (self.systems - self.spares) * self.systems, dtype=np.int64)

    @property
    def floor(self) -> Ints:
        """Rack positions: a wide frame takes several, racks of switches and storage one each."""
        return self.node_positions + self.network_racks + self.storage_racks

    def load(self, chain: Floats, figure: PowerFigure) -> Floats:
        """One row of a (4 x n) column by figure."""
        return np.asarray(chain[FIGURES.index(figure)], dtype=np.float64)

    def rack_design(self, row: int) -> RackDesign:
        """The rack design of a pod."""
        return self.racks[int(self.rack[row])]

    def fabric_row(self, row: int) -> Mapping[str, Any]:
        """The fabric of a pod as plain values."""
        return self.fabrics[int(self.table[row])].row(int(self.fabric[row]))

    def storage_card(self, row: int) -> StorageCard | None:
        """The storage nodes of a pod, None where it buys none."""
        card = int(self.storage[row])
        return self.storages[card] if card >= 0 else None

    def network_rack(self, row: int) -> NetworkCard | None:
        """The rack that holds only switches of a pod, None where it has none."""
        card = int(self.network_card[row])
        return self.network_cards[card] if card >= 0 else None

    def network_row_of(self, row: int) -> dict[Network, tuple[FabricTable, int]]:
        """Table and row of every network beside scale-out that has switches."""
        return {
            network: (self.networks[int(self.network_table[number, row])], int(self.network_row[number, row]))
            for number, network in enumerate(BESIDE)
            if self.network_row[number, row] >= 0
        }

    def performance(self, row: int) -> dict[str, Any]:
        """The mapping a pod runs, its runner-up and binding term; empty where no mapping was searched."""
        profile = int(self.profile[row])
        return {} if profile < 0 else self.profiles[profile].describe(int(self.accelerators[row]))

    def pod_id(self, row: int) -> str:
        """Readable and unique within the table."""
        role = ROLES[int(self.role[row])]
        card = self.storage_card(row)
        level = f"{self.write_bandwidth[row] / 1e9:g}GB/s" if self.write_bandwidth[row] > 0 else ""
        stored = f"{int(self.storage_nodes[row])}x{card.part.id}" if card is not None else level
        batch = ""
        if self.exchange[row] > 0:
            batch = f"{int(self.parts[row])}of{self.batch_parts}@{self.exchange[row]:.6g}s"
        return pod_id(self.rack_design(row), self.fabric_row(row), int(self.accelerators[row]), role, stored, batch)


def pod_id(
    rack: RackDesign,
    fabric: Mapping[str, Any],
    accelerators: int,
    role: ServingRole,
    storage: str = "",
    batch: str = "",
) -> str:
    """Name of a pod: rack design, fabric and size, its role where it has but one, the storage it buys or is entitled to, and its
    part of a job that is split over sites with the exchange between them."""
    name = f"{rack.id}|{name_of_row(fabric)}|{accelerators}"
    name = name if role is ServingRole.MIXED else f"{name}|{role.value}"
    return "|".join(filter(None, (name, storage, batch)))
