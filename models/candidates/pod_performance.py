"""Throughput and goodput of pods: one place, so that a better model replaces them here.

``first_order``: peak x stated derating x communication factor. ``mapping``: the best of all parallel mappings of the model on at
most that many accelerators behind the pod's network, times the stated production factor.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.candidates.mapping_search import Question
from models.candidates.throughput_table import Memo, ThroughputTable, throughput_tables
from models.errors import InstanceError, Problem
from models.instance import Instance
from models.parts.accelerator import Accelerator
from models.parts.model_card import ModelCard
from models.parts.system import System
from models.physics.checkpointing import goodput, optimal_interval
from models.physics.first_order import communication_factor, serving_rate, training_rate
from models.physics.performance.cards import AcceleratorCard, Network
from models.physics.performance.constants import FILE_NAME, PerformanceConstants, read_constants
from models.policy import Stated
from models.shipped import catalogue_folder
from models.workload import Serving, ThroughputMethod, Training

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

MEMORY_SHARE = 0.9
TRAINING_BYTES_PER_PARAMETER = 16.0
STEPS_PER_OCTAVE = 6
_WEIGHT_BYTES = {"bf16": 2.0, "fp8": 1.0, "fp4": 0.5625}


@dataclass(frozen=True)
class Delivered:
    """Throughput of some pods: tokens/s without failures (zero: does not fit), relative error band, and the search behind it.

    ``profile`` indexes the performance's ``profiles``; -1 where no mapping was searched.
    """

    tokens_s: Floats
    band: Floats
    profile: Ints


class Performance:
    """Throughput of one cluster's pods. ``prepare`` gathers what will be asked, so that searches share their work."""

    def __init__(self, instance: Instance, cluster: str, memo: Memo | None = None) -> None:
        self._instance = instance
        self._cluster = cluster
        self._memo = memo
        self._workload = instance.workloads[cluster]
        self.profiles: list[ThroughputTable] = []
        self._known: dict[tuple[str, int, float, float], int] = {}
        self._constants: PerformanceConstants | None = None
        if self._workload.throughput is ThroughputMethod.MAPPING:
            self._constants = read_constants(catalogue_folder() / FILE_NAME)

    def prepare(self, asked: Iterable[tuple[System, Floats, Floats]]) -> None:
        """Searches the mappings of every (system, injection, narrowest) network that will be asked for."""
        if self._constants is None or isinstance(self._workload, Serving):
            return
        wanted: set[tuple[str, int, float, float]] = set()
        for system, injection, narrow in asked:
            pairs = np.unique(_networks(injection, narrow), axis=0)
            wanted.update((*self._part(system), float(rate), float(ratio)) for rate, ratio in pairs)
        ordered = sorted(wanted)
        self._known = {key: number for number, key in enumerate(ordered)}
        self.profiles = throughput_tables([self._question(*key) for key in ordered], self._constants, self._memo)

    def of(self, system: System, accelerators: Ints, injection: Floats, narrow: Floats) -> Delivered:
        """Throughput of pods of ``accelerators`` of one system.

        ``injection`` and ``narrow`` [B/s] per accelerator: at the NICs, and at the narrowest tier of the fabric.
        """
        if self._constants is None:
            rate = first_order(self._instance, self._cluster, system, accelerators, narrow)
            return Delivered(rate, np.zeros(len(rate)), np.full(len(rate), -1, dtype=np.int64))
        part, domain = self._part(system)
        pairs, inverse = np.unique(_networks(injection, narrow), axis=0, return_inverse=True)
        known = [self._known[part, domain, float(rate), float(ratio)] for rate, ratio in pairs]
        profile = np.asarray(known, dtype=np.int64)[np.asarray(inverse).reshape(-1)]
        tokens = np.zeros(len(accelerators))
        for number in known:
            rows = profile == number
            tokens[rows] = self.profiles[number].rate(accelerators[rows])
        return Delivered(tokens * self.production_factor, np.full(len(tokens), self._constants.band(part)), profile)

    @property
    def production_factor(self) -> float:
        """Share of benchmark throughput that production reaches: the instance's, or that of the performance constants."""
        stated = self._instance.assumptions.production_factor
        if stated is not None:
            return stated.value
        return self._constants.production_factor if self._constants is not None else 1.0

    def _part(self, system: System) -> tuple[str, int]:
        assert system.accelerator is not None
        accelerator = self._instance.catalogue.get(Accelerator, system.accelerator)
        return accelerator.id, min(accelerator.scaleup_domain or 1, system.accelerators or 1)

    def _question(self, part: str, domain: int, rate: float, ratio: float) -> Question:
        assert isinstance(self._workload, Training)
        assert self._constants is not None
        shape = self._instance.catalogue.get(ModelCard, self._workload.model).shape()
        row = self._instance.catalogue.rows[Accelerator.file][part]
        card = AcceleratorCard.from_row(row, self._constants.kernel_class(part))
        sizes = self._workload.design_space.sizes
        return Question(
            model=shape,
            accelerator=card,
            network=Network.of(card, rate, domain=domain, oversubscription=1.0 / ratio),
            global_batch=max(1, round(self._workload.global_batch / shape.seq)),
            dtype=self._workload.dtype.value,
            smallest=sizes.smallest,
            largest=sizes.largest + 1024,
        )


def _networks(injection: Floats, narrow: Floats) -> Floats:
    """Injection and taper (n x 2). The taper is rounded to the slower side in sixths of an octave, so that near-equal fabrics
    share one search; 1, 1/2, 1/4, ... stay as they are.
    """
    ratio = np.minimum(np.asarray(narrow) / np.asarray(injection), 1.0)
    steps = np.ceil(-np.log2(ratio) * STEPS_PER_OCTAVE - 1e-6)
    return np.stack([np.asarray(injection, dtype=np.float64), 2.0 ** (-steps / STEPS_PER_OCTAVE)], axis=1)


def first_order(instance: Instance, cluster: str, system: System, accelerators: Ints, bandwidth: Floats) -> Floats:
    """Tokens/s without failures from one stated derating; zero where the model does not fit in memory.

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
        problem = Problem(
            "missing-key", where, f"assumptions.{name} is missing", "needed by a workload of this instance"
        )
        raise InstanceError([problem])
    return stated.value
