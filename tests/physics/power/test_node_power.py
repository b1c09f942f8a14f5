from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.physics.node_power import PowerShares, computing_share, computing_shares, idle_power, node_power


def test_a_waiting_node_draws_a_quarter_to_a_half_less_than_a_computing_one():
    busy, waiting = node_power(10200.0, 8, 700.0, [1.0, 0.0])
    assert 0.25 < 1 - waiting / busy < 0.5
    assert idle_power(10200.0, 8, 700.0) < waiting


def test_worked_example():
    # 8 x 700 W of accelerators, 4600 W of other nameplate
    assert node_power(10200.0, 8, 700.0, 0.5) == pytest.approx(0.5 * 4600 + 5600 * (0.5 * 0.96 + 0.5 * 0.34))


@given(st.floats(1000.0, 2e5), st.integers(1, 72), st.floats(100.0, 2500.0), st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_power_rises_with_use_and_never_passes_the_nameplate(plate, count, rating, one, other):
    low, high = sorted((one, other))
    a, b = node_power(plate, count, rating, np.array([low, high]))
    assert a <= b <= plate


def test_shares_of_many_steps_are_those_of_each():
    names = ("gemm", "data_comm", "hbm")
    terms = np.array([[3.0, 4.0, 1.0], [0.1, 0.7, 0.3], [0.0, 0.0, 0.0]])
    each = [computing_share(dict(zip(names, step, strict=True))) for step in terms.tolist()]
    assert computing_shares(terms, names).tolist() == each


def test_computing_share_counts_arithmetic_and_memory():
    assert computing_share({"gemm": 3.0, "hbm": 1.0, "data_comm": 4.0}) == pytest.approx(0.5)
    assert computing_share({}) == 0.0


def test_shares_can_be_replaced_by_measured_ones():
    own = PowerShares(busy=1.0, waiting=1.0, idle=0.1, host=1.0)
    assert node_power(10200.0, 8, 700.0, 0.3, own) == pytest.approx(10200.0)


def test_steady_power_is_drawn_whole_and_takes_no_share() -> None:
    plate, board, steady = 132e3, 72 * 1200.0, 11160.0
    for computing in (0.0, 0.5, 1.0):
        with_trays = float(node_power(plate, 72, 1200.0, computing, steady=steady))
        without = float(node_power(plate, 72, 1200.0, computing))
        assert with_trays - without == pytest.approx(0.5 * steady)
    idle = float(idle_power(plate, 72, 1200.0, steady=steady))
    assert idle == pytest.approx(steady + 0.5 * (plate - board - steady) + 0.12 * board)
    # more than the nameplate leaves beside the accelerators cannot be steady
    assert float(node_power(plate, 72, 1200.0, 1.0, steady=1e6)) <= plate
