"""Training records spelt otherwise read alike; those with figures that cannot be are reported with their reason."""

from __future__ import annotations

import pytest

from optimizer.validation.measured_records import evaluate

SHAPE = {"layers": 32, "hidden": 4096, "heads": 32, "kv_heads": 8, "ffn": 14336, "vocab": 128256, "seq": 8192}
ROW = {
    "id": "row", "group": "g", "model": SHAPE, "accelerator": "h100-sxm", "n_accel": 64, "gbs": 128, "tp": 2, "pp": 1, "mbs": 1,
    "dtype": "bf16", "metric": "mfu", "value": 0.4, "confirmed": True,
}  # fmt: skip


def predicted(**changed):
    (row,) = evaluate({"rows": [ROW | changed]}).rows
    return row.predicted


@pytest.mark.parametrize(
    ("metric", "usual"),
    [
        ("MFU", "mfu"),
        ("tok/s/GPU", "tokens_s_per_gpu"),
        ("tokens per second per device", "tokens_s_per_gpu"),
        ("tokens_per_s_per_accel", "tokens_s_per_gpu"),
        ("TGS", "tokens_s_per_gpu"),
        ("TFLOP/s/GPU", "tflops_per_gpu"),
        ("TFLOPS/chip", "tflops_per_gpu"),
        ("sec/step", "step_time_s"),
        ("s/it", "step_time_s"),
        ("samples/sec", "samples_per_s"),
        ("tokens/s", "tokens_s"),
    ],
)
def test_metrics_read_alike_however_they_are_spelt(metric, usual):
    assert predicted(metric=metric) == predicted(metric=usual)


def test_a_step_in_milliseconds_is_a_thousand_times_one_in_seconds():
    assert predicted(metric="ms/step") == pytest.approx(1e3 * predicted(metric="step_time_s"))
    skipped = evaluate({"rows": [ROW | {"metric": "step_time_ms", "gbs": None}]}).skipped
    assert "without the batch" in skipped[0].reason


def test_sequence_parallelism_is_off_where_a_record_says_no():
    off, on = (predicted(tp=8, seq_parallel=value) for value in (False, True))
    assert off != on
    assert predicted(tp=8, seq_parallel="no") == predicted(tp=8, seq_parallel="False") == off
    assert predicted(tp=8, seq_parallel="yes") == on


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"value": "40%"}, "value is '40%', where a number above 0"),
        ({"value": 0}, "value is 0, where"),
        ({"value": -0.4}, "value is -0.4, where"),
        ({"gbs": None, "gbs_tokens": -3}, "gbs_tokens is -3, where"),
        ({"metric": "time_to_train_min", "trained_tokens": -1}, "trained_tokens is -1, where"),
        ({"peak_tflops": -1}, "peak_tflops is -1, where"),
        ({"tokens_s_per_gpu": "9 k"}, "tokens_s_per_gpu is '9 k', where"),
        ({"n_accel": None}, "prints no n_accel"),
        ({"metric": "step_time"}, "no model for the metric 'step_time'"),
    ],
)
def test_a_record_that_cannot_be_predicted_says_why(changed, reason):
    found = evaluate({"rows": [ROW | changed, ROW]})
    assert [row.id for row in found.rows] == ["row"]
    (skipped,) = found.skipped
    assert reason in skipped.reason
