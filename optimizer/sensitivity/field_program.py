"""An instance whose numeric fields move: candidates that may matter anywhere in a range, enumerated once, assembled at every value.

Where fields enter only money, demand and limits, candidates stay what they are. Those that another replaces at every corner of
the range, whatever the limits, are left out at the start: each money coefficient is then a straight line in each field, which is
checked; where it is not, all candidates stay.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.candidates.economics import economics_of
from models.candidates.placement import Candidates, enumerate_candidates
from models.errors import InfeasibleError, InstanceError
from models.formulation import totals
from models.formulation.build import Formulation, Goal
from models.formulation.core import Core
from models.formulation.family import Direction
from models.formulation.linear import Linear
from models.instance import Instance
from optimizer.design import Design
from optimizer.performance_cache import PerformanceCache
from optimizer.sensitivity.instance_field import InstanceField
from optimizer.sensitivity.limit_rows import movable_candidates, without_site_limits
from optimizer.sensitivity.part_program import CENT
from optimizer.sensitivity.pool import enumerated, worthwhile
from optimizer.sensitivity.program import Answer, Effort, Limit, Program, assemble

MONEY = {"tco": totals.tco, "capex": totals.capex}
STRAIGHT = 1e-9
"""Relative deviation from a straight line that is rounding."""

Values = tuple[float, ...]


@dataclass(frozen=True)
class State:
    """The program at one set of values: measure ``cost`` is the objective, exact where it is money; ``goal`` in whole quanta."""

    instance: Instance
    program: Program
    goal: Goal


class FieldProgram:
    """Programs of one instance over ranges of some of its fields. ``ranges``: low and high of each."""

    def __init__(
        self,
        instance: Instance,
        fields: Sequence[InstanceField],
        ranges: Sequence[tuple[float, float]],
        objective: str = "tco",
        candidates: Candidates | None = None,
    ) -> None:
        self.instance, self.fields, self.objective = instance, tuple(fields), objective
        self.ranges = tuple(ranges)
        self._memo = PerformanceCache()
        self.fixed = not any(field.moves_candidates for field in fields)
        self._states: dict[Values, State | None] = {}
        self._pool: Candidates | None = None
        if self.fixed:
            self._pool = self._fixed_pool(candidates)

    def _fixed_pool(self, given: Candidates | None) -> Candidates:
        """The candidates that some values may need, of ``given`` or of all."""
        try:
            if given is None:
                return enumerated(self.instance, self._judge, self._memo, without_site_limits(self.instance))
            return worthwhile(self.instance, given, self._judge)
        except _NotStraightError:
            pass  # and what was made so far is freed before all are made
        return movable_candidates(self.instance) if given is None else given

    def at(self, values: Values) -> State | None:
        """The program at values of the fields; None where no cluster can be placed or the instance makes no sense there."""
        if values not in self._states:
            if len(self._states) > 64:
                self._states.clear()
            self._states[values] = self._made(values)
        return self._states[values]

    def least(self, values: Values, effort: Effort, limits: Sequence[Limit] = ()) -> Answer:
        """The best design at values of the fields."""
        state = self.at(values)
        if state is None:
            effort.solves += 1
            return Answer(np.inf)
        return state.program.least({"cost": 1.0}, effort, limits)

    def inside(self, values: Values) -> Instance:
        """The instance at values of the fields."""
        changed = self.instance
        for field, value in zip(self.fields, values, strict=True):
            changed = field.within(changed, value)
        return changed

    def _made(self, values: Values, pool: Candidates | None = None) -> State | None:
        changed = self.inside(values)
        pool = self._pool if pool is None else pool
        try:
            if pool is None:
                found = enumerate_candidates(changed, self._memo)
            else:
                found = dataclasses.replace(
                    pool, economics={site: economics_of(changed, site) for site in changed.sites}
                )
            return self._state(changed, found)
        except (InfeasibleError, InstanceError):
            return None

    def _state(self, instance: Instance, found: Candidates) -> State:
        core, goals = assemble(instance, found, [self.objective])
        return State(instance, Program.of(core, {"cost": self._cost(core, goals[0])}, goals), goals[0])

    def _cost(self, core: Core, goal: Goal) -> Linear:
        money = MONEY.get(self.objective)
        if money is not None:
            return money(core, CENT) * CENT
        return -goal.expression if goal.objective.direction is Direction.MAXIMISE else goal.expression

    def _judge(self, part: Candidates, _: bool) -> tuple[Formulation]:
        """Candidates that some values in the ranges may need: all of them where money does not move in straight lines."""
        middle = self._made(tuple((low + high) / 2 for low, high in self.ranges), part)
        if middle is None:
            raise _NotStraightError
        costs = []
        for values in itertools.product(*self.ranges):
            corner = self._made(values, part)
            if corner is None or not same_rows(middle.program.formulation, corner.program.formulation):
                raise _NotStraightError
            costs.append(corner.program.measures["cost"])
        if not same(Linear.total(costs) * (1.0 / len(costs)), middle.program.measures["cost"]):
            raise _NotStraightError
        return (middle.program.narrowed([(cost, Direction.MINIMISE) for cost in costs], relaxable=True).formulation,)


class _NotStraightError(Exception):
    """Money does not move in straight lines, or nothing can be placed at some values."""


def column_scale(program: FieldProgram, value: float) -> float:
    """Column units per unit of the measure ``cost``; its sign says which way the objective reads."""
    if program.objective in ("tco", "capex"):
        return 1.0
    state = program.at((value,))
    if state is None:
        return 1.0
    sign = -1.0 if state.goal.objective.direction.value == "max" else 1.0
    return sign * state.goal.objective.column_value(1.0)


def same(a: Linear, b: Linear) -> bool:
    """Equal coefficients up to rounding."""
    names = set(a.terms) | set(b.terms)
    return all(
        np.allclose(a.terms.get(n, np.zeros(1)), b.terms.get(n, np.zeros(1)), rtol=STRAIGHT, atol=2 * CENT)
        for n in names
    )


def same_rows(a: Formulation, b: Formulation) -> bool:
    """The same rows, whatever their bounds."""
    if [row.name for row in a.rows] != [row.name for row in b.rows]:
        return False
    return all(
        set(x.expression.terms) == set(y.expression.terms)
        and all(np.array_equal(v, y.expression.terms[n]) for n, v in x.expression.terms.items())
        for x, y in zip(a.rows, b.rows, strict=True)
    )


def architecture(design: Design) -> str:
    """What a design is made of, without sizes: system, rack, cooling, fabric, site, and the options of each chain."""
    left_out = ("pods", "accelerators", "racks", "spares", "vendor")
    named = ("oversubscription", "storage")
    told = [(name.rpartition(".")[2], value) for name, value in design.choices.items()]
    return ", ".join(f"{name} {value}" if name in named else str(value) for name, value in told if name not in left_out)
