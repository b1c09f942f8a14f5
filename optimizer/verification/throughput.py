"""Throughput of a pod without failures: from one stated derating, or from the mapping or replicas that the design says it runs."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from math import ceil, log2
from typing import Any

import numpy as np
import numpy.typing as npt

from models.instance import Instance
from models.parts.model_card import ModelCard
from models.physics.first_order import communication_factor, serving_rate, training_rate
from models.physics.node_power import computing_share
from models.physics.performance.cards import AcceleratorCard, ModelShape, Network, dtype_name
from models.physics.performance.constants import PerformanceConstants, Software
from models.physics.performance.inference import BAND
from models.physics.performance.mapping import FULL, Mappings, enumerate_mappings
from models.physics.performance.setting import Setting
from models.physics.performance.training import TERMS, binding_term, evaluate, least_memory, usable_memory
from models.policy import Stated
from models.workload import ThroughputMethod, Training
from optimizer.design import PodChoice
from optimizer.verification.given import given_tokens
from optimizer.verification.racks import RackParts
from optimizer.verification.serving import served_tokens
from optimizer.verification.split import share_of, with_exchange

MEMORY_SHARE = 0.9
TRAINING_BYTES_PER_PARAMETER = 16.0
WEIGHT_BYTES = {"bf16": 2.0, "fp8": 1.0, "fp4": 0.5625}
STEPS_PER_OCTAVE = 6


@dataclass(frozen=True)
class Throughput:
    """Tokens/s (zero where the model does not fit), its relative band, and what the search reports of the mapping."""

    tokens_s: float
    band: float
    performance: dict[str, Any]


def throughput_of(
    instance: Instance, pod: PodChoice, parts: RackParts, accelerators: int, injection: float, narrowest: float
) -> Throughput:
    """Throughput of one pod; ``injection`` and ``narrowest`` [B/s] per accelerator, at its NICs and at the narrowest tier."""
    workload = instance.workloads[pod.cluster]
    known = given_tokens(workload, pod, narrowest)
    if known is not None and workload.given is not None:
        role = {} if isinstance(workload, Training) else {"role": pod.role}
        tokens, band = known
        return Throughput(with_exchange(instance, pod, tokens), band, {"source": workload.given.name, **role})
    if workload.method is None:
        raise ValueError(f"{pod.pod_id} is not covered by what was given, and nothing else may stand in for it")
    if workload.method is ThroughputMethod.FIRST_ORDER:
        alone = _first_order(instance, pod, parts, accelerators, narrowest)
        return Throughput(with_exchange(instance, pod, alone), 0.0, {})
    constants, part = instance.catalogue.performance, parts.accelerator.id
    shape = instance.catalogue.get(ModelCard, workload.model).shape()
    card = parts.accelerator.card(constants.kernel_class(part))
    network = _network(card, parts, injection, narrowest)
    stated = instance.assumptions.production_factor
    factor = stated.value if stated is not None else constants.production_factor
    if isinstance(workload, Training):
        tokens, performance = _of_mapping(workload, pod, accelerators, shape, card, network, constants)
        return Throughput(with_exchange(instance, pod, tokens * factor), constants.band(part), performance)
    tokens, performance = served_tokens(workload, pod, shape, card, network, constants)
    return Throughput(tokens * factor, max(constants.band(part), BAND), performance)


def _network(card: AcceleratorCard, parts: RackParts, injection: float, narrowest: float) -> Network:
    """The pod's network; its taper is rounded to the slower side in sixths of an octave."""
    domain = min(parts.accelerator.scaleup_domain or 1, parts.system.accelerators or 1)
    taper = 2.0 ** (-ceil(-log2(min(narrowest / injection, 1.0)) * STEPS_PER_OCTAVE - 1e-6) / STEPS_PER_OCTAVE)
    return Network.of(card, injection, domain=domain, oversubscription=1.0 / taper)


def _stated(stated: Stated[float] | None) -> float:
    if stated is None:
        raise ValueError("an assumption this workload needs is not stated")
    return stated.value


def _first_order(instance: Instance, pod: PodChoice, parts: RackParts, accelerators: int, bandwidth: float) -> float:
    workload, given = instance.workloads[pod.cluster], instance.assumptions
    shape = instance.catalogue.get(ModelCard, workload.model).shape()
    peak, memory = parts.accelerator.peak(workload.dtype.value), parts.accelerator.memory
    if peak is None or memory is None:
        raise ValueError(f"accelerator {parts.accelerator.id} lacks peak or memory")
    if isinstance(workload, Training):
        if workload.model_parallel is None:
            raise ValueError("model_parallel, which this workload needs, is not stated")
        sustained = peak * _stated(given.training_derating)
        exposed = _stated(given.exposed_communication)
        factor = communication_factor(
            accelerators,
            sustained,
            bandwidth,
            workload.global_batch * share_of(pod),
            workload.model_parallel,
            exposed,
        )
        fits = shape.params() * TRAINING_BYTES_PER_PARAMETER <= MEMORY_SHARE * memory * accelerators
        return float(training_rate(accelerators, sustained, shape.params(), factor)) if fits else 0.0
    domain = min(parts.accelerator.scaleup_domain or 1, parts.system.accelerators or 1)
    if shape.params() * WEIGHT_BYTES[workload.dtype.value] > MEMORY_SHARE * memory * domain:
        return 0.0
    sustained = peak * _stated(given.serving_derating)
    return float(serving_rate(accelerators, sustained, shape.active_params(), workload.prompt, workload.answer))


def _of_mapping(
    workload: Training,
    pod: PodChoice,
    accelerators: int,
    shape: ModelShape,
    card: AcceleratorCard,
    network: Network,
    constants: PerformanceConstants,
) -> tuple[float, dict[str, Any]]:
    """Tokens/s of the best mapping on exactly the accelerators the design says are used, and what a design tells of it."""
    used = int(pod.performance["accelerators_used"])
    if not 0 < used <= accelerators:
        raise ValueError(f"a mapping on {used} of {accelerators} accelerators")
    batch, dtype = max(1, round(workload.global_batch * share_of(pod) / shape.seq)), dtype_name(workload.dtype.value)
    setting = Setting(shape, card, network, float(batch), dtype, constants, Software.of(dtype, card.available))
    mappings = _fewest_layers_repeated(setting, enumerate_mappings(shape, used, batch))
    times = evaluate(setting, mappings)
    steps = np.where(times.memory <= usable_memory(setting), times.step, np.inf)
    steps[_only_recompute_more(mappings, np.isfinite(steps))] = np.inf
    first, second = (int(row) for row in [*np.argsort(steps, kind="stable")[:2], -1][:2])
    terms = {term: float(times.terms[term][first]) for term in TERMS}
    runner_up = second >= 0 and bool(np.isfinite(steps[second]))
    performance = {
        "mapping": str(mappings.row(first)),
        "accelerators_used": used,
        "runner_up": str(mappings.row(second)) if runner_up else None,
        "runner_up_share": float(steps[first] / steps[second]) if runner_up else None,
        "binding": binding_term(terms),
        "computing_share": computing_share(terms),
        "step_s": float(sum(terms.values())),
        "terms_s": terms,
        "memory_bytes": float(times.memory[first]),
    }
    return batch * shape.seq / float(steps[first]), performance


def _fewest_layers_repeated(setting: Setting, mappings: Mappings) -> Mappings:
    """The mappings of full recompute with the least number of layers per chunk at which they fit, found by counting up."""
    fits = least_memory(setting, mappings) <= usable_memory(setting)
    pointless = np.zeros(len(mappings), dtype=bool)
    pointless[_only_recompute_more(mappings, fits)] = True
    chunk = setting.model.layers / (mappings.pp * mappings.vp)
    open_rows = np.flatnonzero(fits & ~pointless & (mappings.recompute == FULL))
    blocks = mappings.blocks.copy()
    count = 1.0
    while len(open_rows := open_rows[count < chunk[open_rows]]):
        tried = mappings.take(open_rows)
        tried = replace(tried, blocks=np.full(len(tried), count))
        enough = least_memory(setting, tried) <= usable_memory(setting)
        blocks[open_rows[enough]] = count
        open_rows, count = open_rows[~enough], count + 1.0
    return replace(mappings, blocks=blocks)


def _only_recompute_more(mappings: Mappings, fits: npt.NDArray[np.bool_]) -> list[int]:
    """Rows that differ from another one that fits in nothing but more recompute: no choice of their own."""
    others = [name for name in (f.name for f in fields(Mappings)) if name != "recompute"]
    keys = list(zip(*(getattr(mappings, name).tolist() for name in others), strict=True))
    least: dict[tuple[float, ...], float] = {}
    for row in np.flatnonzero(fits).tolist():
        least[keys[row]] = min(least.get(keys[row], np.inf), float(mappings.recompute[row]))
    return [row for row, key in enumerate(keys) if mappings.recompute[row] > least.get(key, np.inf)]
