"""Time of one layer's arithmetic and memory traffic on one rank, and of the output layer.

product   2TKN/(peak e_max g) (1 + k0 (1/T + 1/K + 1/N)) + o * operand bytes / HBM       g, o: free constants
casts     cast_bytes per element entering a product in a narrow format, over HBM
attention 4 T s h / (2 t) / (peak_bf16 * kernel * a), backward 2.5 times that;  unfused: products plus 10 bytes per score
traffic   x * 2 bytes * (10 h / (t if sequence parallel) + what tensor parallelism splits), backward twice
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.physics.performance import layers
from models.physics.performance.mapping import Mappings
from models.physics.performance.memory import Held, widths
from models.physics.performance.setting import Setting

Array = NDArray[np.float64]

SCORE_BYTES = 10.0
"""Bytes moved per attention score and pass where scores are written to memory: product, softmax, dropout, product."""

LOSS_BYTES = 20.0
"""Bytes moved per logit, forward and backward: 16-bit logits, their 32-bit softmax and its gradient."""


@dataclass(frozen=True, slots=True)
class Forward:
    """One forward pass of one layer and micro-batch on one rank, in seconds.

    gemm: matrix products; last: the final one of them; attention, attention_backward: the core; traffic: element-wise; casts
    and casts_backward: narrow formats; scores: attention scores per pass where they are written.
    """

    gemm: Array
    last: Array
    attention: Array
    attention_backward: Array
    traffic: Array
    casts: Array
    casts_backward: Array
    scores: Array


def forward_pass(s: Setting, m: Mappings, tokens: Array) -> Forward:
    """The mean layer: attention of every layer, dense and expert feed-forward blocks by their share of the layers."""
    model, t = s.model, m.tp
    moe = model.moe_layers / model.layers
    dense = 1.0 - moe
    attend = layers.attention_products(model, t)
    gemm, cast = product_time(s, tokens, attend)
    casts, casts_backward = cast * attend.inputs, cast * attend.outputs
    split = layers.attention_traffic(model, t)
    last = np.zeros(len(m))
    if dense:
        block = layers.feed_forward_products(model, t, float(model.ffn))
        time, cast = product_time(s, tokens, block)
        last = dense * product_time(s, tokens, layers.down_products(model, t, float(model.ffn)))[0]
        gemm = gemm + dense * time
        casts, casts_backward = casts + dense * cast * block.inputs, casts_backward + dense * cast * block.outputs
        split = split + dense * layers.activation_traffic(model, t, float(model.ffn))
    if moe:
        time, moved, before, after = experts(s, m, tokens)
        gemm = gemm + moe * time
        split = split + moe * moved
        casts, casts_backward = casts + moe * before, casts_backward + moe * after
    norm = layers.norm_traffic(model) / np.where(m.sp > 0.0, t, 1.0)
    traffic = s.constants.free.traffic * 2.0 * tokens * (norm + split) / s.memory_rate
    core, backward, scores = attention(s, m, tokens)
    return Forward(gemm, last, core, backward, traffic, casts, casts_backward, scores)


def product_time(s: Setting, tokens: Array, block: layers.Products, copies: Array | float = 1.0) -> tuple[Array, Array]:
    """(matrix seconds, cast seconds) of one forward pass of a block; ``tokens`` rows spread over ``copies`` equal blocks."""
    curve = s.accelerator.curve(s.dtype)
    rate = s.accelerator.peak_of(s.dtype) * curve.e_max * s.constants.free.gemm
    time = 2.0 / rate * (tokens * block.weights + curve.k0 * (copies * block.weights + tokens * block.edges))
    narrow = widths(s.accelerator, s.dtype).saved
    operands = tokens * (narrow * block.inputs + 2.0 * block.outputs)
    time = time + s.constants.free.operand * operands / s.memory_rate
    return time, curve.cast_bytes * tokens / s.memory_rate


def experts(s: Setting, m: Mappings, tokens: Array) -> tuple[Array, Array, Array, Array]:
    """One forward pass of a layer's experts: (matrix seconds, elements moved per token, cast forward, cast backward)."""
    model = s.model
    rows = tokens * model.topk * s.expert_imbalance / (m.tp / m.etp)
    local = model.experts / m.ep
    block = layers.feed_forward_products(model, m.etp, model.moe_ffn)
    time, cast = product_time(s, rows, block, local)
    # few tokens per expert: the weights themselves must be read
    reading = local * block.weights * 2.0 / s.memory_rate
    time = np.maximum(time, reading)
    shared_width = layers.shared_width(model)
    shared = layers.feed_forward_products(model, m.tp, shared_width)
    shared_time, shared_cast = product_time(s, tokens, shared)
    per_token = rows / tokens
    traffic = per_token * (layers.PERMUTED * model.hidden + layers.activation_traffic(model, m.etp, model.moe_ffn))
    if shared_width:
        time = time + shared_time
        traffic = traffic + layers.activation_traffic(model, m.tp, shared_width)
    forward = cast * block.inputs + (shared_cast * shared.inputs if shared_width else 0.0)
    backward = cast * block.outputs + (shared_cast * shared.outputs if shared_width else 0.0)
    return time, traffic, forward, backward


def repeated(s: Setting, m: Mappings, tokens: Array) -> tuple[Array, Array]:
    """(matrix seconds, other seconds) of the parts of the mean layer that the run recomputes one by one."""
    model, parts = s.model, s.run.recomputed
    moe = model.moe_layers / model.layers
    gemm, moved = np.zeros(len(m)), np.zeros(len(m))
    casts = np.zeros(len(m))
    if "layernorm" in parts:
        moved = moved + layers.NORM_SHARE * layers.norm_traffic(model) / np.where(m.sp > 0.0, m.tp, 1.0)
    if "mla_up_proj" in parts and model.attention == "mla":
        block = layers.latent_up_products(model, m.tp)
        time, cast = product_time(s, tokens, block)
        gemm, casts, moved = gemm + time, casts + cast * block.inputs, moved + 2.0 * block.outputs
    if moe and "moe" in parts:
        time, traffic, before, _ = experts(s, m, tokens)
        gemm, casts, moved = gemm + moe * time, casts + moe * before, moved + moe * traffic
    elif moe and "moe_act" in parts:
        copies = model.topk * s.expert_imbalance / (m.tp / m.etp)
        moved = moved + moe * copies * layers.activation_traffic(model, m.etp, model.moe_ffn)
    widths_again = [(moe, layers.shared_width(model))] if "shared_experts" in parts and "moe" not in parts else []
    widths_again += [(1.0 - moe, float(model.ffn))] if "mlp" in parts else []
    for share, width in widths_again:
        block = layers.feed_forward_products(model, m.tp, width)
        time, cast = product_time(s, tokens, block)
        gemm, casts = gemm + share * time, casts + share * cast * block.inputs
        moved = moved + share * layers.activation_traffic(model, m.tp, width)
    if "mlp_up" in parts and "mlp" not in parts:
        block = layers.up_products(model, m.tp, float(model.ffn))
        time, cast = product_time(s, tokens, block)
        gemm, casts = gemm + (1.0 - moe) * time, casts + (1.0 - moe) * cast * block.inputs
    return gemm, casts + s.constants.free.traffic * 2.0 * tokens * moved / s.memory_rate


def attention(s: Setting, m: Mappings, tokens: Array) -> tuple[Array, Array, Array]:
    """(forward, backward, score traffic per pass) of the attention core of one layer."""
    model, card = s.model, s.accelerator
    operations = layers.attention_operations(model, m.tp) * tokens * float(model.seq)
    operations = operations * (model.attention_layers / model.layers)
    if model.window_layers and s.software.fused_attention:
        # kernels that write no scores skip what lies outside a window
        operations = operations * (model.attended(float(model.seq)) / (0.5 * model.seq * model.attention_layers))
    peak = card.peak_of("bf16")
    if s.software.fused_attention:
        kernel = getattr(card.kernels.attention, s.software.attention)
        forward = 0.5 * operations / (peak * kernel * s.constants.free.attention)
        return forward, 2.5 * forward, np.zeros(len(m))
    curve = card.curve("bf16")
    rate = peak * curve.e_max * s.constants.free.gemm
    forward = operations / rate * (1.0 + curve.k0 * (2.0 / model.seq + 1.0 / model.dim))
    scores = SCORE_BYTES * m.mbs * model.heads / m.tp * float(model.seq) ** 2 / m.cp
    return forward, 2.0 * forward, scores / s.memory_rate


def accumulation(s: Setting, m: Mappings, held: Held) -> Array:
    """Weight gradients of one layer read and written once per micro-batch."""
    return accumulation_seconds(s, m, (held.dense + held.experts) / (s.model.layers / m.pp))


def accumulation_seconds(s: Setting, m: Mappings, parameters: Array) -> Array:
    """Seconds to add one micro-batch to the gradients of ``parameters``; where there is only one, it only writes."""
    width = widths(s.accelerator, s.dtype, s.run).gradient
    share = np.where(s.global_batch > m.mbs * m.dp, 1.0, 0.5)
    return share * s.constants.free.operand * 2.0 * width * parameters / s.memory_rate


def output_layer(s: Setting, m: Mappings, tokens: Array) -> Array:
    """Logits and loss of one micro-batch, forward and backward; kept in 16 bits whatever the format of the layers."""
    width = s.model.vocab / m.tp
    curve = s.accelerator.curve("bf16")
    rate = s.accelerator.peak_of("bf16") * curve.e_max * s.constants.free.gemm
    h = float(s.model.hidden)
    products = 6.0 / rate * (tokens * h * width + curve.k0 * (h * width + tokens * (h + width)))
    once = products + LOSS_BYTES * tokens * width / s.memory_rate + accumulation_seconds(s, m, h * width)
    return (1.0 + s.run.predictions) * once
