"""Published architectures: exact counts from the inputs alone, and every impossible one refused with the rule it breaks."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from optimizer.validation.architecture_figures import number
from optimizer.validation.architecture_names import Bound, agrees
from optimizer.validation.reference_architectures import RowStatus, derive, evaluate_case

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


VOCABULARY = [
    "nodes",
    "accelerators_per_node",
    "accelerators",
    "racks",
    "nodes_per_rack",
    "racks_per_pod",
    "racks_per_array",
    "pods",
    "accelerators_per_rack",
    "servers",
    "chips_per_server",
    "instances",
    "chips_per_instance",
    "nodes_per_su",
    "spare_nodes",
    "reserved_nodes",
    "nics_per_accelerator",
    "ports_per_nic",
    "nics_per_node",
    "compute_nic_ports_per_node",
    "nic_ports_per_node",
    "nic_ports_per_tray",
    "nic_port_gbps",
    "switch_port_gbps",
    "uplink_gbps",
    "switch_ports",
    "leaf_ports",
    "switch_ports_200g",
    "leaf_ports_400g",
    "agg_switch_ports_400g",
    "tiers",
    "rails",
    "planes",
    "leaf_oversubscription",
    "downlinks",
    "uplinks",
    "uplinks_per_leaf",
    "downlink_split",
    "interswitch_breakout",
    "ufm_ports",
    "stripes",
    "leaves_per_stripe",
    "spines",
    "spine",
    "leaf",
    "segments",
    "tor_uplinks_400g",
    "tor_capacity_tbps",
    "agg_uplinks",
    "groups",
    "groups_gpu",
    "groups_other",
    "nodes_per_group",
    "switches_per_group",
    "endpoint_ports_per_switch",
    "local_ports_per_switch",
    "global_links_per_group_pair",
    "nodes_per_cabinet",
    "links_per_accelerator",
    "ports_per_chip",
    "chips_per_tray",
    "switch_trays",
    "per_chassis",
    "l1_per_chassis",
    "cubes",
    "cube",
    "shelf_kw",
    "psu_per_shelf",
    "psu_kw",
    "rack_peak_kw",
    "node_max_power_w",
    "rack_pdus",
    "gpu_w",
    "other_server_w_per_gpu",
    "it_power_mw",
    "usd_per_kwh",
    "days",
]
TOPOLOGIES = [
    "fat_tree",
    "rail_only",
    "dual_plane",
    "torus",
    "torus3d_ocs",
    "dragonfly",
    "dragonfly_plus",
    "scaleup_switch",
    "rack_scale",
    "rack",
    "power",
    "bom",
]
METRICS = [
    "accelerators",
    "leaf",
    "spine",
    "core",
    "total_switches",
    "cables_node_leaf",
    "cables_leaf_spine",
    "racks",
    "ocs",
    "global_blocking",
    "tor_per_segment",
]
SIZES = st.sampled_from([1, 2, 4, 8, 16, 18, 32, 64, 72, 128, 200, 400, 800, 4096])
ODD = st.sampled_from(
    [0, -1, 0.5, None, True, "1:1", "many", [4, 4, 4], [], {}, 10**7, "142 kW", "~3,000", "4x4x4", "8-16", [8, 16], {"ports": 64, "a": [1]}]
)  # fmt: skip


@given(
    topology=st.sampled_from(TOPOLOGIES),
    inputs=st.dictionaries(st.sampled_from(VOCABULARY), SIZES | SIZES | SIZES | ODD, max_size=14),
    published=st.dictionaries(st.sampled_from(METRICS), SIZES | ODD, max_size=6),
)
@settings(max_examples=300, deadline=None)
def test_any_record_is_answered(topology, inputs, published):
    """Whatever the inputs, a row per checkable count, an error only where both are numbers, a reason for every flag."""
    case = {"id": "x", "family": "y", "topology": topology, "inputs": inputs, "published": published}
    rows = evaluate_case({**case, "checkable": METRICS})
    assert [row.metric for row in rows] == METRICS
    for row in rows:
        assert row.status is not RowStatus.FLAGGED or row.note
        assert row.status is not RowStatus.MATCH or row.predicted is not None


RECORDS = [case.values[0] for folder in ("reference_architectures", "other_architectures") for case in cases(folder)]


def conclusions(topology, inputs):
    facts, _ = derive(topology, inputs)
    return {k: v for k, v in facts.values.items() if k not in facts.given}, facts.broken


@pytest.mark.parametrize("name", VOCABULARY)
def test_every_name_of_the_vocabulary_is_read(name):
    """For some record another value of the name leads to another conclusion."""
    using = [(r["topology"], r["inputs"]) for r in RECORDS if isinstance(r["inputs"].get(name), (int, float, list))]
    assert using
    other = [
        (t, i, [2, 2, 5] if name == "cube" else i[name] * 2) for t, i in using if name == "cube" or number(i[name])
    ]
    assert any(conclusions(t, {**i, name: value}) != conclusions(t, i) for t, i, value in other)
