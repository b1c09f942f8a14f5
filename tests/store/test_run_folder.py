"""Run folders: whole files or none, inputs that give the same instance back, tables that are safe to open."""

from __future__ import annotations

import csv
import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest

from models.errors import UsageError
from models.loading import load
from optimizer import store
from optimizer.design import Design
from optimizer.solve import solve
from optimizer.store import RunFolder, read_frontier, read_inputs, read_manifest, table_text
from optimizer.whole_file import write_json, write_text


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("store") / "run"
    solve(load("tiny/serving"), resolution="exact", out=folder)
    return folder


@pytest.mark.parametrize("name", ["training-30mw", "tiny/two-sites", "tiny/price-basis"])
def test_inputs_give_the_same_instance_back(name: str, tmp_path: Path) -> None:
    instance = load(name)
    store.write_inputs(tmp_path / "inputs", instance)
    again = read_inputs(tmp_path)
    assert again.fingerprint == instance.fingerprint
    assert again.document == instance.document
    assert json.dumps(again.raw) == json.dumps(instance.raw), "the author's order decides the order of columns"
    assert {t: dict(p) for t, p in again.catalogue.parts.items()} == {
        t: dict(p) for t, p in instance.catalogue.parts.items()
    }
    field = "money.price_basis"
    assert again.origin(field) == instance.origin(field)
    assert instance.origin(field).rpartition(":")[2].isdigit()


def test_a_frontier_comes_back_as_it_was(run: Path) -> None:
    first, second = read_frontier(run), read_frontier(run)
    assert first == second
    assert len(first) > 1
    lines = (run / "designs.jsonl").read_text().splitlines()
    assert [design.to_json() for design in first.points] == lines
    assert [Design.from_json(line) for line in lines] == list(first.points)
    with (run / "frontier.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == list(first.rows()[0])
    assert [row["design_id"] for row in rows] == [design.design_id for design in first.points]
    manifest = read_manifest(run)
    assert manifest["options"]["resolution"] == {"value": "exact", "origin": "default"}
    assert manifest["versions"]["highspy"]
    assert manifest["finished"] >= manifest["started"]


def test_every_catalogue_cell_keeps_its_address(run: Path) -> None:
    cells = json.loads((run / "inputs" / "catalogue_origins.json").read_text())
    assert cells["systems.csv|dgx_h100|max_power_w"].partition("systems.csv:")[2].isdigit()


@pytest.mark.parametrize("fault", [errno.ENOSPC, errno.EIO])
def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: int) -> None:
    path = tmp_path / "table.csv"
    write_text(path, "old\n")

    def fail(_descriptor: int) -> None:
        raise OSError(fault, os.strerror(fault))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match=os.strerror(fault)):
        write_text(path, "new\n")
    assert path.read_text() == "old\n"
    assert list(tmp_path.iterdir()) == [path]


def test_text_that_looks_like_a_formula_is_made_safe() -> None:
    rows = [{"vendor": "=cmd()", "note": "@x", "delta": -3.5, "text": "-3.5", "dash": "-a", "none": None}]
    (cells,) = csv.DictReader(table_text(rows).splitlines())
    assert cells == {"vendor": "'=cmd()", "note": "'@x", "delta": "-3.5", "text": "-3.5", "dash": "'-a", "none": ""}


def test_numbers_that_are_none_are_refused_in_json(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "x.json", {"value": float("nan")})
    assert not (tmp_path / "x.json").exists()


def test_two_processes_do_not_write_one_run(tmp_path: Path) -> None:
    instance = load("tiny/performance")
    manifest: dict[str, Any] = {"schema": store.SCHEMA, "fingerprint": instance.fingerprint, "options": {}}
    first, second = RunFolder(tmp_path / "run"), RunFolder(tmp_path / "run")
    first.open(instance, manifest, resume=False)
    with pytest.raises(UsageError, match="another process"):
        second.open(instance, manifest, resume=True)
    first.close()
    second.open(instance, manifest, resume=True)
    second.close()


@pytest.mark.parametrize(
    ("text", "words"),
    [("{", "damaged"), ("[]", "no manifest of this program"), ('{"schema": "other/9"}', "no manifest of this program")],
)
def test_a_damaged_manifest(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(UsageError, match=words):
        read_manifest(tmp_path)


def test_a_folder_without_a_manifest(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no run folder"):
        read_manifest(tmp_path)


@pytest.mark.parametrize("resume", [True, False])
@pytest.mark.parametrize(
    "left", ["inputs/", "inputs/.instance.json.part", "inputs/catalogue/.nics.csv.part", ".manifest.json.part"]
)
def test_a_run_that_ended_before_its_manifest_is_begun_anew(left: str, resume: bool, run: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    (folder / "inputs" / "catalogue").mkdir(parents=True)
    if not left.startswith("inputs/.") and left != "inputs/":
        store.write_inputs(folder / "inputs", load("tiny/power"))
        (folder / "inputs" / "catalogue" / "switches.csv").write_text("id\n")
    if not left.endswith("/"):
        (folder / left).write_text('{"half')
    solve(load("tiny/serving"), resolution="exact", out=folder, resume=resume)
    for name in ("frontier.csv", "designs.jsonl", "bom.csv", "ledger.jsonl"):
        assert (folder / name).read_bytes() == (run / name).read_bytes()
    inputs = {p.relative_to(run): p.read_bytes() for p in (run / "inputs").rglob("*") if p.is_file()}
    assert {p.relative_to(folder): p.read_bytes() for p in (folder / "inputs").rglob("*") if p.is_file()} == inputs
    assert not list(folder.rglob("*.part"))


@pytest.mark.parametrize("own", ["inputs/notes.txt", "inputs/catalogue/nics.csv", "report.md", "manifest.json"])
def test_a_folder_with_files_of_somebody_else_is_left_alone(own: str, tmp_path: Path) -> None:
    (tmp_path / own).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / own).write_text("mine")
    for resume in (True, False):
        with pytest.raises(UsageError):
            RunFolder(tmp_path).open(load("tiny/power"), {"fingerprint": "", "options": {}}, resume)
    assert (tmp_path / own).read_text() == "mine"
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == [tmp_path / own]
