"""Blast radius: accelerators that the worst single failure takes from any pod in use.

    t >= lost[p] * used[p]  for every pod p in use, t minimised

lost [accelerators]  from candidates: behind one leaf, in one rack, on one feed, on one storage node. A failure in one pod leaves
the others standing, so the greatest counts and not the sum.
"""

from __future__ import annotations

from models.formulation.core import Core
from models.formulation.extremes import greatest
from models.formulation.family import Direction, objective
from models.formulation.linear import Linear
from models.instance import Instance
from models.units import FRACTION


@objective(
    name="blast_radius",
    direction=Direction.MINIMISE,
    unit=FRACTION,
    quantum=1.0,
    column="blast_radius_accelerators",
    title="accelerators lost in the worst single failure",
)
def blast_radius(m: Core, inst: Instance, which: str | None) -> Linear:
    """Of the only cluster, or a variable at least that of each [accelerators]."""
    m.within("blast_radius")
    return greatest(
        m, inst, "blast_radius", list(inst.workloads), lambda p: p.of_pods(p.pods.blast_radius), "accelerators"
    )
