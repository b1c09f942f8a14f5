"""One program asked again and again: least cost under changed prices, limits and choices, and what each answer proves.

The instance is enumerated and assembled once. A question names a cost as a weighted sum of measures (money without a part, units
of the part, ...) and rows on measures; before it is solved, every placement that another one replaces at this very cost is
dropped, so that what a solver sees is small. Costs are whole numbers to the solver; what that rounding can hide is added to
the uncertainty of the answer.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from scipy import sparse

from models.candidates.placement import Candidates
from models.formulation.build import Formulation, assembled, column_name, formulated, narrowed, parse_objectives
from models.formulation.build import Goal as Goal
from models.formulation.core import Core, Row, block_name
from models.formulation.family import Direction
from models.formulation.linear import Block, Kind, Linear
from models.instance import Instance
from optimizer.backends.implied import finite_bounds
from optimizer.compile import step_of
from optimizer.compiled_model import ChoiceGroup, CompiledModel, Floats, Sense
from optimizer.design import Design
from optimizer.extract import design_of
from optimizer.sensitivity.effort import Effort as Effort
from optimizer.sensitivity.finer import finer
from optimizer.sensitivity.journal import Solved

LARGEST_COST = 1e9
"""Whole-number costs are scaled so that none exceeds this: solvers' tolerances bite above it."""
FINEST_COST = 1e-2


@dataclass(frozen=True)
class Limit:
    """``lower <= sum weights * measures <= upper``, rounded to whole ``quantum``s (None: as it is)."""

    name: str
    weights: Mapping[str, float]
    lower: float | None = None
    upper: float | None = None
    quantum: float | None = None


@dataclass(frozen=True, eq=False)
class Answer:
    """What a question gave: a solution (None: none found), its cost, and a proven lower bound of the least cost (inf: infeasible)."""

    bound: float
    value: float | None = None
    measures: Mapping[str, float] = field(default_factory=dict)
    formulation: Formulation | None = None
    model: CompiledModel | None = None
    x: Floats | None = None

    @property
    def infeasible(self) -> bool:
        """Proven to have no solution."""
        return self.bound == math.inf

    @property
    def found(self) -> bool:
        """There is a solution."""
        return self.value is not None

    @property
    def exact(self) -> bool:
        """Nothing better than the solution is left beyond rounding, or there is proven to be none."""
        if self.value is None:
            return self.infeasible
        return self.value - self.bound <= 1e-6 * max(1.0, abs(self.value))

    @cached_property
    def design(self) -> Design:
        """The solution as a design, at list prices."""
        assert self.formulation is not None and self.model is not None and self.x is not None
        return design_of(self.formulation, self.model, self.x)


@dataclass(frozen=True)
class Program:
    """Columns and rows of an instance with named ``measures`` over them; ``goals`` are what designs report."""

    formulation: Formulation
    measures: Mapping[str, Linear]

    @staticmethod
    def of(core: Core, measures: Mapping[str, Linear], goals: Sequence[Goal] = ()) -> Program:
        """The whole program of ``core``; goals are measures by their names, too."""
        return Program(formulated(core, goals), {**measures, **{g.name: g.expression for g in goals}})

    def narrowed(self, criteria: Sequence[tuple[Linear, Direction]], relaxable: bool = False) -> Program:
        """The program without placements that another replaces in every criterion and row."""
        names = list(self.measures)
        formulation, cut = narrowed(self.formulation, criteria, [self.measures[n] for n in names], relaxable)
        return Program(formulation, dict(zip(names, cut, strict=True)))

    def total(self, weights: Mapping[str, float]) -> Linear:
        """A weighted sum of measures."""
        return Linear.total([self.measures[name] * weight for name, weight in weights.items() if weight])

    def limited(self, limits: Sequence[Limit], without: Sequence[str] = ()) -> Program:
        """The program with further rows, and without the named ones."""
        rows = [row for row in self.formulation.rows if row.name not in without]
        for limit in limits:
            expression = self.total(limit.weights)
            low, high = limit.lower, limit.upper
            if limit.quantum is not None:
                expression = _whole(expression, limit.quantum)
                low = None if low is None else math.ceil(low / limit.quantum - 1e-9)
                high = None if high is None else math.floor(high / limit.quantum + 1e-9)
            low = None if low is None else low - expression.constant
            high = None if high is None else high - expression.constant
            rows.append(Row("sensitivity", limit.name, (), Linear(expression.terms), low, high, "", limit.name))
        return replace(self, formulation=replace(self.formulation, rows=tuple(rows)))

    def bounded(self, bounds: Mapping[str, tuple[float | None, float | None]]) -> Program:
        """The program with other bounds on the named rows; a row without any is dropped."""
        rows = []
        for row in self.formulation.rows:
            low, high = bounds.get(row.name, (row.lower, row.upper))
            if low is not None or high is not None:
                rows.append(replace(row, lower=low, upper=high))
        return replace(self, formulation=replace(self.formulation, rows=tuple(rows)))

    def least(self, weights: Mapping[str, float], effort: Effort, limits: Sequence[Limit] = ()) -> Answer:
        """The least weighted sum of measures [USD] under the rows and ``limits``; one solve."""
        program = self.limited(limits) if limits else self
        program = program.narrowed([(program.total(weights), Direction.MINIMISE)])
        hopeless = program.formulation.hopeless
        # what was left out is told nowhere again, and would be kept with every answer
        program = replace(program, formulation=replace(program.formulation, prunings={}))
        cost = program.total(weights)
        quantum = _quantum(cost)
        model, empty_rows_hold = compiled(program.formulation, cost * (1.0 / quantum))
        if hopeless or not empty_rows_hold:
            effort.solves += 1
            return Answer(math.inf)
        found, solved = _answer(program, weights, cost, quantum, model, effort)
        fewer = _without_dearer(program.formulation, cost, model, found.value) if not found.exact else None
        if fewer is not None and not effort.over:
            # what no better solution can hold had made the quantum coarse
            cost, upper = fewer
            quantum = _quantum(cost)
            model, _ = compiled(program.formulation, cost * (1.0 / quantum))
            model = replace(model, upper=np.minimum(model.upper, upper))
            again, solved = _answer(program, weights, cost, quantum, model, effort)
            # a solution that was left out costs more than the one that is known
            found = again if again.found and again.bound > found.bound else found
        if found.exact or solved is None or not solved.proven or effort.over:
            return found
        return _to_the_cent(program, weights, cost, quantum, model, solved, found, effort)


def _answer(
    program: Program, weights: Mapping[str, float], cost: Linear, quantum: float, model: CompiledModel, effort: Effort
) -> tuple[Answer, Solved | None]:
    """The least cost of a program whose ``model`` counts it in whole ``quantum``s; the solver's word where it found anything."""
    solved = effort.least(model)
    if solved is None or solved.x is None:
        return Answer(-math.inf if solved is None else math.inf), None
    x = solved.point(model.n_columns)
    hidden = _hidden(program.formulation, model, cost, quantum)
    return _reached(program, weights, solved.bound * quantum + cost.constant - hidden, model, x), solved


def _reached(program: Program, weights: Mapping[str, float], bound: float, model: CompiledModel, x: Floats) -> Answer:
    """A solution with what it costs, and a ``bound`` of what any does."""
    measures = {name: value_of(program.formulation, model, e, x) for name, e in program.measures.items()}
    value = math.fsum(weight * measures[name] for name, weight in weights.items())
    return Answer(min(value, bound), value, measures, program.formulation, model, x)


def _to_the_cent(
    program: Program,
    weights: Mapping[str, float],
    cost: Linear,
    quantum: float,
    model: CompiledModel,
    solved: Solved,
    found: Answer,
    effort: Effort,
) -> Answer:
    """What was found in whole ``quantum`` s with what rounding to these hides looked into; the same where that cannot be told."""
    assert found.value is not None
    starts, _, total = _columns(program.formulation.blocks)
    dense = np.zeros(total)
    for name, values in cost.terms.items():
        dense[starts[name] : starts[name] + len(values)] = values
    hidden = _hidden(program.formulation, model, cost, quantum)
    room = found.value - cost.constant - solved.bound * quantum + hidden
    question = finer(model, dense, quantum, solved.bound, room, FINEST_COST)
    again = effort.least(question)
    if again is None or again.x is None:
        return found
    x = again.point(question.n_columns)[:-1]
    left = _hidden(program.formulation, model, cost, FINEST_COST)
    bound = solved.bound * quantum + again.bound * FINEST_COST + cost.constant - left
    return _reached(program, weights, max(bound, found.bound), model, x)


def _without_dearer(
    formulation: Formulation, cost: Linear, model: CompiledModel, value: float | None
) -> tuple[Linear, Floats] | None:
    """The cost with no coefficient above a known ``value``, and the columns' upper bounds: zero where one alone costs more.

    None where nothing is gained by it, or where something has a negative cost, so that a dear column may still pay.
    """
    if value is None or any(float(v.min(initial=0.0)) < 0 for v in cost.terms.values()) or np.any(model.lower < 0):
        return None
    starts, _, total = _columns(formulation.blocks)
    upper, terms = np.full(total, math.inf), {}
    for name, values in cost.terms.items():
        dear = values > value - cost.constant + 1.0
        upper[starts[name] : starts[name] + len(values)][dear] = 0.0
        terms[name] = np.where(dear, 0.0, values)
    cut = Linear(terms, cost.constant)
    return (cut, upper) if _quantum(cut) < _quantum(cost) else None


def goals_of(core: Core, names: Sequence[str]) -> list[Goal]:
    """Objectives by name, expressed over ``core``."""
    return [Goal(n, o, o.express(core, core.instance, c), c) for n, o, c in parse_objectives(core.instance, names)]


def assemble(instance: Instance, candidates: Candidates, objectives: Sequence[str]) -> tuple[Core, list[Goal]]:
    """Decisions and rows of an instance, and the named objectives over them."""
    core = assembled(instance, candidates)
    return core, goals_of(core, objectives)


def value_of(formulation: Formulation, model: CompiledModel, expression: Linear, x: Floats) -> float:
    """Value of an expression at a solution."""
    start, total = 0, [expression.constant]
    for name, block in formulation.blocks.items():
        terms = expression.terms.get(name)
        part = x[start : start + len(block)]
        if terms is not None:
            used = np.flatnonzero(part)
            total.extend((terms[used] * np.rint(part[used])).tolist())
        start += len(block)
    return math.fsum(total)


def compiled(formulation: Formulation, cost: Linear) -> tuple[CompiledModel, bool]:
    """The matrices of a program with one cost, rounded to whole numbers; False where a row without columns does not hold."""
    starts, keys, total = _columns(formulation.blocks)
    data: list[Floats] = []
    columns: list[np.ndarray] = []
    owners: list[np.ndarray] = []
    low: list[float] = []
    high: list[float] = []
    names: list[str] = []
    holds = True
    for row in formulation.rows:
        entries = [(starts[n] + np.flatnonzero(v), v[np.flatnonzero(v)]) for n, v in row.expression.terms.items()]
        size = sum(len(v) for _, v in entries)
        lower = -math.inf if row.lower is None else row.lower
        upper = math.inf if row.upper is None else row.upper
        if not size:
            holds &= lower <= 1e-9 and upper >= -1e-9
            continue
        columns.extend(c for c, _ in entries)
        data.extend(v for _, v in entries)
        owners.append(np.full(size, len(names)))
        low.append(lower)
        high.append(upper)
        names.append(row.name)
    shape = (len(names), total)
    matrix = sparse.csc_array(shape, dtype=np.float64)
    if data:
        where = (np.concatenate(owners), np.concatenate(columns))
        matrix = sparse.csc_array((np.concatenate(data), where), shape=shape)
    blocks = formulation.blocks.values()
    dense = np.zeros(total)
    for name, values in cost.terms.items():
        dense[starts[name] : starts[name] + len(values)] = np.rint(values)
    integer = np.concatenate([np.full(len(b), b.kind is not Kind.CONTINUOUS) for b in blocks])
    model = CompiledModel(
        name=formulation.instance.name,
        matrix=matrix,
        row_lower=np.array(low),
        row_upper=np.array(high),
        lower=np.concatenate([np.full(len(b), b.lower) for b in blocks]),
        upper=np.concatenate([np.full(len(b), math.inf if b.upper is None else b.upper) for b in blocks]),
        integer=integer,
        objectives=dense[None, :],
        offsets=np.zeros(1),
        senses=(Sense.MINIMISE,),
        objective_names=("cost",),
        steps=(step_of(dense, integer),),
        row_keys=tuple(names),
        column_keys=keys,
        choice_groups=_groups(formulation, starts),
    )
    return model, holds


def _columns(blocks: Mapping[str, Block]) -> tuple[dict[str, int], tuple[str, ...], int]:
    starts: dict[str, int] = {}
    keys: list[str] = []
    for name, block in blocks.items():
        starts[name] = len(keys)
        keys.extend(column_name(name, key) for key in block.keys)
    return starts, tuple(keys), len(keys)


def _groups(formulation: Formulation, starts: Mapping[str, int]) -> tuple[ChoiceGroup, ...]:
    groups = []
    for cluster, workload in formulation.instance.workloads.items():
        if workload.one_pod:
            names = [block_name(p) for p in formulation.candidates.of(cluster)]
            members = [starts[n] + i for n in names for i in range(len(formulation.blocks[n]))]
            groups.append(ChoiceGroup(f"use[{cluster}]", tuple(members)))
    return tuple(groups)


def _whole(expression: Linear, quantum: float) -> Linear:
    terms = {name: np.rint(values / quantum) for name, values in expression.terms.items()}
    return Linear(terms, expression.constant / quantum)


def _quantum(cost: Linear) -> float:
    """The finest power of ten in which no coefficient of a cost exceeds ``LARGEST_COST``."""
    top = max((float(np.abs(v).max(initial=0.0)) for v in cost.terms.values()), default=0.0)
    return max(FINEST_COST, 10.0 ** math.ceil(math.log10(max(top, 1e-9) / LARGEST_COST) - 1e-12))


def _hidden(formulation: Formulation, model: CompiledModel, cost: Linear, quantum: float) -> float:
    """Most that rounding the coefficients of ``cost`` can change its value [USD] for any legal point."""
    _, upper = finite_bounds(model)
    starts, _, _ = _columns(formulation.blocks)
    total = 0.0
    for cluster, workload in formulation.instance.workloads.items():
        most = float(workload.most_pods)
        names = [block_name(p) for p in formulation.candidates.of(cluster)]
        total += most * max((_residual(cost.terms.get(n), quantum).max(initial=0.0) for n in names), default=0.0)
    placed = {block_name(p) for p in formulation.candidates.placements}
    for name, values in cost.terms.items():
        if name not in placed:
            left = _residual(values, quantum)
            top = upper[starts[name] : starts[name] + len(values)]
            total += float(np.where(left > 0, left * np.where(left > 0, top, 0.0), 0.0).sum())
    return float(total)


def _residual(values: Floats | None, quantum: float) -> Floats:
    return np.zeros(0) if values is None else np.abs(values - np.rint(values / quantum) * quantum)
