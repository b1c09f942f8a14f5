"""The shipped serving case: complete at its resolution, balanced, and within its limits on latency."""

from __future__ import annotations

import pytest

from models.instance import Instance
from models.loading import load
from optimizer.frontier import Frontier
from optimizer.pareto.result import FrontierStatus
from optimizer.solve import solve
from optimizer.verify import verify_design


@pytest.fixture(scope="module")
def instance() -> Instance:
    return load("serving-8mw")


@pytest.fixture(scope="module")
def frontier(instance: Instance) -> Frontier:
    return solve(instance, resolution="1%")


def test_the_frontier_is_complete_and_every_design_verified(instance: Instance, frontier: Frontier) -> None:
    assert frontier.status is FrontierStatus.COMPLETE
    assert len(frontier) >= 10
    assert [finding for design in frontier.points for finding in verify_design(instance, design)] == []


def test_prompts_and_answers_balance_within_the_limits(instance: Instance, frontier: Frontier) -> None:
    chat = instance.workloads["chat"]
    for design in frontier.points:
        able = {
            role: sum(p.count * p.throughput_tokens_s * p.goodput for p in design.pods if p.role in ("mixed", role))
            for role in ("prefill", "decode")
        }
        assert min(able.values()) == pytest.approx(design.figures["chat.tokens_per_s"], rel=1e-12)
        assert min(able.values()) >= chat.demand
        for pod in design.pods:
            told = pod.performance
            assert (told["ttft_s"] is None) == (pod.role == "decode")
            assert (told["tpot_s"] is None) == (pod.role == "prefill")
            assert told["ttft_s"] is None or told["ttft_s"] <= 1.5
            assert told["tpot_s"] is None or told["tpot_s"] <= 0.04
    assert any(pod.role != "mixed" for design in frontier.points for pod in design.pods)
    assert len({pod.system for design in frontier.points for pod in design.pods}) >= 2
