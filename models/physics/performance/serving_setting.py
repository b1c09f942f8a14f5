"""A replica that serves: model, part, network and formats held fixed, and how its caches and experts are spread."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.physics.performance.cards import WIDTH_BYTES, AcceleratorCard, ModelShape, Network
from models.physics.performance.constants import PerformanceConstants
from models.physics.performance.expert_load import fullest_rank

Array = NDArray[np.float64]

STATE_BYTES = 4.0
"""Bytes per element of the state of layers without a cache: kept in 32 bits, since every token adds to it."""
WIDE = ("bf16", "fp16")
"""Formats that need no cast."""


@dataclass(frozen=True, slots=True)
class ServingSetting:
    """A replica held fixed: ``packages`` accelerators, products in ``dtype``, cache in ``cache_dtype``.

    ``weight_dtype`` is what weights are stored in where that is narrower than what the part multiplies. Experts are spread over
    ``expert_ranks`` (None: all packages), each cut over the packages beyond; ``expert_balance``: redundant experts even out their load.
    ``graph_batches``: sequences of an attention group that decoding is recorded for, to the next of which a step is filled up.
    """

    model: ModelShape
    accelerator: AcceleratorCard
    network: Network
    constants: PerformanceConstants
    packages: int
    dtype: str
    cache_dtype: str
    weight_dtype: str | None = None
    expert_ranks: int | None = None
    expert_balance: bool = True
    graph_batches: tuple[float, ...] = ()

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

    @property
    def spread(self) -> float:
        """Ranks that the experts of a layer are spread over."""
        return float(self.expert_ranks or self.packages)

    @property
    def expert_load(self) -> float:
        """Rows of the fullest rank of experts over the mean."""
        return fullest_rank(self.model, int(self.spread), balanced=self.expert_balance)

    def recorded(self, local: Array) -> Array:
        """Sequences that a step of ``local`` sequences in an attention group computes: filled up to the next recorded size."""
        sizes = np.array([*self.graph_batches, np.inf])
        filled = sizes[np.searchsorted(sizes, local)]
        return np.where(np.isfinite(filled), filled, local)

    def state_bytes(self) -> float:
        """What one sequence holds beside its cache, over all layers of constant state, unsplit [B]."""
        return self.model.linear_layers * self.model.state_elements() * STATE_BYTES

    def cache_bytes(self, tokens: float) -> float:
        """Cache of a sequence of ``tokens`` over all layers, unsplit [B]; layers with a window keep no more than it."""
        return self.model.held(tokens) * self.model.kv_width() * WIDTH_BYTES[self.cache_dtype]


def cache_split(s: ServingSetting, t: Array) -> Array:
    """Over how many of t ranks the cache of a sequence is spread."""
    if s.model.attention == "mla":
        return np.ones_like(t)
    return np.minimum(t, float(s.model.kv_heads))


def state_split(s: ServingSetting, t: Array) -> Array:
    """Over how many of t ranks the state of a sequence is spread: its heads."""
    return np.minimum(t, float(s.model.state_heads))


def compute_dtype(accelerator: AcceleratorCard, stored: str) -> str:
    """The narrowest format at least as wide as ``stored`` that the part multiplies."""
    wider = [name for name in ("fp4", "fp8", "bf16") if WIDTH_BYTES[name] >= WIDTH_BYTES[stored]]
    return stored if stored in accelerator.peak else next(name for name in wider if name in accelerator.peak)
