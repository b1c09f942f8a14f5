"""A formulation as matrices by numpy alone: for programs of millions of columns, where a modeller takes minutes and gigabytes.

The same numbers as ``optimizer.compile``, with columns in the order of the blocks: the benchmarks' own check compares the two.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import sparse

from models.formulation.build import Formulation
from models.formulation.core import block_name
from models.formulation.family import Direction
from models.formulation.linear import Kind, Linear
from models.workload import Serving
from optimizer.compile import step_of
from optimizer.compiled_model import ChoiceGroup, CompiledModel, Sense


def matrices(formulation: Formulation) -> CompiledModel:
    """The compiled program; keys of rows as ``optimizer.compile`` names them, none for columns."""
    blocks, rows, goals = formulation.blocks, formulation.rows, formulation.goals
    starts = dict(
        zip(blocks, np.concatenate([[0], np.cumsum([len(b) for b in blocks.values()])[:-1]]).tolist(), strict=True)
    )
    width = sum(map(len, blocks.values()))

    def spread(linear: Linear) -> tuple[Any, Any]:
        used = [(starts[name] + np.flatnonzero(v), v[np.flatnonzero(v)]) for name, v in linear.terms.items()]
        if not used:
            return np.empty(0, dtype=np.int64), np.empty(0)
        return np.concatenate([at for at, _ in used]), np.concatenate([values for _, values in used])

    filled = [spread(row.expression) for row in rows]
    indptr = np.concatenate([[0], np.cumsum([len(at) for at, _ in filled])])
    body = sparse.csr_array(
        (np.concatenate([v for _, v in filled]), np.concatenate([at for at, _ in filled]), indptr), shape=(len(rows), width)
    )  # fmt: skip
    signs = [1.0 if g.objective.direction is Direction.MINIMISE else -1.0 for g in goals]
    costs = np.zeros((len(goals), width))
    for i, goal in enumerate(goals):
        at, values = spread(goal.expression)
        costs[i, at] = signs[i] * values
    integer = np.concatenate([np.full(len(b), b.kind is not Kind.CONTINUOUS) for b in blocks.values()])
    constants = np.array([row.expression.constant for row in rows])
    return CompiledModel(
        name=formulation.instance.name,
        matrix=sparse.csc_array(body),
        row_lower=np.array([-math.inf if r.lower is None else r.lower for r in rows]) - constants,
        row_upper=np.array([math.inf if r.upper is None else r.upper for r in rows]) - constants,
        lower=np.concatenate([np.full(len(b), b.lower, dtype=np.float64) for b in blocks.values()]),
        upper=np.concatenate([np.full(len(b), math.inf if b.upper is None else b.upper) for b in blocks.values()]),
        integer=integer,
        objectives=costs,
        offsets=np.array([s * g.expression.constant for s, g in zip(signs, goals, strict=True)]),
        senses=tuple(Sense.MINIMISE if s > 0 else Sense.MAXIMISE for s in signs),
        objective_names=tuple(g.name for g in goals),
        steps=tuple(step_of(row, integer) for row in costs),
        row_keys=tuple(row.name for row in rows),
        choice_groups=_groups(formulation, starts),
    )  # fmt: skip


def _groups(formulation: Formulation, starts: dict[str, int]) -> tuple[ChoiceGroup, ...]:
    groups = []
    for cluster, workload in formulation.instance.workloads.items():
        if not isinstance(workload, Serving):
            names = [block_name(placements) for placements in formulation.candidates.of(cluster)]
            members = [starts[n] + i for n in names if n in starts for i in range(len(formulation.blocks[n]))]
            groups.append(ChoiceGroup(f"use[{cluster}]", tuple(sorted(members))))
    return tuple(groups)
