from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.physics.performance.expert_load import BALANCED_LOAD, fullest_rank
from models.physics.performance.inference import (
    MEMORY_SHARE,
    Role,
    best_serving,
    cache_room,
    sequence_bytes,
    total,
    weight_bytes,
)
from models.physics.performance.layers import attention_products
from models.physics.performance.prompts import largest_of, prefill_share
from models.physics.performance.serving_products import (
    UNPACKED,
    blocks,
    cast_seconds,
    product_seconds,
    traffic_seconds,
)
from models.physics.performance.serving_setting import ServingSetting, compute_dtype
from models.physics.performance.serving_step import HOST_SECONDS, decode_step, head_share, prefill
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
    moved = traffic_seconds(s, np.ones(1), np.ones(1), np.zeros(1))[0]
    cast = cast_seconds(s, np.ones(1), np.ones(1), np.zeros(1))[0]
    assert step["hbm"][0] + step["gemm"][0] - moved - cast == pytest.approx(read, rel=1e-9)
    # a token passes two norms and residual sums, the heads of its attention and its activation
    elements = 10 * DENSE.hidden + 2 * (DENSE.heads + 2 * DENSE.kv_heads) * DENSE.dim + 3 * DENSE.ffn
    assert moved == pytest.approx(DENSE.layers * elements * 2 * s.constants.free.traffic / s.memory_rate)
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


def prompts_seconds(s, t, prompts, isl, others=1.0):
    return total(prefill(s, t, prompts * isl, isl, others))


def shared(s, t, batch):
    """Prefill of a mean step, prompts drawn one by one and short enough to share a pass."""
    each = batch / OSL
    prompts = each / (1.0 - np.exp(-each))
    assert prompts * ISL <= 8192
    return each / prompts * total(prefill(s, t, np.array([prompts * ISL]), ISL, 1.0, np.array([float(batch)])))[0]


def brute(limit):
    """The best batch by trying each one."""
    s, best = setting(), (0.0, 0)
    t = np.array([4.0])
    batch = 1
    while True:
        held = weight_bytes(s, t)[0] + batch * s.cache_bytes(ISL + OSL) / 4
        if held > MEMORY_SHARE * s.accelerator.hbm_bytes or batch > 4096:
            return best
        b = np.array([float(batch)])
        tpot = total(decode_step(s, t, b, ISL + OSL / 2))[0] + shared(s, t, batch)
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


def test_a_replica_of_one_role_tells_the_latency_of_that_role_alone():
    decode, pre = serve(role=Role.DECODE, tpot_limit=0.02), serve(role=Role.PREFILL, ttft_limit=1.0)
    assert decode is not None
    assert pre is not None
    assert decode.ttft_s is None
    assert pre.tpot_s is None
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
    stored, wide = serve(dtype="fp4", tpot_limit=0.0031), serve(dtype="fp8", tpot_limit=0.0031)
    assert stored is not None
    assert wide is not None
    assert stored.memory_bytes < wide.memory_bytes or stored.batch > wide.batch
    # few sequences wait for the weights, many for the arithmetic, which unpacking slows down
    assert stored.tokens_s >= wide.tokens_s
    assert serve(dtype="fp4").tokens_s < serve(dtype="fp8").tokens_s
    assert compute_dtype(make_card(), "fp4") == "fp8"
    assert compute_dtype(make_card(peak={"bf16": 1e15}), "fp4") == "bf16"


def test_one_attention_group_prefills_what_comes_and_many_wait_for_the_fullest():
    one, many = setting(EXPERTS, packages=1), setting(EXPERTS, packages=8)
    t, batch = np.ones(1), np.array([64.0])
    mean = batch / OSL
    carrying = 1.0 - np.exp(-mean)
    alone = prefill_share(one, t, batch, ISL, OSL, joined=False)
    assert alone == pytest.approx(carrying * prompts_seconds(one, t, mean / carrying, ISL))
    # alone, a prompt waits for the whole replica's experts at the mean load of its groups
    waited = prefill_share(many, t, 8 * batch, ISL, OSL, joined=False, balanced=False)
    assert mean * prompts_seconds(many, t, np.ones(1), ISL, 0.0) < waited
    assert waited <= 8 * mean * prompts_seconds(many, t, np.ones(1), ISL)
    # groups that wait for one another prefill at once, each what comes to it
    balanced = prefill_share(many, t, 8 * batch, ISL, OSL, joined=False)
    assert balanced == pytest.approx(carrying * prompts_seconds(many, t, mean / carrying, ISL))
    assert balanced < waited


@pytest.mark.parametrize("model", [DENSE, EXPERTS])
@pytest.mark.parametrize("batch", [1.0, 40.0, 4000.0])
def test_prompts_that_join_a_decoding_pass_take_less_but_never_nothing(model, batch):
    s, t, b = setting(model, packages=8), np.full(1, 8.0), np.array([batch])
    apart, joined = (prefill_share(s, t, b, ISL, OSL, joined=join)[0] for join in (False, True))
    assert 0.0 < joined < apart
    # one pass is never shorter than its own arithmetic and that of the tokens it decodes
    tokens = np.array([2000.0])
    step = total(decode_step(s, t, b, ISL))[0] + total(prefill(s, t, tokens, ISL, 1.0, b))[0]
    rows = [blocks(s, t, b, b * model.topk / 8), blocks(s, t, tokens, tokens / 8 * model.topk)]
    assert step >= sum(one.count * product_seconds(s, one)[0] for pair in rows for one in pair)


def test_few_prompts_share_a_pass_where_few_arrive():
    s, t = setting(EXPERTS, packages=1), np.ones(1)
    rare, often = (prefill_share(s, t, np.array([b]), ISL, OSL, joined=False)[0] / b for b in (1.0, 2000.0))
    assert rare == pytest.approx(total(prefill(s, t, np.array([ISL]), ISL))[0] / OSL, rel=0.01)
    assert often < rare


def test_four_bit_experts_leave_attention_in_sixteen_bits_and_dense_models_do_not():
    t, rows = np.ones(1), np.array([64.0])
    dense, experts = (replace(setting(m, packages=1), weight_dtype="fp4") for m in (DENSE, EXPERTS))
    assert blocks(dense, t, rows, rows)[0].width == 0.5625
    attention, *others = blocks(experts, t, rows, rows)
    assert (attention.dtype, attention.width) == ("bf16", 2.0)
    assert {(one.dtype, one.width) for one in others} == {("fp8", 0.5625)}
    held = EXPERTS.layers * EXPERTS.attention_weights() * 2.0
    routed = EXPERTS.params() - EXPERTS.layers * EXPERTS.attention_weights() - EXPERTS.vocabulary_weights()
    assert weight_bytes(experts, t)[0] == pytest.approx(held + 0.5625 * routed + 2 * EXPERTS.vocabulary_weights())


def test_layers_of_constant_state_hold_and_move_it_whatever_the_context():
    model = replace(DENSE, linear_layers=DENSE.layers // 2, linear_heads=16, linear_key_heads=4, linear_dim=64)
    s, t, batch = setting(model, packages=1), np.ones(1), np.array([10.0])
    state = DENSE.layers // 2 * 16 * 64 * 64 * 4.0
    assert s.state_bytes() == state
    assert sequence_bytes(s, t, 0.0)[0] == state
    moved = decode_step(s, t, batch, 1e-9)["cache"][0]
    assert moved == pytest.approx(2 * 10 * state / s.memory_rate)
    linear = DENSE.hidden * (2 * 4 * 64 + 3 * 16 * 64)
    assert model.attention_weights() == pytest.approx((DENSE.attention_weights() + linear) / 2)
    assert attention_products(model, t).weights[0] == pytest.approx(model.attention_weights())
    assert model.params() == pytest.approx(DENSE.params() + DENSE.layers // 2 * (linear - DENSE.attention_weights()))


def test_a_step_is_no_shorter_than_its_host_takes_for_its_sequences():
    s, t = setting(replace(DENSE, layers=1), 1), np.ones(1)
    for batch in (1.0, 256.0, 4096.0):
        step = decode_step(s, t, np.array([batch]), 64.0)
        work = total({name: part for name, part in step.items() if name != "host"})[0]
        assert total(step)[0] == pytest.approx(max(work, batch * HOST_SECONDS))


def test_prefill_hides_its_exchange_only_where_two_batches_alternate():
    s, t, tokens = setting(EXPERTS, 8), np.ones(1), np.array([4096.0])
    shown, hidden = (prefill(s, t, tokens, 512.0, alternating=both) for both in (False, True))
    work = total({name: part for name, part in shown.items() if name not in ("network", "launch")})[0]
    exposed = s.constants.free.overlap_exposed
    left = max(shown["network"][0] - work, 0.0) + exposed * min(shown["network"][0], work)
    assert hidden["network"][0] == pytest.approx(left)
    assert {name: part for name, part in hidden.items() if name != "network"} == {
        name: part for name, part in shown.items() if name != "network"
    }


@pytest.mark.parametrize(("width", "published"), [(64, 497 / 648), (128, 1.0), (256, 1.0)])
def test_narrow_heads_slow_attention_as_its_kernels_authors_measured(width, published):
    assert head_share(replace(DENSE, head_dim=width)) == pytest.approx(published, rel=0.03)


def test_layers_with_a_window_keep_and_read_and_multiply_it_and_no_more():
    model = replace(DENSE, window=128, window_layers=DENSE.layers // 4)
    token = DENSE.kv_width() * 1.0
    for tokens in (1.0, 127.0, 128.0, 129.0, 4000.0):
        kept = DENSE.layers * 0.75 * tokens + DENSE.layers // 4 * min(tokens, 128.0)
        assert model.held(tokens) == kept
        assert setting(model).cache_bytes(tokens) == kept * token
    # every token of a sequence, one by one, the middle of its own key counted
    keys = sum(min(q + 0.5, 128.0) for q in range(4000)) / 4000
    assert model.attended(4000.0) == pytest.approx(DENSE.layers * 0.75 * 2000 + DENSE.layers // 4 * keys, rel=1e-4)
    assert model.attended(100.0) == DENSE.attended(100.0) == DENSE.layers * 50.0
    s, full, t, batch = setting(model, 1), setting(packages=1), np.ones(1), np.array([8.0])
    assert decode_step(s, t, batch, 128.0)["cache"] == decode_step(full, t, batch, 128.0)["cache"]
    assert decode_step(s, t, batch, 1024.0)["cache"] == pytest.approx(
        decode_step(full, t, batch, 1024.0)["cache"] * (0.75 + 0.25 * 128 / 1024)
    )
    assert prefill(s, t, np.full(1, 64.0), 64.0) == prefill(full, t, np.full(1, 64.0), 64.0)
    assert cache_room(s, t, 4096.0)[0] > cache_room(full, t, 4096.0)[0]


@pytest.mark.parametrize(("mean", "groups"), [(0.02, 16.0), (0.3, 4.0), (2.0, 8.0), (9.0, 3.0)])
def test_the_mean_of_the_largest_of_several_poisson_numbers(mean, groups):
    drawn = np.random.default_rng(7).poisson(mean, size=(200_000, int(groups))).max(axis=1)
    found = largest_of(np.array([mean]), np.array([groups]))[0]
    assert found == pytest.approx(drawn.mean(), rel=0.02, abs=0.005)
    assert mean <= found <= mean * groups


def test_a_decode_product_takes_what_the_microbenchmark_formula_says():
    s = setting(packages=1)
    t, rows = np.ones(1), np.array([512.0])
    curve, each = s.accelerator.curve("fp8"), attention_products(DENSE, t)
    rate = s.accelerator.peak_of("fp8") * curve.e_max
    expected = 2 / rate * (512 * each.weights + curve.k0 * (each.weights + 512 * each.edges))
    assert product_seconds(s, blocks(s, t, rows, rows)[0]) == pytest.approx(expected)


@FEW
@given(
    st.sampled_from([DENSE, EXPERTS]),
    st.floats(1.0, 8.0),
    st.sampled_from(["hbm_bytes", "hbm_rate", "peak", "scaleup_rate"]),
    st.sampled_from([Role.MIXED, Role.DECODE, Role.PREFILL]),
)
def test_a_better_part_never_serves_less_in_any_role(model, factor, field, role):
    card = make_card()
    value = getattr(card, field)
    better = {k: v * factor for k, v in value.items()} if isinstance(value, dict) else value * factor
    network = make_network()
    if field == "scaleup_rate":
        network = replace(network, tiers=(replace(network.tiers[0], rate=value * factor), *network.tiers[1:]))
    before = serve(model, 8, role=role, tpot_limit=0.05, ttft_limit=2.0)
    after = serve(
        model, 8, card=replace(card, **{field: better}), network=network, role=role, tpot_limit=0.05, ttft_limit=2.0
    )
    assert (after.tokens_s if after else 0.0) >= (before.tokens_s if before else 0.0) * (1 - 1e-12)


@FEW
@given(st.sampled_from([DENSE, EXPERTS]), st.sampled_from([1, 2, 8]), st.floats(1.0, 2048.0), st.floats(1.0, 32768.0))
def test_a_decode_step_never_beats_its_memory_or_its_arithmetic(model, packages, each, context):
    s = setting(model, packages)
    t, batch = np.full(1, float(packages)), np.array([each])
    spent = total(decode_step(s, t, batch, context))[0]
    weights = model.layers * model.attention_weights() / packages * s.weight_width
    cache = each * s.cache_bytes(context) / packages
    assert spent >= (weights + cache) / s.accelerator.hbm_rate
    assert (
        spent
        >= 2.0 * each * (model.active_params() - model.vocab * model.hidden) / packages / s.accelerator.peak["fp8"]
    )


def test_unpacked_weights_slow_products_down_unless_the_part_multiplies_them_beside_wider_operands():
    t, rows = np.ones(1), np.array([64.0])
    native = make_card(peak={"bf16": 1e15, "fp8": 2e15, "fp4": 4e15})

    def seconds(part, compute, weights):
        s = ServingSetting(EXPERTS, part, make_network(), make_constants(), 1, compute, "fp8", weights)
        by_kind = {}
        for block in blocks(s, t, rows, rows * EXPERTS.topk):
            if block.dtype == compute and block.each.weights[0] != EXPERTS.attention_weights():
                by_kind[block.grouped] = product_seconds(s, block)[0]
        return by_kind

    plain, unpacked = seconds(make_card(), "fp8", "fp8"), seconds(make_card(), "fp8", "fp4")
    assert plain[True] / unpacked[True] == pytest.approx(UNPACKED["grouped"])
    assert plain[False] / unpacked[False] == pytest.approx(UNPACKED["lone"])
    assert seconds(native, "fp8", "fp4")[True] == pytest.approx(plain[True])
    assert seconds(native, "bf16", "fp4")[True] > seconds(native, "bf16", "bf16")[True]


def test_experts_get_whole_tiles_half_of_the_last_one_empty_and_never_more_than_their_rows_again():
    s, t = setting(EXPERTS, packages=1), np.ones(1)
    curve, rate = s.accelerator.curve("fp8"), s.accelerator.peak_of("fp8")

    def padded(rows):
        block = next(one for one in blocks(s, t, np.array([rows / EXPERTS.topk]), np.array([rows])) if one.grouped)
        busy = product_seconds(s, block)[0] * rate * curve.e_max / 2.0
        edges = min(curve.k0, s.accelerator.curve("bf16").k0) * block.rows[0] * block.each.edges[0]
        return (busy - edges) / block.each.weights[0] / rows

    assert padded(EXPERTS.experts * 6400.0) == pytest.approx(1.01)
    assert padded(EXPERTS.experts * 64.0) == pytest.approx(2.0, rel=0.01)
    assert padded(EXPERTS.topk * 1.0) == pytest.approx(2.0)


def test_the_fullest_rank_of_experts_holds_up_a_step_of_many_and_none_where_experts_are_cut():
    even, t, batch = setting(EXPERTS, packages=8), np.ones(1), np.array([8.0 * 2048.0])
    uneven = replace(even, expert_balance=False)
    load = fullest_rank(EXPERTS, 8, balanced=False)
    few, most = (
        next(b for b in blocks(s, t, batch / 8, batch * EXPERTS.topk / 8) if b.grouped).rows[0] for s in (even, uneven)
    )
    assert most / few == pytest.approx(load / min(load, BALANCED_LOAD))
    assert total(decode_step(uneven, t, batch, 1000.0))[0] > total(decode_step(even, t, batch, 1000.0))[0]
    cut = replace(uneven, expert_ranks=1)
    block = next(b for b in blocks(cut, t, batch / 8, batch * EXPERTS.topk / 8) if b.grouped)
    # every rank has a slice of every expert, and all the rows
    assert block.rows[0] == pytest.approx(batch[0] * EXPERTS.topk)
    assert block.copies[0] == pytest.approx(EXPERTS.experts)
    assert block.each.weights[0] == pytest.approx(EXPERTS.expert_weights() / 8)


def test_no_rank_reads_more_experts_than_it_has():
    s, t = setting(EXPERTS, packages=8), np.ones(1)
    few, many = (
        next(b for b in blocks(s, t, np.array([n]), np.array([n * EXPERTS.topk])) if b.grouped).copies[0]
        for n in (1.0, 4096.0)
    )
    touched = EXPERTS.experts * (1 - (1 - EXPERTS.topk / EXPERTS.experts) ** 8) / 8
    assert touched < few <= touched * BALANCED_LOAD
    assert many == EXPERTS.experts / 8


def test_steps_are_filled_up_to_the_next_recorded_batch_but_their_caches_are_not():
    t, s = np.ones(1), setting(packages=1)
    recorded = replace(s, graph_batches=(64.0, 256.0))
    step, filled = (decode_step(one, t, np.array([100.0]), 1000.0) for one in (s, recorded))
    as_many = decode_step(s, t, np.array([256.0]), 1000.0)
    assert filled["cache"][0] == step["cache"][0]
    assert filled["gemm"][0] == as_many["gemm"][0] > step["gemm"][0]
    assert recorded.recorded(np.array([64.0, 300.0])).tolist() == [64.0, 300.0]


def test_inputs_of_narrow_products_are_cast_through_memory_but_for_formats_cast_before():
    t, rows = np.ones(1), np.array([512.0])
    part = make_card(peak={"bf16": 1e15, "fp8": 2e15, "fp4": 4e15})
    eight, four = (ServingSetting(DENSE, part, make_network(), make_constants(), 1, d, "fp8") for d in ("fp8", "fp4"))
    inputs = DENSE.layers * sum(b.each.inputs[0] for b in blocks(eight, t, rows, rows))
    cast = part.curve("fp8").cast_bytes * 512.0 * inputs / eight.memory_rate
    assert cast_seconds(eight, t, rows, rows)[0] == pytest.approx(cast)
    assert cast_seconds(four, t, rows, rows)[0] == 0.0
    step = decode_step(eight, t, rows, 1.0)
    assert step["hbm"][0] >= cast + traffic_seconds(eight, t, rows, rows)[0]


def test_rows_are_copied_into_the_order_of_ranks_only_where_attention_groups_exchange_them():
    t, rows = np.array([8.0, 1.0]), np.full(2, 64.0)
    s = setting(EXPERTS, packages=8)
    together, apart = traffic_seconds(s, t, np.zeros(2), rows)
    load, width = fullest_rank(EXPERTS, 8, balanced=True), 3.0 * EXPERTS.moe_ffn
    each = 2.0 * s.constants.free.traffic * EXPERTS.moe_layers * 64.0 * load / s.memory_rate
    assert together == pytest.approx(each * (3.0 * EXPERTS.hidden + width))
    assert apart == pytest.approx(each * (7.0 * EXPERTS.hidden + width))
