"""Time of one training step for whole arrays of mappings, split into the terms that make it up.

    step = m stage_max + bubble + data-parallel + optimizer                     m micro-batches
    stage = layers of the stage (forward + backward + recompute) + pipeline sends;  the last one adds the output layer
    bubble = (p - 1)/v * mean stage          (a third of it for zero-bubble schedules)

``compute`` and ``communication`` hold the pieces, ``memory`` what a rank stores. All arrays are float64 of one length;
results do not depend on how the arrays are cut into batches.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from models.physics.performance import communication, compute, layers
from models.physics.performance.cards import AcceleratorCard, ModelShape, Network, dtype_name
from models.physics.performance.constants import PerformanceConstants, Software
from models.physics.performance.mapping import (
    FULL,
    FULLY_SHARDED,
    OPTIMIZER_SHARDED,
    SELECTIVE,
    Fixed,
    MappingChoice,
    Mappings,
    enumerate_mappings,
)
from models.physics.performance.memory import (
    Held,
    expert_copies,
    fewest_blocks,
    layer_saved_bytes,
    memory_use,
    rank_parameters,
    repeated_share,
    widths,
)
from models.physics.performance.setting import Setting

Array = NDArray[np.float64]

BATCH = 8_192
"""Mappings evaluated together: the arrays of one batch stay in the processor's cache."""

TERMS = (
    "gemm",
    "attention",
    "hbm",
    "launch",
    "tensor_comm",
    "context_comm",
    "expert_comm",
    "pipeline_comm",
    "data_comm",
    "bubble",
    "optimizer",
)


@dataclass(frozen=True, slots=True)
class StepTimes:
    """Seconds per step by term, all of one length, and the bytes the fullest rank must at least hold."""

    terms: dict[str, Array]
    memory: Array

    @property
    def step(self) -> Array:
        """Seconds per optimizer step."""
        total = np.zeros_like(self.memory)
        for name in TERMS:
            total = total + self.terms[name]
        return total


def evaluate(setting: Setting, mappings: Mappings) -> StepTimes:
    """Step time and memory of every mapping."""
    pieces = [_evaluate(setting, mappings.take(slice(i, i + BATCH))) for i in range(0, len(mappings), BATCH)]
    if len(pieces) == 1:
        return pieces[0]
    if not pieces:
        return StepTimes({name: np.zeros(0) for name in TERMS}, np.zeros(0))
    terms = {name: np.concatenate([piece.terms[name] for piece in pieces]) for name in TERMS}
    return StepTimes(terms, np.concatenate([piece.memory for piece in pieces]))


def _evaluate(s: Setting, m: Mappings) -> StepTimes:
    model = s.model
    tokens = m.mbs * float(model.seq) / m.cp
    rounds = s.global_batch / (m.mbs * m.dp)
    held = rank_parameters(model, m)
    layer = _layer(s, m, held, tokens)
    output = compute.output_layer(s, m, tokens)
    once = layer.total
    sends = communication.pipeline_sends(s, m, tokens, once * model.layers / (m.pp * m.vp))
    stage, with_output = _fullest_stage(s, m, once, output)
    mean = (model.layers + s.run.predictions) / m.pp * once + output / m.pp
    scale = rounds * (stage - with_output * output) / once
    terms = {f.name: scale * getattr(layer, f.name) for f in fields(_Pass)}
    terms["gemm"] = terms["gemm"] + rounds * with_output * output
    terms["pipeline_comm"] = sends * (rounds + (m.pp - 1.0) / m.vp)
    terms["bubble"] = s.bubble_factor * (m.pp - 1.0) / m.vp * mean
    terms["data_comm"] = communication.data_parallel(s, m, held, stage, rounds)
    terms["optimizer"] = _optimizer(s, m, held)
    memory = memory_use(
        model, s.accelerator, m, s.global_batch, s.dtype, s.software, thrifty=True, held=held, run=s.run
    )
    return StepTimes(terms, memory.total)


@dataclass(frozen=True, slots=True)
class _Pass:
    """Seconds of one layer of one micro-batch, forward plus backward plus recompute, by term."""

    gemm: Array
    attention: Array
    hbm: Array
    launch: Array
    tensor_comm: Array
    context_comm: Array
    expert_comm: Array

    @property
    def total(self) -> Array:
        """All of it."""
        parts: list[Array] = [getattr(self, f.name) for f in fields(self)]
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        return total


def _layer(s: Setting, m: Mappings, held: Held, tokens: Array) -> _Pass:
    forward = compute.forward_pass(s, m, tokens)
    gemm = forward.gemm
    full = repeated_share(s.model, m, s.run)
    partial = (m.recompute == SELECTIVE).astype(np.float64)
    again = 1.0 + full
    # checkpointing of fully sharded modules stops once the last saved tensor is back: the final product is not repeated
    gemm_again = 1.0 + full * np.where(m.shard == FULLY_SHARDED, 1.0 - forward.last / gemm, 1.0)
    attention = (again + partial) * forward.attention + forward.attention_backward
    accumulate = compute.accumulation(s, m, held)
    hbm = again * (forward.traffic + forward.casts) + 2.0 * forward.traffic + forward.casts_backward
    hbm = hbm + accumulate + (2.0 + again + partial) * forward.scores
    tensor, tensor_backward = communication.tensor(s, m, tokens, gemm)
    tensor_total = again * tensor + tensor_backward
    experts = np.zeros(len(m))
    products = (2.0 + gemm_again) * gemm
    if s.model.moe_layers:
        # a forward pass of one micro-batch runs beside a backward pass of another, which computes twice as long
        busy = (2.0 + again) / (1.0 + again) * (gemm + forward.attention + forward.traffic)
        passes = 1.0 + again + float("moe" in s.run.recomputed) * (1.0 - full)
        experts = passes * communication.expert(s, m, tokens, busy)
    if s.run.recomputed:
        parts, moved = compute.repeated(s, m, tokens)
        products, hbm = products + (1.0 - full) * parts, hbm + (1.0 - full) * moved
    if s.run.offloaded:
        once = gemm + forward.attention + forward.traffic + forward.casts
        hbm = hbm + _host_traffic(s, m, once, 2.0 * once + full * once)
    context = communication.context(s, m, tokens, forward.attention, forward.attention_backward)
    launch = _starts(s, m, 2.0 + again, products + attention + hbm + tensor_total + experts)
    return _Pass(products, attention, hbm, launch, tensor_total, context, experts)


def _host_traffic(s: Setting, m: Mappings, forward: Array, backward: Array) -> Array:
    """Seconds of one layer and micro-batch by which saved activations on their way to host memory and back outlast its computing."""
    kept = layer_saved_bytes(s.model, m, widths(s.accelerator, s.dtype), s.software, s.run, thrifty=True)
    once = s.run.offloaded * kept / s.run.host_rate
    shown: Array = np.maximum(once - forward, 0.0) + np.maximum(once - backward, 0.0)
    return shown


def _starts(s: Setting, m: Mappings, passes: Array, work: Array) -> Array:
    """Seconds of one layer and micro-batch in which the package waits for the next kernel; ``work`` is what it computes and sends.

    The host issues kernel after kernel, so its floor grows with their number. It hides behind the work of earlier kernels unless the
    host itself waits in every layer for what a kernel counts.
    """
    kernels = layers.kernels_per_layer(s.model)
    starts = np.full(len(m), kernels * s.accelerator.curve("bf16").launch_s)
    if s.model.moe_layers:
        starts = starts + layers.expert_starts(s.model, s.model.experts / m.ep) * s.accelerator.curve(s.dtype).launch_s
    floor = s.constants.free.launch_s * kernels / layers.LAYER_KERNELS
    shown: Array = np.maximum(passes * floor * s.software.launch_share - work, passes * starts)
    if s.run.expert_waits and s.model.moe_layers:
        shown = passes * (starts + floor * s.model.moe_layers / s.model.layers)
    return shown


def _fullest_stage(s: Setting, m: Mappings, layer: Array, output: Array) -> tuple[Array, Array]:
    """Seconds of the slowest stage per micro-batch, and whether it carries the output layer (1 or 0).

    Layers are dealt evenly where they divide; where they divide with the embedding and the output counted as one layer each,
    so dealt; otherwise the fullest stage has one layer more than the last. Layers that predict further tokens stand on the last stage,
    which then has of the others only what the rest leave.
    """
    count = float(s.model.layers)
    chunks = m.pp * m.vp
    even = np.mod(count, chunks) == 0.0
    balanced = ~even & (np.mod(count + 2.0, chunks) == 0.0)
    per_stage = np.where(even, count / m.pp, np.ceil((count + np.where(balanced, 2.0, 0.0)) / m.pp))
    per_stage = np.where(m.pp > 1.0, per_stage, count)
    short = np.where(even | (m.pp == 1.0), per_stage, per_stage - 1.0)
    if s.run.predictions:
        short = np.where(even, short, np.maximum(count - per_stage * (m.pp - 1.0), 0.0)) + s.run.predictions
    last = short * layer + output
    rest = per_stage * layer
    return np.maximum(last, rest), (last >= rest).astype(np.float64)


def _optimizer(s: Setting, m: Mappings, held: Held) -> Array:
    """Adam over the local share of the parameters: ``OPTIMIZER_BYTES`` read or written each."""
    split = m.shard >= OPTIMIZER_SHARDED
    shared = (held.dense + held.vocabulary) / np.where(split, m.dp * m.cp, 1.0)
    if s.model.moe_layers:
        shared = shared + held.experts / np.where(split, expert_copies(m), 1.0)
    return layers.OPTIMIZER_BYTES * shared / s.memory_rate


@dataclass(frozen=True, slots=True)
class MappingResult:
    """The best mapping found, what it takes and what binds.

    terms: seconds per step by term; binding: the largest of them that a design can move (the longest overhead, or the matrix
    products where they are all there is); memory: bytes the fullest rank must at least hold; searched and feasible count
    mappings; ``runner_up`` is the next best mapping and its tokens per second.
    """

    mapping: MappingChoice
    step_s: float
    tokens_s: float
    terms: dict[str, float]
    binding: str
    memory_bytes: float
    model_flops: float
    searched: int
    feasible: int
    runner_up: MappingChoice | None
    runner_up_tokens_s: float | None


def best_mapping(
    model: ModelShape,
    accelerator: AcceleratorCard,
    network: Network,
    accelerators: int,
    global_batch: int,
    constants: PerformanceConstants,
    dtype: str,
    *,
    fixed: Fixed | None = None,
    software: Software | None = None,
    bubble_factor: float = 1.0,
    expert_overlap: bool = False,
) -> MappingResult | None:
    """The fastest mapping that fits in memory, or None when none is legal or none fits.

    ``global_batch`` in sequences, ``dtype`` of the layers' products; ``fixed`` pins fields of the mapping. Ties go to the
    mapping that comes first in the order of ``enumerate_mappings``, so that the same input gives the same answer everywhere.
    """
    name = dtype_name(dtype)
    chosen = software or Software.of(name, accelerator.available)
    setting = Setting(
        model,
        accelerator,
        network,
        float(global_batch),
        name,
        constants,
        chosen,
        bubble_factor,
        expert_overlap=expert_overlap,
    )
    return search(setting, enumerate_mappings(model, accelerators, global_batch, fixed))


def usable_memory(setting: Setting) -> float:
    """Bytes a framework can allocate on one package."""
    return setting.accelerator.hbm_bytes - setting.constants.runtime_bytes


def search(setting: Setting, mappings: Mappings) -> MappingResult | None:
    """The best of the given mappings and the next best that differs in more than recompute; None when none fits in memory.

    Where only full recompute fits, no more layers are repeated than memory asks for. Exact: mappings that do not fit, and those that
    only recompute more than a neighbour that fits, cannot win and are not timed.
    """
    if not len(mappings):
        return None
    fits = least_memory(setting, mappings) <= usable_memory(setting)
    chosen = np.flatnonzero(fits & ~mappings.needless(fits))
    if not len(chosen):
        return None
    timed = least_repeats(setting, mappings.take(chosen))
    times = evaluate(setting, timed)
    step = times.step
    best = int(np.argmin(step))
    result = describe(setting, timed, times, best)
    step[best] = np.inf
    second = int(np.argmin(step))
    tokens = setting.global_batch * setting.model.seq
    found = bool(np.isfinite(step[second]))
    return replace(
        result,
        searched=len(mappings),
        feasible=int(np.count_nonzero(fits)),
        runner_up=timed.row(second) if found else None,
        runner_up_tokens_s=float(tokens / step[second]) if found else None,
    )


def least_memory(setting: Setting, mappings: Mappings) -> Array:
    """Bytes the fullest rank of every mapping must at least hold."""
    s = setting
    pieces = []
    for i in range(0, len(mappings), BATCH):
        m = mappings.take(slice(i, i + BATCH))
        used = memory_use(s.model, s.accelerator, m, s.global_batch, s.dtype, s.software, thrifty=True, run=s.run)
        pieces.append(used.total)
    return np.concatenate(pieces) if pieces else np.zeros(0)


def least_repeats(setting: Setting, mappings: Mappings) -> Mappings:
    """The mappings with full recompute of no more layers per chunk than memory asks for; as they are where a run is known to have
    repeated all, or so many.
    """
    s, run = setting, setting.run
    if run.all_layers or run.full_layers is not None:
        return mappings
    rows = np.flatnonzero((mappings.recompute == FULL) & (mappings.blocks == 0.0))
    if not len(rows):
        return mappings
    m = mappings.take(rows)
    found = fewest_blocks(
        s.model, s.accelerator, m, s.global_batch, s.dtype, s.software, usable_memory(setting), thrifty=True, run=run
    )
    blocks = mappings.blocks.copy()
    blocks[rows] = found
    return replace(mappings, blocks=blocks)


def describe(setting: Setting, mappings: Mappings, times: StepTimes, index: int) -> MappingResult:
    """One evaluated mapping as a result, whether or not it fits."""
    terms = {name: float(times.terms[name][index]) for name in TERMS}
    step = float(times.step[index])
    tokens = setting.global_batch * setting.model.seq
    return MappingResult(
        mapping=mappings.row(index),
        step_s=step,
        tokens_s=tokens / step,
        terms=terms,
        binding=binding_term(terms),
        memory_bytes=float(times.memory[index]),
        model_flops=layers.training_operations(setting.model) * tokens,
        searched=1,
        feasible=1,
        runner_up=None,
        runner_up_tokens_s=None,
    )


def binding_term(terms: Mapping[str, float]) -> str:
    """The term that binds: the matrix products where they take more than 70 % of the step, else the longest other term."""
    total = sum(terms.values())
    if terms["gemm"] > 0.7 * total:
        return "gemm"
    return max((name for name in TERMS if name != "gemm"), key=lambda name: (terms[name], -TERMS.index(name)))
