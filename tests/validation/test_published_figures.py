"""The model against every published figure we hold, at the accuracy the documentation states."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from models.physics.performance.training import usable_memory
from models.shipped import catalogue_folder
from optimizer.validation.kinds import training
from optimizer.validation.lookup import shipped_lookup
from optimizer.validation.reader import Report, load, validate
from optimizer.validation.records import RowStatus

DATA = Path(__file__).resolve().parent.parent / "data" / "validation"
APART = {"sc21-t2-zero3", "vtrain-singlenode", "megascale-megatron"}


@pytest.fixture(scope="module")
def report() -> Report:
    return validate(sorted(DATA.glob("*.yaml")))


def errors(report: Report, stem: str) -> dict[str, float]:
    return {g.group: g.mean_abs_error for g in report.groups if Path(g.file).stem.startswith(stem)}


def test_training_groups_stay_within_seven_percent_on_average(report):
    groups = {name: e for name, e in errors(report, "training").items() if name not in APART}
    assert len(groups) >= 17
    assert np.mean(list(groups.values())) <= 0.066


@pytest.mark.parametrize(
    ("group", "limit"),
    [
        ("korthikanti", 0.06),
        ("sc21-t1", 0.06),
        ("sc21-t2-ptdp", 0.06),
        ("mlperf-gpt3-h100-fp8", 0.08),
        ("mlperf-405b-h100-fp8", 0.08),
        ("mlperf-405b-h200-fp8", 0.08),
        ("mlperf-405b-gb200-fp8", 0.08),
        ("mlperf-gpt3-tpu_v5p-bf16", 0.08),
        ("mlperf-gpt3-gaudi2-fp8", 0.08),
        ("vtrain-multinode", 0.10),
        ("vtrain-singlenode", 0.12),
    ],
)
def test_group_accuracy(report, group, limit):
    assert errors(report, "training")[group] <= limit


def test_memory_power_serving_and_microbenchmarks(report):
    assert max(errors(report, "memory").values()) <= 0.10
    assert errors(report, "power")["node-power"] <= 0.06
    assert errors(report, "inference_serving")["serving-aggregated"] <= 0.20
    assert np.mean(list(errors(report, "inference_mlperf").values())) <= 0.20
    assert max(errors(report, "gemm").values()) <= 0.10
    assert max(errors(report, "collectives").values()) <= 0.10


def test_no_mapping_that_was_run_is_rejected_by_the_memory_filter(report):
    rejected = [row.id for row in report.rows if "memory filter" in row.note]
    assert rejected == []


def test_the_mapping_we_would_pick_is_close_to_the_measured_best():
    lookup = shipped_lookup()
    measured = defaultdict(list)
    for stem in ("training_vtrain_multinode", "training_frontier"):
        for record in load(DATA / f"{stem}.yaml")["rows"]:
            if record["metric"] != "step_time_s" or record["confirmed"] is not True:
                continue
            model = record["model"]
            key = (record["group"], model["layers"], model["hidden"], record["n_accel"], record["gbs"])
            predicted, _ = training.prepare(record, lookup).predict(lookup.constants)
            measured[key].append((predicted.step_s, float(record["value"])))
    regrets = [min(rows)[1] / min(v for _, v in rows) - 1 for rows in measured.values() if len(rows) > 2]
    assert len(regrets) >= 3
    assert np.mean(regrets) <= 0.03


def test_every_record_is_a_row_or_has_a_reason(report):
    for path in sorted(DATA.glob("*.yaml")):
        ids = {str(record["id"]) for record in load(path)["rows"]}
        seen = {row.id for row in report.rows if row.file == str(path)}
        seen |= {one.id for one in report.skipped if one.file == str(path)}
        assert seen == ids
    assert all(one.reason for one in report.skipped)


def test_unconfirmed_records_are_shown_and_not_judged(report):
    palm = next(row for row in report.rows if row.id == "palm-540b")
    assert palm.status is RowStatus.INFO
    assert "palm" not in errors(report, "training")


def test_the_constants_are_few_shown_with_intervals_and_their_residuals():
    import json

    document = json.loads((catalogue_folder() / "performance_constants.json").read_text(encoding="utf-8"))
    assert len(document["free"]) <= 8
    for entry in document["free"].values():
        assert entry["low"] <= entry["value"] <= entry["high"]
    assert document["residuals"]["korthikanti"]["n"] == 8
    bands = {name: entry["band"] for name, entry in document["classes"].items()}
    measured = [bands[n] for n, e in document["classes"].items() if e["measured"]]
    inherited = [bands[n] for n, e in document["classes"].items() if not e["measured"]]
    assert min(inherited) > max(measured)


def test_usable_memory_leaves_the_runtime_its_part():
    lookup = shipped_lookup()
    record = load(DATA / "training_mlperf.yaml")["rows"][0]
    setting = training.prepare(record, lookup).setting
    assert usable_memory(setting) == setting.accelerator.hbm_bytes - lookup.constants.runtime_bytes
