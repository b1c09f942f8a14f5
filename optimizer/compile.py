"""Pyomo to sparse matrices, once: after this no modeller is in the loop.

Works for any linear Pyomo model with one or more active objectives; a formulation of ours also names its choice groups and
the quantum of each objective.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
from scipy import sparse

from models.errors import UsageError
from models.formulation.build import Formulation, column_name, to_pyomo
from models.formulation.core import block_name
from optimizer.compiled_model import ChoiceGroup, CompiledModel, Floats, Sense


def compile_formulation(formulation: Formulation) -> CompiledModel:
    """The matrices of a formulation; objectives in whole quanta, in the order of its goals."""
    written = to_pyomo(formulation)
    if not formulation.goals:
        import pyomo.core as pyo

        written.objective.add_component("none", pyo.Objective(expr=0.0))
    compiled = compile_pyomo(written)
    groups = _choice_groups(formulation, compiled.column_keys)
    names = tuple(goal.name for goal in formulation.goals) or compiled.objective_names
    return dataclasses.replace(compiled, choice_groups=groups, objective_names=names)


def compile_pyomo(model: Any) -> CompiledModel:
    """The matrices of a linear Pyomo model with all its active objectives.

    Raises UsageError where the model is not linear or has no objective.
    """
    import pyomo.core as pyo
    from pyomo.core.base.objective import Objective
    from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler

    objectives = list(model.component_data_objects(Objective, active=True, descend_into=True))
    if not objectives:
        raise UsageError("the Pyomo model has no active objective")
    senses = tuple(Sense.MINIMISE if o.sense == pyo.minimize else Sense.MAXIMISE for o in objectives)
    try:
        form = LinearStandardFormCompiler().write(model, mixed_form=True, set_sense=None)
    except Exception as error:
        raise UsageError(f"the Pyomo model cannot be compiled: {error}") from error
    signs = np.array([1.0 if sense is Sense.MINIMISE else -1.0 for sense in senses])
    costs = np.asarray(sparse.csr_array(form.c).toarray(), dtype=np.float64) * signs[:, None]
    offsets = np.asarray(form.c_offset, dtype=np.float64).reshape(-1) * signs
    matrix = sparse.csc_array(form.A, dtype=np.float64)
    right = np.asarray(form.rhs, dtype=np.float64)
    kinds = np.array([row.bound_type for row in form.rows], dtype=np.int64)
    lower, upper, integer = _bounds(form.columns)
    merged, row_lower, row_upper, keys = _merge_rows(matrix, right, kinds, [_name(row.constraint) for row in form.rows])
    return CompiledModel(
        name=str(model.name),
        matrix=merged,
        row_lower=row_lower,
        row_upper=row_upper,
        lower=lower,
        upper=upper,
        integer=integer,
        objectives=costs,
        offsets=offsets,
        senses=senses,
        objective_names=tuple(str(o.name) for o in objectives),
        steps=tuple(step_of(costs[i], integer) for i in range(len(objectives))),
        row_keys=keys,
        column_keys=tuple(_name(v) for v in form.columns),
    )


def _name(data: Any) -> str:
    """``component[index]``, without the quotes that Pyomo puts round an index that reads like a number."""
    component, index = data.parent_component(), data.index()
    if index is None:
        return str(component.name)
    parts = index if isinstance(index, tuple) else (index,)
    return f"{component.name}[{','.join(map(str, parts))}]"


def _bounds(columns: Any) -> tuple[Floats, Floats, np.ndarray[Any, np.dtype[np.bool_]]]:
    lower = np.array([-math.inf if v.lb is None else float(v.lb) for v in columns], dtype=np.float64)
    upper = np.array([math.inf if v.ub is None else float(v.ub) for v in columns], dtype=np.float64)
    integer = np.array([not v.is_continuous() for v in columns], dtype=np.bool_)
    return lower, upper, integer


def _merge_rows(
    matrix: sparse.csc_array, right: Floats, kinds: np.ndarray[Any, np.dtype[np.int64]], names: list[str]
) -> tuple[sparse.csc_array, Floats, Floats, tuple[str, ...]]:
    """Rows with both bounds arrive as two; they become one again."""
    first: dict[str, int] = {}
    order: list[int] = []
    low: list[float] = []
    high: list[float] = []
    for number, name in enumerate(names):
        if name not in first:
            first[name] = len(order)
            order.append(number)
            low.append(-math.inf)
            high.append(math.inf)
        place = first[name]
        if kinds[number] <= 0:
            low[place] = float(right[number])
        if kinds[number] >= 0:
            high[place] = float(right[number])
    picked = sparse.csc_array(sparse.csr_array(matrix)[order])
    return picked, np.array(low), np.array(high), tuple(names[number] for number in order)


def step_of(costs: Floats, integer: np.ndarray[Any, np.dtype[np.bool_]]) -> float | None:
    """Greatest step all values of an objective are multiples of, or None where continuous columns or fractions enter."""
    used = costs != 0
    if np.any(used & ~integer):
        return None
    values = costs[used]
    if not len(values):
        return 1.0
    whole = np.rint(values)
    if np.any(np.abs(values - whole) > 1e-9 * np.maximum(1.0, np.abs(values))) or np.abs(whole).max() > 2**52:
        return None
    return float(math.gcd(*(int(abs(v)) for v in np.unique(whole))))


def _choice_groups(formulation: Formulation, columns: tuple[str, ...]) -> tuple[ChoiceGroup, ...]:
    """The placements of each training cluster: exactly one of them is chosen."""
    position = {name: number for number, name in enumerate(columns)}
    groups = []
    for cluster, workload in formulation.instance.workloads.items():
        if not workload.one_pod:
            continue
        members: list[int] = []
        for placements in formulation.candidates.of(cluster):
            block = formulation.blocks[block_name(placements)]
            names = (column_name(block.name, key) for key in block.keys)
            members.extend(position[name] for name in names if name in position)
        groups.append(ChoiceGroup(f"use[{cluster}]", tuple(sorted(members))))
    return tuple(groups)


def with_cost(model: CompiledModel, cost: Floats, row_lower: Floats, row_upper: Floats) -> CompiledModel:
    """The program with one objective, ``cost`` (columns) to be least, and other bounds on its rows."""
    return dataclasses.replace(
        model,
        row_lower=row_lower,
        row_upper=row_upper,
        objectives=cost[None, :],
        offsets=np.zeros(1),
        senses=(Sense.MINIMISE,),
        objective_names=("value",),
        steps=(step_of(cost, model.integer),),
    )
