"""Matrix products, casts and element-wise traffic of one pass of a serving replica, as the kernels of engines are published to run them.

products  2/(peak e_max) ((R + k0 copies) W + k0 R edges) for R rows, as the microbenchmarks have them, which are of serving kernels;
          all experts of a layer share one kernel, which gives each expert it reaches whole tiles, half a tile of them empty; its other
          edges are those of 16 bits at most (k0 is more in lone narrow products); unpacked weights slow the products down
experts   E (1 - (1 - k/E)^B) of E are reached by B sequences; rows are those of the fullest rank (``expert_load.py``)
casts     bytes per element cast on its way into a product, but where the kernel before casts as it writes
traffic   element-wise reads and writes as training counts them, a token of each expert permuted there and back
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.physics.performance import layers
from models.physics.performance.cards import WIDTH_BYTES
from models.physics.performance.expert_load import BALANCED_LOAD
from models.physics.performance.serving_setting import WIDE, ServingSetting

Array = NDArray[np.float64]

CAST_BEFORE = ("fp4",)
"""Formats into which the kernel before a product (norm, activation, attention) casts its input as it writes it (https://github.com/NVIDIA/TensorRT-LLM/pull/9905
and https://github.com/vllm-project/vllm/pull/22448 fuse 4-bit casts into norm and activation). Rows of experts are cast after they are sorted."""
TILE_ROWS = 128.0
"""Most rows of one tile of a grouped product, whose kernel gives each expert whole tiles (DeepGEMM aligns experts to 128 rows): half a tile
of each expert is empty on average, no more than the expert's own rows, since kernels take smaller tiles for fewer."""
UNPACKED = {"lone": 0.63, "grouped": 0.32}
"""Rate of products whose weights are unpacked in the kernel, over that of products of the same format. Lone ones: 0.63 to 0.66 for 8-bit
weights in Triton (https://github.com/triton-lang/triton/pull/11742), and 0.63 is what the register-to-register instructions that such kernels
use reach on Hopper (arXiv 2402.13499). Kernels of experts differ between engines by as much as four times: one of vLLM 0.20 reaches 0.16 with
4-bit weights on H100 (ai-dynamo/aiconfigurator campaign_checkpoints/h100_sxm/moe_perf.txt, vllm_marlin_int4_moe, 256 experts of 6144 x 2048:
4.85 ms for each further 1024 tokens); the geometric mean of the two stands for them."""


@dataclass(frozen=True, slots=True)
class Block:
    """Products of ``count`` layers on the fullest package: ``rows`` rows in all over ``copies`` equal sets of weights.

    ``dtype`` is what they multiply, ``width`` the bytes of a stored weight; ``grouped`` products of all copies share one kernel.
    """

    count: float
    each: layers.Products
    rows: Array
    copies: Array
    dtype: str
    width: float
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
        cut = s.packages / s.spread
        each = layers.feed_forward_products(model, cut * one, float(model.moe_ffn))
        # rows choose experts evenly: of E experts, R rows of the replica reach E (1 - (1 - k/E)^(R/k))
        chosen = routed * s.packages / model.topk
        touched = model.experts * (1.0 - (1.0 - model.topk / model.experts) ** chosen) / s.spread
        # which experts few sequences reach differs from rank to rank; no rank reaches more than it has
        most = np.minimum(touched * min(s.expert_load, BALANCED_LOAD), model.experts / s.spread)
        found.append(Block(moe, each, routed * cut * s.expert_load, most, *narrow, grouped=True))
        shared = float(model.shared_ffn or model.shared_experts * model.moe_ffn)
        if shared:
            found.append(Block(moe, layers.feed_forward_products(model, t, shared), tokens, one, *narrow))
    return found


def product_seconds(s: ServingSetting, block: Block) -> Array:
    """Arithmetic of one layer's block, edges of the products included as the microbenchmarks have them."""
    curve = s.accelerator.curve(block.dtype)
    rate = s.accelerator.peak_of(block.dtype) * curve.e_max
    if block.width < WIDTH_BYTES[block.dtype] and (block.dtype in WIDE or s.weight_dtype not in s.accelerator.peak):
        # parts that multiply 4 bits take them beside 8-bit operands as they are
        rate = rate * UNPACKED["grouped" if block.grouped else "lone"]
    each, edge, empty = block.each, curve.k0, block.copies * curve.k0
    if block.grouped:
        edge = min(edge, s.accelerator.curve("bf16").k0)
        empty = np.minimum(block.copies * TILE_ROWS / 2.0, block.rows)
    seconds: Array = 2.0 / rate * ((block.rows + empty) * each.weights + edge * block.rows * each.edges)
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
        cut = s.packages / s.spread
        passes = np.where(s.packages / t > 1.0, layers.PERMUTED, layers.SORTED)
        each = passes * model.hidden + layers.activation_traffic(model, cut + 0.0 * t, float(model.moe_ffn))
        rows = routed * cut * s.expert_load
        moved = moved + moe * (tokens * layers.activation_traffic(model, t, shared) + rows * each)
    found: Array = 2.0 * s.constants.free.traffic * moved / s.memory_rate
    return found


def cast_seconds(s: ServingSetting, t: Array, tokens: Array, routed: Array) -> Array:
    """Bytes moved to cast the inputs of one pass's products into narrow formats, over memory [s]."""
    found = np.zeros_like(t)
    for block in blocks(s, t, tokens, routed):
        if block.dtype in CAST_BEFORE and not block.grouped:
            continue
        each = s.accelerator.curve(block.dtype).cast_bytes * block.each.inputs
        found = found + block.count * block.rows * each / s.memory_rate
    return found


def decode_products(s: ServingSetting, t: Array, batch: Array) -> tuple[Array, Array]:
    """Seconds to read the weights of one step's products, and of their arithmetic, output layer included."""
    output, local = float(s.model.vocab) * s.model.hidden / t, np.maximum(batch * t / s.packages, 1.0)
    reading = 2.0 * output / s.memory_rate
    arithmetic = 2.0 * local * output / s.accelerator.peak_of("bf16")
    for block in blocks(s, t, local, batch * s.model.topk / s.packages):
        reading = reading + reading_seconds(s, block)
        arithmetic = arithmetic + block.count * product_seconds(s, block)
    return reading, arithmetic


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
        longer = longer + np.maximum(reading_seconds(s, other) - reading_seconds(s, one), 0.0)
    found: Array = np.maximum(longer, both) - np.maximum(reading, arithmetic)
    return found
