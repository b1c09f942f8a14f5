"""The default for four objectives, and for three where a run may be stopped: one zone at a time while zones hold points, small batches once they turn out empty.

As ``batches``, with sizes that follow what is found: four times as many zones after an infeasible batch, half as many after a new point. A
batch that takes more than a fixed amount of work is given up, and none of its size is asked again. It asks little more often than the
largest batches, at less time per solve.
"""

from __future__ import annotations

from typing import ClassVar

from optimizer.pareto.algorithms.batches import Batches
from optimizer.pareto.space import Algorithm


class Boxes(Batches):
    """Early points spread over the frontier, and the least time for the whole of it."""

    name: ClassVar[str] = "boxes"
    growth: ClassVar[int] = 4
    largest: ClassVar[int] = 16
    shrink: ClassVar[int] = 2
    effort: ClassVar[float | None] = 1.0


ALGORITHM: type[Algorithm] = Boxes
