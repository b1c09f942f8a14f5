"""From an instance to its program: discovers families, orders them, prunes, and writes the Pyomo model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyomo.environ as pyo
from pyomo.core.expr.numeric_expr import LinearExpression

from models.candidates.placement import Candidates, enumerate_candidates
from models.errors import InstanceError, Problem, UsageError, nearest
from models.formulation.core import Core, Row, block_name
from models.formulation.dominance import Group, Pruning, prune
from models.formulation.family import Direction, Objective, families, objectives
from models.formulation.linear import Block, Kind, Linear
from models.instance import Instance
from models.workload import Serving

DEFAULT_OBJECTIVES = ("tco", "throughput", "power")


@dataclass(frozen=True)
class Goal:
    """An objective as asked for: ``name`` may carry a cluster (``throughput:train``)."""

    name: str
    objective: Objective
    expression: Linear
    cluster: str | None = None

    @property
    def column(self) -> str:
        """Column of result tables."""
        return f"{self.cluster}.{self.objective.column}" if self.cluster else self.objective.column


@dataclass(frozen=True)
class Formulation:
    """A program: blocks, rows and goals after pruning; ``positions`` maps a pruned block's columns back to its placements."""

    instance: Instance
    candidates: Candidates
    blocks: Mapping[str, Block]
    rows: tuple[Row, ...]
    goals: tuple[Goal, ...]
    positions: Mapping[str, np.ndarray[Any, np.dtype[np.int64]]]
    prunings: Mapping[str, Pruning] = field(default_factory=dict)

    @property
    def size(self) -> dict[str, int]:
        """Columns and rows, and placements before pruning."""
        placed = sum(len(p) for p in self.candidates.placements)
        kept = sum(len(rows) for rows in self.positions.values())
        return {
            "columns": sum(map(len, self.blocks.values())),
            "rows": len(self.rows),
            "placements": placed,
            "kept": kept,
        }

    def rows_of(self, family: str) -> tuple[Row, ...]:
        """Rows of one family."""
        return tuple(row for row in self.rows if row.family == family)


def parse_objectives(instance: Instance, names: Sequence[str] | None) -> list[tuple[str, Objective, str | None]]:
    """Objectives by name, ``NAME`` or ``NAME:CLUSTER``; UsageError naming the nearest valid one."""
    known = objectives()
    parsed: list[tuple[str, Objective, str | None]] = []
    for name in names if names is not None else DEFAULT_OBJECTIVES:
        base, _, cluster = name.partition(":")
        if base == "throughput" and not cluster and len(instance.workloads) > 1:
            base = "throughput_x_demand"
        if base not in known:
            raise UsageError(f"no objective {base!r}: {nearest(base, list(known))}")
        if cluster and (base not in ("throughput", "goodput") or cluster not in instance.workloads):
            raise UsageError(f"objective {name!r}: {nearest(cluster, list(instance.workloads))}")
        if any(name == other for other, _, _ in parsed):
            raise UsageError(f"objective {name!r} is given twice")
        parsed.append((name if base == name.partition(":")[0] else base, known[base], cluster or None))
    if not parsed:
        raise UsageError("no objective given")
    return parsed


def build(
    instance: Instance, names: Sequence[str] | None = None, candidates: Candidates | None = None, pruned: bool = True
) -> Formulation:
    """The program of ``instance`` for the named objectives (default tco, throughput, power).

    ``candidates`` may be handed in where they are already enumerated; ``pruned=False`` keeps every placement.
    Raises InstanceError when a cluster has no legal placement at all.
    """
    asked = parse_objectives(instance, names)
    candidates = candidates if candidates is not None else enumerate_candidates(instance)
    _require_placements(instance, candidates)
    core = Core(instance, candidates)
    for one in families():
        core.within(one.name)
        one.apply(core, instance)
    goals = []
    for name, objective, cluster in asked:
        goals.append(Goal(name, objective, objective.express(core, instance, cluster), cluster))
    formulation = Formulation(
        instance,
        candidates,
        dict(core.blocks),
        tuple(core.rows),
        tuple(goals),
        {block_name(p): np.arange(len(p)) for p in candidates.placements},
    )
    return _pruned(formulation) if pruned else formulation


def _require_placements(instance: Instance, candidates: Candidates) -> None:
    problems = []
    for cluster in instance.workloads:
        if not any(len(p) for p in candidates.of(cluster)):
            reasons = [f"{r.item}: {r.reason}" for r in candidates.rejections if r.cluster in (cluster, "")]
            shown = "; ".join(reasons[:6]) + (f"; and {len(reasons) - 6} more" if len(reasons) > 6 else "")
            where = instance.origin(f"workloads.{cluster}.design_space")
            problems.append(
                Problem("no-candidate", where, f"cluster {cluster} has no legal pod at any site", hint=shown)
            )
    if problems:
        raise InstanceError(problems)


def _group(whole: Formulation, cluster: str) -> Group:
    workload = whole.instance.workloads[cluster]
    names = tuple(block_name(p) for p in whole.candidates.of(cluster))
    if isinstance(workload, Serving):
        return Group(names, float(workload.pods_at_most), exact=False)
    return Group(names, 1.0, exact=True)


def _pruned(whole: Formulation) -> Formulation:
    goals = [(g.expression, g.objective.direction) for g in whole.goals]
    positions = dict(whole.positions)
    prunings: dict[str, Pruning] = {}
    groups = {cluster: _group(whole, cluster) for cluster in whole.instance.workloads}
    for cluster, group in groups.items():
        others = [other for name, other in groups.items() if name != cluster]
        found = prune(group, others, whole.blocks, whole.rows, goals)
        prunings[cluster] = found
        for name in group.blocks:
            positions[name] = found.kept_in(name)

    def cut(expression: Linear) -> Linear:
        terms = {n: (v[positions[n]] if n in positions else v) for n, v in expression.terms.items()}
        return Linear(terms, expression.constant)

    blocks_cut = {
        name: replace(block, keys=tuple(block.keys[i] for i in positions[name])) if name in positions else block
        for name, block in whole.blocks.items()
    }
    return replace(
        whole,
        blocks=blocks_cut,
        rows=tuple(replace(row, expression=cut(row.expression)) for row in whole.rows),
        goals=tuple(replace(goal, expression=cut(goal.expression)) for goal in whole.goals),
        positions=positions,
        prunings=prunings,
    )


_DOMAINS = {Kind.BINARY: pyo.Binary, Kind.INTEGER: pyo.Integers, Kind.CONTINUOUS: pyo.Reals}


def to_pyomo(formulation: Formulation, only_family: str | None = None) -> pyo.ConcreteModel:
    """The program as a Pyomo model; rows are components ``family.what`` indexed as declared, objectives by name."""
    model = pyo.ConcreteModel(name=formulation.instance.name)
    columns: dict[str, list[Any]] = {}
    for name, block in formulation.blocks.items():
        variable = pyo.Var(list(block.keys), domain=_DOMAINS[block.kind], bounds=(block.lower, block.upper))
        model.add_component(name, variable)
        columns[name] = [variable[key] for key in block.keys]
    grouped: dict[str, list[Row]] = {}
    for row in formulation.rows:
        if only_family is None or row.family == only_family:
            grouped.setdefault(f"{row.family}.{row.what}", []).append(row)
    for name, rows in grouped.items():
        component = pyo.Constraint(pyo.Any)
        model.add_component(name, component)
        for row in rows:
            left = _expression(row.expression, columns)
            if left is not None:
                component[row.index if row.index else ("all",)] = (row.lower, left, row.upper)
            elif not _holds_empty(row):
                component[row.index if row.index else ("all",)] = pyo.Constraint.Infeasible
    for goal in formulation.goals:
        sense = pyo.minimize if goal.objective.direction is Direction.MINIMISE else pyo.maximize
        expression = _expression(goal.expression, columns)
        model.add_component(goal.name, pyo.Objective(expr=expression if expression is not None else 0.0, sense=sense))
    return model


def _holds_empty(row: Row) -> bool:
    return (row.lower is None or row.lower <= 0.0) and (row.upper is None or row.upper >= 0.0)


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
