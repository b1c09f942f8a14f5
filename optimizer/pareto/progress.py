"""How far a run is, in terms of what is proven."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from optimizer.pareto.indicators import affordable, at_most_volume, covered_volume, open_volume
from optimizer.pareto.query import Point
from optimizer.pareto.space import Space


@dataclass(frozen=True, slots=True)
class Progress:
    """``closed``: share of objective space in which no further point can lie; ``hypervolume`` (listed, at most), normalised;
    ``seconds_left`` a range, None while nothing can be said.
    """

    points: int
    open_zones: int
    closed: float
    hypervolume: tuple[float, float]
    solves: int
    seconds: float
    seconds_left: tuple[float, float] | None

    @property
    def solves_per_point(self) -> float:
        """Solves spent per listed point."""
        return self.solves / max(1, self.points)


def measure(space: Space, unfinished: Sequence[Point], solves: int, seconds: float) -> Progress:
    """Progress of a run from its listed points and open zones."""
    points = np.array(list(space.points), dtype=np.float64).reshape(-1, space.k)
    zones = [s.upper for s in space.settled if not s.closed.proven] + list(unfinished)
    uppers = np.array(zones, dtype=np.float64).reshape(-1, space.k)
    covered, left = 0.0, 1.0 if len(uppers) else 0.0
    most = 1.0
    if len(points) and bool(np.isfinite(space.ideal).all()) and affordable(len(points) + len(uppers), space.k):
        worst = points.max(axis=0)
        reference = worst + np.maximum(0.1 * (worst - space.ideal), space.delta)
        covered = covered_volume(points, space.ideal, reference)
        floors = np.array([space.floors.get(u, tuple(space.ideal)) for u in zones], dtype=np.float64)
        left = open_volume(uppers, floors.reshape(-1, space.k), space.ideal, reference)
        error = space.delta - space.discrete
        most = min(1.0, at_most_volume(points, error, covered, space.ideal, reference) + left)
    return Progress(
        len(points), len(uppers), 1.0 - left, (covered, most), solves, seconds,
        _time_left(len(unfinished), left, solves, seconds),
    )  # fmt: skip


def _time_left(zones: int, left: float, solves: int, seconds: float) -> tuple[float, float] | None:
    """At least one solve per four open zones at the mean pace; at most the time so far per closed share, or two solves a zone."""
    if zones == 0:
        return (0.0, 0.0)
    if solves < 5 or left >= 1.0:
        return None
    pace = seconds / solves
    return (0.25 * zones * pace, max(2.0 * zones * pace, seconds * left / (1.0 - left)))
