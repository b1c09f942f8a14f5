"""What fails how often, and what each cause takes from the goodput.

Every failure costs the job the work since its last committed checkpoint and a restart, whatever the cause, and its own time to detect and replace. With the shares of time of
``checkpointing.time_shares`` the loss splits exactly: down time by rate * down, lost work and restarts by rate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.physics.checkpointing import goodput, time_shares
from models.physics.reliability import failure_rate, rate_weighted_mean

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ReliabilityBudget:
    """A pod's failures by cause; arrays [cause] but for the scalars.

    ``rates`` events per second, ``losses`` the share of wall time each cause takes, ``checkpoint_loss`` what the snapshots themselves take: goodput + checkpoint_loss + sum of losses = 1.
    """

    causes: tuple[str, ...]
    rates: Floats
    losses: Floats
    checkpoint_loss: float
    goodput: float
    rate: float

    @property
    def mean_time_to_interrupt(self) -> float:
        """Seconds between interruptions of the whole pod; infinite where nothing fails."""
        return 1.0 / self.rate if self.rate > 0 else float("inf")


def reliability_budget(
    causes: Sequence[str],
    counts: ArrayLike,
    rates: ArrayLike,
    down: ArrayLike,
    interval: float,
    blocking: float,
    restart: float,
    commit_lag: float = 0.0,
) -> ReliabilityBudget:
    """The budget of a pod from ``counts`` [cause], ``rates`` [1/s per item] and ``down`` [s, to detect and replace] of each cause.

    Uses the exact shares of time, so the goodput is that of ``checkpointing.goodput`` at the rate-weighted mean down time.
    """
    each = np.asarray(counts, dtype=float) * np.asarray(rates, dtype=float)
    waits = np.broadcast_to(np.asarray(down, dtype=float), each.shape)
    if each.shape != (len(causes),):
        raise ValueError(f"{len(causes)} causes do not fit rates of shape {each.shape}")
    total = float(failure_rate(counts, rates))
    mean_down = float(rate_weighted_mean(each, waits))
    shares = time_shares(interval, blocking, total, mean_down, restart, commit_lag)
    by_rate = each / total if total > 0 else np.zeros_like(each)
    waiting = each * waits
    by_wait = waiting / waiting.sum() if waiting.sum() > 0 else np.zeros_like(each)
    losses = float(shares.down) * by_wait + float(shares.lost_work + shares.restart) * by_rate
    return ReliabilityBudget(tuple(causes), each, losses, float(shares.checkpoint), float(shares.useful), total)


def goodput_without(
    cause: int,
    counts: ArrayLike,
    rates: ArrayLike,
    down: ArrayLike,
    interval: float,
    blocking: float,
    restart: float,
    commit_lag: float = 0.0,
) -> float:
    """Goodput if the cause at this position never failed, at the same interval: what mending it would buy."""
    each = np.asarray(counts, dtype=float) * np.asarray(rates, dtype=float)
    each[cause] = 0.0
    return float(goodput(interval, blocking, each.sum(), rate_weighted_mean(each, down), restart, commit_lag))
