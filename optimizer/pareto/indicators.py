"""Volumes in objective space: what listed points cover, what open zones may still hold."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from optimizer.compiled_model import Floats
from optimizer.pareto.result import HypervolumeBounds


def affordable(count: int, k: int) -> bool:
    """Whether the volume under ``count`` points takes seconds at most: its cost grows with the power of k."""
    return k <= 3 or count <= {4: 20_000, 5: 1_500}.get(k, 300)


def covered_volume(points: Floats, ideal: Floats, reference: Floats) -> float:
    """Share of the box from ``ideal`` to ``reference`` (k each) dominated by ``points`` (n x k), minimisation."""
    import moocore

    spans = reference - ideal
    inside = points[(points < reference).all(axis=1)]
    if inside.size == 0 or bool((spans <= 0).any()):
        return 0.0
    normal = (inside - ideal) / spans
    if normal.shape[1] == 1:
        return float(1.0 - normal.min())
    return float(moocore.hypervolume(np.maximum(normal, 0.0), ref=np.ones(normal.shape[1])))


def open_volume(uppers: Floats, floors: Floats, ideal: Floats, reference: Floats) -> float:
    """Share of the same box that lies below at least one corner of ``uppers`` and above that zone's floor (both m x k), or an upper
    bound of it: the lesser of the zones' sum and the volume below all of them.
    """
    if uppers.size == 0:
        return 0.0
    corners = np.minimum(uppers, reference)
    mirrored = ideal + reference - corners
    edges = np.clip((corners - np.maximum(floors, ideal)) / np.maximum(reference - ideal, 1e-300), 0.0, 1.0)
    return min(covered_volume(mirrored, ideal, reference), float(edges.prod(axis=1).sum()))


def at_most_volume(points: Floats, error: Floats, covered: float, ideal: Floats, reference: Floats) -> float:
    """The most of the same box that legal values outside open zones dominate, of which some listed one of ``points`` (n x k) is never worse by more
    than ``error`` (k); ``covered`` is what the points dominate themselves.
    """
    return covered_volume(points - error, ideal, reference) if bool((error > 0).any()) else covered


def hypervolume_bounds(points: Floats, open_uppers: Floats, ideal: Floats, error: Floats) -> HypervolumeBounds | None:
    """Hypervolume of the listed points, and the most the true frontier can have; None without points or where it would take too long.

    ``error`` (k) is what closed zones leave: no legal value outside the open ones is better than every listed point by more. The reference is
    the componentwise worst listed value plus a tenth of the range (one where that is zero).
    """
    if (
        points.shape[0] == 0
        or not np.isfinite(ideal).all()
        or not affordable(len(points) + len(open_uppers), points.shape[1])
    ):
        return None
    worst = points.max(axis=0)
    spans = worst - ideal
    reference = worst + np.where(spans > 0, 0.1 * spans, 1.0)
    now = covered_volume(points, ideal, reference)
    left = open_volume(open_uppers, np.broadcast_to(ideal, open_uppers.shape), ideal, reference)
    most = at_most_volume(points, error, now, ideal, reference) + left
    return HypervolumeBounds(now, min(1.0, most), tuple(reference.tolist()))


def certified_error(
    open_uppers: Floats, floors: Floats, worst: Floats, spans: Floats, error: Floats
) -> tuple[float, ...]:
    """Additive error per objective that holds already: for every legal y some listed z has z <= y + error (k).

    ``error`` holds once no zone is open. An open zone u with ``y + e < u`` is impossible as soon as one e_i >= u_i - floor_i (``floors``: one
    row per zone), so the common share of ``spans`` (k) is enough that meets this in the zone that needs most. An objective without a limit in u
    decides nothing there, unless none has one: then any listed z will do, which ``worst`` (k) bounds.
    """
    if open_uppers.size == 0:
        return tuple(float(e) for e in error)
    free = np.asarray(np.isinf(open_uppers).all(axis=1))
    needed = np.where(free.reshape(-1, 1), worst - floors, open_uppers - floors) / spans
    # without any limit every objective must reach its worst value
    share = max(0.0, float(np.where(free, needed.max(axis=1), needed.min(axis=1)).max()))
    return tuple(np.maximum(error, share * spans).tolist())


def nondominated(points: Sequence[Sequence[float]], k: int) -> list[bool]:
    """Which of ``points`` no other one dominates; of equal ones the first."""
    import moocore

    if not points:
        return []
    return [bool(flag) for flag in moocore.is_nondominated(np.array(points, dtype=np.float64).reshape(-1, k))]


def least_of_better(points: Floats, corners: Floats, beyond: Floats, ideal: Floats) -> Floats:
    """What any legal point at least as good as each of ``points`` (n x k) has at least of each objective (n x k).

    No legal point lies at or below one of the ``corners`` (m x k): one that does in all objectives but i has at least ``beyond`` (m x k) of
    that one; every legal point has at least ``ideal`` (k).
    """
    least = np.tile(ideal, (len(points), 1))
    for i in range(ideal.size):
        others = np.arange(ideal.size) != i
        within = (points[:, None, others] <= corners[None, :, others]).all(axis=2)
        least[:, i] = np.maximum(least[:, i], np.where(within, beyond[:, i], -math.inf).max(axis=1, initial=-math.inf))
    return np.minimum(least, points)
