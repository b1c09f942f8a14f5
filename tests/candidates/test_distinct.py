"""Counting finds what sorting finds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.candidates import distinct as module
from models.candidates.distinct import alike, distinct


@pytest.mark.parametrize("room", [0, 4, 1000])
@given(values=st.lists(st.integers(-5, 60), max_size=40))
def test_as_sorted(room: int, values: list[int]) -> None:
    before, module.ROOM = module.ROOM, room
    try:
        found = distinct(np.array(values, dtype=np.int64))
    finally:
        module.ROOM = before
    expected = np.unique(np.array(values, dtype=np.int64), return_index=True, return_inverse=True)
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.tolist() == theirs.tolist()
        assert ours.dtype == np.int64


@given(values=st.lists(st.floats(-4, 4).map(lambda x: x + 0.0), max_size=40))
def test_figures_as_sorted(values: list[float]) -> None:
    found = distinct(np.array(values, dtype=np.float64))
    expected = np.unique(np.array(values, dtype=np.float64), return_index=True, return_inverse=True)
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.tolist() == theirs.tolist()


@given(
    rows=st.lists(
        st.tuples(st.integers(0, 3), st.floats(0, 1).map(lambda x: round(x, 1)), st.integers(-(10**12), 10**12)),
        max_size=30,
    ),
    width=st.integers(1, 3),
)
def test_alike_are_equal_in_every_column(rows: list[tuple[int, float, int]], width: int) -> None:
    columns = [
        np.array([row[at] for row in rows], dtype=kind) for at, kind in enumerate((np.int64, np.float64, np.int64))
    ]
    first, kind = alike(columns[:width])
    assert [rows[at][:width] for at in first[kind]] == [row[:width] for row in rows]
    assert len({rows[at][:width] for at in first}) == len(first)
    assert all(rows[at][:width] not in [row[:width] for row in rows[:at]] for at in first)
