"""From an instance to its program: discovers families, orders them, and prunes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from models.candidates.placement import Candidates, enumerate_candidates
from models.candidates.rejection import Stage
from models.errors import InfeasibleError, Problem, UsageError, nearest
from models.formulation.core import Core, Row, block_name
from models.formulation.dominance import Group, Pruning, prune
from models.formulation.family import Direction, Objective, families, objectives
from models.formulation.linear import Block, Linear
from models.formulation.ring_rows import without_unused
from models.instance import Instance

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
        placed = sum(p.considered for p in self.candidates.placements)
        kept = sum(len(rows) for rows in self.positions.values())
        return {
            "columns": sum(map(len, self.blocks.values())),
            "rows": len(self.rows),
            "placements": placed,
            "kept": kept,
        }

    @property
    def hopeless(self) -> tuple[str, ...]:
        """Clusters of which every placement breaks a limit by itself: the program is infeasible before any solver runs."""
        return tuple(
            cluster
            for cluster, found in self.prunings.items()
            if not len(found.kept) and self.instance.workloads[cluster].one_pod
        )

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
    return parsed


def build(
    instance: Instance,
    names: Sequence[str] | None = None,
    candidates: Candidates | None = None,
    pruned: bool = True,
    relaxable: bool = False,
) -> Formulation:
    """The program of ``instance`` for the named objectives (default tco, throughput, power).

    ``candidates`` may be handed in where they are already enumerated; ``pruned=False`` keeps every placement, ``relaxable``
    prunes only what no change of a limit could bring back.
    Raises InfeasibleError when a cluster has no legal placement at all.
    """
    asked = parse_objectives(instance, names)
    if not asked and not relaxable:
        raise UsageError("no objective given")
    core = assembled(instance, candidates or enumerate_candidates(instance, objectives=tuple(names or ())))
    goals = []
    for name, objective, cluster in asked:
        goals.append(Goal(name, objective, objective.express(core, instance, cluster), cluster))
    formulation = formulated(core, goals)
    return _pruned(formulation, relaxable) if pruned else formulation


def assembled(instance: Instance, candidates: Candidates) -> Core:
    """The decisions and the rows of every family, before any objective; InfeasibleError where a cluster has no placement."""
    _require_placements(instance, candidates)
    return with_families(Core(instance, candidates))


def with_families(core: Core) -> Core:
    """The core with the rows of every family."""
    for one in families():
        core.within(one.name)
        one.apply(core, core.instance)
    return core


def formulated(core: Core, goals: Sequence[Goal] = ()) -> Formulation:
    """The program of ``core`` as it stands, unpruned."""
    return Formulation(
        core.instance,
        core.candidates,
        dict(core.blocks),
        tuple(core.rows),
        tuple(goals),
        {block_name(p): np.arange(len(p)) for p in core.candidates.placements},
    )


def _require_placements(instance: Instance, candidates: Candidates) -> None:
    problems = []
    for cluster in instance.workloads:
        if not any(len(p) for p in candidates.of(cluster)):
            shown = _reasons(candidates, cluster)
            where = instance.origin(f"workloads.{cluster}.design_space")
            problems.append(
                Problem("no-candidate", where, f"cluster {cluster} has no legal pod at any site", hint=shown)
            )
    if problems:
        raise InfeasibleError("no legal design exists", problems)


_TELLING = (Stage.POD, Stage.FABRIC, Stage.SITE, Stage.RACK, Stage.CATALOGUE, Stage.DESIGN_SPACE)


def _reasons(candidates: Candidates, cluster: str, most: int = 6) -> str:
    """Why a cluster has nothing: what came furthest first, each reason once with what it turned down."""
    alike: dict[str, list[str]] = {}
    turned_down = [r for r in candidates.rejections if r.cluster in (cluster, "") and r.stage in _TELLING]
    for rejection in sorted(turned_down, key=lambda r: _TELLING.index(r.stage)):
        alike.setdefault(rejection.reason, []).append(rejection.item)
    shown = [
        f"{items[0]}{f' and {len(items) - 1} more' if len(items) > 1 else ''}: {reason}"
        for reason, items in list(alike.items())[:most]
    ]
    return "; ".join(shown) + (f"; and {len(alike) - most} other reasons" if len(alike) > most else "")


def group_of(instance: Instance, candidates: Candidates, cluster: str) -> Group:
    """The blocks of a cluster's placements, and how many of their columns are chosen together."""
    workload = instance.workloads[cluster]
    names = tuple(block_name(p) for p in candidates.of(cluster))
    return Group(names, float(workload.most_pods), exact=workload.one_pod)


def _pruned(whole: Formulation, relaxable: bool) -> Formulation:
    return narrowed(whole, [(g.expression, g.objective.direction) for g in whole.goals], relaxable=relaxable)[0]


def narrowed(
    whole: Formulation,
    criteria: Sequence[tuple[Linear, Direction]],
    carried: Sequence[Linear] = (),
    relaxable: bool = False,
) -> tuple[Formulation, tuple[Linear, ...]]:
    """The program without placements that are impossible or that another replaces in every one of ``criteria`` and every row.

    ``carried`` expressions are cut to the columns that are left. A criterion that moves in a straight line with some
    parameter stands for a whole range of it when it is given at both ends of the range.
    """
    cuts: dict[str, np.ndarray[Any, np.dtype[np.int64]]] = {}
    prunings: dict[str, Pruning] = {}
    groups = {name: group_of(whole.instance, whole.candidates, name) for name in whole.instance.workloads}
    for cluster, group in groups.items():
        others = [other for name, other in groups.items() if name != cluster]
        found = prune(group, others, whole.blocks, whole.rows, criteria, relaxable)
        prunings[cluster] = found
        for name in group.blocks:
            cuts[name] = found.kept_in(name)

    def cut(expression: Linear) -> Linear:
        terms = {n: (v[cuts[n]] if n in cuts else v) for n, v in expression.terms.items()}
        return Linear(terms, expression.constant)

    blocks_cut = {
        name: replace(block, keys=tuple(block.keys[i] for i in cuts[name])) if name in cuts else block
        for name, block in whole.blocks.items()
    }
    options = [o for chains in whole.candidates.options.values() for found in chains.values() for o in found]
    rows_cut = tuple(replace(row, expression=cut(row.expression)) for row in whole.rows)
    blocks_cut, rows_cut = without_unused(options, blocks_cut, rows_cut)
    formulation = replace(
        whole,
        blocks=blocks_cut,
        rows=rows_cut,
        goals=tuple(replace(goal, expression=cut(goal.expression)) for goal in whole.goals),
        positions={name: rows[cuts[name]] if name in cuts else rows for name, rows in whole.positions.items()},
        prunings=prunings,
    )
    return formulation, tuple(cut(expression) for expression in carried)


def split_name(block: str) -> tuple[str, tuple[str, ...]]:
    """``use[train,north]`` as ``use`` and ``(train, north)``; a name without brackets has no index."""
    name, bracket, rest = block.partition("[")
    return name, tuple(rest[:-1].split(",")) if bracket else ()


def column_name(block: str, key: str) -> str:
    """Name of a column of the Pyomo model and of the compiled one."""
    name, index = split_name(block)
    return f"{name}[{','.join((*index, key))}]"
