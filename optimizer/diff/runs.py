"""Two runs compared: inputs cell by cell, designs gained, lost and moved, optima split over the changes, the decision."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.instance import Instance
from optimizer.design import Design
from optimizer.diff.inputs import Between, InputChange, changed_inputs, matters
from optimizer.diff.optima import Optima
from optimizer.diff.split import MOST_FOR_SHAPLEY, Split, split
from optimizer.frontier import Frontier, ObjectiveColumn, tidy
from optimizer.sensitivity.effort import Effort
from optimizer.store import read_frontier, read_inputs

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class MovedDesign:
    """The same decisions with other values: objective column -> value before and after."""

    design_id: str
    values: Mapping[str, tuple[float, float]]


@dataclass(frozen=True)
class ObjectiveSplit:
    """The best value of an objective before and after, in its column's unit, and the part of each changed input.

    ``parts`` sum to ``after - before`` exactly; None where an end has no design or time ran out.
    """

    objective: str
    column: str
    before: float | None
    after: float | None
    parts: Mapping[str, float] | None
    method: str


@dataclass(frozen=True)
class Decision:
    """The best design of the first objective before and after; ``changes``: choice -> (before, after)."""

    before: str
    after: str
    changes: Mapping[str, tuple[Any, Any]]

    @property
    def moved(self) -> bool:
        """True when another design is best."""
        return self.before != self.after


@dataclass(frozen=True)
class Difference:
    """Everything in which two runs differ."""

    first: str
    second: str
    inputs: tuple[InputChange, ...]
    gained: tuple[Design, ...]
    lost: tuple[Design, ...]
    moved: tuple[MovedDesign, ...]
    same: int
    splits: tuple[ObjectiveSplit, ...]
    decision: Decision | None
    complete: bool
    solves: int
    seconds: float

    def to_frame(self) -> pd.DataFrame:
        """The inputs that changed, one row per cell."""
        import pandas as pd

        return pd.DataFrame([c.as_dict() for c in self.inputs])

    def splits_frame(self) -> pd.DataFrame:
        """The splits: one row per objective and changed input."""
        import pandas as pd

        rows = [{"objective": s.objective, "column": s.column, "input": name, "part": part, "method": s.method}
                for s in self.splits for name, part in (s.parts or {}).items()]  # fmt: skip
        return pd.DataFrame(rows)

    def as_dict(self) -> dict[str, Any]:
        """Plain fields, for JSON."""
        return {
            "first": self.first,
            "second": self.second,
            "inputs": [c.as_dict() for c in self.inputs],
            "gained": [_short(d) for d in self.gained],
            "lost": [_short(d) for d in self.lost],
            "moved": [
                {"design_id": m.design_id, "values": {k: {"before": a, "after": b} for k, (a, b) in m.values.items()}}
                for m in self.moved
            ],
            "same": self.same,
            "splits": [vars(s) for s in self.splits],
            "decision": None
            if self.decision is None
            else {
                "moved": self.decision.moved,
                "before": self.decision.before,
                "after": self.decision.after,
                "changes": {k: {"before": a, "after": b} for k, (a, b) in self.decision.changes.items()},
            },
            "solves": self.solves,
            "seconds": round(self.seconds, 3),
        }


def _short(design: Design) -> dict[str, Any]:
    return {
        "design_id": design.design_id,
        "objectives": {k: tidy(v) for k, v in design.objectives.items()},
        "choices": dict(design.choices),
    }


def diff_runs(
    first: Path,
    second: Path,
    *,
    time_limit: float | None = None,
    most_for_shapley: int = MOST_FOR_SHAPLEY,
    on_progress: Callable[[str], None] | None = None,
    effort: Effort | None = None,
) -> Difference:
    """Two run folders compared; ``time_limit`` [s] bounds the re-solves behind the splits, ``effort`` goes before it."""
    return diff(
        (read_frontier(first), read_inputs(first)), (read_frontier(second), read_inputs(second)),
        time_limit=time_limit, most_for_shapley=most_for_shapley, on_progress=on_progress, effort=effort,
    )  # fmt: skip


def diff(
    first: tuple[Frontier, Instance],
    second: tuple[Frontier, Instance],
    *,
    time_limit: float | None = None,
    most_for_shapley: int = MOST_FOR_SHAPLEY,
    on_progress: Callable[[str], None] | None = None,
    effort: Effort | None = None,
) -> Difference:
    """Two frontiers with the instances they were computed from, compared."""
    effort = effort or Effort(time_limit)
    (a, instance_a), (b, instance_b) = first, second
    inputs = changed_inputs(instance_a, instance_b)
    mine, theirs = {d.design_id: d for d in a.points}, {d.design_id: d for d in b.points}
    both = [o for o in a.objectives if o in b.objectives]
    moved, same = [], 0
    for name in mine.keys() & theirs.keys():
        before, after = mine[name].objectives, theirs[name].objectives
        told = {o.column: (before[o.column], after[o.column]) for o in both if before[o.column] != after[o.column]}
        if told:
            moved.append(MovedDesign(name, told))
        else:
            same += 1
    telling = [c for c in inputs if matters(c)]
    between, say = Between(instance_a, instance_b, telling), on_progress or (lambda _line: None)
    optima = Optima(between, [o.name for o in both], effort, say)
    groups = list(dict.fromkeys(c.group for c in telling))
    optima.prepare_split(groups, most_for_shapley)
    splits = [_split(o, groups, optima, most_for_shapley) for o in both]
    return Difference(
        first=a.run or a.instance,
        second=b.run or b.instance,
        inputs=inputs,
        gained=tuple(d for d in b.points if d.design_id not in mine),
        lost=tuple(d for d in a.points if d.design_id not in theirs),
        moved=tuple(sorted(moved, key=lambda m: m.design_id)),
        same=same,
        splits=tuple(splits),
        decision=_decision(a, b),
        complete=not optima.stopped,
        solves=effort.solves,
        seconds=effort.spent,
    )


def _decision(a: Frontier, b: Frontier) -> Decision | None:
    if not (a.points and b.points and a.objectives[0] in b.objectives):
        return None
    old, new = _best(a, a.objectives[0]), _best(b, a.objectives[0])
    keys = dict.fromkeys((*old.choices, *new.choices))
    changes = {k: (old.choices.get(k), new.choices.get(k)) for k in keys if old.choices.get(k) != new.choices.get(k)}
    return Decision(old.design_id, new.design_id, changes)


def _best(frontier: Frontier, objective: ObjectiveColumn) -> Design:
    sign = -1.0 if objective.maximise else 1.0
    return min(frontier.points, key=lambda d: (sign * d.objectives[objective.column], d.design_id))


def _split(objective: ObjectiveColumn, groups: list[str], optima: Optima, most: int) -> ObjectiveSplit:
    def in_column(quanta: Any) -> float:
        return float(tidy(float(-quanta if objective.maximise else quanta) * objective.quantum))

    found: Split | None = split(groups, lambda chosen: optima.value(objective.name, chosen), most)
    if found is None:
        return ObjectiveSplit(objective.name, objective.column, None, None, None, "")
    before, after = in_column(found.before), in_column(found.after)
    parts = {name: in_column(part) for name, part in found.parts.items()}
    return ObjectiveSplit(
        objective.name, objective.column, before, after, exact_sum(parts, after - before), found.method
    )


def exact_sum(parts: Mapping[str, float], total: float) -> dict[str, float]:
    """Parts whose sum is ``total``: what rounding lost is given to the largest.

    Parts of a whole number are rounded to 1/1024, so that they sum to it exactly, in any order; others sum to it up to the last
    digit a double has.
    """
    whole = float(total).is_integer() and abs(total) < 2.0**42
    found = {name: (round(part * 1024) / 1024 if whole else part) for name, part in parts.items()}
    if not found:
        return found
    largest = max(found, key=lambda name: abs(found[name]))
    found[largest] += math.fsum([total, *(-part for part in found.values())])
    return found
