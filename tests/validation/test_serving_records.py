"""Serving records as other sources write them: sides, groups, formats, rates, limits and phases of an engine."""

from __future__ import annotations

import numpy as np
import pytest

from optimizer.validation import serving_engines
from optimizer.validation.kinds import benchmark_inference, serving
from tests.validation.serving_records import ENGINE, only, rows


def test_a_batch_is_that_of_one_attention_group():
    four = ENGINE | {"mode": "agg", "batch": 16, "tp": 1, "attn_dp": 4}
    assert serving.engine_of(four) == serving.Engine(tensor=1, groups=4, stages=1, batch=16.0)
    crowded = only(four | {"batch": 64})
    assert crowded.predicted > only(four).predicted > only(four | {"batch": 1}).predicted


def test_attention_groups_may_lie_inside_the_printed_tensor_degree():
    inside = ENGINE | {"mode": "agg", "batch": 16, "tp": 4, "attn_dp": 4}
    assert serving.engine_of(inside) == serving.Engine(tensor=1, groups=4, stages=1, batch=16.0)
    assert serving.engine_of(inside | {"n_accel": 16}) == serving.Engine(tensor=4, groups=4, stages=1, batch=16.0)
    half = ENGINE | {"mode": "agg", "batch": 16, "tp": 8, "attn_dp": 4}
    assert serving.engine_of(half).packages == 32
    assert serving.engine_of(half | {"n_accel": 8}) == serving.Engine(tensor=2, groups=4, stages=1, batch=16.0)


def test_a_source_that_counts_an_engine_twice_is_read_as_it_was_run():
    squared = ENGINE | {"mode": "agg", "batch": 16, "tp": 16, "attn_dp": 1, "moe_tp": 4, "moe_ep": 4}
    assert serving.engine_of(squared).tensor == 16
    told = squared | {"source": "ai-dynamo/aiconfigurator silicon_sample.csv"}
    assert serving.engine_of(told) == serving.Engine(tensor=4, groups=1, stages=1, batch=16.0)
    # the sequences of all its groups stay as many
    groups = told | {"tp": 1, "attn_dp": 16}
    assert serving.engine_of(groups) == serving.Engine(tensor=1, groups=4, stages=1, batch=64.0)
    assert serving.engine_of(told | {"moe_tp": 16, "moe_ep": 1}).tensor == 16
    assert serving.engine_of(told | {"tp": 8, "moe_tp": 1, "moe_ep": 8}).tensor == 8


def test_groups_that_wait_for_one_another_are_held_up_less_than_those_that_do_not():
    groups = ENGINE | {"mode": "agg", "batch": 16, "tp": 1, "attn_dp": 8}
    waiting, alone = (only(groups | {"engine": name, "kv_dtype": "fp8"}).predicted for name in ("trtllm", "vllm"))
    assert waiting < alone


def test_a_disaggregated_record_is_read_from_its_decode_side():
    sides = {
        "prefill": {"batch": 1, "workers": 1, "tp": 8},
        "decode": {"batch": 16, "workers": 2, "tp": 1, "attn_dp": 8},
    }
    split = ENGINE | {"mode": "disagg", "batch": None, "tp": None, "attn_dp": None} | sides
    assert serving.engine_of(split) == serving.Engine(tensor=1, groups=8, stages=1, batch=16.0)
    spelt = {"decode": {"batch_size": 16, "num_workers": 2, "tp_size": 1, "attention_dp_size": 8}}
    assert serving.engine_of(ENGINE | spelt) == serving.engine_of(split)
    counted = {"decode": {"workers": 2, "tp": 1, "attn_dp": 8}, "concurrency": 256}
    assert serving.engine_of(ENGINE | counted) == serving.engine_of(split)
    # its decode engine prefills nothing
    assert only(split).predicted < only(split | {"mode": "agg"}).predicted


@pytest.mark.parametrize(
    ("stated", "found"),
    [
        ({"engine": "vllm 0.19.0"}, "bf16"),
        ({"engine": "sglang 0.5.9", "kv_dtype": "fp8_e4m3"}, "fp8"),
        ({"engine": "trtllm 1.2.0"}, "fp8"),
        ({}, "fp8"),
        ({"kv_cache_dtype": "auto", "backend": "vllm"}, "bf16"),
    ],
)
def test_the_cache_has_the_format_that_is_printed_or_the_engines_own(stated, found):
    assert serving.cache_format(stated, "fp8") == found
    assert serving.cache_format({}, "bf16") == "bf16"


@pytest.mark.parametrize(
    ("stated", "found"),
    [
        ("w4a16", ("fp4", "bf16")),
        ("W4A16-AWQ", ("fp4", "bf16")),
        ("int4", ("fp4", "bf16")),
        ("gptq-4bit", ("fp4", "bf16")),
        ("w4a8", ("fp4", "fp8")),
        ("w8a8_fp8", ("fp8", "fp8")),
        ("w8a8-int8", ("int8", "int8")),
        ("nvfp4", ("fp4", None)),
        ("FP8", ("fp8", None)),
        (None, ("bf16", None)),
    ],
)
def test_formats_name_weights_and_products(stated, found):
    assert serving_engines.formats_of({"precision": stated}, "bf16") == found


def test_weights_alone_in_four_bits_are_multiplied_in_sixteen():
    served = ENGINE | {"model_name": "Llama-3.1-70B", "accelerator": "h100_sxm", "mode": "agg", "tp": 2}
    few, many = ({f: only(served | {"batch": b, "precision": f}).predicted for f in ("int4", "bf16")} for b in (1, 256))
    assert few["int4"] < 0.6 * few["bf16"]
    assert many["int4"] > 0.8 * many["bf16"]
    assert not rows(served | {"batch": 8, "precision": "int3"}).rows


def test_pipeline_stages_share_the_sequences_and_a_token_passes_all_of_them():
    engine = ENGINE | {"mode": "agg", "model_name": "Llama-3.1-70B", "tp": 4, "batch": 64}
    piped, half = only(engine | {"pp": 2}), only(engine | {"batch": 32})
    assert piped.predicted == pytest.approx(half.predicted)
    rates = [only(engine | {"pp": p, "tpot_ms": None, "tput_per_gpu": 1.0}).predicted for p in (1, 2)]
    assert rates[1] == pytest.approx(9 * 64 / (half.predicted / 1e3) / 8)
    assert (
        "pipelined" in rows(engine | {"pp": 2, "batch": None, "tpot_ms": None, "tokens_per_s": 1.0}).skipped[0].reason
    )


@pytest.mark.parametrize("mode", ["agg", "disagg"])
def test_sequences_that_wait_for_their_first_token_do_not_decode(mode):
    engine = ENGINE | {"mode": mode, "batch": 64, "tp": 8, "osl": 128}
    free, held = only(engine).predicted, only(engine | {"ttft_ms": 3000}).predicted
    assert held < free
    # a client's cycle: all it keeps in flight wait or decode
    busy = 128 * held / 1e3
    decoding = next(b for b in range(1, 65) if only(engine | {"batch": b}).predicted >= held * (1 - 1e-6))
    assert 64 * busy / (3.0 + busy) == pytest.approx(decoding, abs=1)
    assert only(engine | {"ttft_ms": 1e-6}).predicted == pytest.approx(free, rel=1e-6)
    assert "negative" in rows(engine | {"ttft_ms": -1.0}).skipped[0].reason


def test_a_rate_is_of_the_engine_or_of_one_accelerator_with_or_without_prompts():
    engine = {key: value for key, value in ENGINE.items() if key != "tpot_ms"} | {"mode": "agg", "batch": 32, "tp": 8}
    tpot = only(engine | {"tpot_ms": 20.0}).predicted / 1e3
    assert only(engine | {"output_tokens_per_s": 1.0}).predicted == pytest.approx(32 / tpot)
    assert only(engine | {"tokens_per_s": 1.0, "n_accel": 16}).predicted == pytest.approx(2 * 32 / tpot)
    assert only(engine | {"output_tput_per_gpu": 1.0}).predicted == pytest.approx(4 / tpot)
    assert only(engine | {"tput_per_gpu": 1.0}).predicted == pytest.approx(9 * 4 / tpot)
    sides = {"prefill": {"batch": 1, "workers": 3, "tp": 8}, "decode": {"batch": 32, "workers": 2, "tp": 8}}
    split = {key: value for key, value in engine.items() if key not in ("batch", "tp")} | {"mode": "disagg"} | sides
    each = only(split | {"tpot_ms": 20.0}).predicted / 1e3
    assert only(split | {"output_tokens_per_s": 1.0}).predicted == pytest.approx(2 * 32 / each)
    assert only(split | {"output_tokens_per_s_per_gpu": 1.0}).predicted == pytest.approx(2 * 32 / each / 40)


def test_a_rate_within_limits_is_that_of_the_best_batch_and_looser_limits_serve_no_less():
    engine = {key: value for key, value in ENGINE.items() if key != "tpot_ms"} | {
        "mode": "agg",
        "n_accel": 8,
        "tokens_per_s": 1e4,
    }
    tight, loose = (only(engine | {"tpot_limit_ms": t, "ttft_slo_ms": 3000}) for t in (20, 80))
    assert tight.predicted <= loose.predicted
    assert "best within the limits" in tight.note
    assert "limits" in rows(engine | {"tpot_limit_ms": 0.01}).skipped[0].reason
    assert "not positive" in rows(engine | {"tpot_limit_ms": 0}).skipped[0].reason
    assert "batch of its decode engines" in rows(engine | {"mode": "disagg"}).skipped[0].reason


def test_a_record_without_a_split_runs_on_the_fewest_accelerators_that_hold_it():
    alone = only(ENGINE | {"mode": "agg", "batch": 4, "accelerator": "h200_sxm"})
    assert alone.predicted == only(ENGINE | {"mode": "agg", "batch": 4, "accelerator": "h200_sxm", "tp": 8}).predicted
    assert "fewest that hold it, 8" in alone.note
    assert (
        "holds the model"
        in rows(ENGINE | {"mode": "agg", "batch": 4, "accelerator": "tpu_v5e", "isl": 10**7}).skipped[0].reason
    )


def test_a_phase_is_taken_at_its_printed_batch():
    node = {key: value for key, value in ENGINE.items() if key not in ("tpot_ms", "isl", "osl")} | {
        "phase": "decode", "n_accel": 8, "nodes_per_unit": 4, "avg_kv_len": 4096, "tokens_per_s": 2e4,
    }  # fmt: skip
    few, many = only(node | {"batch": 16}), only(node | {"batch": 128})
    assert few.predicted < many.predicted <= only(node).predicted
    assert "printed batch" in few.note
    assert "does not divide" in rows(node | {"batch": 16, "tp": 5}).skipped[0].reason


@pytest.mark.parametrize(("load", "slack"), [(0.4, 3.0), (0.6, 4.0), (0.8, 8.0)])
def test_the_chance_of_a_late_first_token_is_that_of_a_queue(load, slack):
    draw, waits, wait = np.random.default_rng(3), [], 0.0
    for gap in draw.exponential(1.0 / load, 200_000):
        waits.append(wait)
        wait = max(wait + 1.0 - gap, 0.0)
    measured = np.mean(np.array(waits) > slack)
    assert measured <= benchmark_inference.late(load, slack) <= 4.0 * measured
    assert benchmark_inference.late(load, slack) > benchmark_inference.late(load / 2, slack)
    assert benchmark_inference.late(1.2, slack) >= 1.0


def test_long_prompts_cost_the_server_scenario_more_than_short_ones():
    record = {
        "id": "b", "group": "g", "accelerator": "h200_sxm", "n_accel": 8, "tokens_per_s": 500, "source": "somewhere", "confirmed": True,
    }  # fmt: skip
    kept = {}
    for name in ("llama2-70b-99", "llama3.1-405b"):
        offline, server = (
            only(record | {"model_name": name, "scenario": scenario}).predicted for scenario in ("Offline", "Server")
        )
        kept[name] = server / offline
    assert kept["llama3.1-405b"] < 0.7 < kept["llama2-70b-99"] <= benchmark_inference.SERVER_SHARE


def test_scenarios_have_their_own_latency_limits():
    record = {
        "id": "b", "group": "g", "model_name": "llama2-70b-99", "accelerator": "h200_sxm", "n_accel": 8, "tokens_per_s": 3e4,
        "source": "somewhere", "confirmed": True,
    }  # fmt: skip
    rates = [only(record | {"scenario": name}).predicted for name in ("Offline", "Server", "Interactive")]
    assert rates[0] > rates[1] > rates[2]
    assert "scenario" in rows(record | {"scenario": "SingleStream"}).skipped[0].reason
    assert "interactive" in rows(record | {"scenario": "Interactive", "model_name": "mixtral-8x7b"}).skipped[0].reason


def test_experts_are_spread_over_as_many_ranks_as_the_record_prints_and_cut_over_the_rest():
    assert serving.expert_ranks({"moe_tp": 8, "moe_ep": 1}, 8) == 1
    assert serving.expert_ranks({"moe_tp": 2, "moe_ep": 4}, 8) == 4
    assert serving.expert_ranks({"moe_tp": 1, "moe_ep": 8}, 8) is None
    # a source that prints an engine of four as four times four spreads them over all
    assert serving.expert_ranks({"moe_tp": 4, "moe_ep": 4}, 4) is None
    assert serving.expert_ranks({"decode": {"moe_tp": 2, "moe_ep": 2}}, 4) == 2
    many = ENGINE | {"mode": "agg", "batch": 512, "tp": 8}
    spread, cut = (only(many | ranks).predicted for ranks in ({"moe_tp": 1, "moe_ep": 8}, {"moe_tp": 8, "moe_ep": 1}))
    assert spread != cut


def test_experts_spread_over_few_ranks_are_uneven_unless_the_record_says_they_are_balanced():
    assert not serving.experts_balanced({}, 8)
    assert serving.experts_balanced({}, 16)
    for denied in (False, 0, "no", "False", " off "):
        assert not serving.experts_balanced({"eplb": denied}, 16)
    for told in (True, 1, "yes", "True", 288):
        assert serving.experts_balanced({"enable_eplb": told}, 8)
    assert serving.experts_balanced({"eplb": "", "expert_load_balancer": None}, 16)
    many = ENGINE | {"mode": "agg", "batch": 512, "tp": 1, "attn_dp": 8}
    assert only(many | {"eplb": True}).predicted < only(many).predicted


@pytest.mark.parametrize(
    ("record", "sizes"),
    [
        ({"engine": "vllm"}, 0),
        ({"engine": "trtllm 0.14"}, 0),
        ({"engine": "TensorRT-LLM 0.9.0"}, 0),
        ({"engine": "trtllm 1.2.0rc6"}, 23),
        ({"engine": "trtllm"}, 23),
        ({"engine": "vllm", "graph_batches": "1 2 4 8"}, 4),
        ({"engine": "trtllm", "graph_batches": [8, 16]}, 2),
        ({"engine": "trtllm", "graph_batches": 512}, 21),
        ({"engine": "vllm", "graph_batches": "12"}, 5),
        ({"engine": "trtllm", "graph_batches": [0]}, 0),
        ({"engine": "trtllm", "graph_batches": "none"}, 0),
    ],
)
def test_decoding_is_recorded_for_the_batches_of_the_engine_or_of_the_record(record, sizes):
    assert len(serving.graph_batches(record)) == sizes


def test_a_format_of_products_left_empty_is_one_not_printed():
    for record in ({"precision": "fp8", "compute_dtype": ""}, {"precision": "fp8", "compute_dtype": None}):
        assert serving.formats_of(record, "bf16") == ("fp8", None)


def test_a_step_between_two_recorded_batches_takes_the_products_of_the_larger():
    run = ENGINE | {"mode": "agg", "batch": 300, "tp": 8, "kv_dtype": "fp8", "tpot_ms": 30.0}
    assert only(run | {"engine": "trtllm 1.0"}).predicted > only(run | {"engine": "trtllm 0.14"}).predicted


def test_four_bit_checkpoints_whose_activations_are_wider_are_multiplied_in_eight_bits():
    assert serving.formats_of({"precision": "mxfp4"}, "bf16") == ("fp4", "fp8")
    assert serving.formats_of({"precision": "fp4"}, "bf16") == ("fp4", None)
    assert serving.formats_of({"precision": "fp4", "compute_dtype": "bf16"}, "bf16") == ("fp4", "bf16")
    oss = ENGINE | {"model_name": "openai/gpt-oss-120b", "mode": "agg", "batch": 1024, "tp": 1, "precision": "fp4"}
    assert "compute_dtype fp8" in only(oss).note
