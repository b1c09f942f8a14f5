"""Best values of single objectives of instances between two, each found once, in quanta and minimisation sense."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations

from models.candidates.placement import Candidates, enumerate_candidates
from models.errors import InfeasibleError, InstanceError
from models.formulation.build import build
from models.instance import Instance
from optimizer.compile import compile_formulation
from optimizer.diff.inputs import Between
from optimizer.performance_cache import PerformanceCache
from optimizer.sensitivity.effort import Effort

Chosen = frozenset[str]


class Optima:
    """``stopped``: time ended before some value was proven; it then counts as none."""

    def __init__(self, between: Between, objectives: Sequence[str], effort: Effort, say: Callable[[str], None]) -> None:
        self._hot = _Hot(between, tuple(objectives))
        self._effort = effort
        self._say = say
        self._known: dict[Chosen, _Values] = {}
        self.stopped = False

    def value(self, objective: str, chosen: Chosen) -> int | None:
        """The least value with these groups of changes made; None where nothing is legal, or it is not proven."""
        self.prepare([chosen])
        return self._known[chosen].get(objective)

    def prepare(self, wanted: Sequence[Chosen]) -> None:
        """Finds the values of several instances, which do not depend on one another."""
        missing = [chosen for chosen in wanted if chosen not in self._known]
        for chosen, found in zip(missing, self._effort.each(_values, self._hot, missing), strict=True):
            self._say(f"best designs with {len(chosen)} of the changes")
            self._known[chosen] = {name: value for name, (value, _) in found.items()}
            self.stopped |= not all(proven for _, proven in found.values())

    def prepare_split(self, groups: Sequence[str], most: int) -> None:
        """Finds what a split over ``groups`` asks for: both ends, and all that lies between where both have a value."""
        ends = [Chosen(), Chosen(groups)]
        self.prepare(ends)
        if not any(None not in (self._known[ends[0]][o], self._known[ends[1]][o]) for o in self._hot.objectives):
            return
        if len(groups) <= most:
            between = [Chosen(c) for size in range(1, len(groups)) for c in combinations(groups, size)]
        else:
            between = [Chosen(groups[:size]) for size in range(1, len(groups))]
        self.prepare(between)


_Values = dict[str, int | None]


class _Hot:
    def __init__(self, between: Between, objectives: tuple[str, ...]) -> None:
        self.between, self.objectives = between, objectives
        self.memo = PerformanceCache()


def _values(hot: _Hot, chosen: Chosen, effort: Effort) -> dict[str, tuple[int | None, bool]]:
    """By objective: its least value, and whether that (or that there is none) is proven."""
    if effort.over:
        return dict.fromkeys(hot.objectives, (None, False))
    try:
        instance = hot.between.at(chosen)
        candidates = enumerate_candidates(instance, hot.memo)
    except InstanceError:
        return dict.fromkeys(hot.objectives, (None, True))
    return {name: _least(instance, candidates, name, effort) for name in hot.objectives}


def _least(instance: Instance, candidates: Candidates, objective: str, effort: Effort) -> tuple[int | None, bool]:
    if effort.over:
        return None, False
    try:
        formulation = build(instance, (objective,), candidates)
    except InfeasibleError:
        return None, True
    if formulation.hopeless:
        return None, True
    answer = effort.least(compile_formulation(formulation))
    if answer is None or not answer.proven:
        return None, False
    return None if answer.x is None else round(answer.bound), True
