"""``optimizer init``: what it writes is valid, explained, and never replaces anything."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from models.loading import load
from models.workload import ThroughputMethod
from optimizer.cli import init


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_starter_is_a_valid_instance_of_that_name(cli: Callable, tmp_path: Path) -> None:
    outcome = cli("init", "my-case")
    assert (outcome.code, outcome.out) == (0, "wrote my-case.yaml\n")
    assert outcome.err == "next: optimizer check my-case.yaml\n"
    instance = load(tmp_path / "my-case.yaml")
    assert instance.name == "my-case"
    assert set(instance.workloads) == {"train"}
    assert instance.workloads["train"].method is ThroughputMethod.MAPPING


def test_the_starter_explains_itself_and_states_who_answers_for_each_assumption(cli: Callable, tmp_path: Path) -> None:
    cli("init", "my-case")
    text = (tmp_path / "my-case.yaml").read_text(encoding="utf-8")
    assert text.count("#") > 15
    assert "{name}" not in text
    assumptions = load(tmp_path / "my-case.yaml").assumptions
    stated = [
        value for _, value in assumptions if value is not None and value.owner != "the catalogue" and value.reason
    ]
    assert len(stated) >= 9
    assert all(value.owner == "you" for value in stated)


def test_the_commented_lines_are_valid_when_uncommented(cli: Callable, tmp_path: Path) -> None:
    cli("init", "my-case")
    path = tmp_path / "my-case.yaml"
    text = path.read_text(encoding="utf-8")
    for line in ("scenarios:", "  cheap-power:", "  currencies:", "    EUR:", "  capex:", "  goodput:"):
        hits = [old for old in text.splitlines() if old.replace("# ", "", 1).startswith(line)]
        assert len(hits) == 1, line
        text = text.replace(hits[0], hits[0].replace("# ", "", 1))
    path.write_text(text, encoding="utf-8")
    instance = load(path, scenario="cheap-power")
    assert instance.limits.goodput is not None
    assert instance.money.currencies["EUR"].usd == 1.08
    assert instance.sites["main"].electricity_price is not None


def test_an_existing_file_is_never_overwritten(cli: Callable, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("precious", encoding="utf-8")
    for name in ("mine", "mine.yaml", "./mine"):
        outcome = cli("init", name)
        assert outcome.code == 2
        assert "exists and is not overwritten" in outcome.err
    assert (tmp_path / "mine.yaml").read_text(encoding="utf-8") == "precious"


def test_a_link_that_leads_nowhere_is_not_written_through(cli: Callable, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").symlink_to(tmp_path / "elsewhere")
    assert cli("init", "mine").code == 2
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("name", ["", "..", "a b", "-x.yaml", "a\nb", "x: {}", "#"])
def test_names_that_are_none(cli: Callable, tmp_path: Path, name: str) -> None:
    assert cli("init", "--", name).code == 2
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_does_not_exist(cli: Callable) -> None:
    outcome = cli("init", "nowhere/mine")
    assert (outcome.code, outcome.err) == (2, "usage: no folder nowhere\n")


def test_json(cli: Callable) -> None:
    assert cli("init", "mine", "--json").document == {
        "schema": "refarch/init/1",
        "status": "complete",
        "data": {"path": "mine.yaml"},
    }
    assert cli("init", "mine", "--json").document["error"]["code"] == "usage"


def test_a_full_disk_leaves_nothing_behind(cli: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.fdopen

    def full(descriptor: int, *arguments: object, **options: object) -> object:
        stream = real(descriptor, *arguments, **options)  # type: ignore[call-overload]

        def refuse(_: str) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        stream.write = refuse
        return stream

    monkeypatch.setattr(init.os, "fdopen", full)
    outcome = cli("init", "mine")
    assert outcome.code == 1
    assert outcome.err.startswith("disk-full: mine.yaml: the disk is full")
    assert list(tmp_path.iterdir()) == []


def test_check_accepts_the_starter(cli: Callable) -> None:
    cli("init", "my-case")
    outcome = cli("check", "my-case.yaml", "--json")
    assert outcome.code == 0
    assert outcome.document["data"]["problems"] == []
    assert outcome.document["data"]["systems"]


def test_the_starter_has_a_frontier(cli: Callable) -> None:
    cli("init", "my-case")
    arguments = ("--objectives", "tco,throughput", "--resolution", "10%", "--out", "run", "--json")
    outcome = cli("solve", "my-case.yaml", *arguments)
    assert outcome.code == 0
    assert outcome.document["status"] == "complete"
    assert outcome.document["data"]["n_designs"] >= 3
