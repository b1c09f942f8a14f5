"""``verify`` from a shell: what it says when all is well, and exit code 7 when something is not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def solved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from optimizer import load
    from optimizer.solve import solve

    run = tmp_path_factory.mktemp("verify") / "run"
    solve(load("tiny/performance"), resolution="exact", out=run)
    return run


def test_a_sound_run(cli: Callable, solved: Path) -> None:
    done = cli("verify", str(solved))
    assert (done.code, done.err) == (0, "")
    assert "recomputed from" in done.out
    from_file = cli("verify", str(solved / "frontier.csv"), "--json")
    assert from_file.code == 0
    data = from_file.document["data"]
    assert from_file.document["status"] == "complete"
    assert data["findings"] == []
    assert data["n_designs"] > 1
    assert data["compared"] > 1000


def test_a_tampered_run_exits_7_and_names_the_figure(cli: Callable, solved: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(solved, run)
    lines = (run / "designs.jsonl").read_text().splitlines()
    design = json.loads(lines[0])
    design["pods"][0]["fabric"]["leaf"] += 1
    (run / "designs.jsonl").write_text("\n".join([json.dumps(design), *lines[1:]]) + "\n")
    done = cli("verify", str(run))
    assert done.code == 7
    assert done.out == ""
    assert f"{design['design_id']}: pods[0].fabric.leaf: reported" in done.err
    as_json = cli("verify", str(run), "--json")
    assert as_json.code == 7
    assert as_json.document["status"] == "error"
    assert as_json.document["error"]["code"] == "verification-failed"
    (problem,) = as_json.document["error"]["problems"]
    assert problem["field"] == "pods[0].fabric.leaf"
    assert problem["reported"] == problem["recomputed"] + 1


def test_the_certificate(cli: Callable, solved: Path) -> None:
    done = cli("verify", str(solved), "--certificate", "--sample", "3", "--json")
    assert done.code == 0
    found = done.document["data"]["certificate"]
    assert found["complete"] is True
    assert found["reproved"] == 3


def test_a_design_taken_out_of_every_file_is_missed(cli: Callable, solved: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(solved, run)
    for name in ("designs.jsonl", "frontier.csv"):
        lines = (run / name).read_text().splitlines(keepends=True)
        (run / name).write_text("".join(lines[:-1]))
    gone = json.loads((solved / "designs.jsonl").read_text().splitlines()[-1])["design_id"]
    bom = (run / "bom.csv").read_text().splitlines(keepends=True)
    (run / "bom.csv").write_text("".join(line for line in bom if not line.startswith(gone)))
    (run / "frontier.parquet").unlink(missing_ok=True)
    done = cli("verify", str(run))
    assert done.code == 7
    assert "ledger.jsonl: points" in done.err


@pytest.mark.parametrize("given", ["nowhere", "."])
def test_what_is_no_run(cli: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.chdir(tmp_path)
    done = cli("verify", given)
    assert done.code == 2
    assert "run" in done.err
