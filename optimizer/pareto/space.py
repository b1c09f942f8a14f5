"""What an algorithm works on: listed points and settled zones in scaled objective space."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from optimizer.compiled_model import Floats
from optimizer.pareto.query import NOT_ASKED, Answer, Outcome, Point, Query
from optimizer.pareto.result import Closure

Rounds = Generator[Sequence[Query], Sequence[Answer], None]


@dataclass(frozen=True, slots=True)
class Settled:
    """A zone that was closed or given up, in scaled values; see ``ZoneRecord``."""

    upper: Point
    closed: Closure
    solve: int | None
    direction: int | None = None
    bound: float | None = None


@dataclass(slots=True)
class Space:
    """Scaled objective space of one run. ``delta``, ``ideal``, ``worst`` (k); ``exact`` is true when every delta is one step.

    ``width`` is how many zones an algorithm may ask about at once; it never depends on the number of workers. ``ahead`` questions that may come
    next are left in ``soon`` by algorithms that can tell, whenever they ask: what they ask does not depend on it. ``floors``: of a zone
    that stays open (by its corner) what a point more than the certified error below the corner has at least, where more is known than
    ``ideal``. ``whole``: the points listed are all there are, and every zone between them is closed.
    """

    delta: Floats
    ideal: Floats
    worst: Floats
    discrete: NDArray[np.bool_]
    width: int = 1
    ahead: int = 0
    soon: list[Query] = field(default_factory=list)
    typical: Floats | None = None
    points: dict[Point, bool] = field(default_factory=dict)
    floors: dict[Point, Point] = field(default_factory=dict)
    settled: list[Settled] = field(default_factory=list)
    whole: bool = False
    on_settled: Callable[[Settled], None] | None = None
    on_listed: Callable[[Point], None] | None = None
    _listed: Floats = field(default_factory=lambda: np.empty((0, 1)))

    @property
    def k(self) -> int:
        """Number of objectives."""
        return int(self.delta.size)

    @property
    def exact(self) -> bool:
        """True when the run lists every nondominated point."""
        return bool(self.discrete.all() and (self.delta == 1.0).all())

    @property
    def listed(self) -> Floats:
        """The listed points (n x k) in the order in which they were listed."""
        if len(self.points) != len(self._listed):
            self._listed = np.array(list(self.points), dtype=np.float64).reshape(-1, self.k)
        return self._listed

    def list_point(self, answer: Answer) -> bool:
        """List the point of ``answer``; false when it was listed already."""
        assert answer.point is not None
        known = answer.point in self.points
        self.points[answer.point] = answer.proven or self.points.get(answer.point, False)
        if not known and self.on_listed is not None:
            self.on_listed(answer.point)
        return not known

    def settle(
        self, upper: Point, closed: Closure, solve: int | None, direction: int | None = None, bound: float | None = None
    ) -> None:
        """Record that work on the zone ``upper`` has ended."""
        record = Settled(upper, closed, solve, direction, bound)
        self.settled.append(record)
        if self.on_settled is not None:
            self.on_settled(record)

    def give_up(self, upper: Point, answer: Answer) -> None:
        """Record that ``answer`` left the zone open."""
        closed = Closure.TIME_LIMIT if answer.outcome is Outcome.LIMIT else Closure.ERROR
        if answer.message == NOT_ASKED:
            closed = Closure.UNTOUCHED
        self.settle(upper, closed, answer.number)

    def empty_by_ideal(self, uppers: Floats) -> NDArray[np.bool_]:
        """Which zones (m x k corners) can hold no point because a corner minus delta lies below the ideal value."""
        empty = np.zeros(len(uppers), dtype=bool)
        for corners, delta, ideal in zip(uppers.T, self.delta, self.ideal, strict=True):
            empty |= corners - delta < ideal - 1e-9
        return empty

    def far(self) -> Floats:
        """A finite far end of each objective (k): its worst legal value, or the worst listed one where the relaxation gives none."""
        known = self.listed
        near = np.where(np.isfinite(self.ideal), self.ideal, 0.0)
        return np.where(
            np.isfinite(self.worst), self.worst, known.max(axis=0, initial=-math.inf).clip(near + self.delta)
        )

    def likely_far(self) -> Floats:
        """How far the nondominated points may reach (k): seen from the ideal the geometric mean of ``far``, which they never pass, and of
        ``typical``, which they often do.
        """
        far = self.far()
        if self.typical is None:
            return far
        near = np.where(np.isfinite(self.ideal), self.ideal, 0.0)
        room = np.maximum(far - near, self.delta)
        return np.asarray(near + np.sqrt(room * np.clip(self.typical - near, self.delta, room)), dtype=np.float64)

    def spans(self) -> Floats:
        """Positive range of each objective (k) used to compare objectives with each other."""
        near = np.where(np.isfinite(self.ideal), self.ideal, 0.0)
        return np.maximum(self.far() - near, self.delta)

    def extents(self, uppers: Floats) -> Floats:
        """Normalised edge lengths (m x k) of zones between the ideal and the corner (the far end where unbounded)."""
        near = np.where(np.isfinite(self.ideal), self.ideal, 0.0)
        return np.asarray((np.minimum(uppers, self.far()) - near) / self.spans(), dtype=np.float64)


def largest_first(values: Floats, count: int) -> NDArray[np.intp]:
    """Positions of the ``count`` largest values, largest first, ties in order of position."""
    if values.size > 4 * count:
        limit = np.partition(values, values.size - count)[values.size - count]
        among = np.flatnonzero(values >= limit)
    else:
        among = np.arange(values.size)
    return among[np.argsort(-values[among], kind="stable")][:count]


class Algorithm(Protocol):
    """One way to enumerate a frontier. A file of ``algorithms`` exports one as ``ALGORITHM``."""

    def __init__(self, space: Space) -> None: ...

    @property
    def name(self) -> str:
        """Name of the algorithm, that of its file."""
        ...

    def rounds(self) -> Rounds:
        """Yield questions, receive their answers in order, until every zone is settled."""
        ...

    def unfinished(self) -> list[Point]:
        """Corners of zones that are neither settled nor split yet."""
        ...
