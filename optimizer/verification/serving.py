"""Throughput of a serving pod: how it is cut into replicas, and each replica's step and memory from the physics again."""

from __future__ import annotations

from math import exp, floor
from typing import Any

import numpy as np

from models.physics.node_power import computing_share
from models.physics.performance.cards import AcceleratorCard, ModelShape, Network, dtype_name
from models.physics.performance.constants import PerformanceConstants
from models.physics.performance.inference import MEMORY_SHARE, Role, best_serving, cache_room, weight_bytes
from models.physics.performance.prompts import CHUNK_TOKENS
from models.physics.performance.serving_setting import ServingSetting, compute_dtype
from models.physics.performance.serving_step import decode_step, prefill
from models.workload import Serving
from optimizer.design import PodChoice

SAME = 1e-9


def served_tokens(
    workload: Serving,
    pod: PodChoice,
    shape: ModelShape,
    card: AcceleratorCard,
    network: Network,
    constants: PerformanceConstants,
) -> tuple[float, dict[str, Any]]:
    """Output tokens/s of a pod without failures and what a design tells of it; ValueError where it cannot serve like that."""
    told, role = pod.performance, Role(pod.role)
    replica, domain = int(told["replica"]), int(network.domain)
    across = replica // domain
    if not (domain % replica == 0 or (replica == across * domain and across & (across - 1) == 0)):
        raise ValueError(f"replicas of {replica} do not tile domains of {domain}")
    if not 0 < replica <= pod.accelerators:
        raise ValueError(f"a replica of {replica} in a pod of {pod.accelerators}")
    ttft = None if workload.ttft_at_most is None else workload.ttft_at_most.value
    tpot = None if workload.tpot_at_most is None else workload.tpot_at_most.value
    best = best_serving(
        shape, card, network, replica, workload.prompt, workload.answer, constants, workload.dtype.value,
        role=role, ttft_limit=ttft, tpot_limit=tpot,
    )  # fmt: skip
    if best is None:
        raise ValueError(f"no replica of {replica} keeps the limits of cluster {pod.cluster}")
    width = dtype_name(workload.dtype.value)
    cache = "fp8" if width in ("fp8", "fp4") else "bf16"
    setting = ServingSetting(shape, card, network, constants, replica, compute_dtype(card, width), cache, width)
    rate, first, each = _point(setting, workload, role, int(told["batch"]), int(told["tensor"]))
    if first is not None and ttft is not None and first > ttft * (1 + SAME):
        raise ValueError(f"first token after {first:g} s of {ttft:g} s")
    if each is not None and tpot is not None and each > tpot * (1 + SAME):
        raise ValueError(f"{each:g} s per token of {tpot:g} s")
    if rate < best.requests_s * workload.answer * (1 - SAME):
        raise ValueError(f"{rate:g} tokens/s of a replica where {best.requests_s * workload.answer:g} are reached")
    replicas = pod.accelerators // replica
    performance = {
        "role": role.value,
        "replica": replica,
        "replicas": replicas,
        "accelerators_used": replicas * replica,
        "tensor": best.tensor,
        "batch": best.batch,
        "ttft_s": first,
        "tpot_s": each,
        "binding": best.binding,
        "computing_share": computing_share(best.terms),
        "terms_s": dict(best.terms),
        "memory_bytes": best.memory_bytes,
    }
    return replicas * rate, performance


def _point(
    s: ServingSetting, workload: Serving, role: Role, batch: int, tensor: int
) -> tuple[float, float | None, float | None]:
    """Output tokens/s, time to first token and per token [s] of a replica at a batch and tensor degree that fit in memory."""
    prompt, answer = float(workload.prompt), float(workload.answer)
    t, n = np.array([float(tensor)]), float(s.packages)
    room = floor(cache_room(s, t, prompt if role is Role.PREFILL else prompt + answer)[0])
    if not 0 < batch <= room or batch % (s.packages // tensor):
        raise ValueError(f"{batch} sequences in room for {room}")
    if float(weight_bytes(s, t)[0]) > MEMORY_SHARE * s.accelerator.hbm_bytes:
        raise ValueError("weights do not fit")
    if role is Role.PREFILL:
        taken = np.array([batch * tensor / n * prompt])
        spent = sum(float(v[0]) for v in prefill(s, t, taken, prompt, alternating=True).values())
        link = s.network.tiers[-1].rate * s.constants.free.network
        sent = (s.cache_bytes(prompt) + s.state_bytes()) / tensor / link
        return batch / spent * answer, spent + sent, None
    step = sum(float(v[0]) for v in decode_step(s, t, np.array([float(batch)]), prompt + answer / 2).values())
    if role is Role.DECODE:
        return batch / step, None, step
    alone = sum(float(v[0]) for v in prefill(s, t, np.array([prompt]), prompt).values())
    # every attention group prefills at once: prompts of a step that carries any, in passes of a chunk at most; one of them decodes too
    mean = batch / (s.packages // tensor) / answer
    tokens = min(mean / (1.0 - exp(-mean)) * prompt, max(CHUNK_TOKENS, prompt))
    passes = mean * prompt / tokens
    size, beside = np.array([tokens]), np.array([float(batch)])
    whole, added = (sum(float(v[0]) for v in prefill(s, t, size, prompt, 1.0, b).values()) for b in (None, beside))
    shared = min(passes, 1.0) * added + (passes - min(passes, 1.0)) * whole
    return batch / (step + shared), alone + step, step + shared
