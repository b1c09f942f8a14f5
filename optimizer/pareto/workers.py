"""Where questions are answered: in this process, or in this one and several others that each hold a hot copy of the problem.

An answer depends on its question alone, so the results of a run are the same for any number of processes: the run asks what it
would ask alone, in the same order, and the other processes only have some of the answers ready before they are asked for.
"""

from __future__ import annotations

import dataclasses
import multiprocessing
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Protocol

import numpy as np

from optimizer.backends.protocol import SolveLimits
from optimizer.pareto.oracle import Oracle, OracleOptions
from optimizer.pareto.problem import ScaledProblem
from optimizer.pareto.query import Outcome, Query
from optimizer.pareto.reply import Reply
from optimizer.processes import attend, starting

START_AFTER = 2.0
"""Seconds of answering before other processes are started: starting one takes about as long."""
MOST_KEPT = 256
"""Answers kept that were not asked for yet."""


class Answerer(Protocol):
    """Answers questions in order."""

    @property
    def ahead(self) -> int:
        """How many questions it would like to know before they are asked."""
        ...

    def answer(self, queries: Sequence[Query], limits: SolveLimits, soon: Sequence[Query] = ()) -> Iterator[Reply]:
        """One reply per question, in order, each as soon as it is there. The caller may stop early.

        ``soon`` are questions that may be asked after these, the likeliest first; they are answered when there is nothing else to do.
        """
        ...

    def close(self) -> None:
        """Release what was held."""
        ...


class InProcess:
    """Answers one question after the other with one oracle."""

    ahead = 0

    def __init__(self, oracle: Oracle) -> None:
        self._oracle = oracle

    def answer(self, queries: Sequence[Query], limits: SolveLimits, soon: Sequence[Query] = ()) -> Iterator[Reply]:
        """See ``Answerer``."""
        for query in queries:
            yield self._oracle.ask(query, limits)

    def close(self) -> None:
        """Nothing is held."""


class Processes:
    """Answers with the oracle of this process and with ``count - 1`` others like it. ``oracle`` gives the present delta.

    The others are started once ``start_after`` seconds were spent on answers, so that short runs do without them; one that dies is done
    without, too.
    """

    def __init__(self, oracle: Oracle, count: int, start_after: float = START_AFTER) -> None:
        self._oracle, self._count, self._start_after = oracle, count, start_after
        self.ahead = 2 * (count - 1)
        self._desk = Desk()
        self._helpers: list[_Helper] = []
        self._spent = 0.0
        self._delta: list[float] = []

    @property
    def helpers(self) -> int:
        """Processes started so far."""
        return len(self._helpers)

    @property
    def used(self) -> int:
        """Answers of other processes that were asked for."""
        return self._desk.used

    def answer(self, queries: Sequence[Query], limits: SolveLimits, soon: Sequence[Query] = ()) -> Iterator[Reply]:
        """See ``Answerer``."""
        delta = self._oracle.delta.tolist()
        if delta != self._delta:
            self._delta = delta
            self._desk.clear()
        self._start()
        for at, query in enumerate(queries):
            self._desk.lay_out([*queries[at + 1 :], *soon], delta, limits)
            began = time.perf_counter()
            reply = self._one(query, limits)
            self._spent += time.perf_counter() - began
            yield reply

    def _one(self, query: Query, limits: SolveLimits) -> Reply:
        """Its reply; while another process works on it, this one answers what may be asked next."""
        desk = self._desk
        while desk.is_busy_with(query):
            spare = desk.take(wait=False)
            if spare is None:
                desk.wait_for(query)
            else:
                desk.put(spare.number, spare.query, self._oracle.ask(spare.query, limits))
        return desk.collect(query) or self._oracle.ask(query, limits)

    def _start(self) -> None:
        if self._helpers or self._spent < self._start_after:
            return
        # this process has tried to list the frontier and could not
        options = dataclasses.replace(self._oracle.options, listing=False)
        self._helpers = [_Helper(self._oracle.problem, options, self._desk) for _ in range(self._count - 1)]

    def close(self) -> None:
        """End the processes, whatever they are at."""
        self._desk.shut()
        for helper in self._helpers:
            helper.end()


@dataclass(frozen=True, slots=True)
class Asked:
    """A question taken from the desk: ``number`` of its round, and what it is to be answered with."""

    number: int
    query: Query
    delta: list[float]
    limits: SolveLimits


class Desk:
    """What is to be answered ahead, what is being answered, and what lies ready; shared by the threads that serve the processes."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._wanted: list[Query] = []
        self._asked_with: tuple[list[float], SolveLimits] = ([], SolveLimits())
        self._busy: set[Query] = set()
        self._ready: dict[Query, Reply] = {}
        self._round = 0
        self._shut = False
        self.used = 0

    def lay_out(self, queries: Sequence[Query], delta: list[float], limits: SolveLimits) -> None:
        """Replace what is wanted."""
        with self._changed:
            self._wanted = [q for q in queries if q not in self._ready and q not in self._busy]
            self._asked_with = (delta, limits)
            self._changed.notify_all()

    def is_busy_with(self, query: Query) -> bool:
        """True while somebody works on it."""
        with self._changed:
            return query in self._busy

    def wait_for(self, query: Query) -> None:
        """Wait until nobody works on it any more."""
        with self._changed:
            while query in self._busy:
                self._changed.wait()

    def collect(self, query: Query) -> Reply | None:
        """The answer if it lies ready; None when whoever asks has to find it, as nobody else will any more."""
        with self._changed:
            self._wanted = [q for q in self._wanted if q != query]
            found = self._ready.pop(query, None)
            self.used += found is not None
            return found

    def take(self, *, wait: bool = True) -> Asked | None:
        """A question to answer, waited for if need be; None when there is none (any more)."""
        with self._changed:
            while wait and not self._wanted and not self._shut:
                self._changed.wait()
            if self._shut or not self._wanted:
                return None
            query = self._wanted.pop(0)
            self._busy.add(query)
            return Asked(self._round, query, *self._asked_with)

    def put(self, number: int, query: Query, reply: Reply | None) -> None:
        """Hand in an answer to a question of round ``number``; None, a failure or one cut short leave the question to whoever asks it."""
        with self._changed:
            if number != self._round:
                return
            self._busy.discard(query)
            if reply is not None and reply.outcome in (Outcome.OPTIMAL, Outcome.INFEASIBLE):
                self._ready[query] = reply
                while len(self._ready) > MOST_KEPT:
                    del self._ready[next(iter(self._ready))]
            self._changed.notify_all()

    def clear(self) -> None:
        """Forget everything: questions mean something else from here on."""
        with self._changed:
            self._round += 1
            self._wanted, self._busy, self._ready = [], set(), {}

    def shut(self) -> None:
        """Nothing is wanted any more."""
        with self._changed:
            self._shut = True
            self._busy.clear()
            self._changed.notify_all()


class _Helper:
    """Another process and the thread that serves it from the desk."""

    def __init__(self, problem: ScaledProblem, options: OracleOptions, desk: Desk) -> None:
        self._desk = desk
        self.ready = threading.Event()
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(problem, options, theirs), daemon=True)
        with starting():
            self._process.start()
        theirs.close()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        try:
            self._pipe.recv()
            self.ready.set()
            while (asked := self._desk.take()) is not None:
                reply: Reply | None = None
                try:
                    self._pipe.send((asked.query, asked.delta, asked.limits))
                    reply = self._pipe.recv()
                finally:
                    self._desk.put(asked.number, asked.query, reply)
        except (EOFError, OSError):
            return

    def end(self) -> None:
        """End the process and its thread."""
        self._process.terminate()
        self._process.join()
        self._thread.join()
        self._pipe.close()


def _work(problem: ScaledProblem, options: OracleOptions, pipe: Connection) -> None:
    """Answer what comes through ``pipe`` until it is closed."""
    attend()
    oracle = Oracle(problem, options)
    try:
        pipe.send(True)
        while True:
            query, delta, limits = pipe.recv()
            oracle.delta = np.array(delta)
            pipe.send(_reply(oracle, query, limits))
    except (EOFError, OSError):
        return


def _reply(oracle: Oracle, query: Query, limits: SolveLimits) -> Reply | None:
    """The reply, or None where asking fails: the run meets the same failure when it asks, and says so."""
    try:
        return oracle.ask(query, limits)
    except Exception:
        return None
