"""Drops placements that pruning would drop while they are still being enumerated, some at a time, by the program they would be in.

Families and goals are formulated over some placements as over all of them; what their coefficients tell apart stays. So the same
placements are left as if all had been held together, in a fraction of the memory. (Steps between the levels a figure takes, as for
lead times, are then those of the placements that are left.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from models.candidates.placement import Candidates
from models.formulation.build import group_of, parse_objectives, with_families
from models.formulation.core import Core
from models.formulation.dominance import worth_joining
from models.instance import Instance
from models.workload import Training

Ints = npt.NDArray[np.int64]


def sift_for(instance: Instance, names: Sequence[str] | None) -> Callable[[Candidates], Ints] | None:
    """What ``enumerate_candidates`` asks which placements to go on with, for a program with the named objectives.

    None where a cluster may be split over sites: how its pods go together is told by all of them. Raises UsageError where an
    objective is not known.
    """
    asked = parse_objectives(instance, names)
    if any(isinstance(workload, Training) and workload.split is not None for workload in instance.workloads.values()):
        return None

    def sift(some: Candidates) -> Ints:
        core = with_families(Core(instance, some))
        goals = [(one.express(core, instance, cluster), one.direction) for _, one, cluster in asked]
        (placements,) = some.placements
        group = group_of(instance, some, placements.cluster)
        return worth_joining(group, core.blocks, core.rows, goals)

    return sift
