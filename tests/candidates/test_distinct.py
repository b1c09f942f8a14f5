"""Counting finds what sorting finds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.candidates import distinct as module
from models.candidates.distinct import distinct


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
