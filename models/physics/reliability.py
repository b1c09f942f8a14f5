"""How often something stops a job, and how much of the time a redundant group stands.

Rates are events per second, times are seconds. A pod's failures are the superposition of its components' failures:

    lambda = sum_k count[k] * rate[k],      MTTI = 1 / lambda

with exponential times between failures. Published rates differ between fleets by a factor of two and more, so every
rate may carry a range: put the range on a leading axis of ``rates`` (low, typical, high) and it goes through every function.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from models.physics.tails import at_least, exactly

Floats = NDArray[np.float64]

SECONDS_PER_HOUR = 3600.0
HOURS_PER_YEAR = 8766.0  # the convention of published annual failure rates: 365.25 days


def rate_from_fit(fit: ArrayLike) -> Floats:
    """Failures per second from failures in time (events per 1e9 device-hours)."""
    return np.asarray(fit, dtype=float) * (1e-9 / SECONDS_PER_HOUR)


def rate_from_annual(annual_rate: ArrayLike) -> Floats:
    """Failures per second from an annual failure rate given as expected events per device-year (0.02 is 2 %)."""
    return np.asarray(annual_rate, dtype=float) / (HOURS_PER_YEAR * SECONDS_PER_HOUR)


def rate_from_annual_probability(probability: ArrayLike) -> Floats:
    """Failures per second from the probability that a device fails within a year: rate = -ln(1 - p) / year."""
    rate = -np.log1p(-np.asarray(probability, dtype=float)) / (HOURS_PER_YEAR * SECONDS_PER_HOUR)
    return np.asarray(rate, dtype=float)


def rate_from_node_days(failures_per_1000: ArrayLike) -> Floats:
    """Failures per node and second from the failures per 1000 node-days that fleet studies print."""
    return np.asarray(np.asarray(failures_per_1000, dtype=float) / (1000.0 * 24.0 * SECONDS_PER_HOUR), dtype=float)


def rate_spread(fleet_rates: ArrayLike, axis: int = -1) -> tuple[Floats, Floats, Floats]:
    """Lowest, geometric mean and highest of the rates that different fleets measured for the same thing.

    The spread between fleets (a factor of two and more) is wider than any one fleet's counting noise, so it is the honest range of a prediction.
    """
    rates = np.asarray(fleet_rates, dtype=float)
    if np.any(rates <= 0):
        raise ValueError("measured failure rates are above 0")
    middle = np.exp(np.log(rates).mean(axis=axis))
    return np.asarray(rates.min(axis=axis)), np.asarray(middle, dtype=float), np.asarray(rates.max(axis=axis))


def rate_interval(
    events: ArrayLike, device_seconds: ArrayLike, confidence: float = 0.9
) -> tuple[Floats, Floats, Floats]:
    """Low, best and high rate after ``events`` were counted over ``device_seconds`` of exposure.

    The exact (Garwood) interval of a Poisson mean: chi2(alpha/2, 2n)/2 and chi2(1-alpha/2, 2n+2)/2 over the exposure;
    zero events have the low end 0. This is counting noise of one fleet only, not the spread between fleets.
    """
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"confidence {confidence} is not between 0 and 1")
    n = np.asarray(events, dtype=float)
    exposure = np.asarray(device_seconds, dtype=float)
    tail = (1.0 - confidence) / 2.0
    low = np.where(n > 0, special.gammaincinv(np.maximum(n, 1e-300), tail), 0.0)
    high = special.gammaincinv(n + 1.0, 1.0 - tail)
    return low / exposure, n / exposure, high / exposure


def failure_rate(counts: ArrayLike, rates: ArrayLike) -> Floats:
    """Failures per second of a whole: sum over the last axis of counts times rates.

    ``counts`` [..., component] and ``rates`` [..., component] broadcast; a leading axis of ``rates`` may be (low, typical, high).
    """
    c, r = np.asarray(counts, dtype=float), np.asarray(rates, dtype=float)
    if np.any(c < 0) or np.any(r < 0):
        raise ValueError("counts and failure rates are never negative")
    return np.asarray((c * r).sum(axis=-1), dtype=float)


def mean_time_to_interrupt(rate: ArrayLike) -> Floats:
    """Mean time to interruption in seconds, 1 / rate; infinite where nothing can fail."""
    r = np.asarray(rate, dtype=float)
    with np.errstate(divide="ignore"):
        return np.asarray(1.0 / r, dtype=float)


def rate_weighted_mean(rates: ArrayLike, times: ArrayLike) -> Floats:
    """Mean time per failure over failure classes (last axis): sum rate*time / sum rate; 0 where nothing fails.

    Used for detection and replacement times, which differ between a software fault, a flapping link and a dead board.
    """
    r, t = np.broadcast_arrays(np.asarray(rates, dtype=float), np.asarray(times, dtype=float))
    total = r.sum(axis=-1)
    mean = np.divide((r * t).sum(axis=-1), total, out=np.zeros_like(total), where=total > 0)
    return np.asarray(mean, dtype=float)


def steady_availability(time_to_failure: ArrayLike, time_to_repair: ArrayLike) -> Floats:
    """Share of time a unit stands: MTBF / (MTBF + MTTR); 1 where it never fails."""
    up, down = np.asarray(time_to_failure, dtype=float), np.asarray(time_to_repair, dtype=float)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(1.0 / (1.0 + down / up), dtype=float)


def availability_of(rate: ArrayLike, time_to_repair: ArrayLike) -> Floats:
    """Share of time a unit with failure ``rate`` [1/s] and mean repair time [s] stands: 1 / (1 + rate * repair)."""
    return np.asarray(
        1.0 / (1.0 + np.asarray(rate, dtype=float) * np.asarray(time_to_repair, dtype=float)), dtype=float
    )


def series_availability(availabilities: ArrayLike, axis: int = -1) -> Floats:
    """Availability of parts that are all needed: their product along ``axis``."""
    return np.asarray(np.prod(np.asarray(availabilities, dtype=float), axis=axis), dtype=float)


def log_availability(availability: ArrayLike) -> Floats:
    """ln(a): what adds along a series, so that a linear program can sum it over chosen options; -inf where a is 0."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(np.asarray(availability, dtype=float)), dtype=float)


def k_of_n_availability(
    needed: ArrayLike, installed: ArrayLike, unit_availability: ArrayLike, common_cause: ArrayLike = 0.0
) -> Floats:
    """Probability that at least ``needed`` of ``installed`` like units stand.

    Independent units: P(Bin(n, a) >= k). With ``common_cause`` beta (beta-factor model, IEC 61508-6 annex D) a share beta of each
    unit's unavailability takes the whole group at once: (1 - beta*u) * P(Bin(n, 1 - (1-beta)*u) >= k), u = 1 - a.
    2N is 1 of 2, N+1 is n-1 of n, distributed redundancy xN/(x-1) is x-1 of x.
    """
    k, n = np.asarray(needed), np.asarray(installed)
    if np.any(k < 0) or np.any(n < 0):
        raise ValueError("numbers of units are never negative")
    down = 1.0 - np.asarray(unit_availability, dtype=float)
    beta = np.asarray(common_cause, dtype=float)
    independent = at_least(k, n, 1.0 - (1.0 - beta) * down)
    return np.asarray((1.0 - beta * down) * independent, dtype=float)


def two_path_availability(first: ArrayLike, second: ArrayLike, common_cause: ArrayLike = 0.0) -> Floats:
    """Availability of a dual-corded load: 1 - (1-a1)(1-a2) for independent paths.

    ``common_cause`` beta is the share of the better path's unavailability that takes both.
    """
    u1, u2 = 1.0 - np.asarray(first, dtype=float), 1.0 - np.asarray(second, dtype=float)
    beta = np.asarray(common_cause, dtype=float)
    shared = beta * np.minimum(u1, u2)
    return np.asarray((1.0 - shared) * (1.0 - (1.0 - beta) ** 2 * u1 * u2), dtype=float)


def group_failure_rate(
    needed: ArrayLike, installed: ArrayLike, unit_rate: ArrayLike, time_to_repair: ArrayLike
) -> Floats:
    """How often a k-of-n group goes down [1/s], each unit failing and being repaired on its own.

    Steady-state failure frequency: C(n,k) a^k (1-a)^(n-k) * k * rate, the chance of standing with exactly k units times the
    rate of losing one of them (Birolini, Reliability Engineering, k-out-of-n redundancy). ``needed`` = ``installed`` with instant repair is n * rate.
    """
    k, n = np.asarray(needed), np.asarray(installed)
    rate = np.asarray(unit_rate, dtype=float)
    unit = availability_of(rate, time_to_repair)
    return np.asarray(exactly(k, n, unit) * k * rate, dtype=float)


def losses_by_domain(dependents: ArrayLike, weights: ArrayLike) -> Floats:
    """What each fault domain takes down alone: ``dependents`` [..., domain, item] times ``weights`` [..., item].

    ``dependents`` is true where the item does not survive the loss of that domain (a dual-corded rack survives one feed).
    """
    member = np.asarray(dependents, dtype=float)
    return np.asarray((member * np.asarray(weights, dtype=float)[..., None, :]).sum(axis=-1), dtype=float)


def blast_radius(domain_losses: ArrayLike, axis: int = -1) -> Floats:
    """The worst single loss along ``axis``, in the unit of the losses (accelerators); 0 without domains."""
    return np.asarray(np.max(np.asarray(domain_losses, dtype=float), axis=axis, initial=0.0), dtype=float)
