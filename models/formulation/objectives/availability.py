"""Availability: probability that a whole pod stands, of the worst cluster; of the worst pod where several kinds serve.

    t <= availability[c]  for every cluster c, t maximised

availability [fraction, in millionths] is a datum of the placement: systems with their spares (k of n), leaves, spines, storage, and
whatever part of the site multiplies it. A product of chosen things is data here, so nothing non-linear is left.
"""

from __future__ import annotations

from models.formulation.core import AVAILABILITY_QUANTUM, Core, down
from models.formulation.extremes import least
from models.formulation.family import Direction, objective
from models.formulation.linear import Linear
from models.instance import Instance
from models.units import FRACTION


@objective(
    name="availability",
    direction=Direction.MAXIMISE,
    unit=FRACTION,
    quantum=AVAILABILITY_QUANTUM,
    column="availability_fraction",
    title="probability that the worst cluster stands",
)
def availability(m: Core, inst: Instance, which: str | None) -> Linear:
    """Of the only cluster, or a variable at most that of each (in millionths)."""
    m.within("availability")
    return least(
        m,
        inst,
        "availability",
        list(inst.workloads),
        lambda p: down(p.availability, AVAILABILITY_QUANTUM),
        1.0 / AVAILABILITY_QUANTUM,
        "1e-6",
    )
