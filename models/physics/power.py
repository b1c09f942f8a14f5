"""Feeds, breakers, phases and part-load losses: what a circuit may carry and what a load draws from it.

Power in W, voltage line to line in V unless said otherwise, current in A. A continuous load (three hours and more) may use 80 % of a breaker
under NEC 210.20(A) and 215.3 and all of it under IEC 60364-4-43. Three-phase power is sqrt(3) V I cos(phi).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SQRT3 = float(np.sqrt(3.0))


class BreakerCode(StrEnum):
    """The electrical code whose rule for continuous loads applies at a site."""

    NEC = "nec"
    NEC_FULL_RATED = "nec-100"  # a breaker and enclosure listed for 100 % continuous duty, NEC 210.20(A) exception
    IEC = "iec"


_CONTINUOUS_SHARE = {BreakerCode.NEC: 0.8, BreakerCode.NEC_FULL_RATED: 1.0, BreakerCode.IEC: 1.0}


def continuous_share(code: BreakerCode) -> float:
    """Share of a breaker's rating that a continuous load may use: 0.8 under NEC, 1 under IEC or with a 100 %-rated breaker."""
    return _CONTINUOUS_SHARE[BreakerCode(code)]


def usable_current(rating: ArrayLike, code: BreakerCode, derating: ArrayLike = 1.0) -> Floats:
    """Current [A] a breaker of ``rating`` [A] may carry for good; ``derating`` is the remaining factor for ambient and grouping."""
    return np.asarray(np.asarray(rating, dtype=float) * continuous_share(code) * np.asarray(derating, dtype=float))


def three_phase_power(voltage: ArrayLike, current: ArrayLike, power_factor: ArrayLike = 1.0) -> Floats:
    """Balanced three-phase power [W]: sqrt(3) * line-to-line voltage * line current * power factor."""
    return np.asarray(SQRT3 * np.asarray(voltage, dtype=float) * np.asarray(current) * np.asarray(power_factor))


def single_phase_power(voltage: ArrayLike, current: ArrayLike, power_factor: ArrayLike = 1.0) -> Floats:
    """Single-phase power [W] between two conductors at ``voltage`` [V]: V * I * power factor."""
    return np.asarray(np.asarray(voltage, dtype=float) * np.asarray(current) * np.asarray(power_factor), dtype=float)


def feed_capacity(
    voltage: ArrayLike,
    rating: ArrayLike,
    code: BreakerCode,
    phases: int = 3,
    power_factor: ArrayLike = 1.0,
    derating: ArrayLike = 1.0,
) -> Floats:
    """Continuous power [W] of a whip, busway, tap-off or rack PDU: breaker rule, then phases.

    ``voltage`` is line to line for three phases and between the two conductors for one; ``rating`` [A] per conductor.
    415 V and 60 A under NEC is 34.5 kW, 415 V and 32 A under IEC 23.0 kW, 208 V and 60 A under NEC 17.3 kW.
    """
    current = usable_current(rating, code, derating)
    if phases == 3:
        return three_phase_power(voltage, current, power_factor)
    if phases == 1:
        return single_phase_power(voltage, current, power_factor)
    raise ValueError(f"a feed has one or three phases, not {phases}")


def line_currents(
    line_neutral: ArrayLike,
    line_line: ArrayLike,
    balanced: ArrayLike,
    voltage: ArrayLike,
    power_factor: ArrayLike = 1.0,
) -> Floats:
    """Current [A] in each line of a three-phase feed, shape [..., 3], loads added as phasors.

    ``line_neutral`` [..., 3] W on L1-N, L2-N, L3-N; ``line_line`` [..., 3] W on L1-L2, L2-L3, L3-L1; ``balanced`` [...] W three-phase; ``voltage``
    line to line; one power factor for all. Positive sequence: V_L1N at 0, V_L2N at -120, V_L3N at +120 degrees; V_L1L2 leads V_L1N by 30.
    A line carries its own load plus the pair that begins in it minus the pair that ends in it.
    """
    volts = np.asarray(voltage, dtype=float)[..., None]
    factor = np.asarray(power_factor, dtype=float)[..., None]
    phase = np.exp(1j * np.deg2rad([0.0, -120.0, 120.0]))
    pair = phase * np.exp(1j * np.deg2rad(30.0))
    wye = np.asarray(line_neutral, dtype=float) / (volts / SQRT3 * factor) * phase
    delta = np.asarray(line_line, dtype=float) / (volts * factor) * pair
    even = np.asarray(balanced, dtype=float)[..., None] / (SQRT3 * volts * factor) * phase
    return np.asarray(np.abs(wye + delta - np.roll(delta, 1, axis=-1) + even), dtype=float)


def neutral_current(line_neutral: ArrayLike, voltage: ArrayLike, power_factor: ArrayLike = 1.0) -> Floats:
    """Current [A] in the neutral: the phasor sum of the line-to-neutral loads (fundamental only); 0 when they are equal."""
    volts = np.asarray(voltage, dtype=float) / SQRT3 * np.asarray(power_factor, dtype=float)
    phase = np.exp(1j * np.deg2rad([0.0, -120.0, 120.0]))
    return np.asarray(np.abs((np.asarray(line_neutral, dtype=float) * phase).sum(axis=-1)) / volts, dtype=float)


def phase_imbalance(currents: ArrayLike) -> Floats:
    """Largest deviation of a line from the mean, over the mean (NEMA MG 1 definition); 0 without load."""
    lines = np.asarray(currents, dtype=float)
    mean = lines.mean(axis=-1)
    worst = np.abs(lines - mean[..., None]).max(axis=-1)
    return np.asarray(np.divide(worst, mean, out=np.zeros_like(mean), where=mean > 0), dtype=float)


def rotate_over_phases(loads: ArrayLike, positions: int = 3) -> Ints:
    """How many of ``loads`` like single-phase loads fall on each position when dealt in turn: shape [..., positions].

    No other deal has a smaller spread: counts differ by at most one.
    """
    n = np.asarray(loads, dtype=np.int64)[..., None]
    return np.asarray((n + positions - 1 - np.arange(positions)) // positions, dtype=np.int64)


def phase_limited_power(loads: ArrayLike, load_power: ArrayLike, capacity: ArrayLike) -> Floats:
    """Power [W] that like line-to-neutral loads may draw until the heaviest phase is full.

    ``loads`` dealt in turn; the heaviest phase carries ceil(n/3) of them and may carry a third of the feed's ``capacity`` [W]. The rest of the
    feed is stranded by phase: capacity - n * power is never usable when ceil(n/3) * power fills a phase.
    """
    n, each = np.asarray(loads, dtype=float), np.asarray(load_power, dtype=float)
    heaviest = np.ceil(n / 3.0)
    allowed = np.asarray(capacity, dtype=float) / 3.0
    scale = np.divide(
        allowed, heaviest * each, out=np.ones(np.broadcast(allowed, heaviest, each).shape), where=heaviest * each > 0
    )
    return np.asarray(n * each * np.minimum(scale, 1.0), dtype=float)


def load_scale(currents: ArrayLike, limit: ArrayLike) -> Floats:
    """By how much a pattern of loads must shrink so that no line exceeds ``limit`` [A]: min(1, limit / largest current), over the last axis.

    Currents are proportional to the loads, so this is exact for any pattern, line-to-line pairs included.
    """
    worst = np.asarray(currents, dtype=float).max(axis=-1)
    allowed = np.asarray(limit, dtype=float)
    ratio = np.divide(allowed, worst, out=np.ones(np.broadcast(allowed, worst).shape), where=worst > 0)
    return np.asarray(np.minimum(ratio, 1.0), dtype=float)


def transient_power(sustained: ArrayLike, factor: ArrayLike) -> Floats:
    """Short peak [W] of synchronous training: sustained power times a factor of at least 1 (published swings reach about 1.4)."""
    f = np.asarray(factor, dtype=float)
    if np.any(f < 1):
        raise ValueError("a transient factor is at least 1")
    return np.asarray(np.asarray(sustained, dtype=float) * f, dtype=float)


def efficiency_at(load_share: ArrayLike, curve_share: ArrayLike, curve_efficiency: ArrayLike) -> Floats:
    """Efficiency at a part load from a published curve: linear between points, constant above the last.

    Below the first point the loss stays what it is there (fixed losses dominate): eta(x) = x / (x + x0 (1/eta0 - 1)); 0 at no load.
    ``curve_share`` rises strictly; both curves are one-dimensional.
    """
    x = np.asarray(load_share, dtype=float)
    points, values = np.asarray(curve_share, dtype=float), np.asarray(curve_efficiency, dtype=float)
    if points.ndim != 1 or points.shape != values.shape or points.size == 0 or np.any(np.diff(points) <= 0):
        raise ValueError("an efficiency curve is two lists of one length, load shares rising strictly")
    if np.any(values <= 0) or np.any(values > 1) or points[0] <= 0:
        raise ValueError("load shares are above 0, efficiencies above 0 and at most 1")
    fixed = points[0] * (1.0 / values[0] - 1.0)
    low = np.divide(x, x + fixed, out=np.zeros_like(x), where=x > 0)
    return np.asarray(np.where(x < points[0], low, np.interp(x, points, values)), dtype=float)


def input_power(output: ArrayLike, rating: ArrayLike, curve_share: ArrayLike, curve_efficiency: ArrayLike) -> Floats:
    """Power drawn [W] by a converter of ``rating`` [W] that delivers ``output`` [W]: output / efficiency at that load.

    Standing losses remain at no load: the loss of the curve's first point.
    """
    out, full = np.asarray(output, dtype=float), np.asarray(rating, dtype=float)
    points, values = np.asarray(curve_share, dtype=float), np.asarray(curve_efficiency, dtype=float)
    share = out / full
    standing = points[0] * (1.0 / values[0] - 1.0) * full
    running = out * (1.0 / efficiency_at(np.maximum(share, points[0]), points, values) - 1.0)
    loss = np.where(share < points[0], standing, running)
    return np.asarray(out + loss, dtype=float)


@dataclass(frozen=True, slots=True)
class ConversionStage:
    """One converter of the power chain: its name and part-load curve."""

    name: str
    curve_share: tuple[float, ...]
    curve_efficiency: tuple[float, ...]


def chain_input(
    output: ArrayLike, stages: Sequence[ConversionStage], ratings: Sequence[ArrayLike]
) -> tuple[Floats, tuple[Floats, ...]]:
    """Power drawn [W] at the head of a chain that delivers ``output`` [W], and the loss [W] of each stage.

    Stages from the load to the utility (power supplies, UPS, transformer), each at its own load share of its rating [W]: with redundancy a
    stage's rating is that of all its running units, which is why 2N runs at a low share and pays for it.
    """
    level = np.asarray(output, dtype=float)
    losses: list[Floats] = []
    for stage, rating in zip(stages, ratings, strict=True):
        drawn = input_power(level, rating, stage.curve_share, stage.curve_efficiency)
        losses.append(drawn - level)
        level = drawn
    return level, tuple(losses)
