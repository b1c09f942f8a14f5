"""Best throughput of a training cluster at every size, for one accelerator behind one network, by searching all mappings.

All legal mappings of all sizes up to the largest are evaluated at once; a cluster of N accelerators runs the best mapping
that uses at most N of them, so throughput never falls with size. Tables are pure functions of their inputs and are kept by
content where a memo is given.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from models.physics.performance.cards import AcceleratorCard, ModelShape, Network, dtype_name
from models.physics.performance.constants import PerformanceConstants, Software
from models.physics.performance.mapping import Mappings, enumerate_mappings
from models.physics.performance.setting import Setting
from models.physics.performance.training import TERMS, binding_term, evaluate, usable_memory

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

FIELDS = tuple(f.name for f in dataclasses.fields(Mappings))


class Memo(Protocol):
    """Somewhere to keep tables by content."""

    def get(self, key: str) -> Mapping[str, npt.NDArray[Any]] | None:
        """The arrays kept under ``key``, or None."""
        ...

    def put(self, key: str, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Keeps arrays under ``key``; failing to do so is no error."""
        ...


@dataclass(frozen=True)
class Question:
    """What a table depends on. ``global_batch`` in sequences; sizes in accelerators, both ends included."""

    model: ModelShape
    accelerator: AcceleratorCard
    network: Network
    global_batch: int
    dtype: str
    smallest: int
    largest: int

    def key(self, constants: PerformanceConstants) -> str:
        """Hash of everything that can change the answer."""
        text = json.dumps([dataclasses.asdict(self), dataclasses.asdict(constants)], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()


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
    """The tables of questions that differ in the network alone, from the memo where they are kept there.

    More bandwidth never makes a mapping slower, so a mapping slower on the best network of the lot than the second best is on
    the worst can be neither first nor second on any of them, and is evaluated once only.
    """
    found: dict[str, ThroughputTable] = {}
    missing: list[tuple[str, Question]] = []
    for question in questions:
        key = question.key(constants)
        kept = memo.get(key) if memo is not None else None
        if kept is not None:
            found[key] = ThroughputTable(**{f.name: kept[f.name] for f in dataclasses.fields(ThroughputTable)})
        elif all(key != other for other, _ in missing):
            missing.append((key, question))
    if missing:
        for (key, _), made in zip(missing, _search([q for _, q in missing], constants), strict=True):
            found[key] = made
            if memo is not None:
                memo.put(key, {f.name: getattr(made, f.name) for f in dataclasses.fields(ThroughputTable)})
    return [found[question.key(constants)] for question in questions]


def _search(questions: Sequence[Question], constants: PerformanceConstants) -> list[ThroughputTable]:
    one = questions[0]
    name = dtype_name(one.dtype)
    if any(dataclasses.replace(q, network=one.network) != one for q in questions):
        raise ValueError("questions searched together differ in the network alone")

    def setting(network: Network) -> Setting:
        return Setting(
            one.model,
            one.accelerator,
            network,
            float(one.global_batch),
            name,
            constants,
            Software.of(name, one.accelerator.available),
        )

    settings = [setting(q.network) for q in questions]
    best, worst = (
        setting(_corner([q.network for q in questions], max)),
        setting(_corner([q.network for q in questions], min)),
    )
    collected: list[list[_Row]] = [[] for _ in questions]
    for packages in usable_sizes(one.model, one.global_batch, one.smallest, one.largest):
        mappings = enumerate_mappings(one.model, packages, one.global_batch)
        if not len(mappings):
            continue
        if len(questions) > 2:
            mappings = _contenders(best, worst, mappings)
        for rows, asked in zip(collected, settings, strict=True):
            _append(rows, asked, packages, mappings)
    return [_table(rows) for rows in collected]


def _corner(networks: Sequence[Network], pick: Callable[[Iterable[float]], float]) -> Network:
    """The network with the best (or worst) of every tier: at least (at most) as fast as each of the given ones."""
    tiers = []
    for level in zip(*(n.tiers for n in networks), strict=True):
        slack = min if pick is max else max
        tiers.append(
            dataclasses.replace(
                level[0],
                rate=pick(t.rate for t in level),
                oversubscription=slack(t.oversubscription for t in level),
                hop_s=slack(t.hop_s for t in level),
            )
        )
    return Network(tuple(tiers))


def _contenders(best: Setting, worst: Setting, mappings: Mappings) -> Mappings:
    quick = evaluate(best, mappings)
    fits = quick.memory <= usable_memory(best)
    slow = np.where(fits, evaluate(worst, mappings).step, np.inf)
    second = np.partition(slow, 1)[1] if len(slow) > 1 else slow[0]
    return mappings.take(np.flatnonzero(fits & (quick.step <= second)))


_Row = tuple[int, float, Floats, Floats, float, Floats, float]


def _append(rows: list[_Row], setting: Setting, packages: int, mappings: Mappings) -> None:
    """Adds the best mapping on exactly ``packages`` where it beats all smaller numbers."""
    if not len(mappings):
        return
    times = evaluate(setting, mappings)
    tokens = setting.global_batch * setting.model.seq
    step = np.where(times.memory <= usable_memory(setting), times.step, np.inf)
    first = int(np.argmin(step))
    if not np.isfinite(step[first]) or (rows and tokens / step[first] <= rows[-1][1]):
        return
    rest = step.copy()
    rest[first] = np.inf
    second = int(np.argmin(rest))
    found = bool(np.isfinite(rest[second]))
    rows.append(
        (
            packages,
            tokens / float(step[first]),
            _fields(mappings, first),
            _fields(mappings, second) if found else np.full(len(FIELDS), np.nan),
            tokens / float(rest[second]) if found else 0.0,
            np.array([float(times.terms[term][first]) for term in TERMS]),
            float(times.memory[first]),
        )
    )


def _table(rows: list[_Row]) -> ThroughputTable:
    n = len(rows)
    return ThroughputTable(
        used=np.array([r[0] for r in rows], dtype=np.int64),
        tokens_s=np.array([r[1] for r in rows], dtype=np.float64),
        best=np.array([r[2] for r in rows], dtype=np.float64).reshape(n, len(FIELDS)),
        second=np.array([r[3] for r in rows], dtype=np.float64).reshape(n, len(FIELDS)),
        second_tokens_s=np.array([r[4] for r in rows], dtype=np.float64),
        terms=np.array([r[5] for r in rows], dtype=np.float64).reshape(n, len(TERMS)),
        memory=np.array([r[6] for r in rows], dtype=np.float64),
    )


def _fields(mappings: Mappings, index: int) -> Floats:
    return np.array([float(getattr(mappings, name)[index]) for name in FIELDS])


def usable_sizes(model: ModelShape, global_batch: int, smallest: int, largest: int) -> list[int]:
    """Numbers of accelerators that any mapping can use exactly, from half of ``smallest`` (a fallback) to ``largest``.

    Data-parallel degrees divide the batch and pipelines are no deeper than the layers, so most sizes have no mapping.
    """
    copies = np.array([d for d in range(1, global_batch + 1) if global_batch % d == 0], dtype=np.int64)
    widths = np.array([w for w in range(1, 4097) if w & (w - 1) == 0 or model.heads % w == 0], dtype=np.int64)
    depths = np.arange(1, model.layers + 1, dtype=np.int64)
    inner = np.unique(np.multiply.outer(copies, widths))
    inner = inner[inner <= largest]
    sizes = np.unique(np.multiply.outer(inner, depths))
    return [int(n) for n in sizes if max(1, smallest // 2) <= n <= largest]
