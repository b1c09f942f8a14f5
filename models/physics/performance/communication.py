"""Exposed communication of one rank: tensor, context, expert, pipeline and data parallel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.physics.performance import collectives, layers
from models.physics.performance.mapping import FULLY_SHARDED, Mappings
from models.physics.performance.memory import Held, expert_copies, sharding_ranks, widths
from models.physics.performance.setting import Setting

Array = NDArray[np.float64]

SEND_EFFICIENCY = 0.85
"""Share of the link rate that one large message between two packages reaches, and so do the messages of an even exchange, none of which
waits for another: 43 to 46 GB/s of 50 are published of both (DeepEP between two nodes, the collective library with NVLink off)."""


def tensor(s: Setting, m: Mappings, tokens: Array, gemm: Array) -> tuple[Array, Array]:
    """Exposed tensor-parallel traffic of one layer, (forward, backward): two all-reduces, or their two halves each.

    The backward reduction of a linear's input gradient runs behind its weight-gradient product. Software that overlaps runs the halves
    behind products both ways, but for the share that always shows and what is longer than the products of one pass, ``gemm``.
    """
    ranks = collectives.group(s.accelerator, s.network, m.tp, np.ones(len(m)), s.constants.free.network)
    size = 2.0 * tokens * s.model.hidden
    reduce = 2.0 * collectives.all_reduce(s.accelerator, ranks, size)
    halves = 4.0 * collectives.gather(ranks, size)
    behind = np.maximum(reduce - gemm, 0.0)
    if not s.software.overlap:
        return np.where(m.sp > 0.0, halves, reduce), np.where(m.sp > 0.0, np.maximum(halves - gemm, 0.0), behind)
    shown = np.maximum(s.constants.free.overlap_exposed * halves, halves - gemm)
    return np.where(m.sp > 0.0, shown, reduce), np.where(m.sp > 0.0, shown, behind)


def context(s: Setting, m: Mappings, tokens: Array, forward: Array, backward: Array) -> Array:
    """Key/value ring of context-parallel ranks, hidden behind attention except for what is longer.

    Each rank sends to the next: a step out of a domain has one port, however many ranks of the group the domain holds.
    """
    ranks = collectives.group(s.accelerator, s.network, m.cp, m.tp, s.constants.free.network)
    size = 2.0 * tokens * layers.kv_elements(s.model, m.tp)
    once = (m.cp - 1.0) * size / ranks.link
    start = (m.cp - 1.0) * ranks.alpha
    exposed = np.maximum(once - forward, 0.0) + np.maximum(2.0 * once - backward, 0.0) + 2.0 * start
    return np.where(m.cp > 1.0, exposed, 0.0)


def expert(s: Setting, m: Mappings, tokens: Array, compute: Array) -> Array:
    """Exposed dispatch and combine of one forward pass of the mean layer.

    Experts wait for their tokens and the layer for its experts, so both show whole, unless another micro-batch computes meanwhile:
    ``compute`` [s] for each pass of the exchange.
    """
    stride = np.where(m.etp > 1.0, m.tp * 1.0, 1.0)
    ranks = collectives.group(s.accelerator, s.network, m.ep, stride, SEND_EFFICIENCY)
    rows = tokens / np.where(m.sp > 0.0, m.tp, 1.0) * s.model.topk * s.expert_imbalance
    sent: Array | float = 1.0
    if not s.run.each_copy:
        sent = collectives.distinct_share(ranks, float(s.model.topk), s.model.route_domains)
    # frameworks send activations in 16 bits both ways; the kernels made for overlap dispatch them in the products' format
    width = s.run.dispatch_bytes or (widths(s.accelerator, s.dtype).saved if s.expert_overlap else 2.0)
    total = collectives.all_to_all(ranks, rows * s.model.hidden * width * sent)
    total = total + collectives.all_to_all(ranks, rows * s.model.hidden * 2.0 * sent)
    if s.expert_overlap:
        total = total - (1.0 - s.constants.free.overlap_exposed) * np.minimum(total, compute)
    return total * (s.model.moe_layers / s.model.layers)


def pipeline_sends(s: Setting, m: Mappings, tokens: Array, chunk: Array) -> Array:
    """Exposed sends between stages per micro-batch: 2 v boundaries, one tensor share each."""
    stride = m.tp * m.cp * m.dp
    ranks = collectives.group(s.accelerator, s.network, np.minimum(m.pp, 2.0), stride, SEND_EFFICIENCY)
    once = ranks.alpha + 2.0 * tokens * s.model.hidden / m.tp / ranks.bandwidth
    if s.software.overlap:
        # interleaved schedules send one chunk while they compute the next
        once = np.where(m.vp > 1.0, np.maximum(once - chunk / 3.0, 0.0), once)
    return np.where(m.pp > 1.0, 2.0 * m.vp * once, 0.0)


def data_parallel(s: Setting, m: Mappings, held: Held, stage: Array, rounds: Array) -> Array:
    """Exposed gradient reduction and parameter gathering per step."""
    free = s.constants.free
    w = widths(s.accelerator, s.dtype, s.run)
    dense, experts, vocabulary = held.dense, held.experts, held.vocabulary
    parts = [(m.dp * m.cp, m.tp, dense + vocabulary)]
    if s.model.moe_layers:
        parts.append((expert_copies(m), m.tp * m.ep / np.maximum(m.tp / m.etp, 1.0), experts))
    reduce, collect, per_round = np.zeros(len(m)), np.zeros(len(m)), np.zeros(len(m))
    per_stage = s.model.layers / m.pp
    between = np.zeros(len(m))
    for ranks, stride, parameters in parts:
        spread = sharding_ranks(m, ranks, s.run)
        group = collectives.group(s.accelerator, s.network, spread, stride, free.network)
        if s.run.shard_group is not None:
            copies = collectives.group(s.accelerator, s.network, ranks / spread, stride * spread, free.network)
            between = between + 2.0 * collectives.gather(copies, w.send_gradient * parameters / spread)
        reduce = reduce + collectives.gather(group, w.send_gradient * parameters)
        collect = collect + collectives.gather(group, w.send_weight * parameters)
        per_round = per_round + 3.0 * per_stage * collectives.gather(group, 2.0 * parameters / per_stage)
    full = m.shard == FULLY_SHARDED
    sharded = rounds * np.maximum(per_round - stage, 0.0) + free.sharded_exposed * np.minimum(per_round, stage) * rounds
    once = np.where(full, between, reduce + collect)
    if s.software.overlap:
        once = once - np.minimum((1.0 - free.overlap_exposed) * once, stage)
    return np.where(full, sharded + once, once)
