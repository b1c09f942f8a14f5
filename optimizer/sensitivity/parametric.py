"""The least cost as a function of one parameter that enters it in a straight line: every breakpoint, by recursive intersection.

    V(p) = min over legal x of  rest(x) + p * rate(x)

V is concave and piecewise linear; along it the rate of the cheapest design only falls. Two designs known to be cheapest at two
values of p meet at a point between them: either nothing is cheaper there, and it is a breakpoint, or a new design is found that
cuts the question in two (Eisner and Severance 1976). With k breakpoints that takes at most 2k + 1 solves, ends included.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

SAME = 1e-9
"""Relative difference of two costs below which they are one."""


@dataclass(frozen=True, eq=False)
class Line:
    """A design's cost as the parameter moves: ``rest + p * rate``; ``count`` is what is asked about, ``tag`` the answer behind it."""

    rest: float
    rate: float
    count: float
    tag: Any = None

    def at(self, p: float) -> float:
        """Cost at a value of the parameter."""
        return self.rest + p * self.rate if self.rate else self.rest


@dataclass(frozen=True, eq=False)
class Probe:
    """A design that is cheapest at ``p`` as far as is known, and a proven lower bound of the least cost there."""

    p: float
    line: Line
    bound: float

    @property
    def open(self) -> float:
        """How much cheaper something else may still be at ``p``."""
        return max(0.0, self.line.at(self.p) - self.bound) if math.isfinite(self.p) else 0.0


@dataclass(frozen=True, eq=False)
class Break:
    """Where the cheapest design changes: somewhere in [``low``, ``high``]; ``at`` is where the two known lines meet, ``open`` what is not proven there."""

    low: float
    high: float
    at: float
    open: float
    before: Line
    after: Line


@dataclass(frozen=True, eq=False)
class Envelope:
    """Breakpoints in rising order and the probes that found them; ``complete`` when none is left to look for.

    ``top`` is where it ends: nothing is legal beyond (inf: it does not end).
    """

    first: Line
    breaks: tuple[Break, ...]
    probes: tuple[Probe, ...]
    complete: bool
    top: float = math.inf

    @property
    def lines(self) -> tuple[Line, ...]:
        """The cheapest designs from low to high parameter."""
        return (self.first, *(b.after for b in self.breaks))


Ask = Callable[[float], Probe | None]


def meet(a: Line, b: Line) -> float:
    """Where two lines of different rates have the same cost."""
    return (b.rest - a.rest) / (a.rate - b.rate)


def lower_envelope(ask: Ask, left: Probe, right: Probe, gap: float = 0.0) -> Envelope:
    """Every breakpoint between two probes (``right`` may stand at infinity), the last ones first.

    ``ask`` gives the cheapest design at a value, None when it may ask no more. A stretch no wider than ``gap`` (share of its upper end)
    is left as it is: its breakpoint is then known to lie within it.
    """
    waiting = [(left, right)]
    probes = [left, right]
    found: list[Break] = []
    complete = True
    while waiting:
        a, b = waiting.pop()
        if _same_rate(a.line, b.line):
            continue
        p = meet(a.line, b.line)
        p = min(max(p, a.p), b.p)
        if math.isfinite(b.p) and b.p - a.p <= gap * abs(b.p):
            found.append(Break(a.p, b.p, p, max(a.open, b.open), a.line, b.line))
            continue
        probe = _reached(p, a, b) or ask(p)
        if probe is None:
            complete = False
            found.append(Break(a.p, b.p, p, math.inf, a.line, b.line))
            continue
        probes.append(probe)
        reached = min(a.line.at(p), b.line.at(p))
        if probe.line.at(p) >= reached - SAME * max(1.0, abs(reached)):
            slack = max(0.0, reached - probe.bound)
            found.append(Break(p, p, p, slack, a.line, b.line))
        else:
            waiting.append((a, probe))
            waiting.append((probe, b))
    found.sort(key=lambda one: (one.at, -one.before.rate))
    return _tidy(left, right, found, probes, complete)


def _same_rate(a: Line, b: Line) -> bool:
    return abs(a.rate - b.rate) <= SAME * max(1.0, abs(a.rate), abs(b.rate))


def _reached(p: float, a: Probe, b: Probe) -> Probe | None:
    """The end of the stretch where the lines meet at that very end: its answer is known."""
    for end in (a, b):
        if math.isfinite(end.p) and abs(p - end.p) <= SAME * max(1.0, abs(p)):
            return end
    return None


def _tidy(left: Probe, right: Probe, found: list[Break], probes: list[Probe], complete: bool) -> Envelope:
    """Without breakpoints at the very ends, where two designs only tie."""
    first = left.line
    kept: list[Break] = []
    for one in found:
        if one.at <= left.p + SAME * max(1.0, abs(left.p)) and one.low == one.high:
            first = one.after
        elif math.isfinite(right.p) and one.at >= right.p - SAME * max(1.0, abs(right.p)) and one.low == one.high:
            continue
        else:
            kept.append(one)
    probes.sort(key=lambda probe: probe.p)
    return Envelope(first, tuple(kept), tuple(probes), complete)
