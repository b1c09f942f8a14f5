"""Serving pods by role: how a pod is cut into replicas, against one search per replica size."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from models.candidates.serving_table import ServingQuestion, ServingTable, replica_sizes, serving_tables
from models.physics.performance.cards import Network
from models.physics.performance.inference import Role, best_serving
from tests.physics.performance.conftest import DENSE, EXPERTS, make_card, make_constants

PROMPT, ANSWER = 1000.0, 400.0
POD = np.array([8, 16, 24, 40, 64, 72, 128])


def _table(role: Role, model=EXPERTS, domain: int = 8, **limits: float | None) -> ServingTable:
    card = make_card(scaleup_domain=domain)
    given = {"ttft": 1.0, "tpot": 0.03} | limits
    network = Network.of(card, 50e9)
    asked = ServingQuestion(model, card, network, "fp8", role, PROMPT, ANSWER, given["ttft"], given["tpot"], 128)
    return serving_tables([asked], make_constants())[0]


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("model", [DENSE, EXPERTS], ids=lambda m: m.name)
def test_a_pod_is_cut_into_the_replicas_that_serve_most(model, role: Role) -> None:
    card, found = make_card(), _table(role, model).rate(POD)
    for size, rate in zip(POD.tolist(), found, strict=True):
        best = 0.0
        for packages in (1, 2, 4, 8, 16, 32, 64, 128):
            one = best_serving(
                model, card, Network.of(card, 50e9), packages, PROMPT, ANSWER, make_constants(), "fp8",
                role=role, ttft_limit=1.0, tpot_limit=0.03,
            )  # fmt: skip
            best = max(best, size // packages * (one.requests_s * ANSWER if one else 0.0))
        assert rate == pytest.approx(best, rel=1e-12)


def test_replicas_tile_domains() -> None:
    assert replica_sizes(8, 40) == [1, 2, 4, 8, 16, 32]
    assert replica_sizes(72, 288) == [1, 2, 3, 4, 6, 8, 9, 12, 18, 24, 36, 72, 144, 288]
    assert replica_sizes(8, 4) == [1, 2, 4]


@pytest.mark.parametrize("role", Role)
def test_looser_limits_never_serve_less(role: Role) -> None:
    rates = [_table(role, ttft=t, tpot=t / 40).rate(POD) for t in (0.2, 0.4, 0.8, 1.6)]
    rates.append(_table(role, ttft=None, tpot=None).rate(POD))
    for tight, loose in pairwise(rates):
        assert (loose >= tight * (1 - 1e-12)).all()
    assert (rates[-1] > 0).all()


@pytest.mark.parametrize("role", Role)
def test_what_a_table_tells_keeps_the_limits(role: Role) -> None:
    told = _table(role).describe(72)
    assert told["ttft_s"] is None if role is Role.DECODE else told["ttft_s"] <= 1.0
    assert told["tpot_s"] is None if role is Role.PREFILL else told["tpot_s"] <= 0.03
    assert told["replica"] * told["replicas"] == told["accelerators_used"] <= 72
    assert told["binding"] in told["terms_s"]


def test_limits_that_nothing_keeps_leave_no_throughput() -> None:
    assert (_table(Role.DECODE, tpot=1e-6).rate(POD) == 0).all()
    assert (_table(Role.PREFILL, ttft=1e-6).rate(POD) == 0).all()
