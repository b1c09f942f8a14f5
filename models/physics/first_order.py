"""First-order throughput: peak rate times one stated derating times what communication leaves over.

Training: 6 floating-point operations per parameter and token; data-parallel traffic of 2 bytes x 2 directions per parameter
and step, of which a stated share is not hidden behind computation.
Serving: 2 operations per active parameter and token, prompt tokens included. Used where the full performance model is not asked for.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

OPERATIONS_PER_TRAINED_TOKEN = 6.0
OPERATIONS_PER_SERVED_TOKEN = 2.0
GRADIENT_BYTES = 4.0


def communication_factor(
    accelerators: ArrayLike,
    sustained: ArrayLike,
    bandwidth: ArrayLike,
    batch_tokens: ArrayLike,
    model_parallel: ArrayLike,
    exposed: ArrayLike,
) -> Floats:
    """Share of time left for computation: 1 / (1 + exposed * t_comm / t_compute).

    t_comm = 4 bytes * (P / model_parallel) / bandwidth and t_compute = 6 P batch / (accelerators * sustained), so P cancels.
    ``sustained`` [FLOP/s] per accelerator, ``bandwidth`` [B/s] per accelerator at the narrowest tier, ``batch_tokens`` per step.
    """
    n, rate, wire = np.asarray(accelerators, float), np.asarray(sustained, float), np.asarray(bandwidth, float)
    batch, parallel = np.asarray(batch_tokens, float), np.asarray(model_parallel, float)
    ratio = GRADIENT_BYTES * n * rate / (OPERATIONS_PER_TRAINED_TOKEN * batch * parallel * wire)
    return np.asarray(1.0 / (1.0 + np.asarray(exposed, float) * ratio), dtype=np.float64)


def training_rate(accelerators: ArrayLike, sustained: ArrayLike, parameters: float, factor: ArrayLike) -> Floats:
    """Tokens per second of a training cluster without failures."""
    n, rate = np.asarray(accelerators, float), np.asarray(sustained, float)
    return np.asarray(
        n * rate * np.asarray(factor, float) / (OPERATIONS_PER_TRAINED_TOKEN * parameters), dtype=np.float64
    )


def serving_rate(
    accelerators: ArrayLike, sustained: ArrayLike, active_parameters: float, prompt: float, answer: float
) -> Floats:
    """Output tokens per second of serving pods, each answer paying for its prompt."""
    n, rate = np.asarray(accelerators, float), np.asarray(sustained, float)
    work = OPERATIONS_PER_SERVED_TOKEN * active_parameters * (1.0 + prompt / answer)
    return np.asarray(n * rate / work, dtype=np.float64)
