"""The program as a Pyomo model, for solvers and writers that read one; ``optimizer.compile`` gives the same matrices without it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyomo.core as pyo
from pyomo.core.expr.numeric_expr import LinearExpression

from models.formulation.build import Formulation, split_name
from models.formulation.core import Row
from models.formulation.family import Direction
from models.formulation.linear import Block, Kind, Linear

_DOMAINS = {Kind.BINARY: pyo.Binary, Kind.INTEGER: pyo.Integers, Kind.CONTINUOUS: pyo.Reals}


def to_pyomo(formulation: Formulation, only_family: str | None = None) -> pyo.ConcreteModel:
    """The program as a Pyomo model. Columns read ``use[cluster,site,placement]``, rows ``family.what[index]``."""
    model = pyo.ConcreteModel(name=formulation.instance.name)
    columns = _add_columns(model, formulation)
    grouped: dict[tuple[str, str], list[Row]] = {}
    for row in formulation.rows:
        if only_family is None or row.family == only_family:
            grouped.setdefault((row.family, row.what), []).append(row)
    for (family, what), rows in grouped.items():
        if model.component(family) is None:
            model.add_component(family, pyo.Block())
        component = pyo.Constraint(pyo.Any)
        model.component(family).add_component(what, component)
        for row in rows:
            index = _index(row.place)
            left = _expression(row.expression, columns)
            if left is not None:
                component[index] = (row.lower, left, row.upper)
            elif not row.holds_empty:
                component[index] = (row.lower, _nothing(model), row.upper)
    model.objective = pyo.Block()
    for goal in formulation.goals:
        sense = pyo.minimize if goal.objective.direction is Direction.MINIMISE else pyo.maximize
        expression = _expression(goal.expression, columns)
        objective = pyo.Objective(expr=expression if expression is not None else goal.expression.constant, sense=sense)
        model.objective.add_component(goal.name.replace(":", "_"), objective)
    return model


def _index(parts: tuple[str, ...]) -> str | tuple[str, ...]:
    return parts if len(parts) > 1 else parts[0]


def _add_columns(model: pyo.ConcreteModel, formulation: Formulation) -> dict[str, list[Any]]:
    grouped: dict[str, list[tuple[str, Block]]] = {}
    for name, block in formulation.blocks.items():
        grouped.setdefault(split_name(name)[0], []).append((name, block))
    columns: dict[str, list[Any]] = {}
    for component, blocks in grouped.items():
        home = {_index((*split_name(name)[1], key)): block for name, block in blocks for key in block.keys}
        variable = pyo.Var(
            list(home),
            domain=lambda _m, *index, h=home: _DOMAINS[h[_index(index)].kind],
            bounds=lambda _m, *index, h=home: (h[_index(index)].lower, h[_index(index)].upper),
        )
        model.add_component(component, variable)
        for name, block in blocks:
            columns[name] = [variable[_index((*split_name(name)[1], key))] for key in block.keys]
    return columns


def _nothing(model: pyo.ConcreteModel) -> Any:
    """The column ``nothing``, always zero: a row that no column can meet is a row of it, so that a solver proves the clash."""
    if model.component("nothing") is None:
        model.add_component("nothing", pyo.Var(domain=pyo.Binary, bounds=(0, 0)))
    return model.component("nothing")


def _expression(linear: Linear, columns: Mapping[str, list[Any]]) -> Any:
    coefficients: list[float] = []
    variables: list[Any] = []
    for name, values in linear.terms.items():
        for position in np.flatnonzero(values):
            coefficients.append(float(values[position]))
            variables.append(columns[name][position])
    if not variables:
        return None
    return LinearExpression(constant=linear.constant, linear_coefs=coefficients, linear_vars=variables)
