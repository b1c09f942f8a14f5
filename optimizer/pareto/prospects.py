"""What an open zone may still add to the hypervolume at most, judged from the sums that earlier answers proved.

An answer that minimised ``w f`` below a corner c with value v says ``w y >= v`` for every legal y below c. In a zone u inside, the edges
e = u - y of what a point y adds within the zone then keep ``w e <= w u - v``: the largest product of such edges, none longer than the zone's, is the
most that the point can add there. Of several sums the one that allows least counts. Nothing is closed by these sums: they steer, they do not prove.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from optimizer.compiled_model import Floats
from optimizer.pareto.query import Answer, Outcome, Point, Query
from optimizer.pareto.search_region import SearchRegion
from optimizer.pareto.space import Space

LARGEST_WEIGHT = 1000
TINY = 1e-9
MOST_SUMS = 400
"""Sums that are remembered, the latest ones."""


class Prospects:
    """Scores of open zones, each computed once and again when a sum inside it was learnt."""

    def __init__(self, space: Space) -> None:
        self._space = space
        self._corners: Floats = np.empty((0, space.k))
        self._weights: Floats = np.empty((0, space.k))
        self._values: Floats = np.empty(0)
        # by the number of the zone: nan where none was computed, or a sum was learnt since
        self._scores: Floats = np.empty(0)

    def scores(self, region: SearchRegion) -> Floats:
        """Logarithm of the volume each open zone may add, in the order of ``region.keys``."""
        keys = region.keys
        if not keys.size:
            return np.empty(0)
        missing = int(keys[-1]) + 1 - self._scores.size
        if missing > 0:
            more = max(missing, self._scores.size)
            self._scores = np.append(self._scores, np.full(more, math.nan))
        scores = self._scores[keys]
        new = np.flatnonzero(np.isnan(scores))
        if new.size:
            self._judge(keys[new], np.ascontiguousarray(region.uppers[new]))
            scores[new] = self._scores[keys[new]]
        return scores

    def weights(self) -> Point:
        """Whole weights for a search of one zone: those that make up for the ranges of the objectives."""
        wanted = 1.0 / self._space.spans()
        return tuple(np.maximum(1.0, np.round(LARGEST_WEIGHT * wanted / wanted.max())).tolist())

    def learn(self, query: Query, answer: Answer, region: SearchRegion) -> None:
        """Take in what the answer to a query with weights proved, and forget the scores it may change."""
        if query.weights is None or answer.outcome is not Outcome.OPTIMAL or not math.isfinite(answer.bound):
            return
        corner = np.asarray(query.boxes[0])
        self._corners = np.vstack([self._corners, corner])[-MOST_SUMS:]
        self._weights = np.vstack([self._weights, np.asarray(query.weights)])[-MOST_SUMS:]
        self._values = np.append(self._values, answer.bound)[-MOST_SUMS:]
        inside = region.keys[region.below(corner)]
        self._scores[inside[inside < self._scores.size]] = math.nan

    def _judge(self, keys: NDArray[np.int64], uppers: Floats) -> None:
        """Score the zones ``keys`` with corners ``uppers`` (n x k)."""
        space = self._space
        near = np.where(np.isfinite(space.ideal), space.ideal, 0.0)
        corners = np.minimum(uppers, space.far().clip(space.listed.max(axis=0, initial=-math.inf)) + space.delta)
        edges = np.maximum(corners - near, TINY)
        if len(self._values):
            for at in range(len(keys)):
                inside = (uppers[at] <= self._corners).all(axis=1)
                if inside.any():
                    weights = self._weights[inside]
                    left = np.maximum(weights @ corners[at] - self._values[inside], TINY)
                    made = longest_edges(edges[at], weights, left)
                    edges[at] = made[int(np.argmin(np.log(made).sum(axis=1)))]
        self._scores[keys] = np.log(edges).sum(axis=1)


def longest_edges(edges: Floats, weights: Floats, left: Floats) -> Floats:
    """The ``e`` (s x k) of largest product with ``weights e <= left`` (s x k, s) and ``e <= edges`` (k), for each of s sums alone.

    Each edge takes an equal share of the sum, or all its length where that is less; what it leaves is shared by the others.
    """
    costs = weights * edges
    order = np.argsort(costs, axis=1)
    costs = np.take_along_axis(costs, order, axis=1)
    rest = left.copy()
    for at in range(edges.size):
        costs[:, at] = np.minimum(costs[:, at], rest / (edges.size - at))
        rest -= costs[:, at]
    shares = np.empty_like(costs)
    np.put_along_axis(shares, order, costs, axis=1)
    return np.asarray(np.maximum(shares / weights, TINY**2), dtype=np.float64)
