"""Best throughput of serving pods by role, for one accelerator behind one network: how a pod is cut into replicas, and each one's batch.

A pod of N accelerators runs ``floor(N / n)`` replicas of n packages each. Replicas tile scale-up domains: n divides the domain, or
is a power of two of whole domains. Every n is searched over tensor degrees and batches within the limits on latency; throughput of
all roles is counted in output tokens per second, a prefill replica's by the answers that follow its prompts.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.candidates.mapping_search import keys_of
from models.candidates.table_sources import sources_digest
from models.candidates.throughput_table import Memo
from models.physics.node_power import computing_share
from models.physics.performance.cards import AcceleratorCard, ModelShape, Network
from models.physics.performance.constants import PerformanceConstants
from models.physics.performance.inference import Role, ServingResult, best_serving
from models.physics.performance.mapping import divisors

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

MOST_PACKAGES = 512
"""Largest replica tried."""
TERMS = ("gemm", "attention", "hbm", "cache", "launch", "network", "host", "prefill")


@dataclass(frozen=True)
class ServingQuestion:
    """What a table depends on. Lengths in tokens, limits in seconds (None: none), ``largest`` pod in accelerators."""

    model: ModelShape
    accelerator: AcceleratorCard
    network: Network
    dtype: str
    role: Role
    prompt: float
    answer: float
    ttft: float | None
    tpot: float | None
    largest: int

    def key(self, constants: PerformanceConstants) -> str:
        """Hash of everything that can change the answer."""
        return keys_of([self], constants, "serving", sources_digest())[0]


@dataclass(frozen=True)
class ServingTable:
    """The best point of each replica size, ascending; sizes that meet no limit are left out.

    ``packages``, ``tensor``, ``batch`` (n); ``tokens_s`` (n) output tokens/s of one replica; ``ttft``, ``tpot`` (n) [s], NaN where the
    role has none; ``terms`` (n x terms) [s], NaN where the role has none; ``memory`` (n) bytes per accelerator.
    """

    role: Role
    packages: Ints
    tensor: Ints
    batch: Ints
    tokens_s: Floats
    ttft: Floats
    tpot: Floats
    terms: Floats
    memory: Floats

    def _row_for(self, accelerators: npt.ArrayLike) -> Ints:
        """Row of the replica that a pod of each size is best cut into; the smaller of equals."""
        replicas = np.asarray(accelerators)[:, None] // self.packages[None, :]
        return np.asarray(np.argmax(replicas * self.tokens_s[None, :], axis=1), dtype=np.int64)

    def rate(self, accelerators: npt.ArrayLike) -> Floats:
        """Output tokens per second of a pod of each size without failures; zero where no replica fits."""
        sizes = np.asarray(accelerators)
        if not len(self.packages):
            return np.zeros(len(sizes))
        rows = self._row_for(sizes)
        return np.asarray(sizes // self.packages[rows] * self.tokens_s[rows], dtype=np.float64)

    def activity(self, accelerators: npt.ArrayLike) -> tuple[Floats, Floats]:
        """Share of the time spent computing, and share of the accelerators that take part; NaN where no replica fits."""
        sizes = np.asarray(accelerators)
        if not len(self.packages):
            return np.full(len(sizes), np.nan), np.full(len(sizes), np.nan)
        rows = self._row_for(sizes)
        used = sizes // self.packages[rows] * self.packages[rows]
        shares = np.array([computing_share(self._terms(row)) for row in range(len(self.packages))])
        return shares[rows], used / sizes

    def _terms(self, row: int) -> dict[str, float]:
        return {t: float(v) for t, v in zip(TERMS, self.terms[row], strict=True) if not np.isnan(v)}

    def describe(self, accelerators: int) -> dict[str, Any]:
        """How a pod of this size serves: replicas, batch, latencies [s], binding term, terms [s per step or prefill], memory [B]."""
        row = int(self._row_for([accelerators])[0])
        terms = self._terms(row)
        size = int(self.packages[row])
        return {
            "role": self.role.value,
            "replica": size,
            "replicas": accelerators // size,
            "accelerators_used": accelerators // size * size,
            "tensor": int(self.tensor[row]),
            "batch": int(self.batch[row]),
            "ttft_s": _known(self.ttft[row]),
            "tpot_s": _known(self.tpot[row]),
            "binding": max(terms, key=lambda name: terms[name]),
            "computing_share": computing_share(terms),
            "terms_s": terms,
            "memory_bytes": float(self.memory[row]),
        }


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def replica_sizes(domain: int, largest: int) -> list[int]:
    """Packages per replica that tile scale-up domains of a pod of at most ``largest`` accelerators, ascending."""
    inside = [n for n in divisors(domain) if n <= largest]
    across, size = [], 2 * domain
    while size <= min(largest, MOST_PACKAGES):
        across.append(size)
        size *= 2
    return inside + across


def serving_tables(
    questions: Sequence[ServingQuestion], constants: PerformanceConstants, memo: Memo | None = None
) -> list[ServingTable]:
    """The table of every question, from the memo where it is kept there."""
    columns = [f.name for f in dataclasses.fields(ServingTable) if f.name != "role"]
    found: dict[str, ServingTable] = {}
    answers = []
    keys = keys_of(questions, constants, "serving", sources_digest())
    for key, question in zip(keys, questions, strict=True):
        if key not in found:
            kept = memo.get(key) if memo is not None else None
            if kept is not None:
                found[key] = ServingTable(question.role, **{name: kept[name] for name in columns})
            else:
                found[key] = _search(question, constants)
                if memo is not None:
                    memo.put(key, {name: getattr(found[key], name) for name in columns})
        answers.append(found[key])
    return answers


def _search(asked: ServingQuestion, constants: PerformanceConstants) -> ServingTable:
    rows: list[ServingResult] = []
    for packages in replica_sizes(int(asked.network.domain), asked.largest):
        result = best_serving(
            asked.model,
            asked.accelerator,
            asked.network,
            packages,
            asked.prompt,
            asked.answer,
            constants,
            asked.dtype,
            role=asked.role,
            ttft_limit=asked.ttft,
            tpot_limit=asked.tpot,
        )
        if result is not None:
            rows.append(result)
    n = len(rows)
    nan = float("nan")
    return ServingTable(
        role=asked.role,
        packages=np.array([r.packages for r in rows], dtype=np.int64),
        tensor=np.array([r.tensor for r in rows], dtype=np.int64),
        batch=np.array([r.batch for r in rows], dtype=np.int64),
        tokens_s=np.array([r.requests_s * asked.answer for r in rows], dtype=np.float64),
        ttft=np.array([nan if r.ttft_s is None else r.ttft_s for r in rows], dtype=np.float64),
        tpot=np.array([nan if r.tpot_s is None else r.tpot_s for r in rows], dtype=np.float64),
        terms=np.array([[r.terms.get(t, nan) for t in TERMS] for r in rows], dtype=np.float64).reshape(n, len(TERMS)),
        memory=np.array([r.memory_bytes for r in rows], dtype=np.float64),
    )
