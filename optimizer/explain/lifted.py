"""The program of an instance with some of its filters lifted: what is kept of it, and where its placements are."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from models.candidates.placement import Candidates
from models.candidates.rejection import Rejection
from models.formulation.build import Formulation, build, column_name, narrowed
from models.formulation.core import block_name
from models.formulation.family import Direction
from models.formulation.linear import Linear
from models.instance import Instance
from optimizer.compile import compile_formulation
from optimizer.compiled_model import CompiledModel


@dataclass(frozen=True)
class Program:
    """The program with some filters lifted; ``formulation`` None where some cluster has no candidate at all."""

    formulation: Formulation | None
    model: CompiledModel | None
    rejections: tuple[Rejection, ...]
    sources: Mapping[str, str] = field(default_factory=dict)
    """Field of the instance behind each row that has one: a row named by a date has another name where the date is lifted."""


def made_of(instance: Instance, candidates: Candidates, measures: Sequence[Linear]) -> Program:
    """The program of least total cost, with every placement that a limit or less of one of the ``measures`` may call for.

    Raises InfeasibleError where some cluster has no candidate.
    """
    whole = build(instance, ("tco",), candidates, pruned=False)
    criteria = [(goal.expression, goal.objective.direction) for goal in whole.goals]
    criteria += [(measure, Direction.MINIMISE) for measure in measures]
    slim = _slim(narrowed(whole, criteria, relaxable=True)[0])
    sources = {row.name: row.source for row in slim.rows if row.index and row.source}
    return Program(slim, compile_formulation(slim), candidates.rejections, sources)


def column_of_placements(program: Program) -> dict[str, npt.NDArray[np.int64]]:
    """Block of placements -> column of the compiled program for each position, -1 where it enters nothing."""
    assert program.formulation is not None and program.model is not None
    place = {name: number for number, name in enumerate(program.model.column_keys)}
    found = {}
    for placements in program.formulation.candidates.placements:
        name = block_name(placements)
        keys = program.formulation.blocks[name].keys
        found[name] = np.array([place.get(column_name(name, key), -1) for key in keys], dtype=np.int64)
    return found


def _slim(formulation: Formulation) -> Formulation:
    """The formulation with only the placements that pruning kept: programs of many questions are held at a time."""
    slim, positions = [], {}
    for placements in formulation.candidates.placements:
        name = block_name(placements)
        rows = formulation.positions[name]
        used, pod = np.unique(placements.pod[rows], return_inverse=True)
        slim.append(
            dataclasses.replace(
                placements,
                pods=placements.pods.take(used),
                pod=np.asarray(pod, dtype=np.int64).reshape(-1),
                combination=placements.combination[rows],
            )
        )
        positions[name] = np.arange(len(rows), dtype=np.int64)
    candidates = dataclasses.replace(formulation.candidates, placements=tuple(slim), rejections=())
    return dataclasses.replace(formulation, candidates=candidates, positions=positions, prunings={})
