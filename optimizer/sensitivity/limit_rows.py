"""Limits somebody stated, as rows of a program whose bounds may be moved, and how far a row can go before the answer changes.

A row is turned so that smaller is tighter: ``use(x) <= bound`` with ``use`` the activity of a ceiling and its negative for a floor.
Coefficients are whole quanta, so that the next value at which something changes is found exactly, by minimising the use.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from models.candidates.placement import Candidates, enumerate_candidates
from models.formulation.build import Formulation
from models.formulation.core import Core, Row
from models.formulation.family import Direction, families
from models.formulation.linear import Kind, Linear
from models.instance import Instance
from optimizer.compiled_model import value_steps
from optimizer.performance_cache import PerformanceCache
from optimizer.sensitivity.pool import enumerated, worthwhile
from optimizer.sensitivity.program import Answer, Effort, Limit, Program, assemble

STEP = 1.0
"""Objectives are whole quanta: the next better value is one less."""


def movable_candidates(instance: Instance) -> Candidates:
    """Candidates that no utility or floor of a site has left out."""
    return enumerate_candidates(without_site_limits(instance), PerformanceCache())


def without_site_limits(instance: Instance) -> Instance:
    """The instance with unlimited utilities and rack positions, so that no candidate is left out for these."""
    sites = {name: site.without_size() for name, site in instance.sites.items()}
    return dataclasses.replace(instance, document=instance.document.model_copy(update={"sites": sites}))


@dataclass(frozen=True)
class LimitRow:
    """A stated limit. ``bound`` is that of ``use``; ``steps`` is False where only lifting it makes sense (a ban on pods below a floor).

    ``step``: any two uses differ by at least this much, so that the next tighter bound is one step below a use. ``also``: further
    rows that hold the same number of the instance, such as the rate of a service with pods for prompts and for answers; all move
    together, and the use is the largest of them.
    """

    row: Row
    sign: float
    bound: float
    step: float = 1.0
    also: tuple[Row, ...] = ()

    @property
    def name(self) -> str:
        """``family.what[index]``, the field where several rows hold it."""
        return self.row.source if self.also else self.row.name

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the rows."""
        return (self.row.name, *(row.name for row in self.also))

    @property
    def steps(self) -> bool:
        """Whether the bound itself can be moved step by step."""
        return not self.row.what.endswith("_of_each")

    def stated(self, use: float) -> float:
        """A use in the words of the row: as a ceiling or a floor reads."""
        return self.sign * use + 0.0

    @property
    def fixed(self) -> bool:
        """Whether the row leaves no room: it can give way, but not be tightened."""
        return self.row.lower is not None and self.row.lower == self.row.upper

    @property
    def label(self) -> str:
        """The name, with the side that is meant where the row has two."""
        two = self.row.lower is not None and self.row.upper is not None
        return f"{self.name} ({'at most' if self.sign > 0 else 'at least'})" if two else self.name

    def bounds(self, use: float | None) -> dict[str, tuple[float | None, float | None]]:
        """Bounds of the row at another use, its other side kept; None lifts it."""
        if self.sign > 0:
            return {row.name: (row.lower, use) for row in (self.row, *self.also)}
        return {row.name: (None if use is None else -use, row.upper) for row in (self.row, *self.also)}

    @property
    def uses(self) -> tuple[dict[str, float], ...]:
        """The use in each row as weights over measures."""
        return tuple({name: self.sign} for name in self.names)

    def use(self, measures: Mapping[str, float]) -> float:
        """The use of a design: the largest of its rows."""
        return max(self.sign * measures[name] for name in self.names)


def lifted(limits: Iterable[LimitRow]) -> dict[str, tuple[float | None, float | None]]:
    """Bounds of rows with all these limits lifted, both sides of one row among them."""
    found: dict[str, tuple[float | None, float | None]] = {}
    for limit in limits:
        for row in (limit.row, *limit.also):
            low, high = found.get(row.name, (row.lower, row.upper))
            found[row.name] = (low, None) if limit.sign > 0 else (None, high)
    return found


def limits_of(core: Core) -> list[LimitRow]:
    """Limits somebody stated, each with an address, without the program's own logic; a rule that fixes a value is two."""
    names = {family.name for family in families()}
    found = []
    for row in core.rows:
        logic = row.family != "rules" and row.what.endswith(("_units", "_open"))
        if row.family not in names or not row.source or logic:
            continue
        if row.lower is not None and row.upper is not None and row.family != "rules":
            continue  # an equation of a family is its logic
        if row.upper is not None:
            found.append(LimitRow(row, 1.0, row.upper, _step(core, row)))
        if row.lower is not None:
            found.append(LimitRow(row, -1.0, -row.lower, _step(core, row)))
    return _joined(found)


def _joined(limits: Sequence[LimitRow]) -> list[LimitRow]:
    """Limits of which each is one number of the instance: the demands of one service are one."""
    found: dict[tuple[object, ...], LimitRow] = {}
    for number, limit in enumerate(limits):
        row = limit.row
        one = row.family == "performance" and row.what == "demand" and not limit.fixed
        key = (row.source, limit.sign, limit.bound, row.unit) if one else (number,)
        first = found.get(key)
        found[key] = limit if first is None else replace(
            first, also=(*first.also, row), step=min(first.step, limit.step)
        )  # fmt: skip
    return list(found.values())


def _step(core: Core, row: Row) -> float:
    """One where a row counts in whole numbers, else the step its activities are multiples of, or a sliver of its largest coefficient."""
    values = np.concatenate([np.unique(v[v != 0]) for v in row.expression.terms.values()] or [np.zeros(0)])
    continuous = any(core.blocks[name].kind is Kind.CONTINUOUS for name in row.expression.terms)
    if not len(values):
        return 1.0
    (step,) = value_steps(values[None, :], np.full(len(values), not continuous))
    return min(1.0, step) if step is not None else 1e-6 * float(np.abs(values).max())


Measured = Callable[[Core], tuple[Linear, Linear]]
"""A count, and where it is not zero."""


@dataclass(frozen=True)
class Steering:
    """What a program whose limits can be moved is made of, over any candidates of ``instance``; the first of ``names`` is what it is best in."""

    instance: Instance
    names: Sequence[str]
    target: Measured | None = None

    def made(self, found: Candidates) -> tuple[Program, list[LimitRow], list[tuple[Linear, Direction]]]:
        """The whole program of some candidates, its limits, and the criteria by which one may replace another."""
        core, goals = assemble(self.instance, found, self.names)
        rows = limits_of(core)
        measures = {row.name: row.expression for limit in rows for row in (limit.row, *limit.also)}
        best = [(g.expression, g.objective.direction) for g in goals]
        if self.target is not None:
            measures["target"], present = self.target(core)
            best += [(present, Direction.MINIMISE), (present, Direction.MAXIMISE)]
        return Program.of(core, measures, goals), rows, best

    def judge(self, part: Candidates, _: bool) -> tuple[Formulation]:
        """Keeps what no other replaces, however the limits are moved."""
        whole, _rows, best = self.made(part)
        return (whole.narrowed(best, relaxable=True).formulation,)


@dataclass(frozen=True)
class Steered:
    """A program whose limits can be moved; ``cost`` weighs its objective so that less is better."""

    program: Program
    limits: tuple[LimitRow, ...]
    cost: Mapping[str, float]
    quantum: float

    @staticmethod
    def of(
        instance: Instance,
        objective: str = "tco",
        candidates: Candidates | None = None,
        more: Sequence[str] = (),
        target: Measured | None = None,
    ) -> Steered:
        """The program of an instance, its candidates not cut by any limit of a site.

        ``target`` gives a count and where it is not zero: the measure ``target``, which may then be asked for or left out.
        """
        steering = Steering(instance, (objective, *(n for n in more if n != objective)), target)
        if candidates is None:
            found = enumerated(instance, steering.judge, PerformanceCache(), without_site_limits(instance))
        else:
            found = worthwhile(instance, candidates, steering.judge)
        whole, rows, best = steering.made(found)
        first = whole.formulation.goals[0]
        sign = -1.0 if first.objective.direction is Direction.MAXIMISE else 1.0
        return Steered(
            whole.narrowed(best, relaxable=True), tuple(rows), {first.name: sign}, first.objective.column_value(1.0)
        )

    def least(
        self, effort: Effort, bounds: Mapping[str, tuple[float | None, float | None]], limits: Sequence[Limit] = ()
    ) -> Answer:
        """The best design under moved bounds."""
        return self.program.bounded(bounds).least(self.cost, effort, limits)

    def no_dearer(self, value: float) -> Limit:
        """Designs whose cost [quanta] is at most ``value``."""
        return Limit("cost", self.cost, None, math.floor(value + 1e-6))

    def least_use(
        self,
        limit: LimitRow,
        effort: Effort,
        value: float | None,
        limits: Sequence[Limit] = (),
        lifted: Mapping[str, tuple[float | None, float | None]] | None = None,
    ) -> Answer:
        """The tightest bound of a limit at which a design of cost at most ``value`` [quanta] (None: any) exists, the others kept."""
        free = {**(lifted or {}), **limit.bounds(None)}
        asked = [*limits, *([] if value is None else [self.no_dearer(value)])]
        program = self.program.bounded(free)
        alone = [program.least(use, effort, asked) for use in limit.uses]
        if len(alone) == 1:
            return alone[0]
        return self._together(limit, alone, {**free}, asked, effort)

    def _together(
        self,
        limit: LimitRow,
        alone: Sequence[Answer],
        free: dict[str, tuple[float | None, float | None]],
        asked: Sequence[Limit],
        effort: Effort,
    ) -> Answer:
        """The same for several rows: between what each can have alone and what one design has in all, halved to a step."""
        unknown = next((one for one in alone if not one.found), None)
        if unknown is not None:
            return unknown
        low = max(one.bound for one in alone)
        best = min(alone, key=lambda one: limit.use(one.measures))
        high = limit.use(best.measures)
        while high - low > limit.step * (1.0 - 1e-6) and not effort.over:
            middle = low + math.floor((high - low) / 2 / limit.step) * limit.step
            answer = self.program.bounded({**free, **limit.bounds(middle)}).least(limit.uses[0], effort, asked)
            if answer.infeasible:
                low = middle + limit.step
            elif answer.found:
                best, high = answer, limit.use(answer.measures)
            else:
                break
        return replace(best, value=high, bound=min(low, high))
