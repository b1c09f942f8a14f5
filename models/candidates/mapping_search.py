"""Searches the mappings of many parts and networks together, sharing what they have in common.

Valid bounds keep the work small, and the answer exact:

- mappings that do not fit in memory, or recompute more than a neighbour that fits, are not timed;
- more bandwidth never makes a mapping slower: one that is slower on the best network of a part than the second best is on the
  worst is neither first nor second on any of them;
- a size slower on the best network than a smaller one on the worst is never used.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from models.candidates.table_sources import sources_digest
from models.physics.performance.cards import AcceleratorCard, ModelShape, Network, dtype_name
from models.physics.performance.constants import PerformanceConstants, Software
from models.physics.performance.mapping import Mappings, enumerate_mappings
from models.physics.performance.setting import Setting
from models.physics.performance.sizing import usable_sizes
from models.physics.performance.training import TERMS, evaluate, least_memory, least_repeats, usable_memory

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Columns = dict[str, npt.NDArray[Any]]

FIELDS = tuple(f.name for f in dataclasses.fields(Mappings))
TOGETHER = 100_000
"""Mappings of neighbouring sizes looked at together."""
LEADERS = 6
"""Fastest mappings of a size on the best network that are timed on the worst, for a bound on its second best there."""


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
        return keys_of([self], constants, sources_digest())[0]


def keys_of(questions: Sequence[Any], constants: PerformanceConstants, *before: object) -> list[str]:
    """Hash of each question (a dataclass) with the constants and whatever stands ``before`` it; what all share is written out once."""
    written: dict[int, str] = {}

    def text(part: Any) -> str:
        if not dataclasses.is_dataclass(part):
            return json.dumps(part, sort_keys=True, default=str)
        if id(part) not in written:
            written[id(part)] = json.dumps(dataclasses.asdict(part), sort_keys=True, default=str)  # type: ignore[arg-type]
        return written[id(part)]

    found = []
    for asked in questions:
        fields = sorted(field.name for field in dataclasses.fields(asked))
        own = ", ".join(f"{json.dumps(name)}: {text(getattr(asked, name))}" for name in fields)
        whole = ", ".join([*map(json.dumps, before), f"{{{own}}}", text(constants)])
        found.append(hashlib.sha256(f"[{whole}]".encode()).hexdigest())
    return found


@dataclass
class _Part:
    """The questions that differ in the network alone, and the mappings of each size that may still win."""

    settings: list[Setting]
    best: Setting
    worst: Setting
    sizes: list[int] = field(default_factory=list)
    contenders: list[Mappings] = field(default_factory=list)
    reached: float = 0.0
    """Most tokens/s of the sizes so far on the worst network."""

    @property
    def tokens(self) -> float:
        """Tokens per optimizer step."""
        return self.best.global_batch * self.best.model.seq


def search_all(questions: Sequence[Question], constants: PerformanceConstants) -> list[Columns]:
    """The columns of the throughput table of every question, in order."""
    answers: list[Columns | None] = [None] * len(questions)
    alike: dict[tuple[Any, ...], list[int]] = {}
    for number, asked in enumerate(questions):
        alike.setdefault((asked.model, asked.global_batch, asked.smallest, asked.largest), []).append(number)
    for (model, batch, smallest, largest), numbers in alike.items():
        parts: dict[str, list[int]] = {}
        for number in numbers:
            inner = Network(questions[number].network.tiers[:1])
            key = dataclasses.replace(questions[number], network=inner).key(constants)
            parts.setdefault(key, []).append(number)
        searched = [_part([questions[n] for n in members], constants) for members in parts.values()]
        for mappings, ends in _runs(model, batch, max(1, smallest // 2), largest):
            for part in searched:
                _screen(part, mappings, ends)
        for part, members in zip(searched, parts.values(), strict=True):
            for number, columns in zip(members, _tables(part), strict=True):
                answers[number] = columns
    return [columns for columns in answers if columns is not None]


def _part(questions: Sequence[Question], constants: PerformanceConstants) -> _Part:
    def setting(asked: Question, network: Network) -> Setting:
        name = dtype_name(asked.dtype)
        software = Software.of(name, asked.accelerator.available)
        return Setting(
            asked.model, asked.accelerator, network, float(asked.global_batch), name, constants, software
        )  # fmt: skip

    one, networks = questions[0], [q.network for q in questions]
    return _Part(
        [setting(q, q.network) for q in questions],
        setting(one, _corner(networks, max)),
        setting(one, _corner(networks, min)),
    )


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


def _runs(
    model: ModelShape, batch: int, smallest: int, largest: int
) -> Iterator[tuple[Mappings, list[tuple[int, int]]]]:
    """All mappings of ascending sizes, some sizes at a time, with (size, end of its mappings)."""
    parts: list[Mappings] = []
    ends: list[tuple[int, int]] = []
    count = 0
    for packages in usable_sizes(model, batch, smallest, largest):
        mappings = enumerate_mappings(model, packages, batch)
        if not len(mappings):
            continue
        parts.append(mappings)
        count += len(mappings)
        ends.append((packages, count))
        if count >= TOGETHER:
            yield Mappings.join(parts), ends
            parts, ends, count = [], [], 0
    if parts:
        yield Mappings.join(parts), ends


def _screen(part: _Part, mappings: Mappings, ends: Sequence[tuple[int, int]]) -> None:
    """Keeps of every size the mappings that may be first or second on some network of the part."""
    fits = least_memory(part.best, mappings) <= usable_memory(part.best)
    chosen = np.flatnonzero(fits & ~mappings.needless(fits))
    if not len(chosen):
        return
    timed = least_repeats(part.best, mappings.take(chosen))
    quick = evaluate(part.best, timed).step
    stops = np.searchsorted(chosen, [end for _, end in ends])
    starts = np.concatenate([[0], stops[:-1]])
    leaders = [start + _fastest(quick[start:stop]) for start, stop in zip(starts, stops, strict=True)]
    slow = evaluate(part.worst, timed.take(np.concatenate(leaders).astype(np.int64))).step
    at = 0
    for (packages, _), start, stop, leading in zip(ends, starts, stops, leaders, strict=True):
        if start == stop:
            continue
        worst = np.sort(slow[at : at + len(leading)])
        at += len(leading)
        if part.tokens / quick[start:stop].min() <= part.reached:
            continue
        part.reached = max(part.reached, part.tokens / float(worst[0]))
        bound = worst[1] if len(worst) > 1 else np.inf
        part.sizes.append(packages)
        part.contenders.append(timed.take(start + np.flatnonzero(quick[start:stop] <= bound)))


def _fastest(step: Floats) -> Ints:
    return np.sort(np.argsort(step, kind="stable")[:LEADERS]).astype(np.int64)


def _tables(part: _Part) -> Iterator[Columns]:
    """The table of every question of a part: sizes in ascending order, each better than all before."""
    if not part.sizes:
        empty = _columns([], np.zeros((len(TERMS), 0)), np.zeros(0))
        for _ in part.settings:
            yield empty
        return
    mappings = Mappings.join(part.contenders)
    stops = np.cumsum([len(m) for m in part.contenders])
    starts = np.concatenate([[0], stops[:-1]])
    fields = np.stack([getattr(mappings, name) for name in FIELDS], axis=1)
    for setting in part.settings:
        times = evaluate(setting, mappings)
        step = times.step
        rows: list[_Row] = []
        for packages, start, stop in zip(part.sizes, starts.tolist(), stops.tolist(), strict=True):
            first = start + int(np.argmin(step[start:stop]))
            rate = part.tokens / float(step[first])
            if rows and rate <= rows[-1].tokens_s:
                continue
            rest = step[start:stop].copy()
            rest[first - start] = np.inf
            second = start + int(np.argmin(rest))
            other = float(rest[second - start])
            known = bool(np.isfinite(other))
            rows.append(
                _Row(
                    packages,
                    rate,
                    first,
                    fields[first],
                    fields[second] if known else np.full(len(FIELDS), np.nan),
                    part.tokens / other if known else 0.0,
                )
            )
        yield _columns(rows, np.stack([times.terms[term] for term in TERMS]), times.memory)


@dataclass(frozen=True, slots=True)
class _Row:
    packages: int
    tokens_s: float
    index: int
    best: Floats
    second: Floats
    second_tokens_s: float


def _columns(rows: Sequence[_Row], terms: Floats, memory: Floats) -> Columns:
    n = len(rows)
    index = np.array([r.index for r in rows], dtype=np.int64)
    return {
        "used": np.array([r.packages for r in rows], dtype=np.int64),
        "tokens_s": np.array([r.tokens_s for r in rows], dtype=np.float64),
        "best": np.array([r.best for r in rows], dtype=np.float64).reshape(n, len(FIELDS)),
        "second": np.array([r.second for r in rows], dtype=np.float64).reshape(n, len(FIELDS)),
        "second_tokens_s": np.array([r.second_tokens_s for r in rows], dtype=np.float64),
        "terms": np.ascontiguousarray(terms[:, index].T),
        "memory": memory[index],
    }
