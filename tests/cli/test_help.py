"""Every command explains itself, is found by its file, and costs nothing to ask."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from optimizer.cli import build

ROOT = Path(__file__).resolve().parents[2]
HEAVY = {"numpy", "pandas", "pyomo", "ortools", "highspy", "plotly", "scipy", "pydantic", "pint", "rich"}
COMMANDS = build().list_commands(click.Context(build()))


def test_commands_are_the_files_of_the_folder() -> None:
    files = {path.stem.replace("_", "-") for path in (ROOT / "optimizer" / "cli").glob("[!_]*.py")}
    assert set(COMMANDS) == files
    assert {"list", "init", "doctor"} <= files


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_named_as_its_file_and_has_a_sentence_of_help(name: str) -> None:
    command = build().get_command(click.Context(build()), name)
    assert command is not None
    assert command.name == name
    assert len(command.get_short_help_str(limit=200)) > 10


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_every_command(cli: Callable, name: str) -> None:
    outcome = cli(name, "--help")
    assert outcome.code == 0
    assert outcome.out.startswith(f"Usage: optimizer {name}")
    assert "--quiet" in outcome.out


def test_help_lists_every_command(cli: Callable) -> None:
    outcome = cli("--help")
    assert outcome.code == 0
    assert outcome.err == ""
    listed = {line.split()[0] for line in outcome.out.partition("Commands:")[2].splitlines() if line.startswith("  ")}
    assert set(COMMANDS) <= listed


@pytest.mark.parametrize("statement", ["import optimizer", "cli.main(['--help'])", "cli.main(['no-such-command'])"])
def test_starting_up_loads_nothing_heavy(statement: str) -> None:
    code = (
        "import sys, json\n"
        "before = set(sys.modules)\n"
        f"import optimizer{'.cli as cli' if 'cli' in statement else ''}\n"
        f"try:\n    {statement}\nexcept SystemExit:\n    pass\n"
        "print('\\n' + json.dumps(sorted({name.split('.')[0] for name in set(sys.modules) - before})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert "optimizer" in loaded
    assert not loaded & HEAVY


@pytest.mark.parametrize("flag", ["--version", "-V"])
def test_version_is_the_declared_one(cli: Callable, flag: str) -> None:
    import tomllib

    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    outcome = cli(flag)
    assert (outcome.code, outcome.out) == (0, f"optimizer {declared} (refarch)\n")


def test_no_command_shows_the_help_and_is_a_usage_error(cli: Callable) -> None:
    outcome = cli()
    assert outcome.code == 2
    assert outcome.out == ""
    assert "Commands:" in outcome.err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shell_completion_script(process: Callable, shell: str) -> None:
    outcome = process(_OPTIMIZER_COMPLETE=f"{shell}_source")
    if shell == "bash" and outcome.code != 0:
        pytest.skip("the installed bash is too old for completion")
    assert outcome.code == 0
    assert "_OPTIMIZER_COMPLETE" in outcome.out


def test_shell_completion_of_a_command(process: Callable) -> None:
    outcome = process(_OPTIMIZER_COMPLETE="bash_complete", COMP_WORDS="optimizer doc", COMP_CWORD="1")
    assert "doctor" in outcome.out
    assert "list" not in outcome.out
