"""Published architectures: exact counts from the inputs alone, and every impossible one refused with the rule it breaks."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from optimizer.validation.architecture_names import Bound, agrees
from optimizer.validation.reference_architectures import RowStatus, evaluate_case

DATA = Path(__file__).parents[1] / "data"


def cases(folder: str):
    reader = YAML(typ="safe")
    paths = sorted((DATA / folder).glob("*.yaml"))
    return [pytest.param(case, id=case["id"]) for path in paths for case in reader.load(path)["cases"]]


def judge(case, sound: bool):
    rows = evaluate_case(case)
    assert [row.metric for row in rows] == list(case["checkable"])
    for row in rows:
        expected = RowStatus.MATCH if sound else RowStatus.FLAGGED
        assert row.status is expected, row
        assert sound or row.note, row


@pytest.mark.parametrize("case", cases("reference_architectures"))
def test_published_case(case):
    judge(case, case["arithmetic"] in ("consistent", "not_checkable"))


@pytest.mark.parametrize("case", cases("other_architectures"))
def test_other_vendors_and_topologies(case):
    judge(case, case["holds"])


@pytest.mark.parametrize("case", cases("reference_architectures"))
def test_only_the_inputs_are_read(case):
    """Hiding or falsifying what a record says about itself changes nothing."""
    bare = {k: v for k, v in case.items() if k not in ("arithmetic", "derived", "check")}
    lying = {**case, "arithmetic": "consistent", "derived": {"leaf": 1}, "check": "fine"}
    assert evaluate_case(bare) == evaluate_case(case) == evaluate_case(lying)


@pytest.mark.parametrize("case", cases("reference_architectures"))
def test_predictions_do_not_look_at_the_published_figures(case):
    """Another published value changes the verdict, never the prediction."""
    shifted = {
        name: value + 1 if isinstance(value, (int, float)) else value for name, value in case["published"].items()
    }
    before, after = evaluate_case(case), evaluate_case({**case, "published": shifted})
    assert [row.predicted for row in before] == [row.predicted for row in after]
    numeric = [row for row in after if isinstance(row.published, (int, float)) and row.predicted is not None]
    assert all(row.status is not RowStatus.MATCH for row in numeric)


def test_what_cannot_be_derived_is_null():
    case = {"id": "x", "family": "y", "topology": "fat_tree", "inputs": {"nodes": 4}, "published": {"leaf": 2}}
    (row,) = evaluate_case({**case, "checkable": ["leaf"]})
    assert row.predicted is None
    assert row.status is RowStatus.INFO


def test_a_record_without_checkable_counts_is_silent_unless_its_inputs_break_a_ledger():
    inputs = {"cubes": 100, "cube": [4, 4, 4], "switch_ports": 136}
    case = {"id": "x", "family": "y", "topology": "torus3d_ocs", "inputs": inputs, "published": {"ocs": 48}}
    (row,) = evaluate_case(case)
    assert row.status is RowStatus.FLAGGED
    assert "200" in row.note
    assert evaluate_case({**case, "inputs": {**inputs, "cubes": 64}}) == []


@given(nodes=st.integers(1, 5000), radix=st.sampled_from([32, 40, 64, 128, 144]), rails=st.sampled_from([1, 2, 4, 8]))
@settings(max_examples=80, deadline=None)
def test_a_switch_fewer_in_all_is_always_refused(nodes, radix, rails):
    """The derived total is a match; one switch fewer is flagged, never a match or a legal alternative."""
    inputs = {
        "nodes": nodes, "accelerators_per_node": rails, "compute_nic_ports_per_node": rails, "nic_port_gbps": 400, "rails": rails,
        "switch_ports": radix, "switch_port_gbps": 400, "tiers": 3, "leaf_oversubscription": 1.0,
    }  # fmt: skip
    case = {"id": "x", "family": "y", "topology": "fat_tree", "inputs": inputs, "checkable": ["total_switches"]}
    (row,) = evaluate_case({**case, "published": {"total_switches": 10**9}})
    if row.predicted is None:
        assert "three-tier limit" in row.note
        return
    (exact,) = evaluate_case({**case, "published": {"total_switches": row.predicted}})
    (fewer,) = evaluate_case({**case, "published": {"total_switches": row.predicted - 1}})
    assert exact.status is RowStatus.MATCH
    assert fewer.status is RowStatus.FLAGGED


@pytest.mark.parametrize(
    ("predicted", "published", "bound", "holds"),
    [
        (1.0666, 1.067, Bound.EQUAL, True),
        (1.0666, 1.07, Bound.EQUAL, True),
        (1.0666, 1.06, Bound.EQUAL, False),
        (320, 320, Bound.EQUAL, True),
        (320, 321, Bound.EQUAL, False),
        (28.6, 25, Bound.ABOVE, True),
        (25, 25, Bound.ABOVE, False),
        (25, 25, Bound.LEAST, True),
        (1563, 1500, Bound.ABOUT, True),
        (1700, 1500, Bound.ABOUT, False),
    ],
)
def test_printed_precision(predicted, published, bound, holds):
    assert agrees(predicted, published, bound) is holds
