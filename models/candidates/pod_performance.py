"""Throughput and goodput of pods. One function each, so that a better model replaces them in one place."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.errors import InstanceError, Problem
from models.instance import Instance
from models.parts.accelerator import Accelerator
from models.parts.model_card import ModelCard
from models.parts.system import System
from models.physics.checkpointing import goodput, optimal_interval
from models.physics.first_order import communication_factor, serving_rate, training_rate
from models.policy import Stated
from models.workload import Serving, Training

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

MEMORY_SHARE = 0.9
TRAINING_BYTES_PER_PARAMETER = 16.0
_WEIGHT_BYTES = {"bf16": 2.0, "fp8": 1.0, "fp4": 0.5625}


def throughput_of(instance: Instance, cluster: str, system: System, accelerators: Ints, bandwidth: Floats) -> Floats:
    """Tokens/s without failures of pods of ``accelerators`` of one system; zero where the model does not fit in memory.

    ``bandwidth`` [B/s] per accelerator at the narrowest tier of the fabric.
    """
    workload = instance.workloads[cluster]
    assert system.accelerator is not None
    accelerator = instance.catalogue.get(Accelerator, system.accelerator)
    shape = instance.catalogue.get(ModelCard, workload.model).shape()
    peak = accelerator.peak(workload.dtype.value)
    assert peak is not None
    assert accelerator.memory is not None
    if isinstance(workload, Training):
        sustained = peak * _stated(instance, "training_derating")
        factor = communication_factor(
            accelerators,
            sustained,
            bandwidth,
            workload.global_batch,
            workload.model_parallel,
            _stated(instance, "exposed_communication"),
        )
        rate = training_rate(accelerators, sustained, shape.params(), factor)
        fits = shape.params() * TRAINING_BYTES_PER_PARAMETER <= MEMORY_SHARE * accelerator.memory * accelerators
        return np.where(fits, rate, 0.0)
    assert isinstance(workload, Serving)
    domain = min(accelerator.scaleup_domain or 1, system.accelerators or 1)
    weights = shape.params() * _WEIGHT_BYTES[workload.dtype.value]
    if weights > MEMORY_SHARE * accelerator.memory * domain:
        return np.zeros(len(accelerators))
    sustained = peak * _stated(instance, "serving_derating")
    return serving_rate(accelerators, sustained, shape.active_params(), workload.prompt, workload.answer)


def goodput_of(instance: Instance, cluster: str, accelerators: Ints, nodes: Ints) -> tuple[Floats, Floats]:
    """Failure rate [1/s] of a pod and its share of useful time.

    Training: the exact renewal expression at its best checkpoint interval. Serving keeps no work: 1 / (1 + rate * restart).
    """
    given = instance.assumptions
    rate = accelerators * given.accelerator_failure_rate.value + nodes * given.node_failure_rate.value
    write, restart = given.checkpoint_write.value, given.restart.value
    if isinstance(instance.workloads[cluster], Serving):
        return np.asarray(rate, dtype=np.float64), np.asarray(1.0 / (1.0 + rate * restart), dtype=np.float64)
    interval = optimal_interval(write, rate)
    return np.asarray(rate, dtype=np.float64), goodput(interval, write, rate, 0.0, restart)


def _stated(instance: Instance, name: str) -> float:
    stated: Stated[float] | None = getattr(instance.assumptions, name)
    if stated is None:
        where = instance.origin(f"assumptions.{name}")
        raise InstanceError(
            [Problem("missing-key", where, f"assumptions.{name} is missing", "needed by a workload of this instance")]
        )
    return stated.value
