"""Which whole numbers occur in an array, where each first does, and which of them each entry is: by counting, where that is quicker than sorting."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

ROOM = 4
"""Numbers looked up for every entry at most; where they lie further apart they are sorted."""


def distinct(values: Ints) -> tuple[Ints, Ints, Ints]:
    """Different values in ascending order, the first place of each, and for every entry its number among them: as ``numpy.unique`` gives them."""
    low, high = (int(values.min()), int(values.max())) if len(values) else (0, -1)
    if not len(values) or high - low >= ROOM * len(values):
        found, first, back = np.unique(values, return_index=True, return_inverse=True)
        return found.astype(np.int64), first.astype(np.int64), back.reshape(-1).astype(np.int64)
    moved = values - low
    seen = np.zeros(high - low + 1, dtype=np.int64)
    seen[moved] = 1
    number = np.cumsum(seen) - 1
    back = number[moved]
    first = np.empty(int(number[-1]) + 1, dtype=np.int64)
    # of several entries the one written last stays
    first[back[::-1]] = np.arange(len(values) - 1, -1, -1)
    return np.flatnonzero(seen) + low, first, back
