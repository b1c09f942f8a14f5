from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.physics.performance.finite_run import run_seconds, segments
from models.physics.performance.prompts import CHUNK_TOKENS
from models.physics.performance.serving_setting import ServingSetting
from models.physics.performance.serving_step import decode_step, prefill, sum_of
from tests.physics.performance.conftest import DENSE, make_card, make_constants, make_network


def setting() -> ServingSetting:
    return ServingSetting(DENSE, make_card(), make_network(), make_constants(), 1, "fp8", "fp8")


def in_flight(most: int, requests: int, admitted: int, osl: int) -> list[int]:
    """Sequences of every pass, one by one: admitted while there is room, gone after osl passes."""
    waiting, ends, found = requests, [], []
    while waiting or ends:
        ends = [left - 1 for left in ends if left > 1]
        new = min(waiting, most - len(ends), admitted)
        waiting, ends = waiting - new, ends + [osl] * new
        if ends:
            found.append(len(ends))
    return found


@given(st.integers(1, 60), st.integers(1, 200), st.integers(1, 12), st.integers(1, 40))
def test_every_request_is_in_flight_for_as_many_passes_as_it_has_tokens(most, requests, admitted, osl):
    parts = list(segments(most, requests, admitted, osl))
    assert all(passes >= -1e-9 and min(a, b) >= 0.0 and max(a, b) <= most for passes, a, b in parts)
    assert sum(passes * (a + b) / 2 for passes, a, b in parts) == pytest.approx(requests * osl)


@pytest.mark.parametrize(("most", "requests"), [(48, 48), (48, 96), (48, 132), (200, 120)])
def test_stages_are_those_of_passes_followed_one_by_one(most, requests):
    admitted, osl = 4, 30
    parts = list(segments(most, requests, admitted, osl))
    counted = in_flight(most, requests, admitted, osl)
    assert sum(passes for passes, _, _ in parts) == pytest.approx(len(counted), abs=2)
    # any convex cost of a pass tells schedules apart that agree in their mean
    squares = sum(passes * (a * a + a * b + b * b) / 3 for passes, a, b in parts)
    assert squares == pytest.approx(sum(n * n for n in counted), rel=0.06)


def test_a_run_takes_its_passes_one_by_one_and_approaches_an_engine_that_is_never_short_of_requests():
    s, t, isl, osl, most = setting(), np.ones(1), 512.0, 256.0, 64

    def step(n: float) -> float:
        return float(sum_of(decode_step(s, t, np.array([max(n, 1.0)]), isl + osl / 2.0))[0])

    admitted = int((CHUNK_TOKENS - most) // isl)
    for requests in (64, 100, 160):
        each = sum_of(prefill(s, t, np.array([admitted * isl]), isl, 1.0, np.array([float(most)])))[0] / admitted
        one_by_one = sum(map(step, in_flight(most, requests, admitted, int(osl)))) + requests * each
        assert run_seconds(s, 1.0, most, requests, isl, osl) == pytest.approx(one_by_one, rel=0.03)
    rates = [n / run_seconds(s, 1.0, most, n, isl, osl) for n in (64, 640, 64_000)]
    assert rates == sorted(rates)
    assert rates[-1] * osl == pytest.approx(most / (step(most) + most / osl * each), rel=0.01)
