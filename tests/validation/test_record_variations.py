"""Records as other sources write them: sides of an engine, conventions of a utilisation, misprints a source itself corrects."""

from __future__ import annotations

import pytest

from optimizer.validation import measured_records
from optimizer.validation.kinds import serving, training
from optimizer.validation.lookup import shipped_lookup

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
ENGINE = {
    "id": "engine", "group": "g", "model_name": "deepseek-ai/DeepSeek-V3", "accelerator": "b200_sxm", "precision": "fp8",
    "isl": 8192, "osl": 1024, "tpot_ms": 30.0, "source": "somewhere", "confirmed": True,
}  # fmt: skip


def rows(*records):
    return measured_records.evaluate({"rows": list(records)})


def only(record):
    found = rows(record)
    assert not found.skipped, found.skipped
    return found.rows[0]


def test_a_batch_is_that_of_one_attention_group():
    four = ENGINE | {"mode": "agg", "batch": 16, "tp": 1, "attn_dp": 4}
    assert serving.engine_of(four) == serving.Engine(tensor=1, groups=4, stages=1, batch=16.0)
    crowded = only(four | {"batch": 64})
    assert crowded.predicted > only(four).predicted > only(four | {"batch": 1}).predicted


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
    assert lookup.corrected(RUN) == (RUN, "")
    assert {row["evidence"] for row in lookup.corrections}


def test_a_source_of_older_kernels_is_slower_on_long_sequences():
    lookup = shipped_lookup()
    long = RUN | {"model": DENSE | {"seq": 32768}, "gbs": 48, "mbs": 1, "metric": "step_time_s", "value": 1.0}
    assert training.prepare(long, lookup).setting.software.recent_attention
    older = long | {"source": "mosaicml/llm-foundry scripts/train/benchmarking/README.md"}
    assert not training.prepare(older, lookup).setting.software.recent_attention
    assert only(older).predicted > only(long).predicted


def test_the_network_of_a_node_is_read_from_the_section_of_a_table():
    lookup = shipped_lookup()
    card = lookup.accelerator("a100-80g-sxm")
    section = "A100 80GB with 800 Gbps node-node interconnect (RoCE)"
    assert lookup.network(card, {"section": section}).tiers[-1].rate == pytest.approx(100e9 / 8)
    omni = {"network": "4x100Gbps Omni-Path per 8-GPU node"}
    assert lookup.network(card, omni).tiers[-1].rate == pytest.approx(50e9 / 8)
