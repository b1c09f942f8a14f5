"""Time of one decode step and of one prefill of a serving replica, for arrays of batches and tensor degrees.

A replica of n packages splits attention over t of them and runs n/t independent attention groups; its experts are spread over
all n. One layer of a decode step with b sequences per group (B = b n/t in the replica) and mean context c takes

    weights  max(bytes touched / HBM, products)                  experts touched = E (1 - (1 - k/E)^B) of E
             products 2/(peak e_max) (R W + k0 (copies W + R edges)) for R rows, as the microbenchmarks have them, which are of
             serving kernels; all experts share one, whose edges are those of 16 bits at most (k0 is more in lone narrow products)
    cache    b c kv_width bytes / HBM, split over min(t, kv_heads); a latent cache is read whole by every rank; layers with
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

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.physics.performance import collectives, layers
from models.physics.performance.cards import WIDTH_BYTES, AcceleratorCard, ModelShape, Network
from models.physics.performance.constants import PerformanceConstants

Array = NDArray[np.float64]

DECODE_ATTENTION = 0.5
"""Share of the attention kernel rate that single-query attention reaches on arithmetic."""
EXPONENTIALS = 0.5
"""Time of the exponentials over that of the products of an attention kernel whose heads are 128 wide, 512 operations per exponential
(arXiv 2407.08608, section 1): narrower heads have fewer, and run slower by it, 497 against 648 TFLOP/s at 64 there."""
CAST_KERNELS, LATENT_CASTS = 2.0, 2.0
"""Kernels that cast the inputs of a block's products (attention, feed-forward) into a narrow format; more with latent attention."""
STATE_BYTES = 4.0
"""Bytes per element of the state of layers without a cache: kept in 32 bits, since every token adds to it."""
DECODE_KERNELS = 2.0
"""Kernels of a layer that only decoding has: the new entry is written to the cache, and the parts of a split attention are joined."""
STEP_KERNELS = 30.0
"""Kernels of a step outside its layers: inputs, embedding, last norm, output product, and the sampling of a token."""
EXPERT_IMBALANCE = 1.1
HOST_SECONDS = 17.5e-6
"""Least seconds of an engine's host per sequence and step (scheduling, inputs, sampled tokens taken back and answered): no engine is
published to pass 57 thousand tokens per second and attention group (TensorRT-LLM 1.2, gpt-oss-20b of 1024 in and out, on B200 and GB200
alike); TensorRT-LLM 1.0 took 25 (Qwen3-30B). Engines of today do this while the accelerators compute."""


@dataclass(frozen=True, slots=True)
class ServingSetting:
    """A replica held fixed: ``packages`` accelerators, products in ``dtype``, cache in ``cache_dtype``.

    ``weight_dtype`` is what weights are stored in where that is narrower than what the part multiplies.
    """

    model: ModelShape
    accelerator: AcceleratorCard
    network: Network
    constants: PerformanceConstants
    packages: int
    dtype: str
    cache_dtype: str
    weight_dtype: str | None = None

    @property
    def memory_rate(self) -> float:
        """B/s of memory that large streams reach."""
        return self.accelerator.hbm_rate * self.accelerator.kernels.hbm_efficiency

    @property
    def weight_width(self) -> float:
        """Bytes per weight."""
        return WIDTH_BYTES[self.weight_dtype or self.dtype]

    @property
    def wide_attention(self) -> bool:
        """Whether attention keeps 16 bits: in 4-bit models with experts, whose published checkpoints (NVFP4, MXFP4) quantise the
        feed-forward blocks alone; those of dense models quantise every product of a layer.
        """
        return (self.weight_dtype or self.dtype) == "fp4" and self.model.experts > 0

    @property
    def attention_dtype(self) -> str:
        """Format of attention's products."""
        return "bf16" if self.wide_attention else self.dtype

    @property
    def attention_width(self) -> float:
        """Bytes per weight of attention."""
        return WIDTH_BYTES["bf16"] if self.wide_attention else self.weight_width

    def state_bytes(self) -> float:
        """What one sequence holds beside its cache, over all layers of constant state, unsplit [B]."""
        return self.model.linear_layers * self.model.state_elements() * STATE_BYTES

    def cache_bytes(self, tokens: float) -> float:
        """Cache of a sequence of ``tokens`` over all layers, unsplit [B]; layers with a window keep no more than it."""
        return self.model.held(tokens) * self.model.kv_width() * WIDTH_BYTES[self.cache_dtype]


WIDE = ("bf16", "fp16")
"""Formats that need no cast."""


def starts_per_layer(s: ServingSetting) -> float:
    """Seconds of kernel starts in one layer: those of a training pass, and the casts into narrow formats."""
    kernels = layers.kernels_per_layer(s.model)
    if s.dtype not in WIDE:
        kernels += CAST_KERNELS
    if s.attention_dtype not in WIDE:
        kernels += CAST_KERNELS + (LATENT_CASTS if s.model.attention == "mla" else 0.0)
    return kernels * s.accelerator.curve("bf16").launch_s


def cache_split(s: ServingSetting, t: Array) -> Array:
    """Over how many of t ranks the cache of a sequence is spread."""
    if s.model.attention == "mla":
        return np.ones_like(t)
    return np.minimum(t, float(s.model.kv_heads))


def state_split(s: ServingSetting, t: Array) -> Array:
    """Over how many of t ranks the state of a sequence is spread: its heads."""
    return np.minimum(t, float(s.model.state_heads))


def decode_step(s: ServingSetting, t: Array, batch: Array, context: float) -> dict[str, Array]:
    """Seconds of one step of the replica by term; ``batch`` sequences in the replica, ``context`` tokens each."""
    model, n = s.model, float(s.packages)
    local = np.maximum(batch * t / n, 1.0)
    reading, arithmetic = decode_products(s, t, batch)
    cache = local * s.cache_bytes(context) / cache_split(s, t) / s.memory_rate
    cache = np.maximum(cache, _core_arithmetic(s, t, local, context))
    cache = cache + 2.0 * local * s.state_bytes() / state_split(s, t) / s.memory_rate
    layer = starts_per_layer(s) + DECODE_KERNELS * s.accelerator.curve("bf16").launch_s
    starts = float(model.layers) * layer + STEP_KERNELS * s.accelerator.curve("bf16").launch_s
    spent = {
        "hbm": np.maximum(reading - arithmetic, 0.0) + traffic_seconds(s, t, local, batch * model.topk / n),
        "gemm": arithmetic,
        "cache": cache,
        "launch": np.full_like(t, starts),
        "network": _step_network(s, t, batch, local),
    }
    return spent | {"host": np.maximum(HOST_SECONDS * local - sum_of(spent), 0.0)}


def decode_products(s: ServingSetting, t: Array, batch: Array) -> tuple[Array, Array]:
    """Seconds to read the weights of one step's products, and of their arithmetic, output layer included."""
    output, local = float(s.model.vocab) * s.model.hidden / t, np.maximum(batch * t / s.packages, 1.0)
    reading = 2.0 * output / s.memory_rate
    arithmetic = 2.0 * local * output / s.accelerator.peak_of("bf16")
    for block in blocks(s, t, local, batch * s.model.topk / s.packages):
        reading = reading + reading_seconds(s, block) * block.imbalance
        arithmetic = arithmetic + block.count * product_seconds(s, block)
    return reading, arithmetic


@dataclass(frozen=True, slots=True)
class Block:
    """Products of ``count`` layers: ``rows`` rows in all over ``copies`` equal sets of weights; ``imbalance`` of the fullest package.

    ``dtype`` is what they multiply, ``width`` the bytes of a stored weight; ``grouped`` products of all copies share one kernel.
    """

    count: float
    each: layers.Products
    rows: Array
    copies: Array
    dtype: str
    width: float
    imbalance: float = 1.0
    grouped: bool = False


def blocks(s: ServingSetting, t: Array, tokens: Array, routed: Array) -> list[Block]:
    """Products of one pass: ``tokens`` rows of an attention group, ``routed`` rows (tokens times experts chosen) of one package."""
    model, one = s.model, np.ones_like(t)
    moe = float(model.moe_layers)
    dense = float(model.layers) - moe
    attend = layers.attention_products(model, t)
    found = [Block(float(model.layers), attend, tokens, one, s.attention_dtype, s.attention_width)]
    narrow = (s.dtype, s.weight_width)
    if dense:
        found.append(Block(dense, layers.feed_forward_products(model, t, float(model.ffn)), tokens, one, *narrow))
    if moe:
        each = layers.feed_forward_products(model, one, float(model.moe_ffn))
        # rows choose experts evenly: of E experts, R rows of the replica reach E (1 - (1 - k/E)^(R/k))
        chosen = routed * s.packages / model.topk
        touched = model.experts * (1.0 - (1.0 - model.topk / model.experts) ** chosen) / s.packages
        found.append(Block(moe, each, routed * EXPERT_IMBALANCE, touched, *narrow, EXPERT_IMBALANCE, grouped=True))
        shared = float(model.shared_ffn or model.shared_experts * model.moe_ffn)
        if shared:
            found.append(Block(moe, layers.feed_forward_products(model, t, shared), tokens, one, *narrow))
    return found


def product_seconds(s: ServingSetting, block: Block) -> Array:
    """Arithmetic of one layer's block, edges of the products included as the microbenchmarks have them."""
    curve = s.accelerator.curve(block.dtype)
    rate = s.accelerator.peak_of(block.dtype) * curve.e_max
    edge = min(curve.k0, s.accelerator.curve("bf16").k0) if block.grouped else curve.k0
    each = block.each
    seconds: Array = (
        2.0 / rate * (block.rows * each.weights + edge * (block.copies * each.weights + block.rows * each.edges))
    )
    return seconds


def reading_seconds(s: ServingSetting, block: Block) -> Array:
    """Seconds to read the weights of a block's products, all its layers."""
    found: Array = block.count * block.copies * block.each.weights * block.width / s.memory_rate
    return found


def traffic_seconds(s: ServingSetting, t: Array, tokens: Array, routed: Array) -> Array:
    """Element-wise reads and writes of one pass, as training counts them: norms, attention's heads, activations, permuted tokens."""
    model, moe = s.model, float(s.model.moe_layers)
    moved = model.layers * tokens * (layers.norm_traffic(model) + layers.attention_traffic(model, t))
    moved = moved + (model.layers - moe) * tokens * layers.activation_traffic(model, t, float(model.ffn))
    if moe:
        shared = float(model.shared_ffn or model.shared_experts * model.moe_ffn)
        each = layers.PERMUTED * model.hidden + layers.activation_traffic(model, np.ones_like(t), float(model.moe_ffn))
        moved = moved + moe * (tokens * layers.activation_traffic(model, t, shared) + routed * EXPERT_IMBALANCE * each)
    found: Array = 2.0 * s.constants.free.traffic * moved / s.memory_rate
    return found


def _core_arithmetic(s: ServingSetting, t: Array, local: Array, context: float) -> Array:
    """Arithmetic of single-query attention; a latent cache is multiplied by every head in its own width."""
    model = s.model
    per_pair = 4.0 * model.heads * model.dim / t
    if model.attention == "mla":
        per_pair = 2.0 * model.heads / t * (2.0 * model.kv_latent + model.rope_dim)
    rate = s.accelerator.peak_of("bf16") * s.accelerator.kernels.attention.forward * DECODE_ATTENTION
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
    gemm, casts, routed = np.zeros_like(t), np.zeros_like(t), tokens / t * model.topk * others
    for block in blocks(s, t, tokens, routed):
        gemm = gemm + np.maximum(block.count * product_seconds(s, block), reading_seconds(s, block))
        cast = card.curve(block.dtype).cast_bytes
        casts = casts + block.count * cast * block.rows * block.each.inputs / s.memory_rate
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


def joined_products(s: ServingSetting, t: Array, batch: Array, tokens: Array, routed: Array) -> Array:
    """Seconds by which ``tokens`` prompt tokens lengthen the products of a pass that decodes ``batch`` sequences.

    Apart, each takes the longer of reading and arithmetic; in one pass both arithmetics hide the longer reading.
    """
    local = np.maximum(batch * t / s.packages, 1.0)
    reading, arithmetic = decode_products(s, t, batch)
    longer, both = reading, arithmetic
    decoded = blocks(s, t, local, batch * s.model.topk / s.packages)
    for one, other in zip(decoded, blocks(s, t, tokens, routed), strict=True):
        both = both + other.count * product_seconds(s, other)
        longer = longer + np.maximum(reading_seconds(s, other) - reading_seconds(s, one) * one.imbalance, 0.0)
    found: Array = np.maximum(longer, both) - np.maximum(reading, arithmetic)
    return found


def compute_dtype(accelerator: AcceleratorCard, stored: str) -> str:
    """The narrowest format at least as wide as ``stored`` that the part multiplies."""
    wider = [name for name in ("fp4", "fp8", "bf16") if WIDTH_BYTES[name] >= WIDTH_BYTES[stored]]
    return stored if stored in accelerator.peak else next(name for name in wider if name in accelerator.peak)
