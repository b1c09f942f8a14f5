"""Numbers of packages that some mapping uses exactly.

    N = tensor * context * pipeline * data     tensor divides the heads, pipeline <= layers, data divides the batch

Most numbers have no mapping at all, and some that have one divide badly: a few packages left idle then train faster than all of
them. A cluster therefore runs the best of all sizes up to its own.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from models.physics.performance.cards import ModelShape
from models.physics.performance.mapping import MAX_CONTEXT, MAX_TENSOR, context_fits, divisors


@lru_cache(maxsize=64)
def usable_sizes(model: ModelShape, global_batch: int, smallest: int, largest: int) -> tuple[int, ...]:
    """Every N from ``smallest`` to ``largest``, both included, that has a legal mapping; ascending.

    ``global_batch`` in sequences.
    """
    tensor = [t for t in divisors(model.heads) if t <= MAX_TENSOR]
    context = [c for c in range(1, MAX_CONTEXT + 1) if context_fits(model, c)]
    sizes = np.ones(1, dtype=np.int64)
    for degrees in (tensor, context, range(1, model.layers + 1), divisors(global_batch)):
        sizes = np.unique(np.multiply.outer(sizes, np.array(degrees, dtype=np.int64)))
        sizes = sizes[sizes <= largest]
    return tuple(int(n) for n in sizes[sizes >= smallest])
