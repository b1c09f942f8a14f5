"""What is held fixed while mappings vary."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.physics.performance.cards import AcceleratorCard, ModelShape, Network
from models.physics.performance.constants import PerformanceConstants, Software

Array = NDArray[np.float64]

MODULES = ("layernorm", "moe_act", "shared_experts", "moe", "mlp", "mlp_up", "mla_up_proj")
"""Parts of a layer that software can recompute by themselves, beside the attention core (which a mapping says)."""


@dataclass(frozen=True, slots=True)
class Run:
    """What a run did that its mapping does not say; every default is what a search takes.

    recomputed: parts of each layer repeated in the backward pass, of ``MODULES``; full_layers: layers per pipeline chunk that full
    recompute repeats (None: as the mapping has it); all_layers: full recompute is known to repeat every layer; expert_waits: the host waits in every layer for the numbers of tokens its experts got, so that it
    cannot issue ahead; each_copy: every copy of a token travels by itself, even to one domain; dispatch_bytes: width of a dispatched
    element [B] (None: what the software of the exchange sends); predictions: further tokens predicted, each by one more layer and
    output; gradient_bytes: width in which gradients are summed and sent [B] (None: as usual in the format); offloaded: share of the saved activations kept in host memory; host_rate: B/s to host memory, each way; optimizer_bytes:
    state per parameter beside weight and gradient [B] (None: 32-bit copy and moments); shard_group: ranks that fully sharded weights are
    spread over, whose copies then exchange gradients once per step (None: all).
    """

    recomputed: frozenset[str] = frozenset()
    full_layers: int | None = None
    all_layers: bool = False
    expert_waits: bool = False
    each_copy: bool = False
    dispatch_bytes: float | None = None
    predictions: int = 0
    gradient_bytes: float | None = None
    offloaded: float = 0.0
    host_rate: float = 50e9
    optimizer_bytes: float | None = None
    shard_group: int | None = None


@dataclass(frozen=True, slots=True)
class Setting:
    """One model on one part and network in one format: ``global_batch`` in sequences.

    ``bubble_factor`` multiplies the pipeline bubble (a third for zero-bubble schedules), ``expert_imbalance`` is the load of
    the fullest expert over the mean, ``expert_overlap`` says that expert traffic runs behind another micro-batch.
    """

    model: ModelShape
    accelerator: AcceleratorCard
    network: Network
    global_batch: float
    dtype: str
    constants: PerformanceConstants
    software: Software
    bubble_factor: float = 1.0
    expert_imbalance: float = 1.1
    expert_overlap: bool = False
    run: Run = Run()

    @property
    def memory_rate(self) -> float:
        """B/s of memory that large streams reach."""
        return self.accelerator.hbm_rate * self.accelerator.kernels.hbm_efficiency
