"""Figures in the notations of sources, and documents of unusual shape: each read, judged, or told why not."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from optimizer.validation.architecture_figures import Bound, figure, number
from optimizer.validation.architecture_records import evaluate, reads
from optimizer.validation.records import RowStatus
from optimizer.validation.reference_architectures import context_rows, evaluate_case

DATA = Path(__file__).parents[1] / "data"
RECORDS = [
    case for path in sorted(DATA.glob("*_architectures/*.yaml")) for case in YAML(typ="safe").load(path)["cases"]
]
CASE = {
    "id": "x",
    "topology": "fat_tree",
    "inputs": {"nodes": 4, "accelerators_per_node": 8},
    "published": {"accelerators": 32},
    "checkable": ["accelerators"],
}


@pytest.mark.parametrize(
    ("text", "name", "low", "high", "bound"),
    [
        ("142 kW", "rack_peak_kw", 142, 142, Bound.EQUAL),
        ("142 kW", "rack_peak_w", 142000, 142000, Bound.EQUAL),
        ("0.142 MW", "rack_peak_kw", 142, 142, Bound.EQUAL),
        ("3,072 servers", "nodes", 3072, 3072, Bound.EQUAL),
        ("24k GPUs", "accelerators", 24000, 24000, Bound.EQUAL),
        ("48U", "rack_units", 48, 48, Bound.EQUAL),
        ("~24000", "accelerators", 24000, 24000, Bound.ABOUT),
        ("up to 24,000", "accelerators", 24000, 24000, Bound.MOST),
        (">= 5", "spine", 5, 5, Bound.LEAST),
        ("5,000+", "cables", 5000, 5000, Bound.LEAST),
        ("40-50 kW", "rack_kw", 40, 50, Bound.EQUAL),
        ([40, "50 kW"], "rack_kw", 40, 50, Bound.EQUAL),
        ("7:1 (stated)", "oversubscription", 7, 7, Bound.EQUAL),
        ("800GbE", "nic_port_gbps", 800, 800, Bound.EQUAL),
        ("51.2 Tbit/s", "tor_capacity_tbps", 51.2, 51.2, Bound.EQUAL),
    ],
)
def test_printed(text, name, low, high, bound):
    found = figure(text, name)
    assert found is not None
    assert (found.low, found.high, found.bound) == (low, high, bound)


@pytest.mark.parametrize(
    ("text", "name"),
    [("24 kW", "racks"), ("24 servers x 2", "nodes"), ("many", "nodes"), ("40 Gbps", "rack_kw"), (True, "nodes"), ([50, 40], "x")],
)  # fmt: skip
def test_no_figure(text, name):
    assert figure(text, name) is None


@given(st.text(alphabet="0123456789.,:kKMGW ()-+~<>xe", max_size=14))
@settings(max_examples=200, deadline=None)
def test_any_text_is_a_finite_figure_or_none(text):
    value = number(text, "rack_kw")
    assert value is None or 0 <= value < float("inf")


@pytest.mark.parametrize("document", [{"cases": [CASE]}, {"cases": {"x": CASE}}, {"rows": [CASE]}])
def test_shapes_of_documents(document):
    assert reads(document)
    (row,) = evaluate({**document, "family": "f"}).rows
    assert (row.id, row.group, row.status) == ("x", "f", RowStatus.MATCH)


@pytest.mark.parametrize("cases", [None, [], {}, "text"])
def test_a_document_without_records_says_so(cases):
    assert reads({"cases": cases})
    (skipped,) = evaluate({"cases": cases}).skipped
    assert "no records" in skipped.reason


def test_what_is_no_record_is_told_by_its_place():
    outcome = evaluate({"cases": [CASE, "text", None, {"topology": "bom", "published": {"servers": 5, "chairs": 3}}]})
    assert [s.id or s.reason for s in outcome.skipped] == [
        "record 2 is no mapping of fields",
        "record 3 is no mapping of fields",
        "record 4",
    ]
    assert outcome.skipped[2].reason == "no checkable count; servers, chairs: not derivable from the inputs"
    assert len(outcome.rows) == 1


def test_the_error_of_a_list_is_that_of_its_worst_figure():
    case = {**CASE, "inputs": {"nodes": [4, 8], "accelerators_per_node": 8}, "published": {"accelerators": [32, 128]}}
    (row,) = evaluate({"cases": [case]}).rows
    assert (row.predicted, row.error, row.status) == ([32, 64], -0.5, RowStatus.FLAGGED)


def test_a_name_that_is_also_a_word_for_something_else_is_judged_as_itself():
    """12 links over 6 chips where 3 have ports enough: wasteful, not impossible; and never compared with accelerators."""
    inputs = {"accelerators": 8, "links_per_accelerator": 12, "ports_per_chip": 36}
    case = {"topology": "scaleup_switch", "inputs": inputs, "checkable": ["switch_chips"]}
    (more,) = evaluate({"cases": [{**case, "published": {"switch_chips": 6}}]}).rows
    (fewer,) = evaluate({"cases": [{**case, "published": {"switch_chips": 2}}]}).rows
    assert (more.predicted, more.status, fewer.status) == (3, RowStatus.MISMATCH, RowStatus.FLAGGED)
    assert "need 3" in fewer.note


def test_a_share_has_the_freedom_of_its_total():
    inputs = {"nodes": 64, "accelerators_per_node": 8, "nodes_per_rack": 4, "pods": 2}
    case = {"topology": "rack", "inputs": inputs, "checkable": ["racks_per_pod"]}
    rows = [
        evaluate({"cases": [{**case, "published": {"racks_per_pod": count}}]}).rows[0].status for count in (7, 8, 10)
    ]
    assert rows == [RowStatus.FLAGGED, RowStatus.MATCH, RowStatus.MISMATCH]


def _as_text(name, value):
    if isinstance(value, list):
        return name, [_as_text(name, item)[1] for item in value]
    return name, f"{value:,}" if isinstance(value, int) else value


def _in_words(name, value):
    unit = {"gbps": "Gb/s", "tbps": "Tb/s", "kw": "kW", "mw": "MW", "w": "W"}.get(name.rsplit("_", 1)[-1])
    return name, f"{value} {unit}" if unit and isinstance(value, (int, float)) else value


def _in_another_unit(name, value):
    for unit, other, factor in (
        ("_gbps", "_tbps", 1e-3),
        ("_tbps", "_gbps", 1e3),
        ("_kw", "_w", 1e3),
        ("_mw", "_kw", 1e3),
        ("_w", "_kw", 1e-3),
    ):
        if name.endswith(unit) and isinstance(value, (int, float)):
            return name.removesuffix(unit) + other, float(f"{value * factor:.12g}")
    return name, value


def _grouped(inputs):
    out = {}
    for name, value in inputs.items():
        outer, _, inner = name.partition("_")
        if inner and outer in ("switch", "leaf", "nic", "agg"):
            out.setdefault(outer, {})[inner] = value
        else:
            out[name] = value
    return out


@pytest.mark.parametrize("written", [_as_text, _in_words, _in_another_unit, None])
def test_the_notation_of_the_inputs_changes_nothing(written):
    for case in RECORDS:
        inputs = case["inputs"]
        other = _grouped(inputs) if written is None else dict(written(name, value) for name, value in inputs.items())
        again = {**case, "inputs": other}
        rows, same = (evaluate_case(case) or context_rows(case)), (evaluate_case(again) or context_rows(again))
        assert [(r.metric, r.predicted, r.status) for r in rows] == [(r.metric, r.predicted, r.status) for r in same], (
            case["id"]
        )


@pytest.mark.parametrize("written", [_as_text, _in_words])
def test_the_notation_of_the_published_figures_changes_nothing(written):
    for case in RECORDS:
        again = {**case, "published": dict(written(name, value) for name, value in case["published"].items())}
        rows, same = evaluate_case(case), evaluate_case(again)
        assert [(r.metric, r.predicted, r.error, r.status) for r in rows] == [
            (r.metric, r.predicted, r.error, r.status) for r in same
        ], case["id"]


def test_spines_of_pods_that_hold_every_rail_are_no_broken_rule():
    """192 leaves: 6 pods of 32 leaves and 32 spines need 192 spines; by rails it is 256, and 96 have too few ports."""
    inputs = {
        "nodes": 768, "accelerators_per_node": 8, "nics_per_node": 8, "rails": 8, "nic_port_gbps": 400,
        "switch_ports": 64, "switch_port_gbps": 400, "tiers": 3,
    }  # fmt: skip
    case = {"topology": "fat_tree", "inputs": inputs, "checkable": ["spine"]}
    found = [evaluate({"cases": [{**case, "published": {"spine": count}}]}).rows[0] for count in (256, 192, 96)]
    assert [row.status for row in found] == [RowStatus.MATCH, RowStatus.MISMATCH, RowStatus.FLAGGED]


def test_a_network_whose_tiers_are_not_given_has_links_of_nodes_only():
    inputs = {"nodes": 32, "storage_ports_per_node": 2, "storage_switch_ports": 64}
    case = {
        "topology": "fat_tree",
        "inputs": inputs,
        "published": {"storage_node_cables": 64, "storage_leaf": 2, "leaf": 4},
    }
    rows = evaluate({"cases": [{**case, "checkable": list(case["published"])}]}).rows
    assert [row.predicted for row in rows] == [64, None, None]
    assert [row.status for row in rows] == [RowStatus.MATCH, RowStatus.INFO, RowStatus.INFO]


def test_an_unknown_topology_is_named():
    case = {**CASE, "topology": "hypercube", "published": {"leaf": 8}, "checkable": ["leaf"]}
    (row,) = evaluate({"cases": [case]}).rows
    assert row.status is RowStatus.INFO
    assert "hypercube is none of" in row.note
