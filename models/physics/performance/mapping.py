"""Parallel mappings as flat arrays, and every legal one of a model on N packages.

    packages = tensor * context * pipeline * data       expert groups lie inside tensor * context * data
    micro-batches m = global batch / (micro-batch * data), a whole number

Ranks are placed tensor first, then context, expert, data, pipeline: the order that keeps the busiest traffic closest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from models.physics.performance.cards import ModelShape

Array = NDArray[np.float64]

NO_RECOMPUTE, SELECTIVE, FULL = 0.0, 1.0, 2.0
REPLICATED, OPTIMIZER_SHARDED, FULLY_SHARDED = 0.0, 1.0, 3.0


@dataclass(frozen=True, slots=True)
class Mappings:
    """One mapping per element, all arrays of one length, whole numbers kept as float64.

    tp, cp, pp, dp: degrees; ep: expert-parallel degree; etp: tensor degree inside experts; vp: chunks per stage;
    mbs: sequences per micro-batch; recompute: 0 none, 1 attention core, 2 full; sp: sequence parallel (0 or 1);
    shard: 0 replicated, 1 optimizer states sharded, 3 everything sharded (FSDP); blocks: layers of every chunk that full recompute
    repeats, 0 for all of them.
    """

    tp: Array
    cp: Array
    pp: Array
    dp: Array
    ep: Array
    etp: Array
    vp: Array
    mbs: Array
    recompute: Array
    sp: Array
    shard: Array
    blocks: Array

    def __len__(self) -> int:
        return int(self.tp.shape[0])

    def take(self, index: NDArray[np.int64] | slice) -> Mappings:
        """The mappings at ``index``."""
        return Mappings(**{f.name: getattr(self, f.name)[index] for f in fields(self)})

    def needless(self, fits: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Mappings that only recompute more than the one before them, which fits: never faster, so never the best."""
        same = np.ones(len(self), dtype=bool)
        same[:1] = False
        for f in fields(self):
            column = getattr(self, f.name)
            step = column[1:] > column[:-1] if f.name == "recompute" else column[1:] == column[:-1]
            same[1:] &= step
        same[1:] &= fits[:-1]
        return same

    def repeated(self, layers: int) -> Array:
        """Share of ``layers`` that the backward pass repeats whole."""
        some = np.where(self.blocks > 0.0, np.minimum(self.blocks * self.pp * self.vp / layers, 1.0), 1.0)
        return np.where(self.recompute == FULL, some, 0.0)

    @staticmethod
    def join(parts: Sequence[Mappings]) -> Mappings:
        """Several one after the other; at least one."""
        return Mappings(**{f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Mappings)})

    def row(self, index: int) -> MappingChoice:
        """One mapping as plain numbers."""
        return MappingChoice(**{f.name: int(getattr(self, f.name)[index]) for f in fields(self)})

    @staticmethod
    def of(rows: Sequence[MappingChoice]) -> Mappings:
        """Arrays from single mappings."""
        return Mappings(
            **{f.name: np.array([getattr(r, f.name) for r in rows], dtype=np.float64) for f in fields(Mappings)}
        )


@dataclass(frozen=True, slots=True, order=True)
class MappingChoice:
    """One mapping, with the meaning of the fields of ``Mappings``."""

    tp: int = 1
    cp: int = 1
    pp: int = 1
    dp: int = 1
    ep: int = 1
    etp: int = 1
    vp: int = 1
    mbs: int = 1
    recompute: int = 0
    sp: int = 0
    shard: int = 1
    blocks: int = 0

    def __str__(self) -> str:
        parts = [f"tp{self.tp}", f"pp{self.pp}", f"dp{self.dp}"]
        parts += [f"cp{self.cp}"] if self.cp > 1 else []
        parts += [f"ep{self.ep}"] if self.ep > 1 else []
        parts += [f"vp{self.vp}"] if self.vp > 1 else []
        parts += [f"mbs{self.mbs}", ("none", "selective", "full")[self.recompute] + " recompute"]
        parts += [f"of {self.blocks} layers per chunk"] if self.blocks else []
        parts += ["fsdp"] if self.shard == int(FULLY_SHARDED) else []
        return " ".join(parts)


@dataclass(frozen=True, slots=True)
class Fixed:
    """Fields of a mapping that are given; ``None`` is searched over."""

    tp: int | None = None
    cp: int | None = None
    pp: int | None = None
    dp: int | None = None
    ep: int | None = None
    etp: int | None = None
    vp: int | None = None
    mbs: int | None = None
    recompute: int | None = None
    sp: int | None = None
    shard: int | None = None


def divisors(n: int) -> list[int]:
    """Every divisor of n, ascending."""
    small = [d for d in range(1, int(n**0.5) + 1) if n % d == 0]
    return small + [n // d for d in reversed(small) if d * d != n]


MAX_TENSOR, MAX_CONTEXT, MAX_MICRO_BATCH = 64, 64, 64


def enumerate_mappings(model: ModelShape, packages: int, global_batch: int, fixed: Fixed | None = None) -> Mappings:
    """Every legal mapping, in a fixed order; empty arrays when there is none.

    Legal: degrees divide the packages, heads divide by tensor, experts by expert groups, the batch by micro-batches, layers by
    stages and chunks (the embedding and the loss may count as one layer each); interleaving needs whole rounds of
    micro-batches; sequence parallel needs tensor parallel; full sharding is used without a pipeline. What is given in ``fixed`` is
    taken as it is, even where a search would not propose it.
    """
    return _enumerated(model, packages, global_batch, fixed or Fixed())


@lru_cache(maxsize=4)
def _enumerated(model: ModelShape, packages: int, global_batch: int, fixed: Fixed) -> Mappings:
    """The mappings depend on counts alone, so that parts and networks of one size share them; the arrays are read-only."""
    blocks = [
        _options(model, degrees, micro, fixed)
        for degrees in _degrees(model, packages, fixed)
        for micro in _micro_batches(model, global_batch, degrees, fixed)
    ]
    if not blocks:
        empty = np.zeros(0)
        return Mappings(*([empty] * len(fields(Mappings))))
    table = np.concatenate(blocks)
    columns = [np.ascontiguousarray(table[:, k]) for k in range(table.shape[1])]
    for column in columns:
        column.flags.writeable = False
    return Mappings(*columns)


def _degrees(model: ModelShape, packages: int, fixed: Fixed) -> Iterator[tuple[int, int, int, int]]:
    for tp in [fixed.tp] if fixed.tp else [t for t in divisors(packages) if t <= MAX_TENSOR and model.heads % t == 0]:
        if packages % tp:
            continue
        rest = packages // tp
        for cp in (
            [fixed.cp] if fixed.cp else [c for c in divisors(rest) if c <= MAX_CONTEXT and context_fits(model, c)]
        ):
            if rest % cp:
                continue
            for pp in [fixed.pp] if fixed.pp else [p for p in divisors(rest // cp) if p <= model.layers]:
                if (rest // cp) % pp:
                    continue
                dp = rest // cp // pp
                if fixed.dp is None or fixed.dp == dp:
                    yield tp, cp, pp, dp


def context_fits(model: ModelShape, cp: int) -> bool:
    """Context parallel splits a sequence into 2 cp pieces of at least 512 tokens."""
    return cp == 1 or (model.seq % (2 * cp) == 0 and model.seq // cp >= 1024)


def _micro_batches(
    model: ModelShape, global_batch: int, degrees: tuple[int, int, int, int], fixed: Fixed
) -> Iterator[tuple[int, int]]:
    """(micro-batch, chunks per stage) that fit the batch and the layers."""
    _, _, pp, dp = degrees
    if global_batch % dp:
        return
    per_rank = global_batch // dp
    sizes = [fixed.mbs] if fixed.mbs else [b for b in divisors(per_rank) if b <= MAX_MICRO_BATCH]
    for mbs in sizes:
        if per_rank % mbs:
            continue
        rounds = per_rank // mbs
        for vp in [fixed.vp] if fixed.vp else _chunks(model.layers, pp, rounds):
            yield mbs, vp


def _chunks(layers: int, pp: int, rounds: int) -> list[int]:
    if pp == 1:
        return [1]
    found = {1}
    if rounds % pp == 0:
        for slots in (layers, layers + 2):
            if slots % pp == 0:
                found.update(divisors(slots // pp))
    return sorted(found)


def _options(
    model: ModelShape, degrees: tuple[int, int, int, int], micro: tuple[int, int], fixed: Fixed
) -> NDArray[np.float64]:
    """All choices of experts, recompute, sequence parallel and sharding for one (degrees, micro-batch), one row each."""
    tp, cp, pp, dp = degrees
    mbs, vp = micro
    sp_choices = [fixed.sp] if fixed.sp is not None else ([0, 1] if tp > 1 else [0])
    shard_choices = [fixed.shard] if fixed.shard is not None else _sharding(pp, dp * cp)
    recompute_choices = [fixed.recompute] if fixed.recompute is not None else [0, 1, 2]
    # recompute varies fastest: a search passes over what a neighbour with less of it makes pointless
    rows = [
        (tp, cp, pp, dp, ep, etp, vp, mbs, recompute, sp, shard, 0)
        for ep, etp in _experts(model, tp, cp * dp, fixed)
        for sp in sp_choices
        for shard in shard_choices
        for recompute in recompute_choices
    ]
    return np.array(rows, dtype=np.float64).reshape(-1, len(fields(Mappings)))


def _sharding(pp: int, copies: int) -> list[int]:
    if copies == 1:
        return [0]
    return [1, 3] if pp == 1 else [1]


def _experts(model: ModelShape, tp: int, copies: int, fixed: Fixed) -> list[tuple[int, int]]:
    """(expert degree, tensor degree inside experts)."""
    if not model.experts:
        return [(1, 1)]
    if fixed.ep:
        # a stated degree is taken as it is; whether tensor parallelism splits the experts too is searched over
        inside = [fixed.etp] if fixed.etp else [1, tp] if tp > 1 else [1]
        fits = [(fixed.ep, t) for t in inside if copies * tp // t % fixed.ep == 0]
        return fits or [(fixed.ep, 1)]
    found = {(e, tp) for e in divisors(copies) if model.experts % e == 0}
    found |= {(e, 1) for e in divisors(copies * tp) if model.experts % e == 0}
    return sorted(pair for pair in found if fixed.etp in (None, pair[1]))
