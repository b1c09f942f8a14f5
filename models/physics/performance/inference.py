"""Serving: the most tokens per second of a replica that keeps its latency limits, alone or disaggregated.

    mixed     TPOT(B) = decode(B, c) + B/osl * prefill(isl)           prefills share the steps of the decoding batch; several
                                                                      attention groups prefill at once
    decode    TPOT(B) = decode(B, c)                                  c = isl + osl/2, the mean context
    prefill   TTFT(P) = prefill of P prompts + cache sent on          input tokens per second = P isl / TTFT
    memory    weights/n + B (cache(isl + osl) + state) <= 0.9 HBM     the batch is the largest that keeps every limit

Output tokens per second are B / TPOT; requests per second follow from osl (Little's law). Every batch up to the memory limit and
every tensor degree is evaluated, so the answer is exact over them; ties go to the smaller tensor degree, then the smaller batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from models.physics.performance.cards import AcceleratorCard, ModelShape, Network, dtype_name
from models.physics.performance.constants import PerformanceConstants
from models.physics.performance.mapping import divisors
from models.physics.performance.prompts import prefill_share
from models.physics.performance.serving_setting import ServingSetting, cache_split, compute_dtype, state_split
from models.physics.performance.serving_step import decode_step, prefill

Array = NDArray[np.float64]

MEMORY_SHARE = 0.9
"""Share of a package's memory that engines give to weights and cache."""
MAX_BATCH = 4096
"""Most sequences of one attention group."""
MAX_PROMPTS = 256
BAND = 0.2
"""Relative half-width of the throughput band of serving: the mean error on published serving measurements, rounded up."""


class Role(StrEnum):
    """What a replica does."""

    MIXED = "mixed"
    PREFILL = "prefill"
    DECODE = "decode"


@dataclass(frozen=True, slots=True)
class ServingResult:
    """The best operating point of one replica.

    tokens_s: output tokens per second (input tokens per second for a prefill replica); requests_s; batch: sequences at a time;
    tensor: degree of tensor parallelism of attention, ``packages / tensor`` attention groups; ttft_s and tpot_s are None where the
    role has none; terms: seconds of one step (of one prefill) by term; memory_bytes per package.
    """

    role: Role
    packages: int
    tensor: int
    batch: int
    tokens_s: float
    requests_s: float
    ttft_s: float | None
    tpot_s: float | None
    terms: dict[str, float]
    binding: str
    memory_bytes: float


def weight_bytes(s: ServingSetting, t: Array) -> Array:
    """Weights held by one package: attention and dense parts over t, experts over all packages, embedding and output in 16 bits."""
    model = s.model
    attention = s.attention_width * model.layers * model.attention_weights()
    shared = (model.layers - model.moe_layers) * model.dense_weights()
    shared += model.moe_layers * (model.shared_weights() + model.hidden * float(model.experts))
    routed = model.moe_layers * model.experts * model.expert_weights() / s.packages
    return attention / t + s.weight_width * (shared / t + routed) + 2.0 * model.vocabulary_weights() / t


def sequence_bytes(s: ServingSetting, t: Array, tokens: float) -> Array:
    """What one sequence of ``tokens`` tokens holds on each of the t packages of its attention group: cache and constant state."""
    cache: Array = s.cache_bytes(tokens) / cache_split(s, t) + s.state_bytes() / state_split(s, t)
    return cache


def cache_room(s: ServingSetting, t: Array, tokens: float) -> Array:
    """Sequences of ``tokens`` tokens that fit in the replica beside the weights; zero where the weights do not fit."""
    free = MEMORY_SHARE * s.accelerator.hbm_bytes - weight_bytes(s, t)
    return np.maximum(np.floor(free / sequence_bytes(s, t, tokens)), 0.0) * np.floor(s.packages / t)


def tensor_degrees(model: ModelShape, packages: int) -> list[int]:
    """Tensor degrees a replica may use: all of it for a dense model, any divisor (several attention groups) with experts."""
    legal = [t for t in divisors(packages) if model.heads % t == 0]
    return legal if model.experts else [t for t in legal if t == packages]


def best_serving(
    model: ModelShape,
    accelerator: AcceleratorCard,
    network: Network,
    accelerators_per_replica: int,
    isl: float,
    osl: float,
    constants: PerformanceConstants,
    dtype: str,
    *,
    role: Role = Role.MIXED,
    ttft_limit: float | None = None,
    tpot_limit: float | None = None,
    cache_dtype: str | None = None,
    tensor: int | None = None,
    compute: str | None = None,
) -> ServingResult | None:
    """The point of most tokens per second within the limits [s], or None when none exists.

    ``dtype`` is what weights are stored in; a part that cannot multiply it (or ``compute``, where products are in a wider format than the
    weights) uses its next wider format. ``isl`` prompt tokens and ``osl`` output tokens per request; None limits nothing.
    ``cache_dtype`` defaults to fp8 for narrow weights and bf16 otherwise; ``tensor`` pins the tensor degree.
    """
    name = dtype_name(dtype)
    cache = dtype_name(cache_dtype) if cache_dtype else ("fp8" if name in ("fp8", "fp4") else "bf16")
    product = compute_dtype(accelerator, dtype_name(compute) if compute else name)
    s = ServingSetting(model, accelerator, network, constants, accelerators_per_replica, product, cache, name)
    degrees = [tensor] if tensor else tensor_degrees(model, accelerators_per_replica)
    if not degrees:
        return None
    if role is Role.PREFILL:
        return _best_prefill(s, degrees, isl, ttft_limit)
    return _best_decode(s, degrees, isl, osl, role, ttft_limit, tpot_limit)


def _best_decode(
    s: ServingSetting,
    degrees: list[int],
    isl: float,
    osl: float,
    role: Role,
    ttft_limit: float | None,
    tpot_limit: float | None,
) -> ServingResult | None:
    t, batch = _grid(s, degrees, isl + osl)
    if not len(t):
        return None
    step = decode_step(s, t, batch, isl + osl / 2.0)
    one = prefill(s, t, np.full_like(t, isl), isl)
    prompt = total(one)
    tpot = total(step)
    ttft = prompt + tpot
    if role is Role.MIXED:
        tpot = tpot + prefill_share(s, t, batch, isl, osl)
    legal = np.ones(len(t), dtype=bool)
    if tpot_limit is not None:
        legal &= tpot <= tpot_limit
    if ttft_limit is not None and role is Role.MIXED:
        legal &= ttft <= ttft_limit
    rate = np.where(legal, batch / tpot, -1.0)
    best = int(np.argmax(rate))
    if rate[best] <= 0.0:
        return None
    terms = {key: float(value[best]) for key, value in step.items()}
    if role is Role.MIXED:
        terms["prefill"] = float(tpot[best]) - sum(terms.values())
    at = slice(best, best + 1)
    each = sequence_bytes(s, t[at], isl + osl) * batch[at] * t[at] / s.packages
    return ServingResult(
        role,
        s.packages,
        int(t[best]),
        int(batch[best]),
        float(rate[best]),
        float(rate[best]) / osl,
        float(ttft[best]) if role is Role.MIXED else None,
        float(tpot[best]),
        terms,
        longest(terms),
        float((weight_bytes(s, t[at]) + each)[0]),
    )


def _grid(s: ServingSetting, degrees: list[int], tokens: float) -> tuple[Array, Array]:
    """Every (tensor degree, batch) that fits; batches are whole numbers per attention group."""
    parts_t, parts_b = [], []
    for degree in degrees:
        groups = s.packages // degree
        room = int(min(cache_room(s, np.array([float(degree)]), tokens)[0], MAX_BATCH * groups))
        batches = np.arange(groups, room + 1, groups, dtype=np.float64)
        parts_t.append(np.full(len(batches), float(degree)))
        parts_b.append(batches)
    return np.concatenate(parts_t), np.concatenate(parts_b)


def _best_prefill(s: ServingSetting, degrees: list[int], isl: float, limit: float | None) -> ServingResult | None:
    prompts = np.arange(1, MAX_PROMPTS + 1, dtype=np.float64)
    t = np.repeat(np.array(degrees, dtype=np.float64), MAX_PROMPTS)
    count = np.tile(prompts, len(degrees))
    fits = count * s.packages / t <= cache_room(s, t, isl)
    times = prefill(s, t, count * isl, isl, alternating=True)
    # each package sends its share of the cache over its own network port
    port = s.network.tiers[-1].rate * s.constants.free.network
    sent = (s.cache_bytes(isl) + s.state_bytes()) / t / port
    ttft = total(times) + sent
    legal = fits if limit is None else fits & (ttft <= limit)
    rate = np.where(legal, count * s.packages / t * isl / total(times), -1.0)
    best = int(np.argmax(rate))
    if rate[best] <= 0.0:
        return None
    terms = {key: float(value[best]) for key, value in times.items()}
    at = slice(best, best + 1)
    held = weight_bytes(s, t[at]) + count[at] * sequence_bytes(s, t[at], isl)
    requests = float(rate[best]) / isl
    batch = int(count[best] * s.packages / t[best])
    return ServingResult(
        Role.PREFILL,
        s.packages,
        int(t[best]),
        batch,
        float(rate[best]),
        requests,
        float(ttft[best]),
        None,
        terms,
        longest(terms),
        float(held[0]),
    )


def total(terms: Mapping[str, Array]) -> Array:
    """Sum over the terms."""
    parts = list(terms.values())
    result = parts[0]
    for part in parts[1:]:
        result = result + part
    return result


def longest(terms: Mapping[str, float]) -> str:
    """The term that takes longest; the first of equals."""
    return max(terms, key=lambda name: terms[name])
