"""Memory of one training rank, counted tensor by tensor at its stored width.

States, per parameter: weight and its copies, gradient, and 12 bytes of optimizer state (fp32 master and two moments)
divided over the ranks that share it. Saved activations, per layer, token and rank: the input of every linear at its own
width, Q/K/V and the attention output at 2 bytes, norms at 2 bytes; scores and their mask (5 bytes each) only where
attention is not fused. In flight: p (1 + (p-1)/(p v)) / p of the layers of all stages on the first one.

Korthikanti et al. 2022 give the same counts for fp16; the fp8 counts follow what framework logs report for 405B runs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.physics.performance.cards import AcceleratorCard, ModelShape
from models.physics.performance.constants import Software
from models.physics.performance.layers import kv_elements, shared_width
from models.physics.performance.mapping import FULL, FULLY_SHARDED, OPTIMIZER_SHARDED, SELECTIVE, Mappings
from models.physics.performance.setting import Run

Array = NDArray[np.float64]


_PLAIN = Run()


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


def widths(accelerator: AcceleratorCard, dtype: str, run: Run = _PLAIN) -> Widths:
    """Stored and sent widths of a training run in ``dtype``, with what is said of ``run``.

    fp8 and fp4 keep the weight at one byte, and a transposed copy where the part multiplies only one layout (before 2025);
    their gradients are bf16. bf16 keeps fp32 gradients; fp16 keeps fp32 gradients and sends fp16.
    """
    usual = _usual_widths(accelerator, dtype)
    if run.gradient_bytes is not None:
        usual = replace(usual, gradient=run.gradient_bytes, send_gradient=run.gradient_bytes)
    return usual if run.optimizer_bytes is None else replace(usual, moments=run.optimizer_bytes)


def _usual_widths(accelerator: AcceleratorCard, dtype: str) -> Widths:
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


def sharding_ranks(m: Mappings, ranks: Array, run: Run) -> Array:
    """Ranks out of ``ranks`` that hold the same weights over which fully sharded ones are spread: a whole number of copies remains."""
    if run.shard_group is None:
        return ranks
    share = ranks / (m.dp * m.cp) * run.shard_group
    return np.where(m.shard == FULLY_SHARDED, np.clip(share, 1.0, ranks), ranks)


def state_bytes(
    model: ModelShape, m: Mappings, held: Held, w: Widths, *, shard_gradients: bool = False, run: Run = _PLAIN
) -> Array:
    """Weights, gradients and optimizer states of the fullest rank."""
    dense, experts, vocabulary = held.dense, held.experts, held.vocabulary
    full = m.shard == FULLY_SHARDED
    split = m.shard >= OPTIMIZER_SHARDED
    copies = sharding_ranks(m, m.dp * m.cp, run)
    total = np.zeros(len(m))
    spread = [(experts, sharding_ranks(m, expert_copies(m), run))] if model.moe_layers else []
    parts = [(dense + vocabulary, copies), *spread]
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


def recomputed_saving(model: ModelShape, m: Mappings, w: Widths, parts: frozenset[str], *, thrifty: bool) -> Array:
    """Saved bytes of one layer and micro-batch that recomputing ``parts`` of it gives back, beyond what thrifty software rebuilds."""
    tokens = m.mbs * model.seq / m.cp
    moe = model.moe_layers / model.layers
    each = np.zeros(len(m))
    if "layernorm" in parts and not thrifty:
        each = each + 2.0 * w.saved * model.hidden / np.where(m.sp > 0.0, m.tp, 1.0)
    if "mla_up_proj" in parts and model.attention == "mla":
        each = each + 2.0 * 3.0 * model.heads * model.dim / m.tp
    inside = model.up * w.activation_input + (0.0 if thrifty else w.saved)
    if moe and "moe" in parts:
        each = each + moe * (
            inside * model.topk * model.moe_ffn / m.tp + w.saved * model.topk * m.etp / m.tp * model.hidden
        )
    elif moe and "moe_act" in parts and not thrifty:
        each = each + moe * w.saved * model.topk * model.moe_ffn / m.tp
    if moe and ("moe" in parts or "shared_experts" in parts):
        each = each + moe * (model.up * w.activation_input + w.saved) * shared_width(model) / m.tp
    if "mlp" in parts or "mlp_up" in parts:
        each = each + (1.0 - moe) * inside * model.ffn / m.tp
    return tokens * each


def _layer_bytes(
    model: ModelShape, m: Mappings, w: Widths, software: Software, run: Run, *, thrifty: bool
) -> tuple[Array, Array]:
    """What one layer and micro-batch would keep were the layer not recomputed whole, and of that the attention core."""
    layer, core = layer_activation_bytes(model, m, w, software)
    if thrifty:
        layer = layer - thrifty_saving(model, m, w, software)
    if run.recomputed:
        layer = layer - recomputed_saving(model, m, w, run.recomputed, thrifty=thrifty)
    return layer, core


def _input_bytes(model: ModelShape, m: Mappings) -> Array:
    """Bytes of the input of one layer and micro-batch: all that is kept where the layer is repeated whole."""
    kept: Array = m.mbs * model.seq / m.cp * 2.0 * model.hidden / np.where(m.sp > 0.0, m.tp, 1.0)
    return kept


def _kept(model: ModelShape, m: Mappings, layer: Array, core: Array, run: Run) -> Array:
    """Bytes kept of one layer and micro-batch: only its input where it is repeated whole, the mean where that holds for some."""
    share = repeated_share(model, m, run)
    saved = layer - np.where(m.recompute == SELECTIVE, core, 0.0)
    return share * _input_bytes(model, m) + (1.0 - share) * saved


def repeated_share(model: ModelShape, m: Mappings, run: Run) -> Array:
    """Share of the layers that the backward pass repeats whole: as the mapping has it, unless the run is known to repeat so many."""
    if run.full_layers is None:
        return m.repeated(model.layers)
    stated: Array = (m.recompute == FULL) * np.minimum(run.full_layers * m.pp * m.vp / model.layers, 1.0)
    return stated


def layer_saved_bytes(
    model: ModelShape, m: Mappings, w: Widths, software: Software, run: Run, *, thrifty: bool
) -> Array:
    """Bytes one layer and micro-batch keep for the backward pass on one rank, wherever they are kept."""
    layer, core = _layer_bytes(model, m, w, software, run, thrifty=thrifty)
    return _kept(model, m, layer, core, run)


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
    run: Run = _PLAIN,
) -> MemoryUse:
    """Bytes of the fullest rank, without what the runtime keeps for itself.

    ``thrifty`` counts what software that must save memory would keep: norm and activation outputs are rebuilt, gradients are
    sharded with the optimizer. The memory filter uses it, so that it rejects only what nobody could run.
    """
    w = widths(accelerator, dtype, run)
    layer, core = _layer_bytes(model, m, w, software, run, thrifty=thrifty)
    saved = (1.0 - run.offloaded) * _kept(model, m, layer, core, run)
    full = m.recompute == FULL
    flight, logits = _in_flight(model, m, global_batch)
    last = saved * model.layers / m.pp + np.where(m.pp > 1.0, logits, 0.0)
    working = np.where(full, layer, np.where(m.recompute == SELECTIVE, core, 0.0))
    workspace = np.where(m.pp > 1.0, working, np.maximum(working, logits))
    states = state_bytes(model, m, held or rank_parameters(model, m), w, shard_gradients=thrifty, run=run)
    return MemoryUse(states, np.maximum(saved * flight, last), workspace)


def _in_flight(model: ModelShape, m: Mappings, global_batch: float) -> tuple[Array, Array]:
    """(layers' worth of micro-batches kept by a rank of the first stage, bytes of one micro-batch's logits)."""
    rounds = global_batch / (m.mbs * m.dp)
    wave = np.where(m.vp > 1.0, 1.0 + (m.pp - 1.0) / (m.pp * m.vp), 1.0)
    logits = 6.0 * (m.mbs * model.seq / m.cp) * model.vocab / m.tp
    return model.layers * np.minimum(wave, rounds / m.pp), logits


def fewest_blocks(
    model: ModelShape,
    accelerator: AcceleratorCard,
    m: Mappings,
    global_batch: float,
    dtype: str,
    software: Software,
    limit: float,
    *,
    thrifty: bool = False,
    run: Run = _PLAIN,
) -> Array:
    """Layers per chunk that full recompute must repeat for every mapping of full recompute to fit in ``limit`` bytes; 0 for all.

    What is kept falls in a straight line with their number, on the first stage as on the last: one division each.
    """
    w = widths(accelerator, dtype, run)
    layer, _ = _layer_bytes(model, m, w, software, run, thrifty=thrifty)

    def used(blocks: Array) -> MemoryUse:
        chosen = replace(m, blocks=blocks)
        return memory_use(model, accelerator, chosen, global_batch, dtype, software, thrifty=thrifty, run=run)

    least = used(np.zeros(len(m)))
    room = limit - least.states - least.workspace
    flight, logits = _in_flight(model, m, global_batch)
    kept = np.minimum(room / flight, np.where(m.pp > 1.0, room - logits, room) * m.pp / model.layers)
    inside = 1.0 - run.offloaded
    share = (inside * layer - kept) / np.maximum(inside * (layer - _input_bytes(model, m)), 1e-9)
    chunk = model.layers / (m.pp * m.vp)
    blocks: Array = np.maximum(np.ceil(share * chunk - 1e-9), 1.0)
    blocks = np.where(used(np.minimum(blocks, chunk)).total <= limit, blocks, blocks + 1.0)
    return np.where(blocks < chunk, blocks, 0.0)
