"""The filter of runs of rows, by pairs and one by one, says what comparing all pairs says."""

from __future__ import annotations

import numpy as np
import pytest

from models.candidates import fabric_choice
from models.candidates.fabric_choice import first_nondominated


def _by_hand(values: np.ndarray, starts: list[int]) -> list[bool]:
    kept = []
    for start, end in zip(starts, [*starts[1:], len(values)], strict=True):
        for row in range(start, end):
            rivals = [other for other in range(start, end) if (values[other] <= values[row]).all()]
            kept.append(not any(other < row or (values[other] < values[row]).any() for other in rivals if other != row))
    return kept


@pytest.mark.parametrize("largest_paired", [0, 3, 40])
@pytest.mark.parametrize("pairs", [1, 30, 10_000])
def test_runs_compare_among_themselves_and_ties_keep_the_first(
    monkeypatch: pytest.MonkeyPatch, largest_paired: int, pairs: int
) -> None:
    monkeypatch.setattr(fabric_choice, "LARGEST_PAIRED", largest_paired)
    monkeypatch.setattr(fabric_choice, "PAIRS", pairs)
    rng = np.random.default_rng(3)
    for criteria in (1, 2, 5):
        lengths = rng.integers(1, 9, 40)
        starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
        values = rng.integers(0, 4, (int(lengths.sum()), criteria)).astype(float)
        assert first_nondominated(np.ascontiguousarray(values.T), starts).tolist() == _by_hand(values, starts.tolist())


def test_no_row_gives_none() -> None:
    assert first_nondominated(np.zeros((3, 0)), np.zeros(0, dtype=np.int64)).shape == (0,)


def test_of_rows_that_nothing_tells_apart_the_first_of_each_run_stays() -> None:
    kept = first_nondominated(np.zeros((0, 60)), np.array([0, 2, 5]))
    assert np.flatnonzero(kept).tolist() == [0, 2, 5]
