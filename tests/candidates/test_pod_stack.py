"""Tables stacked one by one are the tables joined at once."""

import numpy as np
import pytest

from models.candidates.placement import enumerate_candidates
from models.candidates.pod_stack import PodStack
from models.candidates.pod_table import PodTable
from optimizer import load


@pytest.mark.parametrize(("sources", "most"), [(1, None), (3, None), (400, None), (4, 1), (4, 10**6)])
def test_stacked_is_joined(sources: int, most: int | None) -> None:
    pods = enumerate_candidates(load("tiny/two-sites")).placements[0].pods
    rng = np.random.default_rng(5)
    picks = [np.sort(rng.choice(len(pods), size, replace=False)) for size in (1, 0, len(pods), len(pods) // 2)]
    stack = PodStack(sources, most)
    for rows in picks:
        stack.add(pods, rows, 1)
    found, joined = stack.table(), PodTable.join([pods.take(rows) for rows in picks])
    assert found is not None and len(found) == sum(map(len, picks))
    for name in PodTable.column_names():
        np.testing.assert_array_equal(getattr(found, name), getattr(joined, name))
        assert getattr(found, name).dtype == getattr(joined, name).dtype


def test_nothing_stacked_is_no_table() -> None:
    assert PodStack(3).table() is None
