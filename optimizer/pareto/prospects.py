"""What an open zone may still add to the hypervolume, judged from the sums that earlier answers proved.

An answer that minimised ``w f`` below a corner c with value v says ``w y >= v`` for every legal y below c. In a zone u inside, a point can lie
below u by at most ``(w u - v) / w_i`` in objective i: the reachable edges. The volume they span ranks the zones; weights that are large where
edges are short find points from its middle. Nothing is closed by these sums: they steer, they do not prove.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from optimizer.compiled_model import Floats
from optimizer.pareto.query import Answer, Outcome, Point, Query
from optimizer.pareto.search_region import SearchRegion, Zone
from optimizer.pareto.space import Space

FAR = 0.6
"""An unbounded zone reaches from the worst listed value this share of the way to the worst legal one."""
FIT = 0.3
"""Power of the reachable edges in a zone's weights; the rest is that of the ranges."""
LARGEST_WEIGHT = 1000
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
        self._edges: Floats = np.empty((0, space.k))

    def scores(self, region: SearchRegion) -> Floats:
        """Logarithm of the volume each open zone may add, in the order of ``region.keys``."""
        keys = region.keys
        if not keys.size:
            return np.empty(0)
        missing = int(keys[-1]) + 1 - self._scores.size
        if missing > 0:
            more = max(missing, self._scores.size)
            self._scores = np.append(self._scores, np.full(more, math.nan))
            self._edges = np.vstack([self._edges, np.empty((more, self._space.k))])
        scores = self._scores[keys]
        new = np.flatnonzero(np.isnan(scores))
        if new.size:
            self._judge(keys[new], np.ascontiguousarray(region.uppers[new]))
            scores[new] = self._scores[keys[new]]
        return scores

    def weights(self, zone: Zone) -> Point:
        """Whole weights for a search of ``zone``, which was scored."""
        edges = self._edges[zone.key]
        wanted = edges**-FIT * self._space.spans() ** (FIT - 1.0)
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

    def _near(self) -> Floats:
        return np.where(np.isfinite(self._space.ideal), self._space.ideal, 0.0)

    def _far(self) -> Floats:
        far, listed = self._space.far(), self._space.listed
        if not len(listed):
            return far
        worst = listed.max(axis=0)
        return np.asarray(worst + FAR * np.maximum(far - worst, 0.0), dtype=np.float64) + self._space.delta

    def _judge(self, keys: NDArray[np.int64], uppers: Floats) -> None:
        """Score the zones ``keys`` with corners ``uppers`` (n x k)."""
        corners = np.minimum(uppers, self._far())
        edges = np.maximum(corners - self._near(), 1e-9)
        if len(self._values):
            for at in range(len(keys)):
                inside = (uppers[at] <= self._corners).all(axis=1)
                if inside.any():
                    edges[at] = self._reachable(corners[at], edges[at], inside)
        self._edges[keys] = np.maximum(edges, 1e-9)
        self._scores[keys] = np.log(self._edges[keys]).sum(axis=1)

    def _reachable(self, corner: Floats, edges: Floats, inside: NDArray[np.bool_]) -> Floats:
        """Edges (k) of the least volume that one of the sums ``inside`` leaves below ``corner``."""
        weights = self._weights[inside]
        left = np.maximum(weights @ corner - self._values[inside], 1e-9)
        reachable = np.minimum(edges, left[:, None] / weights)
        return np.asarray(reachable[int(np.argmin(np.log(reachable).sum(axis=1)))], dtype=np.float64)
