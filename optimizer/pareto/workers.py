"""Where questions are answered: in this process, or spread over several that each hold a hot copy of the problem."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from optimizer.backends.protocol import SolveLimits
from optimizer.pareto.oracle import Oracle, Reply
from optimizer.pareto.query import Query


class Answerer(Protocol):
    """Answers questions in order."""

    def answer(self, queries: Sequence[Query], limits: SolveLimits) -> list[Reply]:
        """One reply per question, in order."""
        ...

    def close(self) -> None:
        """Release what was held."""
        ...


class InProcess:
    """Answers one question after the other with one oracle."""

    def __init__(self, oracle: Oracle) -> None:
        self._oracle = oracle

    def answer(self, queries: Sequence[Query], limits: SolveLimits) -> list[Reply]:
        """See ``Answerer``."""
        return [self._oracle.ask(query, limits) for query in queries]

    def close(self) -> None:
        """Nothing is held."""
