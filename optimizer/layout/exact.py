"""CP-SAT on a few racks at a time: the rest stand still, the few take each other's places and the empty ones near them.

Where the few are all there are, and every bay is open to them, the solver's bound holds for the whole pod.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MILLIMETRES = 1000


@dataclass(frozen=True)
class Window:
    """Result of one window: bay of each item of the pod, and a bound [m] on the whole way where the window was everything."""

    at: Ints
    bound: float | None


def solve_window(
    flow: Floats,
    x: Floats,
    y: Floats,
    at: Ints,
    chosen: Sequence[int],
    bays: Sequence[int],
    effort: float,
    least: float = 0.0,
) -> Window:
    """The best places of the items ``chosen`` among ``bays`` while the others stay; ``effort`` is deterministic time.

    ``least`` [m] is a known lower bound on the whole way.
    """
    from ortools.sat.python import cp_model

    model = cp_model.CpModel()
    others = np.setdiff1d(np.arange(len(at)), np.array(chosen))
    spots = np.array(bays)
    px, py = np.rint(x * MILLIMETRES).astype(np.int64), np.rint(y * MILLIMETRES).astype(np.int64)
    apart = np.abs(px[spots][:, None] - px[at[others]]) + np.abs(py[spots][:, None] - py[at[others]])
    here = {(i, b): model.new_bool_var("") for i in chosen for b in range(len(bays))}
    for i in chosen:
        model.add_exactly_one(here[i, b] for b in range(len(bays)))
        for b in range(len(bays)):
            model.add_hint(here[i, b], bays[b] == at[i])
    for b in range(len(bays)):
        model.add_at_most_one(here[i, b] for i in chosen)
    terms: list[Any] = []
    for i in chosen:
        pull = np.rint(apart @ flow[i, others]).astype(np.int64)
        terms += [int(pull[b]) * here[i, b] for b in range(len(bays)) if pull[b]]
    terms += _pairs(model, flow, px, py, chosen, bays, here)
    _in_order(model, flow, at, chosen, len(bays), here)
    still = float((flow[np.ix_(others, others)] * _ways(px, py, at[others])).sum() / 2)
    whole = model.new_int_var(0, 10**15, "")
    model.add(whole == sum(terms))
    floor = int(least * MILLIMETRES - still) - 1
    if floor > 0:
        model.add(whole >= floor)
    model.minimize(whole)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 0
    solver.parameters.max_deterministic_time = effort
    status = solver.solve(model)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return Window(at, None)
    found = at.copy()
    for i in chosen:
        found[i] = bays[next(b for b in range(len(bays)) if solver.value(here[i, b]))]
    everything = len(others) == 0 and len(bays) == len(x)
    return Window(found, solver.best_objective_bound / MILLIMETRES if everything else None)


def _ways(px: Ints, py: Ints, at: Ints) -> Ints:
    return np.asarray(np.abs(px[at][:, None] - px[at]) + np.abs(py[at][:, None] - py[at]))


def _pairs(
    model: Any, flow: Floats, px: Ints, py: Ints, chosen: Sequence[int], bays: Sequence[int], here: Any
) -> list[Any]:
    """Ways between the chosen, along each axis."""
    axis: dict[tuple[int, int], Any] = {}
    for i in chosen:
        for number, values in enumerate((px, py)):
            spots = [int(values[b]) for b in bays]
            axis[i, number] = model.new_int_var(min(spots), max(spots), "")
            model.add(axis[i, number] == sum(spot * here[i, b] for b, spot in enumerate(spots)))
    spans = [int(values[list(bays)].max() - values[list(bays)].min()) for values in (px, py)]
    terms = []
    for first, i in enumerate(chosen):
        for j in chosen[first + 1 :]:
            if flow[i, j] <= 0:
                continue
            for number in (0, 1):
                way = model.new_int_var(0, spans[number], "")
                model.add(way >= axis[i, number] - axis[j, number])
                model.add(way >= axis[j, number] - axis[i, number])
                terms.append(round(float(flow[i, j])) * way)
    return terms


def _in_order(model: Any, flow: Floats, at: Ints, chosen: Sequence[int], bays: int, here: Any) -> None:
    """Items joined to the others in the same way are interchangeable: they take bays in the order of the ones they have now."""
    groups: dict[bytes, list[int]] = {}
    for i in chosen:
        groups.setdefault(np.delete(flow[i], []).tobytes(), []).append(i)
    for members in groups.values():
        ordered = sorted(members, key=lambda i: int(at[i]))
        for a, b in itertools.pairwise(ordered):
            model.add(sum(n * here[a, n] for n in range(bays)) + 1 <= sum(n * here[b, n] for n in range(bays)))
