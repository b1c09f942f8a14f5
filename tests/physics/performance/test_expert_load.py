from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.physics.performance.expert_load import BALANCED_LOAD, EXPERT_VARIANCE, fullest_rank
from tests.physics.performance.conftest import DENSE, EXPERTS

MEASURED = replace(EXPERTS, experts=256, topk=8)
"""The experts of the published table: 8 of 256 chosen."""


def test_one_rank_and_dense_models_have_no_fullest_rank():
    assert fullest_rank(MEASURED, 1, balanced=False) == 1.0
    assert fullest_rank(DENSE, 8, balanced=False) == 1.0


def test_the_published_table_is_met():
    # the mean of the largest of 32 skewed ranks was 2.56 of their mean, 1.11 with redundant experts
    assert fullest_rank(MEASURED, 32, balanced=False) == pytest.approx(2.564)
    assert fullest_rank(MEASURED, 32, balanced=True) == BALANCED_LOAD == pytest.approx(1.11, abs=0.02)


@pytest.mark.parametrize("ranks", [2, 4, 8, 32])
def test_it_is_the_mean_of_the_largest_of_so_many_sums_of_uneven_experts(ranks):
    drawn = np.random.default_rng(1).gamma(1.0 / EXPERT_VARIANCE, 1.0, (20_000, ranks, 256 // ranks))
    loads = drawn.sum(axis=2)
    simulated = (loads.max(axis=1) / loads.mean(axis=1)).mean()
    assert fullest_rank(MEASURED, ranks, balanced=False) == pytest.approx(simulated, rel=0.10)


@given(st.sampled_from([8, 16, 64, 128, 256, 512]), st.integers(1, 8), st.sampled_from([2, 4, 8]))
def test_more_ranks_are_less_even_and_none_exceeds_all_rows(experts, topk, ranks):
    model = replace(EXPERTS, experts=experts, topk=min(topk, experts))
    load = fullest_rank(model, ranks, balanced=False)
    assert 1.0 <= load <= ranks
    assert fullest_rank(model, ranks, balanced=True) <= min(load, BALANCED_LOAD)
    if 2 * ranks < experts:
        assert fullest_rank(model, 2 * ranks, balanced=False) >= load
