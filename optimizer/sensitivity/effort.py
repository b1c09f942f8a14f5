"""What an analysis may spend and has spent: time, solves, processes; and the answers it need not find again."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from models.errors import InfeasibleError, StoppedError
from optimizer.compiled_model import CompiledModel
from optimizer.pareto import RunLimits, solve
from optimizer.pareto.result import FrontierStatus
from optimizer.processes import attend, ended_on_error, starting
from optimizer.sensitivity.journal import Journal, Solved


def without_best(name: str, proven: bool) -> InfeasibleError | StoppedError:
    """What to raise where an analysis has no best design to start from: there is none, or time ended before one was found."""
    if proven:
        return InfeasibleError(f"{name}: no design meets every limit; optimizer explain infeasible says which clash")
    return StoppedError(
        f"{name}: stopped before any design was found; the same command with --resume goes on from here"
    )


Item = TypeVar("Item")
Result = TypeVar("Result")
Task = Callable[[Any, Item, "Effort"], Result]
"""Asks one of many questions of something hot: ``task(hot, item, effort)``."""


@dataclass
class Effort:
    """Solves spent and the time they may take; shared by all questions of one analysis.

    ``workers``: processes independent questions are spread over; no result depends on their number. ``solves`` counts questions,
    answered from the ``journal`` or not.
    """

    seconds: float | None = None
    backend: str = "auto"
    workers: int = 1
    journal: Journal = field(default_factory=Journal)
    solves: int = 0
    started: float = field(default_factory=time.perf_counter)

    @property
    def spent(self) -> float:
        """Seconds since the start."""
        return time.perf_counter() - self.started

    @property
    def left(self) -> float | None:
        """Seconds until the end, None where there is none."""
        return None if self.seconds is None else max(0.05, self.seconds - self.spent)

    @property
    def over(self) -> bool:
        """True when no further question may be asked."""
        return self.seconds is not None and self.spent >= self.seconds

    def least(self, model: CompiledModel) -> Solved | None:
        """The least value of a program's one objective, from the journal where it was asked before; None where nothing was found in time."""
        self.solves += 1
        question = f"{model.fingerprint}.{self.backend}"
        known = self.journal.get(question)
        if known is not None:
            return known
        found = solve(model, limits=RunLimits(seconds=self.left), backend=self.backend)
        if found.status is FrontierStatus.INFEASIBLE:
            answer = Solved(math.inf, None)
        elif not found.n_points:
            return None
        else:
            x = found.solutions[0]
            used = np.flatnonzero(x)
            point = dict(zip(used.tolist(), x[used].tolist(), strict=True))
            answer = Solved(float(found.bounds[0][0]), point, found.status is FrontierStatus.COMPLETE)
        if answer.proven:
            self.journal.put(question, answer)
        return answer

    def part(self, seconds: float | None) -> Effort:
        """For one of several analyses: the same means, counted apart, with ``seconds`` of the time."""
        return Effort(seconds, self.backend, self.workers, self.journal)

    def each(self, task: Task[Item, Result], hot: Any, items: Sequence[Item]) -> Iterator[Result]:
        """``task(hot, item, effort)`` of every item in order, in processes of their own where there are several.

        ``hot`` is handed to each process once, so that what it has prepared is prepared everywhere. ``task`` is a function of a module
        and must answer from its arguments alone; past the end of the time it is still called, and has to say that it does not know.
        """
        if self.workers <= 1 or len(items) < 2:
            for item in items:
                yield task(hot, item, self)
            return
        given = (hot, self.left, self.backend, self.journal.path)
        pool = ProcessPoolExecutor(min(self.workers, len(items)), get_context("spawn"), _start, given)
        try:
            with ended_on_error():
                with starting():
                    answers = pool.map(_answer, [task] * len(items), items)
                for result, solves in answers:
                    self.solves += solves
                    yield result
        finally:
            # whoever has heard enough does not wait for what was never begun
            pool.shutdown(cancel_futures=True)


_OWN: dict[str, Any] = {}
"""What a process of ``Effort.each`` holds hot."""


def _start(hot: Any, seconds: float | None, backend: str, journal: Path | None) -> None:
    attend()
    _OWN["hot"] = hot
    _OWN["effort"] = Effort(seconds, backend, journal=Journal(journal, resume=True))


def _answer(task: Task[Any, Any], item: Any) -> tuple[Any, int]:
    effort: Effort = _OWN["effort"]
    before = effort.solves
    return task(_OWN["hot"], item, effort), effort.solves - before
