"""Published racks: what follows from their inputs agrees, or is flagged with the rule it breaks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from optimizer.validation.architecture_records import evaluate
from optimizer.validation.reference_architectures import RowStatus, context_rows

FOLDER = Path(__file__).resolve().parents[1] / "data" / "reference_architectures"


def _cases() -> dict[str, dict[str, Any]]:
    found = {}
    for file in sorted(FOLDER.glob("*.yaml")):
        for case in YAML(typ="safe").load(file)["cases"]:
            found[case["id"]] = case
    return found


CASES = _cases()


def test_eight_shelves_do_not_carry_the_peak_on_one_feed() -> None:
    (row,) = context_rows(CASES["gb300_power"])
    assert (row.metric, row.predicted, row.published, row.status) == ("shelves", 10, 8, RowStatus.FLAGGED)
    assert row.note == "feed loss: 8 shelves of 33 kW leave 132 of 142 kW when a feed is lost: capping or battery"


def test_ten_shelves_do() -> None:
    case = {**CASES["gb300_power"], "published": {"shelves": 10}}
    assert [row.status for row in context_rows(case)] == [RowStatus.MATCH]
    case = {**CASES["gb300_power"], "published": {"shelves": 12}}
    assert [row.status for row in context_rows(case)] == [RowStatus.MISMATCH]


def test_power_of_a_rack_of_two_nodes() -> None:
    (row,) = context_rows(CASES["b200_sp_rack"])
    assert row.predicted == pytest.approx(28.6)
    assert row.status is RowStatus.MATCH


def test_a_run_of_validate_tells_them() -> None:
    found = evaluate({"cases": [CASES["gb300_power"], CASES["b300_spx_rack"]]})
    assert "capping or battery" in found.skipped[0].reason
    # the record does not say what its nodes draw
    assert found.skipped[1].reason == "no checkable count; rack_power_kw_greater_than: not derivable from the inputs"
