"""The tiny instances, each loaded, enumerated and tried out by brute force once for all tests of a session."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from models.candidates.placement import Candidates, enumerate_candidates
from models.formulation.build import build
from models.instance import Instance
from models.loading import load
from models.shipped import shipped_instances
from optimizer.compile import compile_formulation
from optimizer.pareto import FrontierStatus, ParetoResult, RunLimits, solve

from .brute_force import Choice, Plant, Vector, legal_designs

TINY = tuple(sorted(name for name in shipped_instances() if name.startswith("tiny/")))
PATIENCE = RunLimits(solves=5000)


@cache
def instance(name: str, scenario: str | None = None) -> Instance:
    return load(name, scenario=scenario)


@cache
def candidates(name: str, scenario: str | None = None) -> Candidates:
    return enumerate_candidates(instance(name, scenario))


@cache
def designs(name: str, scenario: str | None = None) -> tuple[tuple[Choice, Plant], ...]:
    return tuple(legal_designs(instance(name, scenario), candidates(name, scenario)))


def frontier(
    inst: Instance,
    found: Candidates,
    objectives: Sequence[str],
    *,
    pruned: bool = True,
    resolution: Sequence[float] | None = None,
    shares: Sequence[float] | None = None,
) -> ParetoResult:
    """The engine's frontier of an instance, complete or proven empty."""
    model = compile_formulation(build(inst, objectives, candidates=found, pruned=pruned))
    result = solve(model, resolution=resolution, shares=shares, limits=PATIENCE)
    assert result.status in (FrontierStatus.COMPLETE, FrontierStatus.INFEASIBLE), result.stopped_by
    return result


def points(result: ParetoResult) -> set[Vector]:
    """Points in quanta and minimisation sense, all of them whole."""
    listed = {tuple(round(v) for v in row) for row in result.points.tolist()}
    assert len(listed) == result.n_points
    return listed
