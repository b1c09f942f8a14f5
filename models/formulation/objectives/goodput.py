"""Goodput: share of useful time, of the worst training cluster where there are several; of the worst pod where many serve.

t <= goodput[c]  for every cluster c, t maximised;  see ``formulation.extremes`` for a cluster that uses several kinds of pods
"""

from __future__ import annotations

from models.formulation.core import GOODPUT_QUANTUM, Core, down
from models.formulation.extremes import least
from models.formulation.family import Direction, objective
from models.formulation.linear import Linear
from models.instance import Instance
from models.units import FRACTION
from models.workload import Training


@objective(
    name="goodput",
    direction=Direction.MAXIMISE,
    unit=FRACTION,
    quantum=GOODPUT_QUANTUM,
    column="goodput_fraction",
    title="share of useful time",
)
def goodput(m: Core, inst: Instance, which: str | None) -> Linear:
    """Of the only training cluster, or a variable at most that of each (in millionths)."""
    clusters = [which] if which else [name for name, w in inst.workloads.items() if isinstance(w, Training)]
    m.within("goodput")
    return least(
        m,
        inst,
        "goodput",
        clusters or list(inst.workloads),
        lambda p: down(p.of_pods(p.pods.goodput), GOODPUT_QUANTUM),
        1.0 / GOODPUT_QUANTUM,
        "1e-6",
    )
