"""Time of one decode step and of one prefill of a serving replica, for arrays of batches and tensor degrees.

A replica of n packages splits attention over t of them and runs n/t independent attention groups; its experts are spread over
all n. One layer of a decode step with b sequences per group (B = b n/t in the replica) and mean context c takes

    weights  max(bytes touched / HBM, products), casts        ``serving_products.py``
    cache    b c kv_width bytes / HBM or its arithmetic, split over min(t, kv_heads); a latent cache is read whole by every rank; layers with
             a window read c <= window tokens, those of constant state read and write it, b heads dim^2 elements in 32 bits
    traffic  element-wise reads and writes as training counts them, a token of each expert permuted there and back
    starts   kernels * launch of a 16-bit product, from the GEMM microbenchmark; narrow formats cast in kernels of their own
    network  two all-reduces over t, or dispatch and combine over n where there is more than one attention group
    host     what the host takes for b sequences, where that is longer than all of these together

Prefill takes products at the rate of the microbenchmarks too, and attention at the rate its kernel authors publish: what a training step
loses beside those was fitted on steps whose longer, slower part is the backward pass. Nothing here is fitted to serving measurements but the
host's time, a bound read off the fastest of them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.physics.performance import collectives, layers
from models.physics.performance.cards import WIDTH_BYTES, ModelShape
from models.physics.performance.serving_products import (
    blocks,
    cast_seconds,
    decode_products,
    joined_products,
    product_seconds,
    reading_seconds,
    traffic_seconds,
)
from models.physics.performance.serving_setting import WIDE, ServingSetting, cache_split, state_split

Array = NDArray[np.float64]

LATENT_DECODE = {"wide": 660.0 / 989.0, "narrow": 410.0 / 989.0}
"""Share of the 16-bit peak that single-query attention over a latent cache reaches, whose one key and value serve all heads, where the cache is
as wide as the products, and where it is unpacked from 8 bits (deepseek-ai/FlashMLA README: 660 and 410 of 989 TFLOP/s on H800)."""
DECODE_ATTENTION = 0.5
"""Share of the attention kernel rate that single-query attention reaches on arithmetic."""
EXPONENTIALS = 0.5
"""Time of the exponentials over that of the products of an attention kernel whose heads are 128 wide, 512 operations per exponential
(arXiv 2407.08608, section 1): narrower heads have fewer, and run slower by it, 497 against 648 TFLOP/s at 64 there."""
CAST_KERNELS, LATENT_CASTS = 2.0, 2.0
"""Kernels that cast the inputs of a block's products (attention, feed-forward) into a narrow format; more with latent attention."""
DECODE_KERNELS = 2.0
"""Kernels of a layer that only decoding has: the new entry is written to the cache, and the parts of a split attention are joined."""
STEP_KERNELS = 30.0
"""Kernels of a step outside its layers: inputs, embedding, last norm, output product, and the sampling of a token."""
HOST_SECONDS = 17.5e-6
"""Least seconds of an engine's host per sequence and step (scheduling, inputs, sampled tokens taken back and answered): no engine is
published to pass 57 thousand tokens per second and attention group (TensorRT-LLM 1.2, gpt-oss-20b of 1024 in and out, on B200 and GB200
alike); TensorRT-LLM 1.0 took 25 (Qwen3-30B). Engines of today do this while the accelerators compute."""


def starts_per_layer(s: ServingSetting) -> float:
    """Seconds of kernel starts in one layer: those of a training pass, and the casts into narrow formats."""
    kernels = layers.kernels_per_layer(s.model)
    if s.dtype not in WIDE:
        kernels += CAST_KERNELS
    if s.attention_dtype not in WIDE:
        kernels += CAST_KERNELS + (LATENT_CASTS if s.model.attention == "mla" else 0.0)
    return kernels * s.accelerator.curve("bf16").launch_s


def decode_step(s: ServingSetting, t: Array, batch: Array, context: float) -> dict[str, Array]:
    """Seconds of one step of the replica by term; ``batch`` sequences in the replica, ``context`` tokens each."""
    model, n = s.model, float(s.packages)
    local = np.maximum(batch * t / n, 1.0)
    computed = s.recorded(local)
    routed = computed / t * model.topk
    reading, arithmetic = decode_products(s, t, computed * n / t)
    cache = local * s.cache_bytes(context) / cache_split(s, t) / s.memory_rate
    cache = np.maximum(cache, _core_arithmetic(s, t, local, context))
    cache = cache + 2.0 * local * s.state_bytes() / state_split(s, t) / s.memory_rate
    layer = starts_per_layer(s) + DECODE_KERNELS * s.accelerator.curve("bf16").launch_s
    starts = float(model.layers) * layer + STEP_KERNELS * s.accelerator.curve("bf16").launch_s
    spent = {
        "hbm": np.maximum(reading - arithmetic, 0.0)
        + traffic_seconds(s, t, computed, routed)
        + cast_seconds(s, t, computed, routed),
        "gemm": arithmetic,
        "cache": cache,
        "launch": np.full_like(t, starts),
        "network": _step_network(s, t, computed * n / t, computed),
    }
    return spent | {"host": np.maximum(HOST_SECONDS * local - sum_of(spent), 0.0)}


def _core_arithmetic(s: ServingSetting, t: Array, local: Array, context: float) -> Array:
    """Arithmetic of single-query attention; a latent cache is multiplied by every head in its own width."""
    model = s.model
    per_pair = 4.0 * model.heads * model.dim / t
    if model.attention == "mla":
        per_pair = 2.0 * model.heads / t * (2.0 * model.kv_latent + model.rope_dim)
    share = s.accelerator.kernels.attention.forward * DECODE_ATTENTION
    if model.attention == "mla":
        share = LATENT_DECODE["wide" if s.cache_dtype in WIDE else "narrow"]
    rate = s.accelerator.peak_of("bf16") * share
    return local * model.held(context) * per_pair / rate


def _step_network(s: ServingSetting, t: Array, batch: Array, local: Array) -> Array:
    model, n = s.model, float(s.packages)
    network = s.constants.free.network
    ranks = collectives.group(s.accelerator, s.network, t, np.ones_like(t), network)
    reduce = collectives.all_reduce(s.accelerator, ranks, 2.0 * local * model.hidden)
    groups = n / t
    spread = collectives.group(s.accelerator, s.network, np.full_like(t, n), np.ones_like(t), network)
    sent = _exchange(s, spread, batch / n)
    dense = float(model.layers - model.moe_layers)
    expert = np.where(groups > 1.0, reduce + sent, 2.0 * reduce)
    spent: Array = dense * 2.0 * reduce + float(model.moe_layers) * expert
    return spent


def _exchange(s: ServingSetting, spread: collectives.Group, tokens: Array) -> Array:
    """Dispatch of ``tokens`` tokens of one rank to their experts and the combination of the results; once per domain reached."""
    topk = float(s.model.topk or 1)
    sent = tokens * topk * s.model.hidden * collectives.distinct_share(spread, topk, s.model.route_domains)
    there = collectives.all_to_all(spread, sent * WIDTH_BYTES[s.dtype])
    return there + collectives.all_to_all(spread, sent * 2.0)


def prefill(
    s: ServingSetting,
    t: Array,
    tokens: Array,
    prompt: float,
    others: Array | float = 1.0,
    beside: Array | None = None,
    *,
    alternating: bool = False,
) -> dict[str, Array]:
    """Seconds to prefill ``tokens`` prompt tokens in one attention group, in prompts of ``prompt`` tokens, by term.

    The mean group of the replica prefills ``others`` times as many at the same time; experts serve all of them.
    ``beside``: what it adds to the pass that decodes so many sequences of the replica, whose kernels and weights it shares.
    ``alternating``: attention groups prefill two batches in turn, one computing while the other exchanges, as replicas that only prefill
    are published to do; engines that also decode leave that off unless told otherwise.
    """
    model, card = s.model, s.accelerator
    gemm, routed = np.zeros_like(t), tokens / t * model.topk * others
    for block in blocks(s, t, tokens, routed):
        gemm = gemm + np.maximum(block.count * product_seconds(s, block), reading_seconds(s, block))
    casts = cast_seconds(s, t, tokens, routed)
    if beside is not None:
        gemm = joined_products(s, t, beside, tokens, routed)
    core = layers.attention_operations(model, t) * tokens * model.attended(prompt)
    core = core / (card.peak_of("bf16") * card.kernels.attention.forward * head_share(model))
    moved = traffic_seconds(s, t, tokens, routed)
    network = _prefill_network(s, t, tokens)
    work = gemm + core + casts + moved
    shown = np.maximum(network - work, 0.0) + s.constants.free.overlap_exposed * np.minimum(network, work)
    return {
        "gemm": gemm,
        "attention": core,
        "hbm": casts + moved,
        "launch": np.full_like(t, model.layers * starts_per_layer(s) if beside is None else 0.0),
        "network": np.where(s.packages / t > 1.0, shown, network) if alternating else network,
    }


def head_share(model: ModelShape) -> float:
    """Rate of an attention kernel over the published one, of heads 128 wide: the exponentials of narrower heads weigh more, wider ones gain nothing."""
    operations = float(layers.attention_operations(model, np.ones(1))[0]) / model.heads
    return min((1.0 + EXPONENTIALS) / (1.0 + EXPONENTIALS * 512.0 / operations), 1.0)


def _prefill_network(s: ServingSetting, t: Array, tokens: Array) -> Array:
    model, n = s.model, float(s.packages)
    efficiency = s.constants.free.network
    ranks = collectives.group(s.accelerator, s.network, t, np.ones_like(t), efficiency)
    reduce = collectives.all_reduce(s.accelerator, ranks, 2.0 * tokens * model.hidden)
    spread = collectives.group(s.accelerator, s.network, np.full_like(t, n), np.ones_like(t), efficiency)
    sent = _exchange(s, spread, tokens / t)
    dense = float(model.layers - model.moe_layers)
    expert = np.where(n / t > 1.0, reduce + sent, 2.0 * reduce)
    spent: Array = dense * 2.0 * reduce + float(model.moe_layers) * expert
    return spent


def sum_of(terms: dict[str, Array]) -> Array:
    """Sum over the terms of a pass."""
    found: Array = np.sum(list(terms.values()), axis=0)
    return found
