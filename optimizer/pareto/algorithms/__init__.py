"""Algorithms that enumerate a frontier: one per file, found by looking in this folder."""

from __future__ import annotations

import importlib
import pkgutil

from models.errors import UsageError, nearest
from optimizer.pareto.space import Algorithm


def names() -> tuple[str, ...]:
    """Names of all algorithms, sorted."""
    return tuple(sorted(m.name for m in pkgutil.iter_modules(__path__)))


def algorithm_class(name: str) -> type[Algorithm]:
    """The algorithm called ``name``; UsageError when there is none."""
    if name not in names():
        raise UsageError(f"no algorithm {name!r}; {nearest(name, ['auto', *names()])}")
    found: type[Algorithm] = importlib.import_module(f"{__name__}.{name}").ALGORITHM
    return found


def default_for(
    k: int,
    *,
    structured: bool = False,
    general: bool = False,
    coarse: bool = False,
    limited: bool = False,
    early: bool = False,
) -> str:
    """The algorithm that wants the least processor time for ``k`` objectives; of a run ``limited`` to a number of solves, what it will have
    by then counts instead, as it does with three objectives where ``early`` points are asked for.

    ``structured`` programs have cheap solves from reduced-cost fixing; in ``general`` ones, with integers beyond 0 and 1, solvers
    take several times as long over a union of zones as over the zones one by one. ``coarse``: every objective has a resolution.
    """
    if k == 1:
        return "single"
    if limited and not coarse:
        return "boxes" if k <= 4 else "batches"
    if k == 2:
        return "halving" if coarse else "epsilon"
    if structured or (general and k <= 4) or (k == 3 and not early):
        return "zones"
    return "boxes" if k <= 4 else "batches"
