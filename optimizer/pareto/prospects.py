"""What an open zone may still add to the hypervolume at most, judged from the sums that earlier answers proved.

An answer that minimised ``w f`` below a corner c with value v says ``w y >= v`` for every legal y below c. In a zone u inside, the edges
e = u - y of what a point y adds within the zone then keep ``w e <= w u - v``, and none is longer than the zone's: the largest product of
edges that keeps all these limits is the most that the point can add there. The zone where it is largest is asked with the weights ``1 / e``: those
under which the sum falls as fast as the product's logarithm grows, so that the answer is sought around the point with these edges, be the zone flat or steep.
Nothing is closed by these sums: they steer, they do not prove.
"""

from __future__ import annotations

import math

import numpy as np

from optimizer.compiled_model import Floats
from optimizer.pareto.query import Answer, Outcome, Point, Query
from optimizer.pareto.search_region import SearchRegion, Zone
from optimizer.pareto.space import Space, largest_first

LARGEST_WEIGHT = 1000
TINY = 1e-9
MOST_SUMS = 400
"""Sums that are remembered, the latest ones."""
ROUNDS = 15
"""Of the search for the largest product: the order of zones no longer changes with more."""
ALONE = 16
"""Points until which one question is asked at a time, since each answer still changes all that is worth asking."""
MOST_AT_ONCE = 1 << 18
"""Pairs of zones and sums that are held at a time."""


class Prospects:
    """Edges of the largest product in open zones, each computed once and again when a sum around the zone was learnt."""

    def __init__(self, space: Space) -> None:
        self._space = space
        self._corners: Floats = np.empty((0, space.k))
        self._weights: Floats = np.empty((0, space.k))
        self._values: Floats = np.empty(0)
        # by the number of the zone: nan where none was computed, or a sum was learnt since
        self._edges: Floats = np.empty((0, space.k))

    def scores(self, region: SearchRegion) -> Floats:
        """Logarithm of the volume each open zone may add, in the order of ``region.keys``."""
        keys = region.keys
        if not keys.size:
            return np.empty(0)
        missing = int(keys[-1]) + 1 - len(self._edges)
        if missing > 0:
            more = max(missing, len(self._edges))
            self._edges = np.vstack([self._edges, np.full((more, self._space.k), math.nan)])
        new = np.flatnonzero(np.isnan(self._edges[keys, 0]))
        step = max(1, MOST_AT_ONCE // (len(self._values) + self._space.k))
        for at in range(0, new.size, step):
            part = new[at : at + step]
            self._edges[keys[part]] = self._judge(np.ascontiguousarray(region.uppers[part]))
        # what is equal but for rounding stays in the order of the zones
        return np.asarray(np.round(np.log(self._edges[keys]).sum(axis=1), 9), dtype=np.float64)

    def best(self, region: SearchRegion, each: int, ahead: int = 0) -> list[Zone]:
        """The most promising zones: ``each`` for every question that is asked at once, and ``ahead`` more."""
        width = self._space.width if len(self._space.points) >= ALONE else 1
        order = largest_first(self.scores(region), each * width + ahead)
        return [region.zone(key) for key in region.keys[order].tolist()]

    def share(self, key: int) -> float:
        """What a point of the zone ``key`` may add at most, once it has a score, as a part of all up to where points are likely to lie."""
        near = np.where(np.isfinite(self._space.ideal), self._space.ideal, 0.0)
        whole = np.maximum(self._space.likely_far() - near, self._space.delta)
        return float((self._edges[key] / whole).prod())

    def weights(self, key: int) -> Point:
        """Whole weights for a search of the zone ``key`` alone, once it has a score."""
        wanted = 1.0 / self._edges[key]
        return tuple(np.maximum(1.0, np.round(LARGEST_WEIGHT * wanted / wanted.max())).tolist())

    def learn(self, query: Query, answer: Answer, region: SearchRegion) -> None:
        """Take in what the answer to a query with weights proved, and forget what it may change."""
        if query.weights is None or answer.outcome is not Outcome.OPTIMAL or not math.isfinite(answer.bound):
            return
        corner = np.asarray(query.boxes[0])
        self._corners = np.vstack([self._corners, corner])[-MOST_SUMS:]
        self._weights = np.vstack([self._weights, np.asarray(query.weights)])[-MOST_SUMS:]
        self._values = np.append(self._values, answer.bound)[-MOST_SUMS:]
        inside = region.keys[region.below(corner)]
        self._edges[inside[inside < len(self._edges)]] = math.nan

    def _judge(self, uppers: Floats) -> Floats:
        """Edges (n x k) of the zones with these corners (n x k)."""
        space = self._space
        near = np.where(np.isfinite(space.ideal), space.ideal, 0.0)
        tops = np.minimum(uppers, space.likely_far().clip(space.listed.max(axis=0, initial=-math.inf)) + space.delta)
        edges = np.maximum(tops - near, TINY)
        left = np.maximum(tops @ self._weights.T - self._values, TINY)
        for values, corners in zip(uppers.T, self._corners.T, strict=True):
            left[values[:, None] > corners] = math.inf
        return longest_edges(edges, self._weights, left)


def longest_edges(edges: Floats, weights: Floats, left: Floats) -> Floats:
    """The ``e`` (n x k) of nearly the largest product with ``e <= edges`` (n x k) and ``e weights' <= left`` (n x s; ``weights`` s x k).

    At the largest product ``1 / e`` is a positive combination of the limits that hold it. Multiplying the share of each limit by how far ``e``
    exhausts it keeps their total and lets the product fall towards the largest one (Silvey, Titterington and Torsney 1978, for optimal
    designs); at the end ``e`` is shortened until it keeps every limit.
    """
    n, k = edges.shape
    rows = left.shape[1]
    count = np.isfinite(left).sum(axis=1, keepdims=True) + k
    sides: Floats = np.broadcast_to(k / count, (n, k)).copy()
    sums: Floats = np.broadcast_to(k / count, (n, rows)) / left
    made = edges
    for _ in range(ROUNDS):
        made = 1.0 / (sides / edges + sums @ weights)
        sides *= made / edges
        sums *= (made @ weights.T) / left
    made = 1.0 / (sides / edges + sums @ weights)
    used = np.maximum((made / edges).max(axis=1), (made @ weights.T / left).max(axis=1, initial=0.0))
    return np.asarray(np.maximum(made / used[:, None], TINY**2), dtype=np.float64)
