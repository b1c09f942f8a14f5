"""A user's mistake never shows a traceback: one message, one documented exit code, one JSON document with --json."""

from __future__ import annotations

import errno
import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from models.errors import InstanceError, OptimizerError, Problem, SolverError, UsageError, VerificationError
from optimizer.cli import _main
from optimizer.cli._output import document
from optimizer.tables import safe_cell

ROOT = Path(__file__).resolve().parents[2]


def _with_command(monkeypatch: pytest.MonkeyPatch, action: Callable[[], None]) -> None:
    """Let the command line have one command, ``fail``, that does ``action``."""

    @click.command("fail")
    @click.option("--json", "as_json", is_flag=True)
    def fail(as_json: bool) -> None:
        action()

    monkeypatch.setattr(_main, "build", lambda: click.Group(name="optimizer", commands={"fail": fail}))


def _raising(error: BaseException) -> Callable[[], None]:
    def action() -> None:
        raise error

    return action


PROBLEMS = (
    Problem("unknown-key", "case.yaml:3", "unknown key 'sitez'", hint="did you mean 'sites'?"),
    Problem("unit-missing", "case.yaml:9", "'30' has no unit", "power"),
)
ERRORS = [
    (UsageError("no such run"), 2, "usage", "usage: no such run"),
    (InstanceError(PROBLEMS), 3, "instance-invalid", "2 problems in the instance:\n  case.yaml:3: unknown-key: "),
    (SolverError("highs failed"), 6, "solver", "solver: highs failed"),
    (VerificationError("tco differs"), 7, "verification-failed", "verification-failed: tco differs"),
    (OptimizerError("odd"), 1, "error", "error: odd"),
    (click.UsageError("bad option"), 2, "usage", "Error: bad option"),
    (click.FileError("a.txt", "gone"), 2, "usage", "gone"),
    (KeyboardInterrupt(), 130, "interrupted", "interrupted"),
    (
        OSError(errno.ENOSPC, "No space left on device", "run/designs.jsonl"),
        1,
        "disk-full",
        "run/designs.jsonl: the disk",
    ),
    (OSError(errno.EFBIG, "File too large", "run/bom.csv"), 1, "disk-full", "run/bom.csv: the disk"),
    (OSError(errno.EACCES, "Permission denied", "/root/x"), 2, "file", "file: /root/x: Permission denied"),
]


@pytest.mark.parametrize(
    ("error", "code", "name", "text"), ERRORS, ids=[type(row[0]).__name__ + row[2] for row in ERRORS]
)
def test_error_as_text_and_as_json(
    cli: Callable, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, name: str, text: str
) -> None:
    _with_command(monkeypatch, _raising(error))
    outcome = cli("fail")
    assert outcome.code == code
    assert outcome.out == ""
    assert text in outcome.err
    assert "Traceback" not in outcome.err

    outcome = cli("fail", "--json")
    assert outcome.code == code
    assert outcome.err == ""
    found = outcome.document
    assert (found["schema"], found["status"], found["error"]["code"]) == ("refarch/error/1", "error", name)
    assert found["error"]["message"]


def test_json_error_lists_every_problem(cli: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    _with_command(monkeypatch, _raising(InstanceError(PROBLEMS)))
    assert cli("fail", "--json").document["error"]["problems"] == [problem.as_dict() for problem in PROBLEMS]


def test_a_proof_of_infeasibility_has_a_status_of_its_own(cli: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    class NothingError(OptimizerError):
        code = "infeasible"
        exit_code = 4
        problems = PROBLEMS

    _with_command(monkeypatch, _raising(NothingError("no design meets every limit")))
    outcome = cli("fail", "--json")
    assert outcome.code == 4
    assert outcome.document["status"] == "infeasible"
    assert outcome.document["error"]["code"] == "infeasible"
    assert len(outcome.document["error"]["problems"]) == len(PROBLEMS)


def test_a_defect_still_gives_one_document(cli: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    _with_command(monkeypatch, _raising(ZeroDivisionError("oops")))
    outcome = cli("fail", "--json")
    assert outcome.code == 1
    assert outcome.document["error"]["code"] == "internal"
    assert "ZeroDivisionError: oops (test_errors.py:" in outcome.document["error"]["message"]
    assert outcome.err == ""


def test_a_defect_is_named_with_its_place_and_shows_its_way_on_request(
    cli: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    _with_command(monkeypatch, _raising(ZeroDivisionError("oops")))
    outcome = cli("fail")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.startswith("internal: a defect of the program: ZeroDivisionError: oops (test_errors.py:")
    assert "Traceback" not in outcome.err
    log = logging.getLogger("optimizer")
    monkeypatch.setattr(_main, "_log_to_stderr", lambda: log.setLevel(logging.INFO))
    try:
        assert "Traceback" in cli("fail").err
    finally:
        log.setLevel(logging.WARNING)


def test_too_little_memory_is_said(cli: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    _with_command(monkeypatch, _raising(MemoryError()))
    outcome = cli("fail", "--json")
    assert (outcome.code, outcome.document["error"]["code"]) == (1, "memory")


def test_exit_code_of_a_command_is_kept(cli: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    for code in (0, 4, 5, 130):
        _with_command(monkeypatch, lambda code=code: click.get_current_context().exit(code))
        assert cli("fail").code == code


@pytest.mark.parametrize(
    ("given", "hint"),
    [("lst", "did you mean 'list'?"), ("docter", "did you mean 'doctor'?"), ("zzzzzz", "valid names: ")],
)
def test_unknown_command_names_the_nearest(cli: Callable, given: str, hint: str) -> None:
    outcome = cli(given)
    assert outcome.code == 2
    assert f"no command '{given}': {hint}" in outcome.err
    assert cli(given, "--json").document["error"]["message"].startswith(f"no command '{given}'")


def test_unknown_option_names_the_nearest(cli: Callable) -> None:
    outcome = cli("doctor", "--jsonn")
    assert outcome.code == 2
    assert "--json" in outcome.err


def _with_streams(redirections: str, *arguments: str, buffered: bool = True) -> subprocess.CompletedProcess[str]:
    """The command line started by a shell with other standard streams."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
    program = [sys.executable, *([] if buffered else ["-u"]), "-m", "optimizer"]
    return subprocess.run(
        ["sh", "-c", f'"$@" {redirections}', "sh", *program, *arguments],
        env={**environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


needs_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")


@pytest.mark.parametrize("buffered", [True, False])
@pytest.mark.parametrize(
    "arguments", [["list", "objectives"], ["list", "objectives", "--json"], ["check", "tiny/space"]]
)
@pytest.mark.parametrize(
    ("redirections", "said"),
    [
        pytest.param(
            ">/dev/full",
            "disk-full: the disk is full; what was being written is incomplete and not marked as complete",
            marks=needs_full,
        ),
        pytest.param(">&-", "file: standard output is closed", marks=needs_full),
    ],
)
def test_a_product_that_stdout_does_not_take(
    redirections: str, said: str, arguments: list[str], buffered: bool
) -> None:
    done = _with_streams(redirections, *arguments, buffered=buffered)
    assert (done.returncode, done.stdout) == (1, "")
    assert [line for line in done.stderr.splitlines() if not line.startswith("next: ")] == [said]


@needs_full
@pytest.mark.parametrize("redirections", ["2>/dev/full", "2>&-", "<&- 2>&-"])
def test_a_run_goes_on_when_its_notes_cannot_be_told(tmp_path: Path, redirections: str) -> None:
    run = tmp_path / "run"
    done = _with_streams(redirections, "solve", "tiny/space", "--out", str(run))
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads((run / "manifest.json").read_text())["status"] == "complete"
    missing = _with_streams(redirections, "solve", "tiny/spaec")
    assert (missing.returncode, missing.stdout) == (2, "")


@needs_full
def test_a_run_with_every_stream_closed_keeps_its_files_to_itself(tmp_path: Path) -> None:
    run = tmp_path / "run"
    done = _with_streams("<&- >&- 2>&-", "solve", "tiny/space", "--out", str(run))
    assert done.returncode == 1
    assert json.loads((run / "manifest.json").read_text())["status"] == "complete"
    for line in (run / "ledger.jsonl").read_text().splitlines():
        json.loads(line)


def test_reader_that_goes_away_is_no_error() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "optimizer", "list", "parts", "--json"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        errors = running.stderr.read().decode()
        assert running.wait(60) == 141
    assert errors == ""


def test_quiet_and_verbose_stand_before_or_after_the_command(cli: Callable) -> None:
    loud = cli("list", "parts", "--type", "switches").err
    assert "estimates" in loud
    for arguments in (["-q", "list", "parts"], ["list", "parts", "-q"], ["list", "--quiet", "parts"]):
        outcome = cli(*arguments)
        assert (outcome.code, outcome.err) == (0, "")
    assert cli("-v", "list", "parts", "--type", "nics").code == 0
    assert cli("list", "parts", "--type", "nics", "-vv").code == 0


def test_no_colour_without_a_terminal(process: Callable) -> None:
    for environment in ({}, {"NO_COLOR": "1"}, {"FORCE_COLOR": "", "TERM": "xterm-256color"}):
        assert "\x1b[" not in process("list", "parts", "--type", "nics", **environment).out


@pytest.mark.parametrize("text", ["=1+1", "+SUM(A1)", "-cmd|' /C calc'!A0", "@import", "\t=1", "\r=1", "=", "-"])
def test_cells_that_spreadsheets_would_run_are_escaped(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize("cell", ["-3.5", "+1e9", "a=b", "", "it's", -3.5, 7, None, True])
def test_other_cells_stay_as_they_are(cell: object) -> None:
    assert safe_cell(cell) == cell


def test_json_refuses_numbers_json_does_not_have() -> None:
    for value in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="JSON compliant"):
            document("solve", {"x": value})


def _broken_case(folder: Path) -> Path:
    base = (ROOT / "tests" / "data" / "instances" / "base.yaml").read_text(encoding="utf-8")
    path = folder / "case.yaml"
    path.write_text(base.replace("utility: 5 MW", "utility: 5").replace("deadline:", "deadlin:"), encoding="utf-8")
    return path


@pytest.mark.parametrize("command", [("check",), ("solve", "--dry-run"), ("list", "parts", "--instance")])
def test_invalid_instance_is_exit_code_3_with_every_problem(
    cli: Callable, tmp_path: Path, command: tuple[str, ...]
) -> None:
    path = _broken_case(tmp_path)
    outcome = cli(*command, str(path))
    assert (outcome.code, outcome.out) == (3, "")
    head, first, second = outcome.err.splitlines()
    assert head == "2 problems in the instance:"
    assert first.strip() == f"{path}:11: unknown-key: unknown key 'workloads.train.deadlin' (did you mean 'deadline'?)"
    assert second.strip().startswith(f"{path}:39: unit-missing: sites.main.utility: 5 has no unit; expected power")

    outcome = cli(*command, str(path), "--json")
    assert outcome.code == 3
    assert [problem["code"] for problem in outcome.document["error"]["problems"]] == ["unknown-key", "unit-missing"]
    assert outcome.document["error"]["problems"][0]["where"] == f"{path}:11"


@pytest.mark.parametrize("command", [("check",), ("solve",), ("list", "parts", "--instance")])
@pytest.mark.parametrize("name", ["nothing.yaml", "no-such-case", "/"])
def test_instance_that_is_not_there_is_exit_code_2(cli: Callable, command: tuple[str, ...], name: str) -> None:
    outcome = cli(*command, name)
    assert outcome.code == 2
    assert outcome.err.startswith("usage: ")


def test_a_terminal_that_lacks_letters_gets_escapes(process: Callable, tmp_path: Path) -> None:
    base = (ROOT / "tests" / "data" / "instances" / "base.yaml").read_text(encoding="utf-8")
    path = tmp_path / "case.yaml"
    path.write_text(base.replace("floor: slab", "floor: Ω-slab"), encoding="utf-8")
    outcome = process("list", "parts", "--instance", str(path), PYTHONIOENCODING="cp1252")
    assert outcome.code == 3
    assert "no floor '\\u03a9-slab'" in outcome.err
    assert "Traceback" not in outcome.err


def test_calls_in_one_process_do_not_pile_up_handlers(cli: Callable) -> None:
    for _ in range(3):
        cli("list", "backends", "-vv")
    assert len(logging.getLogger("optimizer").handlers) == 1
    cli("list", "backends")
    assert logging.getLogger("optimizer").level == logging.WARNING


UNKNOWN = [
    ("solve", "training-3mw"),
    ("check", "training-3mw"),
    ("tornado", "training-3mw"),
    ("explain", "why-not", "training-3mw", "liquid"),
    ("explain", "infeasible", "training-3mw"),
    ("report", "sensitivity", "training-3mw"),
    ("show", "no-such-run"),
    ("verify", "no-such-run"),
]


def test_names_of_nothing_are_refused_before_anything_heavy_is_imported() -> None:
    program = (
        "import json, sys\n"
        "from optimizer.cli import main\n"
        "found = []\n"
        "for command in json.loads(sys.argv[1]):\n"
        "    try:\n"
        "        main(command)\n"
        "    except SystemExit as stop:\n"
        "        found.append(stop.code)\n"
        "print(found, [name for name in ('numpy', 'pydantic', 'pyomo', 'scipy') if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, json.dumps(UNKNOWN)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == f"{[2] * len(UNKNOWN)} []"
    assert done.stderr.count("did you mean 'training-30mw'?") == 6


INTERRUPTED_IMPORT = """
import builtins, sys
real = builtins.__import__

def interrupted(name, *rest, **named):
    if name == {name!r}:
        builtins.__import__ = real
        raise {error}
    return real(name, *rest, **named)

builtins.__import__ = interrupted
sys.argv[1:] = {arguments!r}
from optimizer.__main__ import main
main()
"""


@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.parametrize("name", ["click", "optimizer.cli._group", "numpy", "scipy.sparse"])
def test_interrupt_amid_the_imports(name: str, as_json: bool) -> None:
    arguments = ["solve", "tiny/space", "--dry-run"] + ["--json"] * as_json
    program = INTERRUPTED_IMPORT.format(name=name, error="KeyboardInterrupt", arguments=arguments)
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 130
    if as_json:
        assert json.loads(done.stdout)["error"]["code"] == "interrupted"
        assert done.stderr == ""
    else:
        assert (done.stdout, done.stderr.strip()) == ("", "interrupted")


def test_an_error_that_hides_an_interrupt_is_one(cli: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    def action() -> None:
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt as stopped:
            raise ImportError("numpy._core.multiarray failed to import") from stopped

    _with_command(monkeypatch, action)
    outcome = cli("fail")
    assert (outcome.code, outcome.err.strip()) == (130, "interrupted")
