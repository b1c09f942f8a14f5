"""Supplies at part load: the inverse of their curve, and what a job draws once they run at its share."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.physics.power import input_power
from models.physics.supply_losses import delivered_power, drawn_at_part_load

SHARES, TITANIUM = [0.1, 0.2, 0.5, 1.0], [0.90, 0.94, 0.96, 0.91]


@given(st.floats(1.0, 19000.0))
def test_what_is_delivered_is_what_draws_so_much(level: float) -> None:
    drawn = input_power(level, 19800.0, SHARES, TITANIUM)
    assert delivered_power(drawn, 19800.0, SHARES, TITANIUM) == pytest.approx(level, rel=1e-9, abs=1e-6)


def test_standing_losses_alone_deliver_nothing() -> None:
    standing = float(input_power(0.0, 1000.0, SHARES, TITANIUM))
    assert float(delivered_power(standing / 2, 1000.0, SHARES, TITANIUM)) == pytest.approx(0.0, abs=1e-9)


def test_a_node_of_six_supplies_by_hand() -> None:
    # 20 kW of supplies; 10 kW out is half load at 96 %, so 10,416.67 W are drawn at nameplate
    nameplate = 10000 / 0.96
    assert float(delivered_power(nameplate, 20000.0, SHARES, TITANIUM)) == pytest.approx(10000)
    # 4 kW out is a fifth at 94 %: worked out at 96 % it would be 4,166.67 W
    assert float(drawn_at_part_load(4000 / 0.96, nameplate, 20000.0, SHARES, TITANIUM)) == pytest.approx(4000 / 0.94)
    assert float(drawn_at_part_load(nameplate, nameplate, 20000.0, SHARES, TITANIUM)) == pytest.approx(nameplate)


@given(st.floats(0.05, 1.0), st.floats(0.05, 1.0))
def test_more_work_never_draws_less(one: float, other: float) -> None:
    low, high = sorted((one, other))
    drawn = drawn_at_part_load(np.array([low, high]) * 10200.0, 10200.0, 19800.0, SHARES, TITANIUM)
    assert drawn[0] <= drawn[1] + 1e-9
