"""Objective values of a design, in whole quanta, and the certified bounds beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from models.policy import PowerFigure
from optimizer.design import Design
from optimizer.frontier import ObjectiveColumn
from optimizer.verification.findings import Checks
from optimizer.verification.quanta import Total
from optimizer.verification.totals import Sums


@dataclass(frozen=True)
class Goal:
    """An objective as verification knows it: column, quantum in the column's unit, sense, and its sum."""

    column: str
    quantum: float
    maximise: bool
    total: Callable[[Sums, str | None], Total]
    per_cluster: bool = False


def _first(sums: Sums, cluster: str | None) -> Total:
    return sums.delivered(cluster if cluster is not None else next(iter(sums.instance.workloads)))


GOALS: Mapping[str, Goal] = {
    "tco": Goal("tco_usd", 1e3, False, lambda s, _: s.money(True, True)),
    "capex": Goal("capex_usd", 1e3, False, lambda s, _: s.money(True, False)),
    "concentration": Goal("concentration_usd", 1e3, False, lambda s, _: s.concentration()),
    "lead_time": Goal("lead_time_days", 1.0, False, lambda s, _: s.lead_time()),
    "power": Goal("power_kw", 1.0, False, lambda s, _: s.power(PowerFigure.DESIGN)),
    "carbon": Goal("carbon_t", 1.0, False, lambda s, _: s.carbon()),
    "floor": Goal("floor_racks", 1.0, False, lambda s, _: s.floor()),
    "throughput": Goal("throughput_tokens_per_s", 1.0, True, _first, True),
    "throughput_x_demand": Goal("throughput_x_demand", 1e-4, True, lambda s, _: s.share_of_demand()),
    "availability": Goal("availability_fraction", 1e-6, True, lambda s, _: s.availability()),
    "blast_radius": Goal("blast_radius_accelerators", 1.0, False, lambda s, _: s.blast_radius()),
    "goodput": Goal("goodput_fraction", 1e-6, True, lambda s, cluster: s.goodput(cluster), True),
}


def goal_of(column: str) -> tuple[Goal, str | None] | None:
    """The objective that fills a column, and the cluster it is asked for; None where there is none."""
    for goal in GOALS.values():
        if column == goal.column:
            return goal, None
        if goal.per_cluster and column.endswith(f".{goal.column}"):
            return goal, column[: -len(goal.column) - 1]
    return None


def check_columns(checks: Checks, objectives: tuple[ObjectiveColumn, ...]) -> None:
    """The objectives of a run, held against the quanta and senses that are documented."""
    for objective in objectives:
        base, _, cluster = objective.name.partition(":")
        goal = GOALS.get(base)
        if (
            not checks.rule("objectives", goal is not None, objective.name, "an objective verification knows")
            or not goal
        ):
            continue
        checks.same(
            f"{objective.name}.column", objective.column, f"{cluster}.{goal.column}" if cluster else goal.column
        )
        checks.same(f"{objective.name}.quantum", objective.quantum, goal.quantum)
        checks.same(f"{objective.name}.maximise", objective.maximise, goal.maximise)


def check_objectives(checks: Checks, design: Design, sums: Sums) -> None:
    """Every objective value within its rounding, and no bound on the wrong side of its value."""
    for column, reported in design.objectives.items():
        found = goal_of(column)
        if (
            not checks.rule(f"objectives.{column}", found is not None, reported, "a column verification knows")
            or not found
        ):
            continue
        goal, cluster = found
        total = goal.total(sums, cluster)
        same = total.holds(reported / goal.quantum)
        checks.rule(f"objectives.{column}", same, reported, total.least * goal.quantum, f"in steps of {goal.quantum:g}")
        if column in design.bounds:
            bound = design.bounds[column]
            right = bound >= reported if goal.maximise else bound <= reported
            checks.rule(f"bounds.{column}", right, bound, reported, "a bound lies on the better side of its value")
    for column in design.bounds.keys() - design.objectives.keys():
        checks.rule(f"bounds.{column}", False, design.bounds[column], None, "no objective of this design")
