"""``optimizer list``."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path

import pytest

import models
from models.catalogue import part_types
from models.policy import Limits
from models.shipped import catalogue_folder, shipped_instances


def test_parts_are_the_rows_of_the_catalogue(cli: Callable) -> None:
    found = cli("list", "parts", "--json").document
    assert (found["schema"], found["status"]) == ("refarch/list-parts/1", "complete")
    listed = {(record["type"], record["id"]): record for record in found["data"]}
    rows = 0
    for kind in part_types():
        path = catalogue_folder() / kind.file
        if not path.exists():
            continue
        with path.open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream):
                rows += 1
                record = listed[kind.plural, row["id"]]
                assert record["source"] == row["source"].strip()
                assert record["confidence"] == row["confidence"]
                assert record["unverified"] == [name for name in row["fields_unverified"].split(";") if name]
                assert record["preliminary"] == ("PRELIMINARY" in row["notes"])
    assert rows == len(found["data"]) > 300


def test_parts_table_of_one_type_shows_source_and_confidence(cli: Callable) -> None:
    outcome = cli("list", "parts", "--type", "switches")
    head, *lines = outcome.out.splitlines()
    assert head.split() == ["type", "id", "name", "vendor", "confidence", "preliminary", "unverified", "source"]
    assert all(line.startswith("switches") for line in lines)
    assert any(line.split()[1:2] == ["qm9700"] and "vendor-spec" in line for line in lines)


def test_sheets_that_nothing_is_computed_from_are_named(cli: Callable) -> None:
    root = Path(models.__file__).parent.parent
    read = " ".join(
        path.read_text(encoding="utf-8")
        for folder in ("models", "optimizer")
        for path in (root / folder).rglob("*.py")
        if path.parent != root / "models" / "parts"
    )
    unread = {kind.plural for kind in part_types() if not re.search(rf"\b{kind.__name__}\b", read)}
    assert unread == {kind.plural for kind in part_types() if kind.reference_only}
    records = cli("list", "parts", "--json").document["data"]
    assert {record["type"] for record in records if record["reference_only"]} == unread
    assert cli("list", "parts", "--type", "pue").err.strip().endswith("nothing is computed from pue")
    assert "computed" not in cli("list", "parts", "--type", "switches").err


def test_preliminary_parts_are_named_as_such(cli: Callable) -> None:
    records = cli("list", "parts", "--type", "systems", "--json").document["data"]
    assert {"vr_nvl72", "helios"} <= {record["id"] for record in records if record["preliminary"]}
    assert "dgx_h100" not in {record["id"] for record in records if record["preliminary"]}


def test_unknown_part_type_names_the_nearest(cli: Callable) -> None:
    outcome = cli("list", "parts", "--type", "swiches")
    assert outcome.code == 2
    assert outcome.err == "usage: no part type 'swiches': did you mean 'switches'?\n"
    # no other listing has the types: none is left out
    names = cli("list", "parts", "--type", "zzz").err
    assert all(f" {name}" in names for name in ("accelerators", "power_components", "racks", "systems"))


def test_instances(cli: Callable) -> None:
    records = cli("list", "instances", "--json").document["data"]
    assert {record["name"]: Path(record["path"]) for record in records} == shipped_instances()


def test_limits_have_sense_and_unit(cli: Callable) -> None:
    records = {record["name"]: record for record in cli("list", "limits", "--json").document["data"]}
    assert {name for name in records if "." not in name} == set(Limits.model_fields)
    assert {"SITE.utility", "SITE.rack_positions", "SITE.air_per_rack"} <= set(records)
    assert (records["SITE.utility"]["sense"], records["SITE.utility"]["unit"]) == ("at most", "W")
    assert records["SITE.rack_positions"]["dimension"] == "count"
    assert (records["power"]["sense"], records["power"]["unit"]) == ("at most", "W")
    assert (records["throughput"]["sense"], records["throughput"]["unit"]) == ("at least", "token/s")
    assert records["goodput"]["sense"] == "at least"
    assert (records["floor"]["sense"], records["floor"]["unit"]) == ("at most", "")


def test_backends_say_whether_they_can_run(cli: Callable) -> None:
    records = {record["name"]: record for record in cli("list", "backends", "--json").document["data"]}
    assert records["highs"]["usable"] is True
    assert records["highs"]["version"]
    for record in records.values():
        assert record["usable"] == (record["reason"] is None)


@pytest.mark.parametrize("what", ["nonsense", ""])
def test_unknown_listing_is_a_usage_error(cli: Callable, what: str) -> None:
    outcome = cli("list", what)
    assert outcome.code == 2
    assert "'instances'" in outcome.err


def test_options_of_parts_are_refused_elsewhere(cli: Callable) -> None:
    assert cli("list", "limits", "--type", "switches").code == 2


def test_objectives_have_sense_and_column_with_its_unit(cli: Callable) -> None:
    records = {record["name"]: record for record in cli("list", "objectives", "--json").document["data"]}
    assert {"tco", "capex", "throughput", "power", "goodput", "carbon", "floor"} <= set(records)
    assert [name for name, record in records.items() if record["default"]] == ["power", "tco", "throughput"]
    assert (records["tco"]["sense"], records["tco"]["column"]) == ("min", "tco_usd")
    assert (records["throughput"]["sense"], records["throughput"]["column"]) == ("max", "throughput_tokens_per_s")
    assert records["power"]["column"] == "power_kw"
