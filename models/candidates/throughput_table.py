"""Best throughput of a training cluster at every size, for one accelerator behind one network, by searching all mappings.

A cluster of N accelerators runs the best mapping that uses at most N of them (and at least half of the smallest size), so
throughput never falls with size. Tables are pure functions of their inputs and are kept by content where a memo is given.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from models.candidates.mapping_search import FIELDS, Question, keys_of, search_all
from models.candidates.table_sources import sources_digest
from models.physics.node_power import computing_share, computing_shares
from models.physics.performance.constants import PerformanceConstants
from models.physics.performance.mapping import Mappings
from models.physics.performance.training import TERMS, binding_term

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class Memo(Protocol):
    """Somewhere to keep tables by content."""

    def get(self, key: str) -> Mapping[str, npt.NDArray[Any]] | None:
        """The arrays kept under ``key``, or None."""
        ...

    def put(self, key: str, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Keeps arrays under ``key``; failing to do so is no error."""
        ...


class Profile(Protocol):
    """What stands behind the throughput of pods of every size of one part behind one network."""

    def describe(self, accelerators: int) -> dict[str, Any]:
        """How a pod of this size runs, as plain values."""
        ...


@dataclass(frozen=True)
class ThroughputTable:
    """Best and runner-up by number of accelerators used, ascending and each better than all before.

    ``used`` (n); ``tokens_s`` (n); ``best``, ``second`` (n x fields of a mapping; NaN where there is no runner-up);
    ``second_tokens_s`` (n); ``terms`` (n x terms) seconds per step; ``memory`` (n) bytes per accelerator.
    """

    used: Ints
    tokens_s: Floats
    best: Floats
    second: Floats
    second_tokens_s: Floats
    terms: Floats
    memory: Floats

    def row_for(self, accelerators: npt.ArrayLike) -> Ints:
        """Row of the best mapping for each size, -1 where no mapping fits."""
        return np.asarray(np.searchsorted(self.used, np.asarray(accelerators), side="right") - 1, dtype=np.int64)

    def rate(self, accelerators: npt.ArrayLike) -> Floats:
        """Tokens per second at each size without failures; zero where no mapping fits."""
        rows = self.row_for(accelerators)
        if not len(self.used):
            return np.zeros(len(rows))
        return np.where(rows >= 0, self.tokens_s[np.maximum(rows, 0)], 0.0)

    def activity(self, accelerators: npt.ArrayLike) -> tuple[Floats, Floats]:
        """Share of a step spent computing, and share of the accelerators that take part; NaN where no mapping fits."""
        sizes = np.asarray(accelerators)
        rows = self.row_for(sizes)
        if not len(self.used):
            return np.full(len(rows), np.nan), np.full(len(rows), np.nan)
        shares = computing_shares(self.terms, TERMS)
        found = np.maximum(rows, 0)
        return np.where(rows >= 0, shares[found], np.nan), np.where(rows >= 0, self.used[found] / sizes, np.nan)

    def describe(self, accelerators: int) -> dict[str, Any]:
        """The mapping a cluster of this size runs: its text, runner-up, binding term, terms [s per step], memory [B]."""
        row = int(self.row_for([accelerators])[0])
        terms = dict(zip(TERMS, (float(v) for v in self.terms[row]), strict=True))
        second = None if np.isnan(self.second[row]).any() else _choice(self.second[row])
        return {
            "mapping": _choice(self.best[row]),
            "accelerators_used": int(self.used[row]),
            "runner_up": second,
            "runner_up_share": None if second is None else float(self.second_tokens_s[row] / self.tokens_s[row]),
            "binding": binding_term(terms),
            "computing_share": computing_share(terms),
            "step_s": float(sum(terms.values())),
            "terms_s": terms,
            "memory_bytes": float(self.memory[row]),
        }


def _choice(row: Floats) -> str:
    mappings = Mappings(**{name: np.array([row[i]]) for i, name in enumerate(FIELDS)})
    return str(mappings.row(0))


def throughput_tables(
    questions: Sequence[Question], constants: PerformanceConstants, memo: Memo | None = None
) -> list[ThroughputTable]:
    """The table of every question, from the memo where it is kept there; what is missing is searched together."""
    keys = keys_of(questions, constants, sources_digest())
    found: dict[str, ThroughputTable] = {}
    missing: dict[str, Question] = {}
    for key, question in zip(keys, questions, strict=True):
        kept = memo.get(key) if memo is not None and key not in found else None
        if kept is not None:
            found[key] = ThroughputTable(**{f.name: kept[f.name] for f in dataclasses.fields(ThroughputTable)})
        elif key not in found:
            missing[key] = question
    for key, columns in zip(missing, search_all(list(missing.values()), constants), strict=True):
        found[key] = ThroughputTable(**columns)
        if memo is not None:
            memo.put(key, columns)
    return [found[key] for key in keys]
