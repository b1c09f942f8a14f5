"""What one layer asks of a package: matrix products, attention, memory traffic, saved tensors.

A matrix product (T x K x N) needs 2TKN operations and pays k0 (TK + TN + KN) more for its edges, so a block of products is
described by two sums over its weights: A = sum K N and B = sum (K + N), and takes c (T A + k0 (A + T B)). One side of
each product is divided by the tensor degree t.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.physics.performance.cards import ModelShape

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Products:
    """Sums over the matrix products of a block, per rank: weights A = sum KN, edges B = sum (K+N), inputs sum K, outputs sum N."""

    weights: Array
    inputs: Array
    outputs: Array

    @property
    def edges(self) -> Array:
        """B = sum (K + N)."""
        return self.inputs + self.outputs

    def __add__(self, other: Products) -> Products:
        return Products(
            self.weights + other.weights,
            self.inputs + other.inputs,
            self.outputs + other.outputs,
        )


def attention_products(model: ModelShape, t: Array) -> Products:
    """Projections around the attention core of the mean layer on one of t ranks: layers with a cache and of constant state."""
    full = cached_products(model, t)
    if not model.linear_layers:
        return full
    linear, share = state_products(model, t), model.linear_layers / model.layers
    return Products(
        full.weights + share * (linear.weights - full.weights),
        full.inputs + share * (linear.inputs - full.inputs),
        full.outputs + share * (linear.outputs - full.outputs),
    )


def state_products(model: ModelShape, t: Array) -> Products:
    """Query, key, value, gate and output projections of a layer of constant state on one of t ranks."""
    h = float(model.hidden)
    keys, values = (width / t for width in model.state_widths())
    return Products(h * (2.0 * keys + 3.0 * values), h + values, 2.0 * keys + 2.0 * values + h)


def cached_products(model: ModelShape, t: Array) -> Products:
    """Query, key, value and output projections of a layer that keeps a cache; keys are repeated when t exceeds kv_heads."""
    h = float(model.hidden)
    inner = model.heads * model.dim / t
    if model.attention == "mla":
        q, kv, r = float(model.q_latent), float(model.kv_latent), float(model.rope_dim)
        query = model.heads * (model.dim + r) / t
        down = h * q if q else 0.0
        weights = down + (q or h) * query + h * (kv + r) + kv * 2.0 * inner + inner * h
        inputs = (h if q else 0.0) + (q or h) + h + kv + inner
        outputs = q + query + (kv + r) + 2.0 * inner + h
        return Products(weights, inputs, outputs)
    keys = 2.0 * np.maximum(model.kv_heads / t, 1.0) * model.dim
    return Products(h * (inner + keys) + inner * h, h + inner, inner + keys + h)


def latent_up_products(model: ModelShape, t: Array) -> Products:
    """The projections of latent attention from its latents to queries, keys and values."""
    inner = model.heads * model.dim / t
    query = model.heads * (model.dim + float(model.rope_dim)) / t
    q, kv = float(model.q_latent), float(model.kv_latent)
    weights = q * query + kv * 2.0 * inner
    return Products(weights, (q + kv) + 0.0 * t, (query if q else 0.0) + 2.0 * inner)


def shared_width(model: ModelShape) -> float:
    """Inner width of the experts every token passes, all together."""
    return float(model.shared_ffn or model.shared_experts * model.moe_ffn)


def feed_forward_products(model: ModelShape, t: Array, width: float) -> Products:
    """Up (twice when gated) and down projection of inner ``width`` on one of t ranks."""
    h, f = float(model.hidden), width / t
    return Products((model.up + 1.0) * h * f, h + f, model.up * f + h)


def up_products(model: ModelShape, t: Array, width: float) -> Products:
    """The up projection alone, twice when gated."""
    h, f = float(model.hidden), width / t
    return Products(model.up * h * f, h + 0.0 * f, model.up * f)


def down_products(model: ModelShape, t: Array, width: float) -> Products:
    """The down projection alone."""
    h, f = float(model.hidden), width / t
    return Products(h * f, f, h + 0.0 * f)


def attention_operations(model: ModelShape, t: Array) -> Array:
    """Operations per query token and key token of the attention core of one rank: 4 per element, scores and values."""
    inner = model.heads * model.dim / t
    if model.attention == "mla":
        return 2.0 * inner + 2.0 * model.heads * (model.dim + model.rope_dim) / t
    return 4.0 * inner


def kv_elements(model: ModelShape, t: Array) -> Array:
    """Key and value elements per token of one rank, as exchanged by context-parallel ranks."""
    if model.attention == "mla":
        return np.full_like(t, model.kv_width())
    return 2.0 * np.maximum(model.kv_heads / t, 1.0) * model.dim


def norm_traffic(model: ModelShape) -> float:
    """Elements read or written per token by the parts tensor parallelism does not split: two norms, two residual sums."""
    return 10.0 * model.hidden


NORM_SHARE = 0.4
"""Share of that traffic which recomputing the two norms repeats: each reads its input and writes its output."""


def attention_traffic(model: ModelShape, t: Array) -> Array:
    """Elements moved per token around the attention core: heads split, rotated and laid out once."""
    return 2.0 * (model.heads * model.dim / t + kv_elements(model, t))


def activation_traffic(model: ModelShape, t: Array, width: float) -> Array:
    """Elements moved per token by the activation function of a feed-forward block of inner ``width``."""
    return (model.up + 1.0) * width / t


SORTED = 3.0
"""Times a token's hidden state is read or written per chosen expert on one rank: sorted by expert (2), and the results read for their sum."""
PERMUTED = 7.0
"""Times a token's hidden state is read or written per chosen expert: copied into the order of ranks (2), sorted by local expert (2),
and both undone, but for the sum over the experts that is written once (3)."""


OPTIMIZER_BYTES = 48.0
"""Bytes read or written per parameter by one Adam step in mixed precision: 28 by the update itself (weight, master, moments,
gradient), 20 by the gradient on its way there (unscaled into fp32, its norm, clipping)."""


LAYER_KERNELS = 10.0
"""Kernels of one pass of a layer: four matrix products, two norms, rotation or reshaping, attention and its second part, activation."""
EXPERT_KERNELS = 5.0
"""More of them with experts: routing product, selection, permutation, activation of shared experts, combination."""
LATENT_KERNELS = 3.0
"""More of them with latent attention: its down projections and the extra up projections."""


def kernels_per_layer(model: ModelShape) -> float:
    """Kernels started in one forward pass of the mean layer."""
    latent = LATENT_KERNELS if model.attention == "mla" else 0.0
    return LAYER_KERNELS + latent + EXPERT_KERNELS * model.moe_layers / model.layers


def expert_starts(model: ModelShape, local: Array) -> Array:
    """Products started in one forward pass of the mean layer by ``local`` experts, which each have their own: up and down."""
    return 2.0 * local * model.moe_layers / model.layers


def training_operations(model: ModelShape) -> float:
    """Model operations per token of one training step, nothing recomputed: 6 per active weight, and causal attention."""
    attended = model.attended(float(model.seq)) if model.window_layers else 0.5 * model.seq * model.attention_layers
    attention = attention_operations(model, np.ones(1))[0] * attended
    return 6.0 * model.active_params() + 3.0 * float(attention)
