"""What a cluster has beside its accelerators and their fabric: spare systems, storage, and networks of their own."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from models.policy import Owned, Record
from models.units import Bytes, BytesPerSecond, Seconds, Share


class Spares(Owned):
    """Hot spare systems, as many as keep the job whole with probability ``confidence``.

    ``replacement`` is how long a failed system is away, ``swap`` how long it takes to put a spare in its place; ``leaving`` the
    share of a system's failures after which it leaves (the rest ends with a reset).
    """

    confidence: Share = Field(gt=0, lt=1)
    replacement: Seconds = Field(gt=0)
    swap: Seconds = 0.0
    leaving: Share = Field(default=1.0, gt=0)


class StorageNeed(Owned):
    """Storage of one cluster; which ``write`` bandwidth it is built for is a choice of the design.

    Capacity holds ``dataset`` and ``checkpoints_kept`` checkpoints (one more while it is written) below ``fill`` of the ``usable``
    share of raw capacity. A checkpoint takes ``bytes_per_parameter``; the job waits for the whole write, or for ``snapshot`` only.
    Reading feeds ``bytes_per_token`` x tokens/s x ``reread``. All bandwidths hold with ``lost`` nodes out of service.
    """

    nodes: tuple[str, ...] | None = Field(default=None, min_length=1)
    write: tuple[Annotated[BytesPerSecond, Field(gt=0)], ...] = Field(min_length=1, max_length=8)
    read: BytesPerSecond = 0.0
    dataset: Bytes = 0.0
    checkpoints_kept: int = Field(default=3, ge=0)
    bytes_per_parameter: float = Field(default=14.0, gt=0)
    bytes_per_token: float = Field(default=4.0, ge=0)
    reread: float = Field(default=1.0, ge=0)
    usable: Share = Field(default=0.7, gt=0)
    fill: Share = Field(default=0.85, gt=0)
    lost: int = Field(default=1, ge=0)
    snapshot: Seconds | None = None
    shared: bool = False


class NetworkSpace(Record):
    """A network beside scale-out: ``speed`` of its ports, how many a system has, and what it may be built of.

    ``uplinks`` is the speed between its switches where it differs; then leaf and spine may be two models.
    """

    speed: BytesPerSecond = Field(gt=0)
    ports_per_system: int = Field(ge=0)
    uplinks: BytesPerSecond | None = None
    switches: tuple[str, ...] | None = Field(default=None, min_length=1)
    protocols: tuple[str, ...] = Field(default=("Eth",), min_length=1)
    oversubscription: tuple[Annotated[float, Field(ge=1)], ...] = Field(default=(1.0,), min_length=1)
    wasted_ports_at_most: float = Field(default=0.05, ge=0, lt=1)


class Networks(Owned):
    """Networks beside scale-out, each a fabric of its own; one that is not listed is not built."""

    storage: NetworkSpace | None = None
    front_end: NetworkSpace | None = None
    management: NetworkSpace | None = None
