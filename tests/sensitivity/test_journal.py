"""Answers are kept as they are found: whatever was interrupted goes on to the very result, whatever the number of processes."""

from __future__ import annotations

import itertools
import math
import resource
from pathlib import Path
from typing import Any

import pytest

from models.errors import UsageError
from models.instance import Instance
from models.loading import load
from optimizer.explain.infeasible import explain_infeasible
from optimizer.explain.why_not import why_not
from optimizer.sensitivity import effort as module
from optimizer.sensitivity.alternatives import alternatives
from optimizer.sensitivity.effort import Effort
from optimizer.sensitivity.gap_list import gap_list
from optimizer.sensitivity.journal import Journal, Solved
from optimizer.sensitivity.part_program import PartProgram, Requirement
from optimizer.sensitivity.price_to_win import price_to_win, prices_in
from optimizer.sensitivity.regimes import regime_map
from optimizer.sensitivity.spec_to_win import spec_to_win
from optimizer.sensitivity.switch_points import switch_points
from optimizer.sensitivity.tornado import tornado
from optimizer.sensitivity.value_of_limits import value_of_limits

LEVELS = [Requirement(), Requirement({"throughput": 3e6})]


def priced(instance: Instance, effort: Effort) -> Any:
    program = PartProgram.of(instance, "qm9700", "tco", ("throughput",))
    return prices_in(program, LEVELS, None, "tco", 0.0, effort)


ANALYSES = {
    "price-to-win": priced,
    "spec-to-win": lambda i, e: spec_to_win(i, "qm9700", "power", gap=0.2, effort=e),
    "gap-list": lambda i, e: gap_list(i, parts=["qm9700", "dgx_h100"], effort=e),
    "switch-points": lambda i, e: switch_points(i, "assumptions.maintenance_per_year", gap=0.2, points=3, effort=e),
    "regimes": lambda i, e: regime_map(i, "hall.utility", "hall.electricity_price", steps=2, effort=e),
    "value-of-limits": lambda i, e: value_of_limits(i, effort=e),
    "alternatives": lambda i, e: alternatives(i, effort=e),
    "tornado": lambda i, e: tornado(i, effort=e),
    "why-not": lambda i, e: why_not(i, "mi300x_8u", effort=e),
}


def told(result: Any) -> str:
    """Everything a result says but the time it took."""
    from dataclasses import replace

    if isinstance(result, list):
        return "\n".join(told(one) for one in result)
    return repr(replace(result, seconds=0.0))


@pytest.fixture(scope="module")
def instance() -> Instance:
    return load("tiny/performance")


class KilledError(Exception):
    """What ends a process in the middle of its work."""


def killed_after(solves: int, monkeypatch: pytest.MonkeyPatch) -> None:
    real, left = module.solve, [solves]

    def counted(*given: Any, **named: Any) -> Any:
        if not left[0]:
            raise KilledError
        left[0] -= 1
        return real(*given, **named)

    monkeypatch.setattr(module, "solve", counted)


@pytest.mark.parametrize("name", ANALYSES)
def test_what_was_killed_goes_on_to_the_same_result(
    name: str, instance: Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask, file = ANALYSES[name], tmp_path / "answers.jsonl"
    whole = Effort()
    expected = told(ask(instance, whole))
    distinct = len(whole.journal)
    with monkeypatch.context() as cut:
        killed_after(distinct // 2, cut)
        with pytest.raises(KilledError):
            ask(instance, Effort(journal=Journal(file)))
    kept = len(file.read_text().splitlines())
    assert kept == distinct // 2
    with file.open("a") as stream:
        stream.write('{"question": "cut sho')
    with monkeypatch.context() as cut:
        killed_after(distinct - kept, cut)
        assert told(ask(instance, Effort(journal=Journal(file, resume=True)))) == expected
        # and nothing at all is left to solve
        killed_after(0, cut)
        assert told(ask(instance, Effort(journal=Journal(file, resume=True)))) == expected


@pytest.mark.parametrize("name", ["price-to-win", "why-not"])
def test_processes_change_nothing(name: str, instance: Instance, tmp_path: Path) -> None:
    ask, file = ANALYSES[name], tmp_path / "answers.jsonl"
    alone = Effort()
    expected = told(ask(instance, alone))
    assert told(ask(instance, Effort(workers=2, journal=Journal(file)))) == expected
    assert {line for line in file.read_text().splitlines() if line}
    assert len(Journal(file, resume=True)) == len(alone.journal)


@pytest.mark.parametrize("name", ANALYSES)
def test_without_time_nothing_is_called_proven(name: str, instance: Instance) -> None:
    effort = Effort(seconds=1e-9)
    try:
        result = ANALYSES[name](instance, effort)
    except Exception as error:
        assert "no design" in str(error)  # noqa: PT017
        return
    results = result if isinstance(result, list) else [result]
    assert not any(one.proven for one in results)


def test_explanations_resume(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken, file = load("broken/too-few-racks"), tmp_path / "answers.jsonl"
    expected = told(explain_infeasible(broken, repairs=1, effort=Effort(journal=Journal(file))))
    killed_after(0, monkeypatch)
    assert told(explain_infeasible(broken, repairs=1, effort=Effort(journal=Journal(file, resume=True)))) == expected


def test_a_narrower_gap_never_widens_an_interval(instance: Instance) -> None:
    widths = []
    for gap in (0.4, 0.2, 0.1, 0.05, 0.0):
        low, high = price_to_win(instance, "qm9700", gap=gap).interval
        assert low is not None
        assert high is not None
        widths.append((low, high))
    for (low, high), (closer_low, closer_high) in itertools.pairwise(widths):
        assert low <= closer_low <= closer_high <= high


def test_a_journal_keeps_what_it_is_told(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "answers.jsonl"
    journal = Journal(file)
    journal.put("a", Solved(12.0, {3: 1.0, 7: 0.1}))
    journal.put("b", Solved(math.inf, None))
    again = Journal(file, resume=True)
    assert again.get("a") == Solved(12.0, {3: 1.0, 7: 0.1})
    assert again.get("b") == Solved(math.inf, None)
    assert again.get("c") is None
    assert len(Journal(file)) == 0
    assert not file.read_text()


def test_a_journal_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be kept"):
        Journal(tmp_path / "file" / "answers.jsonl")


def test_a_journal_on_a_full_disk_keeps_what_it_has_and_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "answers.jsonl"
    journal = Journal(file)
    journal.put("a", Solved(1.0, None))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (file.stat().st_size + 20, limits[1]))
        for question in ("b", "c"):
            journal.put(question, Solved(2.0, {1: 1.0}))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert journal.get("c") == Solved(2.0, {1: 1.0})
    assert len(caplog.records) == 1
    again = Journal(file, resume=True)
    assert again.get("a") == Solved(1.0, None)
    assert again.get("b") is None
