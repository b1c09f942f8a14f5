"""Goodput of a job that checkpoints, and the interval that makes it largest.

A job computes for ``interval`` tau, stops for ``blocking`` C to take a snapshot, and goes on. The snapshot counts once it is
committed, ``commit_lag`` w after the stop ended (0 when the write is synchronous: then C is the whole write). Failures are exponential with ``rate``
lambda and take the job back to the last committed snapshot: ``down`` D (detect and replace, nothing runs, mean value) and then ``restart`` R
(load and warm up, exposed to further failures). Renewal at each completed restart gives the exact long-run share of useful time:

    E[committed intervals per cycle] = sum_{k>=1} P(X >= k L + w) = exp(-lambda w) / (exp(lambda L) - 1),       L = tau + C
    E[cycle]                         = exp(lambda R) * (1/lambda + D)
    goodput = tau * exp(-lambda (w + R)) / ((1/lambda + D) * (exp(lambda L) - 1))

With w = 0 this is the expected completion time of Daly 2006, with down time as in Herault & Robert 2015. Its first-order expansion is the familiar
1 - C/tau - tau/(2M) - (D + R + w)/M, M = 1/lambda. All functions broadcast; times in seconds, rates in 1/s.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def _floats(*values: ArrayLike) -> list[Floats]:
    arrays = [np.asarray(v, dtype=float) for v in values]
    if any(np.any(a < 0) for a in arrays):
        raise ValueError("times, rates and sizes are never negative")
    return arrays


def _decay(x: Floats) -> Floats:
    """x / (exp(x) - 1) without overflow: 1 at 0, 0 at infinity."""
    with np.errstate(invalid="ignore"):
        value = x * np.exp(-x) / -np.expm1(-x)
    return np.asarray(np.where(x == 0, 1.0, np.where(np.isinf(x), 0.0, value)), dtype=float)


def young_interval(blocking: ArrayLike, rate: ArrayLike) -> Floats:
    """Young's interval sqrt(2 C M) (Young 1974); infinite where nothing fails. Good while C/M < 0.01."""
    c, lam = _floats(blocking, rate)
    with np.errstate(divide="ignore", invalid="ignore"):
        tau = np.sqrt(2.0 * c / lam)
    return np.asarray(np.where(lam == 0, np.inf, tau), dtype=float)


def daly_interval(blocking: ArrayLike, rate: ArrayLike) -> Floats:
    """Daly's higher-order interval (Daly 2006); M where C >= 2M, infinite where nothing fails.

    tau = sqrt(2CM) * (1 + sqrt(C/2M)/3 + (C/2M)/9) - C.
    """
    c, lam = np.broadcast_arrays(*_floats(blocking, rate))
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = 1.0 / lam
        ratio = c * lam / 2.0
        tau = np.sqrt(2.0 * c * mean) * (1.0 + np.sqrt(ratio) / 3.0 + ratio / 9.0) - c
    return np.where(lam == 0, np.inf, np.where(ratio < 1.0, tau, mean))


def optimal_interval(blocking: ArrayLike, rate: ArrayLike, shortest: ArrayLike = 0.0) -> Floats:
    """The interval that maximises the exact goodput, not shorter than ``shortest``; infinite where nothing fails.

    Setting the derivative to zero gives u = 1 - exp(-(u + lambda C)), u = lambda*tau, whatever the down time, restart time and lag. The function
    u - 1 + exp(-(u + lambda C)) is convex and increasing, so Newton from above (Young, capped at 1) descends to its root.
    Goodput rises before the root and falls after it: where the write window forbids the optimum, ``shortest`` is best.
    """
    c, lam, floor = np.broadcast_arrays(*_floats(blocking, rate, shortest))
    a = c * lam
    u = np.minimum(np.sqrt(2.0 * a), 1.0)
    for _ in range(60):
        slope = -np.expm1(-(u + a))
        step = np.divide(u + np.expm1(-(u + a)), slope, out=np.zeros_like(u), where=slope > 0)
        u = np.maximum(u - step, 0.0)
        if np.all(np.abs(step) <= 4e-16 * (1.0 + u)):
            break
    with np.errstate(divide="ignore", invalid="ignore"):
        tau = np.where(lam == 0, np.inf, u / lam)
    return np.asarray(np.maximum(tau, floor), dtype=float)


def goodput(
    interval: ArrayLike,
    blocking: ArrayLike,
    rate: ArrayLike,
    down: ArrayLike = 0.0,
    restart: ArrayLike = 0.0,
    commit_lag: ArrayLike = 0.0,
) -> Floats:
    """Exact long-run share of time that ends as kept work; the formula of this module, between 0 and 1.

    ``down`` may be a mean over failure classes; ``restart`` and ``commit_lag`` are constants of the job. Use ``write_window_ok`` for whether a
    background write fits its interval.
    """
    tau, c, lam, d, r, w = _floats(interval, blocking, rate, down, restart, commit_lag)
    with np.errstate(invalid="ignore"):
        kept = np.where(np.isinf(tau), 1.0, tau / (tau + c))
    kept = np.where((c == 0) & (tau == 0), 1.0, kept)
    with np.errstate(invalid="ignore", over="ignore"):
        exposure = np.where(lam == 0, 0.0, lam * (tau + c))
        standing = np.exp(-lam * (w + r)) / (1.0 + lam * d)
    return np.asarray(kept * _decay(exposure) * standing, dtype=float)


def goodput_first_order(
    interval: ArrayLike,
    blocking: ArrayLike,
    rate: ArrayLike,
    down: ArrayLike = 0.0,
    restart: ArrayLike = 0.0,
    commit_lag: ArrayLike = 0.0,
) -> Floats:
    """First-order goodput 1 - C/tau - tau/(2M) - (D + R + w)/M; may be negative where it does not hold."""
    tau, c, lam, d, r, w = _floats(interval, blocking, rate, down, restart, commit_lag)
    return np.asarray(1.0 - c / tau - lam * tau / 2.0 - lam * (d + r + w), dtype=float)


def first_order_error_bound(
    interval: ArrayLike,
    blocking: ArrayLike,
    rate: ArrayLike,
    down: ArrayLike = 0.0,
    restart: ArrayLike = 0.0,
    commit_lag: ArrayLike = 0.0,
) -> Floats:
    """A bound on |exact - first order|: S^2 + lambda C / 2 with S = C/tau + lambda (tau + C)/2 + lambda (D + R + w).

    Each factor of the exact form lies between 1 - x and 1/(1 + x) for its own term x of S, so the product lies between 1 - S and
    1/(1 + S) <= 1 - S + S^2; lambda C / 2 is the part of the half interval that the first-order form leaves out.
    """
    tau, c, lam, d, r, w = _floats(interval, blocking, rate, down, restart, commit_lag)
    total = c / tau + lam * (tau + c) / 2.0 + lam * (d + r + w)
    return np.asarray(total**2 + lam * c / 2.0, dtype=float)


def write_window_ok(interval: ArrayLike, blocking: ArrayLike, commit_lag: ArrayLike) -> Bools:
    """True where a background write is committed before the next snapshot is due: w <= tau + C."""
    tau, c, w = _floats(interval, blocking, commit_lag)
    return np.asarray(w <= tau + c, dtype=np.bool_)


@dataclass(frozen=True)
class TimeShares:
    """Where a job's wall time goes, as shares that add up to 1; every field an array of one shape."""

    useful: Floats
    checkpoint: Floats
    lost_work: Floats
    down: Floats
    restart: Floats


def time_shares(
    interval: ArrayLike,
    blocking: ArrayLike,
    rate: ArrayLike,
    down: ArrayLike = 0.0,
    restart: ArrayLike = 0.0,
    commit_lag: ArrayLike = 0.0,
) -> TimeShares:
    """Exact split of wall time: kept work, snapshots of kept intervals, work done and lost, down time, restarts.

    Per cycle exp(lambda R)(1/lambda + D): down exp(lambda R) D, restart (exp(lambda R) - 1)/lambda, running 1/lambda.
    """
    tau, c, lam, d, r, w = np.broadcast_arrays(*_floats(interval, blocking, rate, down, restart, commit_lag))
    useful = goodput(tau, c, lam, d, r, w)
    with np.errstate(divide="ignore", invalid="ignore"):
        per_interval = np.where(np.isinf(tau), 0.0, np.where(c == 0, 0.0, c / tau))
    checkpoint = useful * per_interval
    standing = np.exp(-lam * r) / (1.0 + lam * d)
    return TimeShares(
        useful=useful,
        checkpoint=checkpoint,
        lost_work=np.maximum(standing - useful - checkpoint, 0.0),
        down=lam * d / (1.0 + lam * d),
        restart=-np.expm1(-lam * r) / (1.0 + lam * d),
    )


@dataclass(frozen=True)
class CheckpointPlan:
    """The best checkpointing of a job with a given write path; every field an array of one shape, SI units."""

    interval: Floats
    blocking: Floats
    commit_lag: Floats
    goodput: Floats
    write_bound: Bools  # the write window, not the optimum, sets the interval


def plan_checkpoints(
    write_time: ArrayLike,
    rate: ArrayLike,
    down: ArrayLike = 0.0,
    restart: ArrayLike = 0.0,
    snapshot_time: ArrayLike | None = None,
    write_share: ArrayLike = 1.0,
) -> CheckpointPlan:
    """Best interval and goodput when a full checkpoint takes ``write_time`` to storage.

    ``snapshot_time`` None: synchronous, the job waits for the whole write. Otherwise the job waits for the snapshot (copy to host) only, the write runs behind it,
    and the interval is at least long enough for it: tau + C >= w / ``write_share``, the share of time the storage may spend on this job's checkpoints.
    Goodput rises with write bandwidth in both cases, which is how storage buys goodput.
    """
    write, lam, d, r, share = _floats(write_time, rate, down, restart, write_share)
    if np.any(share <= 0) or np.any(share > 1):
        raise ValueError("write_share is a share of time above 0 and at most 1")
    blocking, lag = (write, np.zeros_like(write)) if snapshot_time is None else (_floats(snapshot_time)[0], write)
    blocking, lag, lam, d, r, share = np.broadcast_arrays(blocking, lag, lam, d, r, share)
    busy = write / share
    shortest = np.maximum(busy - blocking, 0.0)
    best = optimal_interval(blocking, lam)
    interval = np.maximum(best, shortest)
    return CheckpointPlan(
        interval=interval,
        blocking=np.array(blocking),
        commit_lag=np.array(lag),
        goodput=goodput(interval, blocking, lam, d, r, lag),
        write_bound=np.asarray(shortest > best, dtype=np.bool_),
    )
