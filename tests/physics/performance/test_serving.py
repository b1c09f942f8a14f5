from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.physics.performance.inference import (
    MEMORY_SHARE,
    Role,
    best_serving,
    prefill_per_decode,
    total,
    weight_bytes,
)
from models.physics.performance.serving_step import ServingSetting, compute_dtype, decode_step, prefill, prompt_seconds
from tests.physics.performance.conftest import DENSE, EXPERTS, make_card, make_constants, make_network

FEW = settings(max_examples=25, deadline=None)
ISL, OSL = 1000.0, 500.0


def setting(model=DENSE, packages=4, dtype="fp8"):
    return ServingSetting(model, make_card(), make_network(), make_constants(), packages, dtype, "fp8")


def serve(model=DENSE, packages=4, card=None, network=None, dtype="fp8", **limits):
    return best_serving(
        model, card or make_card(), network or make_network(), packages, ISL, OSL, make_constants(), dtype, **limits
    )


def test_a_single_sequence_reads_every_weight_once():
    s = setting(packages=1)
    step = decode_step(s, np.ones(1), np.ones(1), 1000.0)
    blocks = DENSE.layers * (DENSE.attention_weights() + DENSE.dense_weights())
    output = DENSE.vocab * DENSE.hidden
    read = (blocks + 2 * output) / s.memory_rate
    assert step["hbm"][0] + step["gemm"][0] == pytest.approx(read, rel=1e-9)
    cache = 1000.0 * DENSE.layers * 2 * DENSE.kv_heads * DENSE.dim
    assert step["cache"][0] == pytest.approx(cache / s.memory_rate, rel=1e-9)


def test_experts_touched_grow_to_all_of_them():
    s = setting(EXPERTS, packages=1)
    reads = []
    for batch in (1.0, 16.0, 4096.0):
        step = decode_step(s, np.ones(1), np.array([batch]), 1.0)
        reads.append(step["hbm"][0] + step["gemm"][0])
    assert reads[0] < reads[1] < reads[2]
    one = EXPERTS.topk * EXPERTS.expert_weights() * EXPERTS.moe_layers * 1.1 / s.memory_rate
    assert reads[0] > one


def brute(limit):
    """The best batch by trying each one."""
    s, best = setting(), (0.0, 0)
    t = np.array([4.0])
    batch = 1
    while True:
        held = weight_bytes(s, t)[0] + batch * (ISL + OSL) * s.cache_bytes_per_token() / 4
        if held > MEMORY_SHARE * s.accelerator.hbm_bytes or batch > 4096:
            return best
        b = np.array([float(batch)])
        tpot = total(decode_step(s, t, b, ISL + OSL / 2))[0] + batch / OSL * prompt_seconds(s, t, b, ISL)[0]
        if limit is None or tpot <= limit:
            best = max(best, (batch / tpot, batch))
        batch += 1


@pytest.mark.parametrize("limit", [None, 0.01, 0.03])
def test_the_batch_is_the_best_that_keeps_memory_and_limit(limit):
    rate, batch = brute(limit)
    found = serve(tpot_limit=limit)
    assert found is not None
    assert found.batch == batch
    assert found.tokens_s == pytest.approx(rate)
    assert found.tokens_s == pytest.approx(found.batch / found.tpot_s)
    assert found.requests_s == pytest.approx(found.tokens_s / OSL)
    assert sum(found.terms.values()) == pytest.approx(found.tpot_s)
    assert found.memory_bytes <= MEMORY_SHARE * make_card().hbm_bytes
    if limit is not None:
        assert found.tpot_s <= limit


def test_limits_nobody_can_keep_and_weights_that_do_not_fit_give_none():
    assert serve(tpot_limit=1e-6) is None
    assert serve(ttft_limit=1e-6) is None
    assert serve(card=make_card(hbm_bytes=1e9)) is None
    assert serve(role=Role.PREFILL, ttft_limit=1e-6) is None


@FEW
@given(st.floats(0.005, 0.2), st.floats(1.0, 4.0), st.sampled_from([DENSE, EXPERTS]))
def test_a_looser_limit_or_a_better_part_never_serves_less(limit, factor, model):
    tight = serve(model, tpot_limit=limit)
    base = tight.tokens_s if tight else 0.0
    card = make_card()
    better = [
        serve(model, tpot_limit=limit * factor),
        serve(model, tpot_limit=limit, card=replace(card, hbm_rate=card.hbm_rate * factor)),
        serve(model, tpot_limit=limit, card=replace(card, hbm_bytes=card.hbm_bytes * factor)),
        serve(model, tpot_limit=limit, card=replace(card, peak={k: v * factor for k, v in card.peak.items()})),
        serve(model, tpot_limit=limit, network=make_network(50e9 * factor)),
    ]
    for one in better:
        assert (one.tokens_s if one else 0.0) >= base * (1 - 1e-12)


@FEW
@given(st.sampled_from([DENSE, EXPERTS]), st.sampled_from([1, 2, 4, 8]))
def test_no_role_beats_the_arithmetic_it_needs(model, packages):
    card = make_card()
    peak = packages * card.peak["fp8"]
    active = model.active_params()
    mixed, pre = serve(model, packages), serve(model, packages, role=Role.PREFILL)
    if mixed is not None:
        assert mixed.tokens_s * 2 * active * (1 + ISL / OSL) * 0.9 <= peak
    if pre is not None:
        assert pre.tokens_s * 2 * (active - model.vocab * model.hidden) <= peak


def test_roles_disaggregated_keep_requests_in_step():
    decode, pre = serve(role=Role.DECODE, tpot_limit=0.02), serve(role=Role.PREFILL, ttft_limit=1.0)
    assert decode is not None
    assert pre is not None
    assert decode.ttft_s is None
    assert pre.tpot_s is None
    assert prefill_per_decode(pre, decode) * pre.requests_s == pytest.approx(decode.requests_s)
    mixed = serve(tpot_limit=0.02)
    assert mixed is not None
    assert decode.tokens_s >= mixed.tokens_s


def test_prefill_grows_with_the_prompt_faster_than_the_tokens():
    s = setting(packages=1)
    short = total(prefill(s, np.ones(1), np.array([2000.0]), 2000.0))[0]
    long = total(prefill(s, np.ones(1), np.array([8000.0]), 8000.0))[0]
    starts = prefill(s, np.ones(1), np.array([2000.0]), 2000.0)["launch"][0]
    assert long - starts > 4 * (short - starts) * 0.9
    parts = prefill(s, np.ones(1), np.array([8000.0]), 8000.0)
    assert parts["attention"][0] == pytest.approx(
        16 * prefill(s, np.ones(1), np.array([2000.0]), 2000.0)["attention"][0]
    )


def test_weights_narrower_than_the_part_multiplies_are_stored_narrow_and_computed_wide():
    stored, wide = serve(dtype="fp4"), serve(dtype="fp8")
    assert stored is not None
    assert wide is not None
    assert stored.memory_bytes < wide.memory_bytes or stored.batch > wide.batch
    assert stored.tokens_s >= wide.tokens_s
    assert compute_dtype(make_card(), "fp4") == "fp8"
    assert compute_dtype(make_card(peak={"bf16": 1e15}), "fp4") == "bf16"
