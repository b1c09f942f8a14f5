"""Repairs: the fewest groups that must give way, how little each has to, and what the answer then costs.

The minimal sets come from a hitting-set tree (Reiter): a set of groups mends the instance exactly when it meets every
conflict; the tree grows by finding a conflict that a set misses. Each set is then measured by solving: how far a limit has to
move, which date, heat or floor suffices, which part to admit; and the changed instance is solved again, from its candidates on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from models.candidates.placement import enumerate_candidates
from models.errors import InfeasibleError
from models.formulation.build import build
from optimizer.compile import compile_formulation
from optimizer.design import Design
from optimizer.explain.asking import Asking, LimitRow, Reply, Standing
from optimizer.explain.changes import (
    Change,
    admitted_change,
    floor_change,
    limit_change,
    size_change,
    threshold_change,
)
from optimizer.explain.extents import Extents, extents_of
from optimizer.explain.groups import Group, GroupKind
from optimizer.extract import design_of
from optimizer.pareto import RunLimits, solve
from optimizer.pareto.result import FrontierStatus
from optimizer.performance_cache import PerformanceCache

LARGEST_SET = 3


@dataclass(frozen=True)
class Repair:
    """Changes that bring a design back. ``tco_usd`` of the best design then; ``certified``: the changed instance was solved
    again to the end. ``design`` is that design."""

    changes: tuple[Change, ...]
    tco_usd: float | None
    certified: bool
    design: Design | None = field(default=None, repr=False)

    def as_dict(self) -> dict[str, Any]:
        """Plain fields, for JSON."""
        return {
            "changes": [c.as_dict() for c in self.changes],
            "tco_usd": self.tco_usd,
            "certified": self.certified,
            "design": None if self.design is None else {"choices": dict(self.design.choices), **_figures(self.design)},
        }

    def as_row(self) -> dict[str, Any]:
        """One row of a table."""
        return {
            "change": "; ".join(f"{c.group.name}: {c.after}" for c in self.changes),
            "before": "; ".join(c.before for c in self.changes),
            "owner": "; ".join(c.group.owner for c in self.changes),
            "tco_usd": self.tco_usd,
            "certified": self.certified,
        }


def _figures(design: Design) -> dict[str, float]:
    names = ("capex_usd", "throughput_tokens_per_s", "power_kw", "floor_racks")
    return {name: design.figures[name] for name in names if name in design.figures}


def repairs_of(
    asking: Asking,
    conflict: frozenset[str],
    another: Callable[[Collection[str]], frozenset[str]],
    most: int = 5,
    say: Callable[[str], None] = lambda _line: None,
) -> tuple[Repair, ...]:
    """At most ``most`` minimal repairs, of different kinds of groups first; ``another`` finds a conflict within groups."""
    sets = list(correction_sets(asking, conflict, another, most * 3))
    found: list[Repair] = []
    for chosen in _varied(asking, sets):
        if len(found) == most or asking.out_of_time:
            break
        say(f"pricing the repair of {', '.join(sorted(chosen))}")
        repair = _measured(asking, chosen)
        if repair is not None:
            found.append(repair)
    return tuple(found)


def correction_sets(
    asking: Asking, conflict: frozenset[str], another: Callable[[Collection[str]], frozenset[str]], most: int
) -> Iterator[frozenset[str]]:
    """Minimal sets of groups without which a design exists, smallest first."""
    everything = frozenset(asking.groups)
    conflicts = [conflict]
    waiting = deque([frozenset[str]()])
    seen: set[frozenset[str]] = set()
    found: list[frozenset[str]] = []
    while waiting and len(found) < most and not asking.out_of_time:
        lifted = waiting.popleft()
        if lifted in seen or any(mended <= lifted for mended in found):
            continue
        seen.add(lifted)
        clash = next((c for c in conflicts if not c & lifted), None)
        if clash is None:
            standing = asking.standing(everything - lifted)
            if standing is Standing.FEASIBLE:
                found.append(lifted)
                yield lifted
                continue
            if standing is Standing.UNKNOWN or len(lifted) >= LARGEST_SET:
                continue
            clash = another(everything - lifted)
            conflicts.append(clash)
        if len(lifted) < LARGEST_SET:
            waiting.extend(lifted | {name} for name in sorted(clash))


def _varied(asking: Asking, sets: list[frozenset[str]]) -> list[frozenset[str]]:
    """Small sets first, and among equals one of each kind of group before a second of any."""
    kinds = list(GroupKind)
    taken: dict[tuple[int, GroupKind], int] = {}
    ranked = []
    for chosen in sets:
        kind = max((asking.groups[n].kind for n in chosen), key=kinds.index)
        turn = taken[len(chosen), kind] = taken.get((len(chosen), kind), 0) + 1
        ranked.append((len(chosen), turn, -kinds.index(kind), sorted(chosen), chosen))
    return [entry[-1] for entry in sorted(ranked, key=lambda e: e[:4])]


class _Measuring:
    """How little the groups of one set have to give; limits first, then thresholds, then what the cheapest design admits."""

    def __init__(self, asking: Asking, lifted: frozenset[str]) -> None:
        self._asking = asking
        self._lifted = lifted
        self._kept = frozenset(asking.groups) - lifted
        self._program = asking.program(lifted)
        assert self._program.model is not None
        self._barred: npt.NDArray[np.bool_] = np.zeros(self._program.model.n_columns, dtype=np.bool_)
        self._bounds: dict[str, float] = {}

    def ask(self, cost: npt.NDArray[np.float64] | None = None, barred: npt.NDArray[np.bool_] | None = None) -> Reply:
        return self._asking.ask(self._kept, cost, self._barred if barred is None else barred, self._bounds)

    def limit(self, row: LimitRow) -> float | None:
        """The least a row has to move; the row is then held there."""
        model = self._program.model
        assert model is not None
        if row.key not in model.row_keys:
            return None
        left = np.asarray(model.matrix[[model.row_keys.index(row.key)], :].toarray(), dtype=np.float64).reshape(-1)
        reply = self.ask(left if row.at_most else -left)
        if reply.x is None:
            return None
        reached = float(left @ reply.x)
        value = max(reached, row.limit) if row.at_most else min(reached, row.limit)
        self._bounds[row.key] = value
        return value

    def threshold(self, extents: Extents) -> float | None:
        """The smallest extent that suffices; whatever goes further is barred from here on."""
        values = extents.columns(self._program)
        steps = np.unique(values[np.isfinite(values) & (values > extents.now)])
        low, high = 0, len(steps) - 1
        if high < 0 or self.ask().standing is not Standing.FEASIBLE:
            return None
        while low < high:
            middle = (low + high) // 2
            standing = self.ask(barred=self._barred | (values > steps[middle])).standing
            if standing is Standing.UNKNOWN:
                break
            low, high = (low, middle) if standing is Standing.FEASIBLE else (middle + 1, high)
        self._barred = self._barred | (values > steps[high])
        return float(steps[high])

    def cheapest(self) -> Design | None:
        """The design of least total cost within what has been settled so far."""
        reply = self.ask(self._asking.tco(self._lifted))
        if reply.x is None:
            return None
        assert self._program.formulation is not None and self._program.model is not None
        return design_of(self._program.formulation, self._program.model, reply.x)


def _measured(asking: Asking, lifted: frozenset[str]) -> Repair | None:
    measuring = _Measuring(asking, lifted)
    instance, rows = asking.instance, {r.key: r for r in asking.rows}
    groups = sorted((asking.groups[n] for n in lifted), key=lambda g: (not g.rows, g.name))
    changes: dict[str, Change] = {}
    later: list[Group] = []
    for group in groups:
        extents = extents_of(instance, group)
        if extents is not None:
            value = measuring.threshold(extents)
            if value is not None and not extents.by_design:
                is_floor = extents.floor
                changes[group.name] = (
                    floor_change(instance, group, -value) if is_floor else threshold_change(instance, group, value)
                )
                continue
        elif group.rows and all(key in rows for key in group.rows):
            moved = [(rows[key], measuring.limit(rows[key])) for key in group.rows]
            told = [(row, value) for row, value in moved if value is not None]
            if told:
                changes[group.name] = limit_change(instance, group, *told[0])
                continue
        later.append(group)
    design = measuring.cheapest()
    if design is None:
        return None
    for group in later:
        change = (
            size_change(instance, group, design)
            if group.name.endswith(".sizes")
            else admitted_change(instance, group, design)
        )
        if change is not None:
            changes[group.name] = change
    ordered = tuple(changes[g.name] for g in groups if g.name in changes)
    return _resolved(asking, ordered, design)


def _resolved(asking: Asking, changes: tuple[Change, ...], design: Design) -> Repair:
    """The repair with the changed instance solved again from its candidates on, where the instance can say the change."""
    fallback = Repair(changes, _tco(design.objectives, design.figures), False, design)
    changed = asking.instance
    for change in changes:
        if change.apply is None:
            return fallback
        changed = change.apply(changed)
    try:
        formulation = build(changed, ("tco",), enumerate_candidates(changed, PerformanceCache()))
    except InfeasibleError:
        return fallback
    if formulation.hopeless:
        return fallback
    model = compile_formulation(formulation)
    found = solve(model, limits=RunLimits(seconds=asking.seconds_left))
    if not found.n_points:
        return fallback
    best = design_of(formulation, model, found.solutions[0])
    return Repair(changes, _tco(best.objectives, best.figures), found.status is FrontierStatus.COMPLETE, best)


def _tco(objectives: Mapping[str, float], figures: Mapping[str, float]) -> float:
    return float(objectives.get("tco_usd", figures["tco_usd"]))
