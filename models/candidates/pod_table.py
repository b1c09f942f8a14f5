"""The table of pods of one cluster at one site: exact figures of each, as numpy columns, and which were set aside and why.

A pod is racks of one rack design behind one scale-out fabric, at one size. Every non-linear figure is computed here; the
program only adds up what it selects.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from models.candidates.fabric_summary import name_of_row
from models.candidates.fabric_table import FabricTable
from models.candidates.rack_design import RackDesign
from models.candidates.throughput_table import Profile
from models.policy import PowerFigure
from models.workload import ServingRole

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

FIGURES = (PowerFigure.NAMEPLATE, PowerFigure.DESIGN, PowerFigure.TYPICAL, PowerFigure.IN_USE)
_SHARED = ("cluster", "site", "racks", "fabrics", "profiles")
COST_LINES = ("systems", "racks", "switches", "links")
ROLES = tuple(ServingRole)


@dataclass(frozen=True)
class PodTable:
    """One row per pod; ``n`` rows.

    ``rack`` indexes ``racks``; ``table`` and ``fabric`` name a row of ``fabrics[table]``. ``systems``, ``accelerators``,
    ``node_racks`` and ``network_racks`` are counts. ``it``, ``air``, ``rear_door``, ``liquid`` (4 x n) [W]: electrical load and
    the heat given to each chain, by ``FIGURES``. ``cost_low``, ``cost_high`` (4 x n) [USD] by ``COST_LINES``, before charges.
    ``injection``, ``bisection`` [B/s per accelerator]; ``throughput`` tokens/s without failures, within the relative ``band``; ``profile`` names the
    search of mappings behind it (into ``profiles``, -1 for none), ``role`` what the pod does (into ``ROLES``; a pod that
    trains is ``mixed``); ``failure_rate`` [1/s];
    ``goodput`` fraction; ``weight`` [kg].
    """

    cluster: str
    site: str
    racks: tuple[RackDesign, ...]
    fabrics: tuple[FabricTable, ...]
    profiles: tuple[Profile, ...]

    rack: Ints
    table: Ints
    fabric: Ints
    systems: Ints
    accelerators: Ints
    node_racks: Ints
    network_racks: Ints
    it: Floats
    air: Floats
    rear_door: Floats
    liquid: Floats
    cost_low: Floats
    cost_high: Floats
    injection: Floats
    bisection: Floats
    throughput: Floats
    band: Floats
    profile: Ints
    role: Ints
    failure_rate: Floats
    goodput: Floats
    weight: Floats

    def __len__(self) -> int:
        return len(self.rack)

    @classmethod
    def column_names(cls) -> tuple[str, ...]:
        """Names of the array columns."""
        return tuple(f.name for f in fields(cls) if f.name not in _SHARED)

    def take(self, rows: npt.ArrayLike) -> PodTable:
        """The table of some rows: a mask or row numbers."""
        picked = np.asarray(rows)
        columns = {name: getattr(self, name)[..., picked] for name in self.column_names()}
        return PodTable(self.cluster, self.site, self.racks, self.fabrics, self.profiles, **columns)

    @staticmethod
    def join(parts: list[PodTable]) -> PodTable:
        """Tables of one cluster and site one after the other; they share ``racks``, ``fabrics`` and ``profiles``."""
        first = parts[0]
        columns = {name: np.concatenate([getattr(p, name) for p in parts], axis=-1) for name in PodTable.column_names()}
        return PodTable(first.cluster, first.site, first.racks, first.fabrics, first.profiles, **columns)

    @property
    def rate(self) -> Floats:
        """Tokens per second of goodput."""
        return self.throughput * self.goodput

    def rate_as(self, role: ServingRole) -> Floats:
        """Tokens per second of goodput that a pod adds to what prefill (or decode) delivers; a mixed pod does both."""
        able = (self.role == ROLES.index(role)) | (self.role == ROLES.index(ServingRole.MIXED))
        return np.where(able, self.rate, 0.0)

    @property
    def floor(self) -> Ints:
        """Rack positions."""
        return self.node_racks + self.network_racks

    def load(self, chain: Floats, figure: PowerFigure) -> Floats:
        """One row of a (4 x n) column by figure."""
        return np.asarray(chain[FIGURES.index(figure)], dtype=np.float64)

    def rack_design(self, row: int) -> RackDesign:
        """The rack design of a pod."""
        return self.racks[int(self.rack[row])]

    def fabric_row(self, row: int) -> Mapping[str, Any]:
        """The fabric of a pod as plain values."""
        return self.fabrics[int(self.table[row])].row(int(self.fabric[row]))

    def performance(self, row: int) -> dict[str, Any]:
        """The mapping a pod runs, its runner-up and binding term; empty where no mapping was searched."""
        profile = int(self.profile[row])
        return {} if profile < 0 else self.profiles[profile].describe(int(self.accelerators[row]))

    def pod_id(self, row: int) -> str:
        """Readable and unique within the table."""
        role = ROLES[int(self.role[row])]
        return pod_id(self.rack_design(row), self.fabric_row(row), int(self.accelerators[row]), role)


def pod_id(rack: RackDesign, fabric: Mapping[str, Any], accelerators: int, role: ServingRole) -> str:
    """Name of a pod from its parts: rack design, fabric and size, and its role where it has but one."""
    name = f"{rack.id}|{name_of_row(fabric)}|{accelerators}"
    return name if role is ServingRole.MIXED else f"{name}|{role.value}"
