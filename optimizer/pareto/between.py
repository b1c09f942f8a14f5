"""The zones between points that are known to be all there are: closed together, by the list, and worked out when somebody looks at them.

A list of every nondominated point closes whatever it leaves uncovered. Which zones these are follows from the points alone, so a run need not walk
through them one by one; a ledger file and a certificate have them all the same, each a claim that can be checked by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import overload

import numpy as np

from optimizer.compiled_model import Floats
from optimizer.pareto.problem import ScaledProblem
from optimizer.pareto.query import Point
from optimizer.pareto.result import Closure, ZoneRecord
from optimizer.pareto.search_region import SearchRegion


def corners_between(points: Sequence[Point], k: int) -> Floats:
    """Corners (m x k, inf where unbounded) of what ``points`` with ``k`` values leave uncovered."""
    region = SearchRegion(k)
    for point in sorted(points):
        region.add(point)
    return np.ascontiguousarray(region.uppers)


class ZonesBetween(Sequence[ZoneRecord]):
    """The zones that the listed ``points`` (scaled) leave, in the units of ``problem``; equal to any sequence of the same records."""

    def __init__(self, points: Sequence[Point], problem: ScaledProblem) -> None:
        self._points, self._problem = tuple(points), problem

    @cached_property
    def _records(self) -> tuple[ZoneRecord, ...]:
        corners = self._problem.in_units(corners_between(self._points, self._problem.scaled.n_objectives))
        return tuple(ZoneRecord(tuple(corner), Closure.LISTED) for corner in corners.tolist())

    def __len__(self) -> int:
        return len(self._records)

    @overload
    def __getitem__(self, at: int) -> ZoneRecord: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[ZoneRecord, ...]: ...
    def __getitem__(self, at: int | slice) -> ZoneRecord | tuple[ZoneRecord, ...]:
        return self._records[at]

    def __iter__(self) -> Iterator[ZoneRecord]:
        return iter(self._records)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, ZonesBetween):
            return self._points == other._points and bool((self._problem.unit == other._problem.unit).all())
        return isinstance(other, Sequence) and self._records == tuple(other)

    def __hash__(self) -> int:
        return hash(self._points)

    def __repr__(self) -> str:
        return f"ZonesBetween({len(self._points)} points)"
