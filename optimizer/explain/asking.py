"""Questions about an instance with some of its groups lifted: is there a design, and how far must a limit move?

Candidates and program are made once for each set of lifted filters; lifting a row only frees its bounds. Every answer carries
its proof: a design, an infeasibility proven by the engine, or neither where time ran out.
"""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt

from models.candidates.offers import offers_of
from models.candidates.placement import Candidates, enumerate_candidates
from models.errors import InfeasibleError
from models.formulation.build import Formulation
from models.formulation.core import Row
from models.formulation.family import families
from models.instance import Instance
from optimizer.compile import with_cost
from optimizer.compiled_model import Floats
from optimizer.explain.extents import measure_of
from optimizer.explain.groups import Group, groups_of, row_key
from optimizer.explain.lifted import Program, made_of
from optimizer.explain.purchases import purchase_of
from optimizer.explain.widening import beyond, replaced, widenings
from optimizer.performance_cache import PerformanceCache
from optimizer.sensitivity.effort import Effort

KEPT_PROGRAMS = 12
KEPT_PLACEMENTS = 1_000_000
"""Placements of candidates kept for other programs: some hundred bytes each; those of the program being made are kept whatever they are."""

FEW, OF_RACKS = 3, ("air_per_rack", "airflow_per_rack", "floor", "static_load_kg")
EMPTIER = ("blast_radius",)
"""Where few statements give way and one of them limits a rack, emptier racks are candidates, too: such a limit need not move as far for them.
They are kept for the objective that asks for them."""

Bounds = Mapping[str, float | tuple[float, float]]
"""Row key -> a bound in place of the one it has, or both of its ends."""


class Standing(Enum):
    """What is known about a question."""

    FEASIBLE = "feasible"
    INFEASIBLE = "infeasible"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Reply:
    """An answer: a solution where one was found; ``value`` of the cost asked for, ``proven`` optimal."""

    standing: Standing
    x: Floats | None = None
    value: float | None = None
    proven: bool = False


@dataclass(frozen=True)
class LimitRow:
    """A row that holds a limit: its key in the program, the side it has, and what it asks in ``unit``; ``exact``: on both sides."""

    key: str
    at_most: bool
    unit: str
    limit: float
    what: str
    exact: bool = False

    @property
    def counts_violators(self) -> bool:
        """True where the row forbids pods one by one, so that its left side is a number of pods and no use of anything."""
        return self.what.endswith("_of_each")


def limit_rows(formulation: Formulation) -> list[Row]:
    """Rows that hold something somebody stated: those of families without the program's own logic, and counts of pods."""
    names = {family.name for family in families()}
    return [
        row
        for row in formulation.rows
        if (row.family in names and row.unit and not row.what.endswith(("_units", "_open")))
        or (row.family == "core" and row.what == "pods")
    ]


class Asking:
    """Asks about one instance. ``effort`` bounds everything asked; what comes after is UNKNOWN."""

    def __init__(self, instance: Instance, effort: Effort | None = None) -> None:
        self.instance = instance
        self.effort = effort or Effort()
        self._programs: OrderedDict[tuple[frozenset[str], tuple[tuple[str, float], ...]], Program] = OrderedDict()
        self._memo = PerformanceCache()
        self._clusters: OrderedDict[tuple[str, frozenset[str], tuple[str, ...]], Candidates] = OrderedDict()
        self._feasible: list[frozenset[str]] = []
        self._infeasible: list[frozenset[str]] = []
        every = widenings(instance)
        self.held = beyond(instance, every)
        """Filters that are not lifted, because the candidates without them are too many to enumerate."""
        self._widenings = {name: w for name, w in every.items() if name not in self.held}
        self._filters = frozenset(name for name, w in self._widenings.items() if not w.only_candidates)
        # the rows are the same with every filter in force, where that leaves any candidate
        first = self.program(())
        told = first.formulation or self.program(self._filters).formulation
        rows = limit_rows(told) if told is not None else []
        self.groups: Mapping[str, Group] = groups_of(instance, rows, self._widenings)
        self._named = frozenset(key for group in self.groups.values() for key in group.rows)
        self.rows = tuple(
            LimitRow(
                row_key(r),
                r.upper is not None,
                r.unit,
                float(r.upper if r.upper is not None else r.lower or 0.0),
                r.what,
                r.lower == r.upper,
            )
            for r in rows
        )

    @property
    def out_of_time(self) -> bool:
        """True when the time given is used up."""
        return self.effort.over

    @property
    def solves(self) -> int:
        """Questions put to a solver so far."""
        return self.effort.solves

    # --- programs ---------------------------------------------------------------------------------------------------

    def program(self, lifted: Collection[str], at: Mapping[str, float] | None = None) -> Program:
        """The program without the filters among ``lifted``; limits of sites never filter candidates here, they are rows.

        ``at``: values [canonical unit] at which some of the lifted filters are kept instead.
        """
        names, values = frozenset(lifted) & self._filters, tuple(sorted((at or {}).items()))
        key = (names, values)
        if key in self._programs:
            self._programs.move_to_end(key)
            return self._programs[key]
        wide = self.instance
        for name in sorted(names - dict(values).keys()):
            wide = self._widenings[name].apply(wide)
        moved = {name: purchase_of(self.instance, name) for name, _ in values}
        for name, value in values:
            purchase = moved[name]
            wide = replaced(wide, name, value) if purchase is None else purchase.apply(wide, value)
        again = any(purchase is None or purchase.remakes for purchase in moved.values())
        made = self._made(wide, None if again else names, sorted(names) if len(names) <= FEW else ())
        self._programs[key] = made
        while len(self._programs) > KEPT_PROGRAMS:
            self._programs.popitem(last=False)
        return made

    def prepared(self, lifted: Collection[str], at: Mapping[str, float] | None = None) -> bool:
        """Whether the program without these filters is at hand, so that asking it takes no enumeration."""
        return (frozenset(lifted) & self._filters, tuple(sorted((at or {}).items()))) in self._programs

    def _made(self, wide: Instance, lifted: frozenset[str] | None, few: Sequence[str]) -> Program:
        """``few``: the filters lifted, where they are so few that how far they give way may be asked."""
        open_sites = wide
        for widening in self._widenings.values():
            if widening.only_candidates:
                open_sites = widening.apply(open_sites)
        every = EMPTIER if any(name.rpartition(".")[2] in OF_RACKS for name in few) else ()
        candidates = (
            enumerate_candidates(open_sites, self._memo, objectives=every)
            if lifted is None
            else dataclasses.replace(self._candidates(open_sites, lifted, every), offers=offers_of(wide))
        )
        measures = [measure for name in few if (measure := measure_of(self.instance, name, candidates)) is not None]
        try:
            return made_of(wide, candidates, measures)
        except InfeasibleError:
            return Program(None, None, candidates.rejections)

    def _candidates(self, wide: Instance, lifted: frozenset[str], every: tuple[str, ...]) -> Candidates:
        """Candidates cluster by cluster: a filter of one cluster lets nothing more into another."""
        found = []
        for cluster in wide.workloads:
            mine = f"workloads.{cluster}."
            key = (cluster, frozenset(n for n in lifted if n.startswith(mine) or not n.startswith("workloads.")), every)
            if key not in self._clusters:
                self._clusters[key] = enumerate_candidates(wide, self._memo, objectives=every, clusters=(cluster,))
            self._clusters.move_to_end(key)
            found.append(self._clusters[key])
        while len(self._clusters) > len(found) and sum(map(_placed, self._clusters.values())) > KEPT_PLACEMENTS:
            self._clusters.popitem(last=False)
        return dataclasses.replace(
            found[0],
            placements=tuple(p for one in found for p in one.placements),
            rejections=tuple(dict.fromkeys(r for one in found for r in one.rejections)),
            fabric_refusals=sum(one.fabric_refusals for one in found),
        )

    # --- questions --------------------------------------------------------------------------------------------------

    def standing(self, kept: Collection[str]) -> Standing:
        """Whether a design keeps these groups, all others lifted; not asked again where an earlier answer tells.

        A design that keeps more groups keeps these, too, and groups no design keeps are not kept together with more.
        """
        asked = frozenset(kept)
        if any(asked <= known for known in self._feasible):
            return Standing.FEASIBLE
        if any(known <= asked for known in self._infeasible):
            return Standing.INFEASIBLE
        found = self.ask(asked).standing
        if found is Standing.FEASIBLE:
            self._feasible.append(asked)
        elif found is Standing.INFEASIBLE:
            self._infeasible.append(asked)
        return found

    def ask(
        self,
        kept: Collection[str],
        cost: Floats | None = None,
        barred: npt.NDArray[np.bool_] | None = None,
        bounds: Bounds | None = None,
        at: Mapping[str, float] | None = None,
    ) -> Reply:
        """A design that keeps these groups and has the least ``cost`` (any design where None).

        ``barred`` columns stay at zero; ``bounds`` moves limits: row key -> new bound on the side it has, or both ends;
        ``at`` as in ``program``. No enumeration is begun when the time is over.
        """
        kept = frozenset(kept)
        lifted = frozenset(self.groups) - kept
        over = self.out_of_time
        if over and not self.prepared(lifted, at):
            return Reply(Standing.UNKNOWN)
        made = self.program(lifted, at)
        if made.model is None:
            return Reply(Standing.INFEASIBLE, proven=True)
        if over:
            return Reply(Standing.UNKNOWN)
        # what was enumerated beyond the end is asked still, else the longest work would be for nothing
        return self._solve(made, kept | frozenset(at or ()), cost, barred, bounds or {})

    def _solve(
        self,
        made: Program,
        kept: frozenset[str],
        cost: Floats | None,
        barred: npt.NDArray[np.bool_] | None,
        bounds: Bounds,
    ) -> Reply:
        model = made.model
        assert model is not None
        lower, upper = self.row_bounds(made, kept, bounds)
        column_upper = model.upper if barred is None else np.where(barred, 0.0, model.upper)
        cost = np.zeros(model.n_columns) if cost is None else cost
        asked = dataclasses.replace(with_cost(model, cost, lower, upper), upper=column_upper)
        found = self.effort.least(asked)
        if found is None:
            return Reply(Standing.UNKNOWN)
        if found.x is None:
            return Reply(Standing.INFEASIBLE, proven=True)
        x = found.point(asked.n_columns)
        return Reply(Standing.FEASIBLE, x, float(cost @ x), found.proven)

    def row_bounds(self, made: Program, kept: Collection[str], bounds: Bounds | None = None) -> tuple[Floats, Floats]:
        """Bounds of the rows with only the groups ``kept`` in force; ``bounds`` moves limits instead of freeing them."""
        model, kept, bounds = made.model, frozenset(kept), bounds or {}
        assert model is not None
        lower, upper = model.row_lower.copy(), model.row_upper.copy()
        place = {key: number for number, key in enumerate(model.row_keys)}
        for key, source in made.sources.items():
            if key in place and key not in self._named and source in self.groups and source not in kept:
                lower[place[key]], upper[place[key]] = -np.inf, np.inf
        for name, group in self.groups.items():
            for key in group.rows:
                if key not in place:
                    continue
                row = place[key]
                if key in bounds:
                    moved = bounds[key]
                    if isinstance(moved, tuple):
                        lower[row], upper[row] = moved
                    elif lower[row] == upper[row]:
                        lower[row] = upper[row] = moved
                    elif np.isfinite(upper[row]):
                        upper[row] = moved
                    else:
                        lower[row] = moved
                elif name not in kept:
                    lower[row], upper[row] = -np.inf, np.inf
        return lower, upper

    def tco(self, lifted: Collection[str], at: Mapping[str, float] | None = None) -> Floats:
        """The cost vector of total cost [kUSD] of the program without some filters, others ``at`` values."""
        model = self.program(lifted, at).model
        assert model is not None
        return np.asarray(model.objectives[0], dtype=np.float64)


def _placed(candidates: Candidates) -> int:
    return sum(len(placements) for placements in candidates.placements)
