"""Tables of pods put one after the other, each written once where it stays: there are millions of rows and sixty columns of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from models.candidates.pod_table import PodTable

Column = npt.NDArray[Any]

ROOM = 3.0
"""Room made, of what the tables so far let expect."""


class PodStack:
    """The pods of one cluster and site as they are found. They stem from ``sources`` rows of fabrics, of which each gives ``most`` pods
    (None: not known), so that the room all will need can be told from the first ones; room that is not written to takes no memory.
    """

    def __init__(self, sources: int, most: int | None = None) -> None:
        self._sources, self._most = sources, most
        self._seen = self._rows = self._room = 0
        self._columns: dict[str, Column] = {}
        self._like: PodTable | None = None

    def add(self, pods: PodTable, rows: npt.NDArray[np.int64], sources: int) -> None:
        """Appends some rows of a table made of ``sources`` rows of fabrics; all tables share what is not a column."""
        start, end = self._rows, self._rows + len(rows)
        if self._like is None:
            self._like = pods.take(rows[:0])
        self._seen += sources
        if end > self._room:
            self._make_room(end)
        whole = len(rows) == len(pods)
        for name in PodTable.column_names():
            values = getattr(pods, name)
            held = self._columns.get(name)
            if held is None:
                held = self._columns[name] = np.empty((*values.shape[:-1], self._room), dtype=values.dtype)
            elif held.dtype != values.dtype:
                held = self._columns[name] = held.astype(np.result_type(held, values))
            held[..., start:end] = values if whole else values[..., rows]
        self._rows = end

    def table(self) -> PodTable | None:
        """All rows so far, in the order they came; None where nothing was added."""
        if self._like is None:
            return None
        columns: dict[str, Any] = {name: values[..., : self._rows] for name, values in self._columns.items()}
        return replace(self._like, **columns)

    def _make_room(self, end: int) -> None:
        expected = int(ROOM * end * self._sources / max(self._seen, 1))
        if self._most is not None:
            expected = min(expected, self._sources * self._most)
        self._room = max(expected, end)
        for name in list(self._columns):
            # one after the other, so that no more than one of them is held twice
            values = self._columns.pop(name)
            wide = np.empty((*values.shape[:-1], self._room), dtype=values.dtype)
            wide[..., : self._rows] = values[..., : self._rows]
            self._columns[name] = wide
