"""Where questions are answered: in this process, or spread over several that each hold a hot copy of the problem.

An answer depends on its question alone, so the results of a run are the same for any number of processes.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Protocol

import numpy as np

from models.errors import SolverError
from optimizer.backends.protocol import SolveLimits
from optimizer.compiled_model import Floats
from optimizer.pareto.oracle import Oracle, OracleOptions, Reply
from optimizer.pareto.problem import ScaledProblem
from optimizer.pareto.query import Query


class Answerer(Protocol):
    """Answers questions in order."""

    def answer(self, queries: Sequence[Query], limits: SolveLimits) -> Iterator[Reply]:
        """One reply per question, in order, each as soon as it is there. The caller may stop early."""
        ...

    def close(self) -> None:
        """Release what was held."""
        ...


class InProcess:
    """Answers one question after the other with one oracle."""

    def __init__(self, oracle: Oracle) -> None:
        self._oracle = oracle

    def answer(self, queries: Sequence[Query], limits: SolveLimits) -> Iterator[Reply]:
        """See ``Answerer``."""
        for query in queries:
            yield self._oracle.ask(query, limits)

    def close(self) -> None:
        """Nothing is held."""


class Processes:
    """Spreads the questions of a round over ``count`` processes. ``oracle`` gives the present delta."""

    def __init__(self, oracle: Oracle, count: int) -> None:
        self._oracle = oracle
        self._pool = ProcessPoolExecutor(
            max_workers=count,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_start,
            initargs=(oracle.problem, oracle.options),
        )

    def answer(self, queries: Sequence[Query], limits: SolveLimits) -> Iterator[Reply]:
        """See ``Answerer``. SolverError when a process dies."""
        delta = self._oracle.delta.tolist()
        futures: list[Future[Reply]] = [self._pool.submit(_ask, query, delta, limits) for query in queries]
        try:
            for future in futures:
                yield future.result()
        except BrokenProcessPool as error:
            raise SolverError("a worker process ended unexpectedly, perhaps for lack of memory") from error
        finally:
            for future in futures:
                future.cancel()

    def close(self) -> None:
        """End the processes."""
        self._pool.shutdown(wait=True, cancel_futures=True)


_held: dict[str, Oracle] = {}


def _start(problem: ScaledProblem, options: OracleOptions) -> None:
    """Build the hot copy of this process; a keyboard interrupt is the parent's business."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _held["oracle"] = Oracle(problem, options)


def _ask(query: Query, delta: list[float], limits: SolveLimits) -> Reply:
    oracle = _held["oracle"]
    held: Floats = np.array(delta)
    oracle.delta = held
    return oracle.ask(query, limits)
