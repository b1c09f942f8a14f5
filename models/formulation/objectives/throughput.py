"""Throughput: tokens per second of goodput of one cluster.

With several clusters and none named it is the smallest delivered share of demand (objective ``throughput_x_demand``).
"""

from __future__ import annotations

from models.formulation.core import TOKEN_QUANTUM, Core
from models.formulation.family import Direction, objective
from models.formulation.linear import Linear
from models.formulation.totals import delivered
from models.instance import Instance
from models.units import TOKEN_PER_SECOND


@objective(
    name="throughput",
    direction=Direction.MAXIMISE,
    unit=TOKEN_PER_SECOND,
    quantum=TOKEN_QUANTUM,
    column="throughput_tokens_per_s",
    title="tokens per second of goodput",
)
def throughput(m: Core, inst: Instance, which: str | None) -> Linear:
    """Sum over the placements of the cluster [tokens/s]; the lesser of prompts and answers where its pods have roles."""
    return delivered(m, which if which is not None else next(iter(inst.workloads)))
