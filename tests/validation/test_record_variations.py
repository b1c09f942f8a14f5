"""Records as other sources write them: sides of an engine, conventions of a utilisation, misprints a source itself corrects."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.validation import measured_records, plausible
from optimizer.validation.kinds import training
from optimizer.validation.lookup import shape_of_row, shipped_lookup
from optimizer.validation.names import canonical
from optimizer.validation.records import SkipRecord
from tests.validation.serving_records import ENGINE, only, rows

DENSE = {
    "layers": 32,
    "hidden": 2560,
    "heads": 20,
    "kv_heads": 20,
    "ffn": 10240,
    "gated": False,
    "vocab": 50368,
    "seq": 2048,
}
RUN = {
    "id": "run", "group": "g", "model": DENSE, "accelerator": "h100-sxm", "n_accel": 8, "gbs": 480, "tp": 1, "pp": 1, "mbs": 10,
    "dtype": "fp8", "sharding": "FULL_SHARD", "source": "somewhere", "confirmed": True,
}  # fmt: skip
TIMED = RUN | {"metric": "step_time_s", "value": 1.0}


def test_a_utilisation_refers_to_the_peak_its_own_tokens_per_second_imply():
    plain = only(RUN | {"metric": "mfu", "value": 0.277})
    told = only(RUN | {"metric": "mfu", "value": 0.277, "tokens_s_per_gpu": 30586})
    assert told.predicted == pytest.approx(plain.predicted * 989 / 1979)
    wide = only(RUN | {"metric": "mfu", "value": 0.554, "tokens_s_per_gpu": 30586})
    assert wide.predicted == pytest.approx(plain.predicted)
    stated = only(RUN | {"metric": "mfu", "value": 0.277, "peak_tflops": 1979})
    assert stated.predicted == pytest.approx(told.predicted)


def test_a_known_misprint_is_read_as_the_source_has_it_and_the_row_says_so():
    lookup = shipped_lookup()
    source = "mlcommons/training_results_v4.0 Google/results/cloud-tpu-v5p-2048-maxtext/gpt3/result_*.txt"
    record = RUN | {"accelerator": "tpu-v5p", "n_accel": 2048, "dtype": "bf16", "source": source}
    changed, told = lookup.corrected(record)
    assert (changed["n_accel"], changed["dtype"]) == (1024, "int8")
    assert "1024 for 2048" in told
    assert lookup.corrected(record | {"n_accel": 1024})[0]["n_accel"] == 1024
    assert lookup.corrected(RUN) == (RUN, "")
    silent = {key: value for key, value in record.items() if key != "dtype"}
    assert lookup.corrected(silent)[0]["dtype"] == "int8"
    assert {row["evidence"] for row in lookup.corrections}


def test_a_mapping_that_its_source_states_elsewhere_is_put_into_a_record_that_prints_none():
    lookup = shipped_lookup()
    source = "mlcommons/training_results_v4.0 Google/results/cloud-tpu-v5p-1024-maxtext/gpt3/result_*.txt"
    record = {**RUN, "accelerator": "tpu-v5p", "n_accel": 1024, "dtype": "bf16", "source": source}
    silent = record | dict.fromkeys(("dp", "tp", "pp", "cp", "mbs", "recompute"))
    changed, told = lookup.corrected(silent)
    assert (changed["dp"], changed["tp"], changed["mbs"], changed["recompute"]) == (64, 8, 32, "full")
    assert "mapping dp 64 tp 8" in told
    stated, _ = lookup.corrected(silent | {"tp": 4})
    assert stated["dp"] is None
    assert {row["evidence"] for row in lookup.mappings}


@pytest.mark.parametrize(
    ("record", "word"),
    [
        (TIMED | {"peft": "lora"}, "adapter"),
        (TIMED | {"method": "QLoRA"}, "adapter"),
        ({key: value for key, value in TIMED.items() if key != "model"} | {"model_name": "llama2-70b-lora"}, "adapter"),
        (TIMED | {"sparsity": "2:4"}, "sparsity"),
        (ENGINE | {"speculative": "eagle"}, "speculative"),
        (ENGINE | {"engine": "sglang, EAGLE-3 draft model"}, "speculative"),
        (ENGINE | {"num_speculative_tokens": 3}, "speculative"),
        (ENGINE | {"prefix_caching": True}, "prefix"),
    ],
)
def test_what_no_model_covers_is_reported_with_its_reason(record, word):
    outcome = measured_records.evaluate({"rows": [record]})
    assert outcome.rows == ()
    assert word in outcome.skipped[0].reason


def test_a_feature_that_is_switched_off_does_not_matter():
    plain = only(TIMED).predicted
    assert only(TIMED | {"lora": False, "peft": "none", "speculative": None}).predicted == plain


def test_a_record_without_any_degree_is_searched_over_sharding_too():
    lookup = shipped_lookup()
    silent = TIMED | dict.fromkeys(("tp", "pp", "dp", "mbs", "sharding"))
    assert set(training.prepare(silent, lookup).mappings.shard) >= {1.0, 3.0}
    assert set(training.prepare(silent | {"tp": 1, "pp": 1}, lookup).mappings.shard) == {1.0}


def test_a_step_time_needs_its_batch_and_a_rate_does_not():
    without = {key: value for key, value in TIMED.items() if key != "gbs"}
    assert "batch" in rows(without).skipped[0].reason
    assert only(without | {"metric": "mfu", "value": 0.3, "mbs": None}).predicted is not None


def test_a_batch_printed_in_tokens_is_one_that_could_be_run():
    lookup = shipped_lookup()
    silent = {key: value for key, value in TIMED.items() if key not in ("gbs", "tp", "pp", "mbs", "sharding")}
    for tokens, packages in ((4e6, 1024), (4.19e6, 2048), (16.8e6, 16384)):
        batch = training.prepare(silent | {"gbs_tokens": tokens, "n_accel": packages}, lookup).setting.global_batch
        assert batch == pytest.approx(tokens / DENSE["seq"], rel=0.05)
        assert math.gcd(int(batch), packages) >= 1024
    with_degree = silent | {"gbs_tokens": 1538 * DENSE["seq"], "n_accel": 96, "dp": 12, "tp": 2, "pp": 4}
    assert training.prepare(with_degree, lookup).setting.global_batch % 12 == 0


def test_whether_experts_are_split_is_searched_unless_stated():
    model = {
        "layers": 24, "hidden": 2048, "heads": 16, "kv_heads": 4, "ffn": 4096, "gated": True, "vocab": 64000, "seq": 4096,
        "experts": 64, "topk": 6, "moe_ffn": 1408,
    }  # fmt: skip
    record = TIMED | {
        "model": model,
        "tp": 4,
        "pp": 1,
        "dp": None,
        "ep": 8,
        "vp": 1,
        "n_accel": 64,
        "gbs": 256,
        "mbs": 1,
    }
    lookup = shipped_lookup()
    either = training.prepare(record, lookup)
    assert set(either.mappings.etp) == {1.0, 4.0}
    for inside in (1, 4):
        assert set(training.prepare(record | {"etp": inside}, lookup).mappings.etp) == {float(inside)}


def test_a_source_of_older_kernels_is_slower_on_long_sequences():
    lookup = shipped_lookup()
    long = RUN | {"model": DENSE | {"seq": 32768}, "gbs": 48, "mbs": 1, "metric": "step_time_s", "value": 1.0}
    assert training.prepare(long, lookup).setting.software.attention == "recent"
    older = long | {"source": "mosaicml/llm-foundry scripts/train/benchmarking/README.md"}
    assert training.prepare(older, lookup).setting.software.attention == "first"
    assert only(older).predicted > only(long).predicted


def test_the_network_of_a_node_is_read_from_the_section_of_a_table():
    lookup = shipped_lookup()
    card = lookup.accelerator("a100-80g-sxm")
    section = "A100 80GB with 800 Gbps node-node interconnect (RoCE)"
    assert lookup.network(card, {"section": section}).tiers[-1].rate == pytest.approx(100e9 / 8)
    omni = {"network": "4x100Gbps Omni-Path per 8-GPU node"}
    assert lookup.network(card, omni).tiers[-1].rate == pytest.approx(50e9 / 8)


@pytest.mark.parametrize(
    ("spelling", "part"),
    [
        ("A100-80G-SXM", "a100_sxm_80"),
        ("NVIDIA A100-SXM4-40GB", "a100_sxm_40"),
        ("A100 PCIe 80GB", "a100_pcie_80"),
        ("NVIDIA H100 80GB HBM3", "h100_sxm"),
        ("H200-SXM-141GB", "h200_sxm"),
        ("h800-sxm", "h800_sxm"),
        ("B200-SXM-180GB", "b200_sxm"),
        ("gb200-nvl72", "gb200"),
        ("GH200-96GB", "gh200_96"),
        ("AMD Instinct MI300X", "mi300x"),
        ("MI355X OAM", "mi355x"),
        ("mi250x", "mi250x"),
        ("TPU v5 lite", "tpu_v5e"),
        ("Trillium", "tpu_v6e"),
        ("TPUv4", "tpu_v4"),
        ("Intel Gaudi 3", "gaudi3"),
        ("trn2", "trainium2"),
        ("V100-SXM2-32GB", "v100_sxm_32"),
    ],
)
def test_accelerators_are_found_by_the_names_sources_use(spelling, part):
    assert canonical(spelling) == part
    assert shipped_lookup().accelerator(spelling).name == part


@pytest.mark.parametrize(
    ("spelling", "card"),
    [
        ("meta-llama/Llama-3.1-8B-Instruct", "llama31_8b"),
        ("Llama-3.1-405B-Instruct-FP8", "llama31_405b"),
        ("mistralai/Mixtral-8x22B-Instruct-v0.1", "mixtral_8x22b"),
        ("deepseek-v3/r1", "deepseek_v3"),
        ("DeepSeek-V2-Lite", "deepseek_v2_lite"),
        ("Qwen/Qwen2.5-72B-Instruct", "qwen25_72b"),
        ("GPT-3-1.3B", "gpt3_xl"),
        ("gpt-3-13b", "gpt3_13b"),
        ("PaLM", "palm_540b"),
        ("bigscience/bloom", "bloom_176b"),
        ("facebook/opt-66b", "opt_66b"),
        ("databricks/dbrx-instruct", "dbrx"),
        ("tiiuae/falcon-180B", "falcon_180b"),
        ("google/gemma-2-27b-it", "gemma2_27b"),
        ("MT-NLG 530B", "mt_nlg_530b"),
    ],
)
def test_models_are_found_by_the_names_sources_use(spelling, card):
    assert shipped_lookup().model(spelling).name == card


def test_every_model_card_has_the_parameters_its_source_prints():
    lookup = shipped_lookup()
    for row in lookup.models.values():
        shape = shape_of_row(row)
        if shape.params_printed is not None:
            assert shape.params() == pytest.approx(shape.params_printed, rel=0.02), row["id"]


def test_a_training_record_may_name_its_model_and_print_percent():
    named = RUN | {"model": "Llama-2-7B", "seq": 4096, "gbs": 64, "mbs": None, "dtype": "amp_bf16", "metric": "mfu"}
    share, percent = only(named | {"value": 0.4}), only(named | {"value": 40.0})
    assert percent.predicted == pytest.approx(100.0 * share.predicted)
    assert percent.error == pytest.approx(share.error)


def test_an_uneven_last_micro_batch_is_run_at_its_own_batch():
    even, uneven = (
        RUN | {"metric": "step_time_s", "value": 1.0, "dp": 8},
        RUN | {"metric": "step_time_s", "value": 1.0, "dp": 8, "gbs": 500},
    )
    assert only(even).predicted < only(uneven).predicted < only(even | {"gbs": 560}).predicted


def test_one_product_and_one_payload_are_rows_of_their_own():
    product = {
        "id": "p",
        "group": "g",
        "accelerator": "h100-sxm",
        "dtype": "bf16",
        "m": 8192,
        "n": 8192,
        "k": 8192,
        "confirmed": True,
    }
    found = rows(product | {"tflops": 700, "time_us": 1570}).rows
    assert [row.metric for row in found] == ["tflops", "time_us"]
    assert found[0].predicted * 1e12 * found[1].predicted * 1e-6 == pytest.approx(2 * 8192**3)
    sent = {
        "id": "c",
        "group": "g",
        "accelerator": "h100-sxm",
        "op": "all_reduce",
        "n_accel": 64,
        "scope": "inter_node",
        "confirmed": True,
    }
    small, large = (only(sent | {"payload": size, "busbw_gbps": 300}).predicted for size in ("1 MiB", "8GiB"))
    assert small < large <= 400


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"accelerator": "h101-sxm"}, "no catalogue row for accelerator 'h101-sxm'; the nearest is h100_sxm"),
        ({"model": "Llama-9-1B"}, "no model card for 'Llama-9-1B'"),
        ({"model": {"layers": 32}}, "the model prints no hidden, heads, vocab, seq"),
        ({"n_accel": 10**9}, "n_accel is 1000000000"),
        ({"gbs": float("nan")}, "gbs is not a finite number"),
        ({"tp": 0}, "tp is 0"),
        ({"dtype": "int4"}, "unknown number format 'int4'"),
        ({"metric": "furlongs"}, "no model for the metric 'furlongs'"),
        ({"metric": "time_to_train_min"}, "minutes without the number of tokens trained"),
        ({"tp": 7}, "the stated mapping does not divide"),
    ],
)
def test_what_cannot_be_evaluated_says_why(change, reason):
    outcome = rows(RUN | {"metric": "step_time_s", "value": 1.0} | change)
    assert outcome.rows == ()
    assert reason in outcome.skipped[0].reason


@pytest.mark.parametrize("side", ["model", "prefill", "decode"])
def test_counts_of_a_side_are_held_to_what_anybody_builds(side):
    plausible.check({side: {"tp": 8}})
    with pytest.raises(SkipRecord, match=r"^tp is 0, where a number from 1 to 4096 was expected$"):
        plausible.check({side: {"tp": 0}})


NONSENSE = st.sampled_from([None, 0, -1, "x", "", [], {}, 1e30, float("nan"), True, "8", 3.5, 10**9])


LIMITED = {key: value for key, value in ENGINE.items() if key != "tpot_ms"} | {
    "n_accel": 8, "tokens_per_s": 1e4, "tpot_limit_ms": 40, "ttft_limit_ms": 2000, "concurrency": None, "kv_dtype": "fp8",
}  # fmt: skip
SPLIT = ENGINE | {
    "mode": "disagg", "concurrency": 64, "tput_per_gpu": 100, "ttft_ms": 300, "engine": "sglang",
    "prefill": {"batch": 1, "workers": 2, "tp": 8}, "decode": {"workers": 1, "tp": 1, "attn_dp": 8},
}  # fmt: skip
PHASE = LIMITED | {"phase": "decode", "ep": 32, "nodes_per_unit": 4, "avg_kv_len": 4096, "user_tok_s": 20, "batch": 64}
READ = [RUN | {"metric": "mfu", "value": 0.3}, ENGINE | {"batch": 8, "tp": 8}, LIMITED, SPLIT, PHASE]


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(READ), st.data())
def test_no_value_of_a_field_stops_or_poisons_a_validation(record, data):
    field = data.draw(st.sampled_from([key for key in record if key not in ("id", "group")]))
    outcome = rows(record | {field: data.draw(NONSENSE)})
    assert outcome.rows or outcome.skipped
    for row in outcome.rows:
        assert math.isfinite(row.predicted)
        assert row.error is None or math.isfinite(row.error)


NODE = {
    "id": "n", "group": "node-power", "system": "64xSMC-H100-SXM-80GB", "workload": "gpt3", "nodes": 64, "gpus_per_node": 8,
    "node_mean_w": 6853.4, "source": "somewhere", "confirmed": True,
}  # fmt: skip


@pytest.mark.parametrize(
    ("stated", "spelt"),
    [
        ({"workload": "gpt3"}, {"workload": "GPT3-175B"}),
        ({"workload": "llama2_70b_lora", "nodes": 1}, {"workload": "llama2-70b-LoRA", "nodes": 1}),
        ({"workload": "llama31_405b"}, {"workload": "Llama-3.1-405B"}),
        ({"accelerator": "a100_sxm_80", "workload": "bert"}, {"system": "DGX-A100-SXM-80GB", "workload": "bert"}),
    ],
)
def test_benchmarks_and_nodes_of_power_records_are_found_however_spelt(stated, spelt):
    assert only(NODE | stated).predicted == only(NODE | spelt).predicted


def test_a_node_without_a_job_idles_and_a_workload_nobody_described_is_told():
    idle = only(NODE | {"workload": "idle"})
    assert idle.binding == "idle"
    assert idle.predicted < 0.5 * only(NODE).predicted
    assert "known: bert, gpt3" in rows(NODE | {"workload": "stable_diffusion"}).skipped[0].reason
