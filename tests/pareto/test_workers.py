"""Any number of processes gives the same points, designs and ledger, byte for byte; short runs start none, and one that dies is done without."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from optimizer.backends.protocol import SolveLimits
from optimizer.pareto import solve, solving, workers
from optimizer.pareto.query import Outcome, Query
from optimizer.pareto.reply import Counts, Reply
from tests.pareto.programs import random_program


class AtOnce(workers.Processes):
    """Starts the others with the first question and waits until they are there."""

    def _start(self) -> None:
        self._start_after = 0.0
        super()._start()
        for helper in self._helpers:
            helper.ready.wait(60.0)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[workers.Processes]]:
    """Every answerer that a run made; all their processes have ended with the run."""
    made: list[workers.Processes] = []

    def make(oracle: Any, count: int) -> workers.Processes:
        made.append(AtOnce(oracle, count))
        return made[-1]

    monkeypatch.setattr(solving, "Processes", make)
    yield made
    assert not any(h._process.is_alive() for one in made for h in one._helpers)


@pytest.mark.parametrize(("k", "algorithm", "share"), [(2, "epsilon", None), (3, "boxes", None), (3, "zones", 0.05)])
def test_two_processes_give_the_same_bytes_as_one(
    tmp_path: Path, seen: list[workers.Processes], k: int, algorithm: str, share: float | None
) -> None:
    model = random_program(k, 5, columns=12)
    shares = None if share is None else [share] * k
    one = solve(model, algorithm=algorithm, shares=shares, listing=False, ledger_path=tmp_path / "one.jsonl")
    two = solve(model, algorithm=algorithm, shares=shares, listing=False, ledger_path=tmp_path / "two.jsonl", workers=2)
    assert seen[0].helpers == 1
    np.testing.assert_array_equal(one.points, two.points)
    np.testing.assert_array_equal(one.solutions, two.solutions)
    assert (one.solves, one.relaxations, one.ledger) == (two.solves, two.relaxations, two.ledger)
    assert (tmp_path / "one.jsonl").read_bytes() == (tmp_path / "two.jsonl").read_bytes()


def test_what_may_be_asked_is_answered_ahead() -> None:
    setup = solving._Setup(random_program(2, 7, columns=20), "auto", None, True, listing=False)
    setup.oracle.delta = setup.fine_delta()
    first, later = Query(((np.inf, np.inf),), direction=0), Query(((np.inf, np.inf),), direction=1)
    answerer = AtOnce(setup.oracle, 2)
    try:
        list(answerer.answer([first], SolveLimits(), [later]))
        until = time.monotonic() + 60.0
        while later not in answerer._desk._ready and time.monotonic() < until:
            time.sleep(0.01)
        (reply,) = answerer.answer([later], SolveLimits())
    finally:
        answerer.close()
    assert answerer.used == 1
    alone = setup.oracle.ask(later)
    assert (reply.outcome, reply.point, reply.bound, reply.counts) == (
        alone.outcome,
        alone.point,
        alone.bound,
        alone.counts,
    )


def test_a_process_that_dies_changes_nothing(seen: list[workers.Processes]) -> None:
    model = random_program(2, 7, columns=30)

    def kill_it() -> bool:
        for one in seen:
            for helper in one._helpers:
                helper._process.kill()
        return False

    together = solve(model, workers=2, stop=kill_it, listing=False)
    np.testing.assert_array_equal(solve(model).points, together.points)


def test_short_runs_start_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr(workers, "_Helper", fail)
    model = random_program(3, 5, columns=8)
    np.testing.assert_array_equal(solve(model, workers=4, listing=False).points, solve(model).points)


def test_a_desk_forgets_what_meant_something_else() -> None:
    desk, query = workers.Desk(), Query(((1.0, 2.0),), direction=0)
    reply = Reply(Outcome.INFEASIBLE, None, None, 0.0, True, Counts())
    desk.lay_out([query], [1.0, 1.0], SolveLimits())
    asked = desk.take()
    assert asked is not None
    assert desk.is_busy_with(query)
    desk.clear()
    desk.put(asked.number, query, reply)
    assert desk.collect(query) is None
    desk.lay_out([query], [2.0, 2.0], SolveLimits())
    asked = desk.take()
    assert asked is not None
    desk.put(asked.number, query, reply)
    assert desk.collect(query) is reply


def test_unfinished_answers_are_not_kept() -> None:
    desk, query = workers.Desk(), Query(((1.0, 2.0),), direction=0)
    desk.lay_out([query], [1.0, 1.0], SolveLimits())
    asked = desk.take()
    assert asked is not None
    desk.put(asked.number, query, Reply(Outcome.LIMIT, None, None, 0.0, False, Counts()))
    assert not desk.is_busy_with(query)
    assert desk.collect(query) is None
