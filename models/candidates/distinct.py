"""Which numbers occur in an array, where each first does, and which of them each entry is: by counting, where that is quicker than sorting.

``alike`` asks the same of several columns at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Column = npt.NDArray[Any]

ROOM = 4
"""Numbers looked up for every entry at most; where they lie further apart they are sorted."""


def distinct(values: Column) -> tuple[Column, Ints, Ints]:
    """Different values in ascending order, the first place of each, and for every entry its number among them: as ``numpy.unique`` gives them.

    ``values`` are of one dimension, and none is NaN.
    """
    low = int(values.min()) if len(values) and values.dtype.kind == "i" else 0
    if not len(values) or values.dtype.kind != "i" or int(values.max()) - low >= ROOM * len(values):
        return _sorted(values)
    moved = values - low
    seen = np.zeros(int(moved.max()) + 1, dtype=np.int64)
    seen[moved] = 1
    number = np.cumsum(seen) - 1
    back = number[moved]
    first = np.empty(int(number[-1]) + 1, dtype=np.int64)
    # of several entries the one written last stays
    first[back[::-1]] = np.arange(len(values) - 1, -1, -1)
    return np.flatnonzero(seen) + low, first, back


def _sorted(values: Column) -> tuple[Column, Ints, Ints]:
    # an order that need not be stable is found several times as quickly; the first of equals is then their least place
    order = np.argsort(values)
    ascending = values[order]
    begins = np.ones(len(values), dtype=np.bool_)
    np.not_equal(ascending[1:], ascending[:-1], out=begins[1:])
    starts = np.flatnonzero(begins)
    back = np.empty(len(values), dtype=np.int64)
    back[order] = np.cumsum(begins) - 1
    first = np.minimum.reduceat(order, starts) if len(starts) else np.zeros(0, dtype=np.int64)
    return ascending[starts], first.astype(np.int64), back


def alike(columns: Iterable[Column]) -> tuple[Ints, Ints]:
    """Entries equal in every one of at least one column: the first place of each kind, and for every entry its kind."""
    kind: Ints | None = None
    first = np.zeros(0, dtype=np.int64)
    for values in columns:
        _, places, number = distinct(values)
        if kind is None:
            first, kind = places, number
        elif len(places) > 1:
            _, first, kind = distinct(kind * len(places) + number)
    assert kind is not None
    return first, kind
