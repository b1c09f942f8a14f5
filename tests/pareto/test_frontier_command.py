"""``optimizer frontier``: the document other programs read, exit codes, refusals, resumption."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

FOLDER = Path(__file__).parents[1] / "data" / "moo"


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    from optimizer.cli import main

    capsys.readouterr()
    with pytest.raises(SystemExit) as stop:
        main(["frontier", *arguments])
    out, err = capsys.readouterr()
    return int(stop.value.code or 0), out, err


def test_json_document(capsys: pytest.CaptureFixture[str]) -> None:
    path = FOLDER / "vopt_spa_didactic.json"
    code, out, _ = run(capsys, str(path), "--json", "--certificate")
    document: dict[str, Any] = json.loads(out)
    truth = json.loads(path.read_text())
    assert code == 0
    assert document["status"] == document["data"]["status"] == "complete"
    assert document["data"]["n_nondominated"] == truth["n_nondominated"]
    assert document["data"]["nondominated_points"] == truth["nondominated_points"]
    assert document["data"]["backend"] in ("highs", "cpsat", "listing")
    assert document["data"]["solves"] <= truth["n_nondominated"] + 1
    assert document["data"]["seconds"] >= 0


def test_original_sense_and_table(capsys: pytest.CaptureFixture[str]) -> None:
    path = FOLDER / "ks14_KP_p-3_n-10_1.json"
    code, out, _ = run(capsys, str(path))
    assert code == 0
    rows = [[int(v) for v in line.split()] for line in out.splitlines()[2:]]
    assert rows == json.loads(path.read_text())["nondominated_points"]


def write(path: Path, **changes: Any) -> str:
    problem = {
        "name": "p", "sense": ["max", "min"], "objectives": [[3, 2, 4], [1, 2, 3]],
        "constraints": [{"idx": [0, 1, 2], "val": [1, 1, 1], "sense": "<=", "rhs": 2}],
        "lb": [0, 0, 0], "ub": [1, 1, 1], "integrality": ["I", "I", "I"],
    }  # fmt: skip
    path.write_text(json.dumps({**problem, **changes}))
    return str(path)


def test_infeasible_exits_four(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    rows = [{"idx": [0, 1], "val": [2, 2], "sense": "=", "rhs": 1}]
    code, out, _ = run(capsys, write(tmp_path / "p.json", constraints=rows), "--json")
    assert code == 4
    assert json.loads(out)["status"] == "infeasible"
    assert json.loads(out)["data"]["nondominated_points"] == []


def test_limit_exits_five_and_resumes(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path, ledger = str(FOLDER / "ks14_KP_p-3_n-20_1.json"), str(tmp_path / "ledger.jsonl")
    # a named solver answers point by point
    asked = (path, "--json", "--backend", "cpsat", "--ledger", ledger)
    code, out, _ = run(capsys, *asked, "--time-limit", "0.2")
    assert code == 5
    assert json.loads(out)["status"] == "partial"
    assert json.loads(out)["data"]["stopped_by"] == "time_limit"
    code, out, _ = run(capsys, *asked, "--resume")
    assert code == 0
    assert json.loads(out)["data"]["nondominated_points"] == json.loads(Path(path).read_text())["nondominated_points"]


def test_a_stopped_run_tells_unproven_points_apart(capsys: pytest.CaptureFixture[str]) -> None:
    from dataclasses import replace

    from optimizer.cli.frontier import _data, _table
    from optimizer.pareto import FrontierStatus, solve
    from optimizer.pareto.sources import read_problem

    model = read_problem(str(FOLDER / "ks14_KP_p-3_n-10_1.json"))
    complete = solve(model)
    proven = np.arange(complete.n_points) != 2
    stopped = replace(complete, status=FrontierStatus.PARTIAL, proven=proven)
    data, whole = _data(stopped, model), _data(complete, model)
    assert data["n_nondominated"] == complete.n_points - 1 == len(data["nondominated_points"])
    assert len(data["unproven_points"]) == 1 and whole["unproven_points"] == []
    assert sorted(data["nondominated_points"] + data["unproven_points"]) == whole["nondominated_points"]
    # points of a resolution cover the frontier together, proven or not
    covering = replace(stopped, resolution=(1.0, 1.0, 1.0))
    assert _data(covering, model)["nondominated_points"] == whole["nondominated_points"]
    capsys.readouterr()
    _table(stopped, model)
    assert "1 more found, not proven nondominated:" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sense": ["max"]}, "per objective"),
        ({"lb": [0, 0]}, "lengths"),
        ({"constraints": [{"idx": [7], "val": [1], "sense": "<=", "rhs": 1}]}, "out of range"),
        ({"constraints": [{"idx": [0], "val": [1], "sense": "<", "rhs": 1}]}, "sense"),
        ({"integrality": ["I", "B", "I"]}, "'I' or 'C'"),
        ({"objectives": [[1, 2, "x"], [1, 2, 3]]}, "per variable"),
    ],
)
def test_what_is_wrong_is_named(
    changes: dict[str, Any], words: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, _, err = run(capsys, write(tmp_path / "p.json", **changes))
    assert code == 3
    assert words in err
    assert "Traceback" not in err


def test_usage_errors(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    good = write(tmp_path / "p.json")
    (tmp_path / "bad.json").write_text("{")
    assert run(capsys, str(tmp_path / "none.json"))[0] == 2
    assert run(capsys, str(tmp_path / "bad.json"))[0] == 3
    assert run(capsys, good, "--resolution", "1%,2%,3%")[0] == 2
    assert run(capsys, good, "--time-limit", "soon")[0] == 2
    assert run(capsys, good, "--backend", "cplex")[0] == 2
    assert run(capsys, good, "--workers", "0")[0] == 2
    assert run(capsys, good, "--resume")[0] == 2
    continuous = write(tmp_path / "c.json", integrality=["C", "I", "I"])
    code, _, err = run(capsys, continuous)
    assert code == 2
    assert "resolution" in err
    assert run(capsys, continuous, "--resolution", "5%")[0] == 0
    assert run(capsys, continuous, "--resolution", "5%", "--backend", "cpsat")[0] == 6


@pytest.mark.parametrize("suffix", ["json", "mps"])
def test_a_file_that_cannot_be_read_is_named_with_the_reason(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, suffix: str
) -> None:
    folder, text, none = (tmp_path / f"{name}.{suffix}" for name in ("folder", "text", "none"))
    folder.mkdir()
    text.write_bytes(b"\xff\xfe\x00")
    for path, reason in ((folder, "Is a directory"), (text, "not UTF-8 text"), (none, "No such file or directory")):
        assert run(capsys, str(path)) == (2, "", f"usage: {path} cannot be read: {reason}\n")


def test_the_command_file_is_light() -> None:
    code = "import sys; import optimizer.cli.frontier; assert not {'numpy', 'highspy', 'ortools', 'pandas'} & set(sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"rhs": 2', '"rhs": 1' + "0" * 400), ('"rhs": 2', '"rhs": 1' + "0" * 5000), ("[3, 2, 4]", "[Infinity, 2, 4]"),
        ("[3, 2, 4]", "[1" + "0" * 400 + ", 2, 4]"), ('"rhs": 2', '"rhs": ' + "[" * 100_000), ('"val": [1,', '"val": [1e999,'),
        ('"rhs": 2', '"rhs": NaN'),
    ],
)  # fmt: skip
def test_numbers_that_no_program_has_are_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, old: str, new: str
) -> None:
    path = tmp_path / "p.json"
    text = Path(write(path)).read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    code, out, err = run(capsys, str(path), "--json")
    assert (code, err) == (3, "")
    assert json.loads(out)["error"]["code"] == "instance-invalid"


def test_a_byte_order_mark_changes_nothing(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    path.write_text("\ufeff" + Path(write(path)).read_text(), encoding="utf-8")
    assert run(capsys, str(path))[0] == 0
