"""Memory of one training rank, counted tensor by tensor at its stored width.

States, per parameter: weight and its copies, gradient, and 12 bytes of optimizer state (fp32 master and two moments)
divided over the ranks that share it. Saved activations, per layer, token and rank: the input of every linear at its own
width, Q/K/V and the attention output at 2 bytes, norms at 2 bytes; scores and their mask (5 bytes each) only where
attention is not fused. In flight: p (1 + (p-1)/(p v)) / p of the layers of all stages on the first one.

Korthikanti et al. 2022 give the same counts for fp16; the fp8 counts follow what framework logs report for 405B runs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.physics.performance.cards import AcceleratorCard, ModelShape
from models.physics.performance.constants import Software
from models.physics.performance.layers import kv_elements
from models.physics.performance.mapping import FULL, FULLY_SHARDED, OPTIMIZER_SHARDED, SELECTIVE, Mappings

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Widths:
    """Bytes per element: ``weight`` with every copy kept, ``gradient``, ``moments`` (optimizer), ``saved`` (linear inputs)."""

    weight: float
    gradient: float
    moments: float
    saved: float
    activation_input: float
    send_weight: float
    send_gradient: float


def widths(accelerator: AcceleratorCard, dtype: str) -> Widths:
    """Stored and sent widths of a training run in ``dtype``.

    fp8 and fp4 keep the weight at one byte, and a transposed copy where the part multiplies only one layout (before 2025);
    their gradients are bf16. bf16 keeps fp32 gradients; fp16 keeps fp32 gradients and sends fp16.
    """
    if dtype in ("fp8", "fp4"):
        transposed = 1.0 if 0.0 < accelerator.available < 2024.9 else 0.0
        return Widths(1.0 + transposed, 2.0, 12.0, 1.0, 1.0, 1.0, 2.0)
    if dtype == "fp16":
        # gradients accumulate in fp16; the optimizer keeps its own fp32 copy of them beside weight and moments
        return Widths(2.0, 2.0, 14.0, 2.0, 2.0, 2.0, 2.0)
    return Widths(2.0, 4.0, 12.0, 2.0, 2.0, 2.0, 4.0)


@dataclass(frozen=True, slots=True)
class MemoryUse:
    """Bytes on the fullest rank: ``states`` (weights, gradients, optimizer), ``activations``, ``workspace``."""

    states: Array
    activations: Array
    workspace: Array

    @property
    def total(self) -> Array:
        """Everything the framework allocates."""
        return self.states + self.activations + self.workspace


@dataclass(frozen=True, slots=True)
class Held:
    """Parameters of one rank of the fullest stage: attention and dense parts, routed experts, embedding."""

    dense: Array
    experts: Array
    vocabulary: Array


def rank_parameters(model: ModelShape, m: Mappings) -> Held:
    """How many parameters each rank holds when only tensor, pipeline and expert parallelism split them."""
    stages = m.pp
    dense_layers = model.layers - model.moe_layers
    shared = model.layers * model.attention_weights() + dense_layers * model.dense_weights()
    shared += model.moe_layers * model.shared_weights()
    dense = shared / (stages * m.tp) + model.moe_layers * model.hidden * float(model.experts) / stages
    experts = model.moe_layers * model.experts * model.expert_weights() / (stages * m.ep * m.etp)
    vocabulary = model.vocab * float(model.hidden) / m.tp * np.where(m.pp > 1.0, 1.0, 1.0 if model.tied else 2.0)
    return Held(dense, experts, vocabulary)


def expert_copies(m: Mappings) -> Array:
    """Ranks that hold the same experts."""
    return m.tp * m.cp * m.dp / (m.ep * m.etp)


def state_bytes(model: ModelShape, m: Mappings, held: Held, w: Widths, *, shard_gradients: bool = False) -> Array:
    """Weights, gradients and optimizer states of the fullest rank."""
    dense, experts, vocabulary = held.dense, held.experts, held.vocabulary
    full = m.shard == FULLY_SHARDED
    split = m.shard >= OPTIMIZER_SHARDED
    copies = m.dp * m.cp
    total = np.zeros(len(m))
    parts = [(dense + vocabulary, copies)] + ([(experts, expert_copies(m))] if model.moe_layers else [])
    for parameters, ranks in parts:
        kept = np.where(full, ranks, 1.0)
        shared = np.where(split, ranks, 1.0)
        gradients = w.gradient / (shared if shard_gradients else kept)
        # what is fully sharded is cast from the optimizer's own copy as it is gathered
        weights = np.where(full, 0.0, w.weight)
        total = total + parameters * (weights + gradients + w.moments / shared)
    # two gathered layers are alive at a time when everything is sharded
    gathered = 2.0 * 2.0 * (dense + experts) / np.maximum(model.layers / m.pp, 1.0)
    return total + np.where(full, gathered, 0.0)


def layer_activation_bytes(model: ModelShape, m: Mappings, w: Widths, software: Software) -> tuple[Array, Array]:
    """Saved bytes of one layer and micro-batch on one rank: (kept for the backward pass, of which attention core)."""
    tokens = m.mbs * model.seq / m.cp
    h, t = float(model.hidden), m.tp
    norm = np.where(m.sp > 0.0, t, 1.0)
    inner = model.heads * model.dim / t
    keys = kv_elements(model, t) if model.attention != "mla" else 2.0 * inner + model.kv_width()
    # both norms' inputs at 2 bytes, the inputs of the two column-split linears, a mask of one byte per dropout
    unsplit = (4.0 + 2.0 * w.saved + (0.0 if software.fused_attention else 2.0)) * h
    # narrow formats keep the attention output beside its cast copy
    output = w.saved if w.saved == 2.0 else w.saved + 2.0
    split = 2.0 * (inner + keys) + output * inner
    if model.moe_layers:
        moe_share = model.moe_layers / model.layers
        width = (model.topk * model.moe_ffn + (model.shared_ffn or model.shared_experts * model.moe_ffn)) / t
        moe = (model.up * w.activation_input + w.saved) * width + w.saved * model.topk * m.etp / t * h
        dense = (model.up * w.activation_input + w.saved) * model.ffn / t
        split = split + moe_share * moe + (1.0 - moe_share) * dense
    else:
        split = split + (model.up * w.activation_input + w.saved) * model.ffn / t
    body = tokens * (unsplit / norm + split)
    if software.fused_attention:
        core = tokens * 4.0 * model.heads / t
    else:
        core = 5.0 * model.heads / t * m.mbs * float(model.seq) ** 2 / m.cp
    return body + core, core


def thrifty_saving(model: ModelShape, m: Mappings, w: Widths, software: Software) -> Array:
    """Saved bytes of one layer and micro-batch that cheap recomputation gives back: norm outputs and activation outputs.

    Both are rebuilt from tensors kept anyway, at the price of a little element-wise traffic.
    """
    if not software.fused_attention:
        return np.zeros(len(m))
    tokens = m.mbs * model.seq / m.cp
    norms = 2.0 * w.saved * model.hidden / np.where(m.sp > 0.0, m.tp, 1.0)
    moe_share = model.moe_layers / model.layers
    width = (1.0 - moe_share) * model.ffn / m.tp
    if model.moe_layers:
        width = width + moe_share * model.topk * model.moe_ffn / m.tp
    return tokens * (norms + w.saved * width)


def memory_use(
    model: ModelShape,
    accelerator: AcceleratorCard,
    m: Mappings,
    global_batch: float,
    dtype: str,
    software: Software,
    *,
    thrifty: bool = False,
    held: Held | None = None,
) -> MemoryUse:
    """Bytes of the fullest rank, without what the runtime keeps for itself.

    ``thrifty`` counts what software that must save memory would keep: norm and activation outputs are rebuilt, gradients are
    sharded with the optimizer. The memory filter uses it, so that it rejects only what nobody could run.
    """
    w = widths(accelerator, dtype)
    layer, core = layer_activation_bytes(model, m, w, software)
    if thrifty:
        layer = layer - thrifty_saving(model, m, w, software)
    tokens = m.mbs * model.seq / m.cp
    kept_input = tokens * 2.0 * model.hidden / np.where(m.sp > 0.0, m.tp, 1.0)
    full = m.recompute == FULL
    saved = np.where(full, kept_input, layer - np.where(m.recompute == SELECTIVE, core, 0.0))
    rounds = global_batch / (m.mbs * m.dp)
    wave = np.where(m.vp > 1.0, 1.0 + (m.pp - 1.0) / (m.pp * m.vp), 1.0)
    first = saved * model.layers * np.minimum(wave, rounds / m.pp)
    logits = 6.0 * tokens * model.vocab / m.tp
    last = saved * model.layers / m.pp + np.where(m.pp > 1.0, logits, 0.0)
    working = np.where(full, layer, np.where(m.recompute == SELECTIVE, core, 0.0))
    workspace = np.where(m.pp > 1.0, working, np.maximum(working, logits))
    states = state_bytes(model, m, held or rank_parameters(model, m), w, shard_gradients=thrifty)
    return MemoryUse(states, np.maximum(first, last), workspace)
