"""``solve`` from a shell: what it prints, what it writes, when it refuses, and how it stops."""

from __future__ import annotations

import errno
import importlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

ROOT = Path(__file__).resolve().parents[2]
TINY = "tiny/performance"
TABLES = ("frontier.csv", "designs.jsonl", "bom.csv")
NUMBERS = {"type": "object", "additionalProperties": {"type": "number"}}
SCHEMA = {
    "type": "object",
    "required": ["schema", "status", "data"],
    "additionalProperties": False,
    "properties": {
        "schema": {"const": "refarch/solve/1"},
        "status": {"enum": ["complete", "partial", "infeasible"]},
        "data": {
            "type": "object",
            "required": ["run", "n_designs", "designs", "solves", "seconds", "proof"],
            "properties": {
                "run": {"type": "string"},
                "n_designs": {"type": "integer"},
                "solves": {"type": "integer", "minimum": 0},
                "seconds": {"type": "number", "minimum": 0},
                "proof": {"type": "object", "required": ["status", "certified_error", "zones_closed", "sentence"]},
                "designs": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["design_id", "objectives", "bounds", "choices"],
                        "properties": {
                            "design_id": {"type": "string", "pattern": "^[0-9a-f]{12}$"},
                            "objectives": {**NUMBERS, "minProperties": 1},
                            "bounds": NUMBERS,
                            "choices": {"type": "object", "minProperties": 1},
                        },
                    },
                },
            },
        },
    },
}
MANY = """
schema: 1
name: many
extends: tiny/performance
workloads:
  train:
    design_space:
      sizes: {smallest: 128, largest: 1024, step: 32}
sites:
  hall: {rack_positions: 400, utility: 20 MW}
"""


def bytes_of(run: Path) -> list[bytes]:
    return [(run / name).read_bytes() for name in TABLES]


def status_of(run: Path) -> str:
    return str(json.loads((run / "manifest.json").read_text())["status"])


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """An instance with some seventy zones, enough to be stopped among them."""
    path = tmp_path / "many.yaml"
    path.write_text(MANY)
    return path


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run, not to be written to."""
    from optimizer import load
    from optimizer.solve import solve

    run = tmp_path_factory.mktemp("solve") / "finished"
    solve(load(TINY), resolution="exact", out=run)
    return run


def test_the_product_goes_to_stdout_and_notes_to_stderr(process: Callable, tmp_path: Path) -> None:
    done = process("solve", TINY, "--out", "run", cwd=tmp_path, NO_COLOR="1")
    assert done.code == 0
    first = done.out.splitlines()[0]
    assert first.startswith("performance: ")
    assert "Pareto-optimal architectures" in first
    assert "Prices are estimates" in done.out
    assert "optimizer show" in done.out.splitlines()[-1]
    assert "\x1b" not in done.out + done.err
    assert "Pareto" not in done.err
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert {"manifest.json", "inputs", "ledger.jsonl", "log.txt", *TABLES} <= names
    assert not [name for name in names if name.endswith((".part", ".lock"))]
    assert status_of(tmp_path / "run") == "complete"


def test_json_keeps_the_schema(process: Callable, tmp_path: Path) -> None:
    done = process("solve", TINY, "--out", "run", "--json", "-q", cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    jsonschema.validate(done.document, SCHEMA)
    data = done.document["data"]
    assert data["n_designs"] == len(data["designs"]) > 1
    assert set(data["designs"][0]["objectives"]) == {"tco_usd", "throughput_tokens_per_s", "power_kw"}
    header = (tmp_path / "run" / "frontier.csv").read_text().splitlines()[0].split(",")
    assert header[:4] == ["design_id", "tco_usd", "throughput_tokens_per_s", "power_kw"]


def test_same_input_same_bytes(cli: Callable, finished: Path, tmp_path: Path) -> None:
    assert cli("solve", TINY, "--resolution", "exact", "--out", str(tmp_path / "again")).code == 0
    assert bytes_of(tmp_path / "again") == bytes_of(finished)


@pytest.mark.parametrize("options", [("--backend", "scip"), ("--out", "taken")])
def test_what_cannot_work_is_refused_before_any_work(
    cli: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, str]
) -> None:
    from optimizer.backends.scip import Scip

    def never(*_: object, **__: object) -> None:
        raise AssertionError("candidates were enumerated")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(importlib.import_module("optimizer.solve"), "enumerate_candidates", never)
    monkeypatch.setattr(Scip, "unavailable", classmethod(lambda cls: "not installed"))
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").touch()
    assert cli("solve", TINY, *options).code in (2, 6)


def test_a_limit_given_twice_is_refused(cli: Callable, tmp_path: Path) -> None:
    twice = cli("solve", TINY, "--out", str(tmp_path / "run"), "--limit", "capex=30MUSD", "--limit", "capex=20MUSD")
    assert twice.code == 2
    assert "--limit capex is given twice: 30MUSD and 20MUSD" in twice.err


def test_a_run_is_never_overwritten(cli: Callable, finished: Path) -> None:
    before = bytes_of(finished)
    done = cli("solve", TINY, "--out", str(finished))
    assert done.code == 2
    assert "not empty" in done.err
    assert "--resume" in done.err
    assert bytes_of(finished) == before


REFUSED: list[tuple[tuple[str, ...], str]] = [
    (("--objectives", "tco,thruput"), "did you mean 'throughput'?"),
    (("--objectives", "tco,tco"), "given twice"),
    (("--objectives", ","), "names none"),
    (("--resolution", "one percent"), "neither a percentage"),
    (("--resolution", "150%"), "not between 0 and 1"),
    (("--resolution", "tco=5 MW"), "resolution of tco"),
    (("--resolution", "floor=1"), "no objective 'floor' in this run"),
    (("--limit", "powr=1 MW"), "did you mean 'power'?"),
    (("--limit", "power"), "not NAME=VALUE"),
    (("--limit", "hal.utility=1 MW"), "did you mean 'hall.utility'?"),
    (("--time-limit", "soon"), "not a positive time"),
    (("--backend", "cplex"), "cplex"),
    (("--scenario", "boom"), "no scenario 'boom'"),
    (("--workers", "0"), "workers"),
    (("--resume",), "--resume needs --out"),
]


@pytest.mark.parametrize(("options", "words"), REFUSED, ids=[" ".join(options) for options, _ in REFUSED])
def test_wrong_options_name_what_is_meant(cli: Callable, tmp_path: Path, options: tuple[str, ...], words: str) -> None:
    out = () if options == ("--resume",) else ("--out", str(tmp_path / "run"))
    done = cli("solve", TINY, *options, *out)
    assert done.code == 2
    assert words in done.err
    assert done.out == ""
    assert "Traceback" not in done.err
    assert not (tmp_path / "run").exists()


def test_a_limit_without_its_unit_is_an_invalid_instance(cli: Callable, tmp_path: Path) -> None:
    done = cli("solve", TINY, "--limit", "power=1", "--out", str(tmp_path / "run"))
    assert done.code == 3
    assert "limits.power" in done.err


def test_unknown_instance(process: Callable, tmp_path: Path) -> None:
    done = process("solve", "tiny/performence", cwd=tmp_path)
    assert done.code == 2
    assert "did you mean 'tiny/performance'?" in done.err
    assert list(tmp_path.iterdir()) == []


def test_clashing_limits_are_named(cli: Callable, tmp_path: Path) -> None:
    limits = ("--limit", "power=400 kW", "--limit", "throughput=4000000 token/s")
    done = cli("solve", TINY, *limits, "--out", str(tmp_path / "run"))
    assert done.code == 4
    assert "limits.power asks at most 400" in done.err
    assert "limits.throughput asks at least 4,000,000" in done.err
    assert "best reachable" in done.err
    as_json = cli("solve", TINY, *limits, "--out", str(tmp_path / "other"), "--json")
    assert as_json.code == 4
    assert as_json.document["status"] == "infeasible"
    found = [problem["found"] for problem in as_json.document["error"]["problems"]]
    assert len(found) == 2
    assert all("limits." in text for text in found)


def test_a_dry_run_writes_nothing(cli: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = cli("solve", TINY, "--dry-run", "--json")
    assert done.code == 0
    assert done.document["data"]["options"]["resolution"] == {"value": "1%", "origin": "default"}
    assert done.document["data"]["solver_options"]
    assert list(tmp_path.iterdir()) == []


def test_the_default_folder_names_instance_and_inputs(cli: Callable, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli("solve", TINY).code == 0
    (folder,) = (tmp_path / "results").iterdir()
    assert folder.name.startswith("performance-")


def interrupt(command: list[str], ledger: Path, zones: int) -> tuple[int, str, str]:
    """Runs a command and sends one SIGINT once its ledger holds ``zones`` zones."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.Popen(
        [sys.executable, "-m", "optimizer", *command], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )  # fmt: skip
    waited = time.monotonic()
    while run.poll() is None and time.monotonic() - waited < 100:
        if ledger.exists() and ledger.read_text().count('"kind":"zone"') >= zones:
            run.send_signal(signal.SIGINT)
            break
        time.sleep(0.005)
    out, err = run.communicate(timeout=100)
    return run.returncode, out, err


def test_an_interrupted_run_is_saved_and_resumed_to_the_same_bytes(cli: Callable, many: Path, tmp_path: Path) -> None:
    # a named solver answers point by point; without one, a program this small is listed whole at once
    command = ["solve", str(many), "--resolution", "exact", "--backend", "highs", "--out"]
    run, whole = tmp_path / "run", tmp_path / "whole"
    code, out, err = interrupt([*command, str(run)], run / "ledger.jsonl", 3)
    assert code == 130, err
    assert "Traceback" not in err
    assert "--resume" in err
    assert status_of(run) == "partial"
    assert "nondominated so far" in out
    assert cli("verify", str(run)).code == 0
    partial = (run / "frontier.csv").read_text().splitlines()
    resumed = cli(*command, str(run), "--resume")
    assert resumed.code == 0
    assert status_of(run) == "complete"
    assert cli(*command, str(whole)).code == 0
    assert bytes_of(run) == bytes_of(whole)
    assert len(partial) < len((run / "frontier.csv").read_text().splitlines())
    assert cli("verify", str(run)).code == 0


def test_a_time_limit_leaves_a_valid_run(cli: Callable, finished: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    done = cli("solve", TINY, "--resolution", "exact", "--time-limit", "0.001s", "--out", str(run), "--json")
    assert done.code == 5
    jsonschema.validate(done.document, SCHEMA)
    assert done.document["status"] == "partial"
    assert "--resume" in done.err
    assert status_of(run) in ("partial", "empty")
    assert cli("verify", str(run)).code == 0
    assert cli("show", str(run)).code == 0
    assert cli("solve", TINY, "--resolution", "exact", "--out", str(run), "--resume").code == 0
    assert bytes_of(run) == bytes_of(finished)


def test_what_cannot_be_resumed(cli: Callable, finished: Path, tmp_path: Path) -> None:
    nothing = cli("solve", TINY, "--out", str(tmp_path / "none"), "--resume")
    assert (nothing.code, "nothing to resume" in nothing.err) == (2, True)
    changed = cli("solve", TINY, "--resolution", "exact", "--limit", "floor=50", "--out", str(finished), "--resume")
    assert (changed.code, "has changed" in changed.err) == (2, True)
    option = cli("solve", TINY, "--resolution", "3%", "--out", str(finished), "--resume")
    assert (option.code, "resolution was 'exact'" in option.err) == (2, True)
    file = tmp_path / "file"
    file.write_text("")
    assert cli("solve", TINY, "--out", str(file)).code == 2


def test_a_finished_run_resumed_stays_as_it_is(cli: Callable, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert cli("solve", TINY, "--out", str(run)).code == 0
    before = bytes_of(run)
    assert cli("solve", TINY, "--out", str(run), "--resume").code == 0
    assert bytes_of(run) == before


def test_a_full_disk_leaves_nothing_marked_complete(
    cli: Callable, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    real, room = os.fsync, [8]

    def full(descriptor: int) -> None:
        name = os.readlink(f"/proc/self/fd/{descriptor}")
        if "designs.jsonl" in name and room:
            room.pop()
            raise OSError(errno.ENOSPC, "No space left on device", name)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    done = cli("solve", TINY, "--resolution", "exact", "--out", str(run))
    assert done.code == 1
    assert "the disk is full" in done.err
    assert "Traceback" not in done.err
    assert status_of(run) == "running"
    assert not (run / "designs.jsonl").exists()
    assert not list(run.glob(".*.part"))
    shown = cli("show", str(run))
    assert (shown.code, "--resume" in shown.err) == (2, True)
    assert cli("solve", TINY, "--resolution", "exact", "--out", str(run), "--resume").code == 0
    assert bytes_of(run) == bytes_of(finished)
