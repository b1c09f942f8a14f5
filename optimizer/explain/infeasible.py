"""Why no design exists: an irreducible set of named groups, and the smallest repairs, each priced by solving again.

First arithmetic (a demand no pod within one limit delivers), then the linear relaxation (rows of a checked certificate), then
a deletion filter over groups, halving: a part of the groups is dropped, and stays dropped where the rest is still infeasible.
A set is called irreducible only when the engine has proven it infeasible and has found a design for the set without each of
its members; since lifting a group takes no design away, every proper subset then has one too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from models.candidates.rejection import Rejection, Stage
from models.instance import Instance
from optimizer.check import check_instance
from optimizer.explain.asking import Asking, LimitRow, Standing
from optimizer.explain.groups import Group
from optimizer.explain.linear_conflict import clashing_rows
from optimizer.explain.purchases import SHARES
from optimizer.explain.repairs import Repair, repairs_of
from optimizer.sensitivity.effort import Effort

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Member:
    """A group of a conflict; ``best`` is the best its limit could be with everything else in force, None where there is none or
    no number; ``needed``: the other members have a design without it. ``apart``: another conflict leaves nothing either, and
    ``best`` is with that one lifted."""

    group: Group
    best: float | None
    unit: str
    needed: bool
    apart: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Plain fields, for JSON."""
        told = {"best_reachable": self.best, "unit": self.unit or None, "needed": self.needed}
        return {**self.group.as_dict(), **told, "best_without_other_conflicts": self.apart}


@dataclass(frozen=True)
class Conflict:
    """Groups no design meets together. ``infeasible``: proven; ``irreducible``: and every proper subset has a design."""

    members: tuple[Member, ...]
    infeasible: bool
    irreducible: bool
    found_by: str

    @property
    def names(self) -> frozenset[str]:
        """Names of the groups."""
        return frozenset(m.group.name for m in self.members)


@dataclass(frozen=True)
class Infeasibility:
    """The explanation of an instance: a conflict with repairs, or None where a design exists.

    ``background``: why there is nothing even with every group lifted (reasons from the catalogue), empty otherwise; ``held``:
    filters no repair was looked for in, because the candidates without them are too many.
    ``complete`` is false where time ended the work early; ``further``: conflicts that share nothing with the first nor with one another.
    """

    instance: str
    feasible: bool | None
    conflict: Conflict | None
    repairs: tuple[Repair, ...]
    background: tuple[str, ...]
    held: tuple[str, ...]
    complete: bool
    solves: int
    seconds: float
    further: tuple[Conflict, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """The conflict as a table, one row per group."""
        import pandas as pd

        return pd.DataFrame([m.as_dict() for m in self.conflict.members] if self.conflict else [])

    def repairs_frame(self) -> pd.DataFrame:
        """The repairs as a table, one row per repair."""
        import pandas as pd

        return pd.DataFrame([r.as_row() for r in self.repairs])

    def as_dict(self) -> dict[str, Any]:
        """Plain fields, for JSON."""
        found = self.conflict
        return {
            "instance": self.instance,
            "feasible": self.feasible,
            "infeasible_proven": found.infeasible if found else False,
            "irreducible": found.irreducible if found else False,
            "found_by": found.found_by if found else None,
            "groups": [m.as_dict() for m in found.members] if found else [],
            "further": [
                {"groups": [m.as_dict() for m in one.members], "irreducible": one.irreducible} for one in self.further
            ],
            "repairs": [r.as_dict() for r in self.repairs],
            "background": list(self.background),
            "held": list(self.held),
            "solves": self.solves,
            "seconds": round(self.seconds, 3),
        }


def explain_infeasible(
    instance: Instance,
    *,
    time_limit: float | None = None,
    backend: str = "auto",
    repairs: int = 5,
    on_progress: Callable[[str], None] | None = None,
    effort: Effort | None = None,
) -> Infeasibility:
    """Which groups of an instance clash, and what would mend it.

    ``time_limit`` [s] ends the search early; what is then unproven is said to be. ``repairs``: how many to price at most.
    ``effort`` goes before time and backend.
    """
    started = time.perf_counter()
    asking = Asking(instance, effort or Effort(time_limit, backend))
    say = on_progress or (lambda _line: None)
    everything = list(asking.groups)

    def done(
        feasible: bool | None,
        conflict: Conflict | None,
        mended: Sequence[Repair] = (),
        why: Sequence[str] = (),
        further: Sequence[Conflict] = (),
    ) -> Infeasibility:
        complete = feasible is True or (conflict is not None and conflict.irreducible) or bool(why)
        return Infeasibility(
            instance.name, feasible, conflict, tuple(mended), tuple(why), asking.held,
            complete and not asking.out_of_time, asking.solves, time.perf_counter() - started, tuple(further),
        )  # fmt: skip

    standing = asking.standing(everything)
    if standing is not Standing.INFEASIBLE:
        return done(True if standing is Standing.FEASIBLE else None, None)
    search = ConflictSearch(asking, say)
    search.single_lifts()
    if asking.standing(()) is Standing.INFEASIBLE:
        empty = Conflict((), infeasible=True, irreducible=True, found_by="candidates")
        return done(False, empty, why=background(asking.program(everything).rejections))
    first = search.within(everything)
    conflict, *further = search.apart([first, *search.further(first)])
    say(f"{len(conflict.members)} groups clash; looking for repairs")
    mended = repairs_of(asking, conflict.names, lambda names: search.within(names).names, most=repairs, say=say)
    return done(False, conflict, mended, further=further)


class ConflictSearch:
    """Finds conflicts among the groups of one instance."""

    def __init__(
        self, asking: Asking, say: Callable[[str], None], hopeless: Sequence[frozenset[str]] | None = None
    ) -> None:
        self._asking = asking
        self._say = say
        self._hopeless = None if hopeless is None else list(hopeless)

    def within(self, names: Collection[str]) -> Conflict:
        """An irreducible conflict among ``names``, which are known to be infeasible together."""
        kept, found_by = self._head_start([n for n in self._asking.groups if n in set(names)])
        filters = [n for n in kept if not self._asking.groups[n].rows]
        limits = [n for n in kept if n not in filters]
        for part in (filters, limits):
            kept = self._without(kept, part)
        return self._proven(kept, found_by)

    def single_lifts(self) -> None:
        """Asks whether one statement that arithmetic names is enough to give way: next to nothing more is then enumerated.

        A design found so keeps everything else, which answers every later question about fewer statements.
        """
        for name in dict.fromkeys(n for few in self._by_arithmetic() for n in sorted(few)):
            self._asking.standing([n for n in self._asking.groups if n != name])

    def further(self, first: Conflict) -> list[Conflict]:
        """Conflicts among what is left without ``first``, each without those before it: mending one leaves the others."""
        found, left = [first], [n for n in self._asking.groups if n not in first.names]
        while found[-1].members and not self._asking.out_of_time and self._infeasible(left):
            found.append(self.within(left))
            left = [n for n in left if n not in found[-1].names]
        return found[1:]

    def among_limits(self) -> list[Conflict]:
        """Irreducible conflicts of limits alone that share nothing, every filter on candidates in force.

        The first is empty where filters leave nothing to choose.
        """
        found: list[Conflict] = []
        left = list(self._asking.groups)
        while not found or (found[-1].members and not self._asking.out_of_time and self._infeasible(left)):
            kept, found_by = self._head_start(left)
            filters = [n for n in kept if not self._asking.groups[n].rows]
            kept = self._without(kept, [n for n in kept if n not in filters])
            found.append(self._proven(kept, found_by, always=filters))
            left = [n for n in left if n not in found[-1].names]
        return self.apart(found)

    def _head_start(self, kept: list[str]) -> tuple[list[str], str]:
        """A smaller infeasible set by arithmetic or from the linear relaxation, where one is proven."""
        filters = [n for n in kept if not self._asking.groups[n].rows]
        for few in self._by_arithmetic():
            if few <= set(kept):
                alone = [n for n in kept if n in few]
                if any(n in filters for n in few) and self._infeasible(alone):
                    return alone, "arithmetic"
                trial = [n for n in kept if n in few or n in filters]
                if self._infeasible(trial):
                    return trial, "arithmetic"
        certified = self._by_certificate(kept)
        if certified:
            trial = [n for n in kept if n in certified or n in filters]
            if self._infeasible(trial):
                return trial, "linear relaxation"
        return kept, "deletion filter"

    def _by_arithmetic(self) -> list[frozenset[str]]:
        if self._hopeless is None and self._asking.out_of_time:
            return []
        if self._hopeless is None:
            report = check_instance(self._asking.instance)
            pairs = [
                frozenset({case.limit, self._demand(case.cluster)}) & frozenset(self._asking.groups)
                for case in report.limits
                if case.hopeless
            ]
            self._hopeless = sorted((p for p in pairs if p), key=lambda p: (len(p), sorted(p)))
        return self._hopeless

    def _demand(self, cluster: str) -> str:
        here = f"workloads.{cluster}"
        return f"{here}.deadline" if f"{here}.deadline" in self._asking.groups else f"{here}.rate"

    def _by_certificate(self, kept: list[str]) -> set[str]:
        lifted = [n for n in self._asking.groups if n not in set(kept)]
        if self._asking.out_of_time and not self._asking.prepared(lifted):
            return set()
        made = self._asking.program(lifted)
        model = made.model
        if model is None:
            return set()
        lower, upper = self._asking.row_bounds(made, kept)
        left = self._asking.effort.left
        rows = clashing_rows(model, lower, upper, seconds=20.0 if left is None else min(20.0, left))
        sources = {made.sources.get(key) for key in rows}
        return {n for n in kept if n in sources or rows & set(self._asking.groups[n].rows)} if rows else set()

    def _infeasible(self, kept: Collection[str]) -> bool:
        return self._asking.standing(kept) is Standing.INFEASIBLE

    def _without(self, kept: list[str], part: list[str]) -> list[str]:
        """``kept`` without as much of ``part`` as leaves it infeasible: all of it, or each half in turn."""
        part = [n for n in part if n in kept]
        if not part or self._asking.out_of_time:
            return kept
        rest = [n for n in kept if n not in part]
        if self._infeasible(rest):
            return rest
        if len(part) == 1:
            return kept
        self._say(f"{len(kept)} groups left")
        middle = len(part) // 2
        return self._without(self._without(kept, part[:middle]), part[middle:])

    def _proven(self, kept: list[str], found_by: str, always: Sequence[str] = ()) -> Conflict:
        infeasible = self._infeasible(kept)
        members = []
        shown = [n for n in kept if n not in always]
        for name in sorted(shown, key=list(self._asking.groups).index, reverse=True):
            best, unit, needed = self._reach(name, [n for n in kept if n != name])
            members.append(Member(self._asking.groups[name], best, unit, needed))
        irreducible = infeasible and all(m.needed for m in members)
        return Conflict(tuple(members), infeasible, irreducible, found_by)

    def _reach(self, name: str, others: list[str]) -> tuple[float | None, str, bool]:
        """Best value of a group's limit with everything else in force, its unit, and whether ``others`` have a design."""
        group, every = self._asking.groups[name], [n for n in self._asking.groups if n != name]
        # a design that keeps everything else keeps the others, too, and is looked for among fewer candidates
        needed = any(self._asking.standing(kept) is Standing.FEASIBLE for kept in (every, others))
        row = self._row_of(group)
        return (None, "", needed) if row is None else (self._best(row, every), row.unit, needed)

    def _row_of(self, group: Group) -> LimitRow | None:
        """The only row of a group's limit, where it holds an amount; a share of money is none, its row having no steps."""
        row = next((r for r in self._asking.rows if len(group.rows) == 1 and r.key == group.rows[0]), None)
        if row is None or row.counts_violators or (row.what in SHARES and row.unit == "kUSD"):
            return None
        return row

    def apart(self, conflicts: Sequence[Conflict]) -> list[Conflict]:
        """The same; where a conflict leaves the limits of another no value, their best with the other conflicts lifted."""
        return [
            self._apart(one, {n for other in conflicts if other is not one for n in other.names}) for one in conflicts
        ]

    def _apart(self, conflict: Conflict, lifted: set[str]) -> Conflict:
        members = []
        for member in conflict.members:
            name, row = member.group.name, self._row_of(member.group)
            if member.best is None and row is not None and lifted:
                kept = [n for n in self._asking.groups if n != name and n not in lifted]
                best = self._best(row, kept)
                member = replace(member, best=best, apart=best is not None)
            members.append(member)
        return replace(conflict, members=tuple(members))

    def _best(self, row: LimitRow, kept: list[str]) -> float | None:
        """The best value of a limit's row that a design that keeps ``kept`` has; None where none is proven."""
        lifted = frozenset(self._asking.groups) - frozenset(kept)
        if self._asking.out_of_time and not self._asking.prepared(lifted):
            return None
        model = self._asking.program(lifted).model
        if model is None or row.key not in model.row_keys:
            return None
        place = model.row_keys.index(row.key)
        left = np.asarray(model.matrix[[place], :].toarray(), dtype=np.float64).reshape(-1)
        reply = self._asking.ask(kept, left if row.at_most else -left)
        return float(left @ reply.x) if reply.x is not None and reply.proven else None


_TELLING = (Stage.POD, Stage.FABRIC, Stage.SITE, Stage.RACK, Stage.CATALOGUE, Stage.DESIGN_SPACE)


def background(rejections: Sequence[Rejection], most: int = 8) -> tuple[str, ...]:
    """Why nothing is left with every group lifted: what came furthest first, each reason once."""
    alike: dict[str, list[str]] = {}
    telling = [r for r in rejections if r.stage in _TELLING]
    for rejection in sorted(telling, key=lambda r: _TELLING.index(r.stage)):
        alike.setdefault(rejection.reason, []).append(rejection.item)
    return tuple(
        f"{items[0]}{f' and {len(items) - 1} more' if len(items) > 1 else ''}: {reason}"
        for reason, items in list(alike.items())[:most]
    )
