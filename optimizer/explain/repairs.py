"""Repairs: the fewest groups that must give way, how little each has to, and what the answer then costs.

The minimal sets come from a hitting-set tree (Reiter): a set of groups mends the instance exactly when it meets every
conflict; the tree grows by finding a conflict that a set misses. Each set is then measured by solving: how far a limit has to
move, which date, heat or floor suffices, which part to admit; and the changed instance is solved again, from its candidates on.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import permutations
from math import ceil, floor
from typing import Any

from models.candidates.placement import enumerate_candidates
from models.errors import InfeasibleError
from models.formulation.build import build
from models.instance import Instance
from optimizer.compile import compile_formulation
from optimizer.design import Design
from optimizer.explain.asking import Asking, Standing
from optimizer.explain.changes import Change
from optimizer.explain.groups import GroupKind
from optimizer.explain.measuring import Measured, measured
from optimizer.extract import design_of
from optimizer.performance_cache import PerformanceCache
from optimizer.sensitivity.effort import Effort

LARGEST_SET, ENOUGH = 3, 3


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
    """At most ``most`` minimal repairs, of different kinds of groups first; ``another`` finds a conflict within groups.

    Where there are fewer than ``ENOUGH`` minimal sets of groups, the same sets give way in other ways: by the next cheapest part
    that is let in, or two limits each by a part of what it has to alone.
    """
    sets = _varied(asking, list(correction_sets(asking, conflict, another, most * 3)))
    hot, alone = _Hot(asking), dict[frozenset[str], _Told]()
    while sets and len(alone) < most and not asking.out_of_time:
        # so many are needed, whatever comes of them: their number is the same for any number of processes
        next_few, sets = sets[: most - len(alone)], sets[most - len(alone) :]
        for chosen in next_few:
            say(f"pricing the repair of {', '.join(sorted(chosen))}")
        for chosen, each in zip(next_few, asking.effort.each(_measured, hot, next_few), strict=True):
            if each is not None:
                alone[chosen] = each
    found = [each.told for each in alone.values()]
    changed = [each.changed for each in alone.values()]
    other_ways = {chosen: each.told for chosen, each in alone.items()}
    for told in (*_by_other_parts(asking, other_ways), *_halfway(asking, other_ways)) if len(found) < ENOUGH else ():
        if len(found) >= min(ENOUGH, most) or asking.out_of_time:
            break
        found.append(told)
        changed.append(_changed(asking.instance, told.changes))
    solved = asking.effort.each(_solved, None, changed)
    return tuple(_resolved(told, again) for told, again in zip(found, solved, strict=True))


@dataclass(frozen=True)
class _Told:
    """What was measured, and the instance with these changes made; None where it cannot say so."""

    told: Measured
    changed: Instance | None

    def __reduce__(self) -> tuple[Any, ...]:
        # what changes are made with are functions, which stay in the process they are made in
        changes = tuple(
            dataclasses.replace(c, apply=None, group=dataclasses.replace(c.group, widening=None))
            for c in self.told.changes
        )
        return _Told, (dataclasses.replace(self.told, changes=changes), self.changed)


class _Hot:
    """The questions of one instance, which another process asks by itself."""

    def __init__(self, asking: Asking) -> None:
        self._asking: Asking | None = asking
        self._instance = asking.instance

    def __getstate__(self) -> dict[str, Any]:
        return {"_asking": None, "_instance": self._instance}

    def asking(self, effort: Effort) -> Asking:
        """The questions, made on first use; ``effort`` bounds them."""
        if self._asking is None:
            self._asking = Asking(self._instance, effort)
        return self._asking


def _measured(hot: _Hot, chosen: frozenset[str], effort: Effort) -> _Told | None:
    asking = hot.asking(effort)
    told = measured(asking, chosen)
    if told is None:
        return None
    changed = _changed(asking.instance, told.changes)
    return _Told(told, changed)


def _by_other_parts(asking: Asking, alone: Mapping[frozenset[str], Measured]) -> Iterator[Measured]:
    """The next cheapest parts that filters can let in, each set in turn."""
    waiting = deque((chosen, told.used) for chosen, told in alone.items() if told.used)
    while waiting and not asking.out_of_time:
        chosen, avoid = waiting.popleft()
        told = measured(asking, chosen, avoid)
        if told is not None and told.used:
            yield told
            waiting.append((chosen, (*avoid, *told.used)))


def _halfway(asking: Asking, alone: Mapping[frozenset[str], Measured]) -> Iterator[Measured]:
    """Two limits that give way together, each by less than it has to alone."""
    single = {name: told.values[name] for chosen, told in alone.items() for name in chosen if chosen == {*told.values}}
    rows = {row.key: row for row in asking.rows}
    for first, second in permutations(single, 2):
        keys = asking.groups[first].rows
        if asking.out_of_time or len(keys) != 1 or keys[0] not in rows or rows[keys[0]].counts_violators:
            continue
        now = rows[keys[0]].limit
        middle = (now + single[first]) / 2
        told = measured(
            asking, frozenset((first, second)), held={first: ceil(middle) if single[first] > now else floor(middle)}
        )
        if told is None or not {first, second} <= set(told.values):
            continue
        nearer = abs(told.values[first] - now) < abs(single[first] - now) and told.values[second] != single[second]
        if nearer and told.values[first] != now:
            yield told


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


def _changed(instance: Instance, changes: tuple[Change, ...]) -> Instance | None:
    """The instance as a repair wants it, None where it cannot say so."""
    for change in changes:
        if change.apply is None:
            return None
        instance = change.apply(instance)
    return instance


def _solved(_: None, changed: Instance | None, effort: Effort) -> tuple[Design, bool] | None:
    """The cheapest design of a changed instance, from its candidates on, and whether it is proven; None where none was found."""
    if changed is None or effort.over:
        return None
    try:
        formulation = build(changed, ("tco",), enumerate_candidates(changed, PerformanceCache()))
    except InfeasibleError:
        return None
    if formulation.hopeless:
        return None
    model = compile_formulation(formulation)
    found = effort.least(model)
    if found is None or found.x is None:
        return None
    return design_of(formulation, model, found.point(model.n_columns)), found.proven


def _resolved(told: Measured, again: tuple[Design, bool] | None) -> Repair:
    """The repair with the design of the changed instance; where there is none, with that of the program its change was measured in."""
    design, proven = (told.design, False) if again is None else again
    return Repair(told.changes, _tco(design.objectives, design.figures), proven, design)


def _tco(objectives: Mapping[str, float], figures: Mapping[str, float]) -> float:
    return float(objectives.get("tco_usd", figures["tco_usd"]))
