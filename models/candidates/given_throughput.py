"""Throughput that somebody else worked out: a table with its rules of interpolation, or a function.

Rules of a table, for pods of one system and role. *Network* is the data rate per accelerator at the narrowest tier of the fabric. At
each listed network, throughput is linear in size between neighbouring listed sizes. Between two listed networks that both cover the
size it is linear in network; above the largest listed network nothing more is promised than there. Outside, below the smallest
network or beyond the listed sizes, nothing is covered: what is not known is not extrapolated. The band is the widest of the points
it comes from. A function is asked for all pods of a system and role at once, and says NaN where it does not know.

Of a pod that trains on a share of the global batch beside other sites a table tells what its lines of that very share tell, its own tokens
per second without the exchange, and a function is asked with ``share`` by name; between shares nothing is interpolated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.errors import InstanceError, Problem
from models.instance import Instance
from models.reading.given_throughput import find_callable
from models.workload import GivenPoint, GivenThroughput, ServingRole, Training

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

CLOSE, SAME_SHARE = 1e-9, 1e-6


@dataclass(frozen=True)
class GivenProfile:
    """What is told of a pod whose throughput was given."""

    name: str
    role: ServingRole | None

    def describe(self, accelerators: int) -> dict[str, Any]:
        """Where the throughput comes from, and the role of a serving pod."""
        told: dict[str, Any] = {"source": self.name}
        return told if self.role is None else {**told, "role": self.role.value}


@dataclass(frozen=True)
class _Level:
    """Throughput by size at one listed network."""

    network: float
    sizes: Floats
    tokens_s: Floats
    bands: Floats

    def covers(self, sizes: Floats) -> npt.NDArray[np.bool_]:
        return np.asarray((sizes >= self.sizes[0]) & (sizes <= self.sizes[-1]), dtype=np.bool_)

    def rate(self, sizes: Floats) -> Floats:
        return np.asarray(np.interp(sizes, self.sizes, self.tokens_s), dtype=np.float64)

    def band(self, sizes: Floats) -> Floats:
        below = np.clip(np.searchsorted(self.sizes, sizes, side="right") - 1, 0, len(self.sizes) - 1)
        above = np.clip(np.searchsorted(self.sizes, sizes, side="left"), 0, len(self.sizes) - 1)
        return np.maximum(self.bands[below], self.bands[above])


def given_rates(
    instance: Instance,
    cluster: str,
    system: str,
    role: ServingRole,
    accelerators: Ints,
    network: Floats,
    share: float = 1.0,
) -> tuple[Floats, Floats]:
    """Tokens/s without failures (NaN: not covered) and relative band of pods of one system; ``network`` [B/s] per accelerator;
    ``share`` of the global batch.

    Raises InstanceError where a function fails or answers with something else than such arrays.
    """
    given = instance.workloads[cluster].given
    assert given is not None
    if given.table is not None:
        rows = [p for p in given.rows if p.system == system and p.role is role and abs(p.share - share) <= SAME_SHARE]
        return interpolated(rows, accelerators, network)
    return _asked(instance, cluster, given, system, role, accelerators, network, share)


def interpolated(points: Sequence[GivenPoint], accelerators: Ints, network: Floats) -> tuple[Floats, Floats]:
    """Throughput and band by the rules above."""
    sizes = np.asarray(accelerators, dtype=np.float64)
    tokens, band = np.full(len(sizes), np.nan), np.zeros(len(sizes))
    levels = [_level([p for p in points if p.network == rate]) for rate in sorted({p.network for p in points})]
    for number, level in enumerate(levels):
        above = levels[number + 1] if number + 1 < len(levels) else None
        from_here = network >= level.network * (1 - CLOSE)
        here = from_here & (np.abs(network - level.network) <= CLOSE * level.network)
        rows = np.flatnonzero((here if above is not None else from_here) & level.covers(sizes))
        tokens[rows], band[rows] = level.rate(sizes[rows]), level.band(sizes[rows])
        if above is None:
            continue
        between = from_here & ~here & (network < above.network * (1 - CLOSE))
        rows = np.flatnonzero(between & level.covers(sizes) & above.covers(sizes))
        share = (network[rows] - level.network) / (above.network - level.network)
        low, high = level.rate(sizes[rows]), above.rate(sizes[rows])
        tokens[rows] = low + share * (high - low)
        band[rows] = np.maximum(level.band(sizes[rows]), above.band(sizes[rows]))
    return tokens, band


def _level(points: Sequence[GivenPoint]) -> _Level:
    ordered = sorted(points, key=lambda p: p.accelerators)
    return _Level(
        ordered[0].network,
        np.array([p.accelerators for p in ordered], dtype=np.float64),
        np.array([p.throughput for p in ordered], dtype=np.float64),
        np.array([p.band for p in ordered], dtype=np.float64),
    )


def _asked(
    instance: Instance,
    cluster: str,
    given: GivenThroughput,
    system: str,
    role: ServingRole,
    accelerators: Ints,
    network: Floats,
    share: float,
) -> tuple[Floats, Floats]:
    assert given.callable is not None
    workload = instance.workloads[cluster]
    of_batch = {"share": share} if isinstance(workload, Training) and workload.split is not None else {}
    try:
        answer = find_callable(given.callable)(system, role.value, accelerators.copy(), network.copy(), **of_batch)
        tokens, band = answer if isinstance(answer, tuple) else (answer, 0.0)
        tokens = np.array(np.broadcast_to(np.asarray(tokens, dtype=np.float64), accelerators.shape))
        band = np.array(np.broadcast_to(np.asarray(band, dtype=np.float64), accelerators.shape))
    except Exception as error:  # whatever a function of somebody else raises is a problem of the instance that names it
        raise InstanceError([_wrong(instance, cluster, given, f"{type(error).__name__}: {error}", system)]) from error
    known = ~np.isnan(tokens)
    if not (np.isfinite(tokens[known]).all() and (tokens[known] >= 0).all() and ((band >= 0) & (band < 1)).all()):
        raise InstanceError(
            [_wrong(instance, cluster, given, "a negative or infinite throughput, or a band outside 0 to 1", system)]
        )
    return tokens, band


def _wrong(instance: Instance, cluster: str, given: GivenThroughput, found: str, system: str) -> Problem:
    path = f"workloads.{cluster}.throughput.callable"
    expected = "tokens per second of every pod, NaN where not known, alone or with bands"
    return Problem("callable", instance.origin(path), f"{given.name} for {system}: {found}", expected)
