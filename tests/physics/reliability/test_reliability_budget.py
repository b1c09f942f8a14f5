"""The budget closes, and agrees with goodput."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.physics import checkpointing as ckpt
from models.physics.reliability_budget import goodput_without, reliability_budget

HOUR = 3600.0
CAUSES = ["gpu", "link", "software"]
COUNTS, RATES, DOWN = [16384, 16384, 1], np.array([12600e-9, 1650e-9, 0.05]) / HOUR, [600.0, 1200.0, 120.0]


def test_budget_closes_and_is_the_exact_goodput():
    got = reliability_budget(CAUSES, COUNTS, RATES, DOWN, 250.0, 3.0, 400.0)
    assert got.goodput + got.checkpoint_loss + got.losses.sum() == pytest.approx(1.0)
    mean_down = (got.rates * DOWN).sum() / got.rates.sum()
    assert got.goodput == pytest.approx(float(ckpt.goodput(250.0, 3.0, got.rates.sum(), mean_down, 400.0)))
    assert got.mean_time_to_interrupt == pytest.approx(1 / got.rates.sum())
    assert got.losses.argmax() == 0


@given(st.lists(st.tuples(st.integers(0, 1000), st.floats(0, 1e-7), st.floats(0, 5e3)), min_size=1, max_size=5))
def test_any_budget_closes(rows):
    counts, rates, down = np.array(rows, dtype=float).T
    got = reliability_budget([str(i) for i in range(len(rows))], counts, rates, down, 600.0, 5.0, 300.0, 20.0)
    assert got.goodput + got.checkpoint_loss + got.losses.sum() == pytest.approx(1.0, abs=1e-9)
    assert np.all(got.losses >= 0)


def test_what_mending_a_cause_buys():
    full = reliability_budget(CAUSES, COUNTS, RATES, DOWN, 250.0, 3.0, 400.0)
    gains = [goodput_without(i, COUNTS, RATES, DOWN, 250.0, 3.0, 400.0) - full.goodput for i in range(3)]
    assert all(g > 0 for g in gains)
    assert np.argsort(gains).tolist() == np.argsort(full.losses).tolist()


def test_a_pod_that_never_fails():
    got = reliability_budget(["gpu"], [8], [0.0], [60.0], 95.0, 5.0, 60.0)
    assert got.goodput == pytest.approx(0.95)
    assert got.mean_time_to_interrupt == np.inf
    with pytest.raises(ValueError, match="causes"):
        reliability_budget(["gpu", "nic"], [8], [0.0], [60.0], 95.0, 5.0, 60.0)
