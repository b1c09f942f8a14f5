"""What to ask each vendor for: every improvable field of every part, one step better, ranked by what the cheapest design gains.

A gap is worth  gain = V - V(one step better).  Where one step is not enough,  left  says how much dearer the cheapest design with the
improved part still is, and  closes  how much of today's distance the step takes away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from models.candidates.placement import Candidates, enumerate_candidates
from models.instance import Instance
from models.parts.accelerator import Accelerator
from models.parts.cooling import Cooling
from models.parts.network_part import Link, Switch
from models.parts.part import Part
from models.parts.power_component import PowerComponent
from models.parts.system import System
from optimizer.performance_cache import PerformanceCache
from optimizer.sensitivity.effort import Effort
from optimizer.sensitivity.gap import Gap as Gap
from optimizer.sensitivity.gap import GapList as GapList
from optimizer.sensitivity.gap_search import GapSearch, gaps_of
from optimizer.sensitivity.part_program import Requirement

LAYERS: Mapping[str, type[Part]] = {
    "silicon": Accelerator,
    "systems": System,
    "network": Switch,
    "optics": Link,
    "power": PowerComponent,
    "cooling": Cooling,
}
ASKED_FIRST = ("power", "cooling", "network", "optics", "systems", "silicon")
"""Layers by what a question takes, least first: of what time ends, most is known."""
STEP = 0.1


def gap_list(
    instance: Instance,
    *,
    layers: Sequence[str] | None = None,
    parts: Sequence[str] | None = None,
    step: float = STEP,
    requirement: Requirement | None = None,
    objective: str = "tco",
    time_limit: float | None = None,
    backend: str = "auto",
    candidates: Candidates | None = None,
    effort: Effort | None = None,
) -> GapList:
    """Every improvable field of the parts the design spaces allow, ranked by what one step of it is worth.

    ``layers`` of ``LAYERS`` (None: all), ``parts`` by id (None: all). ``effort`` goes before time and backend. Raises InfeasibleError where no design is legal today.
    """
    effort = effort or Effort(time_limit, backend)
    wanted = requirement or Requirement()
    found = candidates if candidates is not None else enumerate_candidates(instance, PerformanceCache())
    search = GapSearch(instance, found, wanted, objective, effort)
    chosen = [
        (part, layer, step)
        for layer, kind in sorted(LAYERS.items(), key=lambda known: ASKED_FIRST.index(known[0]))
        if layers is None or layer in layers
        for part in instance.catalogue.of(kind).values()
        if (parts is None or part.id in parts) and search.matters(part)
    ]
    search.prepare([part for part, _, _ in chosen], effort)
    looked = list(effort.each(gaps_of, search, chosen))
    gaps = [gap for listed, _ in looked for gap in listed]
    complete = all(done for _, done in looked)
    gaps.sort(key=_rank)
    return GapList(
        objective,
        search.best,
        step,
        tuple(gaps),
        complete and all(g.proven for g in gaps),
        effort.solves,
        round(effort.spent, 3),
    )


def _rank(gap: Gap) -> tuple[object, ...]:
    """Parts that one step lets in come first, then parts that are in already, each by gain; then what is nearest to entering."""
    order = 0 if gap.enters and gap.gain > 0 and not gap.wins_today else (1 if gap.gain > 0 else 2)
    return order, -round(gap.gain, 2), gap.left is None, round(gap.left or 0.0, 2), gap.part, gap.field
