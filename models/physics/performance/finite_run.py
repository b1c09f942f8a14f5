"""Time an engine takes for a given number of equal requests that all wait from the start.

An attention group holds at most b sequences and admits k = max(1, (chunk - b) / isl) of R requests to a pass; each leaves after osl
passes. Since a place becomes free exactly osl passes after it was taken, admissions repeat with that period: N = min(b, R, k osl)
sequences are admitted in a = N/k passes of every osl, and

    a        passes   0 -> N sequences          the first are admitted
    osl - a  passes   N                         nobody is admitted
    a        passes   N, admitting              as often as R holds N whole, then with what is left, r = R mod N:
    r/k      passes   N, admitting
    a - r/k  passes   N -> r
    osl - a  passes   r
    r/k      passes   r -> 0                    (a passes N -> 0 where nothing is left)

Throughput so measured lies below that of an engine that is never short of requests, the more the fewer times R holds N.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from models.physics.performance.prompts import CHUNK_TOKENS
from models.physics.performance.serving_setting import ServingSetting
from models.physics.performance.serving_step import decode_step, prefill, sum_of

Array = NDArray[np.float64]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(4)


def segments(most: float, requests: float, admitted: float, osl: float) -> Iterator[tuple[float, float, float]]:
    """(passes, sequences at the start, sequences at the end) of the stages of a run, in order."""
    held = min(most, requests, admitted * osl)
    admitting = held / admitted
    waves, left = divmod(requests, held)
    yield admitting, 0.0, held
    for _ in range(int(waves) - 1):
        yield osl, held, held
    yield osl - admitting, held, held
    if left <= 0.0:
        yield admitting, held, 0.0
        return
    yield left / admitted, held, held
    yield admitting - left / admitted, held, left
    yield osl - admitting, left, left
    yield left / admitted, left, 0.0


def run_seconds(s: ServingSetting, tensor: float, most: float, requests: float, isl: float, osl: float) -> float:
    """Seconds of ``requests`` requests of each attention group, of which at most ``most`` are in flight; contexts are the mean one."""
    groups = s.packages / tensor
    admitted = max((CHUNK_TOKENS - min(most, requests)) / isl, 1.0)
    parts = [one for one in segments(most, requests, admitted, osl) if one[0] > 0.0]
    passes, start, end = (np.array(column) for column in zip(*parts, strict=True))
    middle = (start + end) / 2.0
    sequences = middle[:, None] + (end - start)[:, None] / 2.0 * _NODES
    batch = np.maximum(sequences.ravel(), 1.0) * groups
    t, context = np.full_like(batch, tensor), isl + osl / 2.0
    # passes that carry prompts are not recorded, so they are not filled up
    carrying = min(requests / admitted / float(passes.sum()), 1.0)
    each = (1.0 - carrying) * sum_of(decode_step(s, t, batch, context))
    each = each + carrying * sum_of(decode_step(replace(s, graph_batches=()), t, batch, context))
    step = each.reshape(sequences.shape) @ (_WEIGHTS / 2.0)
    one = np.array([tensor])
    tokens, beside = np.array([admitted * isl]), np.array([min(most, requests) * groups])
    joined = prefill(s, one, tokens, isl, 1.0, beside)
    return float(passes @ step + requests / admitted * sum_of(joined)[0])
