"""A formulation to sparse matrices, once: after this no modeller is in the loop.

Names, order and figures are those its Pyomo model (``models.formulation.pyomo_model``) compiles to; writing them down directly spares
the second and more that a modeller takes to start.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from models.formulation.build import Formulation, column_name, split_name
from models.formulation.core import Row, block_name
from models.formulation.family import Direction
from models.formulation.linear import Block, Kind, Linear
from optimizer.compiled_model import ChoiceGroup, CompiledModel, Floats, Sense

Ints = npt.NDArray[np.int64]

NOTHING = "nothing"
"""The column that is always zero: a row that no column can meet is a row of it, so that a solver proves the clash."""


def compile_formulation(formulation: Formulation) -> CompiledModel:
    """The matrices of a formulation; objectives in whole quanta, in the order of its goals.

    Columns go decision by decision (``use``, ``units``, ...) as goals and then rows first need one, those with a coefficient only; rows
    by family and kind. A formulation without goals gets an objective that is always zero.
    """
    rows = _rows(formulation)
    expressions = [row.expression if _present(row.expression) else Linear({NOTHING: np.ones(1)}) for row in rows]
    layout = _Layout.of(formulation, expressions)
    matrix = layout.matrix(expressions)
    costs, offsets, senses = _objectives(formulation, layout)
    columns = np.flatnonzero((np.diff(matrix.indptr) > 0) | (costs != 0.0).any(axis=0))
    costs, integer = costs[:, columns], layout.integer[columns]
    constants = np.array([expression.constant for expression in expressions])
    keys = tuple(layout.keys(columns))
    return CompiledModel(
        name=formulation.instance.name,
        matrix=matrix[:, columns],
        row_lower=np.array([-math.inf if row.lower is None else row.lower for row in rows]) - constants,
        row_upper=np.array([math.inf if row.upper is None else row.upper for row in rows]) - constants,
        lower=layout.lower[columns],
        upper=layout.upper[columns],
        integer=integer,
        objectives=costs,
        offsets=offsets,
        senses=senses,
        objective_names=tuple(goal.name for goal in formulation.goals) or ("objective.none",),
        steps=tuple(step_of(row, integer) for row in costs),
        row_keys=tuple(f"{row.family}.{row.what}[{','.join(row.place)}]" for row in rows),
        column_keys=keys,
        choice_groups=_choice_groups(formulation, keys),
    )


def _rows(formulation: Formulation) -> list[Row]:
    """Rows that ask for something: family by family and kind by kind as each first comes, those of a kind by their index."""
    kinds: dict[str, dict[str, list[Row]]] = {}
    for row in formulation.rows:
        kinds.setdefault(row.family, {}).setdefault(row.what, []).append(row)
    every = (row for family in kinds.values() for rows in family.values() for row in sorted(rows, key=_index))
    return [
        row
        for row in every
        if (_present(row.expression) or not row.holds_empty) and not (row.lower is None and row.upper is None)
    ]


def _index(row: Row) -> tuple[bool, tuple[str, ...]]:
    return len(row.place) > 1, row.place


def _present(expression: Linear) -> list[str]:
    """Blocks of which an expression has a coefficient."""
    return [name for name, values in expression.terms.items() if values.any()]


@dataclass(frozen=True)
class _Layout:
    """Where each block's columns stand (``starts``) among all ``blocks``, and domain and bounds of every column."""

    blocks: tuple[Block, ...]
    starts: dict[str, int]
    lower: Floats
    upper: Floats
    integer: npt.NDArray[np.bool_]

    @staticmethod
    def of(formulation: Formulation, rows: Sequence[Linear]) -> _Layout:
        """All blocks of a decision follow one another; the decision that is needed first comes first."""
        homes: dict[str, list[Block]] = {NOTHING: [Block(NOTHING, ("",), Kind.BINARY, 0.0)]}
        for name, block in formulation.blocks.items():
            homes.setdefault(split_name(name)[0], []).append(block)
        needed = (_present(expression) for expression in (*(goal.expression for goal in formulation.goals), *rows))
        order = dict.fromkeys(split_name(name)[0] for names in needed for name in names)
        blocks = tuple(block for decision in order for block in homes[decision])
        sizes = np.array([len(block) for block in blocks], dtype=np.int64)
        starts = dict(zip((block.name for block in blocks), (np.cumsum(sizes) - sizes).tolist(), strict=True))
        return _Layout(
            blocks,
            starts,
            np.repeat([_least(block) for block in blocks], sizes),
            np.repeat([_most(block) for block in blocks], sizes),
            np.repeat([block.kind is not Kind.CONTINUOUS for block in blocks], sizes),
        )

    def entries(self, expression: Linear) -> tuple[Ints, Floats]:
        """Columns and coefficients of an expression, zero ones left out."""
        columns, values = [np.zeros(0, dtype=np.int64)], [np.zeros(0)]
        for name in _present(expression):
            own = np.asarray(expression.terms[name], dtype=np.float64)
            here = np.flatnonzero(own)
            columns.append(here + self.starts[name])
            values.append(own[here])
        return np.concatenate(columns), np.concatenate(values)

    def matrix(self, expressions: Sequence[Linear]) -> sparse.csc_array:
        """One row for each expression, one column for each of the blocks."""
        parts = [self.entries(expression) for expression in expressions]
        ends = np.cumsum([0, *(len(columns) for columns, _ in parts)], dtype=np.int32)
        columns = np.concatenate([np.zeros(0, dtype=np.int64), *(own for own, _ in parts)]).astype(np.int32)
        values = np.concatenate([np.zeros(0), *(own for _, own in parts)])
        return sparse.csc_array(sparse.csr_array((values, columns, ends), shape=(len(parts), len(self.lower))))

    def keys(self, columns: Ints) -> Iterator[str]:
        """Names of some columns, in ascending order."""
        for block in self.blocks:
            start = self.starts[block.name]
            low, high = np.searchsorted(columns, (start, start + len(block)))
            for column in columns[low:high].tolist():
                yield NOTHING if block.name == NOTHING else column_name(block.name, block.keys[column - start])


def _least(block: Block) -> float:
    return max(block.lower, 0.0) if block.kind is Kind.BINARY else block.lower


def _most(block: Block) -> float:
    most = math.inf if block.upper is None else block.upper
    return min(most, 1.0) if block.kind is Kind.BINARY else most


def _objectives(formulation: Formulation, layout: _Layout) -> tuple[Floats, Floats, tuple[Sense, ...]]:
    """Costs (objectives x columns) and offsets to be least, and the sense each was written in."""
    goals = formulation.goals
    costs, offsets = np.zeros((max(len(goals), 1), len(layout.lower))), np.zeros(max(len(goals), 1))
    least = [goal.objective.direction is Direction.MINIMISE for goal in goals] or [True]
    for number, goal in enumerate(goals):
        columns, values = layout.entries(goal.expression)
        costs[number, columns] = values
        offsets[number] = goal.expression.constant
    signs = np.where(least, 1.0, -1.0)
    return costs * signs[:, None], offsets * signs, tuple(Sense.MINIMISE if yes else Sense.MAXIMISE for yes in least)


def step_of(costs: Floats, integer: npt.NDArray[np.bool_]) -> float | None:
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
