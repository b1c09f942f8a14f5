"""Small programs with frontiers by brute force."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from optimizer.compiled_model import CompiledModel, Sense, value_steps


def program(
    objectives: Sequence[Sequence[float]],
    rows: Sequence[tuple[Sequence[float], float, float]] = (),
    *,
    lower: Sequence[float] | None = None,
    upper: Sequence[float] | None = None,
    integer: Sequence[bool] | None = None,
    senses: Sequence[Sense] | None = None,
    offsets: Sequence[float] | None = None,
) -> CompiledModel:
    """Objectives are given in minimisation sense; bounds default to 0 and 1, columns to integer."""
    costs = np.array(objectives, dtype=float)
    k, n = costs.shape
    low = np.zeros(n) if lower is None else np.array(lower, dtype=float)
    high = np.ones(n) if upper is None else np.array(upper, dtype=float)
    whole = np.ones(n, dtype=bool) if integer is None else np.array(integer, dtype=bool)
    body = np.array([row for row, _, _ in rows], dtype=float).reshape(len(rows), n)
    return CompiledModel(
        name="small",
        matrix=sparse.csc_array(body),
        row_lower=np.array([a for _, a, _ in rows], dtype=float),
        row_upper=np.array([b for _, _, b in rows], dtype=float),
        lower=low,
        upper=high,
        integer=whole,
        objectives=costs,
        offsets=np.zeros(k) if offsets is None else np.array(offsets, dtype=float),
        senses=tuple(senses) if senses else (Sense.MINIMISE,) * k,
        objective_names=tuple(f"f{i + 1}" for i in range(k)),
        steps=value_steps(costs, whole),
    )


def random_program(k: int, seed: int, *, columns: int = 6, rows: int = 2, spread: int = 9) -> CompiledModel:
    """A random integer program with at most two values per column more than a binary one; sometimes infeasible."""
    rng = np.random.default_rng(seed)
    costs = rng.integers(-spread, spread + 1, (k, columns))
    high = rng.integers(1, 3, columns)
    body = rng.integers(-5, 10, (rows, columns))
    reach = body @ high
    limits = [
        (row.tolist(), -np.inf, float(np.floor(rng.uniform(0.1, 0.7) * total)))
        for row, total in zip(body, reach, strict=True)
    ]
    return program(costs.tolist(), limits, upper=high.tolist())


def facility_location(
    k: int, customers: int, facilities: int, seed: int, *, dear: int = 400, near: int = 100, joint: bool = False
) -> CompiledModel:
    """Random uncapacitated facility location: every customer served by one open facility. Columns: serving, customer by customer, for less than
    ``near``, then opening, for at most ``dear``. ``joint``: one row per facility for all its customers together instead of one for each.
    """
    rng = np.random.default_rng(seed)
    serving = rng.integers(0, near, (k, customers * facilities))
    costs = np.hstack([serving, rng.integers(dear // 8, dear + 1, (k, facilities))])
    serve, n = customers * facilities, costs.shape[1]
    rows: list[tuple[NDArray[np.float64], float, float]] = []
    for customer in range(customers):
        row = np.zeros(n)
        row[customer * facilities : (customer + 1) * facilities] = 1.0
        rows.append((row, 1.0, 1.0))
    for facility in range(facilities):
        row = np.zeros(n)
        row[facility:serve:facilities], row[serve + facility] = 1.0, -float(customers)
        rows += [(row, -np.inf, 0.0)] if joint else []
        for customer in () if joint else range(customers):
            row = np.zeros(n)
            row[customer * facilities + facility], row[serve + facility] = 1.0, -1.0
            rows.append((row, -np.inf, 0.0))
    return program(costs.tolist(), [(row.tolist(), low, high) for row, low, high in rows])


def legal_values(model: CompiledModel) -> NDArray[np.float64]:
    """Objective values of every legal point (integer columns only)."""
    ranges = [range(int(a), int(b) + 1) for a, b in zip(model.lower, model.upper, strict=True)]
    points = np.array(list(itertools.product(*ranges)), dtype=float)
    activity = points @ model.matrix.toarray().T
    legal = ((activity <= model.row_upper + 1e-9) & (activity >= model.row_lower - 1e-9)).all(axis=1)
    return np.unique(points[legal] @ model.objectives.T + model.offsets, axis=0)


def frontier(values: NDArray[np.float64]) -> list[tuple[float, ...]]:
    """Nondominated rows of distinct ``values`` by comparing all pairs, sorted."""
    kept = []
    for y in values:
        no_worse = (values <= y).all(axis=1)
        if no_worse.sum() == 1:
            kept.append(tuple(y.tolist()))
    return sorted(kept)
