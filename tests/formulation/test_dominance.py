"""What pruning keeps is exactly what its definition says, and the reason it keeps is true."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from models.formulation import dominance
from models.formulation.core import Row
from models.formulation.dominance import Group, Pruning, broken_by_absence, prune
from models.formulation.family import Direction
from models.formulation.linear import Block, Kind, Linear

FAR = 1e9
CLUSTER = Group(("use[c,s]",), 1.0, exact=True)


def _row(name: str, values: np.ndarray, upper: float | None, lower: float | None = None) -> Row:
    return Row("test", name, (), Linear({"use[c,s]": values}), lower, upper, "", "")


def _pruned(costs: np.ndarray, equal: np.ndarray, limit: float = FAR) -> Pruning:
    """Columns ``costs[:, 0]`` as an objective, the rest as rows that some choice of another block could break."""
    n = len(costs)
    blocks = {
        "use[c,s]": Block("use[c,s]", tuple(map(str, range(n))), Kind.BINARY),
        "free": Block("free", ("x",), Kind.INTEGER, None),
    }
    rows = [
        Row("test", f"r{j}", (), Linear({"use[c,s]": costs[:, j], "free": np.ones(1)}), None, limit, "", "")
        for j in range(1, costs.shape[1])
    ]
    rows.append(_row("kind", equal, 1.0, 1.0))
    return prune(CLUSTER, [], blocks, rows, [(Linear({"use[c,s]": costs[:, 0]}), Direction.MINIMISE)])


def _by_definition(costs: np.ndarray, equal: np.ndarray, limit: float = FAR) -> list[int]:
    possible = np.flatnonzero((costs[:, 1:] <= limit).all(axis=1))
    kept = []
    for b in possible:
        no_worse = possible[(costs[possible] <= costs[b]).all(axis=1) & (equal[possible] == equal[b])]
        better = (costs[no_worse] < costs[b]).any(axis=1) | (no_worse < b)
        if not better.any():
            kept.append(int(b))
    return kept


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_small_random_columns_are_kept_by_the_definition(data: st.DataObject) -> None:
    n, k = data.draw(st.integers(1, 40)), data.draw(st.integers(2, 6))
    costs = data.draw(arrays.arrays(np.float64, (n, k), elements=st.integers(0, 5).map(float)))
    equal = data.draw(arrays.arrays(np.float64, n, elements=st.sampled_from([1.0, 1.0, 1.0, 0.0])))
    limit = float(data.draw(st.integers(2, 6)))
    found = _pruned(costs, equal, limit)
    assert found.kept.tolist() == _by_definition(costs, equal, limit)


@pytest.mark.parametrize("seed", range(3))
def test_many_columns_are_kept_by_the_definition(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dominance, "FIRST_RUN", 32)
    draw = np.random.default_rng(seed)
    size = np.sort(draw.integers(1, 30, 1500))
    costs = np.stack(
        [size * draw.integers(10, 14, 1500), size * draw.integers(3, 6, 1500), draw.integers(0, 2, 1500), -size], axis=1
    ).astype(float)
    found = _pruned(costs, np.ones(1500))
    assert found.kept.tolist() == _by_definition(costs, np.ones(1500))


def test_every_pruned_column_has_a_true_reason() -> None:
    draw = np.random.default_rng(5)
    costs, equal = draw.integers(0, 9, (300, 4)).astype(float), draw.integers(0, 2, 300).astype(float)
    found = _pruned(costs, equal, 6.0)
    for column in range(300):
        dominator = found.dominator(column)
        if column in found.kept:
            assert dominator is None
            assert found.broken_row[column] < 0
        elif found.broken_row[column] >= 0:
            assert dominator is None
            assert costs[column, int(found.broken_row[column]) + 1] > 6.0
        else:
            assert dominator is not None
            assert equal[dominator] == equal[column]
            assert (costs[dominator] <= costs[column]).all()


def test_a_row_that_no_choice_can_break_tells_nothing_apart() -> None:
    cost, load = np.array([1.0, 2.0, 3.0]), np.array([9.0, 8.0, 7.0])
    blocks = {"use[c,s]": Block("use[c,s]", ("0", "1", "2"), Kind.BINARY)}
    goal = [(Linear({"use[c,s]": cost}), Direction.MINIMISE)]
    assert prune(CLUSTER, [], blocks, [_row("load", load, 9.0)], goal).kept.tolist() == [0]
    assert prune(CLUSTER, [], blocks, [_row("load", load, 8.0)], goal).kept.tolist() == [1]


def test_what_other_clusters_may_add_keeps_a_row_alive() -> None:
    cost, load = np.array([1.0, 2.0]), np.array([5.0, 4.0])
    other = Group(("use[d,s]",), 2.0, exact=False)
    blocks = {
        "use[c,s]": Block("use[c,s]", ("0", "1"), Kind.BINARY),
        "use[d,s]": Block("use[d,s]", ("0",), Kind.INTEGER, 2.0),
    }
    row = Row("test", "load", (), Linear({"use[c,s]": load, "use[d,s]": np.array([3.0])}), None, 10.0, "", "")
    goal = [(Linear({"use[c,s]": cost}), Direction.MINIMISE)]
    assert prune(CLUSTER, [other], blocks, [row], goal).kept.tolist() == [0, 1]
    alone = Group(("use[d,s]",), 1.0, exact=False)
    assert prune(CLUSTER, [alone], blocks, [row], goal).kept.tolist() == [0]


@pytest.mark.parametrize(
    ("lower", "upper", "broken"), [(None, 1.0, False), (None, -3.5, True), (1.0, None, True), (-1.0, None, False)]
)
def test_a_row_may_be_broken_by_what_does_not_enter_it(lower: float | None, upper: float | None, broken: bool) -> None:
    blocks = {"use[c,s]": Block("use[c,s]", ("a",), Kind.BINARY), "more": Block("more", ("x",), Kind.INTEGER, 3.0)}
    row = Row("test", "r", (), Linear({"use[c,s]": np.array([2.0]), "more": np.array([-1.0])}), lower, upper, "", "")
    assert broken_by_absence(row, Group(("use[c,s]",), 1.0, True), blocks) is broken
