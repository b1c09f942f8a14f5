"""Which bounds leave room for a new point: the corners between known points, tested for many labels at once.

A value vector is new only below some corner u of the search region of the known points (better by a step in every objective). If ``w y >= b`` holds for
several weights w, a new y needs one corner with ``w (u - 1) >= b`` for all of them at once.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from optimizer.compiled_model import Floats
from optimizer.pareto.search_region import SearchRegion

if TYPE_CHECKING:
    from optimizer.pareto.labels import Work

LEAF = 24
"""Corners tested one by one once the largest values of them all leave room."""
MOST_POINTS = {2: 2000, 3: 1000, 4: 250, 5: 60, 6: 25}
"""Known points whose corners are kept: any part of them gives valid corners, and their number grows with the power of k."""


class Corners:
    """The corners of ``known`` (n x k) below ``worst`` (k) and what each weighted sum of ``weights`` (t x k) may be there; the first k
    weights are those of the objectives alone. ``best`` (corners x k): the largest values that are new there; ``spans`` (k) ranges.
    """

    def __init__(self, known: Floats, weights: Floats, ideal: Floats, worst: Floats) -> None:
        self._known = known
        self._k = known.shape[1]
        self.spans = np.maximum(worst - ideal, 1.0)
        region = SearchRegion(self._k)
        for point in _spread(known, MOST_POINTS.get(self._k, 10)):
            region.add(point)
        corners = np.minimum(np.ascontiguousarray(region.uppers), worst + 1.0)
        corners = corners[(corners - 1.0 >= ideal).all(axis=1)]
        if not len(corners):
            # nothing can lie below this one, nor anywhere
            corners = ideal[None] - 1.0
        groups = _grouped(corners, self.spans)
        self.best = corners[np.concatenate(groups)] - 1.0
        ends = np.cumsum([group.size for group in groups])
        self._leaves = [slice(int(b - g.size), int(b)) for b, g in zip(ends, groups, strict=True)]
        self._tops, self._roofs = self._sums(weights)

    def also(self, weights: Floats) -> Corners:
        """The same corners with further ``weights`` (s x k) behind those they have."""
        wider = copy.copy(self)
        tops, roofs = self._sums(weights)
        wider._tops, wider._roofs = np.hstack([self._tops, tops]), np.hstack([self._roofs, roofs])
        return wider

    def _sums(self, weights: Floats) -> tuple[Floats, Floats]:
        """What each weighted sum may be at each corner, and at most within each leaf."""
        tops = self.best @ weights.T
        # sums of integers, but bounds come from a linear program: what is left out here must exceed its rounding
        tops += 1e-6 + 1e-9 * (np.abs(self.best) @ np.abs(weights).T)
        return tops, np.array([tops[leaf].max(axis=0) for leaf in self._leaves])

    def within(self, more: Floats, witness: NDArray[np.intp], last: int) -> NDArray[np.bool_]:
        """Which of the ``last`` bounds ``more`` (n x last) leave room at the corners ``witness`` (n)."""
        return np.asarray(more <= self._tops[witness, -last:], dtype=bool)

    def reachable(self, bounds: Floats, witness: NDArray[np.intp], work: Work) -> NDArray[np.bool_]:
        """Which ``bounds`` (n x t) leave room below a corner; ``witness`` (n) holds a corner that may do so, and is updated."""
        fine: NDArray[np.bool_] = np.asarray((bounds <= self._tops[witness]).all(axis=1), dtype=bool)
        rest = np.flatnonzero(~fine)
        work.spend(2e-9 * bounds.size)
        rest = rest[~self._covered(bounds[rest, : self._k], work)]
        if not rest.size:
            return fine
        work.spend(1e-9 * rest.size * len(self._roofs) * bounds.shape[1])
        for at in range(0, rest.size, 4096):
            part = rest[at : at + 4096]
            self._search(bounds[part], part, fine, witness, work)
        return fine

    def _search(
        self, bounds: Floats, numbers: NDArray[np.intp], fine: NDArray[np.bool_], witness: NDArray[np.intp], work: Work
    ) -> None:
        """Look for a corner for each of ``bounds``, whose positions are ``numbers``: leaf by leaf."""
        maybe = np.ones((len(bounds), len(self._roofs)), dtype=bool)
        for column in range(bounds.shape[1]):
            maybe &= bounds[:, column, None] <= self._roofs[None, :, column]
        open_ones: NDArray[np.bool_] = np.asarray(maybe.any(axis=1), dtype=bool)
        for number, leaf in enumerate(self._leaves):
            some = np.flatnonzero(maybe[:, number] & open_ones)
            if not some.size:
                continue
            tops = self._tops[leaf]
            work.spend(1e-9 * some.size * tops.size)
            below = np.ones((some.size, len(tops)), dtype=bool)
            for column in range(bounds.shape[1]):
                below &= bounds[some, column, None] <= tops[None, :, column]
            found = below.any(axis=1)
            there = some[found]
            open_ones[there] = False
            fine[numbers[there]] = True
            witness[numbers[there]] = leaf.start + below[found].argmax(axis=1)

    def _covered(self, lows: Floats, work: Work) -> NDArray[np.bool_]:
        """Which ``lows`` (n x k), lower bounds of each objective, lie at or above a known point."""
        work.spend(1e-9 * len(lows) * self._known.size)
        covered = np.zeros(len(lows), dtype=bool)
        room = lows - 1e-6 - 1e-9 * np.abs(lows)
        for at in range(0, len(lows), 4096):
            part = room[at : at + 4096]
            above = np.ones((len(part), len(self._known)), dtype=bool)
            for column in range(self._k):
                above &= part[:, column, None] > self._known[None, :, column] - 1.0
            covered[at : at + 4096] = above.any(axis=1)
        return covered


def _spread(known: Floats, most: int) -> Sequence[tuple[float, ...]]:
    """At most ``most`` of the points, evenly along the first objective."""
    ordered = sorted(map(tuple, known.tolist()))
    if len(ordered) <= most:
        return ordered
    return [ordered[int(i)] for i in np.linspace(0, len(ordered) - 1, most)]


def _grouped(corners: Floats, spans: Floats) -> list[NDArray[np.intp]]:
    """Positions of neighbouring corners: halved along the longest edge until groups are small."""
    groups, done = [np.arange(len(corners))], []
    while groups:
        group = groups.pop()
        if group.size <= LEAF:
            done.append(group)
            continue
        edges = np.ptp(corners[group], axis=0) / spans
        order = group[np.argsort(corners[group, int(np.argmax(edges))], kind="stable")]
        groups += [order[: order.size // 2], order[order.size // 2 :]]
    return done
