"""The best use of up to N packages: some sizes divide badly, and a few packages left idle then train faster than all of them.

Sizes tried are products (tensor * context * pipeline) * data with data a divisor of the batch, the largest such size for every divisor, down
to a stated share of N. Throughput in N is then never far below its neighbours; every size is searched in full.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from models.physics.performance.cards import AcceleratorCard, ModelShape, Network
from models.physics.performance.constants import PerformanceConstants, Software
from models.physics.performance.mapping import MAX_TENSOR, divisors
from models.physics.performance.training import MappingResult, best_mapping

SMALLEST_SHARE = 0.75
"""Least share of the packages that may be used."""
UNEVEN = 1.15
"""Most layer slots over layers: how unevenly layers may fall on the stages of a size worth trying."""


@dataclass(frozen=True, slots=True)
class SizedResult:
    """The best mapping and how many of the packages it uses; the rest stand idle (or are spares)."""

    used: int
    result: MappingResult


@lru_cache(maxsize=4096)
def usable_sizes(model: ModelShape, packages: int, global_batch: int) -> tuple[int, ...]:
    """Sizes of at most ``packages`` worth a search, largest first."""
    tensor = [t for t in divisors(model.heads) if t <= MAX_TENSOR]
    stages = [p for p in range(1, model.layers + 1) if -(-model.layers // p) * p <= UNEVEN * model.layers + 2]
    replicas = sorted({t * p * c for t in tensor for p in stages for c in (1, 2, 4, 8) if t * p * c <= packages})
    found = set()
    for data in divisors(global_batch):
        room = packages // data
        fitting = [k for k in replicas if k <= room]
        if fitting and fitting[-1] * data >= SMALLEST_SHARE * packages:
            found.add(fitting[-1] * data)
    return tuple(sorted(found, reverse=True))


def best_within(
    model: ModelShape,
    accelerator: AcceleratorCard,
    network: Network,
    accelerators: int,
    global_batch: int,
    constants: PerformanceConstants,
    dtype: str,
    *,
    software: Software | None = None,
    tries: int = 6,
) -> SizedResult | None:
    """The most tokens per second of at most ``accelerators`` packages, or None when no size tried holds the model.

    The ``tries`` largest sizes are searched; ties go to the size that uses more packages.
    """
    best: SizedResult | None = None
    for size in usable_sizes(model, accelerators, global_batch)[:tries]:
        found = best_mapping(model, accelerator, network, size, global_batch, constants, dtype, software=software)
        if found is not None and (best is None or found.tokens_s > best.result.tokens_s):
            best = SizedResult(size, found)
    return best
