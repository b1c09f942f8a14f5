"""Checkpoint sizes and storage: what must be written how fast, and how many nodes that takes.

Sizes in bytes, bandwidth in B/s, times in seconds. Mixed-precision training with Adam keeps per parameter 2 B of weights, 4 B of master weights and two 4 B moments: 14 B to
write; 16 B with gradients, the published rule of thumb. Storage holds with its largest node lost (n-1).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class OptimizerState(StrEnum):
    """What an optimiser keeps for each parameter."""

    ADAM = "adam"  # two moments (Kingma & Ba 2015)
    ADAM_8BIT = "adam-8bit"  # two moments of one byte (Dettmers et al. 2022)
    MOMENTUM = "momentum"  # one moment: SGD with momentum, Lion, Muon
    NONE = "none"  # plain SGD


_STATE_VALUES = {
    OptimizerState.ADAM: 2,
    OptimizerState.ADAM_8BIT: 2,
    OptimizerState.MOMENTUM: 1,
    OptimizerState.NONE: 0,
}


def checkpoint_bytes_per_parameter(
    state: OptimizerState = OptimizerState.ADAM,
    weight_bytes: float = 2.0,
    master_bytes: float = 4.0,
    state_bytes: float | None = None,
    gradient_bytes: float = 0.0,
) -> float:
    """Bytes written per parameter: weights + master copy + optimiser values + gradients where they are kept.

    ``state_bytes`` per optimiser value, None for 4 (1 for the 8-bit optimiser); ``master_bytes`` 0 where the weights are the master copy.
    """
    kind = OptimizerState(state)
    each = state_bytes if state_bytes is not None else (1.0 if kind is OptimizerState.ADAM_8BIT else 4.0)
    return weight_bytes + master_bytes + _STATE_VALUES[kind] * each + gradient_bytes


def checkpoint_bytes(parameters: ArrayLike, bytes_per_parameter: ArrayLike = 14.0, extra: ArrayLike = 0.0) -> Floats:
    """Bytes of one checkpoint: every parameter once, however many replicas train it, plus ``extra`` (data position, random state)."""
    return np.asarray(
        np.asarray(parameters, dtype=float) * np.asarray(bytes_per_parameter) + np.asarray(extra), dtype=float
    )


def write_time(
    size: ArrayLike, storage_bandwidth: ArrayLike, writers: ArrayLike = np.inf, writer_bandwidth: ArrayLike = np.inf
) -> Floats:
    """Seconds to write ``size`` bytes: size / min(what the storage takes, what ``writers`` nodes can send)."""
    nodes, each = np.broadcast_arrays(np.asarray(writers, dtype=float), np.asarray(writer_bandwidth, dtype=float))
    path = np.minimum(np.asarray(storage_bandwidth, dtype=float), nodes * each)
    with np.errstate(divide="ignore"):
        return np.asarray(np.asarray(size, dtype=float) / path, dtype=float)


def snapshot_time(size: ArrayLike, ranks: ArrayLike, copy_bandwidth: ArrayLike) -> Floats:
    """Seconds the job stops for an asynchronous checkpoint: each rank copies its share to host memory at ``copy_bandwidth`` [B/s].

    ``ranks`` are those that hold distinct parts: all of them with a sharded optimiser, one replica's otherwise.
    """
    return np.asarray(
        np.asarray(size, dtype=float) / (np.asarray(ranks, dtype=float) * np.asarray(copy_bandwidth)), dtype=float
    )


def load_time(
    size: ArrayLike,
    storage_bandwidth: ArrayLike,
    readers: ArrayLike = np.inf,
    reader_bandwidth: ArrayLike = np.inf,
    copies_from_storage: ArrayLike = 1.0,
) -> Floats:
    """Seconds to read a checkpoint back; ``copies_from_storage`` times where replicas all read instead of one reading and sending on."""
    return write_time(
        np.asarray(size, dtype=float) * np.asarray(copies_from_storage), storage_bandwidth, readers, reader_bandwidth
    )


def bandwidth_for_window(
    size: ArrayLike, interval: ArrayLike, blocking: ArrayLike = 0.0, share: ArrayLike = 1.0
) -> Floats:
    """Write bandwidth [B/s] that commits each checkpoint before the next: size / (share * (interval + blocking)).

    ``share`` is the part of its time the storage gives to this job's checkpoints.
    """
    window = np.asarray(share, dtype=float) * (np.asarray(interval, dtype=float) + np.asarray(blocking, dtype=float))
    with np.errstate(divide="ignore"):
        return np.asarray(np.asarray(size, dtype=float) / window, dtype=float)


def ingest_bandwidth(
    rate: ArrayLike, bytes_per_item: ArrayLike, reread: ArrayLike = 1.0, burst: ArrayLike = 1.0
) -> Floats:
    """Read bandwidth [B/s] that feeds ``rate`` items (tokens, samples) per second of ``bytes_per_item`` each.

    ``reread`` counts how often an item is read from storage per use (below 1 with a node cache), ``burst`` the peak over the mean.
    """
    return np.asarray(
        np.asarray(rate, dtype=float) * np.asarray(bytes_per_item) * np.asarray(reread) * np.asarray(burst), dtype=float
    )


def capacity_needed(
    dataset: ArrayLike, checkpoint: ArrayLike, retained: ArrayLike, scratch: ArrayLike = 0.0, fill: ArrayLike = 0.85
) -> Floats:
    """Usable capacity [B]: (dataset + scratch + (retained + 1) checkpoints) / fill.

    One more than retained, because a new checkpoint is complete before the oldest goes; ``fill`` is the highest share in use.
    """
    level = np.asarray(fill, dtype=float)
    if np.any(level <= 0) or np.any(level > 1):
        raise ValueError("the fill level is a share above 0 and at most 1")
    kept = np.asarray(checkpoint, dtype=float) * (np.asarray(retained, dtype=float) + 1.0)
    return np.asarray((np.asarray(dataset, dtype=float) + np.asarray(scratch, dtype=float) + kept) / level, dtype=float)


def usable_capacity(
    raw: ArrayLike, data_parts: ArrayLike, parity_parts: ArrayLike, spare_share: ArrayLike = 0.0
) -> Floats:
    """Usable bytes of ``raw`` under an erasure code d+p with a share held back for rebuilds: raw * d/(d+p) * (1 - spare)."""
    d, p = np.asarray(data_parts, dtype=float), np.asarray(parity_parts, dtype=float)
    return np.asarray(
        np.asarray(raw, dtype=float) * d / (d + p) * (1.0 - np.asarray(spare_share, dtype=float)), dtype=float
    )


class StorageLimit(IntEnum):
    """Which need sets the number of nodes."""

    CAPACITY = 0
    READ = 1
    WRITE = 2
    MINIMUM = 3


@dataclass(frozen=True)
class StorageSizing:
    """Nodes of one type that meet a need; arrays of one shape. ``nodes`` is -1 where no number does."""

    nodes: Ints
    limit: Ints  # StorageLimit
    capacity: Floats  # usable bytes of all nodes
    read: Floats  # B/s with ``lost`` nodes out
    write: Floats
    ports: Ints


def storage_nodes(
    capacity: ArrayLike,
    read: ArrayLike,
    write: ArrayLike,
    node_capacity: ArrayLike,
    node_read: ArrayLike,
    node_write: ArrayLike,
    lost: ArrayLike = 1,
    least: ArrayLike = 1,
    node_ports: ArrayLike = 0,
    capacity_survives_loss: bool = True,
) -> StorageSizing:
    """Fewest nodes so that usable capacity [B], read and write bandwidth [B/s] hold with ``lost`` nodes out of service.

    n = max(least, ceil(C/c) + lost, ceil(R/r) + lost, ceil(W/w) + lost); a need of 0 asks for nothing. Without
    ``capacity_survives_loss`` (a code whose parity already allows for the lost node) capacity counts all nodes. The largest need names the limit.
    """
    needs = [np.asarray(v, dtype=float) for v in (capacity, read, write)]
    gives = [np.asarray(v, dtype=float) for v in (node_capacity, node_read, node_write)]
    out = np.asarray(lost, dtype=float)
    counts: list[Floats] = []
    for position, (need, give) in enumerate(zip(needs, gives, strict=True)):
        with np.errstate(divide="ignore", invalid="ignore"):
            n = np.ceil(need / give * (1.0 - 1e-12))
        margin = out if position or capacity_survives_loss else 0.0
        counts.append(np.asarray(np.where(need > 0, n + margin, 0.0), dtype=float))
    counts.append(np.asarray(least, dtype=float))
    stacked = np.stack(np.broadcast_arrays(*counts, out)[:4])
    most = stacked.max(axis=0)
    possible = np.isfinite(most)
    nodes = np.where(possible, most, -1).astype(np.int64)
    left = np.maximum(nodes - out, 0.0)
    return StorageSizing(
        nodes=nodes,
        limit=np.asarray(stacked.argmax(axis=0), dtype=np.int64),
        capacity=np.asarray(np.maximum(nodes, 0) * gives[0], dtype=float),
        read=np.asarray(left * gives[1], dtype=float),
        write=np.asarray(left * gives[2], dtype=float),
        ports=np.asarray(np.maximum(nodes, 0) * np.asarray(node_ports, dtype=np.int64), dtype=np.int64),
    )
