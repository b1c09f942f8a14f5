"""What is held fixed while mappings vary."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.physics.performance.cards import AcceleratorCard, ModelShape, Network
from models.physics.performance.constants import PerformanceConstants, Software

Array = NDArray[np.float64]


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

    @property
    def memory_rate(self) -> float:
        """B/s of memory that large streams reach."""
        return self.accelerator.hbm_rate * self.accelerator.kernels.hbm_efficiency
