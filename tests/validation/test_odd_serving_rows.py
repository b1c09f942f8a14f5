"""Serving records that lack something, name what nobody knows or print figures that cannot be: each is reported with its reason."""

from __future__ import annotations

import pytest

from optimizer.validation.measured_records import evaluate

ROW = {
    "id": "row",
    "group": "g",
    "model_name": "Llama-3.1-70B",
    "accelerator": "h100-sxm",
    "precision": "fp8",
    "isl": 1024,
    "osl": 256,
    "batch": 8,
    "tp": 4,
    "tpot_ms": 12,
    "confirmed": True,
}
SHAPE = {"layers": 32, "hidden": 4096, "heads": 32, "vocab": 32000, "seq": 8192, "window": 4096, "window_layers": 99}


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"accelerator": "h900-sxm"}, "no catalogue row for accelerator 'h900-sxm'; the nearest is h800_sxm"),
        ({"model_name": "Llama-9-70B"}, "no model card for 'Llama-9-70B'; the nearest is"),
        ({"osl": None}, "lengths are not printed"),
        ({"tpot_ms": "12 ms"}, "tpot_ms is '12 ms', where a number above 0 was expected"),
        ({"tpot_ms": -3}, "tpot_ms is -3, where"),
        ({"tpot_ms": None, "output_throughput": 0}, "output_throughput is 0, where"),
        ({"batch": "eight"}, "batch is 'eight', where"),
        ({"num_requests": 0}, "num_requests is 0, where"),
        ({"precision": "fp3"}, "unknown number format 'fp3'"),
        ({"tpot_ms": None, "tpot_s": 0.012}, "no model claims a record with these fields: id"),
        ({"model_name": None, "model": SHAPE}, "more layers with a window"),
        (
            {"batch": None, "tpot_ms": None, "tp": 1, "num_requests": 9, "output_throughput": 1, "precision": "bf16"},
            "no room for a sequence",
        ),
    ],
)
def test_a_record_that_cannot_be_predicted_says_why(changed, reason):
    found = evaluate({"rows": [ROW | changed, ROW]})
    assert [row.id for row in found.rows] == ["row"]
    (skipped,) = found.skipped
    assert skipped.id == "row"
    assert reason in skipped.reason


def test_a_batch_beyond_memory_is_predicted_and_told():
    (row,) = evaluate({"rows": [ROW | {"batch": 100_000}]}).rows
    assert "more than the accelerators hold" in row.note
    assert "hold" not in evaluate({"rows": [ROW]}).rows[0].note


def test_an_engines_default_limits_the_sequences_in_flight():
    open_ended = {key: value for key, value in ROW.items() if key not in ("batch", "tpot_ms")} | {
        "output_throughput": 1
    }
    rates = {
        name: evaluate({"rows": [open_ended | changed]}).rows[0].predicted
        for name, changed in {
            "any": {},
            "vllm": {"engine": "vllm 0.6"},
            "told": {"engine": "vllm 0.6", "max_num_seqs": 32},
        }.items()
    }
    assert rates["told"] < rates["vllm"] < rates["any"]
