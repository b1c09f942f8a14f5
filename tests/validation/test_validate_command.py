from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from models.errors import UsageError
from optimizer.cli.validate import command
from optimizer.validation.lookup import canonical, model_key, shipped_lookup
from optimizer.validation.reader import readers, validate
from optimizer.validation.records import RowStatus, SkipRecord

STEP = """
schema: 1
rows:
- {id: a, group: g, model: {layers: 32, hidden: 4096, heads: 32, kv_heads: 8, ffn: 14336, gated: true, vocab: 128256, seq: 8192},
   accelerator: H100-SXM, n_accel: 64, gbs: 128, tp: null, pp: null, dp: null, cp: 1, mbs: null, dtype: bf16,
   metric: tokens_s_per_gpu, value: 9000, confirmed: true}
- {id: b, group: g, model: {layers: 32, hidden: 4096, heads: 32, kv_heads: 8, ffn: 14336, gated: true, vocab: 128256, seq: 8192},
   accelerator: h100_sxm, n_accel: 64, gbs: 128, metric: tokens_s_per_gpu, value: 9000, confirmed: false}
- {id: c, group: g, model: {layers: 32, hidden: 4096, heads: 32, kv_heads: 8, ffn: 14336, gated: true, vocab: 128256, seq: 8192},
   accelerator: unheard-of, n_accel: 64, gbs: 128, metric: step_time_s, value: 1, confirmed: true}
- {id: d, group: g, accelerator: h100_sxm, what: nobody knows}
- {id: e, group: g, model: {layers: 32, hidden: 4096, heads: 32, kv_heads: 8, ffn: 14336, gated: true, vocab: 128256, seq: 8192},
   accelerator: h100_sxm, n_accel: 64, gbs: 100, dp: 64, tp: 1, pp: 1, metric: step_time_s, value: 1, confirmed: true}
- {id: f, group: g, model: {layers: 32}, accelerator: h100_sxm, n_accel: 64, metric: step_time_s, value: 1, confirmed: true}
"""


@pytest.fixture
def records(tmp_path: Path) -> Path:
    path = tmp_path / "records.yaml"
    path.write_text(STEP, encoding="utf-8")
    return path


def test_rows_skips_and_groups(records):
    report = validate([records])
    assert [row.id for row in report.rows] == ["a", "b"]
    assert report.rows[1].status is RowStatus.INFO
    assert report.rows[0].predicted == report.rows[1].predicted
    reasons = {one.id: one.reason for one in report.skipped}
    assert set(reasons) == {"c", "d", "e", "f"}
    assert "no catalogue row" in reasons["c"]
    assert "no model claims" in reasons["d"]
    assert "does not divide" in reasons["e"]
    assert "hidden" in reasons["f"]
    (group,) = report.groups
    assert (group.n, group.group, group.file) == (1, "g", str(records))
    assert group.mean_abs_error == abs(report.rows[0].error)


def test_json_is_one_document_of_the_documented_shape(records):
    result = CliRunner().invoke(command, [str(records), "--json"], catch_exceptions=False)
    assert result.exit_code == 0
    document = json.loads(result.output)
    assert document["status"] == "complete"
    row = document["data"]["rows"][0]
    names = {"file", "id", "group", "metric", "predicted", "published", "error", "status", "binding", "note"}
    assert set(row) == names
    assert row["file"] == str(records)
    assert row["error"] == pytest.approx(row["predicted"] / row["published"] - 1)
    assert {"group", "n", "mean_abs_error", "bias", "worst"} <= set(document["data"]["groups"][0])
    assert set(document["data"]["skipped"][0]) == {"file", "id", "reason"}


def test_the_table_names_rows_groups_and_what_was_left_out(records):
    result = CliRunner().invoke(command, [str(records)], catch_exceptions=False)
    assert result.exit_code == 0
    for text in ("tokens_s_per_gpu", "mean abs error", "no catalogue row", "info"):
        assert text in result.output


@pytest.mark.parametrize(
    ("content", "says"),
    [("just text\n", "no records"), ("a: [1", "not YAML"), ("things: 3\n", "no reader")],
)
def test_files_that_hold_no_records_are_refused_in_words(tmp_path, content, says):
    path = tmp_path / "x.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match=says):
        validate([path])


def test_one_file_nobody_reads_does_not_hide_the_others(tmp_path, records):
    strange = tmp_path / "strange.yaml"
    strange.write_text("things: 3\n", encoding="utf-8")
    report = validate([strange, records])
    assert report.rows
    assert report.skipped[0].file == str(strange)


def test_a_bare_list_counts_as_rows(tmp_path):
    path = tmp_path / "list.yaml"
    path.write_text("- 1\n- {id: x}\n", encoding="utf-8")
    assert [one.id for one in validate([path]).skipped] == ["", "x"]


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        validate([tmp_path / "none.yaml"])


def test_architectures_go_through_the_same_door(tmp_path):
    path = tmp_path / "cases.yaml"
    path.write_text(
        "cases:\n- {id: x, family: f, topology: fat_tree, published: {accelerators: 16}, checkable: [accelerators],\n"
        "   inputs: {nodes: 2, accelerators_per_node: 8}}\n- {id: y, family: f, topology: fat_tree, inputs: {}}\n",
        encoding="utf-8",
    )
    report = validate([path])
    assert report.rows[0].status is RowStatus.MATCH
    assert report.skipped[0].id == "y"


def test_readers_are_found_by_looking():
    assert {reader.__name__.rsplit(".", 1)[1] for reader in readers()} >= {"measured_records", "architecture_records"}


@pytest.mark.parametrize(
    ("spelling", "name"),
    [("A100-80G-SXM", "a100_sxm_80"), ("h100_sxm", "h100_sxm"), ("GB200-NVL72", "gb200"), ("tpu-trillium", "tpu_v6e")],
)
def test_spellings_of_accelerators(spelling, name):
    assert canonical(spelling) == name
    assert shipped_lookup().accelerator(spelling).name == name


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("deepseek-ai/DeepSeek-R1", "deepseek_r1"),
        ("deepseek-v3/r1", "deepseek_v3"),
        ("Qwen/Qwen3-235B-A22B-FP8", "qwen3_235b_a22b"),
        ("meta-llama/Llama-3.1-70B-Instruct", "llama31_70b"),
        ("llama2-70b", "llama2_70b"),
    ],
)
def test_spellings_of_models(spelling, name):
    assert shipped_lookup().model(spelling).name == name


def test_an_unknown_model_is_a_reason_not_an_error():
    assert model_key("Some/Model-FP8") == "model"
    with pytest.raises(SkipRecord, match="no model card"):
        shipped_lookup().model("nobody/knows-it")


def test_model_cards_have_the_parameters_they_print():
    lookup = shipped_lookup()
    checked = 0
    for row in {id(r): r for r in lookup.models.values()}.values():
        shape = lookup.model(row["id"])
        if shape.params_printed:
            assert shape.params() == pytest.approx(shape.params_printed, rel=0.03), row["id"]
            checked += 1
        if row["params_active"] and row["confidence"] != "unverified":
            # publishers count the embedding or not
            table = 0 if shape.tied else shape.vocab * shape.hidden
            counts = [shape.active_params(), shape.active_params() + table]
            assert min(abs(n / float(row["params_active"]) - 1) for n in counts) <= 0.12, row["id"]
    assert checked >= 15


def test_a_stated_network_is_used():
    lookup = shipped_lookup()
    card = lookup.accelerator("a100_sxm")
    usual = lookup.network(card, {}).tiers[1].rate
    stated = lookup.network(card, {"network": "4x100Gbps Omni-Path per 8-GPU node"}).tiers[1].rate
    assert usual == pytest.approx(25e9)
    assert stated == pytest.approx(6.25e9)


def assert_one_document(path: Path) -> None:
    result = CliRunner().invoke(command, [str(path), "--json"], catch_exceptions=False)
    assert result.exit_code == 0
    assert "Infinity" not in result.output
    assert json.loads(result.output)["status"] == "complete"


@pytest.mark.parametrize(
    ("field", "value"),
    [("node_mean_w", ".inf"), ("node_mean_w", "'1e400'"), ("nodes", "1" + "0" * 400), ("gpus_per_node", "1e25")],
)
def test_figures_that_are_none_still_give_one_document(tmp_path: Path, field: str, value: str) -> None:
    row: dict[str, object] = {
        "id": "a", "group": "g", "system": "1xSMC-H100-SXM-80GB", "workload": "bert", "nodes": 1, "gpus_per_node": 8,
        "node_mean_w": 6346.2, "node_mean_w_min": 6346.2, "node_mean_w_max": 6346.2, "peak_reading_w": 6996.0,
        "switch_mean_w": [], "measured_at": "ac", "confirmed": True,
    }  # fmt: skip
    text = json.dumps({"schema": 1, "rows": [row]}).replace(
        f'"{field}": {json.dumps(row[field])}', f'"{field}": {value}'
    )
    (tmp_path / "rows.yaml").write_text(text)
    assert value in text
    assert_one_document(tmp_path / "rows.yaml")


@pytest.mark.parametrize("nodes", ["1" + "0" * 19, "1e19", "Infinity"])
def test_architectures_beyond_any_size_still_give_one_document(tmp_path: Path, nodes: str) -> None:
    text = (
        '{"family": "f", "cases": [{"id": "c", "family": "f", "topology": "fat_tree", "inputs": {"nodes": %s, "nics_per_node": 8, '
        '"switch_ports": 64, "tiers": 2}, "published": {"leaf_switches": 4}, "checkable": ["leaf_switches"]}]}'
    )
    (tmp_path / "cases.yaml").write_text(text % nodes)
    assert_one_document(tmp_path / "cases.yaml")
