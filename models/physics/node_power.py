"""Power of a node from its use: accelerators draw by what they do, the rest of the node about the same whatever they do.

    P = host + steady + n * TDP * (c busy + (1 - c) waiting)        c: share of the step spent computing
    host = share of (nameplate - n TDP - steady): processors, memory, adapters, fans and conversion losses under load
    steady = what draws the same whatever the load: the switch trays of a rack-scale system

An accelerator that waits for the network still spins and refreshes, so it draws far more than idle; one that multiplies draws just
under its rating. Nameplate stays what a circuit is sized for; this is what energy is counted from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

COMPUTING_TERMS = ("gemm", "attention", "hbm", "optimizer", "cache", "prefill")


@dataclass(frozen=True, slots=True)
class PowerShares:
    """Shares of the rating an accelerator draws while computing, waiting and idle, and the host's share of the rest.

    The defaults come from node power measured during MLPerf training (AC, whole nodes of eight H100, cooled by immersion and by air):
    about 0.96 of the rating in compute-bound runs and a quarter less for a whole node in a communication-bound one; the host is fitted
    to nameplates with the fans each of them has, none under immersion; idle from vendor telemetry examples.
    """

    busy: float = 0.96
    waiting: float = 0.34
    idle: float = 0.12
    host: float = 0.50


def computing_share(terms: Mapping[str, float]) -> float:
    """Share of a step (training or serving, seconds by term) that the accelerators spend computing or reading memory."""
    total = sum(terms.values())
    return sum(terms.get(name, 0.0) for name in COMPUTING_TERMS) / total if total > 0 else 0.0


def computing_shares(terms: Floats, names: Sequence[str]) -> Floats:
    """``computing_share`` of many steps at once: ``terms`` (steps x names) seconds. Added up in the same order, to the same bits."""
    total, computing = np.zeros(len(terms)), np.zeros(len(terms))
    for column in range(len(names)):
        total = total + terms[:, column]
    for name in COMPUTING_TERMS:
        if name in names:
            computing = computing + terms[:, names.index(name)]
    return np.divide(computing, total, out=np.zeros(len(terms)), where=total > 0)


def node_power(
    nameplate: ArrayLike,
    accelerators: ArrayLike,
    rating: ArrayLike,
    computing: ArrayLike,
    shares: PowerShares | None = None,
    *,
    steady: ArrayLike = 0.0,
) -> Floats:
    """Mean node power [W] while a job runs, from the ``nameplate`` [W] of the node, ``rating`` [W] of one of its ``accelerators``.

    ``computing`` is the share of time spent computing, ``steady`` [W] what the node draws beside its accelerators whatever the load;
    the result never exceeds the nameplate.
    """
    k = shares or PowerShares()
    board = np.asarray(accelerators, dtype=float) * np.asarray(rating, dtype=float)
    c = np.clip(np.asarray(computing, dtype=float), 0.0, 1.0)
    drawn = _beside(nameplate, board, steady, k) + board * (c * k.busy + (1.0 - c) * k.waiting)
    return np.asarray(np.minimum(drawn, nameplate), dtype=float)


def idle_power(
    nameplate: ArrayLike,
    accelerators: ArrayLike,
    rating: ArrayLike,
    shares: PowerShares | None = None,
    *,
    steady: ArrayLike = 0.0,
) -> Floats:
    """Node power [W] with no job: idle accelerators, the host, and what draws ``steady`` [W] all the same."""
    k = shares or PowerShares()
    board = np.asarray(accelerators, dtype=float) * np.asarray(rating, dtype=float)
    return np.asarray(_beside(nameplate, board, steady, k) + board * k.idle, dtype=float)


def _beside(nameplate: ArrayLike, board: Floats, steady: ArrayLike, shares: PowerShares) -> Floats:
    rest = np.maximum(np.asarray(nameplate, dtype=float) - board, 0.0)
    always = np.minimum(np.asarray(steady, dtype=float), rest)
    return np.asarray(always + shares.host * (rest - always), dtype=float)
